//! `key`: whoever holds a key asks for its admission, the operator admits it.

use std::fs;
use std::path::{Path, PathBuf};

use creditbank_client::connection::the_log;
use creditbank_client::operator::KeyRequest;
use creditbank_client::validity::shown;
use creditbank_client::{Client, KeyPlace, Signer};
use creditbank_protocol::InstitutionId;
use creditbank_protocol::UnitId;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::key_file::purpose_name;
use creditbank_protocol::names;
use creditbank_protocol::note::{KeyType, VerifierKey};
use creditbank_protocol::pb::{self, Kind, Purpose, RevocationReason};
use creditbank_protocol::registry::RegistryKey;
use serde_json::json;

use super::publish;
use crate::connect::Global;
use crate::failure::Failure;
use crate::whose::OneOrAll;
use crate::{entries, output, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Ask for the admission of a key: writes a file without secrets for the operator
    Request(Box<Asked>),
    /// Admit a key
    Add {
        /// The request
        request: PathBuf,
        #[command(flatten)]
        term: Term,
        /// Publish the entry of a key anew that was admitted before, with these kinds and times
        #[arg(long)]
        replace: bool,
    },
    /// Admit a key in the place of another, which is revoked as rotated
    #[command(after_long_help = ROTATE_HELP)]
    Rotate {
        /// Id of the key that goes
        #[arg(value_parser = values::key_id)]
        old: KeyId,
        /// The request for the key that comes
        request: PathBuf,
        #[command(flatten)]
        term: Term,
    },
    /// Revoke a key
    Revoke {
        /// Id of the key
        #[arg(value_parser = values::key_id)]
        key: KeyId,
        /// rotated, compromised or ceased
        #[arg(long, value_parser = values::named::<RevocationReason>)]
        reason: RevocationReason,
        /// With compromised: from when on what it signed is contested, as 2026-09-01T08:30Z
        #[arg(long, value_parser = values::past_minute, required_if_eq("reason", "compromised"))]
        compromised_since: Option<u64>,
    },
    /// One key
    Show {
        /// Id of the key
        #[arg(value_parser = values::key_id)]
        key: KeyId,
    },
    /// All keys, or those of one institution
    List {
        #[command(flatten)]
        of: OneOrAll,
    },
}

/// For which key admission is asked.
#[derive(clap::Args)]
pub(crate) struct Asked {
    /// The key file, of `creditbank keygen`, or pkcs11:... for a key in a token
    #[arg(long)]
    key: KeyPlace,
    /// What a key in a token is for: unit or approver; a key file says it itself
    #[arg(long, value_parser = values::purpose)]
    purpose: Option<Purpose>,
    /// Number of the institution; 0 for the operator's own keys
    #[arg(long)]
    institution: InstitutionId,
    /// Number of the unit; left out for access keys
    #[arg(long, default_value_t = 0)]
    unit: u32,
    #[command(flatten)]
    handover: HandoverFrom,
    /// New file for the request
    #[arg(long)]
    out: PathBuf,
}

/// What a key may sign, and when.
#[derive(clap::Args)]
pub(crate) struct Term {
    /// Kinds that a unit's key may sign, with commas between; left out in a rotation: those of the old key
    ///
    /// Of learners: identity, enrolment, outcome, credit, result, application, decision, conversion, award, appeal,
    /// qualification-recognition, foreign-award. Public: agreement-proposal, agreement-acceptance, agreement-ending, equivalence,
    /// qualification-definition, grade-distribution, course-alias, course-codes.
    #[arg(long, value_delimiter = ',', value_parser = values::kind)]
    kinds: Vec<Kind>,
    /// From when on it is in force; left out: at once
    #[arg(long, value_parser = values::minute)]
    from: Option<u64>,
    /// Until when it is in force; left out: without end
    #[arg(long, value_parser = values::minute)]
    until: Option<u64>,
}

/// Of a log key: which one hands over to it, and where.
#[derive(clap::Args)]
pub(crate) struct HandoverFrom {
    /// Of a log key: the file of the log key in force, which hands over to it
    #[arg(long, requires = "from_index")]
    log_key: Option<KeyPlace>,
    /// Of a log key: the first log index whose seal it signs, ahead of the newest checkpoint
    #[arg(long, requires = "log_key")]
    from_index: Option<u64>,
}

const ROTATE_HELP: &str = "\
The statement key: put the new file beside the old one first, then rotate. The node finds it by itself.

    creditbank keygen NODE/keys/statement-2.key --purpose statement
    creditbank key request --key NODE/keys/statement-2.key --institution 0 --out statement.json
    creditbank key rotate OLD-KEY-ID statement.json

The log key: its successor begins at a log index. Take one that the log reaches after you have put the file into place;
`creditbank log checkpoint` says how far the log is. The log key in force signs the request, where its file is: whoever
has the registry key alone can name no log key.

    creditbank keygen NODE/keys/log-2.key --purpose log
    creditbank key request --key NODE/keys/log-2.key --institution 0 --log-key NODE/keys/log.key --from-index 120000 \\
        --out log.json
    creditbank key rotate OLD-KEY-ID log.json

