//! Goal: an operator who signs whatever he likes still cannot make a transcript that breaks the rules of the log. A
//! small log is made by hand with every key in hand; each case bends one thing.

use creditbank_protocol::block::BlockDraft;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::entry::{BlockEntries, Entry};
use creditbank_protocol::key::{KeyId, commitment, sign};
use creditbank_protocol::map::{MapTags, SparseMap};
use creditbank_protocol::merkle::{Levels, leaf_hash, root};
use creditbank_protocol::note::{Checkpoint, KeyType, Policy, VerifierKey, sign_checkpoint};
use creditbank_protocol::pb::{self, Kind, Place, Purpose};
use creditbank_protocol::record::{PUBLIC_SEED, Record, disclose};
use creditbank_protocol::registry::{RegistryKey, registry_value};
use creditbank_protocol::seal::{Seal, SignedSeal};
use creditbank_protocol::status::{Mark, Marks, Named, status_id};
use creditbank_protocol::transcript::{Report, commitments, sign_statement, verify, write_file};
use creditbank_protocol::{Digest, LogIndex, Trust, UnitId};
use ed25519_dalek::SigningKey;
use prost::Message as _;

const ORIGIN: &str = "test.example/log";
/// Log index of the first block of the second round: behind the operator's block of two entries and its seal.
const FIRST: u64 = 3;
/// Minute of the second seal.
const MINUTE: u64 = 29_000_000;
const CLAIMS: [u16; 10] = [2, 3, 7, 11, 14, 16, 17, 18, 20, 21];

#[allow(clippy::struct_excessive_bools)] // Each is one way to bend it.
/// What is bent; the default is a log as it should be.
#[derive(Clone)]
struct Log {
    /// How often the unit's block stands in the log.
    copies: usize,
    statement_key_until: u64,
    created: u64,
    second_round_from: u64,
    first_time_ms: u64,
    chained: bool,
    suite: u32,
    entry_version: u32,
    open: Vec<u16>,
    revokes_itself: bool,
    /// By what right, and of the record of which entry.
    basis: pb::Basis,
    named_entry: u64,
    /// The unit's first key was compromised from the beginning of time.
    compromised: bool,
    /// A second key of the unit that confirms the record, and whether it was compromised too.
    confirmed_by: Option<u8>,
    second_compromised: bool,
    /// Another block that has nothing to do with the record.
    stranger: bool,
    /// Seed of the key that signs the operator's blocks, and of the one that they name.
    publisher: u8,
    named_publisher: u8,
    /// Whether the transcript shows what was published, and the registry the key that they name.
    is_published: bool,
    registers_publisher: bool,
    /// Another record stands where the unit's key would.
    publishes_another: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            copies: 1,
            statement_key_until: 0,
            created: MINUTE,
            second_round_from: FIRST,
            first_time_ms: MINUTE * 60_000,
            chained: true,
            suite: 1,
            entry_version: 1,
            open: Vec::new(),
            revokes_itself: false,
            basis: pb::Basis::Issuer,
            named_entry: FIRST,
            compromised: false,
            confirmed_by: None,
            second_compromised: false,
            stranger: false,
            publisher: 2,
            named_publisher: 2,
            is_published: true,
            registers_publisher: false,
            publishes_another: false,
        }
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> [u8; 32] {
    key(seed).verifying_key().to_bytes()
}

fn path(leaves: &[Digest], index: usize) -> Vec<Vec<u8>> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, sibling) =
        if index < left.len() { (path(left, index), right) } else { (path(right, index - left.len()), left) };
    path.push(root(sibling).0.to_vec());
    path
}

fn entries_of(block: &[u8]) -> BlockEntries {
    BlockEntries::parse(block).expect("a block")
}

/// The one group of effects of a block, which has no public records.
fn group(at: usize, block: &BlockEntries) -> Option<pb::ProvedGroup> {
    let Ok(Entry::Public(public)) = Entry::parse(block.public.as_ref()?) else { panic!("a public part") };
    let group = public.part().groups.first().cloned();
    Some(pb::ProvedGroup { block: at as u64, piece: 0, group, path: Vec::new() })
}

