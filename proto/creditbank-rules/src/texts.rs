//! What texts may hold, for every kind of record and every field, wherever it stands (RULES.md, section 15, "Text").

use creditbank_protocol::canonical::{Form, FoundText, texts};
use creditbank_protocol::course_code::{self, CourseCodeError};
use creditbank_protocol::pb::Kind;
use creditbank_protocol::record::info_of;
use creditbank_protocol::text;

use crate::{Rejection, Rule};

/// Checks every text of a canonical body of a kind.
pub fn check(kind: Kind, body: &[u8]) -> Result<(), Rejection> {
    let Some(info) = info_of(kind) else { return Ok(()) };
    texts(info.schema, body, &mut |found: FoundText<'_>| {
        let refused = match found.form {
            Form::Course => course_code::check(found.text).map_err(code),
            Form::CoursePrefix => course_code::check_prefix(found.text).map_err(code),
            Form::Text | Form::Code => text::check(found.text, found.prose).map_err(|odd| {
                let expected =
                    if found.prose { "text, which may break into lines by U+000A" } else { "text of one line" };
                Rejection::new(Rule::InvalidText, expected, odd.to_string())
            }),
        };
        refused.map_err(|rejection| rejection.field(found.field))
    })
}

fn code(error: CourseCodeError) -> Rejection {
    Rejection::new(Rule::InvalidCourseCode, CourseCodeError::EXPECTED, error.to_string())
}
