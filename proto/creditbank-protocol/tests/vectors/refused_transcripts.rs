//! Transcripts that a verifier refuses, each with the link that is broken first: what a holder can do to a file, and
//! what an operator or a unit can do who signs whatever he likes.

#![allow(clippy::assigning_clones, clippy::semicolon_if_nothing_returned, clippy::too_many_lines)] // Lists of cases.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use creditbank_protocol::hash::{Preimage, tag};
use creditbank_protocol::key::{KeyId, commitment, sign};
use creditbank_protocol::pb::{self, Kind, Place, Purpose, RevocationReason};
use creditbank_protocol::status::{Marks, Named};
use creditbank_protocol::transcript::{Link, verify, write_file};
use creditbank_protocol::{Digest, UnitId};
use prost::Message as _;
use serde_json::{Value, json};

use super::effects::AWARDS;
use super::log::{
    Bend, HONEST, LOG, Log, MINUTE, NEXT_LOG, NEXT_REGISTRY, NOW_MS, PADDING_SEED, REGISTRY, STATEMENT, Shown,
    key_entry, policy, public, public_record, trust, unit_key,
};
use super::transcripts::{
    APPROVED, APPROVER, CORRECTED, SECOND_APPROVER, approved, approved_effect, approver_stolen, closing, corrected,
    credit, custody, result, rotated, sealed_anew, statement_key_ended, statement_key_followed,
};
use super::{agree, hex, key};

type Case = (&'static str, Link, Vec<u8>);

/// Two blocks of one unit in two rounds: entries 3 and 5, seals 2, 4 and 6.
fn log(bend: Bend) -> Log {
    let mut log = Log::admitting(bend, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None), result(2)], Vec::new());
    log.seal();
    log.issue(1, &[credit(3, "ALG-2", None)], Vec::new());
    log.seal();
    log
}

/// All of its records.
fn honest(bend: Bend) -> pb::Transcript {
    log(bend).transcript(&[(3, 0, None), (3, 1, None), (5, 0, None)], &[])
}

