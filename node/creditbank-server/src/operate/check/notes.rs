//! Checks the signatures of checkpoints. Receipts need them, and they cannot be made again once a log key is destroyed.

use creditbank_ledger::state::LogState;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::note::{Checkpoint, KeyType, Note, VerifierKey};
use creditbank_protocol::pb::Purpose;
use creditbank_store::{Head, Round};

use crate::tables;

/// What is wrong with the rows of a round that say who signs its checkpoint, and how the one before was signed. `log`
/// is the log including the round.
pub(super) fn faults(log: &LogState, round: &Round) -> Vec<String> {
    let rows = || round.rows.iter().filter(|row| row.table == tables::NOTE);
    let mut faults = Vec::new();
    let is_sealed = round.next.size > round.base.size;
    if is_sealed && !rows().any(|row| row.key == round.next.size.to_be_bytes()) {
        faults.push("the round does not say who signs its checkpoint".to_owned());
    }
    if is_sealed && round.base.size > 0 && !rows().any(|row| row.key == round.base.size.to_be_bytes()) {
        faults.push("the round has no signatures of the checkpoint before it".to_owned());
    }
    for row in rows() {
        let head = [round.next, round.base].into_iter().find(|head| row.key == head.size.to_be_bytes());
        let note = row.value.as_deref().and_then(tables::read_note);
        let fault = match head.zip(note) {
            Some((head, note)) => of_note(log, head, &note),
            None => Some("a row of signatures is of another checkpoint, or is malformed".to_owned()),
        };
        faults.extend(fault);
    }
    faults
}

fn of_note(log: &LogState, head: Head, note: &tables::Note) -> Option<String> {
    // A succession ends a log key that was about to follow and has signed the checkpoint before it.
    let registry = &log.in_force().registry;
    let is_log_key = |key: &[u8; 32]| {
        let named = registry.key(&KeyId::of(key)).is_some_and(|entry| entry.purpose == i32::from(Purpose::Log));
        named || registry.log_keys().is_some_and(|known| known.contains(key))
    };
    let (origin, size) = (log.origin_of_size(head.size).to_owned(), head.size);
    if note.signers.is_empty() || !note.signers.iter().all(is_log_key) {
        return Some(format!("the checkpoint of size {size} is signed by keys that are no log keys"));
    }
    if note.lines.is_empty() {
        return None;
    }
    let signed = note.signed(&Checkpoint { origin: origin.clone(), size, root: head.root });
    let holds = |key: &[u8; 32]| {
        let key = VerifierKey::new(&origin, KeyType::Log, *key)?;
        Ok::<_, creditbank_protocol::note::NoteError>(Note::parse(&signed)?.signed_by(&key)?.is_some())
    };
    let all = note.signers.iter().all(|key| holds(key).unwrap_or(false));
    (!all).then(|| format!("a signature of the checkpoint of size {size} does not hold"))
}
