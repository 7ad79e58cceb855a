//! Names of everything that a record can be given.

/// In the order of the alphabet.
pub(in crate::import) const FIELDS: [&str; 28] = [
    "assessment",
    "attempt",
    "attempt_offset",
    "country",
    "course_code",
    "credits",
    "expires",
    "field",
    "framework",
    "grade",
    "hours",
    "hours_kind",
    "identity_check",
    "kind",
    "language",
    "level",
    "mode",
    "outcome_type",
    "period_from",
    "period_until",
    "repeats_max",
    "scale",
    "site",
    "status",
    "title",
    "title_language",
    "unit",
    "visible_from",
];

/// Fields that hold decimal numbers, or may.
pub(in crate::import) const NUMBERS: [&str; 3] = ["credits", "grade", "hours"];
/// Fields that hold days.
pub(in crate::import) const DATES: [&str; 4] = ["expires", "period_from", "period_until", "visible_from"];
/// Fields that people read.
pub(in crate::import) const WORDS: [&str; 2] = ["site", "title"];
