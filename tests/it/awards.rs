//! Definitions, awards, and that no root pays twice.

use creditbank_fixtures::{award, credit, definition, document, mandate};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::pb::{self, Action, Basis, Effect, EffectGroup, EffectReason, Kind, RecordReference};
use creditbank_protocol::record::Record;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{LogIndex, Place};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_tests::acts::{alias, by, citizen, effect, group, public, redeem, reference, replayed, send, submit};
use creditbank_tests::degrees::{confer, revoke, stand_by};
use creditbank_tests::university::record;
use creditbank_tests::{Chain, Scene, University};

/// The redeeming effects of an award.
fn redeeming(of: &University, award: &pb::Award) -> Vec<EffectGroup> {
    redeem(of, Kind::Award, award, &award.redeems)
}

/// Two universities, each with a definition of 120 CATS.
async fn scene() -> Scene {
    Scene::with(&[definition(1, "BA", 120), definition(2, "BA", 120)]).await
}

/// Two credits of 60 CATS for a learner.
async fn credits(scene: &Scene, number: u64) -> Vec<RecordReference> {
    let learner = alias(&scene.node, &scene.one, number).await;
    let records = ["AAA", "BBB"].map(|course| record(Kind::Credit, &credit(learner, course), 1));
    let receipt = submit(&scene.client, &scene.one, &records, Vec::new()).await.expect("issued");
    (0u32..).zip(&records).map(|(index, record)| reference(&receipt, index, record)).collect()
}

/// Goal: what an institution publishes is in the registry from the next round on, proved, and only in its own name.
#[tokio::test]
async fn an_institution_publishes_a_definition() {
    let scene = Box::pin(scene()).await;
    let key = RegistryKey::QualificationDefinition(1.into(), "BA".to_owned(), 1);
    let found = scene.client.registry_entry(&key).await.expect("a proof").expect("the definition");
    assert_eq!(found.body, encode(&definition(1, "BA", 120)).expect("canonical"));
    let foreign = public(Kind::QualificationDefinition, &definition(2, "MA", 60));
    let refused = submit(&scene.client, &scene.one, &[foreign], Vec::new()).await;
    assert_eq!(refused.expect_err("another's name"), Reason::NotThePublisher);
    // It is there after a restart, and a replay from the first entry comes to the same registry.
    let node = scene.node.restart().await;
    let client = node.client(None).await;
    assert!(client.registry_entry(&key).await.expect("a proof").is_some());
    replayed(&client).await;
}

