//! Reads a file by a mapping, without a node.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use creditbank_client::import::{About, Mapping, Rows};
use creditbank_client::{ClientError, IssuingUnit, Seeds, Signer};
use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{Credit, GradeScale, Kind, Purpose};
use creditbank_protocol::{Alias, UnitId};

/// The header of the files here.
pub(crate) const HEADER: &str = "sid,code,title,credits,grade,term\n";

/// A mapping of that header, with a table `[file]`.
pub(crate) fn mapping(file: &str) -> String {
    format!(
        r#"
reference = ["sid", "code", "term"]
[file]
{file}
[learner]
type = "student_number"
column = "sid"
[fields]
course_code = {{ column = "code" }}
title = {{ column = "title" }}
title_language = "en"
credits = {{ column = "credits" }}
unit = "ECTS"
grade = {{ column = "grade" }}
scale = "GB-100-UG"
kind = "credit"
period_from = "2024-09"
period_until = "2025-01"
"#
    )
}

/// The grade scales of a new node.
fn scales() -> Vec<GradeScale> {
    let seed = creditbank_rules::seed::entries().expect("a seed");
    let own = seed.iter().filter(|(kind, _)| *kind == Kind::GradeScale);
    own.map(|(_, body)| decode(body).expect("a scale")).collect()
}

/// Nothing is signed here.
struct NoKey;

impl Signer for NoKey {
    fn purpose(&self) -> Purpose {
        Purpose::Unit
    }

    fn public_key(&self) -> [u8; 32] {
        [0; 32]
    }

    fn sign(&self, _: &[u8]) -> Result<[u8; 64], ClientError> {
        Err(ClientError::Local("no key".to_owned()))
    }

    fn secret(&self) -> Result<[u8; 32], ClientError> {
        Ok([9; 32])
    }
}

/// What a file became: each line as `person|title|credits|grade`, or as `!line field: reason`.
pub(crate) struct Read {
    pub(crate) lines: Vec<String>,
    pub(crate) about: About,
}

impl Read {
    /// The lines that became records.
    pub(crate) fn good(&self) -> Vec<&str> {
        self.lines.iter().filter(|line| !line.starts_with('!')).map(String::as_str).collect()
    }

    /// The lines that were refused.
    pub(crate) fn refused(&self) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.strip_prefix('!')).collect()
    }
}

/// Reads a file to its end.
pub(crate) fn try_read(mapping: &str, encoding: Option<&str>, file: &[u8]) -> Result<Read, String> {
    let encoding = encoding.map(|name| creditbank_client::import::Encoding::by_name(name).expect("a known encoding"));
    // The spelling of the files is compared here, not whom it names.
    let mapping = mapping.replacen("[learner]\n", "[learner]\ncase = \"keep\"\n", 1);
    let mapping = Mapping::parse(&mapping).expect("a mapping").for_file(encoding, None).with_scales(scales());
    let unit = IssuingUnit::new(UnitId::new(1, 1), Arc::new(NoKey), Seeds::derived([9; 32]));
    let mut rows = Rows::open(&mapping, Cursor::new(file.to_vec())).map_err(|error| error.to_string())?;
    let mut lines = Vec::new();
    for row in &mut rows {
        lines.push(match row.map_err(|error| error.to_string())? {
            Ok(draft) => {
                let record = draft.finish(Alias([7; 16]), &unit);
                let credit =
                    record.map(|record| decode::<Credit>(record.body()).expect("a Credit")).unwrap_or_default();
                let title = credit.course.and_then(|course| course.titles.into_iter().next()).unwrap_or_default().value;
                let credits = draft.credits().map_or(0, |(e4, _)| e4);
                let grade = draft.grade().map_or("", |(_, value)| value);
                format!("{}|{title}|{credits}|{grade}", draft.person[0].value)
            }
            Err(refused) => format!("!{} {}: {}", refused.line, refused.field, refused.reason),
        });
    }
    Ok(Read { lines, about: rows.about() })
}

/// Reads a file that can be read.
pub(crate) fn read(mapping: &str, file: &[u8]) -> Read {
    try_read(mapping, None, file).unwrap_or_else(|error| panic!("it can be read: {error}"))
}

/// Why a file cannot be read.
pub(crate) fn error(mapping: &str, file: &[u8]) -> String {
    match try_read(mapping, None, file) {
        Err(error) => error,
        Ok(read) => panic!("it should not be read: {:?}", read.lines),
    }
}

/// A file of a case.
pub(crate) fn case(path: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases").join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A mapping of a case.
pub(crate) fn case_mapping(path: &str) -> String {
    String::from_utf8(case(path)).expect("text")
}
