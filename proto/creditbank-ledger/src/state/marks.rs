//! What the effects of a block make of the marks of records.

use creditbank_protocol::pb::{Action, Effect, PublicPart};
use creditbank_protocol::status::{Marks, Named, TransitionError};
use creditbank_protocol::{Digest, LogIndex, Place};

use super::{Refusal, Shared};

/// What an effect has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkChange {
    /// The record's identity in the status tree.
    pub status_id: Digest,
    /// Where it stands, if the effect shows it.
    pub place: Option<Place>,
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
    /// The marks do not allow it.
    #[error(transparent)]
    Marks(#[from] TransitionError),
}

/// The leaf of a record in the status tree; no value where no mark stands.
pub(super) fn leaf(id: Digest, marks: &Marks) -> (Digest, Option<Digest>) {
    (id, (!marks.is_empty()).then(|| marks.value()))
}

/// What the effects of the block at log index `entry` change. They are about different records, which the block's shape
/// says.
pub(super) fn changes(
    said: &Shared<Digest, Marks>,
    public: &PublicPart,
    entry: LogIndex,
) -> Result<Vec<MarkChange>, Refusal> {
    let effects = public.groups.iter().flat_map(|group| &group.effects);
    effects.map(|effect| change(said, effect, entry)).collect()
}

fn change(said: &Shared<Digest, Marks>, effect: &Effect, entry: LogIndex) -> Result<MarkChange, Refusal> {
    let refused = |error| Refusal::Effect { record: effect_subject(effect), error };
    let status_id = Digest::from_slice(&effect.status_id).ok_or_else(|| refused(EffectError::StatusId))?;
    let before = said.get(&status_id).copied().unwrap_or_default();
    let action = Action::try_from(effect.action).unwrap_or_default();
    let after = before.after(action, entry, Named::by(effect)).map_err(|error| refused(error.into()))?;
    Ok(MarkChange { status_id, place: effect.place.map(Place::from), action, before, after })
}

/// The record of an effect, as people name it: by its place, where the effect shows one.
pub(crate) fn effect_subject(effect: &Effect) -> String {
    match effect.place {
        Some(place) => Place::from(place).to_string(),
        None => Digest::from_slice(&effect.status_id).map_or_else(String::new, |id| id.to_string()),
    }
}
