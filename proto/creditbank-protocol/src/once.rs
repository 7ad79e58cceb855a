//! What is used once: a consent (an approval, a mandate, a signature under a joint award) that names a last minute,
//! and is used up by the block that it is
//! accepted with.
//!
//! An approval stands in its block. Of what stands in records, which may be hidden, the block shows the digest: as the
//! authority of what the record redeems, or of a group without effects. So whoever has no records sees what is used.
//!
//! What is used up is the hash of what was signed, and never the signature: another signature over the same words is
//! the same consent. It is remembered for ever. A paper has no signed end, and seal times can be corrected: what is
//! forgotten because it has ended could be used once more.

use std::collections::BTreeSet;

use crate::approval::approval_digest;
use crate::authority::owner_in;
use crate::block::SignedBlock;
use crate::canonical::{CanonicalError, encode};
use crate::mandate::consents;
use crate::pb::{Authority, Basis, EffectGroup};
use crate::record::Record;
use crate::{Digest, InstitutionId};

/// Bytes of a consent's salt.
pub const SALT_LEN: usize = 16;
/// A consent's last minute is at most so long after the block was created: 30 days.
pub const VALID_MINUTES_MAX: u64 = 30 * 24 * 60;

/// Whether a consent until a minute holds for a block that was created at one minute and is sealed at another.
pub fn is_in_time(until_minute: u64, created_at_minute: u64, sealed_at_minute: u64) -> bool {
    sealed_at_minute <= until_minute && until_minute <= created_at_minute.saturating_add(VALID_MINUTES_MAX)
}

/// What a block uses up: its approvals, and the mandates by which its effects say that its records stand.
pub fn uses(block: &SignedBlock) -> Vec<Digest> {
    let approvals = block.approvals().iter().map(|approval| approval_digest(block.header(), approval));
    approvals.chain(stated(&block.public().groups)).collect()
}

/// The mandates that effects name by their digests, each once.
pub fn stated(groups: &[EffectGroup]) -> BTreeSet<Digest> {
    let authorities = groups.iter().filter_map(|group| group.authority.as_ref());
    authorities.filter_map(|authority| Digest::from_slice(&authority.mandate_digest)).collect()
}

/// The groups of a block over records, with those that state what its records use and no effect of it names.
pub fn with_stated(
    origin: &str,
    signer: InstitutionId,
    records: &[Record],
    mut groups: Vec<EffectGroup>,
) -> Result<Vec<EffectGroup>, CanonicalError> {
    let mut known = stated(&groups);
    let mut silent = Vec::new();
    for record in records {
        let owner = owner_in(signer, &groups, record.kind(), record.body())?;
        let consents = consents(origin, owner, record)?.into_iter().filter(|digest| known.insert(*digest));
        silent.extend(consents.map(|digest| {
            let mandate_digest = digest.0.to_vec();
            let authority = Authority { basis: Basis::Mandate.into(), mandate_digest, ..Default::default() };
            EffectGroup { authority: Some(authority), effects: Vec::new() }
        }));
    }
    if silent.is_empty() {
        return Ok(groups);
    }
    groups.extend(silent);
    // Groups are a set: ascending by their bytes.
    let mut sorted = groups.into_iter().map(|group| Ok((encode(&group)?, group))).collect::<Result<Vec<_>, _>>()?;
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(sorted.into_iter().map(|(_, group)| group).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a consent holds through its last minute, and its last minute is at most 30 days after the block.
    #[test]
    fn a_consent_ends() {
        assert!(is_in_time(100, 100, 100));
        assert!(!is_in_time(99, 100, 100));
        assert!(is_in_time(100 + VALID_MINUTES_MAX, 100, 101));
        assert!(!is_in_time(101 + VALID_MINUTES_MAX, 100, 101));
    }
}
