//! Blocks of records that stand on others, and of effects on the records of others: what their cases have in common.

use creditbank_protocol::canonical::{Canonical, decode};
use creditbank_protocol::key::sign;
use creditbank_protocol::mandate::{core, mandate_digest, mandate_message};
use creditbank_protocol::pb::{self, Action, Basis, Kind, Place, Purpose};
use creditbank_protocol::record::{PUBLIC_SEED, Record};
use creditbank_protocol::status::{Marks, Named};
use creditbank_protocol::{AccountId, LogIndex};
use creditbank_rules::CourseKey;
use serde_json::{Value, json};

use super::case::{self, Case, REGISTRY_KEY, UNIT_KEY, body, id_of, signing};
use crate::fixtures::{ACCOUNT, ALIAS, ORIGIN, credit, day, key_for, record, sources, unit};
use crate::world::NOW_MS;

/// Seeds of keys: of the unit of institution 2, of the learner, and of a unit whose key signs only what a case says.
pub(crate) const OTHER_KEY: u8 = 6;
const LEARNER_KEY: u8 = 40;
pub(crate) const NARROW_KEY: u8 = 7;
/// Days of the scene: everything was received on the 2nd of November 2026, and is sealed on the 23rd.
pub(crate) const TODAY: (u32, u32, u32) = (2026, 11, 23);

pub(crate) fn at(entry: u64) -> Place {
    Place { entry, index: 0 }
}

/// The status id that the scene gives to the record at a place.
pub(crate) fn id(place: Place) -> Vec<u8> {
    vec![u8::try_from(0x70 + place.entry).expect("small"); 32]
}

pub(crate) fn reference(place: Place) -> pb::RecordReference {
    pb::RecordReference { place: Some(place), status_id: id(place), ..Default::default() }
}

fn days(amount: u32) -> Option<pb::Term> {
    (amount > 0).then_some(pb::Term { amount, unit: pb::TermUnit::Days.into() })
}

fn deadline(code: &str, country: &str, appeal_days: u32) -> pb::LegalDeadline {
    let instance = if appeal_days > 0 { "The appeals board" } else { "" };
    pb::LegalDeadline {
        code: code.to_owned(),
        names: vec![pb::Text { language: "en".to_owned(), value: "Recognition".to_owned() }],
        country: country.to_owned(),
        decision: days(120),
        decision_from: pb::TermStart::Receipt.into(),
        appeal: days(appeal_days),
        appeal_decision: if appeal_days > 0 { days(60) } else { None },
        appeal_decision_from: if appeal_days > 0 { pb::TermStart::Receipt.into() } else { 0 },
        appeal_instance: instance.to_owned(),
        review: days(90),
        legal_basis: "An act".to_owned(),
        sources: sources("here"),
        ..Default::default()
    }
}

fn countries() -> [pb::Country; 2] {
    [("GB", "GBR", "826"), ("FR", "FRA", "250")].map(|(alpha2, alpha3, numeric)| pb::Country {
        alpha2: alpha2.to_owned(),
        alpha3: alpha3.to_owned(),
        numeric: numeric.to_owned(),
        names: vec![pb::Text { language: "en".to_owned(), value: alpha3.to_owned() }],
        sources: sources("ISO 3166-1"),
    })
}

/// What institutions sign.
pub(crate) fn kinds() -> Vec<Kind> {
    (1..=20).filter_map(|number| Kind::try_from(number).ok()).collect()
}

