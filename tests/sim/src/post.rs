//! What is on its way: calls, answers and alarms, in the order of time.

use std::collections::BTreeMap;

use creditbank_protocol::pb::{Receipt, RecordReference};
use creditbank_protocol::{Alias, Digest, Place, UnitId};
use creditbank_rpc::v1::{HeldRedemption, Refusal, SubmitBlockRequest};

use crate::chance::Chance;

/// A call of one run of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub(crate) client: usize,
    /// Which run of the client's process.
    pub(crate) life: u32,
    pub(crate) number: u64,
}

/// What a client asks of the node.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Submit(SubmitBlockRequest),
    /// Accounts of citizens at an institution.
    Accounts(u64, Vec<u64>),
    Head(UnitId),
    Block(UnitId, u64),
    Consequences(Vec<Place>, bool),
}

/// What the node says.
#[derive(Debug, Clone)]
pub(crate) enum Say {
    Receipt(Box<Receipt>),
    Refused(Box<Refusal>),
    Aliases(Vec<Alias>),
    Head(u64, Box<Receipt>),
    Consequences(Vec<RecordReference>, Vec<HeldRedemption>),
    /// A read or an opening of accounts has failed.
    Failed(String),
    /// The connection was lost, or nothing came in time.
    Lost,
}

/// Something that a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// The outbox's pause is over.
    Woken,
    /// A block is on the client's disk.
    Persisted(Digest),
    /// The answer to a call does not come any more.
    Timeout(u64),
    /// What could not be asked about a want is asked again.
    Prepare(u64),
    /// The registrar wants something new.
    Work,
    /// The process is started again.
    Start,
}

/// Something that happens at its time.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    ToNode(Call, Ask),
    ToClient(Call, Say),
    /// To a run of a client.
    Alarm(usize, u32, Alarm),
    /// The node goes on.
    Node,
    /// It is looked whether an empty round is due.
    Tick,
    /// The node is started.
    Start,
    /// The wall clock is set right.
    ClockRight,
    /// The power is cut.
    PowerCut,
    /// The disk has room.
    Room,
    /// Something goes wrong.
    Trouble,
    /// The one who lies tries something.
    Lie,
    /// The auditor reads on.
    Audit,
}

/// How the network behaves, in thousandths.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    /// Messages that take seconds.
    pub(crate) late: u64,
}

/// Everything that is on its way.
#[derive(Debug, Default)]
pub(crate) struct Post {
    queue: BTreeMap<(u64, u64), Event>,
    sent: u64,
    pub(crate) weather: Weather,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
}

impl Post {
    /// Lets something happen at a time.
    pub(crate) fn at(&mut self, ms: u64, event: Event) {
        self.sent += 1;
        self.queue.insert((ms, self.sent), event);
    }

    /// The next thing that happens.
    pub(crate) fn next(&mut self) -> Option<(u64, Event)> {
        self.queue.pop_first().map(|((ms, _), event)| (ms, event))
    }

    /// Sends a message, which may be lost, come twice or late.
    pub(crate) fn send(&mut self, now_ms: u64, chance: &mut Chance, event: Event) {
        let mut copies = 1;
        if chance.often(self.weather.lost) {
            self.lost += 1;
            copies = 0;
        } else if chance.often(self.weather.doubled) {
            self.doubled += 1;
            copies = 2;
        }
        for _ in 0..copies {
            let slow = chance.often(self.weather.late);
            let delay = if slow { chance.between(1_000, 20_000) } else { chance.between(1, 40) };
            self.at(now_ms + delay, event.clone());
        }
    }
}
