//! Goal: what a stolen key has revoked, amended and closed is contested, and its institution restores it; nobody else
//! does, nothing twice, and nothing that was settled or used meanwhile.

use std::sync::Arc;

use creditbank_client::correct::contest::findings;
use creditbank_client::correct::{Change, Correction, Outcome, Target};
use creditbank_client::operator::KeyRequest;
use creditbank_client::{Client, IssuingUnit};
use creditbank_fixtures::{award, credit, definition};
use creditbank_protocol::pb::{self, Action, Basis, Effect, Kind, Place, Purpose, RecordReference};
use creditbank_protocol::status::{Mark, Marks};
use creditbank_protocol::transcript::verify;
use creditbank_protocol::{Alias, LogIndex, Standing, UnitId};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_server::directory;
use creditbank_server::environment::Environment;
use creditbank_server::operate::check::check;
use creditbank_tests::acts::{alias, by, effect, group, reference, replayed, submit};
use creditbank_tests::chain::now_ms;
use creditbank_tests::corrections::{Corrections, confirm, refuses, reinstate};
use creditbank_tests::degrees::{amending, confer, revoke, seal, stand_by};
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::{KINDS, key, record, set};
use creditbank_tests::{Scene, TestNode, University};

/// Seed of the key that is stolen, and of one that is stolen later.
const STOLEN: u8 = 30;
const SECOND: u8 = 31;

/// Admits a key of institution 1, or revokes it as compromised since a minute.
async fn unit_key(node: &TestNode, seed: u8, since: Option<u64>) {
    let request = KeyRequest::new(ORIGIN, UnitId::new(1, 1), &key(Purpose::Unit, seed)).expect("a request");
    let entry = request.record(&KINDS, 0, 0).expect("a key");
    let reason = pb::RevocationReason::Compromised.into();
    let revoked = since.map(|minute| pb::KeyRevocation { reason, compromised_since_minute: minute });
    set(node, Kind::Key, &pb::Key { revoked, ..entry }).await;
}

/// Institution 1 with another key.
fn with_key(seed: u8) -> University {
    University { key: key(Purpose::Unit, seed), ..University::new(1) }
}

/// Two universities; institution 1 has a second and a third key.
async fn scene() -> Scene {
    let scene = Scene::with(&[definition(1, "BA", 120), definition(2, "BA", 120)]).await;
    unit_key(&scene.node, STOLEN, None).await;
    unit_key(&scene.node, SECOND, None).await;
    scene
}

/// Two credits of 60 CATS for a learner, by the good key.
async fn credits(scene: &Scene, number: u64) -> Vec<RecordReference> {
    let learner = alias(&scene.node, &scene.one, number).await;
    let records = ["AAA", "BBB"].map(|course| record(Kind::Credit, &credit(learner, course), 1));
    let receipt = submit(&scene.client, &scene.one, &records, Vec::new()).await.expect("issued");
    (0u32..).zip(&records).map(|(index, record)| reference(&receipt, index, record)).collect()
}

/// An award of a learner on two credits, by the good key.
async fn degree(scene: &Scene, number: u64, counted: &[RecordReference]) -> RecordReference {
    let own = alias(&scene.node, &scene.one, number).await;
    confer(&scene.client, &scene.one, &award(1, own, "BA", counted)).await.expect("an award")
}

fn at(record: &RecordReference) -> Place {
    record.place.expect("a place")
}

async fn marks(client: &Client, record: &RecordReference) -> Marks {
    client.record(at(record)).await.expect("a record").marks().expect("marks")
}

/// The minute of the seal of a record's round.
async fn minute_of(client: &Client, record: &RecordReference) -> u64 {
    let read = client.record(at(record)).await.expect("a record");
    client.sealed_at(read.round_end).await.expect("a time") / 60_000
}

/// How a transcript of institution 1 calls the records of a learner.
async fn shown(scene: &Scene, client: &Client, learner: Alias) -> Vec<Standing> {
    let learner = Learner::Alias(InstitutionAlias { institution: 1, alias: learner.to_vec() });
    let (file, _) = client.transcript(learner).await.expect("a transcript");
    let report = verify(&file, &scene.node.trust(), now_ms()).expect("authentic");
    report.records.iter().map(creditbank_protocol::transcript::TranscriptRecord::standing).collect()
}

