//! Goal: where a second person must approve, nothing is sealed without; and what they approve is what is sealed.

use creditbank_fixtures::credit;
use std::fs;
use std::sync::Arc;

use creditbank_client::correct::contest::findings;
use creditbank_client::correct::{Correction, Outcome};
use creditbank_client::operator::{KeyRequest, Published, publish, publish_or_ask, registry_record};
use creditbank_client::outbox::{GivenUp, Pending};
use creditbank_client::sealing::approval::{ApprovalRequest, approval_path, approval_path_by};
use creditbank_client::sealing::{Contents, Options, Sealed, seal_block};
use creditbank_client::validity::last_minute;
use creditbank_client::{Client, IssuingUnit};
use creditbank_protocol::approval::approval_message;
use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::{self, Action, Basis, Kind, Place, Purpose, RecordReference};
use creditbank_protocol::record::Record;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::transcript::{Report, TranscriptRecord};
use creditbank_protocol::{Standing, UnitId};
use creditbank_rpc::Reason;
use creditbank_rpc::block_request;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{InstitutionAlias, SubmitBlockRequest};
use creditbank_tests::acts::{by, effect, group, reference, replayed, send, submit};
use creditbank_tests::chain::now_s;
use creditbank_tests::corrections::{Corrections, amend, confirm, reinstate, revoke};
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::{credit_record, key, record, set};
use creditbank_tests::{Chain, Scene, TestNode, University};

use super::amend::scene;
use super::recognition::{application, today};

async fn approver(node: &TestNode) -> KeyFile {
    let approver = key(Purpose::Approver, 40);
    set(
        node,
        Kind::Key,
        &KeyRequest::new(ORIGIN, UnitId::new(1, 1), &approver).expect("a request").record(&[], 0, 0).expect("a key"),
    )
    .await;
    approver
}