/// Trust in the log.
fn policy() -> String {
    let log = VerifierKey::new(ORIGIN, KeyType::Log, public(1)).expect("a key");
    format!("log {log}\nquorum none\n")
}

impl Log {
    /// The registry entries of the unit's keys, the statement key and the institution; `late` as they are under the
    /// last seal, when what was compromised is known.
    fn registry(&self, late: bool) -> Vec<(Digest, pb::RegistryEntry)> {
        let key = |seed, purpose: Purpose| pb::Key {
            public_key: public(seed).to_vec(),
            suite: self.suite,
            purpose: purpose.into(),
            ..Default::default()
        };
        let unit = |seed, compromised| pb::Key {
            institution: 1,
            unit: 1,
            kinds: vec![Kind::Credit.into()],
            revoked: (late && compromised).then(|| pb::KeyRevocation {
                reason: pb::RevocationReason::Compromised.into(),
                compromised_since_minute: MINUTE,
            }),
            ..key(seed, Purpose::Unit)
        };
        let statement = pb::Key { until_minute: self.statement_key_until, ..key(4, Purpose::Statement) };
        let institution = pb::Institution { number: 1, state: 1, ..Default::default() };
        let own = pb::Unit { institution: 1, unit: 1, state: 1, ..Default::default() };
        let mut bodies = vec![
            (Kind::Key, encode(&unit(3, self.compromised))),
            (Kind::Key, encode(&statement)),
            (Kind::Institution, encode(&institution)),
            (Kind::Unit, encode(&own)),
        ];
        bodies.extend(
            self.registers_publisher.then(|| (Kind::Key, encode(&key(self.named_publisher, Purpose::Registry)))),
        );
        bodies.extend(self.confirmed_by.map(|seed| (Kind::Key, encode(&unit(seed, self.second_compromised)))));
        let entry = |(index, (kind, body)): (u32, (Kind, Result<Vec<u8>, _>))| {
            let body = body.expect("canonical");
            // A key of another suite has no registry key: it is put where its namesake of suite 1 would be.
            let key = RegistryKey::of(kind, &body).unwrap_or(RegistryKey::Key(KeyId::of(&public(3)))).digest();
            let entry = if late { self.late_entry() } else { 0 };
            let place = creditbank_protocol::Place::new(entry, index).written();
            (key, pb::RegistryEntry { kind: kind.into(), version: self.entry_version, body, place })
        };
        let mut entries: Vec<_> = (0..).zip(bodies).map(entry).collect();
        entries.sort_by_key(|(key, _)| *key);
        entries
    }

    fn credit() -> Record {
        let course = pb::Course { code: "AAA".to_owned(), titles: Vec::new() };
        let credit = pb::Credit { learner: vec![7; 16], course: Some(course), ..Default::default() };
        Record::new(3, 1, &[9; 32], encode(&credit).expect("canonical")).expect("a record")
    }

    /// The operator's block that publishes the registry, early or late.
    fn published(&self, late: bool) -> BlockEntries {
        let mut entries = self.registry(late);
        entries.sort_by_key(|(_, entry)| entry.place.map_or(0, |place| place.index));
        let record = |(_, entry): &(Digest, pb::RegistryEntry)| {
            let kind = u32::try_from(entry.kind).expect("a kind");
            let body = if self.publishes_another && entry.kind == i32::from(Kind::Key) {
                encode(&pb::Key { unit: 7, ..pb::Key::decode(&entry.body[..]).unwrap_or_default() }).expect("canonical")
            } else {
                entry.body.clone()
            };
            Record::new(kind, 1, &PUBLIC_SEED, body).expect("a record")
        };
        let draft = BlockDraft {
            origin: ORIGIN.to_owned(),
            unit: UnitId::OPERATOR,
            height: u64::from(late),
            previous: Digest([1; 32]),
            operation_id: [2; 16],
            created_at_minute: MINUTE,
            key_id: KeyId::of(&public(self.named_publisher)),
        };
        let records: Vec<Record> = entries.iter().map(record).collect();
        entries_of(
            &draft.sign(&records, Vec::new(), None, |message| sign(&key(self.publisher), message)).expect("a block"),
        )
    }