fn reinstating(record: &RecordReference, contested: u64) -> Effect {
    Effect { contested_plus_1: contested + 1, ..effect(Action::Reinstate, record) }
}

fn unit(of: &University) -> IssuingUnit {
    of.issuing()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stolen_key_struck_is_restored() {
    let scene = Box::pin(scene()).await;
    let Scene { client, one, node, .. } = &scene;
    let (thief, second) = (with_key(STOLEN), with_key(SECOND));
    let (struck, kept, reviewed) = (credits(&scene, 9).await, credits(&scene, 10).await, credits(&scene, 8).await);
    let standing = degree(&scene, 8, &reviewed).await;
    revoke(client, one, &reviewed[0], &[], std::slice::from_ref(&standing)).await.expect("revoked, for a review");
    let own = one.client(node).await;
    let learner = alias(node, one, 9).await;

    // The thief revokes a credit, amends two, and closes a review.
    revoke(client, &thief, &struck[0], &[], &[]).await.expect("revoked");
    let (amends, groups) = amending(&struck[1], &[]);
    let forged = pb::Credit { amends, language: "fr".to_owned(), ..credit(learner, "BBB") };
    let forged = seal(client, &thief, Kind::Credit, &forged, groups).await.expect("amended");
    let (amends, groups) = amending(&kept[0], &[]);
    let right = pb::Credit { amends, language: "fr".to_owned(), ..credit(alias(node, one, 10).await, "AAA") };
    let right = seal(client, &thief, Kind::Credit, &right, groups).await.expect("amended");
    stand_by(client, &thief, &standing).await.expect("closed");
    let contested = |record: Marks| record.ended().expect("it has ended").1.0;
    let revoked_at = contested(marks(&own, &struck[0]).await);

    // While nobody knows of the theft, nothing is contested.
    let undo = || vec![group(by(Basis::Issuer), vec![reinstating(&struck[0], revoked_at)])];
    let refused = submit(client, one, &[], undo()).await.expect_err("not contested");
    assert_eq!(refused, Reason::NotContested);
    assert!(refuses(&Corrections::default().one(&own, &unit(one), reinstate(at(&struck[0]), None)).await, "contested"));
    let minute = minute_of(&own, &forged).await;
    unit_key(node, STOLEN, Some(minute)).await;
    let found = findings(&own, UnitId::new(1, 1)).await.expect("a list");
    let actions: Vec<_> = found.effects.iter().map(|one| (one.action, one.holds)).collect();
    let (supersede, holds) = (Action::Supersede, Some(true));
    assert_eq!(
        actions,
        [(Action::Revoke, holds), (supersede, holds), (supersede, holds), (Action::CloseReview, holds)]
    );
    let closed_at = found.effects[3].entry.0;
    // No record that the thief has ended is called revoked, and none is valid.
    assert_eq!(shown(&scene, &own, learner).await, [Standing::Contested; 3]);

    // The stolen key restores nothing, and neither does anybody else, nor without naming the effect that holds.
    assert_eq!(submit(client, &thief, &[], undo()).await.expect_err("revoked"), Reason::KeyRevoked);
    assert_eq!(submit(client, &scene.two, &[], undo()).await.expect_err("another's"), Reason::NotAuthorised);
    for wrong in [revoked_at - 1, revoked_at + 1] {
        let groups = vec![group(by(Basis::Issuer), vec![reinstating(&struck[0], wrong)])];
        let refused = submit(client, one, &[], groups).await.expect_err("another effect");
        assert!(matches!(refused, Reason::StatusForbids), "{refused}");
    }
    let nothing = vec![group(by(Basis::Issuer), vec![effect(Action::Reinstate, &struck[0])])];
    assert_eq!(submit(client, one, &[], nothing).await.expect_err("no effect named"), Reason::EffectMismatch);
    let superseded_at = contested(marks(&own, &struck[1]).await);
    let alone = vec![group(by(Basis::Issuer), vec![reinstating(&struck[1], superseded_at)])];
    let refused = submit(client, one, &[], alone).await.expect_err("the amendment would stand too");
    assert_eq!(refused, Reason::EffectMismatch);
    let extra = record(Kind::Credit, &credit(learner, "CCC"), 77);
    let refused = submit(client, one, &[extra], undo()).await.expect_err("a record beside it");
    assert_eq!(refused, Reason::EffectMismatch);

    // An amendment that the institution confirms settles that the old record is gone.
    let desk = Corrections::default();
    assert!(matches!(desk.one(&own, &unit(one), confirm(at(&right))).await, Outcome::Done(_)));
    let settled = reinstate(at(&kept[0]), None);
    assert!(refuses(&desk.one(&own, &unit(one), settled).await, "NOT_CONTESTED"));
    let settled = shown(&scene, &own, alias(node, one, 10).await).await;
    assert_eq!(settled, [Standing::Superseded, Standing::Authentic, Standing::Authentic]);

    // The institution restores the others, each once.
    let (desk, other) = (Corrections::default(), desk);
    for record in &struck {
        let done = desk.one(&own, &unit(&second), reinstate(at(record), None)).await;
        assert!(matches!(done, Outcome::Done(_)), "{done:?}");
        assert!(marks(&own, record).await.ended().is_none());
        let again = Corrections::default().one(&own, &unit(&second), reinstate(at(record), None)).await;
        assert_eq!(again, Outcome::Already);
    }
    assert!(marks(&own, &forged).await.get(Mark::Revoked).is_some(), "the amendment has gone");
    assert_eq!(shown(&scene, &own, learner).await, [Standing::Authentic, Standing::Authentic, Standing::Revoked]);
    let reopened = other.one(&own, &unit(one), reinstate(at(&standing), Some(closed_at))).await;
    assert!(matches!(reopened, Outcome::Done(_)), "{reopened:?}");
    assert!(marks(&own, &standing).await.get(Mark::UnderReview).is_some());

    // The key that has reinstated was stolen too: that counts for nothing, until a good key confirms the records.
    unit_key(node, SECOND, Some(minute)).await;
    let doubted = [Standing::Contested, Standing::Contested, Standing::Contested];
    assert_eq!(shown(&scene, &own, learner).await, doubted);
    for record in &struck {
        let done = Corrections::default().one(&own, &unit(one), confirm(at(record))).await;
        assert!(matches!(done, Outcome::Done(_)), "{done:?}");
    }
    let expected = [Standing::Authentic, Standing::Authentic, Standing::Contested];
    assert_eq!(shown(&scene, &own, learner).await, expected);
    // An auditor without records finds each of these effects by right, and so does the node's own check.
    replayed(client).await;
    let dir = scene.node.stop().await;
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir.path()).expect("a configuration");
    let report = check(&environment, dir.path(), &config, &mut |_, _| ()).expect("it can be read");
    assert_eq!(report.findings.listed(), []);
}

