//! Everything that a node can be asked, and what it says.

use std::fmt::Debug;

use creditbank_ledger::read::{Question, ReadScope, Shown, StatusQuestion};
use creditbank_protocol::pb::Kind;
use creditbank_protocol::{AccountId, Digest, InstitutionId, LogIndex, Place, UnitId};
use creditbank_server::ledger::Ledger;
use creditbank_server::read::ReadError;
use creditbank_tests::acts::citizen;
use tonic::{Code, Status};

use super::prepared::Subjects;

/// A refusal, as a caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: Code,
    what: String,
}

impl Refused {
    /// Whether it says that something is damaged, or that the node stops because of it.
    pub(super) fn says_damage(&self, stopped: bool) -> bool {
        match self.code {
            Code::DataLoss => true,
            // An index that is damaged stops the node, whose next start rebuilds it.
            Code::Unavailable => stopped,
            _ => false,
        }
    }
}

/// Questions with their answers, in the order in which they are asked.
pub(super) type Answers = Vec<(String, Result<String, Refused>)>;

/// What a node said, and what its operator sees afterwards.
pub(super) struct Asked {
    pub(super) answers: Answers,
    pub(super) problems: Vec<String>,
    /// The store does no more work: the process ends, and the next start mends it.
    pub(super) stopped: bool,
}

struct Asking<'a> {
    ledger: &'a Ledger,
    answers: Answers,
}

impl Asking<'_> {
    fn ask<T: Debug, E: Into<Status>>(&mut self, question: impl Into<String>, answer: Result<T, E>) {
        let said = answer.map(|value| format!("{value:?}")).map_err(|error| {
            let status: Status = error.into();
            Refused { code: status.code(), what: status.message().to_owned() }
        });
        self.answers.push((question.into(), said));
    }

    /// Asks about an account, by the account that the node finds: a wrong one shows in every answer.
    fn about<T: Debug, E: Into<Status>>(
        &mut self,
        name: String,
        find: Find<'_>,
        question: impl FnOnce(&AccountId) -> Result<T, E>,
    ) {
        match find() {
            Ok(account) => self.ask(name, question(&account)),
            Err(error) => self.ask(name, Err::<T, _>(error)),
        }
    }
}

/// How an account is found.
type Find<'a> = &'a dyn Fn() -> Result<AccountId, ReadError>;

/// Asks a node everything. The questions do not depend on the answers.
pub(super) fn ask(ledger: &Ledger, subjects: &Subjects) -> Asked {
    let mut asking = Asking { ledger, answers: Answers::new() };
    asking.log();
    asking.registry();
    asking.learners(subjects);
    asking.records(subjects);
    let (problems, stopped) = (ledger.health().problems(), ledger.has_failed());
    Asked { answers: asking.answers, problems, stopped }
}

impl Asking<'_> {
    fn log(&mut self) {
        let ledger = self.ledger;
        let size = ledger.size();
        self.answers.push(("size".to_owned(), Ok(format!("{size} {:?}", ledger.checkpoint()))));
        for index in (0..size).map(LogIndex) {
            self.ask(format!("entry {index}"), ledger.entry(index).map_err(ReadError::from));
            self.ask(format!("receipt {index}"), ledger.receipt(index));
            self.ask(format!("inclusion {index}"), ledger.inclusion(index, 0));
        }
        for old in (1..size).step_by(5) {
            self.ask(format!("consistency {old}"), ledger.consistency(old, 0));
        }
        for unit in [UnitId::OPERATOR, UnitId::new(1, 1), UnitId::new(2, 1)] {
            self.ask(format!("head of {unit:?}"), ledger.chain_head(unit));
            let issued = ledger.issued(unit, 0, 1_000);
            let issued = issued.map(|(issued, next)| {
                let each = issued.iter().map(|one| (one.place, one.kind, one.hash, one.mark_names()));
                (each.collect::<Vec<_>>(), next)
            });
            self.ask(format!("issued by {unit:?}"), issued);
        }
    }

    fn registry(&mut self) {
        let ledger = self.ledger;
        for kind in [Kind::Institution, Kind::Key, Kind::AgreementProposal, Kind::QualificationDefinition] {
            self.ask(format!("registry {kind:?}"), ledger.registry_list(kind, None, 0, 100));
        }
    }

    fn learners(&mut self, subjects: &Subjects) {
        let ledger = self.ledger;
        let all = ReadScope { institution: None, shown: Shown::default() };
        for (number, own, other) in &subjects.learners {
            let person = ledger.asked_about(InstitutionId(1), 0, citizen(*number).identities);
            self.ask(format!("person {number}"), person.map(|found| (found.account, found.alias, found.is_new)));
            let known = [(InstitutionId(1), Some(own)), (InstitutionId(2), other.as_ref())];
            for (institution, alias) in known.into_iter().filter_map(|(at, alias)| Some((at, alias?))) {
                let name = format!("learner {number} at {institution}");
                let find = &|| ledger.account(institution, alias);
                self.about(format!("account of {name}"), find, |account| Ok::<_, ReadError>(*account));
                self.about(format!("balance of {name}"), find, |account| ledger.balance(account, None));
                let own = Some(institution);
                self.about(format!("own balance of {name}"), find, |account| ledger.balance(account, own));
                self.about(format!("places of {name}"), find, |account| ledger.places(account, None, None, 100));
                self.about(format!("own places of {name}"), find, |account| ledger.places(account, own, None, 100));
                self.about(format!("transcript of {name}"), find, |account| ledger.transcript(account, own));
                self.about(format!("whole transcript of {name}"), find, |account| ledger.transcript(account, None));
                let question = Question { definition: subjects.definition.clone(), ..Question::default() };
                self.about(format!("progress of {name}"), find, |account| ledger.evaluate(account, question, &all));
            }
        }
        self.ask("the erased account", ledger.check_account(&subjects.erased));
        self.ask("cases", ledger.applications(InstitutionId(1), false));
        self.ask("reviews", ledger.reviews(InstitutionId(2)));
    }

    fn records(&mut self, subjects: &Subjects) {
        let ledger = self.ledger;
        for record in &subjects.records {
            let place = Place::read(record.place);
            self.ask(format!("record {place}"), ledger.record(place));
            self.ask(format!("issuer of {place}"), ledger.issuer(place));
            let id = Digest::from_slice(&record.status_id).expect("a status id");
            let question = StatusQuestion { status_ids: [id].into(), ..StatusQuestion::default() };
            self.ask(format!("status of {place}"), ledger.status_proof(question, 1));
        }
    }
}