    /// That each registry entry was published.
    fn publications(&self, late: bool) -> Vec<pb::Publication> {
        let Ok(Entry::Public(public)) = Entry::parse(&self.published(late).public.expect("a public part")) else {
            panic!("a public part")
        };
        let levels = Levels::new(public.leaves().to_vec());
        let entry = if late { self.late_entry() } else { 0 };
        let publication = |index: usize| pb::Publication {
            place: creditbank_protocol::Place::new(entry, u32::try_from(index).expect("small")).written(),
            piece_plus_1: u32::try_from(index + 1).expect("small"),
            path: levels.path(index).expect("a piece").iter().map(|hash| hash.0.to_vec()).collect(),
        };
        (0..public.leaves().len()).map(publication).collect()
    }

    /// Log index of the block that publishes the late registry: the last one of the second round.
    fn late_entry(&self) -> u64 {
        FIRST + self.blocks().into_iter().map(|block| block.count()).sum::<u64>()
    }

    /// An effect on the record of the first block.
    fn effect(&self, block: &[u8], action: pb::Action) -> pb::Effect {
        pb::Effect {
            status_id: status_id(&leaf_hash(block), u32::from(self.stranger), &Self::credit().hash()).0.to_vec(),
            place: Some(Place { entry: self.named_entry, index: 0 }),
            action: action.into(),
            ..Default::default()
        }
    }

    fn blocks(&self) -> Vec<BlockEntries> {
        let draft = BlockDraft {
            origin: ORIGIN.to_owned(),
            unit: UnitId::new(1, 1),
            height: 0,
            previous: Digest([1; 32]),
            operation_id: [1; 16],
            created_at_minute: self.created,
            key_id: KeyId::of(&public(3)),
        };
        let signed = |draft: &BlockDraft, groups| {
            entries_of(&draft.sign(&[Self::credit()], groups, None, |message| sign(&key(3), message)).expect("a block"))
        };
        let block = signed(&draft, Vec::new());
        let mut blocks = vec![block.clone(); self.copies];
        if self.revokes_itself {
            let authority = Some(pb::Authority { basis: self.basis.into(), ..Default::default() });
            let next = BlockDraft { height: 1, ..draft.clone() };
            let effect = self.effect(&block.head, pb::Action::Revoke);
            blocks.push(signed(&next, vec![pb::EffectGroup { authority, effects: vec![effect] }]));
        }
        if let Some(seed) = self.confirmed_by {
            let authority = Some(pb::Authority { basis: self.basis.into(), ..Default::default() });
            let groups =
                vec![pb::EffectGroup { authority, effects: vec![self.effect(&block.head, pb::Action::Confirm)] }];
            let next = BlockDraft { height: 1, key_id: KeyId::of(&public(seed)), ..draft };
            blocks
                .push(entries_of(&next.sign(&[], groups, None, |message| sign(&key(seed), message)).expect("a block")));
        }
        blocks
    }

    /// The marks that the effects set, and the status tree of them.
    fn status(heads: &[usize], blocks: &[BlockEntries]) -> (Vec<(Digest, Marks)>, SparseMap) {
        let mut marks = Vec::new();
        for (head, block) in heads.iter().zip(blocks) {
            let Some(group) = group(*head, block).and_then(|proved| proved.group) else { continue };
            for effect in &group.effects {
                let action = pb::Action::try_from(effect.action).expect("an action");
                let set =
                    Marks::default().after(action, *head as u64, Named::default()).expect("nothing stands in the way");
                assert!(set.get(Mark::Revoked).or(set.get(Mark::Confirmed)).is_some());
                marks.push((Digest::from_slice(&effect.status_id).expect("32 bytes"), set));
            }
        }
        let tree = SparseMap::new(MapTags::STATUS).update(marks.iter().map(|(id, set)| (*id, Some(set.value()))));
        (marks, tree)
    }

