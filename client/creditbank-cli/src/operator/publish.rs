//! Registry records on their way into the log.

use creditbank_client::Client;
use creditbank_client::operator::{Published, publish_or_ask, registry_record};
use creditbank_protocol::canonical::Canonical;
use creditbank_protocol::pb::Kind;
use creditbank_protocol::record::Record;
use creditbank_protocol::registry::RegistryKey;
use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::output;

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

/// Publishes entries in one block and says what was done.
pub(super) async fn run(global: &Global, client: &Client, records: &[Record], what: &str) -> Result<(), Failure> {
    run_acting(global, client, records, what, "it acts on what is sealed from now on.").await
}

/// The same of entries that act in another way; `acts` says in which.
pub(super) async fn run_acting(
    global: &Global,
    client: &Client,
    records: &[Record],
    what: &str,
    acts: &str,
) -> Result<(), Failure> {
    let key = global.registry_key()?;
    let receipt = match publish_or_ask(client, key, records, Some(&global.registry_work())).await? {
        Published::Sealed(receipt) => receipt,
        Published::Already => {
            let value = json!({ "already_published": what });
            return output::print(global, &value, || format!("{what}: published before; nothing was done."));
        }
        Published::Waiting(request, required) => {
            let value = json!({ "waiting_for_approval": what, "request": request, "approvals": required });
            return output::print(global, &value, || {
                format!(
                    "{what}: not published yet. It needs the approvals of {required} other persons: have {} approved\n\
                     (creditbank approve), put the approvals beside it, and run this command again.",
                    request.display()
                )
            });
        }
    };
    let value = json!({ "published": what, "entry": receipt.index, "records": records.len() });
    output::print(global, &value, || format!("{what}: published at entry {}; {acts}", receipt.index))
}
