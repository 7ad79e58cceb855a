//! What a core is told, and what it asks for.

use std::sync::Arc;

use creditbank_protocol::Digest;
use creditbank_protocol::pb::Receipt;
use creditbank_rpc::v1::Refusal;

use crate::ChainHead;
use crate::outbox::Prepared;

/// Names what is to be sealed, within one core. In the order in which they were queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(super) u64);

/// Names one sending of a block, within one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub(super) u64);

/// How a core behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Most blocks that are signed and not settled.
    pub in_flight_max: usize,
    /// How often a block is sent, a question asked or a chain that moves followed, before the core halts.
    pub tries_max: u32,
    /// The pause after the first try without an answer; it doubles with each further one.
    pub first_wait_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { in_flight_max: 8, tries_max: 6, first_wait_ms: 200 }
    }
}

/// Why it is not known what became of a block, or what a question is answered with.
#[derive(Debug, Clone, PartialEq)]
pub enum Open {
    /// The node has answered, and the answer leaves it open.
    Refused(Box<Refusal>),
    /// Nothing came: the connection was lost, or the time was over.
    Lost(String),
    /// What came does not verify: the node is broken, or it lies.
    Unverified(String),
}

/// What the node says to a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is sealed: a receipt for this block that verifies.
    Sealed(Box<Receipt>),
    /// It was refused.
    Refused(Box<Refusal>),
    /// Nothing that can be believed.
    Open(Open),
}

/// What has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The head of the unit's chain, verified.
    Head(ChainHead),
    /// The block that stands at a height of the unit's chain: its leaf, and a receipt that verifies.
    Stands {
        /// The height that was asked about.
        height: u64,
        /// The leaf of the block's entry.
        leaf: Digest,
        /// The receipt.
        receipt: Box<Receipt>,
    },
    /// The head or the block at a height could not be read.
    Unread(Open),
    /// The block that was asked for.
    Signed {
        /// For which ticket.
        ticket: Ticket,
        /// The block.
        block: Arc<Prepared>,
    },
    /// A block would survive a crash.
    Persisted {
        /// The id of its header.
        id: Digest,
    },
    /// The node's answer to a block.
    Answered {
        /// To which sending.
        attempt: Attempt,
        /// The answer.
        answer: Answer,
    },
    /// The pause is over.
    Woken,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Read the head of the unit's chain.
    AskHead,
    /// Read what stands at a height.
    AskBlock {
        /// The height.
        height: u64,
    },
    /// Make and sign the block of a ticket.
    Sign {
        /// The ticket.
        ticket: Ticket,
        /// What the block builds on.
        head: ChainHead,
    },
    /// Put a block on the disk.
    Persist {
        /// The block.
        block: Arc<Prepared>,
    },
    /// Send a block. Blocks reach the node best in the order in which they are sent.
    Send {
        /// What the answer is to.
        attempt: Attempt,
        /// The block.
        block: Arc<Prepared>,
    },
    /// Pause.
    Wait {
        /// For so long.
        ms: u64,
    },
    /// Take blocks off the disk: the last one first, so that none remains whose predecessor is gone.
    Forget {
        /// The blocks, the last one first.
        blocks: Vec<Arc<Prepared>>,
    },
    /// A block is sealed.
    Sealed {
        /// Whose.
        ticket: Ticket,
        /// The block.
        block: Arc<Prepared>,
        /// The proof.
        receipt: Box<Receipt>,
    },
    /// A block was refused for what it says or who signs it. It is off the disk.
    Refused {
        /// Whose.
        ticket: Ticket,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// A block of an earlier run is not sealed and never will be.
    Dropped {
        /// Whose.
        ticket: Ticket,
        /// The block.
        block: Arc<Prepared>,
        /// Why; nothing where the block before it met that fate.
        refusal: Option<Box<Refusal>>,
    },
    /// It goes no further.
    Halt(Halt),
}

/// Why a core goes no further. What is on the disk stays: the next run goes on with it.
#[derive(Debug, Clone, PartialEq)]
pub enum Halt {
    /// The node did not settle a block or answer a question in so many tries: the last answer.
    Unsettled(Open),
    /// The node found so many times in a row that the first block does not continue its chain, or that its time is too
    /// far from the node's.
    ChainMoved {
        /// How many times.
        times: u32,
        /// What it said last.
        refusal: Box<Refusal>,
    },
    /// The node has proved a block sealed, and another one at the height below it.
    Contradiction {
        /// The height below.
        height: u64,
    },
}
