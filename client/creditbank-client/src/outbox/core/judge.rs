//! A decision against the first block, checked against the log before anything else is signed for its height.

use std::sync::Arc;

use creditbank_protocol::Digest;
use creditbank_protocol::pb::Receipt;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::Refusal;

use super::{Action, Core, Halt, Item, Open, State};
use crate::ChainHead;

/// A decision against the first block.
#[derive(Debug)]
pub(super) struct Doubt {
    refusal: Box<Refusal>,
    /// The head of the chain after the decision.
    head: Option<ChainHead>,
}

impl Core {
    /// The first block was refused: first, where does the chain end?
    pub(super) fn judge(&mut self, refusal: Box<Refusal>) {
        self.items[0].state = State::Judged;
        self.doubt = Some(Doubt { refusal, head: None });
        self.ask_head();
    }

    pub(super) fn judge_by_head(&mut self, head: ChainHead) {
        let Some(doubt) = &mut self.doubt else { return };
        let Some(block) = self.items.front().and_then(|first| first.block.clone()) else { return };
        if head.next_height > block.height {
            doubt.head = Some(head);
            return self.ask_block(block.height);
        }
        // The node counts what it has accepted; what is read is what is durable. Soon they agree.
        let is_unchanged = (head.next_height, head.previous) == (block.height, block.previous);
        let disagrees = match doubt.refusal.why() {
            Reason::StaleHead => true,
            Reason::WrongHeight | Reason::WrongPrevious => is_unchanged,
            _ => false,
        };
        if disagrees {
            let refusal = self.doubt.take().map(|doubt| doubt.refusal).unwrap_or_default();
            return self.left_open(0, Open::Refused(refusal));
        }
        self.refused(head);
    }

    /// What stands at the first block's height: this block, or another.
    pub(super) fn on_stands(&mut self, height: u64, leaf: Digest, receipt: Box<Receipt>) {
        if !self.is_answer_about(height) {
            return;
        }
        let is_ours = self.items.front().and_then(|first| first.block.as_ref()).is_some_and(|block| block.leaf == leaf);
        if is_ours {
            self.doubt = None;
            self.items[0].state = State::Sealed(receipt);
        } else if let Some(head) = self.doubt.as_ref().and_then(|doubt| doubt.head) {
            self.refused(head);
        }
    }

    /// The first block is not sealed and never will be; so are all that build on it.
    fn refused(&mut self, head: ChainHead) {
        let Some(Doubt { refusal, .. }) = self.doubt.take() else { return };
        if self.items.iter().any(|item| matches!(item.state, State::Sealed(_))) {
            let height = self.items.front().and_then(|first| first.block.as_ref()).map_or(0, |block| block.height);
            return self.halt(Halt::Contradiction { height });
        }
        let blocks: Vec<_> = self.items.iter().rev().filter_map(|item| item.block.clone()).collect();
        self.actions.push_back(Action::Forget { blocks });
        self.tip = Some(head);
        let (mut refusal, mut is_first) = (Some(refusal), true);
        for mut item in std::mem::take(&mut self.items) {
            if let (true, Some(block)) = (item.restored, item.block.as_ref()) {
                let (ticket, block, refusal) = (item.ticket, Arc::clone(block), refusal.take());
                self.actions.push_back(Action::Dropped { ticket, block, refusal });
            } else {
                item.requeue();
                if let (true, Some(refusal)) = (is_first, refusal.take()) {
                    self.after_refusal(&mut item, refusal);
                }
                self.items.push_back(item);
            }
            is_first = false;
        }
    }

    /// The chain is followed; anything else is its maker's to decide.
    fn after_refusal(&mut self, item: &mut Item, refusal: Box<Refusal>) {
        if !refusal.why().chain_moved() {
            item.state = State::Undecided;
            return self.actions.push_back(Action::Refused { ticket: item.ticket, refusal });
        }
        self.moved += 1;
        if self.moved >= self.settings.tries_max {
            self.halt(Halt::ChainMoved { times: self.moved, refusal });
        }
    }
}
