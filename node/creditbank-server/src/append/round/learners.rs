//! The learners' records of a round: their rows, and the bodies that are encrypted later.

use std::collections::{BTreeMap, HashMap};

use creditbank_protocol::pb::Kind;
use creditbank_protocol::record::Record;
use creditbank_protocol::{InstitutionId, LogIndex, Place};
use creditbank_rules::admission::Admitted;
use creditbank_store::Row;

use super::Bodies;
use crate::private::PrivateKeys;
use crate::tables::{self, CoursePrefix, LearnerRow};

/// The learners' records of a round.
#[derive(Default)]
pub(super) struct Learners {
    /// Rows by account and course, for the rules.
    pub(super) rows: HashMap<CoursePrefix, Vec<LearnerRow>>,
    /// Places of records, by the place on which they depend.
    pub(super) dependants: BTreeMap<Place, Vec<Place>>,
    /// Places of records by the digests of what is given or used once: numbers of documents, papers of mandates.
    pub(super) given: HashMap<[u8; 32], Vec<Place>>,
    pub(super) bodies: Vec<Bodies>,
}

/// A block of an institution, with what the rules said about its records.
pub(super) struct AdmittedBlock<'a> {
    pub(super) institution: InstitutionId,
    /// Log index.
    pub(super) entry: LogIndex,
    /// Position in the round.
    pub(super) position: usize,
    pub(super) admitted: &'a [Option<Admitted>],
}

impl Learners {
    /// Keeps the records of a block and adds their rows to `rows`. Returns roughly how many bytes the bodies will take
    /// up.
    pub(super) fn keep(
        &mut self,
        private: &PrivateKeys,
        block: &AdmittedBlock<'_>,
        records: Vec<Record>,
        rows: &mut Vec<Row>,
    ) -> usize {
        let AdmittedBlock { institution, entry, position, admitted } = *block;
        let own = private.of(institution.0);
        for (index, (record, admitted)) in (0u32..).zip(records.iter().zip(admitted)) {
            let Some(admitted) = admitted else { continue };
            let place = Place::new(entry, index);
            if admitted.kind == Kind::Application {
                rows.push(tables::application(admitted.institution, place));
            }
            let numbers = admitted.documents.iter().map(|number| private.document_digest(number));
            let paper = admitted.paper.iter().map(|paper| private.paper_digest(paper));
            for digest in numbers.chain(paper) {
                rows.push(tables::given(&digest, place));
                self.given.entry(digest).or_default().push(place);
            }
            for source in &admitted.depends_on {
                rows.push(tables::dependant(*source, place));
                self.dependants.entry(*source).or_default().push(place);
            }
            let kept_at = admitted.key.kept_at(admitted.institution);
            let course = if kept_at == institution {
                own.key_digest(&admitted.key)
            } else {
                private.of(kept_at.0).key_digest(&admitted.key)
            };
            let prefix = tables::course_prefix(&admitted.account, course);
            let hash_prefix = std::array::from_fn(|i| record.hash().0[i]);
            // The schema limits it to 100.
            let repeats_max = admitted.repeats_max.map(|most| u8::try_from(most).unwrap_or(u8::MAX));
            let row = LearnerRow { place, hash_prefix, spelling: admitted.spelling, kind: admitted.kind, repeats_max };
            rows.push(row.row(&prefix));
            self.rows.entry(prefix).or_default().push(row);
        }
        let accounts = admitted.iter().map(|admitted| admitted.as_ref().map(|admitted| admitted.account)).collect();
        let bodies = Bodies { position, entry, records, accounts };
        let bytes = bodies.bytes();
        self.bodies.push(bodies);
        bytes
    }
}