fn approve(desk: &Corrections, approver: &KeyFile) {
    for path in desk.requests() {
        let approval =
            ApprovalRequest::read(&path).expect("a request").approve(approver, last_minute(7)).expect("an approval");
        fs::write(approval_path(&path), serde_json::to_string(&approval).expect("JSON")).expect("the approval");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_person_approves() {
    let (node, university, aliases, entry) = scene(3).await;
    let (client, unit) = (university.client(&node).await, university.issuing());
    let at = |index| Place { entry, index };
    set(&node, Kind::Unit, &pb::Unit { requires_approval: true, ..university.unit_entry() }).await;
    let without = Corrections::default().run(&client, &unit, vec![revoke(at(0))]).await.expect_err("not alone");
    assert!(without.to_string().contains("APPROVAL_MISSING"), "{without}");
    let desk = Corrections { require_approval: true, ..Corrections::default() };
    let right = pb::Credit { language: "en".to_owned(), ..credit(aliases[0], "A-1") };
    let wanted = || vec![amend(at(0), &right), revoke(at(1))];
    let size = node.ledger().size();
    let (rows, done) = desk.run(&client, &unit, wanted()).await.expect("prepared");
    assert!(rows.iter().all(|row| row.outcome == Outcome::Waiting), "{rows:?}");
    assert_eq!((done.waiting, node.ledger().size()), (2, size), "nothing was sealed");
    // Again without an approval: one request stays one.
    desk.run(&client, &unit, wanted()).await.expect("still waiting");
    assert_eq!(desk.requests().len(), 1);
    let request = ApprovalRequest::read(&desk.requests()[0]).expect("a request");
    let summary = request.summary().expect("it is what it says");
    assert_eq!(
        (summary.amendments, summary.effects.get("revoke"), summary.courses.get("A-1")),
        (1, Some(&1), Some(&1))
    );
    assert!(request.approve(&university.key, last_minute(7)).is_err(), "the signing key approves nothing");
    // An approver whom the registry does not know.
    approve(&desk, &key(Purpose::Approver, 41));
    let unknown = desk.run(&client, &unit, wanted()).await.expect_err("unknown");
    assert!(unknown.to_string().contains("not in the registry: remove this file"), "{unknown}");
    approve(&desk, &approver(&node).await);
    let (rows, done) = desk.run(&client, &unit, wanted()).await.expect("approved");
    assert_eq!((done.blocks, done.waiting), (1, 0));
    assert!(rows.iter().all(|row| row.outcome == Outcome::Already), "{rows:?}");
    assert_eq!(client.record(at(1)).await.expect("a record").marks, ["revoked"]);
    assert!(desk.requests().is_empty());
}

/// Goal: a block that was approved and is given up is not sealed by the next command either: its request goes with it.
/// Method: a node that does not believe its clock leaves it open what became of the block.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_and_given_up_does_not_come_back() {
    let (node, university, aliases, _) = scene(1).await;
    let (unit, work) = (university.issuing(), tempfile::tempdir().expect("a directory"));
    let block = |course: &str| Contents::of([credit_record(aliases[0], course)]);
    let seal = async |node: &TestNode, course: &str, require_approval| {
        let options = Options { work: work.path(), require_approval };
        seal_block(&university.client(node).await, &unit, &block(course), options, |_| ()).await
    };
    let asked = seal(&node, "G-1", true).await.expect("a request");
    let other = seal(&node, "G-2", true).await.expect("a request");
    let (Sealed::Waiting(path), Sealed::Waiting(other)) = (asked, other) else { panic!("they wait") };
    let approver = approver(&node).await;
    let approval =
        ApprovalRequest::read(&path).expect("a request").approve(&approver, last_minute(7)).expect("an approval");
    fs::write(approval_path(&path), serde_json::to_string(&approval).expect("JSON")).expect("the approval");

    let node = TestNode::again_unconfirmed(node.stop().await, 27 * 3_600_000).await;
    let halted = seal(&node, "G-1", true).await.expect_err("nothing is sealed").to_string();
    assert!(halted.contains("CLOCK_MOVED") && path.exists(), "{halted}");
    let pending = Pending::open(work.path()).expect("the notes");
    let given_up = pending.give_up(&university.client(&node).await).await.expect("the log does not have it");
    assert_eq!(given_up, GivenUp { blocks: 1, requests: 1 });
    assert!(!path.exists() && !approval_path(&path).exists() && other.exists());

    let node = TestNode::again(node.stop().await).await;
    let client = university.client(&node).await;
    let height = client.chain_head(unit.id).await.expect("a head").next_height;
    assert!(matches!(seal(&node, "G-3", false).await.expect("sealed"), Sealed::Done(_)));
    let head = client.chain_head(unit.id).await.expect("a head");
    assert_eq!(head.next_height, height + 1, "one block, and no other");
}

/// Admits an approver's key of the university's unit, or revokes it as compromised since a minute.
async fn approver_key(node: &TestNode, approver: &KeyFile, since: Option<u64>) {
    let request = KeyRequest::new(ORIGIN, UnitId::new(1, 1), approver).expect("a request");
    let reason = pb::RevocationReason::Compromised.into();
    let revoked = since.map(|minute| pb::KeyRevocation { reason, compromised_since_minute: minute });
    set(node, Kind::Key, &pb::Key { revoked, ..request.record(&[], 0, 0).expect("a key") }).await;
}

/// Corrections with the approval of a key.
async fn approved(client: &Client, unit: &IssuingUnit, by: &KeyFile, wanted: Correction) -> Outcome {
    let desk = Corrections { require_approval: true, ..Corrections::default() };
    assert_eq!(desk.one(client, unit, wanted.clone()).await, Outcome::Waiting);
    approve(&desk, by);
    desk.one(client, unit, wanted).await
}

/// Goal: what a stolen approver's key has approved is contested, though the unit's own key is good: records until they
/// are confirmed, effects until they are reinstated, both with the approval of a good key. Transcripts, old ones too,
/// show it, and whoever replays the log agrees.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_stolen_approver_approved_is_contested() {
    let (node, university, aliases, entry) = scene(2).await;
    let (client, unit) = (university.client(&node).await, university.issuing());
    let at = |index| Place { entry, index };
    set(&node, Kind::Unit, &pb::Unit { requires_approval: true, ..university.unit_entry() }).await;
    let (stolen, good) = (key(Purpose::Approver, 40), key(Purpose::Approver, 42));
    approver_key(&node, &stolen, None).await;
    approver_key(&node, &good, None).await;
    approved(&client, &unit, &stolen, revoke(at(0))).await;
    let right = pb::Credit { language: "en".to_owned(), ..credit(aliases[1], "A-1") };
    approved(&client, &unit, &stolen, amend(at(1), &right)).await;
    let learner =
        |alias: creditbank_protocol::Alias| Learner::Alias(InstitutionAlias { institution: 1, alias: alias.to_vec() });
    let standings = |report: &Report| report.records.iter().map(TranscriptRecord::standing).collect::<Vec<_>>();
    let mut old = Vec::new();
    for alias in &aliases {
        old.push(client.transcript(learner(*alias)).await.expect("a transcript"));
    }
    assert_eq!(standings(&old[0].1), [Standing::Revoked]);
    assert_eq!(standings(&old[1].1), [Standing::Superseded, Standing::Authentic]);

    approver_key(&node, &stolen, Some(1)).await;
    let anybody = node.client(None).await;
    let first = anybody.refresh(&old[0].0, Some(&old[0].1)).await.expect("a newer status").report;
    let second = anybody.refresh(&old[1].0, Some(&old[1].1)).await.expect("a newer status").report;
    assert_eq!((standings(&first), standings(&second)), (vec![Standing::Contested], vec![Standing::Contested; 2]));
    let amendment = second.records[1].place;
    let found = findings(&client, UnitId::new(1, 1)).await.expect("a list");
    let stolen_id = KeyId::of(&stolen.public_key());
    assert!(found.records.iter().all(|one| one.key_id == stolen_id && !one.confirmed), "{found:?}");
    assert_eq!(found.records.iter().map(|one| one.place).collect::<Vec<_>>(), [amendment]);
    let effects: Vec<_> = found.effects.iter().map(|one| (Place::from(one.place), one.action)).collect();
    assert_eq!(effects.len(), 2, "{effects:?}");

    let amendment = Place { entry: amendment.entry.0, index: amendment.index };
    let desk = Corrections::default();
    let alone = desk.run(&client, &unit, vec![confirm(amendment)]).await.expect_err("not alone");
    assert!(alone.to_string().contains("APPROVAL_MISSING"), "{alone}");
    assert!(matches!(approved(&client, &unit, &good, confirm(amendment)).await, Outcome::Already | Outcome::Done(_)));
    approved(&client, &unit, &good, reinstate(at(0), None)).await;
    let first = anybody.refresh(&old[0].0, Some(&old[0].1)).await.expect("a newer status").report;
    let second = anybody.refresh(&old[1].0, Some(&old[1].1)).await.expect("a newer status").report;
    assert_eq!(standings(&first), [Standing::Authentic]);
    assert_eq!(standings(&second), [Standing::Superseded, Standing::Authentic]);
    replayed(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_altered_is_not_approved() {
    let (node, university, aliases, entry) = scene(1).await;
    let (client, unit) = (university.client(&node).await, university.issuing());
    let approver = approver(&node).await;
    let desk = Corrections { require_approval: true, ..Corrections::default() };
    let right = pb::Credit { language: "en".to_owned(), ..credit(aliases[0], "A-1") };
    let wanted = || vec![amend(Place { entry, index: 0 }, &right)];
    desk.run(&client, &unit, wanted()).await.expect("prepared");
    let path = desk.requests()[0].clone();
    let text = fs::read_to_string(&path).expect("the request");
    // Another body, another effect, another root: refused before anything is signed.
    let alter = |from: &str, by: &str| {
        let changed = text.replacen(from, by, 1);
        assert_ne!(changed, text);
        fs::write(&path, changed).expect("the request");
        ApprovalRequest::read(&path)
            .expect("a request")
            .approve(&approver, last_minute(7))
            .expect_err("altered")
            .to_string()
    };
    let body = "\"body\": \"0a10";
    let after = &text[text.find(body).expect("a body") + body.len()..][..32];
    assert!(alter(&format!("{body}{after}"), &format!("{body}{}", "07".repeat(16))).contains("not the ones"));
    let root = &text[text.find("\"records_root\"").expect("a root") + 17..][..64];
    assert!(alter(root, &"07".repeat(32)).contains("not the ones"));
    let digest = &text[text.find("\"public_root\"").expect("a root") + 16..][..64];
    assert!(alter(digest, &"07".repeat(32)).contains("not the ones"));
    // What is altered after the approval is not sent.
    fs::write(&path, &text).expect("the request");
    let request = ApprovalRequest::read(&path).expect("a request");
    let approval = request.approve(&approver, last_minute(7)).expect("an approval");
    let other = fs::read_to_string(&path).expect("text").replacen(&approval.operation_id, &"01".repeat(16), 1);
    fs::write(&path, other).expect("the request");
    fs::write(approval_path(&path), serde_json::to_string(&approval).expect("JSON")).expect("the approval");
    let size = node.ledger().size();
    assert!(desk.run(&client, &unit, wanted()).await.is_err(), "an approval of something else");
    assert_eq!(node.ledger().size(), size);
}

/// Closes the reviews of an application, under an approval; what it is answered with.
async fn close_review(
    scene: &Scene,
    application: &RecordReference,
    approval: &mut Option<pb::Approval>,
) -> Result<SubmitBlockRequest, Reason> {
    let chain = Chain::of(&scene.client, &scene.one).await;
    let draft = chain.draft(&scene.one);
    let groups = vec![group(by(Basis::Issuer), vec![effect(Action::CloseReview, application)])];
    let block = |approval| {
        let signed = draft.sign(&[], groups.clone(), approval, |message| sign(&scene.one.key.key, message));
        signed.expect("a block")
    };
    let given = approval.get_or_insert_with(|| {
        let approver = key(Purpose::Approver, 40);
        let until_minute = now_s() / 60 + 60;
        let key_id = KeyId::of(&approver.public_key()).0.to_vec();
        let bare = pb::Approval { key_id, until_minute, salt: vec![9; 16], ..Default::default() };
        let header = SignedBlock::parse(&block(None)).expect("a block");
        let signature = sign(&approver.key, approval_message(header.header(), &bare).as_bytes()).to_vec();
        pb::Approval { signature, ..bare }
    });
    let request = block_request(block(Some(given.clone())), &[], &groups);
    send(&scene.client, &request).await.map(|_| request)
}

/// Goal: an approval is used up by the block that is accepted with it: the same content again under it is refused,
/// after a
/// restart too, and the very same block still gets its receipt.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_used_once() {
    let mut scene = Scene::new().await;
    approver(&scene.node).await;
    let credits = [credit(scene.own, "AAA")];
    let issued = record(Kind::Credit, &credits[0], 1);
    let receipt = submit(&scene.client, &scene.one, std::slice::from_ref(&issued), Vec::new()).await.expect("issued");
    let mut used = reference(&receipt, 0, &issued);
    let application = pb::Application { records: vec![used.clone()], ..application(scene.own, today(0)) };
    let applied = record(Kind::Application, &application, 2);
    let receipt = submit(&scene.client, &scene.one, std::slice::from_ref(&applied), Vec::new()).await.expect("applied");
    let application = reference(&receipt, 0, &applied);
    let mut approval = None;
    let mut first = None;
    for round in 0..3u8 {
        // The credit is amended, which puts the application under review.
        let amends = Some(pb::Amends { place: used.place, reason: pb::AmendReason::Error.into() });
        let amended = record(Kind::Credit, &pb::Credit { amends, ..credits[0].clone() }, 3 + round);
        let mut groups = vec![
            group(by(Basis::Issuer), vec![effect(Action::Supersede, &used)]),
            group(by(Basis::Dependency), vec![effect(Action::Review, &application)]),
        ];
        groups.sort_by_key(|group| encode(group).expect("canonical"));
        let sealed = submit(&scene.client, &scene.one, std::slice::from_ref(&amended), groups).await;
        used = reference(&sealed.expect("amended"), 0, &amended);
        match (round, close_review(&scene, &application, &mut approval).await) {
            (0, Ok(request)) => first = Some(request),
            (1, Err(refused)) => assert_eq!(refused, Reason::ApprovalUsed),
            (2, Err(refused)) => assert_eq!(refused, Reason::ApprovalUsed, "after a restart"),
            (round, other) => panic!("{round}: {other:?}"),
        }
        let request = first.as_ref().expect("the first was sealed");
        send(&scene.client, request).await.expect("the receipt of the same bytes");
        if round == 0 {
            continue;
        }
        if round == 1 {
            let other = group(by(Basis::Issuer), vec![effect(Action::CloseReview, &application)]);
            submit(&scene.client, &scene.one, &[], vec![other]).await.expect("without an approval");
            scene.node = scene.node.restart().await;
            scene.client = scene.node.client(None).await;
        }
    }
    replayed(&scene.client).await;
}

/// Goal: an approval that has ended is not sent; the message says what to do.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_ends() {
    let (node, university, aliases, entry) = scene(1).await;
    let (client, unit) = (university.client(&node).await, university.issuing());
    let approver = approver(&node).await;
    let desk = Corrections { require_approval: true, ..Corrections::default() };
    let right = pb::Credit { language: "en".to_owned(), ..credit(aliases[0], "A-1") };
    let wanted = || vec![amend(Place { entry, index: 0 }, &right)];
    desk.run(&client, &unit, wanted()).await.expect("prepared");
    let path = desk.requests()[0].clone();
    let over = ApprovalRequest::read(&path).expect("a request").approve(&approver, now_s() / 60 - 1);
    fs::write(approval_path(&path), serde_json::to_string(&over.expect("an approval")).expect("JSON"))
        .expect("written");
    let ended = desk.run(&client, &unit, wanted()).await.expect_err("it has ended").to_string();
    assert!(ended.contains("has ended at") && ended.contains("creditbank approve"), "{ended}");
    approve(&desk, &approver);
    assert_eq!(desk.run(&client, &unit, wanted()).await.expect("approved once more").1.blocks, 1);
}

