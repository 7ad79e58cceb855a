//! One who has the key of an institution, sees what others send, and lies.
//!
//! `forge` changes blocks. Each lie says what must become of it: RULES.md, section 15, names the reasons and the
//! order of checking.

mod forge;

use creditbank_client::ChainHead;
use creditbank_protocol::block::Header;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::{self, Basis, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{Alias, UnitId};
use creditbank_rpc::block_request;
use creditbank_rpc::v1::{RecordBody, SubmitBlockRequest};

use crate::cast::approver_key;
use crate::chance::Chance;
use crate::signing::{leaf_of, signed_block};
use crate::truth::Truth;
use crate::want::{Consequences, Content, Known, Want, revoking};

/// Sends that are remembered.
const CAPTURED_MAX: usize = 40;
/// Minutes between two days and three: more than a day from any seal, however wrong the node's clock is.
const TOO_LATE_MINUTES: u64 = 3 * 1_440;

/// Why bytes are refused that are not what was signed.
const FORM: &[&str] = &[
    "NOT_CANONICAL",
    "UNKNOWN_VERSION",
    "MISSING_FIELD",
    "WRONG_PUBLIC_ROOT",
    "WRONG_PUBLIC_INDEX",
    "REPEATED_EFFECT",
    "WRONG_ORIGIN",
    "WRONG_COUNT",
    "UNKNOWN_KEY",
    "KEY_OF_ANOTHER",
    "WRONG_SIGNATURE",
];

/// What must become of a lie.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// That is for the rules to say. If it is sealed, the judge looks at what pays for what.
    Open,
    /// Refused with one of these reasons, whatever else has happened.
    Refused(&'static [&'static str]),
    /// Refused with this reason, or with `STALE_HEAD` where another block has been sealed at this height, which is its.
    RefusedAt(&'static str, u64),
}

/// Something that is sent although it should not be sealed, or is the same as what was sent before.
pub(crate) struct Lie {
    pub(crate) what: &'static str,
    pub(crate) request: SubmitBlockRequest,
    pub(crate) outcome: Outcome,
}

/// What is known when a lie is told.
pub(crate) struct Scene<'a> {
    /// The end of the own chain.
    pub(crate) head: ChainHead,
    /// The ends of other chains.
    pub(crate) others: &'a [(UnitId, ChainHead)],
    /// The own aliases of some citizens.
    pub(crate) aliases: &'a [(u64, Alias)],
    pub(crate) now_ms: u64,
}

/// The one who lies.
pub(crate) struct Liar {
    pub(crate) unit: UnitId,
    key: KeyFile,
    captured: Vec<SubmitBlockRequest>,
    /// Own blocks, to build on old heads.
    heads: Vec<ChainHead>,
    /// Own credits, with the block in which they were sent.
    issued: Vec<(Vec<u8>, Content)>,
}

impl Liar {
    pub(crate) fn new(unit: UnitId, key: KeyFile) -> Self {
        Self { unit, key, captured: Vec::new(), heads: Vec::new(), issued: Vec::new() }
    }

    /// Sees a block of another on its way.
    pub(crate) fn sees(&mut self, request: &SubmitBlockRequest) {
        if self.captured.len() == CAPTURED_MAX {
            self.captured.remove(0);
        }
        self.captured.push(request.clone());
    }

    /// A lie; nothing where what it needs is not there yet.
    pub(crate) fn lie(&mut self, scene: &Scene<'_>, chance: &mut Chance, truth: &mut Truth) -> Option<Lie> {
        match chance.below(20) {
            0 => open("a block of another is sent again", chance.pick(&self.captured)?.clone()),
            1 => self.degree(scene, chance, truth),
            2 => {
                let old = chance.pick(&self.heads).copied().unwrap_or(scene.head);
                let want = Want::Publish { version: u32::try_from(chance.between(2, 50)).ok()? };
                open("a block on an old head", self.own(old, &want, None, scene, chance, truth))
            }
            3 => {
                let (citizen, alias) = chance.pick(scene.aliases).copied()?;
                let courses = vec![format!("L{}", chance.below(1_000))];
                let want = Want::Issue { citizen, courses };
                open("no lie, but a credit", self.own(scene.head, &want, Some(alias), scene, chance, truth))
            }
            4 => self.flipped_block(chance),
            5 => self.flipped_record(chance),
            6 => self.in_anothers_name(chance),
            7 => self.renamed(chance),
            8 => self.beyond(scene, chance),
            9 => self.behind_another(scene, chance),
            10 => self.in_anothers_chain(scene, chance),
            11 => self.issued_again(scene, chance, truth),
            12 => self.anothers_credit(scene, chance),
            13 => self.effect_on_another(scene, chance, truth),
            14 => self.effect_on_nothing(scene, chance, truth),
            15 => self.wrong_root(scene, chance),
            16 => self.wrong_count(scene, chance),
            17 => self.another_log(scene, chance),
            18 => self.approved_again(scene, chance, truth),
            _ => self.too_late(scene, chance),
        }
    }

