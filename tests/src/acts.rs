//! Blocks of any records and effects, and what they are answered with.

use creditbank_client::{Client, ClientError};
use creditbank_protocol::Alias;
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::mandate::mandate_of;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::{Action, Authority, Basis, Effect, EffectGroup, Kind, Place, Receipt, RecordReference};
use creditbank_protocol::record::{PUBLIC_SEED, Record};
use creditbank_protocol::status::status_id;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::{IdentityType, Person, SubmitBlockRequest, TypedIdentity};
use tonic::Code;

use crate::chain::Chain;
use crate::node::ORIGIN;
use crate::{TestNode, University};

/// A person by national number, whom every institution knows under its own alias.
pub fn citizen(number: u64) -> Person {
    let (r#type, scope) = (IdentityType::National.into(), "GB".to_owned());
    Person { identities: vec![TypedIdentity { r#type, scope, value: format!("c{number}") }] }
}

/// The alias of a citizen at a university.
pub async fn alias(node: &TestNode, university: &University, number: u64) -> Alias {
    let client = university.client(node).await;
    client.open_accounts(university.institution, vec![citizen(number)]).await.expect("an account")[0]
}

/// A public record.
pub fn public(kind: Kind, body: &impl Canonical) -> Record {
    Record::of(kind, &PUBLIC_SEED, encode(body).expect("canonical")).expect("a record")
}

/// The reference of record `index` of a sealed block.
pub fn reference(receipt: &Receipt, index: u32, record: &Record) -> RecordReference {
    let id = status_id(&leaf_hash(&receipt.entry), index, &record.hash());
    RecordReference {
        place: Some(Place { entry: receipt.index, index }),
        status_id: id.0.to_vec(),
        ..Default::default()
    }
}

/// Effects of one authority, as a block groups them.
pub fn group(authority: Authority, mut effects: Vec<Effect>) -> EffectGroup {
    effects.sort_by_key(|effect| encode(effect).expect("canonical"));
    EffectGroup { authority: Some(authority), effects }
}

/// An effect on a record.
pub fn effect(action: Action, record: &RecordReference) -> Effect {
    let (place, status_id) = (record.place, record.status_id.clone());
    Effect { status_id, place, action: action.into(), ..Default::default() }
}

/// An authority of a basis that needs nothing else.
pub fn by(basis: Basis) -> Authority {
    Authority { basis: basis.into(), ..Default::default() }
}

/// Submits a block; a refusal by its name.
pub async fn submit(
    client: &Client,
    university: &University,
    records: &[Record],
    groups: Vec<EffectGroup>,
) -> Result<Receipt, Reason> {
    let chain = Chain::of(client, university).await;
    send(client, &chain.block(university, records, groups)).await
}

/// Sends a block; a refusal by its name.
pub async fn send(client: &Client, request: &SubmitBlockRequest) -> Result<Receipt, Reason> {
    client.submit(request.clone()).await.map_err(|error| match error {
        ClientError::Refused(refusal) => {
            assert_ne!(refusal.code, u32::try_from(i32::from(Code::Internal)).expect("small"), "{}", refusal.message);
            refusal.why()
        }
        other => panic!("{other}"),
    })
}

/// An auditor with nothing but the trust file comes to the same registry and status tree.
pub async fn replayed(client: &Client) {
    let audit = client.audit(|_, _| ()).await.expect("the log can be read");
    assert_eq!(audit.contradiction, None);
}

/// The redeeming effects of a record of a university, by its mandate.
pub fn redeem<M: Canonical>(
    by_one: &University,
    kind: Kind,
    body: &M,
    records: &[RecordReference],
) -> Vec<EffectGroup> {
    if records.is_empty() {
        return Vec::new();
    }
    let record = Record::of(kind, &[1; 32], encode(body).expect("canonical")).expect("a record");
    let digest = mandate_of(ORIGIN, by_one.institution.into(), &record).expect("canonical");
    let mandate_digest = digest.map_or(vec![1; 32], |digest| digest.0.to_vec());
    let authority = Authority { mandate_digest, ..by(Basis::Mandate) };
    vec![group(authority, records.iter().map(|one| effect(Action::Redeem, one)).collect())]
}