const MAPPING: &str = r#"
reference = ["student", "course"]
[learner]
type = "student_number"
column = "student"
[fields]
kind = "credit"
course_code = { column = "course" }
title = { column = "course" }
credits = "60"
unit = "CATS"
period_from = "2024-02"
period_until = "2024-09"
"#;

/// An import of two blocks, one after the other approved; bad lines never reach the approver.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_approved_block_by_block() {
    use creditbank_client::import::Mapping;
    use creditbank_client::issue::{Places, issue_approved};
    let (node, university, _, _) = scene(1).await;
    let (client, unit, desk) = (university.client(&node).await, university.issuing(), Corrections::default());
    set(&node, Kind::Unit, &pb::Unit { requires_approval: true, ..university.unit_entry() }).await;
    let approver = approver(&node).await;
    let mapping = Mapping::parse(MAPPING).expect("a mapping");
    let lines = (1..=1_200).map(|number| format!("{number},B-1\n"));
    let csv = ["student,course\n".to_owned()].into_iter().chain(lines).chain([",B-1\n".to_owned()]).collect::<String>();
    let (work, refused) = (desk.work(), desk.dir.path().join("refused.csv"));
    let run = || async {
        let places = Places { work: &work, refused: &refused };
        let input = std::io::Cursor::new(csv.clone().into_bytes());
        issue_approved(&client, &unit, &mapping, input, places, |_| ()).await.expect("a run")
    };
    let (done, requests) = run().await;
    assert_eq!((done.records, done.waiting, done.refused, requests.len()), (0, 1_200, 1, 2));
    let counts: u32 = requests.iter().map(|path| ApprovalRequest::read(path).expect("a request").count).sum();
    assert_eq!(counts, 1_200);
    let (again, requests) = run().await;
    assert_eq!((again.waiting, requests.len()), (1_200, 2), "nobody is asked twice");
    let request = ApprovalRequest::read(&requests[0]).expect("a request");
    let approval = request.approve(&approver, last_minute(7)).expect("an approval");
    fs::write(approval_path(&requests[0]), serde_json::to_string(&approval).expect("JSON")).expect("the approval");
    let (done, waiting) = run().await;
    assert_eq!((done.blocks, done.records + done.waiting, waiting.len()), (1, 1_200, 1));
    approve(&desk, &approver);
    let (done, waiting) = run().await;
    assert_eq!((done.blocks, done.waiting, waiting.len()), (1, 0, 0));
    assert_eq!(client.issued(UnitId::new(1, 1), 0, 100).await.expect("a list").0.len(), 1_201);
    let (done, _) = run().await;
    assert_eq!((done.already, done.blocks), (1_200, 0));
}

