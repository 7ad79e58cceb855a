//! Approval by a second person: what is asked, what is checked before it is signed, and the answer.
//!
//! A request holds everything that the block will hold, so that nobody signs blind: whoever approves computes records root
//! and public digest from the records themselves. It holds personal data and the records' secrets: mode 0600.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use creditbank_protocol::block::{Header, approval_message, public_records};
use creditbank_protocol::canonical::{decode, encode};
use creditbank_protocol::key::{KeyId, verify};
use creditbank_protocol::merkle::records_root;
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::record::{Record, amends_of, info_of};
use creditbank_protocol::{Digest, block::public_digest};
use serde::{Deserialize, Serialize};

use crate::correct::learner_of;
use crate::issue::work::Mark;
use crate::{ClientError, Signer};

/// Most bytes of a request that is read.
const REQUEST_LEN_MAX: u64 = 64 << 20;

/// What a block will hold, but not where in the chain.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) operation_id: [u8; 16],
    pub(crate) records: Vec<Record>,
    pub(crate) groups: Vec<pb::EffectGroup>,
}

/// A record as a request holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordText {
    kind: u32,
    version: u32,
    seed: String,
    body: String,
}

/// A request for the approval of one block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRequest {
    /// The log.
    pub origin: String,
    /// Whose block.
    pub institution: u64,
    /// Of which unit.
    pub unit: u32,
    /// 16 bytes in hexadecimal: names the operation.
    pub operation_id: String,
    /// 32 bytes in hexadecimal: over the records.
    pub records_root: String,
    /// How many records.
    pub count: u32,
    /// 32 bytes in hexadecimal: over the effects.
    pub public_digest: String,
    records: Vec<RecordText>,
    public_part: String,
}

/// An approval, as it is sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalText {
    /// The operation that is approved.
    pub operation_id: String,
    /// 16 bytes in hexadecimal: the approver's key.
    pub key_id: String,
    /// 32 bytes in hexadecimal.
    pub public_key: String,
    /// 64 bytes in hexadecimal.
    pub signature: String,
}

/// What a request holds, for whoever is to approve it. Made from the records themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Records by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Credits in ten-thousandths, by unit.
    pub credits_e4: BTreeMap<String, u64>,
    /// Records by course.
    pub courses: BTreeMap<String, u64>,
    /// Records by scale and grade.
    pub grades: BTreeMap<String, u64>,
    /// Learners of the records.
    pub learners: u64,
    /// Records that replace another.
    pub amendments: u64,
    /// Effects by action.
    pub effects: BTreeMap<String, u64>,
    /// Places of the records that are changed.
    pub places: Vec<String>,
    /// What is agreed, published, converted, decided or awarded, in words: written by others, so show it without control
    /// characters.
    pub said: Vec<String>,
}

fn wrong(what: impl std::fmt::Display) -> ClientError {
    ClientError::Local(format!("approval request: {what}"))
}

impl ApprovalRequest {
    pub(crate) fn new(origin: &str, institution: u64, unit: u32, content: &Content) -> Result<Self, ClientError> {
        let part = pb::PublicPart { records: public_records(&content.records), groups: content.groups.clone() };
        let part = encode(&part).map_err(wrong)?;
        let text = |record: &Record| RecordText {
            kind: u32::try_from(i32::from(record.kind())).unwrap_or(0),
            version: u32::from(record.version()),
            seed: hex::encode(record.seed()),
            body: hex::encode(record.body()),
        };
        let hashes: Vec<Digest> = content.records.iter().map(Record::hash).collect();
        Ok(Self {
            origin: origin.to_owned(),
            institution,
            unit,
            operation_id: hex::encode(content.operation_id),
            records_root: records_root(&hashes).to_string(),
            count: u32::try_from(hashes.len()).map_err(wrong)?,
            public_digest: public_digest(&part).to_string(),
            records: content.records.iter().map(text).collect(),
            public_part: hex::encode(part),
        })
    }

