//! Two universities, their group and authorities, and the words in which the tests speak of them.

use std::sync::LazyLock;

use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::pb::{self, Kind};
use creditbank_rules::conversion::{Account, Asked, Basis, Converted, Request, Source, Stated, check, convert};
use creditbank_rules::dates::{Day, first_day};
use creditbank_rules::{Registry, RegistryRecord, Rejection, Rule};

use crate::fixtures::{ORIGIN, acceptance, admit_seed, institution, name, operator, proposal};
pub(crate) use crate::fixtures::{amount, between, date, grade, level, text};

/// A university in Great Britain.
pub(crate) const HERE: u64 = 1;
/// A university in France.
pub(crate) const THERE: u64 = 2;
/// A group of which both are members.
pub(crate) const GROUP: u64 = 3;
/// Another group, with France only.
pub(crate) const GROUP_THERE: u64 = 4;
/// The authorities of the two countries.
pub(crate) const AUTHORITY_HERE: u64 = 5;
pub(crate) const AUTHORITY_THERE: u64 = 6;

/// 2026-11-23.
pub(crate) const TODAY: Day = 20_780;

pub(crate) fn day(year: u32, month: u32, of_month: u32) -> Day {
    first_day(&date(year, month, of_month))
}

fn member_of(groups: &[u64]) -> Vec<pb::Relation> {
    let member = |group: &u64| pb::Relation {
        r#type: pb::RelationType::MemberOf.into(),
        institution: *group,
        from: Some(date(2020, 1, 1)),
        until: Some(date(2030, 12, 31)),
    };
    groups.iter().map(member).collect()
}

/// A registry in the making.
#[derive(Clone)]
pub(crate) struct Land {
    pub(crate) registry: Registry,
    pub(crate) today: Day,
}

static LAND: LazyLock<Land> = LazyLock::new(|| {
    let mut land = Land { registry: Registry::new(ORIGIN), today: TODAY };
    let university = pb::InstitutionType::University;
    let authority = pb::InstitutionType::RecognitionAuthority;
    land.set(0, Kind::Institution, &operator());
    admit_seed(&mut land.registry);
    for (number, kind, country, groups) in [
        (GROUP, university, "GB", &[][..]),
        (GROUP_THERE, university, "FR", &[][..]),
        (HERE, university, "GB", &[GROUP][..]),
        (THERE, university, "FR", &[GROUP, GROUP_THERE][..]),
        (AUTHORITY_HERE, authority, "GB", &[][..]),
        (AUTHORITY_THERE, authority, "FR", &[][..]),
    ] {
        let (r#type, country, relations) = (kind.into(), country.to_owned(), member_of(groups));
        let entry = pb::Institution { r#type, country, relations, ..institution(number) };
        land.set(0, Kind::Institution, &entry);
    }
    land
});

impl Land {
    pub(crate) fn new() -> Self {
        LAND.clone()
    }

    pub(crate) fn try_set<M: Canonical>(&mut self, by: u64, kind: Kind, entry: &M) -> Result<(), Rejection> {
        let body = encode(entry).expect("the entry is canonical");
        let sealed_at_ms = u64::try_from(self.today).expect("a day after 1970") * 86_400_000;
        let record = RegistryRecord {
            kind,
            body: &body,
            institution: by.into(),
            created_at_minute: sealed_at_ms / 60_000,
            sealed_at_ms,
            entry: 0.into(),
        };
        self.registry.admit(record).map(|_| ())
    }

    pub(crate) fn set<M: Canonical>(&mut self, by: u64, kind: Kind, entry: &M) {
        self.try_set(by, kind, entry).expect("the entry is admitted");
    }

    pub(crate) fn propose(&mut self, terms: &pb::AgreementTerms) -> Result<(), Rejection> {
        self.try_set(terms.sender, Kind::AgreementProposal, &proposal(terms, terms.sender))
    }

    pub(crate) fn accept(&mut self, terms: &pb::AgreementTerms) -> Result<(), Rejection> {
        self.try_set(terms.receiver, Kind::AgreementAcceptance, &acceptance(terms, terms.receiver))
    }

    pub(crate) fn try_agree(&mut self, terms: &pb::AgreementTerms) -> Result<(), Rejection> {
        self.propose(terms)?;
        self.accept(terms)
    }

    pub(crate) fn agree(&mut self, terms: &pb::AgreementTerms) {
        self.try_agree(terms).expect("the agreement is admitted");
    }

    pub(crate) fn end(&mut self, by: u64, terms: &pb::AgreementTerms, ends: pb::Date) -> Result<(), Rejection> {
        let ending = pb::AgreementEnding { institution: by, agreement: Some(name(terms)), ends: Some(ends) };
        self.try_set(by, Kind::AgreementEnding, &ending)
    }

    pub(crate) fn request<'a>(
        &'a self,
        terms: &pb::AgreementTerms,
        sources: &'a [Source],
        account: &'a Account,
    ) -> Request<'a> {
        let agreement = self.registry.agreement(&terms.code, terms.version).expect("an agreement");
        Request {
            registry: &self.registry,
            basis: Basis::Agreement(agreement),
            receiver: terms.receiver.into(),
            sources,
            account,
            decided: self.today,
            promised: None,
            stated: &[],
        }
    }

    /// Converts under an agreement, with nothing stated and nothing given before.
    pub(crate) fn convert(&self, terms: &pb::AgreementTerms, sources: &[Source]) -> Result<Converted, Rejection> {
        self.convert_stated(terms, sources, &[])
    }

    pub(crate) fn convert_stated(
        &self,
        terms: &pb::AgreementTerms,
        sources: &[Source],
        stated: &[Stated],
    ) -> Result<Converted, Rejection> {
        let account = Account::default();
        let request = Request { stated, ..self.request(terms, sources, &account) };
        let converted = convert(&request)?;
        // Whatever is computed passes its own check.
        let conversion = self.conversion(terms, &converted);
        let checked = self.check(terms.receiver, &conversion, sources, &account);
        assert_eq!(checked.as_ref(), Ok(&converted));
        Ok(converted)
    }

    /// Whether a conversion is what the rules give on the day that it names.
    pub(crate) fn check(
        &self,
        receiver: u64,
        conversion: &pb::Conversion,
        sources: &[Source],
        account: &Account,
    ) -> Result<Converted, Rejection> {
        let day = first_day(conversion.decided.as_ref().expect("a day"));
        let (registry, receiver) = (&self.registry, receiver.into());
        check(conversion, &Asked { registry, receiver, sources, account, day, promised: None })
    }

    /// As a record has it.
    pub(crate) fn conversion(&self, terms: &pb::AgreementTerms, converted: &Converted) -> pb::Conversion {
        pb::Conversion {
            agreement: Some(name(terms)),
            sources: converted.sources.clone(),
            results: converted.results.clone(),
            amount_steps: converted.amount_steps.clone(),
            decided: Some(creditbank_rules::dates::date_of(self.today)),
            ..Default::default()
        }
    }
}

