//! `keygen`.

use creditbank_client::KeyPlace;
use creditbank_protocol::key::{KeyId, commitment};
use creditbank_protocol::pb::Purpose;
use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// New file for the key, or pkcs11:token=LABEL;object=NAME to make it in a token; nothing is ever replaced
    file: KeyPlace,
    /// What the key is for
    ///
    /// Of an institution: unit, approver, institution-access. Of the operator: registry, approver, log, statement,
    /// operator-access, credential. Of others: auditor-access, guardian-access, and learner, for mandates.
    #[arg(long, default_value = "unit", value_parser = values::purpose)]
    purpose: Purpose,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Result<(), Failure> {
    let key = arguments.file.generate(arguments.purpose)?;
    let (id, public_key) = (KeyId::of(&key.public_key()).to_string(), hex::encode(key.public_key()));
    let mut value = json!({ "file": arguments.file.to_string(), "key_id": id, "public_key": public_key });
    let mut facts = vec![("key id", id), ("public key", public_key)];
    if arguments.purpose == Purpose::Registry {
        // What is told to others before the key is used; the public key is not.
        let committed = commitment(&key.public_key()).to_string();
        value["commitment"] = json!(committed);
        facts.push(("commitment", committed));
    }
    output::print(global, &value, || output::facts(facts))
}
