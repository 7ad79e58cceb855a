//! The status of a record: independent marks, each with the log index of the effect that set it.

use crate::hash::{Preimage, tag};
use crate::pb::{Action, Effect};
use crate::{Digest, LogIndex};

/// A record's identity in the status tree: H(tag, leaf hash of its entry, its index in the block, record hash).
pub fn status_id(entry_leaf: &Digest, index: u32, record_hash: &Digest) -> Digest {
    Preimage::new(tag::STATUS_ID).fixed(entry_leaf.as_bytes()).u32(index).fixed(record_hash.as_bytes()).digest()
}

/// Whether blocks may carry an action on a record. The others are known by name, and not admitted yet.
pub fn is_carried_by_blocks(action: Action) -> bool {
    !matches!(action, Action::Unspecified | Action::Dispute | Action::Settle)
}

/// A mark. The number is the one in the leaf's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Mark {
    /// A newer record of the same kind stands in its place.
    Superseded = 1,
    /// Its issuer, its custodian or the operator took it back.
    Revoked = 2,
    /// An award or a conversion has used it.
    Redeemed = 3,
    /// The institution stands by it after a key was compromised.
    Confirmed = 4,
    /// The learner contests it.
    Disputed = 5,
    /// Something that it depends on has changed.
    UnderReview = 6,
    /// A contested effect that had superseded or revoked it was undone.
    Reinstated = 7,
}

impl Mark {
    /// Every mark, in the order of the leaf's bytes.
    pub const ALL: [Self; 7] = [
        Self::Superseded,
        Self::Revoked,
        Self::Redeemed,
        Self::Confirmed,
        Self::Disputed,
        Self::UnderReview,
        Self::Reinstated,
    ];

    /// Its name for people and programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Revoked => "revoked",
            Self::Redeemed => "redeemed",
            Self::Confirmed => "confirmed",
            Self::Disputed => "disputed",
            Self::UnderReview => "under review",
            Self::Reinstated => "reinstated",
        }
    }

    /// The mark of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.name() == name)
    }

    /// The action that sets it. A review that was closed may also be open again by a reinstatement.
    pub fn set_by(self) -> Action {
        if self == Self::Reinstated {
            return Action::Reinstate;
        }
        let sets = |row: &&(Action, Self, bool, &[Self])| row.1 == self && row.2;
        TRANSITIONS.iter().find(sets).map_or(Action::Unspecified, |row| row.0)
    }

    fn slot(self) -> usize {
        usize::from(self as u8) - 1
    }
}

/// The marks of one status id: for each the log index of its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks([Option<LogIndex>; 7]);

/// The earlier effects that an effect names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Named {
    /// The redemption that a release undoes, or that holds again where a release is undone.
    pub redemption: Option<LogIndex>,
    /// The contested effect that a reinstatement undoes.
    pub contested: Option<LogIndex>,
}

impl Named {
    /// What an effect names.
    pub fn by(effect: &Effect) -> Self {
        let index = |plus_1: u64| plus_1.checked_sub(1).map(LogIndex);
        Self { redemption: index(effect.redemption_plus_1), contested: index(effect.contested_plus_1) }
    }

    /// A redemption alone.
    pub fn redemption(entry: impl Into<LogIndex>) -> Self {
        Self { redemption: Some(entry.into()), contested: None }
    }

    /// A contested effect alone.
    pub fn contested(entry: impl Into<LogIndex>) -> Self {
        Self { redemption: None, contested: Some(entry.into()) }
    }
}

/// Why a status cannot change in this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// A mark stands in the way.
    #[error("{action:?} is not possible while the record is {}", mark.name())]
    Blocked {
        /// What was asked.
        action: Action,
        /// The mark in the way.
        mark: Mark,
    },
    /// The mark that the action clears does not stand.
    #[error("{action:?} needs a record that is {}", mark.name())]
    Missing {
        /// What was asked.
        action: Action,
        /// The mark that does not stand.
        mark: Mark,
    },
    /// A release that names another redemption.
    #[error("the release names the redemption at {}, the record was redeemed at {redeemed}", show(*named))]
    OtherRedemption {
        /// The redemption that stands.
        redeemed: LogIndex,
        /// The one that the release names.
        named: Option<LogIndex>,
    },
    /// A reinstatement that names another effect than the one that has ended the record.
    #[error("the reinstatement names the effect at {}, the record was {} at {ended}", show(*named), mark.name())]
    OtherEffect {
        /// Superseded or revoked.
        mark: Mark,
        /// The effect that has set it.
        ended: LogIndex,
        /// The one that the reinstatement names.
        named: Option<LogIndex>,
    },
    /// A reinstatement that names no effect.
    #[error("the reinstatement names no effect")]
    NothingNamed,
    /// No action.
    #[error("the action is not stated")]
    Unspecified,
}