/// Goal: an award is recomputed and redeems what it counts; the same roots pay for no other award, until it is revoked, which
/// gives them back.
#[tokio::test]
async fn no_root_pays_twice() {
    let scene = Box::pin(scene()).await;
    let counted = credits(&scene, 7).await;
    let (own, other) = (alias(&scene.node, &scene.one, 7).await, alias(&scene.node, &scene.two, 7).await);
    let Scene { client, one, two, .. } = &scene;
    // Half of it is not enough.
    let half = award(1, own, "BA", &counted[..1]);
    let refused = submit(client, one, &[record(Kind::Award, &half, 1)], redeeming(one, &half)).await;
    assert_eq!(refused.expect_err("60 of 120"), Reason::RequirementsNotMet);
    // Nothing is counted without being redeemed.
    let full = award(1, own, "BA", &counted);
    let degree = record(Kind::Award, &full, 1);
    let refused = submit(client, one, std::slice::from_ref(&degree), Vec::new()).await;
    assert_eq!(refused.expect_err("no effects"), Reason::EffectMismatch);
    let silent = pb::Award { redeems: Vec::new(), ..full.clone() };
    let refused = submit(client, one, &[record(Kind::Award, &silent, 1)], Vec::new()).await;
    assert_eq!(refused.expect_err("it redeems nothing"), Reason::AlreadySpent);
    let unwanted = pb::Award { mandate: None, ..full.clone() };
    let refused = submit(client, one, &[record(Kind::Award, &unwanted, 1)], redeeming(one, &full)).await;
    assert_eq!(refused.expect_err("no mandate"), Reason::NoMandate);
    let receipt = submit(client, one, std::slice::from_ref(&degree), redeeming(one, &full)).await.expect("an award");
    let awarded = reference(&receipt, 0, &degree);
    // Neither here nor elsewhere again.
    let again = pb::Award { documents: vec![document("C-2")], ..full.clone() };
    let refused = submit(client, one, &[record(Kind::Award, &again, 2)], redeeming(one, &again)).await;
    assert_eq!(refused.expect_err("the same paper"), Reason::MandateUsed);
    let again = pb::Award { mandate: Some(mandate()), ..again };
    let refused = submit(client, one, &[record(Kind::Award, &again, 2)], redeeming(one, &again)).await;
    assert_eq!(refused.expect_err("the same institution"), Reason::AlreadySpent);
    let elsewhere = award(2, other, "BA", &counted);
    let refused = submit(client, two, &[record(Kind::Award, &elsewhere, 3)], redeeming(two, &elsewhere)).await;
    assert_eq!(refused.expect_err("another institution"), Reason::AlreadySpent);

    // What it stands on is revoked only with a review of the award.
    let reason = EffectReason::Error.into();
    let revoke = |record: &RecordReference| Effect { reason, ..effect(Action::Revoke, record) };
    let alone = vec![group(by(Basis::Issuer), vec![revoke(&counted[0])])];
    let refused = submit(client, one, &[], alone.clone()).await;
    assert_eq!(refused.expect_err("a silent revocation"), Reason::DependantsNotReviewed);
    let mut groups = alone;
    groups.push(group(by(Basis::Dependency), vec![effect(Action::Review, &awarded)]));
    groups.sort_by_key(|group| encode(group).expect("canonical"));
    submit(client, one, &[], groups).await.expect("revoked, and the award under review");
    let reviews = one.client(&scene.node).await.reviews(1).await.expect("the reviews");
    assert_eq!(reviews.iter().map(|one| one.record.clone()).collect::<Vec<_>>(), [Some(awarded.clone())]);

    // The award is revoked and lets go of what it held.
    let revocation = group(by(Basis::Issuer), vec![revoke(&awarded)]);
    let refused = submit(client, one, &[], vec![revocation.clone()]).await;
    assert_eq!(refused.expect_err("it holds on"), Reason::EffectMismatch);
    let release =
        |record: &RecordReference| Effect { redemption_plus_1: receipt.index + 1, ..effect(Action::Release, record) };
    let effects = vec![revoke(&awarded), release(&counted[0]), release(&counted[1])];
    submit(client, one, &[], vec![group(by(Basis::Issuer), effects)]).await.expect("revoked and released");
    // The learner has said yes once: the award that was revoked is not conferred again by the same mandate.
    let refused = submit(client, one, std::slice::from_ref(&degree), redeeming(one, &full)).await;
    assert_eq!(refused.expect_err("the same mandate"), Reason::MandateUsed);
    let more = record(Kind::Credit, &credit(own, "CCC"), 9);
    let receipt = submit(client, one, std::slice::from_ref(&more), Vec::new()).await.expect("issued");
    let counted = [counted[1].clone(), reference(&receipt, 0, &more)];
    let anew = award(2, other, "BA", &counted);
    submit(client, two, &[record(Kind::Award, &anew, 4)], redeeming(two, &anew)).await.expect("free again");
    // An auditor comes to the same status tree.
    replayed(client).await;
}

/// Goal: the log does not show which records an award rests on, nor whom its revocation releases or a revocation puts
/// under review: only what is by right of the issuer of the record shows its place. A replay comes to the same marks.
#[tokio::test]
async fn the_log_does_not_show_what_an_award_rests_on() {
    let scene = Box::pin(scene()).await;
    let counted = credits(&scene, 7).await;
    let own = alias(&scene.node, &scene.one, 7).await;
    let Scene { client, one, .. } = &scene;
    let degree = confer(client, one, &award(1, own, "BA", &counted)).await.expect("an award");
    revoke(client, one, &counted[0], &[], std::slice::from_ref(&degree)).await.expect("revoked, with a review");
    stand_by(client, one, &degree).await.expect("the review is closed");
    let held: Vec<_> = counted.iter().map(|record| (record, &degree)).collect();
    revoke(client, one, &degree, &held, &[]).await.expect("revoked and released");
    let mut shown = Vec::new();
    let size = client.checkpoint().await.expect("a checkpoint").0.checkpoint.size;
    for index in 0..size {
        let (bytes, _) = client.entry(LogIndex(index)).await.expect("an entry");
        let Entry::Public(public) = Entry::parse(&bytes).expect("an entry") else { continue };
        let effects = public.part().groups.iter().flat_map(|group| &group.effects);
        shown.extend(effects.map(|effect| (effect.action(), effect.place)));
    }
    shown.sort_by_key(|(action, _)| i32::from(*action));
    let expected = [
        (Action::Revoke, counted[0].place),
        (Action::Revoke, degree.place),
        (Action::Redeem, None),
        (Action::Redeem, None),
        (Action::Release, None),
        (Action::Release, None),
        (Action::Review, None),
        (Action::CloseReview, degree.place),
    ];
    assert_eq!(shown, expected);
    replayed(client).await;
}

