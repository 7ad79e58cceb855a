//! Who the learner of a line is, by `[identity]`.

use std::sync::Arc;

use creditbank_protocol::names;
use creditbank_protocol::pb::{self, Assurance, Date, DocumentType, Kind, PersonName};
use creditbank_rpc::v1::TypedIdentity;
use prost::Message as _;

use super::{Gathered, Line};
use crate::import::RefusedLine;
use crate::import::draft::{Body, DraftRecord};
use crate::import::mapping::{ASSURANCE, BIRTH_DATE, DOCUMENT, Mapping};
use crate::import::values::cells;
use crate::import::values::dates::DateForm;

/// Begins the reference of an Identity. That of a course begins with the length of a value, which is never so large.
const REFERENCE: &[u8] = b"\xff\xff\xff\xffidentity";

/// What names the Identity of a learner.
pub(super) fn reference(person: &TypedIdentity) -> Vec<u8> {
    [REFERENCE, &person.encode_to_vec()].concat()
}

impl<'a> Line<'a> {
    /// The Identity of the learner; nothing where the mapping asks for none, or where all its cells are blank and the line
    /// makes another record.
    pub(super) fn identity(
        &self,
        mapping: &'a Mapping,
        person: &TypedIdentity,
    ) -> Result<Option<DraftRecord>, RefusedLine> {
        // A line that amends one record is about that record alone.
        let is_beside = mapping.place.is_some() && mapping.makes_records();
        let Some(wanted) = mapping.identity.as_ref().filter(|_| !is_beside) else { return Ok(None) };
        let mut gathered = Gathered::default();
        let mut is_blank = true;
        let mut texts = Vec::new();
        for (key, field) in wanted.fields() {
            let (text, read) = self.text(mapping, &key, field, &mut gathered)?;
            is_blank &= read.column.is_none() || read.is_blank;
            texts.push((key, text));
        }
        if is_blank && mapping.makes_records() {
            return Ok(None);
        }
        let text = |key: &str| texts.iter().find(|(own, _)| own == key).map_or("", |(_, text)| text.as_str());
        let mut all: Vec<PersonName> = Vec::new();
        for name in &wanted.names {
            let part = |part: &str| text(&format!("identity.names.{}.{part}", name.language)).to_owned();
            let made = PersonName {
                language: name.language.clone(),
                full: part("full"),
                family: part("family"),
                given: part("given"),
            };
            if made != (PersonName { language: made.language.clone(), ..PersonName::default() }) {
                all.push(made);
            }
        }
        all.sort_by_cached_key(PersonName::encode_to_vec);
        let body = pb::Identity {
            names: all,
            birth_date: self.day(BIRTH_DATE, text(BIRTH_DATE))?,
            document: self.code::<DocumentType>(DOCUMENT, text(DOCUMENT))?.map_or(0, i32::from),
            assurance: self.code::<Assurance>(ASSURANCE, text(ASSURANCE))?.map_or(0, i32::from),
            ..Default::default()
        };
        let missing = [
            ("identity.names", body.names.is_empty()),
            (BIRTH_DATE, body.birth_date.is_none()),
            (DOCUMENT, body.document == 0),
            (ASSURANCE, body.assurance == 0),
        ];
        let missing = missing.into_iter().find(|(_, is_missing)| *is_missing);
        let wanting = missing.map(|(key, _)| self.refuse(key, "an Identity needs it, and the cell is blank"));
        let draft = DraftRecord {
            line: self.number,
            reference: reference(person),
            person: vec![person.clone()],
            kind: Kind::Identity,
            after: None,
            body: Body::Identity(Box::new(body)),
            place: mapping.place.as_ref().map(|column| cells::trimmed(self.value(column)).to_owned()),
            kept: gathered.kept,
            cleared: gathered.cleared,
            unsaid: Arc::clone(&mapping.unsaid),
            wanting,
            seen: gathered.seen,
            shares_line: false,
        };
        draft.spelled()?;
        Ok(Some(draft))
    }

    fn day(&self, key: &str, text: &str) -> Result<Option<Date>, RefusedLine> {
        if text.is_empty() {
            return Ok(None);
        }
        let read = DateForm::default().read(text);
        read.map(Some).map_err(|why| self.refuse(key, why))
    }

    fn code<E: names::Named>(&self, key: &str, text: &str) -> Result<Option<E>, RefusedLine> {
        if text.is_empty() {
            return Ok(None);
        }
        let found = names::parse(text).map(Some);
        found.ok_or_else(|| self.refuse(key, format!("expected one of {}, found {text:?}", names::listed::<E>())))
    }
}
