//! Records of learners, as programs get them and as rows of a table.

use creditbank_client::correct::newest;
use creditbank_client::{Client, ReadRecord};
use creditbank_protocol::names;
use creditbank_protocol::status::Mark;
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
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

/// Refuses to change a record that has ended, and names what stands in its place; but where `is_same` of that, the command
/// runs once more and goes on.
pub(crate) async fn stands(
    client: &Client,
    read: &ReadRecord,
    alias: &[u8],
    is_same: impl Fn(&ReadRecord) -> bool,
) -> Result<(), Failure> {
    let place = read.place;
    if read.is(Mark::Revoked) {
        return Err(Failure::NotValid(format!("{place} is revoked, and nothing stands in its place")));
    }
    if !read.is(Mark::Superseded) {
        return Ok(());
    }
    let learner = InstitutionAlias { institution: read.subject().0, alias: alias.to_vec() };
    let (records, _) = client.records(Learner::Alias(learner)).await?;
    let newest = newest(&records, read);
    if is_same(newest) {
        return Ok(());
    }
    let what = format!("{place} was superseded: name the record that stands in its place, {}", newest.place);
    Err(Failure::NotValid(what))
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
