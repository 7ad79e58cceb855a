//! What a registrar is warned of before anything is signed: each warning has a name, and is a notice or a stop.

/// What was noticed. In the order in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Warning {
    /// Text that looks as if it had been read in a wrong encoding.
    Mojibake,
    /// An identity whose check digit fails, or that has another shape than its standard.
    CheckDigit,
    /// Text that is valid UTF-8, read in another encoding.
    AlsoUtf8,
    /// A code or title that a spreadsheet or a program has left, as `1-May`, `1.2E+05` or `NULL`.
    Damaged,
    /// Private-use characters, which every program shows as something else.
    PrivateUse,
    /// A synchronisation in which more than 5 % of the records vanished or lost a value.
    Vanished,
    /// Course codes that differ in spaces, dashes or width alone.
    NearCode,
    /// A period that is longer than those of its kind usually are.
    LongPeriod,
    /// HTML that was not decoded, as `&amp;`.
    Entities,
    /// Blanks at the ends of a cell, which were taken away.
    Trimmed,
    /// Persons whom the institution has not named before.
    NewIdentities,
}

impl Warning {
    const ALL: [(Self, &'static str, bool); 11] = [
        (Self::Mojibake, "mojibake", true),
        (Self::CheckDigit, "check-digit", true),
        (Self::AlsoUtf8, "also-utf-8", true),
        (Self::Damaged, "damaged", true),
        (Self::PrivateUse, "private-use", true),
        (Self::Vanished, "vanished", true),
        (Self::NearCode, "near-code", false),
        (Self::LongPeriod, "long-period", false),
        (Self::Entities, "entities", true),
        (Self::Trimmed, "trimmed", false),
        (Self::NewIdentities, "new-identities", false),
    ];
    /// The names of the warnings that stop a run.
    pub const NAMES: &'static str = "mojibake, check-digit, also-utf-8, damaged, private-use, vanished or entities";

    /// By its name, as `check-digit`.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own, _)| *own == name).map(|(one, _, _)| *one)
    }

    fn row(self) -> (&'static str, bool) {
        Self::ALL.iter().find(|(one, _, _)| *one == self).map_or(("", true), |(_, name, stops)| (*name, *stops))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Whether it stops a run unless it is accepted.
    pub fn stops(self) -> bool {
        self.row().1
    }
}

/// A warning about one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) warning: Warning,
    pub(crate) field: String,
    /// What was found, in words.
    pub(crate) what: String,
}
