//! Goal: a block that is not right is refused by name, and nothing of it is stored.

use creditbank_client::ClientError;
use creditbank_protocol::Digest;
use creditbank_protocol::UnitId;
use creditbank_protocol::block::BlockDraft;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Kind, Purpose, RevocationReason};
use creditbank_protocol::record::Record;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_tests::chain::{bodies, signed};
use creditbank_tests::university::{credit_record, key, set};
use creditbank_tests::{Chain, TestNode, University};
use prost::Message as _;

struct Scene {
    node: TestNode,
    university: University,
    records: Vec<Record>,
    chain: Chain,
}

impl Scene {
    async fn new() -> Self {
        let node = TestNode::start().await;
        let university = University::admit(&node, 1).await;
        let alias = university.aliases(&node, 0..1).await[0];
        let chain = Chain::of(&university.client(&node).await, &university).await;
        Self { node, university, records: vec![credit_record(alias, "A-1"), credit_record(alias, "A-2")], chain }
    }

    fn good(&self) -> SubmitBlockRequest {
        self.chain.block(&self.university, &self.records, Vec::new())
    }

    fn drafted(&self, change: impl FnOnce(&mut BlockDraft)) -> SubmitBlockRequest {
        let mut draft = self.chain.draft(&self.university);
        change(&mut draft);
        signed(&draft, &self.university, &self.records, Vec::new())
    }

    /// A block whose header was changed after it was signed.
    fn header(&self, change: impl FnOnce(&mut pb::BlockHeader)) -> SubmitBlockRequest {
        let good = self.good();
        let mut block = pb::Block::decode(&good.block[..]).expect("a block");
        let mut header = pb::BlockHeader::decode(&block.header[..]).expect("a header");
        change(&mut header);
        block.header = header.encode_to_vec();
        SubmitBlockRequest { block: block.encode_to_vec().into(), ..good }
    }