/// Goal: the places beside a block are those of its effects, one for each that shows none: without them, with one more,
/// and with those of other records the block is refused; with the right ones it is sealed, and sealed once.
#[tokio::test]
async fn places_beside_a_block_are_compared() {
    let scene = Box::pin(scene()).await;
    let (counted, others) = (credits(&scene, 7).await, credits(&scene, 8).await);
    let own = alias(&scene.node, &scene.one, 7).await;
    let Scene { node, client, one, .. } = scene;
    let full = award(1, own, "BA", &counted);
    let degree = record(Kind::Award, &full, 1);
    let chain = Chain::of(&client, &one).await;
    let request = chain.block(&one, std::slice::from_ref(&degree), redeeming(&one, &full));
    assert_eq!(request.places.len(), 2);
    let with = |places: Vec<pb::Place>| SubmitBlockRequest { places, ..request.clone() };
    let [first, second] = [request.places[0], request.places[1]];
    let other = others[0].place.expect("a place");
    let nowhere = pb::Place { entry: 1_000_000, index: 0 };
    for (places, reason) in [
        (Vec::new(), Reason::WrongPlaceCount),
        (vec![first], Reason::WrongPlaceCount),
        (vec![first, second, second], Reason::WrongPlaceCount),
        (vec![second, first], Reason::UnknownTarget),
        (vec![first, other], Reason::EffectMismatch),
        (vec![first, first], Reason::UnknownTarget),
        (vec![pb::Place::default(), second], Reason::EffectMismatch),
        (vec![first, nowhere], Reason::EffectMismatch),
    ] {
        let refused = send(&client, &with(places.clone())).await.expect_err("other places");
        assert_eq!(refused, reason, "{places:?}");
    }
    // A place beside a block that shows all of its own.
    let alone = chain.block(&one, &[record(Kind::Credit, &credit(own, "CCC"), 9)], Vec::new());
    let refused = send(&client, &SubmitBlockRequest { places: vec![first], ..alone }).await.expect_err("one too many");
    assert_eq!(refused, Reason::WrongPlaceCount);
    let receipt = send(&client, &request).await.expect("the places of its records");
    let node = node.restart().await;
    let client = one.client(&node).await;
    assert_eq!(send(&client, &request).await.expect("the same block"), receipt);
    let read = client.record(counted[0].place.map(Place::from).expect("a place")).await.expect("a record");
    assert_eq!(read.marks, ["redeemed"], "after a restart");
}

/// Goal: of two institutions that race for the same records exactly one wins, every time.
/// Method: 1,000 learners (100 in debug builds of a hurry), both awards sent at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn races_have_one_winner() {
    let races: u64 = std::env::var("CREDITBANK_RACES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let scene = Box::pin(scene()).await;
    let Scene { client, one, two, node, .. } = &scene;
    let persons = || (0..races).map(citizen).collect::<Vec<_>>();
    let ours = one.client(node).await.open_accounts(1, persons()).await.expect("accounts");
    let theirs = two.client(node).await.open_accounts(2, persons()).await.expect("accounts");
    let records: Vec<Record> = ours
        .iter()
        .flat_map(|alias| ["AAA", "BBB"].map(|course| record(Kind::Credit, &credit(*alias, course), 1)))
        .collect();
    let mut roots = Vec::new();
    for block in records.chunks(1_000) {
        let receipt = submit(client, one, block, Vec::new()).await.expect("issued");
        roots.extend((0u32..).zip(block).map(|(index, record)| reference(&receipt, index, record)));
    }
    let mut won = [0u64; 2];
    for race in 0..usize::try_from(races).expect("small") {
        let counted = &roots[2 * race..2 * race + 2];
        let first = award(1, ours[race], "BA", counted);
        let second = award(2, theirs[race], "BA", counted);
        let first_record = [record(Kind::Award, &first, 1)];
        let second_record = [record(Kind::Award, &second, 2)];
        let sent = tokio::join!(
            submit(client, one, &first_record, redeeming(one, &first)),
            submit(client, two, &second_record, redeeming(two, &second)),
        );
        match sent {
            (Ok(_), Err(Reason::AlreadySpent)) => won[0] += 1,
            (Err(Reason::AlreadySpent), Ok(_)) => won[1] += 1,
            other => panic!("race {race}: {other:?}"),
        }
    }
    assert_eq!(won[0] + won[1], races);
    replayed(client).await;
}
