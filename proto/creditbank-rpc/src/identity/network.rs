//! Identities of networks: ORCID, the European Student Identifier, and those that directories compare without case.

use super::{folded, is_dash, upper};

/// Networks whose identifiers directories compare without case (`caseIgnoreMatch` in eduPerson and SCHAC).
const FOLDED: [&str; 4] = ["esi", "eppn", "edupersonprincipalname", "edupersonuniqueid"];
/// How every European Student Identifier begins.
const ESI: &str = "urn:schac:personaluniquecode:int:esi:";

/// The normal form; `scope` is folded.
pub(super) fn normal(scope: &str, value: &str) -> String {
    if scope == "orcid" {
        return orcid(value).unwrap_or_else(|| value.to_owned());
    }
    let small = folded(value);
    if FOLDED.contains(&scope) || small.starts_with(ESI) { small } else { value.to_owned() }
}

/// What speaks against a value in its normal form.
pub(super) fn doubt(scope: &str, value: &str) -> Option<String> {
    match scope {
        "orcid" => match orcid(value) {
            Some(found) if checks(&found) => None,
            Some(_) => Some("the check digit of an ORCID iD fails".to_owned()),
            None => Some("an ORCID iD has 16 digits, the last of which may be X".to_owned()),
        },
        "esi" if !value.starts_with(ESI) => Some(format!("a European Student Identifier begins with {ESI}")),
        _ => None,
    }
}

/// `0000-0002-1825-0097` from any spelling of it: as an address, without hyphens.
fn orcid(value: &str) -> Option<String> {
    let capital = upper(value);
    let bare = capital.trim_start_matches("HTTPS://").trim_start_matches("HTTP://").trim_start_matches("WWW.");
    let bare = bare.trim_start_matches("ORCID.ORG/").trim_start_matches("ORCID:").trim_end_matches('/');
    let bare: String = bare.chars().filter(|c| !c.is_whitespace() && !is_dash(*c)).collect();
    let (digits, last) = bare.split_at_checked(15).filter(|(_, last)| last.len() == 1)?;
    let is_one =
        digits.bytes().all(|byte| byte.is_ascii_digit()) && (last == "X" || last.as_bytes()[0].is_ascii_digit());
    is_one.then(|| [&bare[..4], &bare[4..8], &bare[8..12], &bare[12..]].join("-"))
}

/// ISO 7064 MOD 11-2.
fn checks(orcid: &str) -> bool {
    let mut all = orcid.chars().filter(|c| *c != '-');
    let last = all.next_back();
    let sum = all.filter_map(|c| c.to_digit(10)).fold(0, |sum, digit| (sum + digit) * 2 % 11);
    let check = (12 - sum) % 11;
    last == if check == 10 { Some('X') } else { char::from_digit(check, 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the check digit of an ORCID iD is checked whatever its spelling; an ESI has its prefix.
    #[test]
    fn what_is_doubted() {
        for good in ["0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"] {
            assert_eq!(doubt("orcid", &normal("orcid", good)), None, "{good}");
        }
        for bad in ["0000-0002-1825-0098", "0000-0002-1825-009X", "0000-0002-1825", "\u{e9}"] {
            assert!(doubt("orcid", &normal("orcid", bad)).is_some(), "{bad}");
        }
        assert_eq!(doubt("esi", &normal("esi", "urn:schac:personalUniqueCode:int:esi:uni.example:7")), None);
        assert!(doubt("esi", "7").is_some());
        assert_eq!(doubt("elsewhere", "7"), None);
    }
}
