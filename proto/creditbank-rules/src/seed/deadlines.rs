//! Legal deadlines of recognition.
//!
//! Days stand for months at thirty days each. What no law says is this program's default, and the source says so: an
//! operator replaces it by what its own law asks.

use creditbank_protocol::pb::{LegalDeadline, RecognitionPurpose};

use super::english;

pub(super) fn all() -> [LegalDeadline; 2] {
    [german(), lisbon()]
}

fn german() -> LegalDeadline {
    LegalDeadline {
        code: "DE-BQFG".to_owned(),
        names: english("Germany: equivalence of professional qualifications"),
        country: "DE".to_owned(),
        purpose: RecognitionPurpose::RegulatedProfession.into(),
        decision_days: 90,
        appeal_days: 30,
        appeal_decision_days: 0,
        appeal_instance: "The authority that hears the objection (Widerspruch), then the administrative court"
            .to_owned(),
        review_days: 90,
        legal_basis: "BQFG, section 6 (3): three months from the complete documents; VwGO, section 70: one month"
            .to_owned(),
        sources: super::sources(&["Ac gesetze-im-internet.de/bqfg"]),
    }
}

fn lisbon() -> LegalDeadline {
    LegalDeadline {
        code: "LISBON".to_owned(),
        names: english("Four months from the complete documents"),
        country: String::new(),
        purpose: RecognitionPurpose::Unspecified.into(),
        decision_days: 120,
        appeal_days: 30,
        appeal_decision_days: 60,
        appeal_instance: "The instance that the law of the authority's country names".to_owned(),
        review_days: 90,
        legal_basis: "Lisbon Recognition Convention: a reasonable time; four months by its practice".to_owned(),
        sources: super::sources(&["Ac ear.enic-naric.net, coe.int"]),
    }
}
