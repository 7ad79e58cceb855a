//! Names of the schema's enum values, as people and programs write them: `institution-access` is
//! `PURPOSE_INSTITUTION_ACCESS`.

/// An enum of the schema. Its zero value is `PREFIX_UNSPECIFIED`, and every other value begins with the same prefix.
pub trait Named: Copy + Default + TryFrom<i32> {
    /// The name in the schema, as `PURPOSE_INSTITUTION_ACCESS`.
    fn schema_name(&self) -> &'static str;
}

include!(concat!(env!("OUT_DIR"), "/named.rs"));

/// Numbers of enum values are at most this; the schema's compiler checks it.
const NUMBER_MAX: i32 = 127;

/// The name of a value: `unit`, `institution-access`; `unspecified` of the zero value.
pub fn of<E: Named>(value: E) -> String {
    short(value.schema_name(), E::default().schema_name())
}

/// The name of a value by its number in a message; `unspecified` where the schema has no such number.
pub fn of_number<E: Named>(number: i32) -> String {
    of(E::try_from(number).unwrap_or_default())
}

/// The value that `text` names, in capital or small letters, with hyphens or underscores. "unspecified" names none.
pub fn parse<E: Named>(text: &str) -> Option<E> {
    let wanted = text.to_ascii_lowercase().replace('_', "-");
    values().find(|value| of(*value) == wanted)
}

/// Every value that says something, by number.
pub fn values<E: Named>() -> impl Iterator<Item = E> {
    (1..=NUMBER_MAX).filter_map(|number| E::try_from(number).ok())
}

/// The names of all values that say something, for messages: `active, suspended, closed`.
pub fn listed<E: Named>() -> String {
    values::<E>().map(of).collect::<Vec<_>>().join(", ")
}

/// The name of a value by the schema's names of it and of the enum's zero value.
pub fn short(schema_name: &str, zero: &str) -> String {
    let prefix = zero.strip_suffix("UNSPECIFIED").unwrap_or_default();
    schema_name.strip_prefix(prefix).unwrap_or(schema_name).to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::{Kind, Purpose, RegistryState};

    /// Goal: a name is read as it is written, and in the spellings that people mix up; nothing stands for no value.
    #[test]
    fn names_are_read_as_they_are_written() {
        assert_eq!(of(Purpose::InstitutionAccess), "institution-access");
        assert_eq!(of_number::<Purpose>(-1), "unspecified");
        for kind in values::<Kind>() {
            assert_eq!(parse(&of(kind)), Some(kind));
        }
        for spelling in ["grade-scale", "grade_scale", "GRADE-SCALE"] {
            assert_eq!(parse(spelling), Some(Kind::GradeScale), "{spelling}");
        }
        for odd in ["", "unspecified", "KIND_CREDIT", "grade scale", "kind-credit"] {
            assert_eq!(parse::<Kind>(odd), None, "{odd}");
        }
    }

    /// Goal: messages list what may be written, in the schema's order.
    #[test]
    fn the_list_has_every_name() {
        assert_eq!(listed::<RegistryState>(), "active, suspended, closed");
    }
}