/// 2 CATS are 1 ECTS, to half a credit, halves up.
pub(crate) fn terms() -> pb::AgreementTerms {
    between("GB-FR", HERE, THERE, ("CATS", "ECTS"), (1, 2))
}

/// A credit that stands at entry `entry`, index 0.
pub(crate) fn credit(entry: u64, institution: u64, e4: u64, unit: &str) -> Source {
    let credit = pb::Credit {
        course: Some(pb::Course { code: format!("C{entry}"), titles: vec![text("A course")] }),
        amount: Some(amount(e4, unit)),
        field: "0541".to_owned(),
        mode: pb::Mode::OnSite.into(),
        period: Some(pb::Period { from: Some(date(2024, 10, 0)), until: Some(date(2025, 3, 31)) }),
        ..Default::default()
    };
    Source::of_credit(reference(entry), institution.into(), &credit)
}

pub(crate) fn reference(entry: u64) -> pb::RecordReference {
    pb::RecordReference { place: Some(pb::Place { entry, index: 0 }), status_id: vec![7; 32], ..Default::default() }
}

/// The results of a conversion of `receiver` at entry `entry`, as sources of another one.
pub(crate) fn results(entry: u64, receiver: u64, converted: &Converted) -> Vec<Source> {
    let all = converted.results.iter().zip(0..);
    all.map(|(result, index)| Source::of_result(reference(entry), Kind::Conversion, index, receiver.into(), result))
        .collect()
}

pub(crate) fn amounts(converted: &Converted) -> Vec<u64> {
    converted.results.iter().map(|result| result.amount.as_ref().map_or(0, |amount| amount.e4)).collect()
}

/// The rule by which something was refused; what was expected and found is said.
pub(crate) fn rule<T: std::fmt::Debug>(result: Result<T, Rejection>) -> Rule {
    let rejection = result.expect_err("must be refused");
    assert!(!rejection.expected.is_empty() && !rejection.found.is_empty(), "{rejection:?}");
    rejection.rule
}