/// Goal: where the registry's policy asks for two approvals, the operator's command writes a request, and goes on when
/// it is run again with both; one person alone is not enough, and whoever has the registry key alone is refused.
#[tokio::test(flavor = "multi_thread")]
async fn the_registry_may_need_two_persons() {
    let node = TestNode::start().await;
    let client = node.client(None).await;
    let registry = Arc::new(node.key(Purpose::Registry));
    let approvers = [81, 82].map(|number| key(Purpose::Approver, number));
    let mut records: Vec<Record> = Vec::new();
    for approver in &approvers {
        let request = KeyRequest::new(ORIGIN, UnitId::OPERATOR, approver).expect("a request");
        let entry = request.record(&[], 0, 0).expect("a key");
        records.push(registry_record(Kind::Key, &entry).expect("a record"));
    }
    records.push(registry_record(Kind::RegistryPolicy, &pb::RegistryPolicy { approvals: 2 }).expect("a record"));
    publish(&client, Arc::clone(&registry) as _, &records, None).await.expect("a policy needs no approval");
    let entry = registry_record(Kind::Institution, &University::new(7).entry()).expect("a record");
    publish(&client, Arc::clone(&registry) as _, std::slice::from_ref(&entry), None).await.expect_err("no directory");
    let alone = University { institution: 0, unit: 0, key: (*registry).clone(), access: (*registry).clone() };
    let request = Chain::of(&client, &alone).await.block(&alone, std::slice::from_ref(&entry), Vec::new());
    let refused = client.submit(request).await.expect_err("the registry key alone");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::ApprovalMissing);

    let dir = tempfile::tempdir().expect("a directory");
    let run =
        || publish_or_ask(&client, Arc::clone(&registry) as _, std::slice::from_ref(&entry), Some(dir.path()), |_| ());
    let Published::Asked(path, 2) = run().await.expect("a request") else { panic!("two approvals are needed") };
    for (at, approver) in approvers.iter().enumerate() {
        let Published::Waiting(again, _) = run().await.expect("a request") else {
            panic!("{at} approvals are too few")
        };
        assert_eq!(again, path, "one request");
        let given =
            ApprovalRequest::read(&path).expect("a request").approve(approver, last_minute(7)).expect("approved");
        let file = if at == 0 { approval_path(&path) } else { approval_path_by(&path, &given.key_id) };
        fs::write(file, serde_json::to_string(&given).expect("JSON")).expect("the approval");
    }
    assert!(matches!(run().await.expect("sealed"), Published::Sealed(_)));
    assert!(matches!(run().await.expect("nothing is done twice"), Published::Already));
    let found = client.registry_entry(&RegistryKey::Institution(7.into())).await.expect("an answer");
    assert!(found.is_some(), "it is in the registry");

    // What is approved and then refused is said, and not asked for again without a word.
    let no_institution = University::new(99).unit_entry();
    let bad = registry_record(Kind::Unit, &no_institution).expect("a record");
    let run =
        || publish_or_ask(&client, Arc::clone(&registry) as _, std::slice::from_ref(&bad), Some(dir.path()), |_| ());
    let Published::Asked(path, 2) = run().await.expect("a request") else { panic!("two approvals are needed") };
    for (at, approver) in approvers.iter().enumerate() {
        let request = ApprovalRequest::read(&path).expect("a request");
        let published = request.published().expect("what it would publish");
        assert_eq!(published, [(Kind::Unit, bad.body().to_vec())], "an approver sees it");
        let given = request.approve(approver, last_minute(7)).expect("approved");
        let file = if at == 0 { approval_path(&path) } else { approval_path_by(&path, &given.key_id) };
        fs::write(file, serde_json::to_string(&given).expect("JSON")).expect("the approval");
    }
    let refused = run().await.expect_err("there is no such institution");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::UnknownReference);
}