    /// What a verifier finds.
    fn verify(&self) -> Result<Report, String> {
        verify(&self.file(), &trusted(), 0).map_err(|error| error.to_string())
    }

    /// The transcript of all blocks.
    #[allow(clippy::too_many_lines)] // A whole log and its proofs.
    fn file(&self) -> Vec<u8> {
        let map_of = |registry: &[(Digest, pb::RegistryEntry)]| {
            let value = |entry: &pb::RegistryEntry| registry_value(&encode(entry).expect("canonical"));
            let values: Vec<_> = registry.iter().map(|(key, entry)| (*key, Some(value(entry)))).collect();
            SparseMap::new(MapTags::REGISTRY).update(values)
        };
        let registry = self.registry(false);
        let map = map_of(&registry);
        let seal = |seal: &Seal| seal.sign(|message| sign(&key(1), message)).expect("a seal");
        let first = Seal {
            origin: ORIGIN.to_owned(),
            first_index: LogIndex(0),
            index: LogIndex(2),
            status_root: Digest::ZERO,
            registry_root: map.root(),
            rules_version: 1,
            time_ms: self.first_time_ms,
            records_total: 0,
            previous: trusted().beginning(ORIGIN).genesis(),
        };
        let mut entries = self.published(false).into_vec();
        entries.push(seal(&first));
        let first_id = SignedSeal::parse(&entries[2][1..]).expect("a seal").id();
        let blocks = self.blocks();
        let mut heads = Vec::new();
        for block in &blocks {
            heads.push(entries.len());
            entries.extend(block.clone().into_vec());
        }
        let is_late = self.compromised || self.second_compromised;
        if is_late {
            entries.extend(self.published(true).into_vec());
        }
        let closing = entries.len();
        let previous = if self.chained { first_id } else { Digest([5; 32]) };
        let (first_index, index, time_ms) = (self.second_round_from.into(), LogIndex(closing as u64), MINUTE * 60_000);
        let (marks, status) = Self::status(&heads, &blocks);
        let second = Seal { first_index, index, time_ms, previous, status_root: status.root(), ..first };
        entries.push(seal(&second));
        let late = self.registry(true);
        let late_map = map_of(&late);
        if is_late {
            let previous = SignedSeal::parse(&entries[closing][1..]).expect("a seal").id();
            let (index, registry_root) = (index.next(), late_map.root());
            entries.push(seal(&Seal { first_index: index, index, registry_root, previous, ..second }));
        }
        let last = entries.len() - 1;
        let leaves: Vec<Digest> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let (size, tree) = (entries.len() as u64, root(&leaves));
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: tree };
        let proved =
            |at: usize| pb::ProvedEntry { index: at as u64, entry: entries[at].clone(), inclusion: path(&leaves, at) };
        let record = Self::credit();
        let with_record = self.copies + usize::from(self.revokes_itself);
        let mut ids: Vec<_> = blocks[..with_record]
            .iter()
            .map(|block| status_id(&leaf_hash(&block.head), 0, &record.hash()).0.to_vec())
            .collect();
        ids.sort();
        ids.dedup();
        let of_place = |block: &BlockEntries| ([9; 16], status_id(&leaf_hash(&block.head), 0, &record.hash()));
        let mut opened: Vec<([u8; 16], Digest)> = blocks[..with_record].iter().map(of_place).collect();
        opened.dedup();
        let committed = commitments(&opened, &[6; 32]);
        let statement = pb::SubjectStatement {
            origin: ORIGIN.to_owned(),
            size,
            root: tree.0.to_vec(),
            commitments: committed.iter().map(|one| one.0.to_vec()).collect(),
            selection: pb::Selection::Some.into(),
            no_holder_key: Some(pb::Marker {}),
            no_identity: Some(pb::Marker {}),
            key_id: KeyId::of(&public(4)).0.to_vec(),
            visible_on: Some(pb::Date { year: 2025, month: 2, day: 19 }),
            ..Default::default()
        };
        let (statement, signature) = sign_statement(statement, |message| sign(&key(4), message)).expect("a statement");
        let shown = |at: usize| {
            let (seed, body, claims) = if self.open.is_empty() {
                (record.seed().to_vec(), record.body().to_vec(), Vec::new())
            } else {
                (Vec::new(), Vec::new(), disclose(&record, &self.open).expect("claims"))
            };
            let place = Some(Place { entry: at as u64, index: 0 });
            pb::DisclosedRecord { place, kind: Kind::Credit.into(), version: 1, seed, body, claims, path: Vec::new() }
        };
        let in_map = |map: &SparseMap, seal: usize, (key, entry): (Digest, pb::RegistryEntry)| {
            let siblings = map.prove(&key).siblings.iter().map(|hash| hash.0.to_vec()).collect();
            let proof = Some(pb::MapProof { siblings, other_leaf: Vec::new() });
            pb::ProvedRegistryEntry { seal: seal as u64, entry: Some(entry), proof }
        };
        let effects = &heads[self.copies..];
        let signer = self.confirmed_by.unwrap_or(3);
        let of = |seed: u8| {
            let entry = |entry: &&(Digest, pb::RegistryEntry)| is_key(&entry.1, seed);
            registry.iter().find(entry).cloned().expect("an entry of the key")
        };
        // The entries of the signer of a block, at the time.
        let signers = |seed: u8| {
            let kinds = [Kind::Institution, Kind::Unit].map(i32::from);
            let entries = registry.iter().filter(|(_, entry)| is_key(entry, seed) || kinds.contains(&entry.kind));
            entries.cloned().collect::<Vec<_>>()
        };
        let publisher = self.registers_publisher.then(|| in_map(&map, 2, of(self.named_publisher)));
        let own = signers(3).into_iter().map(|entry| (closing, entry));
        // The statement key as it is at the end of the base.
        let at_last = if is_late { &late } else { &registry };
        let statement_key = at_last.iter().find(|(_, entry)| is_key(entry, 4)).cloned().expect("an entry of the key");
        let statement_place = statement_key.1.place;
        let mut own: Vec<_> = own.chain([(last, statement_key)]).collect();
        own.sort_by_key(|(seal, (key, _))| (*seal, *key));
        let own =
            own.into_iter().map(|(seal, entry)| in_map(if seal == closing { &map } else { &late_map }, seal, entry));
        let base_registry: Vec<_> = publisher.into_iter().chain(own).collect();
        let mut early: Vec<_> = registry.iter().map(|(_, entry)| entry.place).collect();
        let mut status_registry = Vec::new();
        if is_late {
            let during = if effects.is_empty() { Vec::new() } else { signers(signer) };
            early = during.iter().map(|(_, entry)| entry.place).collect();
            status_registry.extend(during.into_iter().map(|entry| in_map(&map, closing, entry)));
        } else if effects.is_empty() {
            early = registry
                .iter()
                .filter(|(_, entry)| entry.kind != i32::from(Kind::Unit))
                .map(|(_, entry)| entry.place)
                .collect();
        }
        let late_unit =
            late.iter().find(|(_, entry)| entry.kind == i32::from(Kind::Unit)).and_then(|(_, entry)| entry.place);
        let newest = if is_late { (&late_map, late) } else { (&map, registry.clone()) };
        let without_unit = is_late || effects.is_empty();
        let is_shown = |entry: &pb::RegistryEntry| {
            !(is_registry_key(entry) || without_unit && entry.kind == i32::from(Kind::Unit))
        };
        let newest_entries = newest.1.into_iter().filter(|(_, entry)| is_shown(entry));
        status_registry.extend(newest_entries.map(|entry| in_map(newest.0, last, entry)));
        let published = |places: &[Option<Place>]| {
            let publications = self.publications(false).into_iter().filter(|one| places.contains(&one.place));
            publications.filter(|_| self.is_published).collect::<Vec<_>>()
        };
        let mut status_publications = published(&early);
        // The operator's blocks come first and last.
        let first_block = |publications: &[pb::Publication]| (!publications.is_empty()).then_some(0);
        let mut status_blocks: Vec<usize> = first_block(&status_publications).into_iter().collect();
        status_blocks.extend(effects);
        if is_late {
            let unit = late_unit;
            status_publications.extend(self.publications(true).into_iter().filter(|one| one.place != unit));
            status_blocks.push(usize::try_from(self.late_entry()).expect("small"));
        }
        let mut base_publications =
            published(&base_registry.iter().map(|one| one.entry.as_ref().expect("one").place).collect::<Vec<_>>());
        let base_blocks = first_block(&base_publications).into_iter().chain(heads[..with_record].iter().copied());
        let mut base_blocks: Vec<usize> = base_blocks.collect();
        if is_late {
            base_publications.extend(self.publications(true).into_iter().filter(|one| one.place == statement_place));
            base_blocks.push(usize::try_from(self.late_entry()).expect("small"));
        }
        let mut status_seals = vec![last];
        status_seals.extend((!effects.is_empty()).then_some(closing));
        status_seals.sort_unstable();
        status_seals.dedup();
        let groups = heads.iter().zip(&blocks).filter_map(|(at, block)| group(*at, block)).collect();
        let proved_all = |indices: Vec<usize>| indices.into_iter().map(proved).collect::<Vec<_>>();
        let status_proof = |id: &Vec<u8>| {
            let id = Digest::from_slice(id).expect("32 bytes");
            let proof = status.prove(&id);
            let other_leaf = proof.terminal.filter(|(found, _)| *found != id);
            let other_leaf = other_leaf.map(|(key, value)| [key.0, value.0].concat()).unwrap_or_default();
            let siblings: Vec<_> = proof.siblings.iter().map(|hash| hash.0.to_vec()).collect();
            let marks = marks.iter().find(|(marked, _)| *marked == id).map(|(_, marks)| marks.to_bytes());
            let proof =
                (!siblings.is_empty() || !other_leaf.is_empty()).then_some(pb::MapProof { siblings, other_leaf });
            pb::StatusProof { status_id: id.0.to_vec(), marks: marks.unwrap_or_default(), proof }
        };
        let transcript = pb::Transcript {
            suite: 1,
            version: 1,
            origin: ORIGIN.to_owned(),
            statement,
            statement_signature: signature.to_vec(),
            base: Some(pb::TreeProofs {
                seals: proved_all(std::collections::BTreeSet::from([2, closing, last]).into_iter().collect()),
                blocks: proved_all(base_blocks),
                groups: Vec::new(),
                registry: base_registry,
                publications: base_publications,
                successions: Vec::new(),
                log_keys: Vec::new(),
            }),
            records: heads[..with_record].iter().copied().map(shown).collect(),
            status: Some(pb::StatusPart {
                checkpoint: sign_checkpoint(&checkpoint, &key(1)).expect("a note"),
                consistency: Vec::new(),
                proofs: Some(pb::TreeProofs {
                    seals: proved_all(status_seals),
                    blocks: proved_all(status_blocks),
                    groups,
                    registry: status_registry,
                    publications: status_publications,
                    successions: Vec::new(),
                    log_keys: Vec::new(),
                }),
                statuses: ids.iter().map(status_proof).collect(),
            }),
            salts: opened.iter().map(|(salt, _)| salt.to_vec()).collect(),
            padding_seed: Vec::new(),
        };
        write_file(&transcript).expect("a file")
    }

    fn refused(&self, because: &str) {
        let error = self.verify().expect_err(because);
        assert!(error.contains(because), "{error}");
    }
}

