//! An institution that may issue, and what it issues.

use std::sync::Arc;

use creditbank_client::operator::{KeyRequest, publish, registry_record};
use creditbank_client::{Client, IssuingUnit, Seeds};
use creditbank_fixtures::{accreditation, credit, institution, unit};
use creditbank_protocol::Alias;
use creditbank_protocol::UnitId;
use creditbank_protocol::approval::approval_message;
use creditbank_protocol::block::Header;
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::{self, Kind, Purpose, Receipt};
use creditbank_protocol::record::Record;
use creditbank_rpc::v1::{IdentityType, Person, TypedIdentity};
use ed25519_dalek::SigningKey;

use crate::TestNode;
use crate::node::ORIGIN;

/// An admitted institution with one unit.
pub struct University {
    /// Its number.
    pub institution: u64,
    /// Its unit.
    pub unit: u32,
    /// Signs every kind of an institution.
    pub key: KeyFile,
    /// Reads what it issued.
    pub access: KeyFile,
}

/// Everything that an institution may sign.
pub const KINDS: [Kind; 20] = [
    Kind::Identity,
    Kind::Outcome,
    Kind::Credit,
    Kind::Result,
    Kind::Application,
    Kind::Appeal,
    Kind::Decision,
    Kind::AgreementProposal,
    Kind::AgreementAcceptance,
    Kind::AgreementEnding,
    Kind::Equivalence,
    Kind::Conversion,
    Kind::Enrolment,
    Kind::ForeignAward,
    Kind::QualificationDefinition,
    Kind::Award,
    Kind::QualificationRecognition,
    Kind::GradeDistribution,
    Kind::CourseAlias,
    Kind::CourseCodes,
];

/// A key that is the same in every run.
pub fn key(purpose: Purpose, seed: u8) -> KeyFile {
    KeyFile { purpose, key: SigningKey::from_bytes(&[seed; 32]) }
}

/// Publishes one registry entry of a kind.
pub async fn set<M: Canonical>(node: &TestNode, kind: Kind, entry: &M) -> Receipt {
    let record = registry_record(kind, entry).expect("a canonical entry");
    let client = node.client(None).await;
    let receipt =
        publish(&client, Arc::new(node.key(Purpose::Registry)), &[record], None).await.expect("the entry is admitted");
    in_force(node, receipt.index).await;
    receipt
}

/// Waits for the empty round that follows a change of the registry at once: tests compare sizes of the log.
async fn in_force(node: &TestNode, block: u64) {
    // The block, its seal, and the seal of the empty round.
    while node.ledger().size() < block + 3 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

impl University {
    /// An institution whose keys come from `number`.
    pub fn new(number: u8) -> Self {
        let (key, access) = (key(Purpose::Unit, number), key(Purpose::InstitutionAccess, 100 + number));
        Self { institution: u64::from(number), unit: 1, key, access }
    }

    /// Admits an institution whose keys come from `number`.
    pub async fn admit(node: &TestNode, number: u8) -> Self {
        let this = Self::new(number);
        let receipt = this.publish(&node.client(None).await, &node.key(Purpose::Registry)).await;
        in_force(node, receipt.index).await;
        this
    }

    /// Publishes everything that it needs to issue.
    pub async fn publish(&self, client: &Client, registry: &KeyFile) -> Receipt {
        let kinds = KINDS;
        let unit = KeyRequest::new(client.origin(), UnitId::new(self.institution, self.unit), &self.key)
            .expect("a request")
            .record(&kinds, 0, 0);
        let access = KeyRequest::new(client.origin(), UnitId::new(self.institution, 0), &self.access)
            .expect("a request")
            .record(&[], 0, 0);
        let records = [
            registry_record(Kind::Institution, &self.entry()),
            registry_record(Kind::Unit, &self.unit_entry()),
            registry_record(Kind::Key, &unit.expect("a key")),
            registry_record(Kind::Key, &access.expect("a key")),
            registry_record(Kind::Accreditation, &self.accreditation()),
        ];
        let records = records.map(|record| record.expect("a canonical entry"));
        publish(client, Arc::new(registry.clone()), &records, None).await.expect("the institution is admitted")
    }

    /// The key of the second person of its unit.
    fn approver(&self) -> KeyFile {
        key(Purpose::Approver, 200 + u8::try_from(self.institution).expect("a small number"))
    }

    /// Admits the second person of its unit.
    pub async fn admit_approver(&self, node: &TestNode) {
        let request = KeyRequest::new(ORIGIN, UnitId::new(self.institution, self.unit), &self.approver());
        set(node, Kind::Key, &request.expect("a request").record(&[], 0, 0).expect("a key")).await;
    }

    /// The second person's approval of a block.
    pub fn approval(&self, header: &Header) -> pb::Approval {
        let approver = self.approver();
        let bare = pb::Approval {
            key_id: KeyId::of(&approver.public_key()).0.to_vec(),
            until_minute: header.created_at_minute + 60,
            // Each block has another message, so that no salt is used twice.
            salt: vec![7; 16],
            ..Default::default()
        };
        let signature = sign(&approver.key, approval_message(header, &bare).as_bytes()).to_vec();
        pb::Approval { signature, ..bare }
    }

    /// Its registry entry.
    pub fn entry(&self) -> pb::Institution {
        institution(self.institution)
    }

    /// Its unit's entry.
    pub fn unit_entry(&self) -> pb::Unit {
        unit(self.institution, self.unit)
    }

    /// Its accreditation: 2000 to 2030, everything.
    pub fn accreditation(&self) -> pb::Accreditation {
        accreditation(self.institution)
    }

    /// As the importer knows it.
    pub fn issuing(&self) -> IssuingUnit {
        let seeds = Seeds::derived(self.key.key.to_bytes());
        IssuingUnit::new(UnitId::new(self.institution, self.unit), Arc::new(self.key.clone()), seeds)
    }

    /// A client with its access key.
    pub async fn client(&self, node: &TestNode) -> Client {
        node.client(Some(self.access.clone())).await
    }

    /// An alias for each student number.
    pub async fn aliases(&self, node: &TestNode, numbers: impl IntoIterator<Item = u64>) -> Vec<Alias> {
        let persons = numbers.into_iter().map(|number| student(&number.to_string())).collect();
        self.client(node).await.open_accounts(self.institution, persons).await.expect("accounts")
    }
}

/// A person by student number.
pub fn student(number: &str) -> Person {
    let kind = IdentityType::StudentNumber.into();
    Person { identities: vec![TypedIdentity { r#type: kind, scope: String::new(), value: number.to_owned() }] }
}

/// A record of a kind, with a seed that `salt` makes its own.
pub fn record<M: Canonical>(kind: Kind, body: &M, salt: u8) -> Record {
    let body = encode(body).expect("a canonical body");
    // Another seed for each record, as a block must have.
    let seed = leaf_hash(&[&[salt], &body[..]].concat()).0;
    Record::of(kind, &seed, body).expect("a record")
}

/// A Credit as a record.
pub fn credit_record(alias: Alias, course: &str) -> Record {
    record(Kind::Credit, &credit(alias, course), 1)
}