/// Goal: an award that a thief has revoked holds again what it held, once, unless something else has used it meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_award_holds_again_what_it_held() {
    let scene = Box::pin(scene()).await;
    let Scene { client, one, two, node, .. } = &scene;
    let (thief, own) = (with_key(STOLEN), one.client(node).await);
    let (free, used) = (credits(&scene, 9).await, credits(&scene, 10).await);
    let mut degrees = Vec::new();
    for (number, counted) in [(9, &free), (10, &used)] {
        let awarded = degree(&scene, number, counted).await;
        let held: Vec<_> = counted.iter().map(|root| (root, &awarded)).collect();
        revoke(client, &thief, &awarded, &held, &[]).await.expect("revoked and released");
        degrees.push(awarded);
    }
    // Somebody uses what was let go of, before the theft is found.
    let elsewhere = award(2, alias(node, two, 10).await, "BA", &used);
    confer(client, two, &elsewhere).await.expect("free");
    let minute = minute_of(&own, &degrees[0]).await;
    unit_key(node, STOLEN, Some(minute)).await;

    let ended = marks(&own, &degrees[0]).await.ended().expect("revoked").1.0;
    let bare = vec![group(by(Basis::Issuer), vec![reinstating(&degrees[0], ended)])];
    let refused = submit(client, one, &[], bare).await.expect_err("it holds nothing");
    assert_eq!(refused, Reason::EffectMismatch);
    let restore =
        |root: &RecordReference| Effect { redemption_plus_1: at(&degrees[0]).entry + 1, ..reinstating(root, ended) };
    let roots = vec![group(by(Basis::Issuer), free.iter().map(restore).collect())];
    let refused = submit(client, one, &[], roots).await.expect_err("for no award");
    assert_eq!(refused, Reason::EffectMismatch);
    let one_root = vec![reinstating(&degrees[0], ended), restore(&free[0])];
    let refused = submit(client, one, &[], vec![group(by(Basis::Issuer), one_root)]).await.expect_err("half of it");
    assert_eq!(refused, Reason::EffectMismatch);

    let desk = Corrections::default();
    let done = desk.one(&own, &one.issuing(), reinstate(at(&degrees[0]), None)).await;
    assert!(matches!(done, Outcome::Done(_)), "{done:?}");
    for root in &free {
        assert_eq!(marks(&own, root).await.get(Mark::Redeemed), Some(LogIndex(at(&degrees[0]).entry)));
    }
    let twice = award(2, alias(node, two, 9).await, "BA", &free);
    assert_eq!(confer(client, two, &twice).await.expect_err("held again"), Reason::AlreadySpent);
    assert!(refuses(&desk.one(&own, &one.issuing(), reinstate(at(&degrees[1]), None)).await, "ALREADY_SPENT"));
    // By hand it is refused in the same way.
    let ended = marks(&own, &degrees[1]).await.ended().expect("revoked").1.0;
    let restore =
        |root: &RecordReference| Effect { redemption_plus_1: at(&degrees[1]).entry + 1, ..reinstating(root, ended) };
    let mut effects = vec![reinstating(&degrees[1], ended)];
    effects.extend(used.iter().map(restore));
    let refused = submit(client, one, &[], vec![group(by(Basis::Issuer), effects)]).await.expect_err("spent");
    assert_eq!(refused, Reason::AlreadySpent);
    // What the award holds again it lets go of when it is revoked, as before.
    let held: Vec<_> = free.iter().map(|root| (root, &degrees[0])).collect();
    revoke(client, one, &degrees[0], &held, &[]).await.expect("revoked and released");
    confer(client, two, &twice).await.expect("free again");
    replayed(client).await;
}

