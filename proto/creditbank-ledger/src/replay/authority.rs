//! Whether a signer may do what its block does, as far as that is public.

use creditbank_protocol::contested::is_contested;
use creditbank_protocol::pb::{Action, Kind};
use creditbank_protocol::status::Mark;
use creditbank_protocol::{InstitutionId, LogIndex};
use creditbank_rules::admission::{check_public_effect, check_public_kind, check_signer, check_uses};
use creditbank_rules::{Registry, Rule};

use super::contradiction::Subject;
use super::entries::Entries;
use super::{Contradiction, ReadBlock};
use crate::state::{Applied, OpenRound};

/// Checks the signer of an institution's block, its approval, that what it uses was not used before, and that its key
/// may sign what the block publishes. The
/// operator's key was checked with the chain.
pub(super) fn signer(subject: &Subject, round: &OpenRound, read: &ReadBlock) -> Result<(), Contradiction> {
    let block = read.block();
    let (registry, facts) = (&round.state().in_force().registry, round.facts(read, &[]));
    if read.is_operators() {
        return check_uses(&facts).map_err(|rejection| subject.breaks(&rejection));
    }
    check_signer(registry, &facts).map_err(|rejection| subject.breaks(&rejection))?;
    check_uses(&facts).map_err(|rejection| subject.breaks(&rejection))?;
    let mut kinds = block.public().records.iter().map(|shown| Kind::try_from(shown.kind).unwrap_or_default());
    kinds.try_for_each(|kind| check_public_kind(registry, &facts, kind)).map_err(|rejection| subject.breaks(&rejection))
}

/// Checks that each effect of a block is about a record of the log, and by right; and that what is confirmed is
/// contested.
pub(super) fn effects(
    subject: &Subject,
    entries: &Entries,
    round: &OpenRound,
    read: &ReadBlock,
    applied: &Applied,
) -> Result<(), Contradiction> {
    if applied.marks.is_empty() {
        return Ok(());
    }
    let registry: &Registry = &round.state().in_force().registry;
    let facts = round.facts(read, &[]);
    let groups = &read.block().public().groups;
    let effects = groups.iter().flat_map(|group| group.effects.iter().map(move |effect| (group, effect)));
    for ((group, effect), change) in effects.zip(&applied.marks) {
        let (place, action) = (change.place, change.action);
        let issuer = entries.issuer_at(place);
        let issuer = issuer.ok_or_else(|| subject.effect(place, "the place of a record", "none there"))?;
        // What was redeemed is released by whoever redeemed it.
        let redemption = effect.redemption_plus_1.checked_sub(1).filter(|_| action == Action::Release);
        let owner = redemption.map_or(Some(issuer), |at| entries.institution_at(LogIndex(at)));
        let authority = group.authority.clone().unwrap_or_default();
        let check = |owner: Option<InstitutionId>| check_public_effect(registry, &facts, &authority, effect, owner);
        // Whether a record of a custodian's block is its own or a closed institution's stands in the record.
        if let Err(rejection) = check(owner)
            && !entries.kept_for(place.entry).any(|other| check(Some(other)).is_ok())
        {
            return Err(subject.breaks(&rejection));
        }
        if action == Action::Confirm {
            let suspect = |entry| entries.is_suspect(entry, registry);
            let confirmation = change.before.get(Mark::Confirmed).map(suspect);
            if !is_contested(suspect(place.entry), confirmation) {
                let (expected, found) = ("a record that a compromised key has sealed", format!("effect on {place}"));
                return Err(subject.wrong(Rule::NotContested.name(), expected, &found));
            }
        }
    }
    Ok(())
}
