//! Which effects show the place of their record, and which have it beside the block (PROTOCOL.md, section 5).
//!
//! The log shows a place where a right depends on whose record it is. For what is by mandate, by dependency, or by
//! right of whoever redeemed, the status id alone would do: there a place would only say which records of which blocks
//! belong to one person's award. So it travels beside the block, as records do, and whoever admits the block compares
//! it with the status id.

use std::collections::BTreeMap;

use super::BlockError;
use crate::pb::{self, Action, Basis};

/// Whether an effect stands in the log with the place of its record.
pub fn shows_place(authority: Option<&pb::Authority>, effect: &pb::Effect) -> bool {
    let by_dependency = || authority.is_some_and(|by| by.basis == i32::from(Basis::Dependency));
    match Action::try_from(effect.action).unwrap_or_default() {
        Action::Supersede | Action::Revoke | Action::Confirm => true,
        Action::CloseReview => !by_dependency(),
        Action::Reinstate => effect.redemption_plus_1 == 0,
        Action::Redeem | Action::Release | Action::Review | Action::Dispute | Action::Settle | Action::Unspecified => {
            false
        }
    }
}

/// Places stand where they must, and nowhere else.
pub(crate) fn check_places<'a>(groups: impl IntoIterator<Item = &'a pb::EffectGroup>) -> Result<(), BlockError> {
    for group in groups {
        for effect in &group.effects {
            let expected = shows_place(group.authority.as_ref(), effect);
            if effect.place.is_some() != expected {
                let action = Action::try_from(effect.action).unwrap_or_default().as_str_name();
                return Err(BlockError::EffectPlace { action, expected });
            }
        }
    }
    Ok(())
}

/// Effects as the log has them: without the places that do not show.
pub(super) fn without_hidden(mut groups: Vec<pb::EffectGroup>) -> Vec<pb::EffectGroup> {
    for group in &mut groups {
        let authority = group.authority.as_ref();
        for effect in group.effects.iter_mut().filter(|effect| !shows_place(authority, effect)) {
            effect.place = None;
        }
    }
    groups
}

fn hidden(groups: &[pb::EffectGroup]) -> impl Iterator<Item = &pb::Effect> {
    groups.iter().flat_map(|group| group.effects.iter().filter(|one| !shows_place(group.authority.as_ref(), one)))
}

/// How many places belong beside a block with these effects.
pub fn count_beside(groups: &[pb::EffectGroup]) -> usize {
    hidden(groups).count()
}

/// The places that go beside a block: one for each of its effects that shows none, in their order; `whole` are the same
/// effects with their places, in any order. An effect whose place nobody knows has that of entry 0 and index 0.
pub fn places_beside(public: &pb::PublicPart, whole: &[pb::EffectGroup]) -> Vec<pb::Place> {
    let known: BTreeMap<&[u8], pb::Place> = whole
        .iter()
        .flat_map(|group| &group.effects)
        .map(|effect| (effect.status_id.as_slice(), effect.place.unwrap_or_default()))
        .collect();
    let place = |effect: &pb::Effect| known.get(effect.status_id.as_slice()).copied().unwrap_or_default();
    hidden(&public.groups).map(place).collect()
}

/// The effects of a block with the places that came beside it; refused unless there is one for each that shows none.
pub fn with_places(groups: &[pb::EffectGroup], beside: &[pb::Place]) -> Result<Vec<pb::EffectGroup>, BlockError> {
    let expected = count_beside(groups);
    if beside.len() != expected {
        return Err(BlockError::PlaceCount { expected, found: beside.len() });
    }
    let mut beside = beside.iter();
    let mut groups = groups.to_vec();
    for group in &mut groups {
        let authority = group.authority.as_ref();
        for effect in group.effects.iter_mut().filter(|effect| !shows_place(authority, effect)) {
            effect.place = beside.next().copied();
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::block::public_part;

    fn group(basis: Basis, actions: impl IntoIterator<Item = (Action, u64)>) -> pb::EffectGroup {
        let effect = |(action, redemption_plus_1): (Action, u64)| {
            let number = i32::from(action) + 16 * i32::from(basis) + i32::from(redemption_plus_1 > 0) * 100;
            let number = u8::try_from(number).expect("small");
            let place = Place::new(u64::from(number), u32::from(number)).written();
            let status_id = vec![number; 32];
            pb::Effect { status_id, place, action: action.into(), redemption_plus_1, ..Default::default() }
        };
        let authority = Some(pb::Authority { basis: basis.into(), ..Default::default() });
        pb::EffectGroup { authority, effects: actions.into_iter().map(effect).collect() }
    }

    /// Goal: each effect shows its place exactly where a right depends on whose record it is; with the places beside it
    /// a block says what it was made of, and one place more or less is refused.
    #[test]
    fn places_are_parted_and_joined() {
        let whole = vec![
            group(
                Basis::Issuer,
                [(Action::Supersede, 0), (Action::Revoke, 0), (Action::Release, 3), (Action::Confirm, 0)],
            ),
            group(Basis::Operator, [(Action::CloseReview, 0), (Action::Reinstate, 0), (Action::Reinstate, 3)]),
            group(Basis::Mandate, [(Action::Redeem, 0)]),
            group(Basis::Dependency, [(Action::Review, 0), (Action::CloseReview, 0)]),
        ];
        let public = public_part(&[], whole.clone());
        check_places(&public.groups).expect("drafted as it must be");
        let shown = public.groups.iter().flat_map(|group| &group.effects).filter(|one| one.place.is_some());
        let shown: std::collections::BTreeSet<_> = shown.map(|one| (one.action, one.status_id[0])).collect();
        assert_eq!(shown, [(1, 17), (2, 18), (5, 21), (9, 57), (10, 58)].into_iter().collect());
        let beside = places_beside(&public, &whole);
        assert_eq!(beside.len(), 5);
        let joined = with_places(&public.groups, &beside).expect("all of them");
        let effects = |groups: &[pb::EffectGroup]| -> std::collections::BTreeMap<Vec<u8>, pb::Effect> {
            groups.iter().flat_map(|group| &group.effects).map(|one| (one.status_id.clone(), one.clone())).collect()
        };
        assert_eq!(effects(&joined), effects(&whole));
        for count in [0, 4, 6] {
            let beside = vec![pb::Place { entry: 1, index: 0 }; count];
            assert!(matches!(with_places(&public.groups, &beside), Err(BlockError::PlaceCount { expected: 5, .. })));
        }
        assert!(matches!(check_places(&whole), Err(BlockError::EffectPlace { expected: false, .. })));
        let mut silent = public.groups;
        silent.iter_mut().flat_map(|group| &mut group.effects).for_each(|one| one.place = None);
        assert!(matches!(check_places(&silent), Err(BlockError::EffectPlace { expected: true, .. })));
    }
}
