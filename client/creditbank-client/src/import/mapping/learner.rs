//! `[learner]`: how a learner is named, and what a good identity looks like.

use creditbank_rpc::v1::IdentityType;
use regex::Regex;
use serde::Deserialize;

use super::MappingError;
use super::field::Case;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    #[serde(rename = "type", default = "student_number")]
    kind: String,
    #[serde(default)]
    scope: String,
    column: String,
    pattern: Option<String>,
    case: Option<Case>,
    digits: Option<usize>,
    pad: Option<usize>,
}

fn student_number() -> String {
    "student_number".to_owned()
}

/// How a learner is named.
#[derive(Debug, Clone)]
pub(in crate::import) struct Learner {
    kind: IdentityType,
    pub(in crate::import) scope: String,
    pub(in crate::import) column: String,
    /// What the whole value looks like.
    pub(in crate::import) pattern: Option<Regex>,
    pub(in crate::import) case: Case,
    /// Exactly so many digits.
    pub(in crate::import) digits: Option<usize>,
    /// Digits are filled with zeros to so many.
    pub(in crate::import) pad: Option<usize>,
}

impl Learner {
    pub(super) fn of(text: Text) -> Result<Self, MappingError> {
        let Text { kind, scope, column, pattern, case, digits, pad } = text;
        let wrong = |key: &str, expected: &'static str, found: String| MappingError::Value {
            key: format!("learner.{key}"),
            expected,
            found,
        };
        let kind = match kind.as_str() {
            "student_number" if case == Some(Case::Keep) => IdentityType::StudentNumberExact,
            "student_number" => IdentityType::StudentNumber,
            "national" => IdentityType::National,
            "passport" => IdentityType::Passport,
            "network" => IdentityType::Network,
            other => return Err(wrong("type", "student_number, national, passport or network", other.to_owned())),
        };
        let own = matches!(kind, IdentityType::StudentNumber | IdentityType::StudentNumberExact);
        if own != scope.is_empty() {
            let expected = "the country or network of the identity, and nothing for a student number";
            return Err(wrong("scope", expected, scope));
        }
        let pattern = pattern.map(|text| match Regex::new(&format!("^(?:{text})$")) {
            Ok(pattern) => Ok(pattern),
            Err(_) => Err(wrong("pattern", "a regular expression of the whole value, as [A-Z]{2}[0-9]{5}", text)),
        });
        for (key, len) in [("digits", digits), ("pad", pad)] {
            if let Some(len) = len.filter(|len| !(1..=64).contains(len)) {
                return Err(wrong(key, "a number of digits from 1 to 64", len.to_string()));
            }
        }
        Ok(Self { kind, scope, column, pattern: pattern.transpose()?, case: case.unwrap_or_default(), digits, pad })
    }

    pub(in crate::import) fn identity_type(&self) -> IdentityType {
        self.kind
    }

    /// Its identities are those of a network of institutions: ESI, ORCID, eduPersonPrincipalName.
    pub(in crate::import) fn is_of_network(&self) -> bool {
        self.kind == IdentityType::Network
    }

    /// National and passport numbers are written with blanks and points, which do not count.
    pub(in crate::import) fn may_have_separators(&self) -> bool {
        matches!(self.kind, IdentityType::National | IdentityType::Passport)
    }
}
