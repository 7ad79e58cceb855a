//! What an identity value may look like, and how identities compare (PROTOCOL.md, section 14, "Identities").
//!
//! Two spellings of one identity lead to one account, whoever sends them: the node makes the digest over the normal form,
//! and the client uses the same form for its own comparisons.

mod national;
mod network;
pub mod ror;

use creditbank_protocol::course_code::key as folded;
use creditbank_protocol::unicode::{capital, nfc};

use crate::v1::{IdentityType, TypedIdentity};

/// Whether a text is what people see: nobody should have two accounts because of a blank or an invisible character.
pub fn is_plain(text: &str) -> bool {
    text.trim() == text && !text.contains(is_invisible)
}

/// Control characters, and those that change how others are shown.
pub fn is_invisible(c: char) -> bool {
    let format = [
        '\u{ad}'..='\u{ad}',
        '\u{200b}'..='\u{200f}',
        '\u{202a}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
    ];
    c.is_control() || format.iter().any(|range| range.contains(&c))
}

/// The form by which an identity is compared. The normal form of a normal form is itself.
#[must_use]
pub fn normalise(identity: &TypedIdentity) -> TypedIdentity {
    let (scope, value) = (composed(&identity.scope), composed(&identity.value));
    let kind = IdentityType::try_from(identity.r#type).unwrap_or_default();
    let (scope, value) = match kind {
        IdentityType::StudentNumber => (scope, upper(&value)),
        // A country's code has one case.
        IdentityType::National => (upper(&scope), national::normal(&upper(&scope), &upper(&value))),
        // ICAO 9303 knows capital letters and digits alone.
        IdentityType::Passport => (upper(&scope), without_separators(&upper(&value))),
        IdentityType::Network => (folded(&scope), network::normal(&folded(&scope), &value)),
        IdentityType::StudentNumberExact | IdentityType::Unspecified => (scope, value),
    };
    TypedIdentity { r#type: identity.r#type, scope, value }
}

/// What speaks against an identity: a check digit that fails, or another shape than its standard has. Never a reason to
/// refuse it: numbers with wrong check digits were given out, and registers make mistakes. Holds no part of the value.
pub fn doubt(identity: &TypedIdentity) -> Option<String> {
    let TypedIdentity { r#type, scope, value } = normalise(identity);
    match IdentityType::try_from(r#type).unwrap_or_default() {
        // As it was stated: the normal form may have lost what there is to check.
        IdentityType::National => national::doubt(&scope, &national::bare(&scope, &upper(&composed(&identity.value)))),
        IdentityType::Network => network::doubt(&scope, &value),
        _ => None,
    }
}

/// Whether an identity is one that only its own institution gives out.
pub fn is_student_number(identity: &TypedIdentity) -> bool {
    let kind = IdentityType::try_from(identity.r#type).unwrap_or_default();
    matches!(kind, IdentityType::StudentNumber | IdentityType::StudentNumberExact)
}

fn composed(text: &str) -> String {
    nfc(text).into_owned()
}

fn upper(text: &str) -> String {
    text.chars().map(capital).collect()
}

/// Without what people put between the digits of a number: blanks, points, slashes and dashes of any kind.
fn without_separators(text: &str) -> String {
    text.chars().filter(|c| !(c.is_whitespace() || is_dash(*c) || matches!(c, '.' | '/' | '\u{b7}'))).collect()
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
}

/// The decimal digits of a text that has nothing else.
fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|c| c.to_digit(10)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: IdentityType, scope: &str, value: &str) -> TypedIdentity {
        TypedIdentity { r#type: kind.into(), scope: scope.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn only_what_is_seen() {
        for text in ["11391", "A 1", "\u{e9}t\u{e9}", "\u{5f20}\u{4e09}"] {
            assert!(is_plain(text), "{text:?}");
        }
        for text in [" 1", "1 ", "1\n", "1\u{0}2", "1\u{200b}2", "1\u{202e}2", "\u{feff}1", "1\u{a0}"] {
            assert!(!is_plain(text), "{text:?}");
        }
    }

    /// Goal: spellings of one identity have one normal form, and different identities keep different ones.
    #[test]
    fn spellings_of_one_identity() {
        use IdentityType::{National, Network, Passport, StudentNumber, StudentNumberExact};
        let orcid = "0000-0002-1825-0097";
        let esi = "urn:schac:personalUniqueCode:int:esi:example.org:A7";
        for (kind, scope, spellings) in [
            (StudentNumber, "", &["GE42ABC", "ge42abc", "Ge42Abc"][..]),
            (StudentNumber, "", &["\u{c9}1", "e\u{301}1", "\u{e9}1"]),
            (National, "DK", &["070761-4285", "0707614285", "070761 4285"]),
            (National, "FR", &["2 55 08 14 168 025 38", "255081416802538", "2550814168025"]),
            (National, "ES", &["01234567-L", "1234567l", "1.234.567-L"]),
            (National, "NL", &["012345672", "12345672"]),
            (National, "CN", &["11010519491231002x", "11010519491231002X"]),
            (National, "SE", &["19811218-9876", "198112189876"]),
            (Passport, "FR", &["12AB34567", "12ab 34567"]),
            (
                Network,
                "orcid",
                &[orcid, "https://orcid.org/0000-0002-1825-0097", "0000000218250097", "orcid.org/0000000218250097"],
            ),
            (Network, "esi", &[esi, "URN:SCHAC:personaluniquecode:INT:ESI:Example.org:a7"]),
        ] {
            let forms: Vec<_> = spellings.iter().map(|value| normalise(&of(kind, scope, value))).collect();
            assert!(forms.windows(2).all(|two| two[0] == two[1]), "{forms:?}");
            assert_eq!(normalise(&forms[0]), forms[0], "normal once is normal for ever");
        }
        for (kind, scope, one, other) in [
            (StudentNumberExact, "", "GE42ABC", "ge42abc"),
            (StudentNumber, "", "0123", "123"),
            (StudentNumber, "", "\u{131}1", "i1"),
            (StudentNumber, "", "stra\u{df}e", "strasse"),
            (National, "FI", "131052-308T", "131052A308T"),
            (National, "SE", "811218-9876", "811218+9876"),
            (Network, "eduid.ch", "Abc@x", "abc@x"),
        ] {
            assert_ne!(normalise(&of(kind, scope, one)), normalise(&of(kind, scope, other)));
        }
        assert_eq!(normalise(&of(National, "fr", "1")).scope, "FR");
        assert_ne!(
            normalise(&of(National, "FR", "255081416802539")).value,
            "2550814168025",
            "a wrong key is not cut away: whose number it is nobody knows"
        );
    }

    /// Goal: a number is judged as it was stated, with whatever separators, and not by what its normal form keeps of it.
    #[test]
    fn a_wrong_check_digit_is_doubted() {
        use IdentityType::{National, Network, Passport, StudentNumber};
        for (kind, scope, good, bad) in [
            (National, "FR", "2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
            (National, "FR", "255081416802538", "255081416802539"),
            (National, "fr", "1 98 05 2a 001 001 19", "1 98 05 2a 001 001 20"),
            (National, "ES", "1.234.567-L", "1.234.567-M"),
            (National, "NL", "12345672", "12345673"),
            (National, "FI", "131052-308T", "131052-308U"),
            (National, "CN", "11010519491231002x", "110105194912310021"),
            (Network, "ORCID", "https://orcid.org/0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0098"),
        ] {
            assert_eq!(doubt(&of(kind, scope, good)), None, "{good}");
            let said = doubt(&of(kind, scope, bad)).expect(bad);
            assert!(said.contains("check digit") && !said.contains(bad), "{said}");
        }
        assert_eq!(doubt(&of(National, "FR", "2550814168025")), None, "without its key there is nothing to check");
        assert_eq!(doubt(&of(Passport, "FR", "12AB34567")), None);
        assert_eq!(doubt(&of(StudentNumber, "", "1")), None);
    }
}
