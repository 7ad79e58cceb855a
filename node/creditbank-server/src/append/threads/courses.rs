//! The thread that fills the filter of courses after a start, and ends with the ledger.

use std::sync::Arc;

use crate::append::courses::Filling;
use crate::ledger::Shared;

pub(super) fn fill(shared: &Arc<Shared>) {
    let ledger = Arc::downgrade(shared);
    let fill = move || {
        let mut filling = Filling::default();
        // Held for one page at a time, so that a closed ledger is not kept open.
        while let Some(shared) = ledger.upgrade() {
            match filling.step(&shared) {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => {
                    return tracing::warn!(%error, "the learner index cannot be read: the node looks up every repeat");
                }
            }
        }
    };
    // Everything works without the thread, but a little slower.
    if let Err(error) = std::thread::Builder::new().name("courses".to_owned()).spawn(fill) {
        tracing::warn!(%error, "no thread to fill the filter of courses: the node looks up every repeat");
    }
}
