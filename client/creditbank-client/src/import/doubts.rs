//! What the importer asks of identities and names, for those that are typed instead of read from a file.

use creditbank_rpc::identity::doubt;
use creditbank_rpc::v1::{IdentityType, TypedIdentity};

use super::survey::Warning;
use super::values::{mojibake, wording};
use super::{damage, identity};

/// What speaks against a value that is not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// By this name it is accepted.
    pub warning: Warning,
    /// In words. It may repeat a name: for a screen, never for a log.
    pub what: String,
}

/// What speaks against an identity, or why it is refused: no part of the value is repeated.
pub fn of_identity(stated: &TypedIdentity) -> Result<Option<Doubt>, String> {
    let kind = IdentityType::try_from(stated.r#type).unwrap_or_default();
    let (is_national, is_passport) = (kind == IdentityType::National, kind == IdentityType::Passport);
    let is_country = (2..=3).contains(&stated.scope.len()) && stated.scope.bytes().all(|b| b.is_ascii_alphabetic());
    if (is_national || is_passport) && !is_country {
        return Err("has no country as its scope: expected its code, as FR".to_owned());
    }
    let value = stated.value.trim();
    identity::readable(value)?;
    if let Some(what) = damage::find(value) {
        return Err(format!("is damaged: {what}"));
    }
    let own = identity::damage::spelling(value).or_else(|| identity::damage::of(value, is_national || is_passport));
    if let Some(what) = own {
        return Err(what.to_owned());
    }
    Ok(doubt(stated).map(|what| Doubt { warning: Warning::CheckDigit, what }))
}

/// What speaks against a person's name, or why it is refused.
pub fn of_name(name: &str) -> Result<Option<Doubt>, String> {
    if name.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if let Some(what) = damage::find(name).or_else(|| wording::refusal(name)) {
        return Err(format!("is damaged: {what}"));
    }
    if !name.contains(char::is_alphanumeric) {
        return Err("is a placeholder".to_owned());
    }
    // People are called Null and None too.
    if let Some(what) = wording::damaged("identity.names.", name.trim()) {
        return Ok(Some(Doubt { warning: Warning::Damaged, what: format!("{name:?} {what}") }));
    }
    let odd =
        || mojibake::undecoded(name).or_else(|| mojibake::lost_letters(name)).map(|what| format!("{name:?}: {what}"));
    let entities = || wording::has_entities(name).then(|| format!("{name:?} holds HTML that was not decoded"));
    let meant =
        mojibake::mojibake(name).map(|meant| format!("{name:?} was read in a wrong encoding: is {meant:?} meant?"));
    if let Some(what) = meant.or_else(odd).or_else(entities) {
        return Ok(Some(Doubt { warning: Warning::Mojibake, what }));
    }
    let private = wording::has_private_use(name);
    let what = || format!("{name:?} holds characters that every program shows as something else");
    Ok(private.then(|| Doubt { warning: Warning::PrivateUse, what: what() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(kind: IdentityType, scope: &str, value: &str) -> TypedIdentity {
        TypedIdentity { r#type: kind.into(), scope: scope.to_owned(), value: value.to_owned() }
    }

    /// Goal: an identity that is typed is refused where one in a file would be, and doubted where one would be.
    #[test]
    fn typed_identities() {
        use IdentityType::{National, Network, Passport, StudentNumber};
        for (kind, scope, value, why) in [
            (StudentNumber, "", "N/A", "placeholder"),
            (StudentNumber, "", "2.0E+11", "rounded"),
            (StudentNumber, "", "\u{ff11}\u{ff12}\u{ff13}", "digits of another script"),
            (StudentNumber, "", "#REF!", "damaged"),
            (StudentNumber, "", "", "empty"),
            (National, "France", "1850578006084", "no country"),
            (Passport, "", "12AB34567", "no country"),
        ] {
            let found = of_identity(&identity(kind, scope, value)).expect_err(value);
            assert!(found.contains(why), "{found}");
            assert!(value.is_empty() || !found.contains(value), "the value is not repeated: {found}");
        }
        let wrong = of_identity(&identity(Network, "orcid", "0000-0002-1825-0098")).expect("doubted").expect("a doubt");
        assert_eq!(wrong.warning, Warning::CheckDigit);
        for (kind, scope, value) in [
            (StudentNumber, "", "20231234"),
            (Network, "orcid", "0000-0002-1825-0097"),
            (National, "fr", "1 85 05 78 006 084"),
            (Passport, "UNO", "12 AB34567"),
        ] {
            assert_eq!(of_identity(&identity(kind, scope, value)), Ok(None), "{value}");
        }
    }

    /// Goal: names in every script are left alone; those that a program has damaged are refused or doubted.
    #[test]
    fn typed_names() {
        for name in ["\u{c3}ngela Mota", "O'Brien-Smith", "\u{738b}\u{5c0f}\u{660e}", "Ravi s/o Kumar", "Ng"] {
            assert_eq!(of_name(name), Ok(None), "{name}");
        }
        for name in ["#REF!", " ", "G\u{fffd}om", "a\u{202e}b", "---"] {
            assert!(of_name(name).is_err(), "{name}");
        }
        for (name, warning) in [
            ("M\u{c3}\u{bc}ller", Warning::Mojibake),
            ("NULL", Warning::Damaged),
            ("n/a", Warning::Damaged),
            ("M?ller", Warning::Mojibake),
            ("M&uuml;ller", Warning::Mojibake),
            ("Zh\u{e001}", Warning::PrivateUse),
        ] {
            let found = of_name(name).map(|doubt| doubt.map(|doubt| doubt.warning));
            assert_eq!(found, Ok(Some(warning)), "{name}");
        }
    }
}