/// Goal: reviews that followed from a stolen key's revocation close with the reinstatement; the operator may reinstate
/// for a case; and a record that was issued anew meanwhile is not there twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_followed_goes_too() {
    let scene = Box::pin(scene()).await;
    let Scene { client, one, node, .. } = &scene;
    let (thief, own) = (with_key(STOLEN), one.client(node).await);
    let counted = credits(&scene, 9).await;
    let awarded = degree(&scene, 9, &counted).await;
    revoke(client, &thief, &counted[0], &[], std::slice::from_ref(&awarded)).await.expect("revoked, with a review");
    let anew = credits(&scene, 10).await;
    revoke(client, &thief, &anew[0], &[], &[]).await.expect("revoked");
    // The registrar has issued it again.
    let again = record(Kind::Credit, &credit(alias(node, one, 10).await, "AAA"), 55);
    submit(client, one, &[again], Vec::new()).await.expect("issued anew");
    let minute = minute_of(&own, &counted[0]).await;
    unit_key(node, STOLEN, Some(minute)).await;

    let ended = marks(&own, &counted[0]).await.ended().expect("revoked").1.0;
    let bare = vec![group(by(Basis::Issuer), vec![reinstating(&counted[0], ended)])];
    let refused = submit(client, one, &[], bare).await.expect_err("the review stays");
    assert_eq!(refused, Reason::EffectMismatch);
    // No review is closed by dependency but with what it followed from.
    let odd = vec![group(by(Basis::Dependency), vec![effect(Action::CloseReview, &awarded)])];
    assert_eq!(submit(client, one, &[], odd).await.expect_err("for nothing"), Reason::EffectMismatch);
    let operator = node.operator().await;
    let office = IssuingUnit::operator(Arc::new(node.key(Purpose::Registry))).expect("the operator");
    let place = at(&counted[0]);
    let asked = Correction { line: 0, target: Target::At(place.into()), change: Change::Reinstate(None) };
    let done = Corrections::default().one(&operator, &office, asked).await;
    assert!(matches!(done, Outcome::Done(_)), "{done:?}");
    assert_eq!(marks(&own, &awarded).await.get(Mark::UnderReview), None);
    let twice = Corrections::default().one(&own, &one.issuing(), reinstate(at(&anew[0]), None)).await;
    assert!(refuses(&twice, "TOO_MANY_REPEATS"), "{twice:?}");
    replayed(client).await;
}
