//! The scene: a node, one institution with many units, learners with accounts.

use std::path::Path;
use std::sync::Arc;

use creditbank_client::operator::{KeyRequest, publish, registry_record};
use creditbank_client::{ChainHead, Client, ConnectOptions};
use creditbank_fixtures::{accreditation, institution, unit};
use creditbank_protocol::Alias;
use creditbank_protocol::UnitId;
use creditbank_protocol::hash::sha256;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::{Kind, Purpose};
use creditbank_protocol::record::Record;
use creditbank_protocol::trust::{Trust, text_for};
use creditbank_rpc::v1::{IdentityType, Person, TypedIdentity};
use creditbank_rules::{Registry, RegistryRecord};
use creditbank_server::directory;
use creditbank_server::environment::Environment;
use ed25519_dalek::SigningKey;

use crate::Engine;

pub(crate) const ORIGIN: &str = "bench.example/log";
pub(crate) const INSTITUTION: u64 = 1;
/// Registry records of one block: far below what an entry holds.
const PUBLISH: usize = 100;
/// Persons of one request.
const PERSONS: u64 = 1_000;

/// A unit's key, and what its first block builds on.
pub(crate) struct Unit {
    pub(crate) number: u32,
    pub(crate) key: KeyFile,
    pub(crate) head: ChainHead,
}

/// What a run works with.
pub(crate) struct Scene {
    pub(crate) units: Vec<Unit>,
    pub(crate) learners: Vec<Alias>,
    /// The registry as the node has it, for the ceiling.
    pub(crate) registry: Arc<Registry>,
    pub(crate) trust: Trust,
    pub(crate) access: KeyFile,
}

/// A key that is the same in every run.
fn key(purpose: Purpose, number: u32) -> KeyFile {
    let seed = sha256(&[&i32::from(purpose).to_be_bytes()[..], &number.to_be_bytes()].concat());
    KeyFile { purpose, key: SigningKey::from_bytes(&seed.0) }
}

/// Makes a node's directory.
pub(crate) fn make_node(dir: &Path, engine: Engine) -> anyhow::Result<()> {
    let path = if engine == Engine::Memory { "" } else { "log" };
    let store = format!("{}:{path}", engine.name()).parse()?;
    directory::init(
        &Environment::system(),
        dir,
        &directory::keys_dir(dir),
        ORIGIN,
        store,
        ([127, 0, 0, 1], 0).into(),
        None,
    )?;
    Ok(())
}

pub(crate) async fn client(url: &str, trust: &Trust, access: Option<KeyFile>) -> anyhow::Result<Client> {
    Ok(Client::connect(&ConnectOptions::new(url), trust.clone(), access).await?)
}

fn registry_records(units: u32, access: &KeyFile) -> anyhow::Result<Vec<Record>> {
    let reads = KeyRequest::new(ORIGIN, UnitId::new(INSTITUTION, 0), access)?.record(&[], 0, 0)?;
    let mut records = vec![
        registry_record(Kind::Institution, &institution(INSTITUTION))?,
        registry_record(Kind::Accreditation, &accreditation(INSTITUTION))?,
        registry_record(Kind::Key, &reads)?,
    ];
    for number in 1..=units {
        let request = KeyRequest::new(ORIGIN, UnitId::new(INSTITUTION, number), &key(Purpose::Unit, number))?;
        records.push(registry_record(Kind::Unit, &unit(INSTITUTION, number))?);
        records.push(registry_record(Kind::Key, &request.record(&[Kind::Credit], 0, 0)?)?);
    }
    Ok(records)
}

/// The registry that these records make of the seeds that every log begins with.
fn registry(records: &[Record]) -> anyhow::Result<Registry> {
    let mut registry = Registry::new(ORIGIN);
    for (kind, body) in creditbank_rules::seed::entries()? {
        registry.admit(RegistryRecord::of_operator(kind, &body))?;
    }
    for record in records {
        registry.admit(RegistryRecord::of_operator(record.kind(), record.body()))?;
    }
    Ok(registry)
}

impl Scene {
    /// Admits the institution and its units and opens the accounts, over gRPC as anybody would.
    pub(crate) async fn set(dir: &Path, url: &str, units: u32, learners: u64) -> anyhow::Result<Self> {
        let environment = Environment::system();
        let operator = directory::read_key(&environment, dir, Purpose::Registry)?;
        let trust = Trust::parse(&text_for(&directory::read_config(&environment, dir)?.beginning())?)?;
        let access = key(Purpose::InstitutionAccess, 0);
        let client = client(url, &trust, Some(access.clone())).await?;
        let records = registry_records(units, &access)?;
        for records in records.chunks(PUBLISH) {
            publish(&client, Arc::new(operator.clone()), records, None).await?;
        }
        let mut of_units = Vec::new();
        for number in 1..=units {
            let head = client.chain_head(UnitId::new(INSTITUTION, number)).await?;
            of_units.push(Unit { number, key: key(Purpose::Unit, number), head });
        }
        let mut aliases = Vec::new();
        for first in (0..learners).step_by(usize::try_from(PERSONS)?) {
            let persons = (first..learners.min(first + PERSONS)).map(student).collect();
            let opened = client.open_accounts(INSTITUTION, persons).await?;
            aliases.extend(opened);
        }
        let registry = Arc::new(registry(&records)?);
        Ok(Self { units: of_units, learners: aliases, registry, trust, access })
    }
}

pub(crate) fn student(number: u64) -> Person {
    let kind = IdentityType::StudentNumber.into();
    Person { identities: vec![TypedIdentity { r#type: kind, scope: String::new(), value: number.to_string() }] }
}