fn show(redemption: Option<LogIndex>) -> String {
    redemption.map_or("no entry".to_owned(), |entry| entry.to_string())
}

/// The table of transitions: an action, the mark that it sets or clears, whether it sets it, and the marks that stand
/// in its way. What is not here is refused (PROTOCOL.md, "Transitions").
static TRANSITIONS: [(Action, Mark, bool, &[Mark]); 9] = [
    (Action::Supersede, Mark::Superseded, true, &[Mark::Superseded, Mark::Revoked]),
    (Action::Revoke, Mark::Revoked, true, &[Mark::Revoked, Mark::Superseded]),
    (Action::Redeem, Mark::Redeemed, true, &[Mark::Redeemed, Mark::Superseded, Mark::Revoked, Mark::UnderReview]),
    (Action::Release, Mark::Redeemed, false, &[]),
    (Action::Confirm, Mark::Confirmed, true, &[Mark::Superseded, Mark::Revoked]),
    (Action::Dispute, Mark::Disputed, true, &[Mark::Disputed, Mark::Superseded, Mark::Revoked]),
    (Action::Settle, Mark::Disputed, false, &[]),
    (Action::Review, Mark::UnderReview, true, &[Mark::UnderReview, Mark::Superseded, Mark::Revoked]),
    (Action::CloseReview, Mark::UnderReview, false, &[]),
];

impl Marks {
    /// These marks, each set by the effect at a log index.
    pub fn of(set: impl IntoIterator<Item = (Mark, LogIndex)>) -> Self {
        let mut marks = Self::default();
        for (mark, index) in set {
            marks.0[mark.slot()] = Some(index);
        }
        marks
    }

    /// Log index of the effect that set `mark`.
    pub fn get(&self, mark: Mark) -> Option<LogIndex> {
        self.0[mark.slot()]
    }

    /// Whether nothing was ever said of the record, or everything was undone: then the status tree has no leaf.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Whether the record has ended: another one stands in its place, or it was taken back.
    pub fn have_ended(&self) -> bool {
        self.get(Mark::Superseded).or(self.get(Mark::Revoked)).is_some()
    }

