//! That every registry entry was published: a block at its place holds the record, and is signed by somebody who may
//! register
//! or publish such a thing. The log key alone can put anything into the registry map of a seal; it cannot sign such a
//! block.

use super::tree::piece;
use super::{BTreeMap, BTreeSet, Fault, Link, LogIndex, Part, Place, ProvedBlock, TranscriptError, broken, pb};
use crate::block::Piece;
use crate::canonical::decode;
use crate::record::info_of;

/// What was published.
#[derive(Default)]
pub(super) struct Published {
    /// The blocks that have published.
    pub(super) blocks: BTreeSet<LogIndex>,
    /// The seals that say under which registry one of them was signed.
    pub(super) seals: BTreeSet<LogIndex>,
}

/// Checks that each registry entry has its publication, and that each publication is needed.
///
/// The key of an institution must stand in the registry of the round of the block that it signs. Its entry lies before
/// that round, and was published itself, by the operator: so each key leads to a registry key, and that one to the
/// trusted one.
pub(super) fn check(part: &Part, publications: &[pb::Publication]) -> Result<Published, TranscriptError> {
    let missing = |what: &str| Fault::Missing(what.to_owned());
    let wrong = |place: Place| broken(Link::Publication, part.tree.at(place));
    let mut by_place: BTreeMap<Place, &pb::Publication> = BTreeMap::new();
    for publication in publications {
        let place = Place::read(publication.place);
        if by_place.keys().next_back().is_some_and(|last| place <= *last) {
            return Err(wrong(place)(Fault::Surplus("publications are not in order")));
        }
        by_place.insert(place, publication);
    }
    // Under several seals the same entry was published once.
    let mut records: BTreeMap<Place, pb::PublicRecord> = BTreeMap::new();
    for entry in part.registry.entries() {
        let place = Place::read(entry.place);
        let record =
            pb::PublicRecord { index: place.index, kind: entry.kind, version: entry.version, body: entry.body.clone() };
        if records.get(&place).is_some_and(|known| *known == record) {
            continue;
        }
        let publication = by_place.get(&place).ok_or_else(|| missing("the publication of a registry entry"));
        let held = publication.and_then(|publication| {
            let block = part.blocks.get(&place.entry).ok_or_else(|| missing("the block of a publication"))?;
            let number = publication.piece_plus_1.checked_sub(1);
            let number = number.ok_or_else(|| missing("the number of the piece"))?;
            piece(&block.head, number, &Piece::Record(&record), &publication.path)
        });
        held.map_err(wrong(place))?;
        records.insert(place, record);
    }
    if let Some(place) = by_place.keys().find(|place| !records.contains_key(place)) {
        return Err(wrong(*place)(Fault::Surplus("a publication of no registry entry")));
    }
    let follows = |entry: LogIndex| part.registrars.blocks().any(|block| block == entry);
    let mut published = Published { blocks: BTreeSet::new(), seals: BTreeSet::new() };
    for (place, record) in &records {
        let Some(block) = part.blocks.get(&place.entry) else { continue };
        let wrong = wrong(*place);
        let by_operator = block.head.header().unit.institution.is_operator();
        if by_operator != is_operators(record) {
            return Err(wrong(Fault::KeyScope("its block is not of whom such a record is for")));
        }
        if follows(place.entry) && !is_of_registrars(record) {
            return Err(wrong(Fault::KeyScope("its block names the next registry key, and nobody else's entries")));
        }
        // One block of the operator publishes many records: its signature is checked once.
        if published.blocks.insert(place.entry) || !by_operator {
            published.seals.extend(signer(block, record, part).map_err(wrong)?);
        }
    }
    Ok(published)
}

/// Whether a block with a succession may have the record: a key of the registry or of an approver of the operator, or
/// the policy. Whoever has the next registry key takes over in the open, and does nothing else before.
fn is_of_registrars(record: &pb::PublicRecord) -> bool {
    match pb::Kind::try_from(record.kind) {
        Ok(pb::Kind::RegistrySuccession | pb::Kind::RegistryPolicy) => true,
        Ok(pb::Kind::Key) => decode::<pb::Key>(&record.body).is_ok_and(|key| {
            let purposes = [pb::Purpose::Registry, pb::Purpose::Approver].map(i32::from);
            key.institution == 0 && purposes.contains(&key.purpose)
        }),
        _ => false,
    }
}

fn is_operators(record: &pb::PublicRecord) -> bool {
    pb::Kind::try_from(record.kind).ok().and_then(info_of).is_some_and(|info| info.operator)
}

/// Checks that a block is signed by whom such a record is for. The seal under which the key was looked up; none of a
/// registry key, whose blocks need no registry.
fn signer(block: &ProvedBlock, record: &pb::PublicRecord, part: &Part) -> Result<Option<LogIndex>, Fault> {
    if block.head.header().unit.institution.is_operator() {
        part.registrars.check(block)?;
        return Ok(None);
    }
    let seal = part.tree.seal_of_round(block)?;
    let key = part.check_signer(block, seal)?;
    if !key.kinds.contains(&record.kind) {
        return Err(Fault::KeyScope("the kind of the record is outside its scope"));
    }
    Ok(Some(seal.index))
}
