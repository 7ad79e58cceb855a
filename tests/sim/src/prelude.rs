//! How every run begins: a new node, and three institutions that may issue.

use std::net::SocketAddr;
use std::path::PathBuf;

use creditbank_client::ChainHead;
use creditbank_ledger::state::LogKeys;
use creditbank_protocol::UnitId;
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::entry::{Entry, EntryError, join};
use creditbank_protocol::key::{possession_message, sign};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::note::{KeyType, Policy, VerifierKey};
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::record::{PUBLIC_SEED, Record, SUITE};
use creditbank_server::append::Answer;
use creditbank_server::directory::{self, Config, StoreUrl};
use creditbank_store::{SimulatedDisk, SimulatedIndex};

use crate::cast::{DIR, INSTITUTIONS, ORIGIN, approver_key, unit_key};
use crate::chance::Chance;
use crate::clock::{START_MS, SimClock};
use crate::node::{Machine, ROOM, environment};
use crate::post::Call;
use crate::signing::{head_of, leaf_of, signed_block};
use crate::truth::{Broken, Truth, broken};
use crate::want::{Content, Want, text};

/// The kinds that each institution's key may sign.
const KINDS: [Kind; 4] = [Kind::Credit, Kind::Award, Kind::QualificationDefinition, Kind::CourseAlias];

/// A node as it is at the beginning of a run, stopped.
pub(crate) struct Beginning {
    pub(crate) disk: SimulatedDisk,
    pub(crate) config: Config,
    pub(crate) registry_key: KeyFile,
    pub(crate) keys: LogKeys,
    pub(crate) policy: Policy,
    pub(crate) truth: Truth,
}

impl Beginning {
    /// Makes the node. Nothing fails.
    pub(crate) fn make() -> Result<Self, Broken> {
        let mut chance = Chance::new(0, 0);
        let (disk, clock) = (SimulatedDisk::new(chance.seed(), ROOM), SimClock::new(START_MS));
        let environment = environment(&disk, &clock, &mut chance);
        let store = StoreUrl::Files { engine: SimulatedIndex::ENGINE, path: "log".into() };
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let dir = PathBuf::from(DIR);
        let config = directory::init(&environment, &dir, &directory::keys_dir(&dir), ORIGIN, store, listen, None);
        let config = config.map_err(|error| Broken(format!("no node is made: {error}")))?;
        let key = |purpose| {
            let read = directory::read_key(&environment, &dir, purpose);
            read.map_err(|error| Broken(format!("no key of the node: {error}")))
        };
        let registry_key = key(Purpose::Registry)?;
        let log_key = key(Purpose::Log)?;
        let policy = policy(log_key.public_key())?;
        let keys = config.beginning();
        let (disk_of, config_of) = (disk.clone(), config.clone());
        let mut this = Self { disk: disk_of, config: config_of, registry_key, keys, policy, truth: Truth::default() };
        let mut machine = Machine::new(disk, clock, environment, dir, config, &mut chance);
        machine.start().map_err(|error| Broken(format!("the new node does not start: {error}")))?;
        this.fill(&mut machine)?;
        machine.stop().map_err(|error| Broken(format!("the new node does not stop: {error}")))?;
        Ok(this)
    }

    /// Admits the institutions, and lets each publish its definition.
    fn fill(&mut self, machine: &mut Machine) -> Result<(), Broken> {
        let Some(process) = &machine.process else { broken!("the new node is down") };
        for index in 0..process.ledger.size() {
            let entry = |index| process.ledger.entry(index).map_err(|error| Broken(error.to_string()));
            let bytes = entry(index)?;
            if let Ok(Entry::Head(head)) = Entry::parse(&bytes) {
                let part = if head.has_public() { entry(index + 1)? } else { Vec::new() };
                let block = join(head, || Ok::<_, EntryError>(part)).map_err(|error| Broken(error.to_string()))?;
                let leaf = creditbank_protocol::merkle::leaf_hash(&bytes);
                self.truth.signed.insert(leaf, crate::truth::Signed::public(&block));
            }
        }
        let records = (1..=INSTITUTIONS).flat_map(admitting).collect();
        let registry_key = self.registry_key.clone();
        self.seal(machine, UnitId::OPERATOR, &registry_key, &Want::Register { records })?;
        for institution in 1..=INSTITUTIONS {
            let key = unit_key(institution);
            self.seal(machine, UnitId::new(institution, 1), &key, &Want::Publish { version: 1 })?;
        }
        Ok(())
    }

