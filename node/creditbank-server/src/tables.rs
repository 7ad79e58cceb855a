//! The rows of the index: every key and value is built and read here.

mod counts;

use std::collections::BTreeSet;

pub(crate) use counts::Counts;

use creditbank_ledger::state::{Applied, ChainHead, Closed};
use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::pb::Kind;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{AccountId, Digest, InstitutionId, LogIndex, Place, UnitId};
use creditbank_store::{Row, Store, StoreError, Table};

/// Digest of an identity -> the account, sealed.
pub(crate) const IDENTITY: Table = Table(1);
/// Account, digest of the [course key](creditbank_rules::CourseKey), place -> first bytes of the record hash, the
/// spelling of the course's code, the kind, and of a Credit how often its course may count again. The only row per
/// record.
pub(crate) const LEARNER: Table = Table(2);
/// Institution, unit, height -> log index.
pub(crate) const BLOCK: Table = Table(3);
/// Institution, unit -> the head of the chain.
pub(crate) const CHAIN: Table = Table(4);
/// Log index of a seal -> nothing.
pub(crate) const SEAL: Table = Table(5);
/// Place of a registry record -> nothing: the order in which the registry came about.
pub(crate) const REGISTRY: Table = Table(6);
/// Place of a record -> its status id and marks. The place comes from the effect, or from beside the block.
pub(crate) const STATUS: Table = Table(7);

/// One row: the [`Counts`].
pub(crate) const COUNTS: Table = Table(8);

/// Place of a record, place of a record that depends on it -> nothing.
pub(crate) const DEPENDANT: Table = Table(9);

/// Institution, place of an application for recognition that it received -> nothing.
pub(crate) const APPLICATION: Table = Table(10);

/// Digest of something that a block has used up -> nothing.
pub(crate) const USED: Table = Table(11);

/// Size of a checkpoint -> its [`Note`]. In the round itself only who will sign: nothing is signed before it is
/// durable. The next round has the signatures.
pub(crate) const NOTE: Table = Table(12);

/// Digest of what an institution gives or uses once (the number of an award's document, the paper of a mandate), place of
/// the record that has it -> nothing.
pub(crate) const GIVEN: Table = Table(13);

fn put(table: Table, key: Vec<u8>, value: Vec<u8>) -> Row {
    Row { table, key, value: Some(value) }
}

pub(crate) fn place_key(place: Place) -> Vec<u8> {
    [&place.entry.0.to_be_bytes()[..], &place.index.to_be_bytes()].concat()
}

pub(crate) fn place_of(key: &[u8]) -> Option<Place> {
    let (entry, index) = key.split_first_chunk::<8>()?;
    Some(Place::new(u64::from_be_bytes(*entry), u32::from_be_bytes(index.try_into().ok()?)))
}

pub(crate) fn dependant(source: Place, dependant: Place) -> Row {
    put(DEPENDANT, [place_key(source), place_key(dependant)].concat(), Vec::new())
}

/// The dependant that a row's key names.
pub(crate) fn dependant_of(key: &[u8]) -> Option<Place> {
    place_of(key.get(8 + 4..)?)
}

pub(crate) fn application(institution: InstitutionId, place: Place) -> Row {
    put(APPLICATION, [&institution.0.to_be_bytes()[..], &place_key(place)].concat(), Vec::new())
}

/// The application that a row's key names.
pub(crate) fn application_of(key: &[u8]) -> Option<Place> {
    place_of(key.get(8..)?)
}

pub(crate) fn given(digest: &[u8; 32], place: Place) -> Row {
    put(GIVEN, [&digest[..], &place_key(place)].concat(), Vec::new())
}

/// The record that a row's key names.
pub(crate) fn given_of(key: &[u8]) -> Option<Place> {
    place_of(key.get(32..)?)
}

pub(crate) fn identity(digest: &[u8; 32], sealed: Vec<u8>) -> Row {
    put(IDENTITY, digest.to_vec(), sealed)
}

pub(crate) fn counts(value: Vec<u8>) -> Row {
    put(COUNTS, Vec::new(), value)
}

