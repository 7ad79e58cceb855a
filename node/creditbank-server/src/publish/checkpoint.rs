//! The stage after the commit: what is durable is shown.

use creditbank_protocol::note::{Checkpoint, NoteError};

use crate::append::state::State;
use crate::ledger::Shared;

/// Signs the checkpoint of a durable round and shows the state after it to readers.
pub(crate) fn publish(shared: &Shared, checkpoint: &Checkpoint, state: &State) -> Result<(), NoteError> {
    let checkpoint = shared.sign_checkpoint(checkpoint)?;
    shared.show(State { checkpoint, ..state.clone() });
    Ok(())
}
