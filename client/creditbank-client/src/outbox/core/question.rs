//! What the log itself is asked: where the chain ends, and what stands at a height.

use super::{Action, Core, Halt, Open, pause_ms, tries_for};
use crate::ChainHead;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Head,
    Block(u64),
}

/// One question at a time.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: Option<Question>,
    /// Tries without an answer.
    tries: u32,
}

impl Questions {
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether an answer is to this question, which it then settles.
    fn take(&mut self, question: Question) -> bool {
        let is_it = self.open == Some(question);
        if is_it {
            *self = Self::default();
        }
        is_it
    }
}

impl Core {
    pub(super) fn ask_head(&mut self) {
        self.ask(Question::Head);
    }

    pub(super) fn ask_block(&mut self, height: u64) {
        self.ask(Question::Block(height));
    }

    fn ask(&mut self, question: Question) {
        self.questions.open = Some(question);
        self.actions.push_back(match question {
            Question::Head => Action::AskHead,
            Question::Block(height) => Action::AskBlock { height },
        });
    }

    pub(super) fn on_head(&mut self, head: ChainHead) {
        if !self.questions.take(Question::Head) {
            return;
        }
        if self.doubt.is_some() {
            self.judge_by_head(head);
        } else {
            self.tip = Some(head);
        }
    }

    pub(super) fn is_answer_about(&mut self, height: u64) -> bool {
        self.questions.take(Question::Block(height))
    }

    /// Asks again after a pause.
    pub(super) fn on_unread(&mut self, open: Open) {
        if self.questions.open.is_none() || self.is_waiting {
            return;
        }
        self.questions.tries += 1;
        let tries = self.questions.tries;
        let is_decision = matches!(&open, Open::Refused(refusal) if !refusal.leaves_outcome_open());
        if is_decision || tries >= tries_for(self.settings.tries_max, &open) {
            return self.halt(Halt::Unsettled(open));
        }
        self.is_waiting = true;
        self.actions.push_back(Action::Wait { ms: pause_ms(self.settings.first_wait_ms, tries, &open) });
    }

    pub(super) fn on_woken(&mut self) {
        if !std::mem::take(&mut self.is_waiting) {
            return;
        }
        if let Some(question) = self.questions.open {
            self.ask(question);
        }
    }
}
