//! Makes a node: keys, secrets, configuration, and the first blocks of its log.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use creditbank_protocol::block::{BlockDraft, DraftError, split_public};
use creditbank_protocol::canonical::{CanonicalError, encode};
use creditbank_protocol::key::{KeyId, commitment, possession_message, sign};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::note::NoteError;
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::record::{PUBLIC_SEED, Record, RecordError, SUITE};
use creditbank_protocol::trust::text_for;
use creditbank_protocol::{Digest, UnitId};
use creditbank_rules::seed;
use ed25519_dalek::SigningKey;

use super::config::{Config, Connections, NAME_RULE, Operations, Quotas, Scrub, Tls, is_origin};
use super::secrets::Secrets;
use super::{
    DirectoryError, MEMORY_FILE, StoreUrl, at, check_room, key_path, modes, open_stepped, read_key, read_key_at,
    secrets_path, write_secret,
};
use crate::append::SubmitError;
use crate::clock::random;
use crate::environment::Environment;
use crate::ledger::{Ledger, Limits};
use crate::serve::Peer;
use creditbank_rpc::v1::SubmitBlockRequest;

/// The node's own keys.
const PURPOSES: [Purpose; 4] = [Purpose::Log, Purpose::Statement, Purpose::Credential, Purpose::OperatorAccess];

/// The file of the registry key.
pub const REGISTRY_KEY: &str = "registry.key";
/// The file of the registry key that may follow.
pub const NEXT_REGISTRY_KEY: &str = "next-registry.key";

