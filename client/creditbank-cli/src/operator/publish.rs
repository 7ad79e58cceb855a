//! Registry records on their way into the log.

use std::path::Path;

use creditbank_client::Client;
use creditbank_client::operator::{Earlier, Published, publish_or_ask, registry_record};
use creditbank_protocol::canonical::Canonical;
use creditbank_protocol::counted;
use creditbank_protocol::pb::Kind;
use creditbank_protocol::record::Record;
use creditbank_protocol::registry::RegistryKey;
use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::output::{self, nothing_done};

/// A registry record of a kind.
pub(super) fn entry<M: Canonical>(kind: Kind, message: &M) -> Result<Record, Failure> {
    Ok(registry_record(kind, message)?)
}

/// Refuses to replace an entry unless that was asked for.
pub(super) async fn refuse_known(client: &Client, key: &RegistryKey, what: &str, replace: bool) -> Result<(), Failure> {
    if !replace && client.registry_entry(key).await?.is_some() {
        return Err(Failure::NotValid(format!("{what} is in the registry already: pass --replace to publish it anew")));
    }
    Ok(())
}

/// When entries act.
const ACTS: &str = "it acts on what is sealed from now on.";

/// Publishes entries in one block and says what was done.
pub(super) async fn run(global: &Global, client: &Client, records: &[Record], what: &str) -> Result<(), Failure> {
    run_acting(global, client, records, what, &global.registry_work(), ACTS).await
}

/// As [`run`], with its blocks and requests in another directory.
pub(super) async fn run_in(
    global: &Global,
    client: &Client,
    records: &[Record],
    what: &str,
    work: &Path,
) -> Result<(), Failure> {
    run_acting(global, client, records, what, work, ACTS).await
}

/// The same of entries that act in another way; `acts` says in which.
pub(super) async fn run_acting(
    global: &Global,
    client: &Client,
    records: &[Record],
    what: &str,
    work: &Path,
    acts: &str,
) -> Result<(), Failure> {
    let key = global.registry_key()?;
    let receipt = match publish_or_ask(client, key, records, Some(work), tell_earlier).await? {
        Published::Sealed(receipt) => receipt,
        Published::Already => {
            let value = json!({ "already_published": what });
            return nothing_done(global, &value, &format!("{what} was published before"));
        }
        Published::Asked(request, required) => {
            let value = json!({ "waiting_for_approval": what, "request": request, "approvals": required });
            let persons = counted(required, "other person", "other persons");
            return output::print(global, &value, || {
                format!(
                    "{what}: not published yet. It needs the approvals of {persons}: have {} approved\n\
                     (creditbank approve), put the approvals beside it, and run this command again.",
                    request.display()
                )
            });
        }
        Published::Waiting(request, required) => {
            let value = json!({ "waiting_for_approval": what, "request": request, "approvals": required });
            let (shown, persons) = (request.display(), counted(required, "person", "persons"));
            let said = format!("{what} still waits: expected approvals of {persons} beside {shown}");
            return nothing_done(global, &value, &said);
        }
    };
    let value = json!({ "published": what, "entry": receipt.index, "records": records.len() });
    output::print(global, &value, || format!("{what}: published at entry {}; {acts}", receipt.index))
}

/// What became of another command's block.
fn tell_earlier(earlier: Earlier) {
    match earlier {
        Earlier::Sealed(receipt) => {
            eprintln!("note: what an earlier command has left under way is published at entry {}", receipt.index);
        }
        Earlier::Refused(refusal) => eprintln!(
            "note: what an earlier command has left under way was refused and is NOT published: {}",
            refusal.message
        ),
    }
}
