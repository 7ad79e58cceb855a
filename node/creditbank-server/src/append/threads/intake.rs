//! The queue of the sequencer. Blocks of one address keep their order. Addresses take turns, so a sender of many blocks
//! waits behind himself.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use creditbank_protocol::InstitutionId;

use super::verifiers::Verdict;
use super::{AccountsReply, BlockReply};
use crate::append::accounts::Identified;
use crate::append::share::Place;
use crate::serve::Peer;
use crate::work::turns::{Bounds, Turns};

/// A block. Other threads may still be checking it.
pub(super) struct Block {
    pub(super) peer: Peer,
    pub(super) verified: Verdict,
    pub(super) reply: BlockReply,
    /// Its place in this queue.
    pub(super) place: Place,
}

/// Persons whose accounts are to be opened.
pub(super) struct Accounts {
    pub(super) institution: InstitutionId,
    pub(super) persons: Vec<Identified>,
    pub(super) reply: AccountsReply,
}

/// Work for the sequencer.
pub(super) enum Job {
    Block(Block),
    Accounts(Accounts),
    Tick,
    /// The last one.
    Stop,
}

/// The queue accepts nothing any more, or is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotTaken {
    Closed,
    Full,
}

struct State {
    blocks: Turns<Peer, Block>,
    accounts: VecDeque<Accounts>,
    /// Blocks and calls that open accounts take turns too.
    accounts_next: bool,
    tick: bool,
    closed: bool,
}

/// The queue. Its places are counted where they are taken.
pub(super) struct Intake {
    accounts_max: usize,
    state: Mutex<State>,
    arrived: Condvar,
}

impl State {
    fn pop(&mut self) -> Option<Job> {
        self.accounts_next = !self.accounts_next;
        let job = if self.accounts_next {
            self.pop_accounts().or_else(|| self.pop_block())
        } else {
            self.pop_block().or_else(|| self.pop_accounts())
        };
        if job.is_some() {
            return job;
        }
        if std::mem::take(&mut self.tick) {
            return Some(Job::Tick);
        }
        self.closed.then_some(Job::Stop)
    }
}

impl State {
    fn pop_accounts(&mut self) -> Option<Job> {
        self.accounts.pop_front().map(Job::Accounts)
    }

    fn pop_block(&mut self) -> Option<Job> {
        let (peer, block) = self.blocks.pop()?;
        self.blocks.done(peer);
        Some(Job::Block(block))
    }
}

impl Intake {
    /// A queue for this many blocks and this many calls that open accounts.
    pub(super) fn new(places: usize) -> Self {
        let bounds = Bounds { all: usize::MAX, of_caller: places, at_once: usize::MAX };
        let (blocks, accounts) = (Turns::new(bounds), VecDeque::new());
        let state = State { blocks, accounts, accounts_next: false, tick: false, closed: false };
        Self { accounts_max: places, state: Mutex::new(state), arrived: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put<T>(&self, put: impl FnOnce(&mut State) -> Result<T, NotTaken>) -> Result<T, NotTaken> {
        let mut state = self.state();
        if state.closed {
            return Err(NotTaken::Closed);
        }
        let done = put(&mut state)?;
        drop(state);
        self.arrived.notify_one();
        Ok(done)
    }

    /// Adds a block behind those of its address.
    pub(super) fn block(&self, block: Block) -> Result<(), NotTaken> {
        self.put(|state| state.blocks.push(block.peer, block).map(|_| ()).map_err(|_| NotTaken::Full))
    }

    pub(super) fn accounts(&self, accounts: Accounts) -> Result<(), NotTaken> {
        self.put(|state| {
            if state.accounts.len() >= self.accounts_max {
                return Err(NotTaken::Full);
            }
            state.accounts.push_back(accounts);
            Ok(())
        })
    }

    /// Asks for an empty round.
    pub(super) fn tick(&self) {
        // If nothing is accepted any more, no round is needed.
        let _ = self.put(|state| {
            state.tick = true;
            Ok(())
        });
    }

    /// Accepts nothing new; [`Job::Stop`] follows what waits.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.arrived.notify_all();
    }

    /// Accepts nothing new, and drops what waits, because nobody will work on it. Callers who wait for an answer are
    /// told.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.closed = true;
        let left = (state.blocks.clear(), std::mem::take(&mut state.accounts));
        drop(state);
        drop(left);
    }

    /// The next job, once there is one.
    pub(super) fn next(&self) -> Job {
        let mut state = self.state();
        loop {
            match state.pop() {
                Some(job) => return job,
                None => state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// The next job, if there is one already.
    pub(super) fn try_next(&self) -> Option<Job> {
        self.state().pop()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::oneshot;

    use super::*;
    use crate::append::SubmitError;
    use crate::append::share::Share;
    use crate::append::threads::Reply;
    use crate::work::Who;

    fn peer(number: u8) -> Peer {
        Peer::of(([192, 0, 2, number], 1).into())
    }

    type Told = oneshot::Receiver<Result<creditbank_protocol::pb::Receipt, SubmitError>>;

    /// A block of an address, and the receiver of its answer.
    fn block(share: &Arc<Share>, number: u8) -> (Block, Told) {
        let (answer, told) = oneshot::channel();
        let hold = || share.take(Who::Address(peer(number)), 1).expect("room");
        let verified = oneshot::channel().1;
        (Block { peer: peer(number), verified, reply: Reply { answer, _room: hold() }, place: hold() }, told)
    }

    /// The number of the block that comes next. Its answer is sent, and its receiver hears it.
    fn next(intake: &Intake, waiting: &mut [Told]) -> Option<usize> {
        let Job::Block(Block { reply, .. }) = intake.next() else { return None };
        reply.send(Err(SubmitError::Stopped(String::new())));
        waiting.iter_mut().position(|told| told.try_recv().is_ok())
    }

    /// Goal: blocks of one address keep their order, those of another address do not wait for them, and a stop comes
    /// after all of them.
    #[test]
    fn addresses_take_turns() {
        let (intake, share) = (Intake::new(1_000), Share::new(10_000));
        let mut waiting = Vec::new();
        for number in (0..100).map(|_| 1).chain([2, 2]) {
            let (block, told) = block(&share, number);
            intake.block(block).expect("it is open");
            waiting.push(told);
        }
        intake.close();
        let (late, _told) = block(&share, 3);
        assert_eq!(intake.block(late), Err(NotTaken::Closed));
        let order: Vec<_> = std::iter::from_fn(|| next(&intake, &mut waiting)).collect();
        assert_eq!(order[..5], [0, 100, 1, 101, 2]);
        assert_eq!(order[5..], (3..100).collect::<Vec<_>>());
        assert!(matches!(intake.next(), Job::Stop));
    }

    /// Goal: when the thread that takes jobs ends, everybody who waits is told, and what they held is free.
    #[test]
    fn who_waits_for_a_thread_that_ended_is_told() {
        let (intake, share) = (Intake::new(1_000), Share::new(64));
        let (block, mut told) = block(&share, 1);
        intake.block(block).expect("it is open");
        intake.abandon();
        assert_eq!(told.try_recv().expect_err("nobody answers"), oneshot::error::TryRecvError::Closed);
        assert!(intake.try_next().is_some_and(|job| matches!(job, Job::Stop)));
        drop(share.take(Who::Address(peer(2)), 18).expect("nothing is held"));
    }
}
