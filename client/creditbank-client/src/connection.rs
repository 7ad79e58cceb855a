//! A connection to a node. Every answer is checked against the trust file before it is returned.

mod audit;
pub mod evidence;
mod issued;
mod log;
mod log_keys;
mod pin;
mod recognition;
mod records;
mod registry;
mod rules;
mod status;
mod submit;
pub mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use creditbank_protocol::Trust;
use creditbank_protocol::dates::{date_of, day_of_ms};
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key::{KeyId, LogKeyHistory};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::merkle::verify_consistency;
use creditbank_protocol::note::{Checkpoint, NoteError, VerifierKey};
use creditbank_protocol::pb::{Date, Purpose, Receipt};
use creditbank_protocol::receipt::{ReceiptError, VerifiedReceipt, verify_receipt_by};
use creditbank_protocol::registry::RegistryKey;
use creditbank_rpc::token;
use creditbank_rpc::v1::GetConsistencyProofRequest;
use creditbank_rpc::v1::learner_service_client::LearnerServiceClient;
use creditbank_rpc::v1::ledger_service_client::LedgerServiceClient;
use creditbank_rpc::v1::log_service_client::LogServiceClient;
use creditbank_rpc::v1::recognition_service_client::RecognitionServiceClient;
use creditbank_rpc::v1::registry_service_client::RegistryServiceClient;
use tonic::Request;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use pin::Pin;
pub use pin::seen;

pub use audit::Audit;
pub use issued::{IssuedBlock, IssuedItem};
pub use recognition::ConversionPreview;
pub use records::ReadRecord;
pub(crate) use records::marks_of;
pub use registry::RegistryItem;
pub use rules::PublishedCodes;
pub use status::Refreshed;
pub use submit::ChainHead;

use crate::secret::random;
use crate::{ClientError, Notice};

/// Most bytes of an answer: a transcript.
const ANSWER_LEN_MAX: usize = 80 << 20;

/// How to reach a node.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// `http://host:port` or `https://host:port`.
    pub url: String,
    /// PEM of the authority that the node's certificate must be signed by.
    pub ca: Option<Vec<u8>>,
    /// PEM of a certificate and a key, where the node asks for one.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// A call that takes longer counts as unanswered.
    pub timeout: Duration,
    /// The directory where the largest checkpoint is kept between connections: a log that goes back behind it, or shows
    /// another history, is refused. `None`: this connection knows nothing of earlier ones.
    pub state: Option<PathBuf>,
    /// Hears what the person who waits for a command should know meanwhile.
    pub notices: Option<fn(&Notice)>,
}

impl ConnectOptions {
    /// The defaults for a URL.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ca: None,
            identity: None,
            timeout: Duration::from_mins(2),
            state: None,
            notices: None,
        }
    }
}

/// A connection to a node, with the trust of whoever uses it.
pub struct Client {
    trust: Trust,
    /// The name of the log by the policy.
    named: String,
    /// Its name now.
    origin: String,
    access: Option<KeyFile>,
    timeout: Duration,
    notices: Option<fn(&Notice)>,
    /// Public keys that were proved to be in the registry: a key's id binds it, so it is asked for once.
    keys: Mutex<BTreeMap<KeyId, Vec<u8>>>,
    ledger: LedgerServiceClient<Channel>,
    log: LogServiceClient<Channel>,
    registry: RegistryServiceClient<Channel>,
    learner: LearnerServiceClient<Channel>,
    recognition: RecognitionServiceClient<Channel>,
    /// The largest checkpoint seen: what comes later must contain it.
    seen: Mutex<Option<Checkpoint>>,
    /// What earlier connections have seen.
    pin: Option<Pin>,
    /// Which log key signs which seals, as far as it was followed.
    log_keys: Mutex<Option<LogKeyHistory>>,
}

/// Seconds since 1970.
#[allow(clippy::disallowed_methods)] // A client's own clock; nothing that peers must agree on depends on it.
pub(crate) fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Milliseconds since 1970 by this side's clock.
pub fn now_ms() -> u64 {
    now_s().saturating_mul(1_000)
}

/// The day by this side's clock, in UTC.
pub fn today() -> Date {
    date_of(day_of_ms(now_ms()))
}

fn no_access_key() -> ClientError {
    ClientError::Local("this call reads personal data: pass an access key (--access-key)".to_owned())
}

/// The one log that a trust file names. Of a log whose key was rotated it may name several keys.
pub fn the_log(trust: &Trust) -> Result<String, ClientError> {
    let names: BTreeSet<&str> = trust.policy.logs().iter().map(VerifierKey::name).collect();
    match names.into_iter().collect::<Vec<_>>()[..] {
        [name] => Ok(name.to_owned()),
        ref names => {
            Err(ClientError::Local(format!("the trust file names {} logs, expected one for a node", names.len())))
        }
    }
}