    /// The marks that stand, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Mark, LogIndex)> + '_ {
        Mark::ALL.into_iter().filter_map(|mark| self.get(mark).map(|index| (mark, index)))
    }

    /// The mark that has ended the record, superseded or revoked, with the log index of its effect. Only one of them
    /// can stand.
    pub fn ended(&self) -> Option<(Mark, LogIndex)> {
        self.iter().find(|(mark, _)| matches!(mark, Mark::Superseded | Mark::Revoked))
    }

    /// The marks after `action` by the effect at log index `index`, which names earlier effects.
    pub fn after(&self, action: Action, index: impl Into<LogIndex>, named: Named) -> Result<Self, TransitionError> {
        if action == Action::Reinstate {
            return self.reinstated(index.into(), named);
        }
        let row = TRANSITIONS.iter().find(|row| row.0 == action).ok_or(TransitionError::Unspecified)?;
        let (_, mark, sets, blockers) = *row;
        if let Some(blocker) = blockers.iter().find(|blocker| self.get(**blocker).is_some()) {
            return Err(TransitionError::Blocked { action, mark: *blocker });
        }
        let mut next = *self;
        if sets {
            next.0[mark.slot()] = Some(index.into());
            return Ok(next);
        }
        let standing = self.get(mark).ok_or(TransitionError::Missing { action, mark })?;
        if action == Action::Release && named.redemption != Some(standing) {
            return Err(TransitionError::OtherRedemption { redeemed: standing, named: named.redemption });
        }
        next.0[mark.slot()] = None;
        Ok(next)
    }

    /// The marks after the contested effect that is named was undone. Whether that effect was what this takes it for, a
    /// release or the end of a review, the marks do not say: the rules have to look at it.
    fn reinstated(&self, index: LogIndex, named: Named) -> Result<Self, TransitionError> {
        let action = Action::Reinstate;
        let contested = named.contested.ok_or(TransitionError::NothingNamed)?;
        let mut next = *self;
        match (self.ended(), named.redemption) {
            // What a release has let go of is held again by the redemption that held it, whatever else became of it.
            (_, Some(redemption)) => match self.get(Mark::Redeemed) {
                Some(_) => return Err(TransitionError::Blocked { action, mark: Mark::Redeemed }),
                None => next.0[Mark::Redeemed.slot()] = Some(redemption),
            },
            (Some((mark, ended)), None) if ended == contested => {
                next.0[mark.slot()] = None;
                next.0[Mark::Reinstated.slot()] = Some(index);
            }
            (Some((mark, ended)), None) => {
                return Err(TransitionError::OtherEffect { mark, ended, named: named.contested });
            }
            // A review that was closed is open again.
            (None, None) => match self.get(Mark::UnderReview) {
                Some(_) => return Err(TransitionError::Blocked { action, mark: Mark::UnderReview }),
                None => next.0[Mark::UnderReview.slot()] = Some(index),
            },
        }
        Ok(next)
    }

    /// The leaf's bytes: for each mark that stands, in order, `u8 number || u64 index`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|(mark, index)| std::iter::once(mark as u8).chain(index.0.to_be_bytes())).collect()
    }

    /// Reads a leaf's bytes; `None` unless they are the one spelling.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut marks = Self::default();
        let (rows, rest) = bytes.as_chunks::<9>();
        for [number, index @ ..] in rows {
            let mark = Mark::ALL.into_iter().find(|mark| *mark as u8 == *number)?;
            marks.0[mark.slot()] = Some(LogIndex(u64::from_be_bytes(*index)));
        }
        (rest.is_empty() && marks.to_bytes() == bytes).then_some(marks)
    }

    /// The value hash of the status leaf.
    pub fn value(&self) -> Digest {
        Preimage::new(tag::STATUS_MARKS).variable(&self.to_bytes()).digest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a release undoes the redemption that it names, and no other.
    #[test]
    fn release_names_its_redemption() {
        let redeemed = Marks::default().after(Action::Redeem, 7, Named::default()).expect("nothing stands in the way");
        assert_eq!(
            redeemed.after(Action::Release, 9, Named::redemption(6)),
            Err(TransitionError::OtherRedemption { redeemed: LogIndex(7), named: Some(LogIndex(6)) })
        );
        assert!(redeemed.after(Action::Release, 9, Named::redemption(7)).expect("the right one").is_empty());
    }

    /// Goal: a reinstatement clears what the effect that it names has set, and nothing that another one has set.
    #[test]
    fn a_reinstatement_names_its_effect() {
        for (action, mark) in [(Action::Revoke, Mark::Revoked), (Action::Supersede, Mark::Superseded)] {
            let ended = Marks::default().after(action, 7, Named::default()).expect("nothing stands in the way");
            let other = TransitionError::OtherEffect { mark, ended: LogIndex(7), named: Some(LogIndex(6)) };
            assert_eq!(ended.after(Action::Reinstate, 9, Named::contested(6)), Err(other));
            assert_eq!(ended.after(Action::Reinstate, 9, Named::default()), Err(TransitionError::NothingNamed));
            let again = ended.after(Action::Reinstate, 9, Named::contested(7)).expect("the right one");
            assert_eq!(again.iter().collect::<Vec<_>>(), [(Mark::Reinstated, LogIndex(9))]);
        }
    }

    /// Goal: a release that is undone gives the mark of the redemption that held; of what something else has redeemed
    /// since it gives nothing.
    #[test]
    fn a_release_is_undone() {
        let named = Named { redemption: Some(LogIndex(4)), contested: Some(LogIndex(7)) };
        let held = Marks::default().after(Action::Reinstate, 9, named).expect("free");
        assert_eq!(held.get(Mark::Redeemed), Some(LogIndex(4)));
        let blocked = TransitionError::Blocked { action: Action::Reinstate, mark: Mark::Redeemed };
        assert_eq!(held.after(Action::Reinstate, 10, named), Err(blocked));
    }

    /// Goal: every set of marks has one spelling, and no other bytes are read.
    #[test]
    fn marks_have_one_spelling() {
        let marks = Marks::default()
            .after(Action::Dispute, 5, Named::default())
            .and_then(|m| m.after(Action::Redeem, 8, Named::default()))
            .expect("independent marks");
        let bytes = marks.to_bytes();
        assert_eq!(Marks::from_bytes(&bytes), Some(marks));
        let swapped = [&bytes[9..], &bytes[..9]].concat();
        assert_eq!(Marks::from_bytes(&swapped), None);
        assert_eq!(Marks::from_bytes(&bytes[..10]), None);
    }
}