    /// Submits and returns the name of the refusal, after looking that nothing was stored.
    async fn refused(&self, request: SubmitBlockRequest) -> Reason {
        let sealed = || self.node.ledger().issued(UnitId::new(1, 1), 0, 100).expect("a list").0.len();
        let before = sealed();
        let client = self.university.client(&self.node).await;
        let error = client.submit(request).await.expect_err("a refusal");
        assert_eq!(sealed(), before, "nothing is stored");
        assert_eq!(client.chain_head(UnitId::new(1, 1)).await.expect("the head"), self.chain.head);
        match error {
            ClientError::Refused(refusal) => {
                assert!(!refusal.message.is_empty());
                refusal.why()
            }
            other => panic!("expected a refusal, found {other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed() {
    let scene = Scene::new().await;
    let good = scene.good();
    let with = |block: Vec<u8>| SubmitBlockRequest { block: block.into(), ..good.clone() };
    let mut unknown_field = good.block.to_vec();
    unknown_field.extend([0xa2, 0x06, 0x00]);
    let mut padded = pb::Block::decode(&good.block[..]).expect("a block");
    // An overlong varint: height 0 written out as two bytes.
    padded.header.extend([0x30, 0x80, 0x00]);
    let mut records = good.records.clone();
    records[0].body = records[0].body.slice(..records[0].body.len() - 1);
    let mut odd_kind = good.records.clone();
    odd_kind[0].kind = 999;
    let mut short_seed = good.records.clone();
    short_seed[1].seed = vec![0; 31].into();
    // Everybody could open the hidden fields of the one, and the two have the same salts.
    let mut zero_seed = good.records.clone();
    zero_seed[1].seed = vec![0; 32].into();
    let mut same_seed = good.records.clone();
    same_seed[1].seed = same_seed[0].seed.clone();
    let mut swapped = good.records.clone();
    swapped.swap(0, 1);
    let cases = [
        (with(Vec::new()), Reason::UnknownVersion),
        (with(good.block[..good.block.len() - 1].to_vec()), Reason::NotCanonical),
        (with(unknown_field), Reason::NotCanonical),
        (with(padded.encode_to_vec()), Reason::NotCanonical),
        (with(vec![0xff; 70_000]), Reason::BlockTooLong),
        (SubmitBlockRequest { records, ..good.clone() }, Reason::RecordMalformed),
        (SubmitBlockRequest { records: odd_kind, ..good.clone() }, Reason::RecordMalformed),
        (SubmitBlockRequest { records: short_seed, ..good.clone() }, Reason::RecordMalformed),
        (SubmitBlockRequest { records: zero_seed, ..good.clone() }, Reason::RecordMalformed),
        (SubmitBlockRequest { records: same_seed, ..good.clone() }, Reason::RecordMalformed),
        (SubmitBlockRequest { records: swapped, ..good.clone() }, Reason::WrongRecordsRoot),
        (SubmitBlockRequest { records: good.records[..1].to_vec(), ..good.clone() }, Reason::WrongCount),
    ];
    for (number, (request, expected)) in cases.into_iter().enumerate() {
        assert_eq!(scene.refused(request).await, expected, "case {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_records_than_a_block_may_hold() {
    let scene = Scene::new().await;
    let many = vec![scene.records[0].clone(); 1_025];
    let counted = scene.header(|header| header.count = 1_025);
    assert_eq!(scene.refused(counted).await, Reason::NotCanonical);
    let beside = SubmitBlockRequest { records: bodies(&many), ..scene.good() };
    assert_eq!(scene.refused(beside).await, Reason::WrongCount);
    let drafted = scene.chain.draft(&scene.university).sign(&many, Vec::new(), None, |_| [0; 64]);
    assert_eq!(drafted.expect_err("the client says so first").to_string(), "1025 records, at most 1024 are allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_beyond_the_limit() {
    let scene = Scene::new().await;
    let good = scene.good();
    let mut records = good.records.clone();
    records[0].body = vec![0; 33 << 20].into();
    let request = SubmitBlockRequest { records, ..good };
    let status = scene.node.ledger_service().await.submit_block(request).await.expect_err("too large");
    assert_eq!(status.code(), tonic::Code::OutOfRange, "{status}");
    let client = scene.university.client(&scene.node).await;
    assert_eq!(client.chain_head(UnitId::new(1, 1)).await.expect("the head"), scene.chain.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_another_place() {
    let scene = Scene::new().await;
    let other =
        University { key: key(Purpose::Unit, 50), access: key(Purpose::InstitutionAccess, 51), ..scene.university };
    let stranger =
        |university: &University| signed(&scene.chain.draft(university), university, &scene.records, Vec::new());
    let cases = [
        (scene.drafted(|draft| draft.origin = "other.example/log".to_owned()), Reason::WrongOrigin),
        (scene.drafted(|draft| draft.height = 1), Reason::WrongHeight),
        (scene.drafted(|draft| draft.previous = Digest([1; 32])), Reason::WrongPrevious),
        (scene.drafted(|draft| draft.created_at_minute += 3 * 1_440), Reason::WrongTime),
        (scene.drafted(|draft| draft.created_at_minute -= 3 * 1_440), Reason::WrongTime),
        (scene.drafted(|draft| draft.unit.institution = 2.into()), Reason::UnknownInstitution),
        (scene.drafted(|draft| draft.unit.number = 9), Reason::UnknownUnit),
        (scene.drafted(|draft| draft.key_id = KeyId([1; 16])), Reason::UnknownKey),
        (stranger(&other), Reason::UnknownKey),
        (scene.header(|header| header.records_root = vec![1; 32]), Reason::WrongSignature),
        (scene.header(|header| header.operation_id = vec![1; 16]), Reason::WrongSignature),
        (scene.header(|header| header.version = 2), Reason::UnknownVersion),
        (scene.header(|header| header.public_root = vec![1; 32]), Reason::WrongPublicRoot),
    ];
    for (number, (request, expected)) in cases.into_iter().enumerate() {
        assert_eq!(scene.refused(request).await, expected, "case {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_signer_who_may_not() {
    let scene = Scene::new().await;
    let Scene { node, university, .. } = &scene;
    let suspended = pb::RegistryState::Suspended.into();
    set(node, Kind::Institution, &pb::Institution { state: suspended, ..university.entry() }).await;
    assert_eq!(scene.refused(scene.good()).await, Reason::InstitutionNotActive);
    set(node, Kind::Institution, &university.entry()).await;
    set(node, Kind::Unit, &pb::Unit { state: suspended, ..university.unit_entry() }).await;
    assert_eq!(scene.refused(scene.good()).await, Reason::UnitNotActive);
    set(node, Kind::Unit, &university.unit_entry()).await;

    // The operator's registry key signs nobody's records, and no unit signs registry records.
    let operator = University { key: node.key(Purpose::Registry), access: university.access.clone(), ..*university };
    let by_operator = signed(&scene.chain.draft(&operator), &operator, &scene.records, Vec::new());
    assert_eq!(scene.refused(by_operator).await, Reason::KeyOfAnother);
    let entry = creditbank_client::operator::registry_record(Kind::Institution, &university.entry()).expect("an entry");
    let request = signed(&scene.chain.draft(university), university, &[entry], Vec::new());
    let request = SubmitBlockRequest { records: Vec::new(), ..request };
    assert_eq!(scene.refused(request).await, Reason::KindNotIssued);

    let client = node.operator().await;
    let id = KeyId::of(&university.key.public_key());
    let entry = client.registry_entry(&creditbank_protocol::registry::RegistryKey::Key(id)).await.expect("an answer");
    let mut entry: pb::Key = entry.expect("the key").decode().expect("a key");
    entry.kinds = vec![Kind::Result.into()];
    set(node, Kind::Key, &entry).await;
    assert_eq!(scene.refused(scene.good()).await, Reason::KindOutsideKey);
    entry.revoked = Some(pb::KeyRevocation { reason: RevocationReason::Ceased.into(), ..Default::default() });
    set(node, Kind::Key, &entry).await;
    assert_eq!(scene.refused(scene.good()).await, Reason::KeyRevoked);
}