/// One record of a log with one block.
fn small(bend: Bend) -> pb::Transcript {
    let mut log = Log::admitting(bend, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    log.transcript(&[(3, 0, None)], &[])
}

/// The file of bytes that may not be canonical.
pub(super) fn raw(content: &[u8]) -> Vec<u8> {
    let head = [b"CBT\x01", content].concat();
    let checksum = Preimage::new(tag::TRANSCRIPT).variable(&head).digest();
    [&head[..], checksum.as_bytes()].concat()
}

fn bent(about: &'static str, link: Link, change: fn(&mut pb::Transcript)) -> Case {
    let mut transcript = small(HONEST);
    change(&mut transcript);
    (about, link, raw(&transcript.encode_to_vec()))
}

fn bent_whole(about: &'static str, link: Link, change: fn(&mut pb::Transcript)) -> Case {
    let mut transcript = honest(HONEST);
    change(&mut transcript);
    (about, link, raw(&transcript.encode_to_vec()))
}

fn lied(about: &'static str, link: Link, bend: Bend) -> Case {
    (about, link, raw(&small(bend).encode_to_vec()))
}

fn lied_whole(about: &'static str, link: Link, bend: Bend) -> Case {
    (about, link, raw(&honest(bend).encode_to_vec()))
}

/// How the records came into the log.
fn base(transcript: &mut pb::Transcript) -> &mut pb::TreeProofs {
    transcript.base.as_mut().expect("a base")
}

fn status(transcript: &mut pb::Transcript) -> &mut pb::StatusPart {
    transcript.status.as_mut().expect("a status part")
}

/// What proves what has become of the records.
fn newest(transcript: &mut pb::Transcript) -> &mut pb::TreeProofs {
    status(transcript).proofs.as_mut().expect("proofs")
}

/// The statement as it is bent, signed again.
fn restated(transcript: &mut pb::Transcript, change: fn(&mut pb::SubjectStatement)) {
    let mut statement = pb::SubjectStatement::decode(&transcript.statement[..]).expect("a statement");
    change(&mut statement);
    transcript.statement = statement.encode_to_vec();
    let message = Preimage::new(tag::STATEMENT_SIGNATURE).variable(&transcript.statement);
    transcript.statement_signature = sign(&key(STATEMENT), message.as_bytes()).to_vec();
}

fn files() -> Vec<Case> {
    let file = write_file(&small(HONEST)).expect("a file");
    let with = |change: fn(&mut Vec<u8>)| {
        let mut file = file.clone();
        change(&mut file);
        file
    };
    let reversed = {
        let content = small(HONEST).encode_to_vec();
        raw(&[&content[2..4], &content[..2], &content[4..]].concat())
    };
    vec![
        ("no bytes", Link::File, Vec::new()),
        ("the magic alone", Link::File, file[..4].to_vec()),
        ("35 bytes", Link::File, file[..35].to_vec()),
        ("no transcript between magic and checksum", Link::File, raw(&[])),
        ("another magic", Link::File, with(|file| file[0] = b'X')),
        ("another version of the file", Link::File, with(|file| file[3] = 0xff)),
        ("a flipped bit", Link::File, with(|file| file[900] ^= 1)),
        ("a flipped bit of the checksum", Link::File, with(|file| *file.last_mut().expect("a byte") ^= 1)),
        ("a byte less", Link::File, with(|file| file.truncate(file.len() - 1))),
        ("a byte more", Link::File, with(|file| file.push(0))),
        ("fields out of order", Link::File, reversed),
        bent("another suite", Link::File, |transcript| transcript.suite = 65_535),
        bent("no version", Link::File, |transcript| transcript.version = 0),
        bent("another version", Link::File, |transcript| transcript.version = 65_535),
        bent("no checkpoint", Link::Checkpoint, |transcript| status(transcript).checkpoint.clear()),
        bent("no status part", Link::Checkpoint, |transcript| transcript.status = None),
        bent("another origin", Link::Checkpoint, |transcript| transcript.origin = "test.example/other".to_owned()),
        bent("a changed checkpoint", Link::Checkpoint, |transcript| status(transcript).checkpoint[18] ^= 1),
        lied(
            "a checkpoint of another log",
            Link::Checkpoint,
            Bend { checkpoint: |checkpoint| checkpoint.origin = "test.example/other".to_owned(), ..HONEST },
        ),
        lied(
            "a checkpoint of another root",
            Link::Checkpoint,
            Bend { checkpoint: |checkpoint| checkpoint.root = Digest([7; 32]), ..HONEST },
        ),
        lied(
            "a checkpoint of another size",
            Link::Checkpoint,
            Bend { checkpoint: |checkpoint| checkpoint.size += 1, ..HONEST },
        ),
    ]
}

fn seals() -> Vec<Case> {
    let seal = |about, seal| lied_whole(about, Link::Seal, Bend { seal, ..HONEST });
    vec![
        bent("no seals", Link::Seal, |transcript| base(transcript).seals.clear()),
        bent("no base", Link::Seal, |transcript| transcript.base = None),
        bent("no proofs of the status", Link::Seal, |transcript| status(transcript).proofs = None),
        bent("without the first seal", Link::Seal, |transcript| drop(base(transcript).seals.remove(0))),
        bent("without the last seal of the statement's tree", Link::Seal, |transcript| {
            drop(base(transcript).seals.pop());
        }),
        bent("without the last seal", Link::Seal, |transcript| drop(newest(transcript).seals.pop())),
        bent_whole("seals not ascending", Link::Seal, |transcript| base(transcript).seals.swap(0, 1)),
        bent_whole("a seal twice", Link::Seal, |transcript| {
            let seal = base(transcript).seals[0].clone();
            base(transcript).seals.insert(1, seal);
        }),
        bent("a seal at another index", Link::Seal, |transcript| base(transcript).seals[0].index = 3),
        bent("a changed hash of a seal's path", Link::Seal, |transcript| {
            base(transcript).seals[0].inclusion[0][0] ^= 1
        }),
        bent("a path that is too short", Link::Seal, |transcript| drop(base(transcript).seals[0].inclusion.pop())),
        bent("a block for a seal", Link::Seal, |transcript| {
            let block = base(transcript).blocks[0].clone();
            base(transcript).seals.insert(1, block);
        }),
        lied("seals by another key", Link::Seal, Bend { seal_signer: Some(REGISTRY), ..HONEST }),
        seal("a seal of another log", |_, seal| seal.origin = "test.example/other".to_owned()),
        seal("a seal with another index", |at, seal| seal.index.0 += u64::from(at == 1)),
        seal("rounds that overlap", |at, seal| seal.first_index.0 -= u64::from(at == 1)),
        seal("a time before the last seal's", |at, seal| seal.time_ms -= if at == 1 { 60 * 60_000 + 1 } else { 0 }),
        seal("fewer records than before", |at, seal| seal.records_total -= if at == 2 { 2 } else { 0 }),
        seal("a seal that does not follow the one before", |at, seal| seal.previous.0[0] ^= u8::from(at == 2)),
        seal("a first seal that does not begin the log", |at, seal| seal.first_index.0 += u64::from(at == 0)),
        seal("a log that begins with other keys", |at, seal| seal.previous.0[0] ^= u8::from(at == 0)),
        bent("a seal that closes no round of a record", Link::Seal, |transcript| {
            let mut log = Log::admitting(HONEST, &[1]);
            log.seal();
            log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
            log.seal();
            let with = log.transcript(&[(4, 0, None)], &[]);
            let mut all = Log::admitting(HONEST, &[1]);
            all.seal();
            all.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
            all.seal();
            *transcript = with;
            base(transcript).seals.insert(1, all.proved_at(3));
        }),
    ]
}

fn registry() -> Vec<Case> {
    let lie = |about, entry| lied(about, Link::Registry, Bend { entry, ..HONEST });
    vec![
        bent("a registry entry under a seal that is not there", Link::Registry, |transcript| {
            newest(transcript).registry[0].seal = 3
        }),
        bent_whole("registry entries not ascending", Link::Registry, |transcript| {
            newest(transcript).registry.swap(0, 1)
        }),
        bent_whole("a registry entry twice", Link::Registry, |transcript| {
            let entry = newest(transcript).registry[0].clone();
            newest(transcript).registry.insert(1, entry);
        }),
        bent("without an entry", Link::Registry, |transcript| newest(transcript).registry[0].entry = None),
        bent("an entry with a changed body", Link::Registry, |transcript| {
            entry(transcript, Kind::Institution).body[1] ^= 2
        }),
        bent("an entry with another place", Link::Registry, |transcript| {
            entry(transcript, Kind::Institution).place = Some(Place { entry: 0, index: 7 })
        }),
        bent("a changed sibling", Link::Registry, |transcript| {
            newest(transcript).registry[0].proof.as_mut().expect("a proof").siblings[0][0] ^= 1
        }),
        bent("a proof of presence with another leaf", Link::Registry, |transcript| {
            newest(transcript).registry[0].proof.as_mut().expect("a proof").other_leaf = vec![1; 64]
        }),
        bent("no proof", Link::Registry, |transcript| newest(transcript).registry[0].proof = None),
        lie("entries of another version", |entry| entry.version = 65_535),
        lie("an entry whose body is not canonical", |entry| entry.body.extend([0, 0])),
        lie("an entry of a learner's kind", |entry| entry.kind = Kind::Credit.into()),
        lie("an entry that is not in force yet", |entry| entry.place = Some(Place { entry: 3, index: 0 })),
        lied("a key of another suite", Link::Registry, Bend { key: |key| key.suite = 65_535, ..HONEST }),
        bent("without the institution's entry", Link::Registry, |transcript| {
            let kind = i32::from(Kind::Institution);
            let place = entry(transcript, Kind::Institution).place;
            newest(transcript).publications.retain(|publication| publication.place != place);
            newest(transcript).registry.retain(|one| one.entry.as_ref().is_some_and(|entry| entry.kind != kind));
        }),
        bent("an entry that nothing needs", Link::Registry, |transcript| {
            let mut log = Log::admitting(HONEST, &[1]);
            log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
            log.seal();
            let unit = log.proved_entry(4, &creditbank_protocol::registry::RegistryKey::Unit(UnitId::new(1, 1)));
            let place = unit.entry.as_ref().and_then(|entry| entry.place).expect("a place");
            newest(transcript).publications.extend(log.publication(place));
            newest(transcript).publications.sort_by_key(|one| one.place.map_or(0, |place| place.index));
            newest(transcript).registry.push(unit);
            let order = |one: &pb::ProvedRegistryEntry| {
                let entry = one.entry.as_ref().expect("an entry");
                let kind = Kind::try_from(entry.kind).expect("a kind");
                creditbank_protocol::registry::RegistryKey::of(kind, &entry.body).expect("a key").digest()
            };
            newest(transcript).registry.sort_by_key(order);
        }),
    ]
}

/// The first entry of a kind.
fn entry(transcript: &mut pb::Transcript, kind: Kind) -> &mut pb::RegistryEntry {
    let entries = newest(transcript).registry.iter_mut().filter_map(|one| one.entry.as_mut());
    entries.into_iter().find(|entry| entry.kind == i32::from(kind)).expect("an entry of the kind")
}

fn blocks() -> Vec<Case> {
    let twice = {
        let mut log = Log::admitting(HONEST, &[1]);
        let first = log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        log.repeat(first);
        log.seal();
        log.transcript(&[(3, 0, None), (4, 0, None)], &[])
    };
    vec![
        bent_whole("blocks not ascending", Link::Block, |transcript| base(transcript).blocks.swap(0, 1)),
        bent_whole("a block twice", Link::Block, |transcript| {
            let block = base(transcript).blocks[0].clone();
            base(transcript).blocks.insert(1, block);
        }),
        bent("a block at another index", Link::Block, |transcript| base(transcript).blocks[1].index = 4),
        bent("a changed hash of a block's path", Link::Block, |transcript| {
            base(transcript).blocks[0].inclusion[0][0] ^= 1
        }),
        bent("a seal for a block", Link::Block, |transcript| {
            let seal = base(transcript).seals[1].clone();
            base(transcript).blocks.push(seal);
        }),
        bent_whole("without the seal of a block's round", Link::Block, |transcript| {
            base(transcript).seals.remove(1);
            base(transcript).registry.retain(|one| one.seal != 4);
        }),
        bent("a block without a record", Link::Block, |transcript| {
            transcript.records.clear();
            transcript.salts.clear();
            status(transcript).statuses.clear();
        }),
        lied(
            "a block of another log",
            Link::Block,
            Bend { draft: |draft| draft.origin = "test.example/other".to_owned(), ..HONEST },
        ),
        lied_whole(
            "heights of a unit that do not ascend",
            Link::Block,
            Bend { draft: |draft| draft.height = 5, ..HONEST },
        ),
        ("the same block twice in the log", Link::Block, raw(&twice.encode_to_vec())),
        lied(
            "a head with a public part in it",
            Link::Block,
            Bend { block: |block| block.extend([0x1a, 0x02, 0x12, 0x00]), ..HONEST },
        ),
        lied(
            "a block without a signature",
            Link::Block,
            Bend { block: |block| *block = rebuilt(block, |block| block.signature.clear()), ..HONEST },
        ),
        lied(
            "a block with a second signature",
            Link::Block,
            Bend { block: |block| *block = rebuilt(block, |block| block.second_signature = vec![1; 64]), ..HONEST },
        ),
        lied(
            "a block that is not canonical",
            Link::Block,
            Bend { block: |block| block.extend([0x2a, 0x00]), ..HONEST },
        ),
    ]
}

/// Times that go back, and what the correction says.
fn times() -> Vec<Case> {
    let shown = |about, bend: fn(&mut pb::TimeCorrection)| {
        (about, Link::Seal, raw(&corrected(bend).transcript(&CORRECTED, &[]).encode_to_vec()))
    };
    let mut silent = corrected(|_| ());
    silent.also.clear();
    vec![
        (
            "a time that goes back without a correction",
            Link::Seal,
            raw(&silent.transcript(&CORRECTED, &[]).encode_to_vec()),
        ),
        shown("a correction of another interval", |said| (said.first, said.last) = (2, 2)),
        shown("a time before the bound", |said| said.bound_ms = (MINUTE + 5 * 60) * 60_000),
        shown("a correction to a time before that of the seal before", |said| said.bound_ms = (MINUTE + 59) * 60_000),
        shown("a correction to the beginning of time", |said| said.bound_ms = 0),
        shown("a correction of what comes behind its block", |said| said.last = 10),
        shown("a correction that ends before the seal before its block", |said| (said.first, said.last) = (5, 5)),
        shown("a correction that begins behind its end", |said| said.first = 7),
        shown("a correction to the time of the last wrong seal", |said| said.bound_ms = (MINUTE + 21 * 60) * 60_000),
    ]
}

/// Seed of a key that nobody has committed to.
const THIEF: u8 = 66;

/// Registry entries that nobody has published who may.
fn publications() -> Vec<Case> {
    let followed = |about, signer, registrar, bend: fn(&mut pb::RegistrySuccession)| {
        let log = rotated(signer, registrar, bend);
        (about, Link::Publication, raw(&log.transcript(&[(6, 0, None)], &[]).encode_to_vec()))
    };
    let unfollowed = |about, change: fn(&mut pb::TreeProofs)| {
        let mut transcript = rotated(REGISTRY, NEXT_REGISTRY, |_| ()).transcript(&[(6, 0, None)], &[]);
        change(base(&mut transcript));
        (about, Link::Publication, raw(&transcript.encode_to_vec()))
    };
    let of_unit = {
        // A unit publishes what is the operator's to register.
        let mut log = Log::admitting(HONEST, &[1]);
        let institution = pb::Institution { number: 1, state: 1, ..Default::default() };
        let body = creditbank_protocol::canonical::encode(&institution).expect("canonical");
        log.publishes(1, &[public_record(Kind::Institution, body)]);
        log.seal();
        let entry = log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        log.seal();
        log.transcript(&[(entry, 0, None)], &[])
    };
    vec![
        bent("no publications", Link::Publication, |transcript| newest(transcript).publications.clear()),
        bent("without a publication", Link::Publication, |transcript| drop(newest(transcript).publications.pop())),
        bent("publications not ascending", Link::Publication, |transcript| newest(transcript).publications.swap(0, 1)),
        bent("a publication twice", Link::Publication, |transcript| {
            let publication = newest(transcript).publications[0].clone();
            newest(transcript).publications.insert(1, publication);
        }),
        bent("a publication of no entry", Link::Publication, |transcript| {
            let unit = Place { entry: 0, index: 2 };
            newest(transcript).publications.extend(log(HONEST).publication(unit));
            newest(transcript).publications.sort_by_key(|one| one.place.map_or(0, |place| place.index));
        }),
        bent("a publication without its number", Link::Publication, |transcript| {
            newest(transcript).publications[0].piece_plus_1 = 0
        }),
        bent("another piece", Link::Publication, |transcript| newest(transcript).publications[0].piece_plus_1 += 1),
        bent("a changed hash of a publication's path", Link::Publication, |transcript| {
            newest(transcript).publications[0].path[0][0] ^= 1
        }),
        bent("without the block that has published", Link::Publication, |transcript| {
            drop(newest(transcript).blocks.remove(0))
        }),
        lied("published by the log key alone", Link::Publication, Bend { publisher: Some(LOG), ..HONEST }),
        followed("published under a registry key that was not committed to", REGISTRY, THIEF, |_| ()),
        followed("published under the registry key before", REGISTRY, REGISTRY, |_| ()),
        followed("a succession by the thief of the registry key", REGISTRY, THIEF, |said| {
            said.public_key = public(THIEF).to_vec();
        }),
        followed("a succession with another commitment than the new key has signed", REGISTRY, NEXT_REGISTRY, |said| {
            said.next_registry_key = commitment(&public(THIEF)).0.to_vec();
        }),
        followed("a succession in a block of a third key", THIEF, NEXT_REGISTRY, |_| ()),
        unfollowed("published under a key without its succession", |part| part.successions.clear()),
        unfollowed("a succession twice", |part| part.successions.push(part.successions[0].clone())),
        unfollowed("a succession that its block does not have", |part| {
            part.successions[0].path[0][0] ^= 1;
        }),
        ("registered by a unit", Link::Publication, raw(&of_unit.encode_to_vec())),
    ]
}

/// Log keys that have not followed, and seals by the wrong one.
fn log_keys() -> Vec<Case> {
    let first: Shown<'_> = &[(6, 0, None)];
    let bent = |about, link, signers: &[u8], change: fn(&mut pb::Transcript)| {
        let mut transcript = sealed_anew(HONEST, signers, 6).transcript(first, &[]);
        change(&mut transcript);
        (about, link, raw(&transcript.encode_to_vec()))
    };
    let both = [LOG, NEXT_LOG];
    let lied = |about, link, bend, from| {
        (about, link, raw(&sealed_anew(bend, &both, from).transcript(first, &[]).encode_to_vec()))
    };
    let by_log_key = {
        let mut log = Log::admitting(HONEST, &[1]);
        (log.registrar, log.note_signers) = (LOG, vec![NEXT_LOG]);
        log.rotate(NEXT_LOG, 5);
        log.seal();
        log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        log.seal();
        log.transcript(first, &[])
    };
    // The thief of a log key names the next one himself.
    let invented = |transcript: &mut pb::Transcript| {
        for part in [base, newest] {
            part(transcript).log_keys[0].path = vec![vec![7; 32]];
        }
    };
    // Whoever has the registry key alone: the key in force has not handed over.
    let named = |about, rotate: fn(&mut Log)| {
        let mut log = Log::admitting(HONEST, &[1]);
        rotate(&mut log);
        log.note_signers = vec![log.next_sealer()];
        log.seal();
        log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        log.seal();
        let entry = log.newest_block();
        (about, Link::Publication, raw(&log.transcript(&[(entry, 0, None)], &[]).encode_to_vec()))
    };
    let of_key = |about, link, change: fn(&mut pb::Key)| {
        let mut transcript = sealed_anew(HONEST, &both, 6).transcript(first, &[]);
        for part in [base, newest] {
            let record = part(&mut transcript).log_keys[0].record.as_mut().expect("a record");
            let mut entry = pb::Key::decode(&record.body[..]).expect("a key");
            change(&mut entry);
            record.body = entry.encode_to_vec();
        }
        (about, link, raw(&transcript.encode_to_vec()))
    };
    vec![
        lied("the retired log key seals on", Link::Seal, Bend { seal_signer: Some(LOG), ..HONEST }, 6),
        lied("a log key seals before its index", Link::Seal, Bend { seal_signer: Some(NEXT_LOG), ..HONEST }, 6),
        bent("a new log key that nothing names", Link::Checkpoint, &[NEXT_LOG], |transcript| {
            base(transcript).log_keys.clear();
            newest(transcript).log_keys.clear();
        }),
        bent("seals of a new log key that nothing names", Link::Seal, &both, |transcript| {
            base(transcript).log_keys.clear();
            newest(transcript).log_keys.clear();
        }),
        bent("a log key that its block does not name", Link::Publication, &[NEXT_LOG], invented),
        bent("a log key without its block", Link::Publication, &both, |transcript| {
            newest(transcript).blocks.retain(|block| block.index != 3);
        }),
        bent("a log key twice", Link::Publication, &both, |transcript| {
            let again = base(transcript).log_keys[0].clone();
            base(transcript).log_keys.push(again);
        }),
        bent("a log key without its record", Link::Publication, &both, |transcript| {
            base(transcript).log_keys[0].record = None;
        }),
        ("a log key that the log key alone names", Link::Publication, raw(&by_log_key.encode_to_vec())),
        lied("a log key that begins at its own block", Link::Publication, HONEST, 3),
        of_key("a statement key as a log key", Link::Publication, |entry| {
            entry.purpose = pb::Purpose::Statement.into()
        }),
        of_key("another log key than the block names", Link::Publication, |entry| {
            entry.public_key = public(THIEF).to_vec()
        }),
        of_key("an earlier beginning than the block says", Link::Publication, |entry| entry.from_index = 5),
        of_key("a log key without a handover", Link::Publication, |entry| entry.handover.clear()),
        named("a log key that the registry key alone names", |log| log.rotate_by(THIEF, 5, THIEF)),
        named("a log key that a retired one hands over to", |log| {
            log.rotate(NEXT_LOG, 5);
            log.seal();
            log.rotate_by(THIEF, 8, LOG);
        }),
        named("a log key that one hands over to which has not begun", |log| {
            log.rotate(NEXT_LOG, 100);
            log.rotate_by(THIEF, 8, NEXT_LOG);
        }),
        named("a log key of small order that has not begun", |log| log.rotate_to_nothing([0; 32], 100)),
        named("a log key that is no point and has not begun", |log| log.rotate_to_nothing([0xff; 32], 100)),
    ]
}

fn rebuilt(block: &[u8], change: fn(&mut pb::BlockHead)) -> Vec<u8> {
    let mut block = pb::BlockHead::decode(block).expect("a block");
    change(&mut block);
    block.encode_to_vec()
}

fn records() -> Vec<Case> {
    let bad_key = |about, key| lied(about, Link::Record, Bend { key, ..HONEST });
    let partly = |about, change: fn(&mut pb::DisclosedRecord)| {
        let mut log = Log::admitting(HONEST, &[1]);
        log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        log.seal();
        let mut transcript = log.transcript(&[(3, 0, Some(&[2, 3, 7, 11, 14, 16, 17, 18, 20, 21]))], &[]);
        change(&mut transcript.records[0]);
        (about, Link::Record, raw(&transcript.encode_to_vec()))
    };
    let of_operator = {
        let log = Log::admitting(HONEST, &[1]);
        log.transcript(&[(0, 1, None)], &[])
    };
    let revoked = {
        let mut log = Log::admitting(HONEST, &[1]);
        let revoked = pb::KeyRevocation { reason: 1, compromised_since_minute: 0 };
        let key = pb::Key { revoked: Some(revoked), ..Log::unit_entry(1) };
        log.operator(&[public_record(Kind::Key, creditbank_protocol::canonical::encode(&key).expect("canonical"))]);
        log.seal();
        let entry = log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        log.seal();
        log.transcript(&[(entry, 0, None)], &[])
    };
    let mut cases = vec![
        bent("a record of a block that is not there", Link::Record, |transcript| {
            transcript.records[0].place = Some(Place { entry: 4, index: 0 })
        }),
        bent("without a place", Link::Record, |transcript| transcript.records[0].place = None),
        bent_whole("records not ascending", Link::Record, |transcript| transcript.records.swap(0, 1)),
        bent_whole("a record twice", Link::Record, |transcript| {
            transcript.records.insert(1, transcript.records[0].clone())
        }),
        bent("a changed body", Link::Record, |transcript| {
            let at = transcript.records[0].body.len() - 1;
            transcript.records[0].body[at] ^= 1;
        }),
        bent("another seed", Link::Record, |transcript| transcript.records[0].seed[0] ^= 1),
        bent("another kind", Link::Record, |transcript| transcript.records[0].kind = Kind::Outcome.into()),
        bent("another version of the record", Link::Record, |transcript| transcript.records[0].version = 65_535),
        bent("no kind", Link::Record, |transcript| transcript.records[0].kind = 0),
        bent("a body without its seed", Link::Record, |transcript| transcript.records[0].seed.clear()),
        bent("a body that is not canonical", Link::Record, |transcript| {
            transcript.records[0].body.extend([0x08, 0x00])
        }),
        bent_whole("a changed path", Link::Record, |transcript| transcript.records[0].path[0][0] ^= 1),
        bent("a path that is too long", Link::Record, |transcript| transcript.records[0].path.push(vec![0; 32])),
        bent_whole("a position that is not the record's", Link::Record, |transcript| {
            transcript.records[2].place = Some(Place { entry: 5, index: 1 })
        }),
        ("a public record of the operator", Link::Record, raw(&of_operator.encode_to_vec())),
        partly("whole and in part", |record| record.seed = vec![1; 32]),
        partly("a claim less", |record| drop(record.claims.pop())),
        partly("a claim more", |record| record.claims.push(record.claims[0].clone())),
        partly("a claim with nothing but a value", |record| record.claims[1].salt.clear()),
        partly("a claim hidden and opened", |record| record.claims[1].hash = vec![1; 32]),
        partly("a value hidden as absent", |record| record.claims[2].value.clear()),
        partly("a value in another field's place", |record| record.claims[3] = record.claims[2].clone()),
        partly("an absent field that is given a value", |record| record.claims[6].value = vec![0x38, 0x01]),
        partly("a changed salt", |record| record.claims[1].salt[0] ^= 1),
        lied("a block signed by another key", Link::Record, Bend { signer: Some(REGISTRY), ..HONEST }),
        lied(
            "a block created long before its seal",
            Link::Record,
            Bend { draft: |draft| draft.created_at_minute = MINUTE + 60 - 1_441, ..HONEST },
        ),
        lied(
            "a block created long after its seal",
            Link::Record,
            Bend { draft: |draft| draft.created_at_minute = MINUTE + 60 + 1_441, ..HONEST },
        ),
        lied(
            "a block of another unit than its key's",
            Link::Record,
            Bend { draft: |draft| draft.unit.number = 2, ..HONEST },
        ),
        lied(
            "a key that the registry does not have",
            Link::Record,
            Bend { draft: |draft| draft.key_id = KeyId([1; 16]), ..HONEST },
        ),
        bad_key("a key of another purpose", |key| key.purpose = Purpose::Approver.into()),
        bad_key("a key of another institution", |key| key.institution = 2),
        bad_key("a key without the record's kind", |key| key.kinds = vec![Kind::Result.into()]),
        bad_key("a key that is not in force yet", |key| key.from_minute = MINUTE + 61),
        bad_key("a key that is no longer in force", |key| key.until_minute = MINUTE + 60),
        ("a key that was revoked before the round", Link::Record, raw(&revoked.encode_to_vec())),
        bent_whole("without the key under the last seal", Link::Record, |transcript| {
            let id = creditbank_protocol::registry::RegistryKey::Key(KeyId::of(&public(unit_key(1)))).digest();
            newest(transcript).publications.retain(|one| one.place.is_none_or(|place| place.index != 3));
            newest(transcript).registry.retain(|one| {
                let entry = one.entry.as_ref().expect("an entry");
                let kind = Kind::try_from(entry.kind).expect("a kind");
                let key = creditbank_protocol::registry::RegistryKey::of(kind, &entry.body).expect("a key").digest();
                one.seal != 6 || key != id
            });
        }),
    ];
    // A bound that just holds is no refusal.
    for minute in [MINUTE + 60 - 1_440, MINUTE + 60 + 1_440] {
        let bend: Bend = if minute < MINUTE {
            Bend { draft: |draft| draft.created_at_minute = MINUTE + 60 - 1_440, ..HONEST }
        } else {
            Bend { draft: |draft| draft.created_at_minute = MINUTE + 60 + 1_440, ..HONEST }
        };
        verify(&raw(&small(bend).encode_to_vec()), &trust(), NOW_MS).expect("a day");
    }
    cases.push(lied("an empty key scope", Link::Record, Bend { key: |key| key.kinds.clear(), ..HONEST }));
    cases
}

/// Blocks that whoever signed could not seal.
/// Leaves the entry of the approver's key under the last seal out of the status part, with what published it.
fn without_stolen_approver(about: &'static str, link: Link, mut transcript: pb::Transcript) -> Case {
    let part = newest(&mut transcript);
    let of = |body: &[u8]| pb::Key::decode(body).is_ok_and(|key| key.public_key == public(APPROVER));
    let last = part.seals.last().expect("a seal").index;
    let is_one =
        |one: &pb::ProvedRegistryEntry| one.seal == last && one.entry.as_ref().is_some_and(|entry| of(&entry.body));
    let at = part.registry.iter().position(is_one).expect("the approver's key");
    let place = part.registry.remove(at).entry.and_then(|entry| entry.place).expect("a place");
    part.publications.retain(|one| one.place != Some(place));
    if !part.publications.iter().any(|one| one.place.is_some_and(|other| other.entry == place.entry)) {
        part.blocks.retain(|block| block.index != place.entry);
    }
    (about, link, raw(&transcript.encode_to_vec()))
}

fn issuers() -> Vec<Case> {
    let lied = |about, bend: Bend| lied(about, Link::Record, bend);
    let approver = |about, log_bend: Bend, bend: fn(&mut pb::Key)| {
        (about, Link::Record, raw(&approved(log_bend, bend).transcript(&[(6, 0, None)], &[]).encode_to_vec()))
    };
    let approval = |about, bend: fn(&mut pb::Approval)| approver(about, Bend { approval: bend, ..APPROVED }, |_| ());
    let unproved = |about, is_left: fn(&pb::RegistryEntry) -> bool| {
        let mut transcript = approved(APPROVED, |_| ()).transcript(&[(6, 0, None)], &[]);
        let base = base(&mut transcript);
        base.registry.retain(|one| one.entry.as_ref().is_some_and(is_left));
        let places: Vec<_> = base.registry.iter().map(|one| one.entry.as_ref().and_then(|entry| entry.place)).collect();
        base.publications.retain(|one| places.contains(&one.place));
        base.blocks.retain(|block| {
            block.index == 6 || places.iter().any(|place| place.is_some_and(|place| place.entry == block.index))
        });
        (about, Link::Record, raw(&transcript.encode_to_vec()))
    };
    vec![
        lied(
            "an institution that is suspended",
            Bend { institution: |entry| entry.state = pb::RegistryState::Suspended.into(), ..HONEST },
        ),
        lied(
            "an institution that is closed",
            Bend { institution: |entry| entry.state = pb::RegistryState::Closed.into(), ..HONEST },
        ),
        lied("an institution without a state", Bend { institution: |entry| entry.state = 0, ..HONEST }),
        lied("a unit that is closed", Bend { unit: |unit| unit.state = pb::RegistryState::Closed.into(), ..HONEST }),
        lied("a block without the approval that its unit needs", APPROVED),
        approver("an approval under a key of another purpose", APPROVED, |key| key.purpose = Purpose::Unit.into()),
        approver("an approval under a key of another unit", APPROVED, |key| key.unit = 2),
        approver("an approval under a key that is not in force yet", APPROVED, |key| key.from_minute = MINUTE + 121),
        approver("an approval under a revoked key", APPROVED, |key| {
            key.revoked = Some(pb::KeyRevocation { reason: 1, compromised_since_minute: 0 })
        }),
        approver("a bad approval of a unit that needs none", HONEST, |key| key.unit = 2),
        approval("an approval under a key that nobody has", |approval| approval.key_id = vec![1; 16]),
        approval("an approval that had ended", |approval| approval.until_minute -= 1),
        approval("an approval for too long", |approval| approval.until_minute += 43_201),
        {
            let mut log = approved(APPROVED, |_| ());
            log.approver = None;
            let revoked = log.effect(6, 0, pb::Action::Revoke);
            log.issue(1, &[], vec![revoked]);
            log.seal();
            let file = raw(&log.transcript(&[(6, 0, None)], &[]).encode_to_vec());
            ("a revocation without the approval that its unit needs", Link::Status, file)
        },
        unproved("without the approver's key", |entry| {
            entry.kind != i32::from(Kind::Key)
                || pb::Key::decode(&entry.body[..]).is_ok_and(|key| key.public_key != public(APPROVER))
        }),
        without_stolen_approver(
            "without what has become of the record's approver",
            Link::Record,
            approver_stolen(1).transcript(&[(6, 0, None)], &[]),
        ),
        without_stolen_approver(
            "without what has become of the approver of a revocation",
            Link::Status,
            approved_effect([SECOND_APPROVER, APPROVER], pb::Action::Revoke).transcript(&[(6, 0, None)], &[]),
        ),
        unproved("without the unit", |entry| entry.kind != i32::from(Kind::Unit)),
        unproved("without the institution at the time", |entry| entry.kind != i32::from(Kind::Institution)),
    ]
}

/// An effect on a record of institution 1, by an institution (0: the operator), as it is bent.
fn affected(about: &'static str, signer: u64, change: fn(&mut pb::EffectGroup)) -> Case {
    let mut log = Log::admitting(HONEST, &[1, 2]);
    log.issue(1, &[credit(1, "ALG-1", None), result(2)], Vec::new());
    log.seal();
    let registry = key_entry(REGISTRY, Purpose::Registry, 0, 0);
    let body = creditbank_protocol::canonical::encode(&registry).expect("canonical");
    log.operator(&[public_record(Kind::Key, body)]);
    log.seal();
    let mut group = log.effect(3, 0, pb::Action::Revoke);
    change(&mut group);
    if signer == 0 {
        log.by_operator(group);
    } else {
        log.issue(signer, &[], vec![group]);
    }
    log.seal();
    (about, Link::Status, raw(&log.transcript(&[(3, 0, None)], &[]).encode_to_vec()))
}

/// An effect of institution 1 on its own record that shows a place where none may stand, or none where one must.
fn misplaced(about: &'static str, action: pb::Action, basis: pb::Basis, bend: fn(&mut pb::EffectGroup)) -> Case {
    bent_piece(about, (action, basis), "the place of its record", bend)
}

/// An effect of institution 1 on its own record, in a piece that is bent and stands so in its block.
fn bent_piece(
    about: &'static str,
    (action, basis): (pb::Action, pb::Basis),
    why: &str,
    bend: fn(&mut pb::EffectGroup),
) -> Case {
    let mut log = Log::admitting(Bend { group: bend, ..HONEST }, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None), result(2)], Vec::new());
    log.seal();
    let mut group = log.effect(3, 0, action);
    let mandate_digest = if basis == pb::Basis::Mandate { vec![7; 32] } else { Vec::new() };
    group.authority = Some(pb::Authority { basis: basis.into(), mandate_digest, ..Default::default() });
    log.issue(1, &[], vec![group]);
    log.seal();
    let mut transcript = log.transcript(&[(3, 0, None)], &[]);
    newest(&mut transcript).groups.iter_mut().filter_map(|proved| proved.group.as_mut()).for_each(bend);
    let file = raw(&transcript.encode_to_vec());
    // The group is proved into its block: nothing else is wrong with it.
    let error = verify(&file, &trust(), NOW_MS).map(|_| ()).expect_err(about).to_string();
    assert!(error.contains(why), "{about}: {error}");
    (about, Link::Block, file)
}

