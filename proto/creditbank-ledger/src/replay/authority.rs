//! Whether a signer may do what its block does, as far as that is public.

use std::convert::Infallible;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::contested::is_contested_by;
use creditbank_protocol::pb::{Action, Basis, Kind};
use creditbank_protocol::status::{Mark, Named};
use creditbank_rules::admission::{check_public_effect, check_public_kind, check_signer, check_uses};
use creditbank_rules::{Registry, Rule};

use super::contradiction::Subject;
use super::entries::Entries;
use super::{Contradiction, ReadBlock};
use crate::state::{Applied, MarkChange, OpenRound, effect_subject};

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
    entries: &mut Entries,
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
        let (action, named, shown) = (change.action, Named::by(effect), effect_subject(effect));
        // Where no place shows, the right does not depend on whose record it is.
        let owner = match change.place {
            Some(place) => {
                let issuer = entries.issuer_at(place);
                let issuer = issuer.ok_or_else(|| subject.effect(place, "the place of a record", "none there"))?;
                if let Some((at, id)) = entries.name(place, change.status_id) {
                    let expected = format!("as earlier effects name it: {id} at {at}");
                    return Err(subject.effect(place, &expected, &format!("{} at {place}", change.status_id)));
                }
                Some(issuer)
            }
            // What was redeemed is released by whoever redeemed it, and so is a release undone.
            None => named.redemption.and_then(|at| entries.institution_at(at)),
        };
        let authority = group.authority.clone().unwrap_or_default();
        let check = |owner: Option<InstitutionId>| check_public_effect(registry, &facts, &authority, effect, owner);
        // Whether a record of a custodian's block is its own or a closed institution's stands in the record.
        if let Err(rejection) = check(owner)
            && !change.place.is_some_and(|at| entries.kept_for(at.entry).any(|other| check(Some(other)).is_ok()))
        {
            return Err(subject.breaks(&rejection));
        }
        let is_suspect = |entry| Ok::<_, Infallible>(entries.is_suspect(entry, registry));
        if action == Action::Confirm
            && let Some(place) = change.place
            && !is_contested_by(&change.before, place.entry, is_suspect).unwrap_or_else(|never| match never {})
        {
            let expected = "a record that a compromised key has sealed, approved or reinstated";
            return Err(subject.wrong(Rule::NotContested.name(), expected, &format!("effect on {place}")));
        }
        match action {
            Action::Reinstate => reinstatement(subject, entries, registry, read, applied, change, named)?,
            Action::CloseReview if authority.basis == i32::from(Basis::Dependency) => {
                let by = change.before.get(Mark::UnderReview);
                let undone = by
                    .is_some_and(|by| restored(applied).any(|one| one.before.ended().is_some_and(|(_, at)| at == by)));
                if !undone {
                    let expected = "the review that followed from what this block reinstates";
                    return Err(subject.wrong(Rule::EffectMismatch.name(), expected, &format!("effect on {shown}")));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a block reinstates: where it clears the mark that has ended a record.
fn restored(applied: &Applied) -> impl Iterator<Item = &MarkChange> {
    applied.marks.iter().filter(|one| clears_end(one))
}

/// Whether it is a reinstatement that clears the mark that has ended its record.
fn clears_end(change: &MarkChange) -> bool {
    change.action == Action::Reinstate && change.before.have_ended() && !change.after.have_ended()
}

/// Checks what is public of a reinstatement: that the effect that it names is contested, and has done to the record
/// what is undone. That the amendment of a superseded record goes, and that all is held again that an award held,
/// stands in records.
fn reinstatement(
    subject: &Subject,
    entries: &Entries,
    registry: &Registry,
    read: &ReadBlock,
    applied: &Applied,
    change: &MarkChange,
    named: Named,
) -> Result<(), Contradiction> {
    let (id, entry) = (change.status_id, named.contested.unwrap_or_default());
    let shown = change.place.map_or_else(|| id.to_string(), |place| place.to_string());
    let wrong = |rule: Rule, expected: &str| Err(subject.wrong(rule.name(), expected, &format!("effect on {shown}")));
    if read.block().header().count != 0 {
        return wrong(Rule::EffectMismatch, "no records in a block that reinstates");
    }
    if !entries.is_suspect(entry, registry) {
        return wrong(Rule::NotContested, "an effect of a block that a compromised key has signed or approved");
    }
    if clears_end(change) {
        return Ok(());
    }
    if !entries.has_cleared(entry, id, named.redemption) {
        let expected = "a contested effect that has released the record, or closed its review";
        return wrong(Rule::EffectMismatch, expected);
    }
    // What an award held is held again with the award alone, which the same effect has revoked.
    let revoked = |one: &MarkChange| one.before.get(Mark::Revoked) == Some(entry);
    if named.redemption.is_some() && !restored(applied).any(revoked) {
        return wrong(Rule::EffectMismatch, "the reinstatement of what the same effect has revoked");
    }
    Ok(())
}