/// Why a node was not made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is a node already.
    #[error("{0} already holds a node: choose another directory, or serve this one")]
    Exists(String),
    /// Registry keys would be overwritten.
    #[error("{0} exists already: choose another directory for the registry keys (--registry-keys)")]
    RegistryKeys(String),
    /// The name cannot be used in a checkpoint.
    #[error("origin {0:?}: expected {NAME_RULE}")]
    Origin(String),
    /// Files, keys, store.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The seed of the registry.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The seed of the registry.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The first blocks.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The first blocks.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The trust file cannot name the log.
    #[error(transparent)]
    Trust(#[from] NoteError),
    /// The log could not be closed.
    #[error(transparent)]
    Store(#[from] creditbank_store::StoreError),
}

/// The address for operations of a new node: on the loopback, at the port after the one of gRPC.
fn beside(listen: SocketAddr) -> SocketAddr {
    // Port 0 lets the system choose, and then it chooses here too.
    let port = if listen.port() == 0 { 0 } else { listen.port().checked_add(1).unwrap_or(listen.port() - 1) };
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Makes a node in `dir`, which may exist but must hold nothing of a node: keys with mode 0600, configuration, trust
/// file, the first blocks with the operator's keys and the seed of the registry. The registry key and the next one go
/// into another directory, so that somebody who breaks into the node does not find them.
pub fn init(
    environment: &Environment,
    dir: &Path,
    registry_keys: &Path,
    origin: &str,
    store: StoreUrl,
    listen: SocketAddr,
    tls: Option<Tls>,
) -> Result<Config, InitError> {
    if !is_origin(origin) {
        return Err(InitError::Origin(origin.to_owned()));
    }
    let Environment { disk, entropy, .. } = environment;
    for name in ["node.toml", "keys", "log", "learners.keys"] {
        let path = dir.join(name);
        if disk.exists(&path).map_err(at(&path))? {
            return Err(InitError::Exists(dir.display().to_string()));
        }
    }
    for name in [REGISTRY_KEY, NEXT_REGISTRY_KEY] {
        let path = registry_keys.join(name);
        if disk.exists(&path).map_err(at(&path))? {
            return Err(InitError::RegistryKeys(path.display().to_string()));
        }
    }
    // Before anything is written, so that a refusal leaves nothing behind.
    if store != StoreUrl::Memory {
        check_room(environment, dir)?;
    }
    modes::check_writers(&**disk, dir)?;
    if let Some(tls) = &tls {
        modes::check_tls(&**disk, &tls.within(dir))?;
    }
    let keys_dir = dir.join("keys");
    disk.make_dir(&keys_dir).map_err(at(&keys_dir))?;
    let keys = PURPOSES.map(|purpose| KeyFile { purpose, key: SigningKey::from_bytes(&random(&**entropy)) });
    for key in &keys {
        write_secret(&**disk, &key_path(dir, key.purpose), &key.to_text())?;
    }
    if store == StoreUrl::Memory {
        write_secret(&**disk, &keys_dir.join(MEMORY_FILE), "These keys are of a log in memory: for trials only.\n")?;
    }
    write_secret(&**disk, &secrets_path(dir), &Secrets::random(&**entropy).to_text())?;
    disk.make_dir(registry_keys).map_err(at(registry_keys))?;
    let made = [REGISTRY_KEY, NEXT_REGISTRY_KEY].map(|name| {
        let key = KeyFile { purpose: Purpose::Registry, key: SigningKey::from_bytes(&random(&**entropy)) };
        (registry_keys.join(name), key)
    });
    for (path, key) in &made {
        write_secret(&**disk, path, &key.to_text())?;
    }
    let [registry_key, next] = made.map(|(_, key)| key.public_key());
    let (log_key, next_registry_key) = (keys[0].public_key(), commitment(&next));
    let config = Config {
        origin: origin.to_owned(),
        log_key,
        registry_key,
        next_registry_key,
        store,
        listen,
        tls,
        operations: Operations { listen: Some(beside(listen)) },
        connections: Connections::default(),
        quotas: Quotas::default(),
        scrub: Scrub::default(),
    };
    // The names of the keys are durable before anything is signed with them.
    let sync = |made: &Path| disk.sync_dir(made).map_err(at(made));
    sync(&keys_dir)?;
    sync(registry_keys)?;
    let (ledger, mut steps) = open_stepped::<(), ()>(environment, dir, &config, Limits::default())?;
    for block in first_blocks(environment, dir, registry_keys, &ledger)? {
        steps.seal(&block, ())?;
    }
    steps.close()?;
    // Before the configuration: with it the directory is complete, and `init` does nothing in it any more.
    let trust_path = dir.join("trust.toml");
    let trust = text_for(&config.beginning())?;
    disk.replace(&trust_path, trust.as_bytes()).map_err(at(&trust_path))?;
    // Last, after all other names are durable, and as a whole: a directory with a configuration counts as a complete
    // node.
    sync(dir)?;
    let path = dir.join("node.toml");
    disk.replace(&path, config.to_text().as_bytes()).map_err(at(&path))?;
    Ok(config)
}

/// Submits the first blocks of an empty log: the operator, its keys, and the seed of the registry.
pub async fn begin(
    environment: &Environment,
    dir: &Path,
    registry_keys: &Path,
    ledger: &Ledger,
) -> Result<(), InitError> {
    for block in first_blocks(environment, dir, registry_keys, ledger)? {
        ledger.submit(SubmitBlockRequest { block: block.into(), ..Default::default() }, Peer::UNKNOWN).await?;
    }
    Ok(())
}

/// The first blocks of a log, each building on the one before.
fn first_blocks(
    environment: &Environment,
    dir: &Path,
    registry_keys: &Path,
    ledger: &Ledger,
) -> Result<Vec<Vec<u8>>, InitError> {
    let keys = PURPOSES.map(|purpose| read_key(environment, dir, purpose));
    let mut keys = keys.into_iter().collect::<Result<Vec<_>, _>>()?;
    let own = read_key_at(environment, &registry_keys.join(REGISTRY_KEY), Purpose::Registry)?;
    keys.insert(0, own.clone());
    let (origin, minute) = (&ledger.origin(), ledger.now_ms() / 60_000);
    let registry_key = own.public_key();
    let mut previous = ledger.genesis();
    let records = first_records(origin, &keys, minute)?;
    let mut blocks = Vec::new();
    for (height, records) in (0u64..).zip(split_public(&records)) {
        let draft = BlockDraft {
            origin: origin.to_owned(),
            unit: UnitId::OPERATOR,
            height,
            previous,
            operation_id: random(&*environment.entropy),
            created_at_minute: minute,
            key_id: KeyId::of(&registry_key),
        };
        let block = draft.sign(records, Vec::new(), None, |message| sign(&own.key, message))?;
        previous = header_id(&block);
        blocks.push(block);
    }
    Ok(blocks)
}

fn header_id(block: &[u8]) -> Digest {
    let parsed = creditbank_protocol::block::SignedBlock::parse(block).expect("the block was just made");
    parsed.header().id()
}

/// The operator, its keys, and the seed of the registry.
fn first_records(origin: &str, keys: &[KeyFile], minute: u64) -> Result<Vec<Record>, InitError> {
    let name = pb::Text { language: "en".to_owned(), value: format!("Operator of {origin}") };
    let operator = pb::Institution {
        state: pb::RegistryState::Active.into(),
        r#type: pb::InstitutionType::Operator.into(),
        names: vec![pb::DatedName { name: Some(name), ..Default::default() }],
        ..Default::default()
    };
    let mut entries = vec![(Kind::Institution, encode(&operator)?)];
    for key in keys {
        let public_key = key.public_key();
        let message = possession_message(origin, UnitId::OPERATOR, key.purpose, &public_key);
        let entry = pb::Key {
            public_key: public_key.to_vec(),
            suite: u32::from(SUITE),
            purpose: key.purpose.into(),
            from_minute: minute,
            possession: sign(&key.key, message.as_bytes()).to_vec(),
            ..Default::default()
        };
        entries.push((Kind::Key, encode(&entry)?));
    }
    entries.extend(seed::entries()?);
    let record = |(kind, body): (Kind, Vec<u8>)| Record::of(kind, &PUBLIC_SEED, body);
    Ok(entries.into_iter().map(record).collect::<Result<_, _>>()?)
}