/// What blocks say of records, without the right to.
fn effects() -> Vec<Case> {
    fn authority(group: &mut pb::EffectGroup, basis: pb::Basis, institution: u64, case: &str) {
        let case_reference = case.to_owned();
        group.authority =
            Some(pb::Authority { basis: basis.into(), institution, case_reference, ..Default::default() });
    }
    let usurped = {
        // An amendment for an institution that is not closed.
        let mut log = Log::admitting(HONEST, &[1, 2]);
        log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        log.seal();
        let mut group = log.effect(3, 0, pb::Action::Supersede);
        authority(&mut group, pb::Basis::Custodian, 1, "");
        log.issue(2, &[credit(2, "ALG-1", Some(Place { entry: 3, index: 0 }))], vec![group]);
        log.seal();
        log.transcript(&[(5, 0, None)], &[])
    };
    let grouped = |about, link, change: fn(&mut pb::Transcript)| {
        let mut log = Log::admitting(HONEST, &[1]);
        log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        log.seal();
        let effect = log.effect(3, 0, pb::Action::Supersede);
        log.issue(1, &[credit(2, "ALG-1", Some(Place { entry: 3, index: 0 }))], vec![effect]);
        log.seal();
        let mut transcript = log.transcript(&[(3, 0, None), (5, 0, None)], &[]);
        verify(&raw(&transcript.encode_to_vec()), &trust(), NOW_MS).expect("what is bent is right before");
        change(&mut transcript);
        (about, link, raw(&transcript.encode_to_vec()))
    };
    vec![
        grouped("an amendment without the effect that replaces the other record", Link::Record, |transcript| {
            base(transcript).groups.clear()
        }),
        grouped("a group twice", Link::Block, |transcript| {
            let group = base(transcript).groups[0].clone();
            base(transcript).groups.push(group);
        }),
        grouped("a group of a block that is not there", Link::Block, |transcript| base(transcript).groups[0].block = 4),
        grouped("a group of a block without a public part", Link::Block, |transcript| {
            base(transcript).groups[0].block = 3
        }),
        grouped("a group at another number", Link::Block, |transcript| base(transcript).groups[0].piece += 1),
        grouped("a group whose path is too long", Link::Block, |transcript| {
            base(transcript).groups[0].path.push(vec![1; 32])
        }),
        grouped("another effect in a group", Link::Block, |transcript| {
            base(transcript).groups[0].group.as_mut().expect("a group").effects[0].action = pb::Action::Revoke.into()
        }),
        grouped("no group in a group", Link::Block, |transcript| base(transcript).groups[0].group = None),
        affected("an effect of an action that version 1 does not know", 1, |group| {
            group.effects[0].action = pb::Action::Dispute.into()
        }),
        misplaced("a revocation that shows no place", pb::Action::Revoke, pb::Basis::Issuer, |group| {
            group.effects[0].place = None
        }),
        misplaced("a redemption that shows a place", pb::Action::Redeem, pb::Basis::Mandate, |group| {
            group.effects[0].place = Some(Place { entry: 3, index: 0 })
        }),
        misplaced("a review that shows a place", pb::Action::Review, pb::Basis::Dependency, |group| {
            group.effects[0].place = Some(Place { entry: 3, index: 0 })
        }),
        bent_piece(
            "a piece of five effects",
            (pb::Action::Revoke, pb::Basis::Issuer),
            "more effects than a piece has",
            |group| {
                let other = |number: u8| pb::Effect { status_id: vec![number; 32], ..group.effects[0].clone() };
                let others: Vec<_> = (0xfc..=0xff).map(other).collect();
                group.effects.extend(others);
            },
        ),
        affected("an effect on another place", 1, |group| group.effects[0].place = Some(Place { entry: 3, index: 1 })),
        affected("an effect without authority", 1, |group| group.authority = None),
        affected("another institution as the issuer", 2, |_| ()),
        affected("an issuer that names an institution", 1, |group| authority(group, pb::Basis::Issuer, 1, "")),
        affected("a custodian of an institution that is not closed", 2, |group| {
            authority(group, pb::Basis::Custodian, 1, "")
        }),
        affected("a mandate", 1, |group| authority(group, pb::Basis::Mandate, 0, "")),
        affected("an institution as the operator", 1, |group| authority(group, pb::Basis::Operator, 0, "CASE-1")),
        affected("the operator without a case", 0, |group| authority(group, pb::Basis::Operator, 0, "")),
        affected("the operator as the issuer", 0, |_| ()),
        affected("the operator supersedes", 0, |group| {
            authority(group, pb::Basis::Operator, 0, "CASE-1");
            group.effects[0].action = pb::Action::Supersede.into();
        }),
        ("an amendment for an institution that is not closed", Link::Record, raw(&usurped.encode_to_vec())),
    ]
}

