//! A block, and the ledger that it comes to, as JSON: registry entries in the order of their admission, aliases,
//! records that the ledger holds. Whoever reads it needs nothing else to judge the block.

use creditbank_protocol::approval::approval_digest;
use creditbank_protocol::block::{SignedBlock, with_places};
use creditbank_protocol::canonical::decode;
use creditbank_protocol::key::{KeyId, LogKeys};
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::{Record, info_of};
use creditbank_protocol::status::Marks;
use creditbank_protocol::{AccountId, Alias, Digest, InstitutionId, LogIndex, Place};
use creditbank_rules::admission::{AdmissionError, Approved, BlockFacts, admit_block, admit_operator_effects};
use creditbank_rules::once::Once;
use creditbank_rules::{
    CourseKey, LearnerState, RecordFacts, Registry, RegistryRecord, Rejection, Rule, Said, Sealing, course_code,
};
use serde_json::Value;

use crate::ledger::{Held, Ledger};

pub(crate) struct Scene {
    ledger: Ledger,
    once: Once,
    sealed_at_ms: u64,
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a text")).expect("hexadecimal")
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("as many bytes")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn place(value: &Value) -> Place {
    Place::new(number(&value["entry"]), small(&value["index"]))
}

fn record(value: &Value) -> Record {
    let (kind, version) = (small(&value["kind"]), small(&value["version"]));
    Record::new(kind, version, &bytes(&value["seed"]), bytes(&value["body"])).expect("a record")
}

fn key(value: &Value) -> CourseKey {
    let purpose = || pb::RecognitionPurpose::try_from(i32::try_from(number(&value[1])).expect("small")).expect("one");
    match value[0].as_str().expect("the name of a key") {
        "course" => CourseKey::course(value[1].as_str().expect("a code")),
        "identity" => CourseKey::Identity,
        "uncoded outcome" => CourseKey::UncodedOutcome,
        "application" => CourseKey::Application(purpose()),
        "case" => CourseKey::Case(Place::new(number(&value[1]), small(&value[2]))),
        "conversion" => CourseKey::Conversion,
        "award" => CourseKey::Award,
        "recognition" => CourseKey::Recognition,
        "enrolment" => CourseKey::Enrolment,
        "foreign award" => CourseKey::ForeignAward,
        other => panic!("there is no key {other}"),
    }
}

fn small(value: &Value) -> u32 {
    u32::try_from(number(value)).expect("a small number")
}

pub(crate) fn kind(value: &Value) -> Kind {
    Kind::try_from(i32::try_from(number(value)).expect("small")).expect("a kind")
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn alias(value: &Value) -> ((InstitutionId, Alias), LearnerState) {
    let state = LearnerState { account: AccountId(array(&value["account"])), open: value["open"] == true };
    ((number(&value["institution"]).into(), Alias(array(&value["alias"]))), state)
}

fn held(value: &Value) -> (Place, Held) {
    let facts = RecordFacts {
        kind: kind(&value["kind"]),
        institution: number(&value["institution"]).into(),
        account: AccountId(array(&value["account"])),
        status_id: Digest(array(&value["status_id"])),
        marks: Marks::from_bytes(&bytes(&value["marks"])).expect("marks"),
    };
    let hash: [u8; 32] = array(&value["record_hash"]);
    let kept = value.get("record").map(record);
    let held = Held {
        facts,
        key: key(&value["key"]),
        repeats_max: (!value["repeats_max"].is_null()).then(|| small(&value["repeats_max"])),
        hash_prefix: std::array::from_fn(|i| hash[i]),
        spelling: kept.as_ref().map_or_else(|| spelled_key(&value["key"]), spelled),
        record: kept,
        depends_on: list(&value["depends_on"]).iter().map(place).collect(),
    };
    (place(value), held)
}

/// The same of a record that is not there, by the code of its key.
fn spelled_key(key: &Value) -> [u8; 8] {
    let code = key[1].as_str().filter(|_| key[0] == "course");
    code.map_or([0; 8], course_code::spelling)
}

/// How the code of a record's course is spelled.
fn spelled(record: &Record) -> [u8; 8] {
    let course = match record.kind() {
        Kind::Outcome => record.read::<pb::Outcome>().ok().and_then(|read| read.course),
        Kind::Credit => record.read::<pb::Credit>().ok().and_then(|read| read.course),
        Kind::Result => record.read::<pb::Result>().ok().and_then(|read| read.course),
        _ => None,
    };
    course.filter(|course| !course.code.is_empty()).map_or([0; 8], |course| course_code::spelling(&course.code))
}

fn sealing(value: &Value) -> (LogIndex, Sealing) {
    let key_id = KeyId(array(&value["key_id"]));
    let approvers = list(&value["approvers"]).iter().map(|id| KeyId(array(id))).collect();
    (number(&value["entry"]).into(), Sealing { key_id, approvers, sealed_at_ms: number(&value["sealed_at_ms"]) })
}

fn said(value: &Value) -> (LogIndex, Said) {
    let group = |value: &Value| decode(&bytes(value)).expect("a group");
    let groups = list(&value["groups"]).iter().map(group).collect();
    (number(&value["entry"]).into(), Said { records: small(&value["records"]), groups })
}

impl Scene {
    /// The ledger of a case.
    pub(crate) fn read(file: &Value, case: &Value) -> Self {
        let text = |name: &str| file[name].as_str().expect("a text").to_owned();
        let keys = LogKeys {
            origin: text("origin"),
            log_key: array(&file["log_key"]),
            registry_key: array(&file["registry_key"]),
            next_registry_key: Digest(array(&file["next_registry_key"])),
        };
        let mut ledger = Ledger { registry: Registry::begun(&keys), ..Ledger::new() };
        for entry in list(&file["registry"]).iter().chain(list(&case["registry"])) {
            let institution = &entry["institution"];
            let sealed_at_ms = entry["sealed_at_ms"].as_u64().unwrap_or(0);
            ledger.admit(RegistryRecord {
                kind: kind(&entry["kind"]),
                body: &bytes(&entry["body"]),
                institution: institution.as_u64().unwrap_or(0).into(),
                created_at_minute: sealed_at_ms / 60_000,
                sealed_at_ms,
                entry: 0.into(),
            });
        }
        ledger.aliases.extend(list(&file["aliases"]).iter().map(alias));
        ledger.held.extend(list(&case["held"]).iter().map(held));
        ledger.sealings.extend(list(&case["sealings"]).iter().map(sealing));
        ledger.said.extend(list(&case["said"]).iter().map(said));
        let sealed_at_ms = number(&file["sealed_at_ms"]);
        let mut once = Once::default();
        for digest in list(&case["used"]) {
            once.use_up(Digest(array(digest)));
        }
        Self { ledger, once, sealed_at_ms }
    }

    /// What the rules say of the block of a case.
    pub(crate) fn judge(&self, case: &Value) -> Result<(), Rejection> {
        let block = SignedBlock::parse(&bytes(&case["block"])).expect("the form is right");
        let hidden = list(&case["records"]).iter().map(record);
        let records = block.records(hidden.collect()).expect("the block of these records");
        let beside: Vec<pb::Place> = list(&case["places"]).iter().map(|value| place(value).into()).collect();
        let groups = with_places(&block.public().groups, &beside).expect("one place for each that does not show");
        let header = block.header();
        let approved = |approval: &pb::Approval| Approved {
            key: KeyId::from_slice(&approval.key_id).expect("16 bytes"),
            until_minute: approval.until_minute,
            digest: approval_digest(header, approval),
        };
        let approvals: Vec<Approved> = block.approvals().iter().map(approved).collect();
        let facts = BlockFacts {
            unit: header.unit,
            key_id: header.key_id,
            approvals: &approvals,
            created_at_minute: header.created_at_minute,
            sealed_at_ms: self.sealed_at_ms,
            records: &records,
            groups: &groups,
            once: &self.once,
        };
        let judged =
            if header.unit.institution.is_operator() { self.operator(&facts) } else { self.institution(&facts) };
        match judged {
            Ok(()) => Ok(()),
            Err(AdmissionError::Rejected(rejection)) => Err(rejection),
            Err(AdmissionError::View(error)) => panic!("{error}"),
        }
    }

    /// An institution's block: learners' records and effects, then what it publishes.
    fn institution(&self, facts: &BlockFacts<'_>) -> Result<(), AdmissionError> {
        admit_block(&self.ledger, facts)?;
        let mut registry = self.ledger.registry.clone();
        let (institution, sealed_at_ms) = (facts.unit.institution, facts.sealed_at_ms);
        for (index, record) in (0u32..).zip(facts.records) {
            if info_of(record.kind()).is_some_and(|info| info.public) {
                let (kind, body) = (record.kind(), record.body());
                let published = RegistryRecord {
                    kind,
                    body,
                    institution,
                    created_at_minute: sealed_at_ms / 60_000,
                    sealed_at_ms,
                    entry: 0.into(),
                };
                registry.admit(published).map_err(|rejection| rejection.record(index))?;
            }
        }
        Ok(())
    }

    /// The operator's block: registry records, each seeing those before it, and effects.
    fn operator(&self, facts: &BlockFacts<'_>) -> Result<(), AdmissionError> {
        admit_operator_effects(&self.ledger, facts)?;
        let mut registry = self.ledger.registry.clone();
        for (index, record) in (0u32..).zip(facts.records) {
            if !info_of(record.kind()).is_some_and(|info| info.operator) {
                let rejection = Rejection::new(Rule::NotTheOperator, "a registry record", "another");
                return Err(rejection.record(index).into());
            }
            let entry = RegistryRecord::of_operator(record.kind(), record.body());
            registry.admit(entry).map_err(|rejection| rejection.record(index))?;
        }
        Ok(())
    }
}
