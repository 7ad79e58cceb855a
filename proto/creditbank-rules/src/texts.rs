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
            Form::Code if is_language(found.text) => Ok(()),
            Form::Code => {
                let expected = "a language by its BCP 47 tag: 2 or 3 letters (el, pt-BR), or x- and a tag of your own";
                Err(Rejection::new(Rule::InvalidCode, expected, found.text))
            }
            Form::Text => text::check(found.text, found.prose).map_err(|odd| {
                let expected =
                    if found.prose { "text, which may break into lines by U+000A" } else { "text of one line" };
                Rejection::new(Rule::InvalidText, expected, odd.to_string())
            }),
        };
        refused.map_err(|rejection| rejection.field(found.field))
    })
}

/// A tag of BCP 47, whose first part is the code of a language, or says that the tag is for private use. Whether the language is
/// registered is not asked.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    let named = (2..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    let private = first.eq_ignore_ascii_case("x") && tag.len() > 2;
    let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (named || private) && parts.all(part)
}

fn code(error: CourseCodeError) -> Rejection {
    Rejection::new(Rule::InvalidCourseCode, CourseCodeError::EXPECTED, error.to_string())
}
