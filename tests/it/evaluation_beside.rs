//! One award beside others: what overlaps leave, what is to be used or kept, and two programmes at once.

use creditbank_fixtures::{credit, definition, mandate, overlapping, text};
use creditbank_protocol::Alias;
use creditbank_protocol::pb::{self, Kind, RecordReference};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{
    EvaluateQualificationRequest, EvaluateQualificationResponse, EvaluationOutcome, EvaluationReason, InstitutionAlias,
    LearnerReference, RecordPortion,
};
use creditbank_tests::Scene;
use creditbank_tests::acts::replayed;
use creditbank_tests::degrees::{confer, seal};

/// A credit of so many CATS.
async fn issue(scene: &Scene, course: &str, amount: u64) -> RecordReference {
    let amount = Some(pb::Amount { e4: amount * 10_000, unit: "CATS".to_owned() });
    let entry = pb::Credit { amount, ..credit(scene.own, course) };
    seal(&scene.client, &scene.one, Kind::Credit, &entry, Vec::new()).await.expect("issued")
}

fn about(alias: Alias, code: &str) -> EvaluateQualificationRequest {
    let known = InstitutionAlias { institution: 1, alias: alias.to_vec() };
    EvaluateQualificationRequest {
        learner: Some(LearnerReference { learner: Some(Learner::Alias(known)) }),
        definition: Some(pb::QualificationName { institution: 1, code: code.to_owned(), version: 1 }),
        ..Default::default()
    }
}

async fn ask(
    scene: &Scene,
    request: EvaluateQualificationRequest,
) -> (EvaluateQualificationResponse, Option<pb::Award>) {
    scene.one.client(&scene.node).await.evaluate(request).await.expect("an answer")
}

/// The draft, made an award.
fn complete(draft: Option<pb::Award>) -> pb::Award {
    pb::Award {
        kind: pb::AwardKind::Degree.into(),
        decider: "A registrar".to_owned(),
        mandate: Some(mandate()),
        ..draft.expect("a draft")
    }
}

fn counts(award: &pb::Award, record: &RecordReference) -> bool {
    award.allocations.iter().any(|one| one.record.as_ref().and_then(|one| one.place) == record.place)
}

fn portion(record: &RecordReference) -> Vec<RecordPortion> {
    vec![RecordPortion { place: record.place, result_plus_1: 0 }]
}

/// Goal: with an overlap of 8 credits between two definitions, 52 credits that can be counted are, and the ledger admits
/// what was found. Method: the first award counts 30, of which 8 stand in one record and 22 in others; 44 more are free.
#[tokio::test]
async fn an_overlap_of_8_is_found() {
    let plain = definition(1, "MATHS", 30);
    let physics = overlapping("PHYSICS", 52, &[(1, "MATHS", 8)]);
    let maths = pb::QualificationDefinition { version: 2, ..overlapping("MATHS", 30, &[(1, "PHYSICS", 8)]) };
    let scene = Scene::with(&[plain, physics, maths]).await;
    let Scene { client, one, own, .. } = &scene;
    let mut first = Vec::new();
    for (course, amount) in [("AA1", 11), ("AA2", 11), ("AA3", 8)] {
        first.push(issue(&scene, course, amount).await);
    }
    let second = pb::QualificationName { institution: 1, code: "MATHS".to_owned(), version: 2 };
    let (answer, draft) =
        ask(&scene, EvaluateQualificationRequest { definition: Some(second), ..about(*own, "MATHS") }).await;
    assert_eq!(answer.outcome(), EvaluationOutcome::Met);
    confer(client, one, &complete(draft)).await.expect("30 of 30");
    for (course, amount) in [("BB1", 20), ("BB2", 20), ("BB3", 4)] {
        issue(&scene, course, amount).await;
    }
    let (answer, draft) = ask(&scene, about(*own, "PHYSICS")).await;
    assert_eq!(answer.outcome(), EvaluationOutcome::Met, "{answer:?}");
    let physics = complete(draft);
    assert!(counts(&physics, &first[2]) && !counts(&physics, &first[0]) && !counts(&physics, &first[1]));
    // A record of 11 in its place is more than both allow.
    let mut greedy = physics.clone();
    for one in &mut greedy.allocations {
        if one.record.as_ref().and_then(|record| record.place) == first[2].place {
            one.record = Some(first[0].clone());
        }
    }
    greedy.allocations.sort_by_key(|one| one.record.as_ref().and_then(|one| one.place).map(|at| (at.entry, at.index)));
    assert_eq!(confer(client, one, &greedy).await.expect_err("11 of 8"), Reason::AlreadySpent);
    confer(client, one, &physics).await.expect("52 with 8 in common");
    replayed(client).await;
}

