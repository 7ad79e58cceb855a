//! Whose record it is, and who keeps the records of a closed institution (PROTOCOL.md, section 8, "Custodians").
//!
//! A record belongs to the institution that signed it. When an institution closes, another one may keep its records:
//! its *custodian*. What a custodian amends still belongs to the closed institution, and the block that amends says so.

use std::collections::BTreeSet;

use crate::block::SignedBlock;
use crate::canonical::CanonicalError;
use crate::dates::{Day, within};
use crate::pb::{self, Kind};
use crate::record::amends_of;
use crate::{InstitutionId, Place};

/// Whether `keeper` is the custodian of `other` on a day: `other` is closed, and `keeper` says in the registry that it
/// is its custodian, between dates that hold the day. Both as the registry has them on that day.
pub fn is_custodian(keeper: &pb::Institution, other: &pb::Institution, day: Day) -> bool {
    let keeps = |relation: &pb::Relation| {
        relation.r#type == i32::from(pb::RelationType::CustodianOf)
            && relation.institution == other.number
            && within(day, relation.from.as_ref(), relation.until.as_ref())
    };
    is_closed(other) && keeper.number != other.number && keeper.relations.iter().any(keeps)
}

/// Those of `institutions` that are custodians of `other` on a day.
pub fn custodians<'a>(
    other: &'a pb::Institution,
    institutions: impl IntoIterator<Item = &'a pb::Institution>,
    day: Day,
) -> impl Iterator<Item = &'a pb::Institution> {
    // An open institution has none: nobody has to be asked.
    let asked = is_closed(other).then_some(institutions);
    asked.into_iter().flatten().filter(move |keeper| is_custodian(keeper, other, day))
}

fn is_closed(institution: &pb::Institution) -> bool {
    institution.state == i32::from(pb::RegistryState::Closed)
}

/// Whose record of a block it is: the signer's or, where a custodian amends, the closed institution's.
pub fn owner(block: &SignedBlock, kind: Kind, body: &[u8]) -> Result<InstitutionId, CanonicalError> {
    Ok(amended_for(&block.public().groups, kind, body)?.unwrap_or(block.header().unit.institution))
}

/// The same, of a block that is being made: its signer, and its effects.
pub fn owner_in(
    signer: InstitutionId,
    groups: &[pb::EffectGroup],
    kind: Kind,
    body: &[u8],
) -> Result<InstitutionId, CanonicalError> {
    Ok(amended_for(groups, kind, body)?.unwrap_or(signer))
}

/// The closed institution for which the signer of a block amends a record: the block's effects supersede, as
/// custodian of that
/// institution, the record that the amendment names. `None`: the record is the signer's own.
pub fn amended_for(
    groups: &[pb::EffectGroup],
    kind: Kind,
    body: &[u8],
) -> Result<Option<InstitutionId>, CanonicalError> {
    let mut amended = custodial_amendments(groups).peekable();
    // Most blocks are of no custodian: then the body need not be read.
    if amended.peek().is_none() {
        return Ok(None);
    }
    let target = amends_of(kind, body)?.and_then(|amends| amends.place).map(Place::from);
    Ok(amended.find(|(_, place)| Some(*place) == target).map(|(institution, _)| institution))
}

/// The closed institutions for which the signer of a block amends records. Whose record each one is only its body
/// tells: whoever has no bodies knows that it is the signer's or one of theirs.
pub fn amended_institutions(groups: &[pb::EffectGroup]) -> BTreeSet<InstitutionId> {
    custodial_amendments(groups).map(|(institution, _)| institution).collect()
}

/// What a block replaces of the records of closed institutions: whose record, and its place.
fn custodial_amendments(groups: &[pb::EffectGroup]) -> impl Iterator<Item = (InstitutionId, Place)> {
    let authority = |group: &pb::EffectGroup| group.authority.as_ref().map(|by| (by.basis, by.institution));
    groups.iter().flat_map(move |group| {
        let (basis, institution) = authority(group).unwrap_or_default();
        let by_custodian = basis == i32::from(pb::Basis::Custodian);
        let replaces = move |effect: &&pb::Effect| by_custodian && effect.action == i32::from(pb::Action::Supersede);
        group.effects.iter().filter(replaces).map(move |effect| (InstitutionId(institution), Place::read(effect.place)))
    })
}

/// Whether an effect is by right, as far as can be said without the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// It is.
    Holds,
    /// It is where the signer is the custodian of this institution on the day of the seal.
    IfCustodianOf(InstitutionId),
    /// It is not.
    Refused,
}