/// Whether an entry is that of the key of a seed.
fn is_key(entry: &pb::RegistryEntry, seed: u8) -> bool {
    entry.kind == i32::from(Kind::Key) && pb::Key::decode(&entry.body[..]).expect("a key").public_key == public(seed)
}

fn trusted() -> Trust {
    let policy = Policy::parse(&policy()).expect("a policy");
    let next_registry_key = commitment(&public(31));
    Trust::new(policy, public(1), public(2), next_registry_key)
}

fn is_registry_key(entry: &pb::RegistryEntry) -> bool {
    entry.kind == i32::from(Kind::Key)
        && pb::Key::decode(&entry.body[..]).expect("a key").purpose == i32::from(Purpose::Registry)
}

/// Goal: the log key can put whatever it likes into the registry map of its seals: keys, a university, a credit.
/// Without
/// the registry key nobody believes it.
#[test]
fn what_the_log_key_alone_cannot_invent() {
    // Seed 6 is the thief's own; he has the log key besides.
    Log { is_published: false, ..Log::default() }.refused("publication of a registry entry");
    Log { publisher: 6, ..Log::default() }.refused("signature");
    Log { publisher: 6, named_publisher: 6, ..Log::default() }.refused("not the registry key in force");
    // His key in the map of the first round: nothing lies before that round, where it could have been published.
    Log { publisher: 6, named_publisher: 6, registers_publisher: true, ..Log::default() }.refused("before the round");
    // The operator's own signature, over other records.
    Log { publishes_another: true, ..Log::default() }.refused("root");
}

