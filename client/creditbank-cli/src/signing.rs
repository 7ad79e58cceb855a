//! What commands share that seal a block of a unit: whose chain, where the notes are, and what is said at the end.

use std::path::PathBuf;
use std::sync::Arc;

use creditbank_client::IssuingUnit;
use creditbank_client::sealing::{Contents, Options, Sealed, check, resume, seal_block};
use creditbank_client::{Client, ClientError, KeyPlace, Signer};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Purpose};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{InstitutionId, LogIndex, Place, UnitId};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::Refusal;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::files::beside;
use crate::seeds::SeedsFile;
use crate::{entries, output, show};

/// Whether a command makes records of learners, which have seeds.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    /// It does.
    Seeds,
    /// It has effects on records, and makes none.
    NoSeeds,
}

/// The key that signs.
#[derive(clap::Args)]
pub(crate) struct SigningKey {
    /// The signing key of a unit: a key file, or pkcs11:... for a key in a token
    #[arg(long)]
    key: Option<KeyPlace>,
    #[command(flatten)]
    seeds: SeedsFile,
}

impl SigningKey {
    /// The unit that signs: the key says which. Without a unit's key, the operator, where it may sign in its place.
    pub(crate) async fn unit(
        &self,
        global: &Global,
        client: &Client,
        operator_may: bool,
        needs: Needs,
    ) -> Result<IssuingUnit, Failure> {
        match &self.key {
            Some(place) => {
                let (id, key) = signer(client, place).await?;
                let seeds = match needs {
                    Needs::Seeds => self.seeds.open(client, place, id).await?,
                    Needs::NoSeeds => self.seeds.if_there(client, (place, &*key), id).await?,
                };
                Ok(IssuingUnit::new(id, key, seeds))
            }
            None if operator_may => Ok(IssuingUnit::operator(global.registry_key()?)?),
            None => Err(Failure::Usage("pass the signing key of a unit: --key FILE".to_owned())),
        }
    }

    /// The path beside the key's file, where it is in one.
    pub(crate) fn beside(&self, suffix: &str) -> Option<PathBuf> {
        self.key.as_ref().and_then(|key| key.file()).map(|key| beside(key, suffix))
    }
}

/// A unit's key, and whose it is: the registry says so.
pub(crate) async fn signer(client: &Client, place: &KeyPlace) -> Result<(UnitId, Arc<dyn Signer>), Failure> {
    let key = place.open(Purpose::Unit)?;
    let id = KeyId::of(&key.public_key());
    let missing = || format!("the key {id} is not in the registry");
    let pb::Key { institution, unit, .. } = entries::read(client, &RegistryKey::Key(id), missing).await?;
    Ok((UnitId::new(institution, unit), key))
}

/// Options of commands that seal a block.
#[derive(clap::Args)]
#[command(next_help_heading = "Signing")]
pub(crate) struct Signing {
    #[command(flatten)]
    key: SigningKey,
    /// Number of the institution; the key says it too, and must agree
    #[arg(long)]
    institution: Option<InstitutionId>,
    /// Directory for the notes that keep anything from being sealed twice [default: KEY.blocks]
    #[arg(long)]
    work: Option<PathBuf>,
    /// Say what would be sealed, ask the node about it, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Stop before anything is signed and write a request for a second person: see `creditbank approve`
    ///
    /// Run the same command again, with the same dates, when the approval is there.
    #[arg(long)]
    require_approval: bool,
    /// Words of your own that tell this record from an earlier one that says the same; they stay with you
    #[arg(long, default_value = "")]
    pub(crate) reference: String,
}

/// What became of a block on which another one stands.
pub(crate) enum First {
    /// It is sealed in this entry.
    Sealed(LogIndex),
    /// The ledger has its record already, where the refusal says.
    Known(String),
    /// A second person has to approve it first, or nothing is written.
    Later,
}

impl Signing {
    /// The unit that signs; without a unit's key, the operator, whose registry key is given.
    pub(crate) async fn unit(&self, global: &Global, client: &Client) -> Result<IssuingUnit, Failure> {
        let unit = self.key.unit(global, client, global.has_registry_key(), Needs::Seeds).await?;
        match self.institution {
            Some(expected) if expected != unit.id.institution => Err(Failure::Usage(format!(
                "the key is one of institution {}, expected one of {expected}",
                unit.id.institution.0
            ))),
            _ => Ok(unit),
        }
    }

