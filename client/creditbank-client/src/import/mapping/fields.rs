//! Names of everything that a record can be given.

/// In the order of the alphabet.
pub(in crate::import) const FIELDS: [&str; 36] = [
    "assessment",
    "attempt",
    "attempt_offset",
    "basis",
    "completed",
    "country",
    "course_code",
    "credits",
    "definition",
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
    "load",
    "mode",
    "outcome_type",
    "period_from",
    "period_until",
    "programme",
    "repeats_max",
    "scale",
    "session",
    "site",
    "state",
    "status",
    "term",
    "title",
    "title_language",
    "unit",
    "visible_from",
];

/// Whether a field holds a decimal number, or may.
pub(in crate::import) fn is_number(key: &str) -> bool {
    matches!(key, "credits" | "grade" | "hours")
}

/// Whether a field holds a day.
pub(in crate::import) fn is_day(key: &str) -> bool {
    key == super::identity::BIRTH_DATE
        || matches!(key, "completed" | "expires" | "period_from" | "period_until" | "visible_from")
}

/// Whether a field is text that people read.
pub(in crate::import) fn is_words(key: &str) -> bool {
    key.starts_with("identity.names.") || matches!(key, "session" | "site" | "term" | "title")
}