pub(crate) fn registry() -> Vec<(Kind, Vec<u8>)> {
    let mut entries = case::registry();
    entries.extend([
        (Kind::Key, body(&key_for(Purpose::Unit, 1, 1, &signing(UNIT_KEY), &kinds()))),
        (Kind::Unit, body(&unit(2))),
        (Kind::Key, body(&key_for(Purpose::Unit, 2, 1, &signing(OTHER_KEY), &kinds()))),
    ]);
    entries.extend(countries().iter().map(|country| (Kind::Country, body(country))));
    let law = |code: &str, change: fn(&mut pb::LegalDeadline)| {
        let mut law = deadline(code, "", 30);
        change(&mut law);
        law
    };
    let deadlines = [
        deadline("LAW", "", 30),
        deadline("NO-APPEAL", "GB", 0),
        deadline("FR-LAW", "FR", 30),
        law("WORK-LAW", |law| law.purpose = pb::RecognitionPurpose::Work.into()),
        law("OPEN", |law| (law.decision, law.decision_from, law.appeal) = (None, 0, None)),
        law("POST", |law| {
            let month = Some(pb::Term { amount: 1, unit: pb::TermUnit::Months.into() });
            (law.appeal, law.extension, law.rolls) = (month, month, true);
            law.appeal_untold = Some(pb::Term { amount: 12, unit: pb::TermUnit::Months.into() });
            law.decision = Some(pb::Term { amount: 3, unit: pb::TermUnit::Weeks.into() });
            let channel = pb::NoticeChannel::Letter.into();
            law.notices = vec![pb::DeemedNotice { channel, after: days(4), ..Default::default() }];
        }),
    ];
    entries.extend(deadlines.iter().map(|law| (Kind::LegalDeadline, body(law))));
    entries
}

pub(crate) fn world(name: &'static str, about: &'static str, change: impl FnOnce(&mut Case)) -> Case {
    Case::new(Some(name), about).with(change)
}

/// A block of one record.
pub(crate) fn of<M: Canonical>(name: Option<&'static str>, about: &'static str, kind: Kind, entry: &M) -> Case {
    Case::new(name, about).with(|case| case.records = vec![record(kind, entry, 1)])
}

/// A block of one public record.
pub(crate) fn published<M: Canonical>(name: Option<&'static str>, about: &'static str, kind: Kind, entry: &M) -> Case {
    Case::new(name, about)
        .with(|case| case.records = vec![Record::of(kind, &PUBLIC_SEED, body(entry)).expect("a record")])
}

/// Last minute of mandates and joint signatures.
pub(crate) const UNTIL: u64 = NOW_MS / 60_000 + 7 * 1_440;

/// A paper that the institution keeps.
pub(crate) fn paper() -> Option<pb::Mandate> {
    let [application, appeal] = [Kind::Application, Kind::Appeal];
    let mut acts =
        [application, appeal, Kind::Conversion, Kind::Award, Kind::QualificationRecognition, Kind::ForeignAward];
    acts.sort_unstable_by_key(|kind| i32::from(*kind));
    Some(pb::Mandate {
        paper_reference: "file 17".to_owned(),
        salt: vec![3; 16],
        until_minute: UNTIL,
        acts: acts.into_iter().map(i32::from).collect(),
        ..Default::default()
    })
}

/// A mandate by the learner's key over the body of a kind, at an institution.
pub(crate) fn signed<M: Canonical>(kind: Kind, entry: &M, institution: u64) -> Option<pb::Mandate> {
    let core = core(kind, &body(entry)).expect("canonical");
    let key = signing(LEARNER_KEY);
    let learner_key = key.verifying_key().to_bytes().to_vec();
    let bare = pb::Mandate { learner_key, salt: vec![3; 16], until_minute: UNTIL, ..Default::default() };
    let signature = sign(&key, mandate_message(ORIGIN, institution.into(), kind, &core, &bare).as_bytes()).to_vec();
    Some(pb::Mandate { signature, ..bare })
}

/// What the log has of a paper for a record of institution 1.
pub(crate) fn digest(kind: Kind, mandate: Option<&pb::Mandate>) -> Vec<u8> {
    let digest = mandate.map(|mandate| mandate_digest(ORIGIN, 1.into(), kind, &[], mandate));
    digest.map_or(Vec::new(), |digest| digest.0.to_vec())
}