    /// Seals a block, or only asks about it, and says what became of it. `value` is what is told to programs, `text` to
    /// people.
    pub(crate) async fn seal(
        &self,
        global: &Global,
        client: &Client,
        unit: &IssuingUnit,
        contents: &Contents,
        (value, text): (Value, String),
    ) -> Result<(), Failure> {
        if self.dry_run {
            let refusals = check(client, unit, contents).await?;
            return forecast(global, &refusals, (value, text));
        }
        let work = self.work();
        let options = Options { work: &work, require_approval: self.require_approval };
        let sealed = seal_block(client, unit, contents, options, refused_by_now).await?;
        self::told(global, &sealed, contents.records().len(), (value, text))
    }

    /// Seals several blocks, one after the other, and says at the end in which entries they are. Of a dry run, what the node
    /// has against any of them.
    pub(crate) async fn seal_each(
        &self,
        global: &Global,
        client: &Client,
        unit: &IssuingUnit,
        blocks: &[Contents],
        (value, text): (Value, String),
    ) -> Result<(), Failure> {
        if self.dry_run {
            let mut refusals = Vec::new();
            for contents in blocks {
                refusals.extend(check(client, unit, contents).await?);
            }
            return forecast(global, &refusals, (value, text));
        }
        let work = self.work();
        let options = Options { work: &work, require_approval: self.require_approval };
        let mut all = Vec::new();
        for contents in blocks {
            let sealed = seal_block(client, unit, contents, options, refused_by_now).await?;
            all.push((sealed, contents.records().len()));
        }
        // What an earlier run has sealed is passed over, unless that is all.
        let is_new = |one: &&(Sealed, usize)| one.0 != Sealed::Already;
        match all.iter().rev().find(is_new).or(all.last()) {
            Some((sealed, records)) => self::told(global, sealed, *records, (value, text)),
            None => output::print(global, &value, || text),
        }
    }

    /// Goes on with what an earlier run has begun for the same wish, and says so; `false` where none has.
    pub(crate) async fn resumed(
        &self,
        global: &Global,
        client: &Client,
        unit: &IssuingUnit,
        wish: &[u8],
        value: Value,
    ) -> Result<bool, Failure> {
        if self.dry_run {
            return Ok(false);
        }
        let work = self.work();
        let options = Options { work: &work, require_approval: self.require_approval };
        let Some(sealed) = resume(client, unit, wish, options, refused_by_now).await? else {
            return Ok(false);
        };
        self::told(global, &sealed, 1, (value, String::new()))?;
        Ok(true)
    }

    /// Whether nothing is sealed before a second person has approved it; of a dry run nothing is sealed at all.
    pub(crate) fn asks_for_approval(&self) -> bool {
        self.require_approval || self.dry_run
    }

    /// Seals a block on which another one stands, or goes on with what an earlier run has begun for the same wish.
    pub(crate) async fn seal_first(
        &self,
        global: &Global,
        client: &Client,
        unit: &IssuingUnit,
        contents: &Contents,
        wish: &[u8],
        (value, text): (Value, String),
    ) -> Result<First, Failure> {
        if self.dry_run {
            let refusals = check(client, unit, contents).await?;
            return match refusals.iter().find(|refusal| refusal.reason == Reason::DuplicateRecord.name()) {
                Some(refusal) => Ok(First::Known(refusal.found.clone())),
                None => forecast(global, &refusals, (value, text)).map(|()| First::Later),
            };
        }
        let work = self.work();
        let options = Options { work: &work, require_approval: self.require_approval };
        let sealed = match resume(client, unit, wish, options, refused_by_now).await? {
            Some(Sealed::Done(entry)) => return Ok(First::Sealed(entry)),
            Some(Sealed::Waiting(request)) => Sealed::Waiting(request),
            Some(Sealed::Already) | None => match seal_block(client, unit, contents, options, refused_by_now).await {
                Ok(Sealed::Done(entry)) => return Ok(First::Sealed(entry)),
                Ok(sealed) => sealed,
                Err(ClientError::Refused(refusal)) if refusal.why() == Reason::DuplicateRecord => {
                    return Ok(First::Known(refusal.found.clone()));
                }
                Err(error) => return Err(error.into()),
            },
        };
        told(global, &sealed, contents.records().len(), (value, text))?;
        Ok(First::Later)
    }

