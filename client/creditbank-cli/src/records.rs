//! Records of learners, as programs get them and as rows of a table.

use creditbank_client::ReadRecord;
use creditbank_protocol::names;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::summary::Summary;
use crate::{show, values};

/// A record as JSON.
pub(crate) fn value(read: &ReadRecord) -> Result<Value, Failure> {
    let name = read.disclosed.info.name();
    Ok(json!({
        "kind": names::of(read.disclosed.info.kind),
        "place": values::show_place(&read.place),
        "institution": read.unit.institution.0,
        "unit": read.unit.number,
        "key_id": read.key_id.to_string(),
        "record_hash": read.disclosed.hash.to_string(),
        "marks": read.marks,
        "record": show::body(name, &read.disclosed.body)?,
    }))
}

/// Columns of a list of records.
pub(crate) const HEADS: &[&str] = &["place", "kind", "course", "amount", "level", "grade", "period", "issuer", "marks"];

/// A record as a row of a table.
pub(crate) fn row(read: &ReadRecord) -> Result<Vec<String>, Failure> {
    let kind = read.disclosed.info.kind;
    let mut row = vec![values::show_place(&read.place), names::of(kind)];
    row.extend(Summary::of(kind, &read.disclosed.body)?.columns());
    row.extend([format!("{}.{}", read.unit.institution, read.unit.number), show::safe(&read.marks.join("; "))]);
    Ok(row)
}
