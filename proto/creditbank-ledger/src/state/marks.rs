//! What the effects of a block make of the marks of records.

use std::collections::BTreeSet;

use creditbank_protocol::pb::{Action, Effect, PublicPart};
use creditbank_protocol::status::{Marks, TransitionError};
use creditbank_protocol::{Digest, LogIndex, Place};

use super::{Refusal, Shared};

/// What an effect has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkChange {
    /// The record.
    pub place: Place,
    /// Its identity in the status tree.
    pub status_id: Digest,
    /// What was done.
    pub action: Action,
    /// Its marks before.
    pub before: Marks,
    /// Its marks from then on.
    pub after: Marks,
}

/// Why an effect cannot follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// Not 32 bytes.
    #[error("expected a status id of 32 bytes")]
    StatusId,
    /// An earlier effect on the place has named another status id.
    #[error("the status id is {found}, earlier effects name {expected}")]
    OtherStatusId {
        /// The earlier one.
        expected: Digest,
        /// The effect's.
        found: Digest,
    },
    /// Another effect of the block is about the same record.
    #[error("the block changes the record twice")]
    Twice,
    /// The marks do not allow it.
    #[error(transparent)]
    Marks(#[from] TransitionError),
}

/// The leaf of a record in the status tree; no value where no mark stands.
pub(super) fn leaf(id: Digest, marks: &Marks) -> (Digest, Option<Digest>) {
    (id, (!marks.is_empty()).then(|| marks.value()))
}

/// What the effects of the block at log index `entry` change.
pub(super) fn changes(
    said: &Shared<Place, (Digest, Marks)>,
    public: &PublicPart,
    entry: LogIndex,
) -> Result<Vec<MarkChange>, Refusal> {
    let effects = || public.groups.iter().flat_map(|group| &group.effects);
    let change = |effect: &Effect| {
        let place = Place::read(effect.place);
        change(said, effect, place, entry).map_err(|error| Refusal::Effect { place, error })
    };
    let changes = effects().map(change).collect::<Result<Vec<_>, _>>()?;
    let mut seen = BTreeSet::new();
    match changes.iter().find(|change| !seen.insert(change.place)) {
        Some(MarkChange { place, .. }) => Err(Refusal::Effect { place: *place, error: EffectError::Twice }),
        None => Ok(changes),
    }
}

fn change(
    said: &Shared<Place, (Digest, Marks)>,
    effect: &Effect,
    place: Place,
    entry: LogIndex,
) -> Result<MarkChange, EffectError> {
    let status_id = Digest::from_slice(&effect.status_id).ok_or(EffectError::StatusId)?;
    let before = match said.get(&place) {
        Some((expected, _)) if *expected != status_id => {
            return Err(EffectError::OtherStatusId { expected: *expected, found: status_id });
        }
        Some((_, marks)) => *marks,
        None => Marks::default(),
    };
    let action = Action::try_from(effect.action).unwrap_or_default();
    let after = before.after(action, entry, effect.redemption_plus_1.checked_sub(1).map(LogIndex))?;
    Ok(MarkChange { place, status_id, action, before, after })
}