    /// Where the notes are.
    fn work(&self) -> PathBuf {
        let own = self.work.clone().or_else(|| self.key.beside(".blocks"));
        own.unwrap_or_else(|| PathBuf::from("creditbank.blocks"))
    }
}

fn refused_by_now(refusal: &Refusal) {
    eprintln!("what an earlier run has left under way was refused: {}", show::safe(&refusal.message));
}

/// Says what became of a block.
fn told(global: &Global, sealed: &Sealed, records: usize, (value, text): (Value, String)) -> Result<(), Failure> {
    let records = u32::try_from(records).unwrap_or(0);
    let (outcome, entry, request) = match sealed {
        Sealed::Done(entry) => ("sealed", Some(*entry), None),
        Sealed::Already => ("sealed before", None, None),
        Sealed::Waiting(request) => ("waiting for approval", None, Some(request.clone())),
    };
    let places = entry.into_iter().flat_map(|entry| (0..records).map(move |index| Place::new(entry, index)));
    let places: Vec<String> = places.map(|place| place.to_string()).collect();
    let own = json!({ "outcome": outcome, "entry": entry.map(|entry| entry.0), "places": places, "request": request });
    output::print(global, &merged(value, own), || {
        let last = match (sealed, places.as_slice()) {
            (Sealed::Done(entry), []) => format!("sealed in entry {entry}"),
            (Sealed::Done(_), places) => format!("sealed at {}", places.join(", ")),
            (Sealed::Already, _) => "nothing was sealed".to_owned(),
            (Sealed::Waiting(request), _) => format!("not sealed yet{}", asked(std::slice::from_ref(request))),
        };
        format!("{}\n{last}", text.trim_end()).trim_start().to_owned()
    })?;
    match sealed {
        Sealed::Already => {
            Err(Failure::Told("an earlier run has sealed the same: pass --reference to seal it once more".to_owned()))
        }
        Sealed::Done(_) | Sealed::Waiting(_) => Ok(()),
    }
}

fn forecast(global: &Global, refusals: &[Refusal], (value, text): (Value, String)) -> Result<(), Failure> {
    let line = |refusal: &Refusal| {
        let Refusal { reason, field, expected, found, .. } = refusal;
        show::safe(&format!("{reason}: {field}: expected {expected}, found {found}"))
    };
    let lines: Vec<String> = refusals.iter().map(line).collect();
    let own = json!({ "outcome": "dry run", "written": false, "refusals": lines });
    output::print(global, &merged(value, own), || {
        let last = if lines.is_empty() { "the node sees nothing against it".to_owned() } else { lines.join("\n") };
        format!("{}\nnothing was written; {last}", text.trim_end())
    })?;
    if lines.is_empty() { Ok(()) } else { Err(Failure::Told("it would be refused".to_owned())) }
}

fn merged(value: Value, own: Value) -> Value {
    match (value, own) {
        (Value::Object(mut fields), Value::Object(own)) => {
            fields.extend(own);
            Value::Object(fields)
        }
        (value, _) => value,
    }
}

/// What a second person is to do.
pub(crate) fn asked(requests: &[PathBuf]) -> String {
    if requests.is_empty() {
        return String::new();
    }
    let lines = requests.iter().map(|request| format!("creditbank approve {} --key APPROVER.key\n", request.display()));
    let lines: Vec<String> = lines.collect();
    format!("\nA second person runs, and then you run this command again:\n{}", lines.concat())
}

/// Asks a person at a terminal; `yes` was said beforehand.
pub(crate) fn ask(question: &str, yes: bool) -> Result<(), Failure> {
    use std::io::{BufRead as _, IsTerminal as _, Write as _};
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("nobody can be asked here: pass --yes to go on without asking".to_owned()));
    }
    let mut out = std::io::stderr().lock();
    let asked = write!(out, "{question} Type yes: ").and_then(|()| out.flush());
    asked.map_err(|error| Failure::Usage(error.to_string()))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::Usage(error.to_string()))?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::Told("nothing was signed".to_owned())) }
}