impl Client {
    /// Connects. `trust` must name the log; `access` is the key for calls that read personal data.
    pub async fn connect(options: &ConnectOptions, trust: Trust, access: Option<KeyFile>) -> Result<Self, ClientError> {
        let wrong = |what: String| ClientError::Local(format!("{}: {what}", options.url));
        if !options.url.starts_with("http://") && !options.url.starts_with("https://") {
            return Err(wrong("expected http://HOST:PORT or https://HOST:PORT".to_owned()));
        }
        let mut endpoint = Endpoint::from_shared(options.url.clone()).map_err(|error| wrong(error.to_string()))?;
        endpoint = endpoint.timeout(options.timeout).connect_timeout(Duration::from_secs(10));
        if options.url.starts_with("https://") {
            let mut tls = ClientTlsConfig::new();
            if let Some(ca) = &options.ca {
                tls = tls.ca_certificate(Certificate::from_pem(ca));
            }
            if let Some((certificate, key)) = &options.identity {
                tls = tls.identity(Identity::from_pem(certificate, key));
            }
            endpoint = endpoint.tls_config(tls).map_err(|error| wrong(error.to_string()))?;
        }
        let log = the_log(&trust)?;
        let beginning = trust.beginning(&log);
        let pin = options.state.as_ref().map(|dir| Pin::new(dir, &beginning.origin, &beginning.genesis()));
        let channel = endpoint.connect().await?;
        let mut client = Self {
            trust,
            named: log.clone(),
            origin: log,
            access,
            timeout: options.timeout,
            notices: options.notices,
            keys: Mutex::default(),
            ledger: LedgerServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_LEN_MAX),
            log: LogServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_LEN_MAX),
            registry: RegistryServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_LEN_MAX),
            learner: LearnerServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_LEN_MAX),
            recognition: RecognitionServiceClient::new(channel).max_decoding_message_size(ANSWER_LEN_MAX),
            seen: Mutex::new(None),
            pin,
            log_keys: Mutex::new(None),
        };
        client.check_beginning().await?;
        client.origin = client.newest_origin().await?;
        client.check_pin().await?;
        Ok(client)
    }

    /// Checks that the log was begun with the keys of the trust file: its first block names the genesis value.
    async fn check_beginning(&self) -> Result<(), ClientError> {
        let expected = self.trust.beginning(&self.named).genesis();
        let (first, _) = self.entry(0).await?;
        match Entry::parse(&first).map_err(ClientError::lie)? {
            Entry::Head(head) if head.header().previous == expected => Ok(()),
            _ => Err(ClientError::lie(
                "the log was begun with other keys than the trust file's log_key, registry_key and next_registry_key",
            )),
        }
    }

    /// The name that the log had at the connection.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// A call that takes longer counts as unanswered.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Tells whoever waits for the command.
    pub(crate) fn notice(&self, notice: &Notice) {
        if let Some(tell) = self.notices {
            tell(notice);
        }
    }

    /// The trust that answers are checked against.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The institution that the access key belongs to, by the registry; 0 for the operator's.
    pub async fn own_institution(&self) -> Result<u64, ClientError> {
        let key = self.access.as_ref().ok_or_else(no_access_key)?;
        let id = KeyId::of(&key.public_key());
        let entry = self.registry_entry(&RegistryKey::Key(id)).await?;
        let entry = entry.ok_or_else(|| ClientError::Missing(format!("the access key {id} is not in the registry")))?;
        Ok(entry.decode::<creditbank_protocol::pb::Key>()?.institution)
    }

    /// A request with an access token.
    fn with_access<T>(&self, message: T) -> Result<Request<T>, ClientError> {
        let key = self.access.as_ref().ok_or_else(no_access_key)?;
        if !matches!(key.purpose, Purpose::OperatorAccess | Purpose::InstitutionAccess) {
            let name = creditbank_protocol::key_file::purpose_name(key.purpose);
            return Err(ClientError::Local(format!("a key for {name} gives no access: pass an access key")));
        }
        let bearer = format!("Bearer {}", token::make(&self.origin, &key.key, now_s(), random()?));
        let value = MetadataValue::try_from(bearer).map_err(|error| ClientError::Local(error.to_string()))?;
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }

    /// Checks a receipt, and that its checkpoint and the largest one seen are of one history.
    pub async fn check_receipt(&self, receipt: &Receipt) -> Result<VerifiedReceipt, ClientError> {
        let verified = match verify_receipt_by(receipt, &self.trust.policy, &self.known_log_keys()) {
            Err(ReceiptError::Note(NoteError::NoTrustedLog { .. })) => {
                Box::pin(self.follow_log_keys()).await?;
                verify_receipt_by(receipt, &self.trust.policy, &self.known_log_keys())?
            }
            verified => verified?,
        };
        self.observe(&verified.checkpoint).await?;
        self.show_pin(&verified.checkpoint, &receipt.checkpoint).await?;
        Ok(verified)
    }

    /// Checks that a checkpoint and a larger one are of one history, by a proof of the node.
    async fn is_one_history(&self, old: &Checkpoint, new: &Checkpoint) -> Result<(), ClientError> {
        if old.size == new.size {
            let two = || ClientError::lie(format!("two roots for size {}: {} and {}", old.size, old.root, new.root));
            return if old.root == new.root { Ok(()) } else { Err(two()) };
        }
        let request = GetConsistencyProofRequest { old_size: old.size, new_size: new.size };
        let proof = self.log.clone().get_consistency_proof(request).await?.into_inner();
        let hashes = log::digests(&proof.hashes)?;
        Ok(verify_consistency(old.size, &old.root, new.size, &new.root, &hashes)?)
    }

    /// Checks that a checkpoint and the largest one seen are of one history, and remembers the larger.
    async fn observe(&self, new: &Checkpoint) -> Result<(), ClientError> {
        self.check_origin(new)?;
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(seen) = seen {
            let (old, new) = if seen.size <= new.size { (&seen, new) } else { (new, &seen) };
            self.is_one_history(old, new).await?;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.as_ref().is_none_or(|seen| seen.size < new.size) {
            *seen = Some(new.clone());
        }
        Ok(())
    }
}
