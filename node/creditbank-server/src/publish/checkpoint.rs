//! The stage after the commit: what is durable is published.

use creditbank_protocol::note::Checkpoint;

use crate::append::state::State;
use crate::ledger::{OpenError, Shared};

/// Signs the checkpoint of a durable round and shows the state after it to readers.
pub(crate) fn publish(shared: &Shared, checkpoint: &Checkpoint, state: &State) -> Result<(), OpenError> {
    let checkpoint = shared.sign_checkpoint(checkpoint, &state.signers)?;
    shared.show(State { checkpoint, ..state.clone() });
    Ok(())
}
