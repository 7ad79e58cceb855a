//! Keys: one key, one purpose, and proof that whoever asked holds it.

use creditbank_protocol::dates::show_minute;
use creditbank_protocol::key::{KeyId, possession_message, verify, verifying_key};
use creditbank_protocol::pb::{self, Kind, Purpose, RevocationReason};
use creditbank_protocol::record::info_of;
use creditbank_protocol::{UnitId, names};

use super::admit::{present, require};
use super::{Registry, policy};
use crate::{Rejection, Rule};

pub(super) fn check(registry: &Registry, entry: &pb::Key) -> Result<(), Rejection> {
    let point = verifying_key(&entry.public_key).is_ok();
    require(point, Rule::InvalidCode, "public_key", "an Ed25519 public key of full order", "other bytes")?;
    let purpose = Purpose::try_from(entry.purpose).unwrap_or_default();
    present(purpose != Purpose::Unspecified, "purpose", "a purpose")?;
    owner(registry, entry, purpose)?;
    scope(entry, purpose)?;
    let ordered = entry.until_minute == 0 || entry.from_minute < entry.until_minute;
    require(ordered, Rule::InvalidDate, "until_minute", "an end after the beginning", entry.until_minute)?;
    if let Some(revoked) = &entry.revoked {
        let reason = RevocationReason::try_from(revoked.reason).unwrap_or_default();
        present(reason != RevocationReason::Unspecified, "revoked", "a reason")?;
        let dated = (revoked.compromised_since_minute != 0) == (reason == RevocationReason::Compromised);
        require(
            dated,
            Rule::Contradiction,
            "revoked",
            "a time of compromise with that reason, and with no other",
            format!("{} with {} as its minute", names::of(reason), revoked.compromised_since_minute),
        )?;
    }
    permanent(registry, entry)?;
    policy::check_key(registry, entry)?;
    possession(registry, entry, purpose)
}

/// Whose key it is.
fn owner(registry: &Registry, entry: &pb::Key, purpose: Purpose) -> Result<(), Rejection> {
    let exists = registry.institution(entry.institution.into()).is_some();
    require(exists, Rule::UnknownReference, "institution", "an institution of the registry", entry.institution)?;
    let operators = match purpose {
        Purpose::Log
        | Purpose::Registry
        | Purpose::Statement
        | Purpose::Credential
        | Purpose::OperatorAccess
        | Purpose::AuditorAccess
        | Purpose::GuardianAccess
        | Purpose::Unspecified => true,
        Purpose::Unit | Purpose::InstitutionAccess => false,
        // The operator has approvers of its own blocks.
        Purpose::Approver => entry.institution == 0,
    };
    let fits = operators == (entry.institution == 0);
    require(fits, Rule::Contradiction, "institution", "0 for the operator's purposes and no other", entry.institution)?;
    let of_unit = matches!(purpose, Purpose::Unit | Purpose::Approver) && entry.institution != 0;
    let unit = registry.unit(UnitId::new(entry.institution, entry.unit)).is_some();
    require(!of_unit || unit, Rule::UnknownReference, "unit", "a unit of the institution", entry.unit)?;
    require(of_unit || entry.unit == 0, Rule::Contradiction, "unit", "none for this purpose", entry.unit)
}

/// Which kinds it may sign.
fn scope(entry: &pb::Key, purpose: Purpose) -> Result<(), Rejection> {
    let signs = purpose == Purpose::Unit;
    present(!signs || !entry.kinds.is_empty(), "kinds", "the kinds that the key may sign")?;
    require(signs || entry.kinds.is_empty(), Rule::Contradiction, "kinds", "none for this purpose", entry.kinds.len())?;
    let issued = |kind: &i32| {
        let kind = Kind::try_from(*kind).unwrap_or_default();
        info_of(kind).is_some_and(|info| !info.operator)
    };
    let odd = entry.kinds.iter().find(|kind| !issued(kind));
    require(odd.is_none(), Rule::KindNotIssued, "kinds", "kinds that institutions issue", odd.copied().unwrap_or(0))
}

/// A key never changes hands or purpose, and a revocation is final: only an earlier time of compromise may be added.
fn permanent(registry: &Registry, entry: &pb::Key) -> Result<(), Rejection> {
    let public_key = <[u8; 32]>::try_from(entry.public_key.as_slice()).unwrap_or([0; 32]);
    let Some(before) = registry.key(&KeyId::of(&public_key)) else {
        return Ok(());
    };
    let same = (before.purpose, before.institution, before.unit) == (entry.purpose, entry.institution, entry.unit)
        && before.public_key == entry.public_key;
    require(same, Rule::Permanent, "purpose", "the purpose, institution and unit that the key has", "others")?;
    let Some(was) = &before.revoked else {
        return Ok(());
    };
    let kept = entry.revoked.as_ref().is_some_and(|now| {
        let since = |revoked: &pb::KeyRevocation| match revoked.compromised_since_minute {
            0 => u64::MAX,
            minute => minute,
        };
        let was_compromised = was.reason == i32::from(RevocationReason::Compromised);
        since(now) <= since(was) && (!was_compromised || now.reason == was.reason)
    });
    let said = |revoked: &pb::KeyRevocation| match revoked.compromised_since_minute {
        0 => names::of(revoked.reason()),
        minute => format!("{} since {}", names::of(revoked.reason()), show_minute(minute)),
    };
    let expected = format!("the revocation that the key has ({}), or an earlier time of compromise", said(was));
    let found = entry.revoked.as_ref().map_or("no revocation".to_owned(), said);
    require(kept, Rule::Permanent, "revoked", &expected, found)
}

fn possession(registry: &Registry, entry: &pb::Key, purpose: Purpose) -> Result<(), Rejection> {
    let public_key = <[u8; 32]>::try_from(entry.public_key.as_slice()).unwrap_or([0; 32]);
    // Under any name that the log has had: an entry is published again, for a revocation say, as it was signed.
    let holds = registry.origins().any(|origin| {
        let message = possession_message(origin, UnitId::new(entry.institution, entry.unit), purpose, &public_key);
        verify(&public_key, message.as_bytes(), &entry.possession).is_ok()
    });
    require(holds, Rule::NoPossession, "possession", "a signature by the key itself", "one that does not verify")
}