From its admission on the new key signs checkpoints beside the old one. At the index it takes over the seals; if its file
is not there then, the node stops and says so, and nothing is lost. The old key goes on signing checkpoints for as long
as its file is there: take it away when verifiers have followed, with the node stopped by `kill -TERM`. A new log key
does not help after a theft.

Keys of units, approvers and access keys: the owner makes the new key and goes on with the old one until it is admitted.
The registry key is followed by `creditbank registry succeed`.";

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Request(asked) => {
            let Asked { key, purpose, institution, unit, handover, out } = *asked;
            request(global, &*key.open_any(purpose)?, UnitId::new(institution, unit), &handover, &out)
        }
        Command::Add { request, term, replace } => {
            let client = global.connect().await?;
            let key = term.key(&read_request(&request)?, &term.kinds)?;
            if key.purpose == i32::from(Purpose::Log) {
                let what = "a log key follows another one: run creditbank key rotate OLD-KEY-ID REQUEST";
                return Err(Failure::Usage(what.to_owned()));
            }
            let what = format!("key {}", key_id(&key));
            publish::refuse_known(&client, &RegistryKey::Key(key_id(&key)), &what, replace).await?;
            publish::run(global, &client, &[publish::entry(Kind::Key, &key)?], &what).await
        }
        Command::Rotate { old, request, term } => {
            let client = global.connect().await?;
            let mut gone = current(&client, old).await?;
            let own: Vec<Kind> = gone.kinds.iter().filter_map(|kind| Kind::try_from(*kind).ok()).collect();
            let kinds = if term.kinds.is_empty() { &own } else { &term.kinds };
            let come = term.key(&read_request(&request)?, kinds)?;
            check_rotation(&gone, &come)?;
            check_index(&client, &come).await?;
            let what = format!("key {} in the place of {old}", key_id(&come));
            let mut records = vec![publish::entry(Kind::Key, &come)?];
            // A log key ends where the next one begins.
            if come.purpose != i32::from(Purpose::Log) {
                gone.revoked = Some(revocation(RevocationReason::Rotated, None));
                records.push(publish::entry(Kind::Key, &gone)?);
                return publish::run(global, &client, &records, &what).await;
            }
            let line = log_line(&client, &come)?;
            let acts = format!(
                "it seals from log index {} on, and signs checkpoints from now on.\nIts line for trust files and \
                 witnesses, beside the old one:\n{line}",
                come.from_index
            );
            publish::run_acting(global, &client, &records, &what, &global.registry_work(), &acts).await
        }
        Command::Revoke { key, reason, compromised_since } => {
            let client = global.connect().await?;
            let mut entry = current(&client, key).await?;
            let revoked = revocation(reason, compromised_since);
            check_revocation(key, &entry, &revoked)?;
            entry.revoked = Some(revoked);
            let what = format!("revocation of key {key}");
            publish::run(global, &client, &[publish::entry(Kind::Key, &entry)?], &what).await
        }
        Command::Show { key } => entries::one(global, &global.connect().await?, &RegistryKey::Key(key)).await,
        Command::List { of } => entries::list(global, &global.connect().await?, Kind::Key, of.institution).await,
    }
}

impl Term {
    /// The registry record of a requested key.
    fn key(&self, request: &KeyRequest, kinds: &[Kind]) -> Result<pb::Key, Failure> {
        Ok(request.record(kinds, self.from.unwrap_or(0), self.until.unwrap_or(0))?)
    }
}

/// Refuses what is no rotation.
fn check_rotation(gone: &pb::Key, come: &pb::Key) -> Result<(), Failure> {
    let usage = |what: &str| Err(Failure::Usage(what.to_owned()));
    if gone.purpose == i32::from(Purpose::Registry) {
        return usage("the registry key cannot be rotated like others: run creditbank registry succeed");
    }
    if (gone.purpose, gone.institution, gone.unit) != (come.purpose, come.institution, come.unit) {
        return usage("the new key must have the purpose, institution and unit of the old one");
    }
    if gone.public_key == come.public_key {
        return usage("the request is for the old key: make a new one with creditbank keygen");
    }
    if gone.revoked.is_some() {
        return usage("the old key is revoked already: admit the new one with creditbank key add");
    }
    Ok(())
}

/// The line of a policy that names a log key.
fn log_line(client: &Client, key: &pb::Key) -> Result<String, Failure> {
    let wrong = |what: String| Failure::Usage(format!("the log key: {what}"));
    let bytes = key.public_key.as_slice().try_into().map_err(|_| wrong("expected 32 bytes".to_owned()))?;
    let key = VerifierKey::new(client.origin(), KeyType::Log, bytes).map_err(|error| wrong(error.to_string()))?;
    Ok(format!("log {key}"))
}