#[test]
fn a_log_as_it_should_be() {
    let report = Log::default().verify().expect("authentic");
    assert_eq!((report.records.len(), report.statement.is_whole), (1, false));
    let report = Log { open: CLAIMS.to_vec(), ..Log::default() }.verify().expect("authentic in part");
    assert_eq!(report.records[0].missing_claim, None);
}

#[test]
fn what_an_operator_cannot_do() {
    Log { copies: 2, ..Log::default() }.refused("heights");
    Log { statement_key_until: 1, ..Log::default() }.refused("not in force");
    Log { created: MINUTE - 1_442, ..Log::default() }.refused("creation");
    Log { created: MINUTE + 1_442, ..Log::default() }.refused("creation");
    Log { second_round_from: 2, ..Log::default() }.refused("first index");
    Log { first_time_ms: MINUTE * 60_000 + 1, ..Log::default() }.refused("time");
    Log { chained: false, ..Log::default() }.refused("previous seal");
    Log { suite: 2, ..Log::default() }.refused("suite");
    Log { entry_version: 7, ..Log::default() }.refused("version");
}

#[test]
fn what_a_learner_cannot_hide() {
    for hidden in CLAIMS {
        let open = CLAIMS.into_iter().filter(|number| *number != hidden).collect();
        let report = Log { open, ..Log::default() }.verify().expect("authentic in part");
        assert!(report.records[0].missing_claim.is_some(), "claim {hidden}");
    }
}