/// Goal: what is to be used is counted, what is to be kept is not; what cannot be both is told, and what cannot be used at
/// all is refused with its reason.
#[tokio::test]
async fn records_are_used_and_kept() {
    let scene = Scene::with(&[definition(1, "BA", 20)]).await;
    let Scene { one, own, node, .. } = &scene;
    let first = issue(&scene, "AA1", 20).await;
    let second = issue(&scene, "AA2", 20).await;
    for (used, kept) in [(&first, &second), (&second, &first)] {
        let request = EvaluateQualificationRequest { r#use: portion(used), keep: portion(kept), ..about(*own, "BA") };
        let (answer, draft) = ask(&scene, request).await;
        assert_eq!(answer.outcome(), EvaluationOutcome::Met);
        let award = draft.expect("a draft");
        assert!(counts(&award, used) && !counts(&award, kept));
        assert!(answer.unused.iter().any(|one| one.place == kept.place && one.reason.contains("kept")));
    }
    let keep = [portion(&first), portion(&second)].concat();
    let (answer, _) = ask(&scene, EvaluateQualificationRequest { keep, ..about(*own, "BA") }).await;
    assert_eq!((answer.outcome(), answer.reason()), (EvaluationOutcome::Missing, EvaluationReason::Wishes));
    let both = EvaluateQualificationRequest { r#use: portion(&first), keep: portion(&first), ..about(*own, "BA") };
    let refused = one.client(node).await.evaluate(both).await.expect_err("both").to_string();
    assert!(refused.contains("CONTRADICTION") && refused.contains("to be kept"), "{refused}");
    let nothing = RecordReference { place: Some(pb::Place { entry: 9_999, index: 0 }), ..Default::default() };
    let odd = EvaluateQualificationRequest { r#use: portion(&nothing), ..about(*own, "BA") };
    let refused = one.client(node).await.evaluate(odd).await.expect_err("no record").to_string();
    assert!(refused.contains("SOURCE_NOT_USABLE") && refused.contains("9999/0"), "{refused}");
}

/// Goal: a degree that any credit fills does not spend what the learner's other programme needs, whichever comes first.
#[tokio::test]
async fn two_programmes_are_left_possible() {
    let special = || {
        let mut special = definition(1, "SPECIAL", 40);
        let courses = ["AA1", "AA2"].map(str::to_owned).to_vec();
        special.requirements[0].r#match = Some(pb::Match { courses, ..Default::default() });
        special
    };
    for order in [["ANY", "SPECIAL"], ["SPECIAL", "ANY"]] {
        let scene = Scene::with(&[definition(1, "ANY", 40), special()]).await;
        let Scene { client, one, own, .. } = &scene;
        for course in ["AA1", "AA2", "BB1", "BB2"] {
            issue(&scene, course, 20).await;
        }
        let name = pb::QualificationName { institution: 1, code: "SPECIAL".to_owned(), version: 1 };
        let entry = pb::Enrolment {
            learner: own.to_vec(),
            programme: Some(pb::Course { code: "SPECIAL".to_owned(), titles: vec![text("A programme")] }),
            definition: Some(name),
            from: Some(pb::Date { year: 2024, month: 1, day: 1 }),
            state: pb::EnrolmentState::Registered.into(),
            ..Default::default()
        };
        seal(client, one, Kind::Enrolment, &entry, Vec::new()).await.expect("enrolled");
        for code in order {
            let (answer, draft) = ask(&scene, about(*own, code)).await;
            assert_eq!(answer.outcome(), EvaluationOutcome::Met, "{code} of {order:?}");
            confer(client, one, &complete(draft)).await.expect("the draft is an award");
        }
    }
    // Without an enrolment the other programme can be named.
    let scene = Scene::with(&[definition(1, "ANY", 40), special()]).await;
    for course in ["AA1", "AA2", "BB1", "BB2"] {
        issue(&scene, course, 20).await;
    }
    let beside = vec![pb::QualificationName { institution: 1, code: "SPECIAL".to_owned(), version: 1 }];
    let (_, draft) = ask(&scene, EvaluateQualificationRequest { beside, ..about(scene.own, "ANY") }).await;
    confer(&scene.client, &scene.one, &complete(draft)).await.expect("the draft is an award");
    let (answer, _) = ask(&scene, about(scene.own, "SPECIAL")).await;
    assert_eq!(answer.outcome(), EvaluationOutcome::Met);
}
