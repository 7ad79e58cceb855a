//! Signed blocks on their way into a unit's chain: on the disk before they are sent, and there until it is known what became
//! of them.
//!
//! [`Core`] works out what became of a block, and does nothing by itself. It is driven over a [`Client`](crate::Client) by
//! the commands of this crate, and one step at a time by whoever simulates a client.

mod core;
mod disk;
mod driver;
mod line;
mod mark;
mod notes;
mod patience;
mod pending;
mod prepared;

pub use self::core::{Action, Answer, Attempt, Core, Event, Halt, Open, Settings, Ticket};
pub(crate) use driver::{Operation, Outbox, Outcome};
pub(crate) use mark::{Mark, keyed};
pub(crate) use notes::{Held, Issued};
pub(crate) use patience::patiently;
pub use pending::{GivenUp, Pending};
pub use prepared::{Prepared, PreparedError};

use crate::ClientError;

/// Why a call has left it open what it was about.
fn open_of(error: ClientError) -> Open {
    match error {
        ClientError::Unreachable(why) => Open::Lost(why),
        ClientError::Refused(refusal) => Open::Refused(refusal),
        ClientError::Lie(why) => Open::Unverified(why),
        other => Open::Unverified(other.to_string()),
    }
}
