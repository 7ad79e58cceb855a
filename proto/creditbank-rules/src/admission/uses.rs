//! What a block uses once: stated by it, once, and not used before.

use std::collections::BTreeSet;

use creditbank_protocol::dates::show_minute;
use creditbank_protocol::once::{VALID_MINUTES_MAX, stated};
use creditbank_protocol::pb::Basis;
use creditbank_protocol::{Digest, once};

use super::fields::require;
use super::{Admitted, BlockFacts};
use crate::{Rejection, Rule};

/// Checks what anybody can check: a group without effects states a mandate and nothing else, and nothing that the
/// block states
/// was used before. The approval is checked with the signer.
pub(super) fn check_public(block: &BlockFacts<'_>) -> Result<(), Rejection> {
    for group in block.groups.iter().filter(|group| group.effects.is_empty()) {
        let authority = group.authority.clone().unwrap_or_default();
        let states = authority.basis == i32::from(Basis::Mandate)
            && authority.mandate_digest.len() == 32
            && authority.case_reference.is_empty()
            && authority.institution == 0
            && !block.unit.institution.is_operator();
        let expected = "effects, or an institution's record's mandate by its digest";
        require(states, Rule::NotAuthorised, "public_part", expected, "a group without either")?;
    }
    stated(block.groups).iter().try_for_each(|digest| unused(block, digest, "public_part"))
}

/// Whether a consent until a minute holds for a block that was created at one minute and is sealed at another; else
/// what is expected of it.
pub(super) fn consent_lasts(until: u64, created: u64, sealed: u64) -> Result<(), String> {
    if once::is_in_time(until, created, sealed) {
        return Ok(());
    }
    let [first, last] = [sealed, created.saturating_add(VALID_MINUTES_MAX)].map(show_minute);
    Err(format!("a last minute from {first} to {last}; ask for another one"))
}

/// Checks that a mandate was not used before.
pub(super) fn unused(block: &BlockFacts<'_>, digest: &Digest, field: &'static str) -> Result<(), Rejection> {
    let expected = "a mandate that no record has used; ask for another one";
    require(!block.once.is_used(digest), Rule::MandateUsed, field, expected, "one that was used before")
}

/// Checks that a block states the mandates of its records and no others, and that no two of its records use the same
/// one.
pub(super) fn check_stated(block: &BlockFacts<'_>, admitted: &[Option<Admitted>]) -> Result<(), Rejection> {
    let mut used = BTreeSet::new();
    for digest in admitted.iter().flatten().flat_map(|record| &record.consents) {
        let expected = "a mandate of its own for each record";
        require(
            used.insert(*digest),
            Rule::MandateUsed,
            "mandate",
            expected,
            "one that another record of the block has",
        )?;
    }
    let stated = once::stated(block.groups);
    let expected = format_args!("the digests of {} mandates in its records, and no other", used.len());
    let found = format_args!("{}, or others", stated.len());
    require(stated == used, Rule::EffectMismatch, "public_part", expected, found)
}