    /// Reads a request.
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        serde_json::from_str(&read_text(path)?).map_err(|error| wrong(format!("{}: {error}", path.display())))
    }

    /// The content, after checking it against root, count and digest.
    pub(crate) fn content(&self) -> Result<Content, ClientError> {
        let bytes = |text: &str, what: &str| hex::decode(text).map_err(|_| wrong(format!("{what} is not hexadecimal")));
        let mut records = Vec::with_capacity(self.records.len());
        for (index, RecordText { kind, version, seed, body }) in self.records.iter().enumerate() {
            let record = Record::new(*kind, *version, &bytes(seed, "seed")?, bytes(body, "body")?);
            records.push(record.map_err(|error| wrong(format!("record {index}: {error}")))?);
        }
        let root = records_root(&records.iter().map(Record::hash).collect::<Vec<_>>()).to_string();
        if root != self.records_root || u32::try_from(records.len()) != Ok(self.count) {
            let (count, root_said) = (self.count, &self.records_root);
            return Err(wrong(format!(
                "the records are not the ones that it names: expected {count} under {root_said}, found {} under {root}",
                records.len()
            )));
        }
        let part = bytes(&self.public_part, "public_part")?;
        if public_digest(&part).to_string() != self.public_digest {
            return Err(wrong("the effects are not the ones that it names"));
        }
        let pb::PublicPart { records: shown, groups } = decode(&part).map_err(wrong)?;
        if shown != public_records(&records) {
            return Err(wrong("the public records are not those among the records"));
        }
        let operation_id = bytes(&self.operation_id, "operation_id")?.try_into().map_err(|_| wrong("operation_id"))?;
        Ok(Content { operation_id, records, groups })
    }

    /// What it holds, by its records and effects: refused where these are not the ones that would be approved.
    pub fn summary(&self) -> Result<Summary, ClientError> {
        let content = self.content()?;
        let mut summary = Summary::default();
        let mut learners = std::collections::BTreeSet::new();
        for record in &content.records {
            let body = record.body();
            *summary.kinds.entry(short(record.kind().as_str_name(), "KIND_")).or_default() += 1;
            summary.said.extend(crate::wording::of(record));
            if info_of(record.kind()).is_some_and(|info| info.public) {
                continue;
            }
            learners.insert(learner_of(record.kind(), body).map_err(wrong)?);
            let (course, grade, amends) = match record.kind() {
                Kind::Credit => {
                    let credit: pb::Credit = decode(body).map_err(wrong)?;
                    if let Some(amount) = &credit.amount {
                        let sum = summary.credits_e4.entry(amount.unit.clone()).or_default();
                        *sum = sum.saturating_add(amount.e4);
                    }
                    (credit.course, credit.grade, credit.amends)
                }
                Kind::Result => {
                    let result: pb::Result = decode(body).map_err(wrong)?;
                    (result.course, result.grade, result.amends)
                }
                Kind::Outcome => {
                    let outcome: pb::Outcome = decode(body).map_err(wrong)?;
                    let grade = outcome.score.map(|score| pb::Grade { scale: score.scale, value: score.value });
                    (outcome.course, grade, outcome.amends)
                }
                other => (None, None, amends_of(other, body).map_err(wrong)?),
            };
            if let Some(course) = course {
                *summary.courses.entry(course.code).or_default() += 1;
            }
            if let Some(grade) = grade {
                *summary.grades.entry(format!("{} {}", grade.scale, grade.value)).or_default() += 1;
            }
            summary.amendments += u64::from(amends.is_some());
        }
        summary.learners = learners.len() as u64;
        for effect in content.groups.iter().flat_map(|group| &group.effects) {
            let action = pb::Action::try_from(effect.action).unwrap_or_default();
            *summary.effects.entry(short(action.as_str_name(), "ACTION_")).or_default() += 1;
            let place = effect.place.unwrap_or_default();
            summary.places.push(format!("{}/{}", place.entry, place.index));
        }
        Ok(summary)
    }

    /// The bytes that an approver signs.
    fn message(&self) -> Result<Vec<u8>, ClientError> {
        let content = self.content()?;
        let digest = |text: &str| {
            let bytes = hex::decode(text).ok().and_then(|bytes| Digest::from_slice(&bytes));
            bytes.ok_or_else(|| wrong("a digest is not 32 bytes"))
        };
        let header = pb::BlockHeader {
            suite: 1,
            version: 1,
            origin: self.origin.clone(),
            institution: self.institution,
            unit: self.unit,
            previous: vec![1; 32],
            records_root: digest(&self.records_root)?.0.to_vec(),
            count: self.count,
            public_digest: digest(&self.public_digest)?.0.to_vec(),
            operation_id: content.operation_id.to_vec(),
            key_id: vec![1; 16],
            ..Default::default()
        };
        let header = Header::parse(encode(&header).map_err(wrong)?).map_err(wrong)?;
        Ok(approval_message(&header).as_bytes().to_vec())
    }

    /// Approves it, after checking that the records are the ones that it names.
    pub fn approve(&self, key: &dyn Signer) -> Result<ApprovalText, ClientError> {
        if key.purpose() != Purpose::Approver {
            return Err(wrong("only an approver's key approves (creditbank keygen --purpose approver)"));
        }
        let public_key = key.public_key();
        Ok(ApprovalText {
            operation_id: self.operation_id.clone(),
            key_id: KeyId::of(&public_key).to_string(),
            public_key: hex::encode(public_key),
            signature: hex::encode(key.sign(&self.message()?)?),
        })
    }

    /// The approval that was given to this request.
    pub(crate) fn approval(&self, text: &ApprovalText) -> Result<pb::Approval, ClientError> {
        let bytes = |text: &str, what: &str| hex::decode(text).map_err(|_| wrong(format!("{what} is not hexadecimal")));
        if text.operation_id != self.operation_id {
            return Err(wrong(format!("the approval is for {}, not for {}", text.operation_id, self.operation_id)));
        }
        let (public_key, signature) = (bytes(&text.public_key, "public_key")?, bytes(&text.signature, "signature")?);
        verify(&public_key, &self.message()?, &signature)
            .map_err(|error| wrong(format!("the approval is for other records or effects: {error}")))?;
        Ok(pb::Approval { key_id: bytes(&text.key_id, "key_id")?, signature })
    }
}

