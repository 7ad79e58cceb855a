//! Approval by a second person: what is asked, what is checked before it is signed, and the answer.
//!
//! A request holds everything that the block will hold, so that nobody signs blind: whoever approves computes records
//! root and public root from the records themselves. It holds personal data and the records' secrets: mode 0600.

mod queue;
mod summary;

use std::fs;
use std::path::Path;

use creditbank_protocol::approval::approval_message;
use creditbank_protocol::block::{Header, Pieces, Public, places_beside, public_part, with_places};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::key::{KeyId, verify};
use creditbank_protocol::merkle::records_root;
use creditbank_protocol::once::{SALT_LEN, with_stated};
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::record::{Record, info_of};
use creditbank_protocol::{Digest, Place, UnitId};
use serde::{Deserialize, Serialize};

use crate::outbox::Operation;
use crate::secret::random;
use crate::{ClientError, Signer};
pub(crate) use queue::{ApprovalQueue, Waiting};
pub use queue::{approval_path, approval_path_by};
pub use summary::Summary;

/// Most bytes of a request that is read.
const REQUEST_LEN_MAX: u64 = 64 << 20;

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
    /// 32 bytes in hexadecimal: over the pieces of the public part.
    pub public_root: String,
    /// How many pieces.
    pub public_count: u32,
    records: Vec<RecordText>,
    public_part: String,
    /// `entry/index` of the record of each effect that shows no place, in their order. The approval does not cover
    /// them: the node compares each with its status id, which it does cover.
    places: Vec<String>,
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
    /// Last minute of the approval, since 1970. Signed.
    pub until_minute: u64,
    /// 16 random bytes in hexadecimal. Signed.
    pub salt: String,
}

fn wrong(what: impl std::fmt::Display) -> ClientError {
    ClientError::Local(format!("approval request: {what}"))
}

impl ApprovalRequest {
    pub(crate) fn new(origin: &str, unit: UnitId, operation: &Operation) -> Result<Self, ClientError> {
        let groups = with_stated(origin, unit.institution, &operation.records, operation.groups.clone());
        let groups = groups.map_err(wrong)?;
        let part = public_part(&operation.records, groups.clone());
        let places = places_beside(&part, &groups).into_iter().map(|place| Place::from(place).to_string()).collect();
        let part = encode(&part).map_err(wrong)?;
        let pieces = Public::parse(&part).map_err(wrong)?.pieces();
        let text = |record: &Record| RecordText {
            kind: u32::try_from(i32::from(record.kind())).unwrap_or(0),
            version: u32::from(record.version()),
            seed: hex::encode(record.seed()),
            body: hex::encode(record.body()),
        };
        let hashes: Vec<Digest> = operation.records.iter().map(Record::hash).collect();
        Ok(Self {
            origin: origin.to_owned(),
            institution: unit.institution.0,
            unit: unit.number,
            operation_id: hex::encode(operation.operation_id),
            records_root: records_root(&hashes).to_string(),
            count: u32::try_from(hashes.len()).map_err(wrong)?,
            public_root: pieces.root.to_string(),
            public_count: pieces.count,
            records: operation.records.iter().map(text).collect(),
            public_part: hex::encode(part),
            places,
        })
    }

    /// Reads a request.
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        serde_json::from_str(&read_text(path)?).map_err(|error| {
            let file = path.display();
            wrong(format!(
                "{file} is no whole request ({error}): expected what a command has written; have it sent again"
            ))
        })
    }

    /// The records that it would publish, each with its kind and canonical bytes: what stands in the public log.
    pub fn published(&self) -> Result<Vec<(Kind, Vec<u8>)>, ClientError> {
        let records = self.operation()?.records;
        let is_public = |record: &Record| info_of(record.kind()).is_some_and(|info| info.public);
        Ok(records.into_iter().filter(is_public).map(|record| (record.kind(), record.body().to_vec())).collect())
    }

    /// The operation, after checking it against root, count and digest.
    pub(crate) fn operation(&self) -> Result<Operation, ClientError> {
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
        let public = Public::parse(&part).map_err(wrong)?;
        let Pieces { root, count } = public.pieces();
        if (root.to_string(), count) != (self.public_root.clone(), self.public_count) {
            return Err(wrong("the effects are not the ones that it names"));
        }
        let groups = public.part().groups.clone();
        if *public.part() != public_part(&records, groups.clone()) {
            return Err(wrong("the public records are not those among the records"));
        }
        let place = |text: &String| {
            let place = text.parse::<Place>().map_err(|error| wrong(format!("places: {error}")))?;
            Ok(place.into())
        };
        let places = self.places.iter().map(place).collect::<Result<Vec<pb::Place>, ClientError>>()?;
        let groups = with_places(&groups, &places).map_err(wrong)?;
        let operation_id = bytes(&self.operation_id, "operation_id")?.try_into().map_err(|_| wrong("operation_id"))?;
        Ok(Operation { operation_id, records, groups, approvals: Vec::new() })
    }

    /// The bytes that an approver signs.
    fn message(&self, approval: &pb::Approval) -> Result<Vec<u8>, ClientError> {
        let operation = self.operation()?;
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
            public_root: digest(&self.public_root)?.0.to_vec(),
            operation_id: operation.operation_id.to_vec(),
            key_id: vec![1; 16],
            public_count: self.public_count,
            ..Default::default()
        };
        let header = Header::parse(encode(&header).map_err(wrong)?).map_err(wrong)?;
        Ok(approval_message(&header, approval).as_bytes().to_vec())
    }

    /// Approves it until a minute, after checking that the records are the ones that it names.
    pub fn approve(&self, key: &dyn Signer, until_minute: u64) -> Result<ApprovalText, ClientError> {
        if key.purpose() != Purpose::Approver {
            return Err(wrong("only an approver's key approves (creditbank keygen --purpose approver)"));
        }
        let public_key = key.public_key();
        let salt = random::<SALT_LEN>()?;
        let approval = pb::Approval { until_minute, salt: salt.to_vec(), ..Default::default() };
        Ok(ApprovalText {
            operation_id: self.operation_id.clone(),
            key_id: KeyId::of(&public_key).to_string(),
            public_key: hex::encode(public_key),
            signature: hex::encode(key.sign(&self.message(&approval)?)?),
            until_minute,
            salt: hex::encode(salt),
        })
    }

    /// The approval that was given to this request.
    pub(crate) fn approval(&self, text: &ApprovalText) -> Result<pb::Approval, ClientError> {
        let bytes = |text: &str, what: &str| hex::decode(text).map_err(|_| wrong(format!("{what} is not hexadecimal")));
        if text.operation_id != self.operation_id {
            return Err(wrong(format!("the approval is for {}, not for {}", text.operation_id, self.operation_id)));
        }
        let public_key = bytes(&text.public_key, "public_key")?;
        let approval = pb::Approval {
            key_id: bytes(&text.key_id, "key_id")?,
            signature: bytes(&text.signature, "signature")?,
            until_minute: text.until_minute,
            salt: bytes(&text.salt, "salt")?,
        };
        verify(&public_key, &self.message(&approval)?, &approval.signature)
            .map_err(|error| wrong(format!("the approval is for other records or effects: {error}")))?;
        Ok(approval)
    }
}

fn read_text(path: &Path) -> Result<String, ClientError> {
    let at = |error| ClientError::File { path: path.display().to_string(), error };
    let len = fs::metadata(path).map_err(at)?.len();
    if len > REQUEST_LEN_MAX {
        return Err(wrong(format!("{} has {len} bytes, at most {REQUEST_LEN_MAX} are read", path.display())));
    }
    fs::read_to_string(path).map_err(at)
}
