//! Refusals by name.

use std::fmt;

/// Why a record or an effect was refused: the rule, where, what it expected and what it found. Names, birth dates and
/// aliases never stand in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Rejection {
    /// The rule that was broken.
    pub rule: Rule,
    /// Position of the record in its block.
    pub record: Option<u32>,
    /// The field.
    pub field: Option<&'static str>,
    /// What the rule expects.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(record) = self.record {
            write!(f, "record {record}: ")?;
        }
        if let Some(field) = self.field {
            write!(f, "{field}: ")?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

impl Rejection {
    /// A refusal that is not yet about one record.
    pub fn new(rule: Rule, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { rule, record: None, field: None, expected: expected.into(), found: found.into() }
    }

    /// Names the field.
    #[must_use]
    pub fn field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// Names the record.
    #[must_use]
    pub fn record(mut self, record: u32) -> Self {
        self.record = Some(record);
        self
    }
}

/// Refuses what does not hold. The texts are made only then: most records are right.
pub(crate) fn require(
    holds: bool,
    rule: Rule,
    field: &'static str,
    expected: impl fmt::Display,
    found: impl fmt::Display,
) -> Result<(), Rejection> {
    if holds { Ok(()) } else { Err(Rejection::new(rule, expected.to_string(), found.to_string()).field(field)) }
}

/// Refuses what is not there.
pub(crate) fn present(holds: bool, field: &'static str, expected: &str) -> Result<(), Rejection> {
    require(holds, Rule::MissingField, field, expected, "nothing")
}

macro_rules! rules {
    ({} $($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A rule, by a name that never changes (PROTOCOL.md, "Refusals"). In order of precedence within its group.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule { $($(#[doc = $doc])+ $variant,)+ }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it asks, in a sentence.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

creditbank_protocol::with_rules!(rules);