/// By what right `signer` does something to a record of `owner` (PROTOCOL.md, section 8, "Right"). The owner of a
/// release, and of a reinstatement that undoes one, is the institution that redeemed; `None` where nobody has.
pub fn right(
    authority: &pb::Authority,
    action: pb::Action,
    signer: InstitutionId,
    owner: Option<InstitutionId>,
) -> Right {
    let basis = pb::Basis::try_from(authority.basis).unwrap_or_default();
    // Only a custodian acts for another; only a mandate has a digest.
    let is_silent = basis == pb::Basis::Mandate || authority.mandate_digest.is_empty();
    if !is_silent || (basis != pb::Basis::Custodian && authority.institution != 0) {
        return Right::Refused;
    }
    let holds = match basis {
        pb::Basis::Mandate => {
            action == pb::Action::Redeem && authority.mandate_digest.len() == 32 && !signer.is_operator()
        }
        pb::Basis::Dependency => matches!(action, pb::Action::Review | pb::Action::CloseReview),
        _ if matches!(action, pb::Action::Redeem | pb::Action::Review) => false,
        pb::Basis::Issuer => owner == Some(signer),
        pb::Basis::Custodian => {
            let named = owner.filter(|owner| owner.0 == authority.institution && *owner != signer);
            return named.map_or(Right::Refused, Right::IfCustodianOf);
        }
        // The operator has no learner's words to put in the place of others.
        pb::Basis::Operator => {
            signer.is_operator() && !authority.case_reference.is_empty() && action != pb::Action::Supersede
        }
        pb::Basis::Unspecified => false,
    };
    if holds { Right::Holds } else { Right::Refused }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::BlockDraft;
    use crate::canonical::encode;
    use crate::dates::first_day;
    use crate::key::KeyId;
    use crate::{Digest, UnitId};

    const JUNE: pb::Date = pb::Date { year: 2026, month: 6, day: 0 };

    fn closed() -> pb::Institution {
        pb::Institution { number: 1, state: pb::RegistryState::Closed.into(), ..Default::default() }
    }

    fn keeper(from: Option<pb::Date>, until: Option<pb::Date>) -> pb::Institution {
        let kind = pb::RelationType::CustodianOf.into();
        let relations = vec![pb::Relation { r#type: kind, institution: 1, from, until }];
        pb::Institution { number: 2, state: pb::RegistryState::Active.into(), relations, ..Default::default() }
    }

    fn on(year: u32, month: u32, day: u32) -> Day {
        first_day(&pb::Date { year, month, day })
    }

    /// Goal: a relation makes a custodian from its first day to its last, both included, and on no other day.
    #[test]
    fn a_relation_holds_between_its_dates() {
        let keeps = |from, until, day| is_custodian(&keeper(from, until), &closed(), day);
        assert!(keeps(None, None, on(1970, 1, 1)));
        assert_eq!([on(2026, 5, 31), on(2026, 6, 1)].map(|day| keeps(Some(JUNE), None, day)), [false, true]);
        assert_eq!([on(2026, 6, 30), on(2026, 7, 1)].map(|day| keeps(None, Some(JUNE), day)), [true, false]);
    }

    /// Goal: nobody keeps the records of an institution that is not closed, of another one, or its own; and another
    /// relation keeps nothing.
    #[test]
    fn only_a_closed_institution_has_a_custodian() {
        let (day, keeper) = (on(2026, 6, 1), keeper(None, None));
        for state in [pb::RegistryState::Active, pb::RegistryState::Suspended] {
            assert!(!is_custodian(&keeper, &pb::Institution { state: state.into(), ..closed() }, day), "{state:?}");
        }
        assert!(!is_custodian(&keeper, &pb::Institution { number: 3, ..closed() }, day));
        assert!(!is_custodian(&pb::Institution { number: 1, ..keeper.clone() }, &closed(), day));
        let mut merged = keeper.clone();
        merged.relations[0].r#type = pb::RelationType::SuccessorOf.into();
        assert!(!is_custodian(&merged, &closed(), day));
        let all = [merged, keeper.clone(), closed()];
        assert_eq!(custodians(&closed(), &all, day).map(|one| one.number).collect::<Vec<_>>(), [2]);
        let open = pb::Institution { state: pb::RegistryState::Active.into(), ..closed() };
        assert_eq!(custodians(&open, &all, day).count(), 0);
    }

    fn amendment(place: Option<pb::Place>) -> Vec<u8> {
        let amends = place.map(|place| pb::Amends { place: Some(place), reason: pb::AmendReason::Error.into() });
        encode(&pb::Credit { learner: vec![7; 16], amends, ..Default::default() }).expect("canonical")
    }

    /// A block of institution 2 that does this to the record at 5/3, by this right.
    fn block(action: pb::Action, basis: pb::Basis) -> SignedBlock {
        let draft = BlockDraft {
            origin: "test.example/log".to_owned(),
            unit: UnitId::new(2, 1),
            height: 0,
            previous: Digest([1; 32]),
            operation_id: [1; 16],
            created_at_minute: 1,
            key_id: KeyId([1; 16]),
        };
        let effect = pb::Effect {
            status_id: vec![9; 32],
            place: Place::new(5, 3).written(),
            action: action.into(),
            ..Default::default()
        };
        let authority = Some(pb::Authority { basis: basis.into(), institution: 1, ..Default::default() });
        let groups = vec![pb::EffectGroup { authority, effects: vec![effect] }];
        let bytes = draft.sign(&[], groups, None, |_| [1; 64]).expect("a block");
        SignedBlock::parse(&bytes).expect("a block")
    }

    /// Goal: a record is the closed institution's where its custodian's block replaces what it amends, and the signer's
    /// in every other case.
    #[test]
    fn an_amendment_belongs_to_the_closed_institution() {
        let whose = |block: &SignedBlock, place: Option<pb::Place>| {
            owner(block, Kind::Credit, &amendment(place)).expect("canonical").0
        };
        let replaces = block(pb::Action::Supersede, pb::Basis::Custodian);
        let (same, other) = (Place::new(5, 3).written(), Place::new(5, 4).written());
        assert_eq!([same, other, None].map(|place| whose(&replaces, place)), [1, 2, 2]);
        assert_eq!(amended_institutions(&replaces.public().groups), BTreeSet::from([InstitutionId(1)]));
        for other in [block(pb::Action::Revoke, pb::Basis::Custodian), block(pb::Action::Supersede, pb::Basis::Issuer)]
        {
            assert_eq!((whose(&other, same), amended_institutions(&other.public().groups).len()), (2, 0));
        }
    }
}