/// The number that a row's value holds.
pub(crate) fn count_of(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}

/// Prefix of a learner's rows under one key: account and digest of the key.
pub(crate) type CoursePrefix = [u8; 24];

pub(crate) fn course_prefix(account: &AccountId, key: [u8; 8]) -> CoursePrefix {
    let mut prefix = [0; 24];
    prefix[..16].copy_from_slice(account.as_bytes());
    prefix[16..].copy_from_slice(&key);
    prefix
}

/// A record of a learner, from its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LearnerRow {
    pub(crate) place: Place,
    pub(crate) hash_prefix: [u8; 8],
    /// The spelling of its course's code; zero if it has none.
    pub(crate) spelling: [u8; 8],
    pub(crate) kind: Kind,
    /// Only for a Credit; at most 100.
    pub(crate) repeats_max: Option<u8>,
}

impl LearnerRow {
    pub(crate) fn row(&self, prefix: &CoursePrefix) -> Row {
        let key = [&prefix[..], &place_key(self.place)].concat();
        let kind = u8::try_from(i32::from(self.kind)).expect("kinds are numbered below 128");
        let repeats_max: &[u8] = self.repeats_max.as_slice();
        put(LEARNER, key, [&self.hash_prefix[..], &self.spelling, &[kind], repeats_max].concat())
    }

    pub(crate) fn read(key: &[u8], value: &[u8]) -> Option<Self> {
        let place = place_of(key.get(16 + 8..)?)?;
        let (hash_prefix, rest) = value.split_first_chunk::<8>()?;
        let (spelling, kind) = rest.split_first_chunk::<8>()?;
        let (kind, repeats_max) = kind.split_first()?;
        let kind = Kind::try_from(i32::from(*kind)).ok()?;
        let repeats_max = match (kind, repeats_max) {
            (Kind::Credit, [most]) => Some(*most),
            (Kind::Credit, _) => return None,
            (_, []) => None,
            _ => return None,
        };
        Some(Self { place, hash_prefix: *hash_prefix, spelling: *spelling, kind, repeats_max })
    }
}

fn unit_key(unit: UnitId) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&unit.institution.0.to_be_bytes());
    key[8..].copy_from_slice(&unit.number.to_be_bytes());
    key
}

pub(crate) fn block_key(unit: UnitId, height: u64) -> Vec<u8> {
    [&unit_key(unit)[..], &height.to_be_bytes()].concat()
}

pub(crate) fn block(unit: UnitId, height: u64, entry: LogIndex) -> Row {
    put(BLOCK, block_key(unit, height), entry.0.to_be_bytes().to_vec())
}

/// The log index that a key or a value holds.
pub(crate) fn index_of(bytes: &[u8]) -> Option<LogIndex> {
    count_of(bytes).map(LogIndex)
}

pub(crate) fn chain(unit: UnitId, head: &ChainHead) -> Row {
    let words = [head.next_height, head.entry.0, head.created_at_minute].map(u64::to_be_bytes).concat();
    put(CHAIN, unit_key(unit).to_vec(), [&words[..], head.previous.as_bytes()].concat())
}

pub(crate) fn read_chain(key: &[u8], value: &[u8]) -> Option<(UnitId, ChainHead)> {
    let (institution, unit) = key.split_first_chunk::<8>()?;
    let unit = UnitId::new(u64::from_be_bytes(*institution), u32::from_be_bytes(unit.try_into().ok()?));
    let (words, previous) = value.split_at_checked(24)?;
    let [next_height, entry, created_at_minute] = words.as_chunks::<8>().0 else { return None };
    let head = ChainHead {
        next_height: u64::from_be_bytes(*next_height),
        previous: Digest::from_slice(previous)?,
        entry: LogIndex(u64::from_be_bytes(*entry)),
        created_at_minute: u64::from_be_bytes(*created_at_minute),
    };
    Some((unit, head))
}

pub(crate) fn seal(index: LogIndex) -> Row {
    put(SEAL, index.0.to_be_bytes().to_vec(), Vec::new())
}

