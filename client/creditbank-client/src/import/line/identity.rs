//! Who the learner of a line is, by `[identity]`.

use std::collections::BTreeMap;

use creditbank_protocol::pb::{self, Assurance, DocumentType, PersonName};
use creditbank_rpc::v1::TypedIdentity;
use prost::Message as _;

use super::{Gathered, Line};
use crate::import::RefusedLine;
use crate::import::draft::{Body, DraftRecord};
use crate::import::mapping::{ASSURANCE, BIRTH_DATE, DOCUMENT, Mapping};
use crate::import::texts::Texts;

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
        let fields: Vec<_> = wanted.fields().collect();
        let mut texts = BTreeMap::new();
        for (key, field) in &fields {
            let (text, read) = self.text(mapping, key, field, &mut gathered)?;
            is_blank &= read.column.is_none() || read.is_blank;
            texts.insert(key.as_str(), text);
        }
        if is_blank && mapping.makes_records() {
            return Ok(None);
        }
        let texts = Texts { line: self.number, texts: &texts, further: &[] };
        let mut all: Vec<PersonName> = Vec::new();
        for name in &wanted.names {
            let part = |part: &str| texts.get(&format!("identity.names.{}.{part}", name.language)).to_owned();
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
            birth_date: texts.date(BIRTH_DATE)?,
            document: texts.code::<DocumentType>(DOCUMENT)?.map_or(0, i32::from),
            assurance: texts.code::<Assurance>(ASSURANCE)?.map_or(0, i32::from),
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
        let body = Body::Identity(Box::new(body));
        self.drafted(mapping, person, (reference(person), body), gathered, wanting).map(Some)
    }
}