fn short(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase().replace('_', "-")
}

fn read_text(path: &Path) -> Result<String, ClientError> {
    let at = |error| ClientError::File { path: path.display().to_string(), error };
    let len = fs::metadata(path).map_err(at)?.len();
    if len > REQUEST_LEN_MAX {
        return Err(wrong(format!("{} has {len} bytes, at most {REQUEST_LEN_MAX} are read", path.display())));
    }
    fs::read_to_string(path).map_err(at)
}

/// The file of an approval: the request's name and `.approval`.
pub fn approval_path(request: &Path) -> PathBuf {
    let mut name = request.as_os_str().to_owned();
    name.push(".approval");
    name.into()
}

/// Requests that wait for an approval, in the directory of a run's notes.
pub(crate) struct Desk {
    dir: PathBuf,
}

/// A request that waits.
pub(crate) struct Waiting {
    pub(crate) path: PathBuf,
    pub(crate) content: Content,
    pub(crate) marks: Vec<Mark>,
    /// The approval, once it is there.
    pub(crate) approval: Option<pb::Approval>,
}

impl Desk {
    pub(crate) fn open(work: &Path) -> Self {
        Self { dir: work.join("requests") }
    }

    /// Puts a content on the desk and returns the file to send to the approver.
    pub(crate) fn put(
        &self,
        origin: &str,
        (institution, unit): (u64, u32),
        content: &Content,
        marks: &[Mark],
    ) -> Result<PathBuf, ClientError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
        made.map_err(|error| ClientError::File { path: self.dir.display().to_string(), error })?;
        let request = ApprovalRequest::new(origin, institution, unit, content)?;
        let path = self.dir.join(format!("{}.json", request.operation_id));
        let marks: Vec<u8> = marks.iter().flat_map(|mark| mark.to_bytes()).collect();
        crate::issue::work::replace(&path.with_extension("marks"), &marks)?;
        let text = serde_json::to_string_pretty(&request).map_err(wrong)? + "\n";
        crate::issue::work::replace(&path, text.as_bytes())?;
        Ok(path)
    }

    /// What waits, in the order of the files' names.
    pub(crate) fn waiting(&self) -> Result<Vec<Waiting>, ClientError> {
        let at = |error| ClientError::File { path: self.dir.display().to_string(), error };
        let listed = match fs::read_dir(&self.dir) {
            Ok(listed) => listed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(error)),
        };
        let mut paths = Vec::new();
        for item in listed {
            let path = item.map_err(at)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.into_iter().map(Self::read).collect()
    }

    fn read(path: PathBuf) -> Result<Waiting, ClientError> {
        let request = ApprovalRequest::read(&path)?;
        let marks = path.with_extension("marks");
        let marks = fs::read(&marks).map_err(|error| ClientError::File { path: marks.display().to_string(), error })?;
        let answer = approval_path(&path);
        let approval = if answer.exists() {
            let text = serde_json::from_str(&read_text(&answer)?);
            Some(request.approval(&text.map_err(|error| wrong(format!("{}: {error}", answer.display())))?)?)
        } else {
            None
        };
        Ok(Waiting { content: request.content()?, marks: Mark::all(&marks), path, approval })
    }
}

impl Waiting {
    /// Nothing is left to do about it.
    pub(crate) fn done(&self) -> Result<(), ClientError> {
        let path = &self.path;
        for file in [path.clone(), approval_path(path), path.with_extension("marks")] {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ClientError::File { path: file.display().to_string(), error });
                }
                _ => {}
            }
        }
        Ok(())
    }
}