/// An effect on the record at a place.
pub(crate) fn effect(place: Place, action: Action) -> pb::Effect {
    let reason = if action == Action::Revoke { pb::EffectReason::Error.into() } else { 0 };
    pb::Effect {
        status_id: id(place),
        place: Some(place),
        action: action.into(),
        reason,
        redemption_plus_1: 0,
        contested_plus_1: 0,
    }
}

/// Effects by one right.
pub(crate) fn group(basis: Basis, effects: &[pb::Effect]) -> pb::EffectGroup {
    let mut authority = pb::Authority { basis: basis.into(), ..Default::default() };
    if basis == Basis::Operator {
        "CASE-1".clone_into(&mut authority.case_reference);
    }
    pb::EffectGroup { authority: Some(authority), effects: effects.to_vec() }
}

/// Redeeming effects by a mandate.
pub(crate) fn redeeming(kind: Kind, mandate: Option<&pb::Mandate>, places: &[Place]) -> pb::EffectGroup {
    let effects: Vec<_> = places.iter().map(|place| effect(*place, Action::Redeem)).collect();
    let mut group = group(Basis::Mandate, &effects);
    group.authority.as_mut().expect("an authority").mandate_digest = digest(kind, mandate);
    group
}

pub(crate) fn marked(actions: &[(Action, u64)]) -> Marks {
    let mark =
        |marks: Marks, (action, entry): &(Action, u64)| marks.after(*action, *entry, Named::default()).expect("a mark");
    actions.iter().fold(Marks::default(), mark)
}

/// The key of a course.
pub(crate) fn course(code: &str) -> CourseKey {
    CourseKey::course(code)
}

/// What the ledger holds at a place.
pub(crate) struct Held {
    pub(crate) place: Place,
    pub(crate) institution: u64,
    pub(crate) account: AccountId,
    pub(crate) key: CourseKey,
    pub(crate) marks: Marks,
    pub(crate) depends_on: Vec<Place>,
}

impl Held {
    /// A record of the learner at institution 1.
    pub(crate) fn new(entry: u64, key: CourseKey) -> Self {
        let (marks, depends_on) = (Marks::default(), Vec::new());
        Self { place: at(entry), institution: 1, account: ACCOUNT, key, marks, depends_on }
    }
}

/// A record with a mandate.
trait Mandated: Canonical {
    fn mandate(&mut self) -> Option<&mut pb::Mandate>;
}

macro_rules! mandated {
    ($($kind:ident)+) => {
        $(impl Mandated for pb::$kind {
            fn mandate(&mut self) -> Option<&mut pb::Mandate> {
                self.mandate.as_mut()
            }
        })+
    };
}

mandated!(Application Appeal Conversion Award QualificationRecognition);

/// The same record on another paper, where it stands on one.
fn filed<M: Mandated>(entry: &impl Canonical, paper: String) -> M {
    let mut entry: M = decode(&body(entry)).expect("a record of the kind");
    if let Some(mandate) = entry.mandate().filter(|mandate| !mandate.paper_reference.is_empty()) {
        mandate.paper_reference = paper;
    }
    entry
}

impl Case {
    /// The ledger holds a record, which stands on a paper of its own if it stands on one.
    pub(crate) fn holds<M: Canonical>(&mut self, held: Held, kind: Kind, entry: &M) {
        let paper = format!("file of {}", held.place.entry);
        match kind {
            Kind::Application => self.holds_as_said(held, kind, &filed::<pb::Application>(entry, paper)),
            Kind::Appeal => self.holds_as_said(held, kind, &filed::<pb::Appeal>(entry, paper)),
            Kind::Conversion => self.holds_as_said(held, kind, &filed::<pb::Conversion>(entry, paper)),
            Kind::Award => self.holds_as_said(held, kind, &filed::<pb::Award>(entry, paper)),
            Kind::QualificationRecognition => {
                self.holds_as_said(held, kind, &filed::<pb::QualificationRecognition>(entry, paper));
            }
            _ => self.holds_as_said(held, kind, entry),
        }
    }