#[test]
fn what_the_blocks_at_hand_take_back_is_said() {
    let report = Log { revokes_itself: true, ..Log::default() }.verify().expect("authentic");
    let ended: Vec<_> = report.records.iter().map(|record| record.ended).collect();
    assert_eq!(ended, [Some(pb::Action::Revoke), None]);
    let log = Log { revokes_itself: true, ..Log::default() };
    Log { named_entry: FIRST + 1, ..log.clone() }.refused("place of the effect");
    for basis in [pb::Basis::Custodian, pb::Basis::Operator, pb::Basis::Mandate] {
        assert!(Log { basis, ..log.clone() }.verify().is_err(), "{basis:?}");
    }
}

/// Goal: what a compromised key sealed is contested; a key above suspicion confirms it, one that is not does not.
#[test]
fn contested_until_confirmed() {
    let found = |log: &Log| {
        let report = log.verify().expect("authentic");
        (report.records[0].contested, report.records[0].confirmed.map(|entry| entry.0))
    };
    let log = Log { compromised: true, ..Log::default() };
    assert_eq!(found(&log), (true, None));
    let confirmed = Log { confirmed_by: Some(5), ..log };
    assert_eq!(found(&confirmed), (false, Some(FIRST + 1)));
    assert_eq!(found(&Log { second_compromised: true, ..confirmed.clone() }), (true, None));
    Log { stranger: true, ..confirmed.clone() }.refused("needs the block");
    Log { basis: pb::Basis::Custodian, ..confirmed.clone() }.refused("without the right");
    Log { named_entry: FIRST + 1, ..confirmed }.refused("place of the effect");
}