/// Log index of the seal that closes the round of an entry; `None` if that round is not closed.
pub(crate) fn seal_of(store: &dyn Store, entry: LogIndex) -> Result<Option<LogIndex>, StoreError> {
    let after = entry.0.checked_sub(1).map(u64::to_be_bytes);
    let rows = store.scan(SEAL, &[], after.as_ref().map(|key| &key[..]), 1)?;
    Ok(rows.first().and_then(|(key, _)| index_of(key)))
}

pub(crate) fn registry(place: Place) -> Row {
    put(REGISTRY, place_key(place), Vec::new())
}

pub(crate) fn status(place: Place, id: &Digest, marks: &Marks) -> Row {
    put(STATUS, place_key(place), [&id.0[..], &marks.to_bytes()].concat())
}

pub(crate) fn read_status(key: &[u8], value: &[u8]) -> Option<(Place, Digest, Marks)> {
    let (id, marks) = value.split_first_chunk::<32>()?;
    Some((place_of(key)?, Digest(*id), Marks::from_bytes(marks)?))
}

fn used(digest: &Digest) -> Row {
    put(USED, digest.as_bytes().to_vec(), Vec::new())
}

pub(crate) fn read_used(key: &[u8]) -> Option<Digest> {
    Digest::from_slice(key)
}

/// Who signs a checkpoint, and the signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// The log keys, in the order of their lines.
    pub(crate) signers: Vec<[u8; 32]>,
    /// The signature lines; empty until they are made.
    pub(crate) lines: String,
}

impl Note {
    /// The note of a signed checkpoint.
    pub(crate) fn signed(&self, checkpoint: &Checkpoint) -> Vec<u8> {
        format!("{}\n{}", checkpoint.text(), self.lines).into_bytes()
    }
}

pub(crate) fn note(size: u64, Note { signers, lines }: &Note) -> Row {
    let count = u8::try_from(signers.len()).expect("a note has at most 100 signatures");
    put(NOTE, size.to_be_bytes().to_vec(), [&[count][..], &signers.concat(), lines.as_bytes()].concat())
}

/// What a row's value holds.
pub(crate) fn read_note(value: &[u8]) -> Option<Note> {
    let (count, rest) = value.split_first()?;
    let (signers, lines) = rest.split_at_checked(usize::from(*count) * 32)?;
    let lines = std::str::from_utf8(lines).ok()?.to_owned();
    Some(Note { signers: signers.as_chunks::<32>().0.to_vec(), lines })
}

/// Who signed the checkpoint of a size, and the signatures.
pub(crate) fn note_of(store: &dyn Store, size: u64) -> Result<Option<Note>, StoreError> {
    Ok(store.get(NOTE, &size.to_be_bytes())?.as_deref().and_then(read_note))
}

/// All log keys that have ever signed a checkpoint.
pub(crate) fn note_signers(store: &dyn Store) -> Result<BTreeSet<[u8; 32]>, StoreError> {
    let mut signers = BTreeSet::new();
    for row in store.rows(NOTE, &[]) {
        signers.extend(read_note(&row?.1).map(|note| note.signers).unwrap_or_default());
    }
    Ok(signers)
}

/// The tables whose rows follow from public entries alone.
pub(crate) const PUBLIC: [Table; 5] = [BLOCK, CHAIN, SEAL, REGISTRY, USED];

/// The rows that follow from a block by itself. The heads of its chains follow with the round; the rows of marks need
/// the places that do not show.
pub(crate) fn block_rows(applied: &Applied) -> impl Iterator<Item = Row> + '_ {
    let (unit, head) = applied.chain;
    let written = applied.written.iter().map(|one| registry(one.place));
    let own = std::iter::once(block(unit, head.next_height - 1, applied.entry));
    written.chain(applied.used.iter().map(used)).chain(own)
}

/// The rows that follow from the seal of a round.
pub(crate) fn seal_rows(closed: &Closed) -> impl Iterator<Item = Row> + '_ {
    let chains = closed.chains.iter().map(|(unit, head)| chain(*unit, head));
    std::iter::once(seal(closed.seal.index)).chain(chains)
}