/// Entries of institutions that are not custodians, and serve no proof.
fn custodians() -> Vec<Case> {
    let day = |day| Some(pb::Date { year: 2025, month: 2, day });
    let kept = |about, close: bool, relation: pb::Relation| {
        let mut log = Log::admitting(HONEST, &[1, 2]);
        log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
        closing(&mut log, close, &[(2, relation)]);
        (about, Link::Registry, raw(&log.transcript(&[(3, 0, None)], &[]).encode_to_vec()))
    };
    vec![
        kept("a custodian until the day before", true, pb::Relation { until: day(18), ..custody() }),
        kept("a custodian from the next day on", true, pb::Relation { from: day(20), ..custody() }),
        kept("a custodian of an institution that is open", false, custody()),
        kept("a successor", true, pb::Relation { r#type: pb::RelationType::SuccessorOf.into(), ..custody() }),
        kept("a custodian of another", true, pb::Relation { institution: 3, ..custody() }),
    ]
}

/// Three records of one block, of which the second was revoked and the third redeemed; sealed once more. The statement
/// is of the time before.
fn followed() -> Log {
    let mut log = Log::admitting(AWARDS, &[1, 2]);
    log.issue(1, &[credit(1, "ALG-1", None), result(2), credit(3, "ALG-2", None)], Vec::new());
    log.seal();
    let revoked = log.effect(3, 1, pb::Action::Revoke);
    log.issue(1, &[], vec![revoked]);
    let mut redeemed = log.effect(3, 2, pb::Action::Redeem);
    let basis = pb::Basis::Mandate.into();
    redeemed.authority = Some(pb::Authority { basis, mandate_digest: vec![8; 32], ..Default::default() });
    log.issue(2, &[], vec![redeemed]);
    log.seal();
    log.seal();
    log
}

const ALL: super::log::Shown<'static> = &[(3, 0, None), (3, 1, None), (3, 2, None)];

/// The proof of the record that was revoked.
fn revoked(transcript: &mut pb::Transcript) -> &mut pb::StatusProof {
    let mut proofs = status(transcript).statuses.iter_mut();
    proofs.find(|one| one.marks.first() == Some(&2)).expect("a revoked record")
}

/// The status as it was before anything had become of the records.
fn early() -> pb::StatusPart {
    let mut log = Log::admitting(AWARDS, &[1, 2]);
    log.issue(1, &[credit(1, "ALG-1", None), result(2), credit(3, "ALG-2", None)], Vec::new());
    log.seal();
    log.transcript(ALL, &[]).status.expect("a status part")
}

/// What a holder can do to the status of his records, and what an operator can do who signs any status root.
fn statuses() -> Vec<Case> {
    let bent = |about, link, change: fn(&mut pb::Transcript)| {
        let mut transcript = followed().transcript_as_of(5, ALL, &[]);
        verify(&raw(&transcript.encode_to_vec()), &trust(), NOW_MS).expect("what is bent is right before");
        change(&mut transcript);
        (about, link, raw(&transcript.encode_to_vec()))
    };
    let lied = |about, index: u32, action: pb::Action, entry: u64| {
        let mut log = Log::admitting(AWARDS, &[1, 2]);
        log.issue(1, &[credit(1, "ALG-1", None), result(2)], Vec::new());
        log.seal();
        let confirmed = log.effect(3, 1, pb::Action::Confirm);
        log.issue(1, &[], vec![confirmed]);
        let marks = Marks::default().after(action, entry, Named::default()).expect("nothing stands in the way");
        log.lies.insert(log.id(3, index), marks);
        log.seal();
        (about, Link::Status, raw(&log.transcript(&[(3, 0, None), (3, 1, None)], &[]).encode_to_vec()))
    };
    vec![
        bent("without the status of a record", Link::Status, |transcript| drop(status(transcript).statuses.pop())),
        bent("status proofs not ascending", Link::Status, |transcript| status(transcript).statuses.swap(0, 1)),
        bent("a status proof twice", Link::Status, |transcript| {
            let proof = status(transcript).statuses[0].clone();
            status(transcript).statuses.insert(1, proof);
        }),
        bent("a status proof without its id", Link::Status, |transcript| {
            status(transcript).statuses[0].status_id.clear()
        }),
        bent("a status proof of no record", Link::Status, |transcript| {
            status(transcript).statuses.push(followed().proved_status(Digest([0xff; 32])))
        }),
        bent("a revocation that is left out", Link::Status, |transcript| revoked(transcript).marks.clear()),
        bent("a revocation without its block", Link::Status, |transcript| {
            newest(transcript).groups.remove(0);
            newest(transcript).blocks.retain(|block| block.index != 5);
        }),
        bent("a revocation without its group of effects", Link::Status, |transcript| {
            drop(newest(transcript).groups.remove(0))
        }),
        bent("a revocation by a later block", Link::Status, |transcript| {
            *revoked(transcript).marks.last_mut().expect("an index") += 2
        }),
        bent("marks of another record", Link::Status, |transcript| {
            let marks = revoked(transcript).marks.clone();
            let statuses = &mut status(transcript).statuses;
            statuses.iter_mut().for_each(|one| one.marks.clone_from(&marks));
        }),
        bent("proofs of each other's status", Link::Status, |transcript| {
            let statuses = &mut status(transcript).statuses;
            let (first, second) = (statuses[0].clone(), statuses[1].clone());
            (statuses[0].marks, statuses[0].proof) = (second.marks, second.proof);
            (statuses[1].marks, statuses[1].proof) = (first.marks, first.proof);
        }),
        bent("marks that are not in their order", Link::Status, |transcript| {
            let marks = revoked(transcript).marks.clone();
            revoked(transcript).marks = [&marks[..], &marks[..]].concat();
        }),
        bent("the status of an older seal", Link::Status, |transcript| status(transcript).statuses = early().statuses),
        bent("an older status than the checkpoint's", Link::Seal, |transcript| {
            (status(transcript).proofs, status(transcript).statuses) = (early().proofs, early().statuses)
        }),
        bent("a proof of presence that names another leaf", Link::Status, |transcript| {
            revoked(transcript).proof.get_or_insert_default().other_leaf = vec![1; 64]
        }),
        bent("a proof of absence that shows the record's own leaf", Link::Status, |transcript| {
            let proof = revoked(transcript);
            let value = Marks::from_bytes(&proof.marks).expect("marks").value();
            let id = proof.status_id.clone();
            proof.marks.clear();
            proof.proof.get_or_insert_default().other_leaf = [&id[..], value.as_bytes()].concat();
        }),
        bent("a changed sibling of a status proof", Link::Status, |transcript| {
            revoked(transcript).proof.as_mut().expect("a proof").siblings[0][0] ^= 1
        }),
        bent("a group of effects that no mark needs", Link::Block, |transcript| {
            // The first record is not shown any more, and nothing else was said of it.
            transcript.records.remove(1);
            transcript.salts.remove(1);
            let id = revoked(transcript).status_id.clone();
            status(transcript).statuses.retain(|one| one.status_id != id);
        }),
        bent("no consistency path", Link::Checkpoint, |transcript| status(transcript).consistency.clear()),
        bent("a changed hash of the consistency path", Link::Checkpoint, |transcript| {
            status(transcript).consistency[0][0] ^= 1
        }),
        bent("a consistency path that is too long", Link::Checkpoint, |transcript| {
            status(transcript).consistency.push(vec![1; 32])
        }),
        {
            let mut transcript = followed().transcript(ALL, &[]);
            transcript.status = Some(early());
            ("a status that is older than the statement", Link::Checkpoint, raw(&transcript.encode_to_vec()))
        },
        {
            let mut transcript = small(HONEST);
            status(&mut transcript).consistency.push(vec![1; 32]);
            ("a consistency path of one tree", Link::Checkpoint, raw(&transcript.encode_to_vec()))
        },
        lied("a mark by a block that says nothing of the record", 0, pb::Action::Revoke, 5),
        lied("a mark by a block that has done something else", 1, pb::Action::Revoke, 5),
        lied("a mark by the record's own block", 1, pb::Action::Revoke, 3),
        lied("a dispute", 1, pb::Action::Dispute, 5),
    ]
}

fn statements() -> Vec<Case> {
    let said_at = |about, link, change: fn(&mut pb::SubjectStatement)| {
        let mut transcript = small(HONEST);
        restated(&mut transcript, change);
        (about, link, raw(&transcript.encode_to_vec()))
    };
    let said = |about, change| said_at(about, Link::Statement, change);
    let bad_key = |about, statement_key| lied(about, Link::Statement, Bend { statement_key, ..HONEST });
    vec![
        bent("no statement", Link::Statement, |transcript| transcript.statement.clear()),
        bent("no signature of the statement", Link::Statement, |transcript| transcript.statement_signature.clear()),
        bent("a statement that is not canonical", Link::Statement, |transcript| {
            transcript.statement.extend([0x52, 0x00])
        }),
        lied("a statement signed by another key", Link::Statement, Bend { statement_signer: Some(REGISTRY), ..HONEST }),
        said("a statement of another suite", |statement| statement.suite = 65_535),
        said("a statement of another version", |statement| statement.version = 65_535),
        said("a statement of another log", |statement| statement.origin = "test.example/other".to_owned()),
        said_at("a statement of another size", Link::Checkpoint, |statement| statement.size -= 1),
        said_at("a statement of another root", Link::Checkpoint, |statement| statement.root[0] ^= 1),
        said("a statement that does not say as of which day its records are visible", |statement| {
            statement.visible_on = None
        }),
        said("a statement whose records are visible in a month", |statement| {
            statement.visible_on = Some(pb::Date { year: 2025, month: 2, day: 0 })
        }),
        said("a statement without its key", |statement| statement.key_id.clear()),
        said("a statement by a key that is not there", |statement| statement.key_id = vec![1; 16]),
        said("a statement by a unit's key", |statement| statement.key_id = KeyId::of(&public(unit_key(1))).0.to_vec()),
        said("a statement about another record", |statement| {
            statement.commitments = (0..16).map(|at| vec![at + 1; 32]).collect()
        }),
        said("a statement that commits to nothing", |statement| statement.commitments.clear()),
        said("15 commitments", |statement| drop(statement.commitments.remove(0))),
        said("commitments that are no power of two", |statement| {
            statement.commitments = (0..17).map(|at| vec![at + 1; 32]).collect()
        }),
        bent("no salts", Link::Statement, |transcript| transcript.salts.clear()),
        bent("a salt too many", Link::Statement, |transcript| transcript.salts.push(vec![1; 16])),
        bent("another salt", Link::Statement, |transcript| transcript.salts[0][0] ^= 1),
        bent_whole("salts of each other", Link::Statement, |transcript| transcript.salts.swap(0, 1)),
        bent("another seed of the padding", Link::Statement, |transcript| transcript.padding_seed[0] ^= 1),
        {
            // One record is withheld, and the seed says that none is.
            let log = log(HONEST);
            let mut transcript = log.transcript(&[(3, 0, None), (3, 1, None)], &[log.id(5, 0)]);
            transcript.padding_seed = PADDING_SEED.to_vec();
            ("a withheld record that is denied", Link::Statement, raw(&transcript.encode_to_vec()))
        },
        said("a holder key, and none", |statement| statement.holder_key = vec![1; 32]),
        said("neither a holder key nor none", |statement| statement.no_holder_key = None),
        said("an Identity, and none", |statement| statement.identity = Some(Place { entry: 3, index: 1 })),
        said("neither an Identity nor none", |statement| statement.no_identity = None),
        said("no selection", |statement| statement.selection = 0),
        said("some records, of an institution", |statement| statement.institution = 1),
        said("complete, for nobody", |statement| statement.selection = 2),
        bad_key("a statement key of another purpose", |key| key.purpose = Purpose::Credential.into()),
        bad_key("a statement key of an institution", |key| key.institution = 1),
        bad_key("a statement key that is not in force yet", |key| key.from_minute = MINUTE + 61),
        bad_key("a statement key that is no longer in force", |key| key.until_minute = MINUTE + 60),
        bad_key("a revoked statement key", |key| {
            key.revoked = Some(pb::KeyRevocation { reason: 1, compromised_since_minute: 0 })
        }),
        bent("a statement key that is not shown in the base", Link::Statement, |transcript| {
            without_statement_key(base(transcript))
        }),
        bent("a statement key that is not shown in the status part", Link::Statement, |transcript| {
            without_statement_key(newest(transcript))
        }),
        statement_as_of(
            "a statement key that counts as stolen from the statement on",
            5,
            &statement_key_ended(RevocationReason::Compromised, MINUTE + 60, 0),
        ),
        // A thief can give a statement any time of the past.
        statement_as_of(
            "a statement key that counts as stolen only since after the statement",
            5,
            &statement_key_ended(RevocationReason::Compromised, MINUTE + 120, 0),
        ),
        statement_as_of(
            "a statement by a key that was rotated before",
            9,
            &statement_key_ended(RevocationReason::Rotated, 0, 0),
        ),
        statement_as_of("a statement key that was published after the statement", 5, &statement_key_followed()),
        statement_as_of(
            "a statement key that was published in the statement's own round",
            8,
            &statement_key_followed(),
        ),
    ]
}

/// A statement of the time when the log had `size` entries, and the newest status.
fn statement_as_of(about: &'static str, size: u64, log: &Log) -> Case {
    (about, Link::Statement, raw(&log.transcript_as_of(size, &[(3, 0, None)], &[]).encode_to_vec()))
}

/// Leaves the entry of the statement key out of a part, and its publication.
fn without_statement_key(part: &mut pb::TreeProofs) {
    let is_one = |proved: &pb::ProvedRegistryEntry| {
        let body = proved.entry.as_ref().map(|entry| entry.body.clone()).unwrap_or_default();
        pb::Key::decode(&body[..]).is_ok_and(|key| key.public_key == public(STATEMENT))
    };
    let at = part.registry.iter().position(is_one).expect("the statement key");
    let place = part.registry.remove(at).entry.expect("an entry").place;
    part.publications.retain(|publication| publication.place != place);
}

fn name(link: Link) -> String {
    format!("{link:?}").to_lowercase()
}

#[test]
fn refused_transcripts() {
    verify(&raw(&small(HONEST).encode_to_vec()), &trust(), NOW_MS).expect("what is bent is right before");
    verify(&raw(&honest(HONEST).encode_to_vec()), &trust(), NOW_MS).expect("what is bent is right before");
    let all = [
        files(),
        seals(),
        registry(),
        blocks(),
        publications(),
        log_keys(),
        records(),
        effects(),
        statuses(),
        custodians(),
    ]
    .concat();
    let all = [all, issuers(), statements(), times()].concat();
    let shown: Vec<Value> = all
        .into_iter()
        .map(|(about, link, file)| {
            let error = verify(&file, &trust(), NOW_MS).map(|_| ()).expect_err(about);
            assert_eq!(error.link, link, "{about}: {error}");
            json!({ "about": about, "link": name(link), "file": STANDARD.encode(file) })
        })
        .collect();
    agree(
        "transcripts_refused.json",
        &json!({
            "about": "PROTOCOL.md, Transcript files: files that a verifier refuses, in base64, each with the first broken link.",
            "policy": policy(), "log_key": hex(public(LOG)), "registry_key": hex(public(REGISTRY)),
            "next_registry_key": commitment(&public(NEXT_REGISTRY)).to_string(), "refused": shown,
        }),
    );
}