    /// The ledger holds a record with the mandate that it says.
    pub(crate) fn holds_as_said<M: Canonical>(&mut self, held: Held, kind: Kind, entry: &M) {
        let record = record(kind, entry, u8::try_from(held.place.entry).expect("small"));
        let Held { place, institution, account, key, marks, depends_on } = held;
        let signer = if institution == 1 { UNIT_KEY } else { OTHER_KEY };
        self.sealed(place.entry, signer, NOW_MS - 3_600_000);
        let depends_on: Vec<Value> =
            depends_on.iter().map(|place| json!({ "entry": place.entry, "index": place.index })).collect();
        self.held.push(json!({
            "entry": place.entry, "index": place.index, "kind": record.kind_number(), "institution": institution,
            "account": hex::encode(account.0), "key": case::key_json(&key),
            "repeats_max": (kind == Kind::Credit).then_some(0), "record_hash": record.hash().to_string(),
            "status_id": hex::encode(id(place)), "marks": hex::encode(marks.to_bytes()),
            "record": case::beside(&record), "depends_on": depends_on,
        }));
    }

    /// The learner's credit in entry 1.
    pub(crate) fn holds_credit(&mut self, marks: Marks) {
        self.holds(Held { marks, ..Held::new(1, course("AAA")) }, Kind::Credit, &credit());
    }

    pub(crate) fn only(&mut self, groups: Vec<pb::EffectGroup>) {
        (self.records, self.groups) = (Vec::new(), groups);
    }

    /// Signed by the unit of institution 2.
    pub(crate) fn by_other(&mut self) {
        self.draft.unit.institution = 2.into();
        (self.draft.key_id, self.signer) = (id_of(OTHER_KEY), OTHER_KEY);
    }

    pub(crate) fn by_operator(&mut self) {
        self.draft.unit = creditbank_protocol::UnitId::OPERATOR;
        (self.draft.key_id, self.signer) = (id_of(REGISTRY_KEY), REGISTRY_KEY);
    }

    /// Signed by a key of institution 1 with a scope of its own.
    pub(crate) fn by_narrow(&mut self, kinds: &[Kind]) {
        self.set(Kind::Key, &key_for(Purpose::Unit, 1, 1, &signing(NARROW_KEY), kinds));
        (self.draft.key_id, self.signer) = (id_of(NARROW_KEY), NARROW_KEY);
    }
}

/// An application that is right.
pub(crate) fn application() -> pb::Application {
    pb::Application {
        learner: ALIAS.0.to_vec(),
        purpose: pb::RecognitionPurpose::Study.into(),
        asked: "Year two".to_owned(),
        received: day(2026, 11, 2),
        deadline: "LAW".to_owned(),
        mandate: paper(),
        ..Default::default()
    }
}

/// A decision on the application in entry 2 that is right. The time for an appeal runs from the day of the block.
pub(crate) fn decision(kind: pb::DecisionType) -> pb::Decision {
    pb::Decision {
        learner: ALIAS.0.to_vec(),
        application: Some(at(2)),
        r#type: kind.into(),
        decided: day(2026, 11, 20),
        decider: "B. Example".to_owned(),
        legal_basis: "An act".to_owned(),
        channel: pb::NoticeChannel::Delivered.into(),
        notified: day(2026, 11, 20),
        appeal_until: day(2026, 12, 23),
        appeal_instance: "The appeals board".to_owned(),
        ..Default::default()
    }
}

/// An appeal against the decision in entry 3 that is right.
pub(crate) fn appeal() -> pb::Appeal {
    pb::Appeal {
        learner: ALIAS.0.to_vec(),
        decision: Some(at(3)),
        grounds: "The level is the same".to_owned(),
        received: day(2026, 11, 21),
        mandate: paper(),
        ..Default::default()
    }
}

/// Keys of the applications, and of what follows the one in entry 2.
pub(crate) const APPLICATIONS: CourseKey = CourseKey::Application(pb::RecognitionPurpose::Study);
pub(crate) const CASE: CourseKey = CourseKey::Case(creditbank_protocol::Place { entry: LogIndex(2), index: 0 });
