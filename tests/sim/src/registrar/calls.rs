//! What a registrar asks of the node, and what it makes of an answer.

use std::sync::Arc;

use creditbank_client::outbox::{Answer, Attempt, Event as Happened, Open, Prepared};
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::note::Policy;
use creditbank_protocol::receipt::verify_receipt;

use super::{Around, Registrar};
use crate::post::{Alarm, Ask, Call, Event, Say};
use crate::signing::head_of;
use crate::trace::note;
use crate::truth::Broken;
use crate::want::Consequences;

/// A call without an answer counts as lost after so long.
const TIMEOUT_MS: u64 = 10_000;

/// What a call is for.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    Send(Attempt, Arc<Prepared>),
    Head,
    Block(u64),
    Alias(u64),
    Consequences(u64),
}

impl Registrar {
    pub(super) fn ask(&mut self, purpose: Purpose, ask: Ask, around: &mut Around<'_>) {
        let Some(process) = &mut self.process else { return };
        process.calls_made += 1;
        let number = process.calls_made;
        process.calls.insert(number, purpose);
        let call = Call { client: self.id, life: self.life, number };
        around.post.send(around.now_ms, around.chance, Event::ToNode(call, ask));
        around.post.at(around.now_ms + TIMEOUT_MS, Event::Alarm(self.id, self.life, Alarm::Timeout(number)));
    }

    /// The answer to a call. It may come twice, or after it was given up.
    pub(crate) fn hear(&mut self, call: Call, say: Say, around: &mut Around<'_>) -> Result<(), Broken> {
        let Some(process) = self.process.as_mut().filter(|_| call.life == self.life) else { return Ok(()) };
        let purpose = match process.calls.get(&call.number) {
            // Answers to a block are the outbox's to ignore.
            Some(Purpose::Send(attempt, block)) => Purpose::Send(*attempt, Arc::clone(block)),
            Some(_) => match process.calls.remove(&call.number) {
                Some(purpose) => purpose,
                None => return Ok(()),
            },
            None => return Ok(()),
        };
        match purpose {
            Purpose::Send(attempt, block) => {
                let answer = answer_of(&block, say, around.policy);
                if around.is_forgetful && gives_up(&answer) {
                    note!(around.trace, "client {} gives up what is under way", self.id);
                    self.desk.outbox.clear();
                    self.kill();
                    return self.start(around);
                }
                process.core.handle(Happened::Answered { attempt, answer });
            }
            Purpose::Head => {
                let head = match say {
                    Say::Head(next_height, receipt) => head_of(self.unit, next_height, &receipt, around.policy),
                    other => Err(open_of(other)),
                };
                process.core.handle(head.map_or_else(Happened::Unread, Happened::Head));
            }
            Purpose::Block(height) => {
                let event = match say {
                    Say::Receipt(receipt) => Happened::Stands { height, leaf: leaf_hash(&receipt.entry), receipt },
                    other => Happened::Unread(open_of(other)),
                };
                process.core.handle(event);
            }
            Purpose::Alias(id) => match (say, self.desk.wants.get(&id).and_then(|item| item.want.citizen())) {
                (Say::Aliases(aliases), Some(citizen)) => {
                    self.desk.aliases.extend(aliases.first().map(|alias| (citizen, *alias)));
                    let ticket = process.preparing.remove(&id).flatten();
                    self.prepare(id, ticket, around);
                }
                _ => self.later(id, around),
            },
            Purpose::Consequences(id) => match say {
                Say::Consequences(reviews, releases) => self.ready(id, &Consequences { reviews, releases }),
                _ => self.later(id, around),
            },
        }
        self.go_on(around)
    }

    /// What could not be asked is asked again.
    fn later(&mut self, id: u64, around: &mut Around<'_>) {
        let when = around.now_ms + around.chance.between(200, 5_000);
        around.post.at(when, Event::Alarm(self.id, self.life, Alarm::Prepare(id)));
    }
}

fn open_of(say: Say) -> Open {
    match say {
        Say::Refused(refusal) => Open::Refused(refusal),
        Say::Failed(why) => Open::Unverified(why),
        Say::Lost => Open::Lost("nothing came".to_owned()),
        _ => Open::Unverified("another answer".to_owned()),
    }
}

fn answer_of(block: &Prepared, say: Say, policy: &Policy) -> Answer {
    match say {
        Say::Receipt(receipt) if leaf_hash(&receipt.entry) != block.leaf => {
            Answer::Open(Open::Unverified("the receipt is for another block".to_owned()))
        }
        Say::Receipt(receipt) => match verify_receipt(&receipt, policy) {
            Ok(_) => Answer::Sealed(receipt),
            Err(error) => Answer::Open(Open::Unverified(error.to_string())),
        },
        Say::Refused(refusal) => Answer::Refused(refusal),
        other => Answer::Open(open_of(other)),
    }
}

/// Whether an outbox that gives up too early gives up at this.
fn gives_up(answer: &Answer) -> bool {
    match answer {
        Answer::Refused(refusal) => refusal.reason == "STOPPED",
        Answer::Open(Open::Lost(_)) => true,
        _ => false,
    }
}