    /// A degree for credits that are spent or not, its own or another's.
    fn degree(&mut self, scene: &Scene<'_>, chance: &mut Chance, truth: &mut Truth) -> Option<Lie> {
        let credits: Vec<Known> = truth.known.iter().filter(|known| known.kind == Kind::Credit).cloned().collect();
        let first = chance.pick(&credits)?.clone();
        let second = credits.iter().find(|other| other.citizen == first.citizen && other.place != first.place)?;
        let mut counted = vec![first.clone(), second.clone()];
        counted.sort_by_key(|known| known.place);
        let certificate = format!("L-{}", chance.below(1_000));
        let (citizen, alias) = scene.aliases.iter().copied().find(|(citizen, _)| *citizen == first.citizen)?;
        let want = Want::Award { citizen, counted, certificate };
        open("a degree for what may be spent", self.own(scene.head, &want, Some(alias), scene, chance, truth))
    }

    /// A block of its own, signed as it should be. If it is sealed, it counts.
    fn own(
        &mut self,
        head: ChainHead,
        want: &Want,
        alias: Option<Alias>,
        scene: &Scene<'_>,
        chance: &mut Chance,
        truth: &mut Truth,
    ) -> SubmitBlockRequest {
        self.heads.push(head);
        let content = want.content(self.unit.institution.0, alias, &Consequences::default(), chance.seed());
        let (block, mut signed) = signed_block(self.unit, &self.key, &head, minute(scene, &head), None, &content);
        match want {
            Want::Award { citizen, counted, .. } => {
                (signed.citizen, signed.redeems) = (Some(*citizen), counted.iter().map(|known| known.place).collect());
            }
            Want::Issue { citizen, courses } => (signed.citizen, signed.courses) = (Some(*citizen), courses.clone()),
            _ => {}
        }
        let mut block = block;
        if matches!(want, Want::Issue { .. }) {
            block = forge::approved(&block, &approver_key(self.unit.institution.0)).unwrap_or(block);
            self.issued.push((block.clone(), content.clone()));
        }
        let leaf = leaf_of(&block);
        truth.signed.insert(leaf, signed);
        request(block, &content)
    }

    /// A block of its own that must be refused: nobody counts it as signed, and a log with it is broken.
    fn false_block(&self, head: &ChainHead, scene: &Scene<'_>, content: &Content, chance: &mut Chance) -> Vec<u8> {
        let (block, _) = signed_block(self.unit, &self.key, head, minute(scene, head), None, content);
        let operation_id = another_operation(chance);
        let renamed = forge::signed_anew(&block, &self.key, |header| header.operation_id = operation_id);
        renamed.unwrap_or(block)
    }

    fn definition(&self, chance: &mut Chance) -> Content {
        let want = Want::Publish { version: u32::try_from(chance.between(100, 60_000)).unwrap_or(100) };
        want.content(self.unit.institution.0, None, &Consequences::default(), chance.seed())
    }

    fn flipped_block(&self, chance: &mut Chance) -> Option<Lie> {
        let mut request = chance.pick(&self.captured)?.clone();
        request.block = forge::flipped(&request.block, chance)?.into();
        refused("a bit of a block is flipped", request, FORM)
    }

    fn flipped_record(&self, chance: &mut Chance) -> Option<Lie> {
        let mut request = chance.pick(&self.captured)?.clone();
        let record = request.records.first_mut()?;
        record.body = forge::flipped(&record.body, chance)?.into();
        refused("a bit of a record is flipped", request, &["RECORD_MALFORMED", "WRONG_RECORDS_ROOT"])
    }

    /// The header of another, with a signature of its own.
    fn in_anothers_name(&self, chance: &mut Chance) -> Option<Lie> {
        let mut request = chance.pick(&self.captured)?.clone();
        request.block = forge::signed_anew(&request.block, &self.key, |_| ())?.into();
        refused("a block is signed in another's name", request, &["WRONG_SIGNATURE"])
    }

    /// An old block of another under a new operation id.
    fn renamed(&self, chance: &mut Chance) -> Option<Lie> {
        let mut request = chance.pick(&self.captured)?.clone();
        let operation_id = another_operation(chance);
        request.block = forge::altered(&request.block, |header| header.operation_id = operation_id)?.into();
        refused("an old block under a new operation id", request, &["WRONG_SIGNATURE"])
    }