/// Refuses a log key that would begin in the past.
async fn check_index(client: &Client, come: &pb::Key) -> Result<(), Failure> {
    if come.purpose != i32::from(Purpose::Log) {
        return Ok(());
    }
    let size = client.checkpoint().await?.0.checkpoint.size;
    if come.from_index > size {
        return Ok(());
    }
    let found = come.from_index;
    Err(Failure::Usage(format!(
        "the request hands over from log index {found}: expected one above the log's size of now, {size}. Make the request \
         anew (creditbank key request --log-key FILE --from-index N)"
    )))
}

/// Refuses a revocation that the registry does not take: of a log key, of the registry key in force, or one that
/// changes nothing.
fn check_revocation(id: KeyId, entry: &pb::Key, new: &pb::KeyRevocation) -> Result<(), Failure> {
    let usage = |what: &str| Err(Failure::Usage(what.to_owned()));
    match Purpose::try_from(entry.purpose) {
        Ok(Purpose::Log) if new.compromised_since_minute > 0 => {
            return usage(
                "a stolen log key is not revoked: stop the node and run creditbank-node succeed \
                 (docs/operate/stolen-keys.md)",
            );
        }
        Ok(Purpose::Log) => return usage("a log key ends where the next one begins: run creditbank key rotate"),
        Ok(Purpose::Registry) if entry.revoked.is_none() => {
            return usage(
                "the registry key in force is not revoked: another one takes over, creditbank registry succeed",
            );
        }
        _ => {}
    }
    let Some(old) = &entry.revoked else { return Ok(()) };
    let since = |revoked: &pb::KeyRevocation| match revoked.compromised_since_minute {
        0 => names::of(revoked.reason()),
        minute => format!("{} since {}", names::of(revoked.reason()), shown(minute)),
    };
    let (was, is) = (old.compromised_since_minute, new.compromised_since_minute);
    if old == new || was > 0 && (is == 0 || is >= was) || was == 0 && is == 0 {
        let what = format!("key {id} is revoked already: {}. Only an earlier time of a theft can be added", since(old));
        return Err(Failure::NotValid(what));
    }
    Ok(())
}

fn revocation(reason: RevocationReason, compromised_since: Option<u64>) -> pb::KeyRevocation {
    pb::KeyRevocation { reason: reason.into(), compromised_since_minute: compromised_since.unwrap_or(0) }
}

fn key_id(key: &pb::Key) -> KeyId {
    KeyId::of(&key.public_key.as_slice().try_into().unwrap_or([0; 32]))
}

fn request(
    global: &Global,
    own: &dyn Signer,
    owner: UnitId,
    handover: &HandoverFrom,
    out: &Path,
) -> Result<(), Failure> {
    let trust = global.trust()?;
    let log = the_log(&trust)?;
    let approves_registry = own.purpose() == Purpose::Approver && owner.institution.is_operator();
    let of_unit = matches!(own.purpose(), Purpose::Unit | Purpose::Approver) && !approves_registry;
    if of_unit != (owner.number > 0) {
        let name = purpose_name(own.purpose());
        let what = if of_unit { "belongs to a unit: pass --unit" } else { "belongs to no unit: leave --unit out" };
        return Err(Failure::Usage(format!("a key for {name} {what}")));
    }
    let mut request = KeyRequest::new(&log, owner, own)?;
    match (own.purpose() == Purpose::Log, &handover.log_key, handover.from_index) {
        (true, Some(log_key), Some(from_index)) => {
            request = request.handed_over(&*log_key.open_any(Some(Purpose::Log))?, from_index)?;
        }
        (true, ..) => {
            let what = "the log key in force hands over to another one: pass its file with --log-key, and the log index \
                        from which on the new one seals with --from-index";
            return Err(Failure::Usage(what.to_owned()));
        }
        (false, None, None) => {}
        (false, ..) => {
            return Err(Failure::Usage("--log-key and --from-index are for log keys: leave them out".to_owned()));
        }
    }
    let text = serde_json::to_string_pretty(&request).map_err(|error| Failure::Usage(error.to_string()))?;
    output::new_file(out, (text + "\n").as_bytes(), false)?;
    let value = json!({ "request": out, "public_key": request.public_key, "purpose": request.purpose });
    output::print(global, &value, || format!("{} is the request: send it to the operator.", out.display()))
}

fn read_request(path: &PathBuf) -> Result<KeyRequest, Failure> {
    let text = fs::read_to_string(path).map_err(Failure::file(path))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::Usage(format!("{} is no key request: {error}", path.display())))
}

async fn current(client: &Client, key: KeyId) -> Result<pb::Key, Failure> {
    // The log key of a succession has no entry of its own.
    if let Some(item) = entries::log_key_of_succession(client).await?.filter(|item| item.key == RegistryKey::Key(key)) {
        return Ok(item.decode()?);
    }
    entries::read(client, &RegistryKey::Key(key), || format!("key {key} is not in the registry")).await
}