    fn seal(&mut self, machine: &mut Machine, unit: UnitId, key: &KeyFile, want: &Want) -> Result<(), Broken> {
        let Some(process) = &mut machine.process else { broken!("the new node is down") };
        let head = process.ledger.chain_head(unit);
        let (next_height, receipt) = head.map_err(|error| Broken(error.to_string()))?;
        let head = head_of(unit, next_height, &receipt, &self.policy);
        let head: ChainHead = head.map_err(|error| Broken(format!("{error:?}")))?;
        let content: Content = want.content(unit.institution.0, None, &crate::want::Consequences::default(), 0);
        let (block, signed) = signed_block(unit, key, &head, START_MS / 60_000, None, &content);
        let leaf = leaf_of(&block);
        self.truth.signed.insert(leaf, signed);
        let verified = process
            .steps
            .verify(creditbank_rpc::block_request(block, &content.records, &content.groups))
            .map_err(|error| Broken(error.to_string()))?;
        process.steps.block(verified, Call { client: usize::MAX, life: 0, number: 0 });
        process.steps.run();
        match process.steps.take_answer() {
            Some(Answer::Block(_, Ok(receipt))) => self.truth.receipt(&receipt, &self.policy).map(drop),
            Some(Answer::Block(_, Err(error))) => broken!("the new node refuses: {error}"),
            _ => broken!("the new node does not answer"),
        }
    }
}

/// Trust in the log key alone.
fn policy(log_key: [u8; 32]) -> Result<Policy, Broken> {
    let key = VerifierKey::new(ORIGIN, KeyType::Log, log_key).map_err(|error| Broken(error.to_string()))?;
    Policy::parse(&format!("log {key}\nquorum none\n")).map_err(|error| Broken(error.to_string()))
}

/// A registry record.
pub(crate) fn public(kind: Kind, body: &impl Canonical) -> Record {
    let body = encode(body).expect("a canonical entry");
    Record::of(kind, &PUBLIC_SEED, body).expect("a record")
}

/// What admits an institution with one unit.
fn admitting(number: u64) -> Vec<Record> {
    let active = pb::RegistryState::Active.into();
    let institution = pb::Institution {
        number,
        state: active,
        r#type: pb::InstitutionType::University.into(),
        country: "GB".to_owned(),
        names: vec![pb::DatedName { name: Some(text("A university")), ..Default::default() }],
        ..Default::default()
    };
    let names = vec![text("Registry")];
    let unit = pb::Unit { institution: number, unit: 1, state: active, names, requires_approval: false };
    let mut kinds = KINDS.map(i32::from);
    kinds.sort_unstable();
    let key = |key: KeyFile, kinds: &[i32]| {
        let message = possession_message(ORIGIN, UnitId::new(number, 1), key.purpose, &key.public_key());
        let entry = pb::Key {
            public_key: key.public_key().to_vec(),
            suite: u32::from(SUITE),
            purpose: key.purpose.into(),
            institution: number,
            unit: 1,
            kinds: kinds.to_vec(),
            possession: sign(&key.key, message.as_bytes()).to_vec(),
            ..Default::default()
        };
        public(Kind::Key, &entry)
    };
    vec![
        public(Kind::Institution, &institution),
        public(Kind::Unit, &unit),
        key(unit_key(number), &kinds),
        key(approver_key(number), &[]),
        public(Kind::Accreditation, &accreditation(number, 1)),
    ]
}

/// An accreditation from 2000 to 2030, for everything.
pub(crate) fn accreditation(institution: u64, number: u32) -> pb::Accreditation {
    let date = |year| Some(pb::Date { year, month: 1, day: 0 });
    let body = "A ministry".to_owned();
    pb::Accreditation { institution, number, body, from: date(2000), until: date(2030), ..Default::default() }
}