    /// A height beyond the next one, or one that is taken.
    fn beyond(&self, scene: &Scene<'_>, chance: &mut Chance) -> Option<Lie> {
        let content = self.definition(chance);
        let taken = scene.head.next_height;
        if taken > 0 && chance.often(300) {
            let head = ChainHead { next_height: chance.below(taken), ..scene.head };
            let block = self.false_block(&head, scene, &content, chance);
            return refused("a height that is taken", request(block, &content), &["STALE_HEAD"]);
        }
        // Blocks of its own may be under way, but not so many.
        let head = ChainHead { next_height: taken + chance.between(100, 100_000), ..scene.head };
        let block = self.false_block(&head, scene, &content, chance);
        refused("a height beyond the next", request(block, &content), &["WRONG_HEIGHT"])
    }

    /// Builds on the last block of another chain.
    fn behind_another(&self, scene: &Scene<'_>, chance: &mut Chance) -> Option<Lie> {
        let (_, other) = chance.pick(scene.others)?;
        let (content, head) = (self.definition(chance), ChainHead { previous: other.previous, ..scene.head });
        let block = self.false_block(&head, scene, &content, chance);
        refused_at("the previous block of another unit", request(block, &content), "WRONG_PREVIOUS", scene)
    }

    /// A block in the chain of another, under the own key.
    fn in_anothers_chain(&self, scene: &Scene<'_>, chance: &mut Chance) -> Option<Lie> {
        let (unit, head) = chance.pick(scene.others).copied()?;
        let content = self.definition(chance);
        let block = self.false_block(&head, scene, &content, chance);
        let key_id = KeyId::of(&self.key.public_key()).0.to_vec();
        let block = forge::signed_anew(&block, &self.key, |header| {
            (header.institution, header.unit, header.key_id) = (unit.institution.0, unit.number, key_id);
        })?;
        let (what, request) = ("a block in another's chain", request(block, &content));
        if unit == UnitId::OPERATOR {
            return refused(what, request, &["KEY_OF_ANOTHER"]);
        }
        Some(Lie { what, request, outcome: Outcome::RefusedAt("KEY_OF_ANOTHER", head.next_height) })
    }

    /// The records of an own block that is sealed, in a new one.
    fn issued_again(&self, scene: &Scene<'_>, chance: &mut Chance, truth: &Truth) -> Option<Lie> {
        let sealed = self.sealed(truth);
        let (_, content) = chance.pick(&sealed)?;
        let block = self.false_block(&scene.head, scene, content, chance);
        refused_at("own records a second time", request(block, content), "DUPLICATE_RECORD", scene)
    }

    /// The content of an own block that is sealed, under the approval that it was sealed under.
    fn approved_again(&self, scene: &Scene<'_>, chance: &mut Chance, truth: &Truth) -> Option<Lie> {
        let sealed = self.sealed(truth);
        let (former, content) = chance.pick(&sealed)?;
        let former = forge::read(former)?;
        let operation_id = Header::parse(former.header).ok()?.operation_id.to_vec();
        let block = self.false_block(&scene.head, scene, content, chance);
        let block = forge::signed_anew(&block, &self.key, |header| header.operation_id = operation_id)?;
        let block = forge::under(&block, former.approvals.into_iter().next()?)?;
        refused_at("an approval a second time", request(block, content), "APPROVAL_USED", scene)
    }

    /// Own credits that are sealed.
    fn sealed(&self, truth: &Truth) -> Vec<&(Vec<u8>, Content)> {
        let sealed = |block: &[u8]| {
            let leaf = leaf_of(block);
            truth.log.values().any(|shown| *shown == leaf)
        };
        self.issued.iter().filter(|(block, _)| sealed(block)).collect()
    }

    /// The records of another as its own: the alias is not one that it was given.
    fn anothers_credit(&self, scene: &Scene<'_>, chance: &mut Chance) -> Option<Lie> {
        let theirs = chance.pick(&self.captured)?;
        let block = forge::read(&theirs.block)?;
        let credits =
            theirs.records.iter().all(|record| record.kind == u32::try_from(Kind::Credit as i32).unwrap_or(0));
        if !block.public_part.is_empty() || theirs.records.is_empty() || !credits {
            return None;
        }
        let read =
            |RecordBody { kind, version, body, seed }: RecordBody| Record::new(kind, version, &seed, body.into());
        let records = theirs.records.iter().cloned().map(read).collect::<Result<_, _>>().ok()?;
        let content = Content { records, groups: Vec::new() };
        let block = self.false_block(&scene.head, scene, &content, chance);
        refused_at("the records of another as its own", request(block, &content), "UNKNOWN_ALIAS", scene)
    }

    /// Revokes a record of another, by one right or another that it does not have.
    fn effect_on_another(&self, scene: &Scene<'_>, chance: &mut Chance, truth: &Truth) -> Option<Lie> {
        let theirs: Vec<&Known> = truth.known.iter().filter(|known| known.issuer != self.unit).collect();
        let target = chance.pick(&theirs)?;
        let authority = match chance.below(3) {
            0 => pb::Authority { basis: Basis::Issuer.into(), ..Default::default() },
            1 => {
                let institution = target.issuer.institution.0;
                pb::Authority { basis: Basis::Custodian.into(), institution, ..Default::default() }
            }
            _ => {
                let case_reference = "C-1".to_owned();
                pb::Authority { basis: Basis::Operator.into(), case_reference, ..Default::default() }
            }
        };
        let content = revoking(&target.reference, authority);
        let block = self.false_block(&scene.head, scene, &content, chance);
        refused_at("an effect on another's record", request(block, &content), "NOT_AUTHORISED", scene)
    }

    /// Revokes what is not there: a place without a record, or one whose status id is another.
    fn effect_on_nothing(&self, scene: &Scene<'_>, chance: &mut Chance, truth: &Truth) -> Option<Lie> {
        let known = chance.pick(&truth.known)?;
        let mut reference = known.reference.clone();
        let mut reason = "UNKNOWN_TARGET";
        if chance.often(500) {
            reference.status_id = vec![7; 32];
            // Whose record it is, is asked first: nobody finds out which status id stands at another's place.
            if known.issuer.institution != self.unit.institution {
                reason = "NOT_AUTHORISED";
            }
        } else if let Some(place) = &mut reference.place {
            place.index += 1_000;
        }
        let authority = pb::Authority { basis: Basis::Issuer.into(), ..Default::default() };
        let content = revoking(&reference, authority);
        let block = self.false_block(&scene.head, scene, &content, chance);
        refused_at("an effect on nothing", request(block, &content), reason, scene)
    }

    /// A root that is not of the records.
    fn wrong_root(&self, scene: &Scene<'_>, chance: &mut Chance) -> Option<Lie> {
        let content = self.definition(chance);
        let block = self.false_block(&scene.head, scene, &content, chance);
        let (at, bit) = (usize::try_from(chance.below(32)).ok()?, chance.below(8));
        let block = forge::signed_anew(&block, &self.key, |header| header.records_root[at] ^= 1 << bit)?;
        refused("a root of other records", request(block, &content), &["WRONG_RECORDS_ROOT"])
    }

    /// One record more than there are.
    fn wrong_count(&self, scene: &Scene<'_>, chance: &mut Chance) -> Option<Lie> {
        let content = self.definition(chance);
        let block = self.false_block(&scene.head, scene, &content, chance);
        let block = forge::signed_anew(&block, &self.key, |header| header.count += 1)?;
        refused("a count of other records", request(block, &content), &["WRONG_COUNT"])
    }

    fn another_log(&self, scene: &Scene<'_>, chance: &mut Chance) -> Option<Lie> {
        let content = self.definition(chance);
        let block = self.false_block(&scene.head, scene, &content, chance);
        let block = forge::signed_anew(&block, &self.key, |header| header.origin.push('s'))?;
        refused("a block for another log", request(block, &content), &["WRONG_ORIGIN"])
    }

    fn too_late(&self, scene: &Scene<'_>, chance: &mut Chance) -> Option<Lie> {
        let content = self.definition(chance);
        let block = self.false_block(&scene.head, scene, &content, chance);
        let block = forge::signed_anew(&block, &self.key, |header| header.created_at_minute += TOO_LATE_MINUTES)?;
        refused_at("a block of the day after tomorrow", request(block, &content), "WRONG_TIME", scene)
    }
}

#[allow(clippy::unnecessary_wraps)] // As the lies that may not be possible yet.
fn open(what: &'static str, request: SubmitBlockRequest) -> Option<Lie> {
    Some(Lie { what, request, outcome: Outcome::Open })
}

#[allow(clippy::unnecessary_wraps)] // As the lies that may not be possible yet.
fn refused(what: &'static str, request: SubmitBlockRequest, reasons: &'static [&'static str]) -> Option<Lie> {
    Some(Lie { what, request, outcome: Outcome::Refused(reasons) })
}

/// Refused on the own head, if that is still one.
#[allow(clippy::unnecessary_wraps)] // As the lies that may not be possible yet.
fn refused_at(what: &'static str, request: SubmitBlockRequest, reason: &'static str, scene: &Scene<'_>) -> Option<Lie> {
    Some(Lie { what, request, outcome: Outcome::RefusedAt(reason, scene.head.next_height) })
}

fn request(block: Vec<u8>, content: &Content) -> SubmitBlockRequest {
    block_request(block, &content.records, &content.groups)
}

fn minute(scene: &Scene<'_>, head: &ChainHead) -> u64 {
    (scene.now_ms / 60_000).max(head.created_at_minute)
}

fn another_operation(chance: &mut Chance) -> Vec<u8> {
    let mut id = vec![0; 16];
    chance.fill(&mut id);
    id
}
