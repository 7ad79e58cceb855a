//! How far a learner is, from records at hand, over the wire.

use creditbank_fixtures::{credit, document, mandate, text};
use creditbank_protocol::Alias;
use creditbank_protocol::pb::{self, Kind};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{EvaluateQualificationRequest, EvaluationOutcome, InstitutionAlias, LearnerReference};
use creditbank_tests::acts::{alias, public, redeem, reference, submit};
use creditbank_tests::university::record;
use creditbank_tests::{TestNode, University};

/// Two groups, of which greedy order fills the first with what only the second can use.
fn definition() -> pb::QualificationDefinition {
    let credits = |e4, courses: &[&str]| pb::Requirement {
        parent: 1,
        r#type: pb::RequirementType::Credits.into(),
        amount_e4: e4,
        r#match: Some(pb::Match {
            courses: courses.iter().map(|code| (*code).to_owned()).collect(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let all = pb::Requirement { r#type: pb::RequirementType::All.into(), ..Default::default() };
    pb::QualificationDefinition {
        institution: 1,
        code: "BA".to_owned(),
        version: 1,
        titles: vec![text("A degree")],
        unit: "CATS".to_owned(),
        requirements: vec![all, credits(600_000, &["AAA", "BBB"]), credits(600_000, &["AAA"])],
        from: Some(pb::Date { year: 2020, month: 1, day: 1 }),
        source: "a test".to_owned(),
        ..Default::default()
    }
}

fn question(alias: Alias) -> EvaluateQualificationRequest {
    let known = InstitutionAlias { institution: 1, alias: alias.to_vec() };
    EvaluateQualificationRequest {
        learner: Some(LearnerReference { learner: Some(Learner::Alias(known)) }),
        definition: Some(pb::QualificationName { institution: 1, code: "BA".to_owned(), version: 1 }),
        ..Default::default()
    }
}

/// Goal: the node says what fills what and what is missing; where everything is met, its draft of the award is sealed as it is.
#[tokio::test]
async fn progress_becomes_an_award() {
    let node = TestNode::start().await;
    let one = University::admit(&node, 1).await;
    let (client, reader) = (node.client(None).await, one.client(&node).await);
    let entry = public(Kind::QualificationDefinition, &definition());
    submit(&client, &one, &[entry], Vec::new()).await.expect("published");
    let learner = alias(&node, &one, 7).await;
    let first = record(Kind::Credit, &credit(learner, "AAA"), 1);
    submit(&client, &one, &[first], Vec::new()).await.expect("issued");
    let (answer, award) = reader.evaluate(question(learner)).await.expect("an answer");
    assert_eq!((answer.outcome(), award), (EvaluationOutcome::Missing, None));
    assert_eq!(answer.requirements.iter().filter(|one| !one.met).count(), 2, "the whole and one of its parts");
    assert!(answer.requirements.iter().any(|one| one.missing.contains("60")), "{:?}", answer.requirements);

    let second = record(Kind::Credit, &credit(learner, "BBB"), 1);
    submit(&client, &one, &[second], Vec::new()).await.expect("issued");
    let (answer, award) = reader.evaluate(question(learner)).await.expect("an answer");
    assert_eq!(answer.outcome(), EvaluationOutcome::Met);
    let award = pb::Award {
        documents: vec![document("C-1")],
        kind: pb::AwardKind::Degree.into(),
        decider: "A registrar".to_owned(),
        mandate: Some(mandate()),
        ..award.expect("a draft")
    };
    assert_eq!(award.redeems.len(), 2);
    let sealed =
        submit(&client, &one, &[record(Kind::Award, &award, 1)], redeem(&one, Kind::Award, &award, &award.redeems))
            .await;
    sealed.expect("the draft is an award");
    let (answer, _) = reader.evaluate(question(learner)).await.expect("an answer");
    assert_eq!(answer.outcome(), EvaluationOutcome::Missing, "everything is spent");
    assert_eq!(answer.unused.len(), 2, "{:?}", answer.unused);
}

/// Goal: where an alias makes one course of two that a learner has passed, one credit pays, and the other one is surplus: in the
/// balance and in the progress.
#[tokio::test]
async fn a_course_under_an_alias_pays_once() {
    let node = TestNode::start().await;
    let one = University::admit(&node, 1).await;
    let (client, reader) = (node.client(None).await, one.client(&node).await);
    let mut whole = definition();
    whole.requirements.truncate(2);
    (whole.requirements[1].amount_e4, whole.requirements[1].r#match) = (1_200_000, None);
    submit(&client, &one, &[public(Kind::QualificationDefinition, &whole)], Vec::new()).await.expect("published");
    let learner = alias(&node, &one, 8).await;
    for (code, salt) in [("WS-101", 1), ("WS101", 2)] {
        let entry = record(Kind::Credit, &credit(learner, code), salt);
        submit(&client, &one, &[entry], Vec::new()).await.expect("issued");
    }
    let known = || Learner::Alias(InstitutionAlias { institution: 1, alias: learner.to_vec() });
    let lines = async || {
        let lines = reader.balance(known()).await.expect("a balance");
        lines.into_iter().map(|line| (line.status, line.amount_e4)).collect::<Vec<_>>()
    };
    assert_eq!(lines().await, [("spendable".to_owned(), 1_200_000)]);
    let (answer, _) = reader.evaluate(question(learner)).await.expect("an answer");
    assert_eq!(answer.outcome(), EvaluationOutcome::Met, "two courses");

    let (code, same_as) = ("WS101".to_owned(), "WS-101".to_owned());
    let published = public(Kind::CourseAlias, &pb::CourseAlias { institution: 1, code, same_as, withdrawn: false });
    submit(&client, &one, &[published], Vec::new()).await.expect("published");
    assert_eq!(lines().await, [("spendable".to_owned(), 600_000), ("surplus".to_owned(), 600_000)]);
    let (answer, award) = reader.evaluate(question(learner)).await.expect("an answer");
    assert_eq!((answer.outcome(), award), (EvaluationOutcome::Missing, None));
    let unused: Vec<&str> = answer.unused.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(unused, ["its course counts already by other credits"]);
}

/// Goal: a minimum in a choice, which looks at the choice alone, is not published. What is meant is: a course among what
/// counts. An award without that course is refused, and its credit pays once.
#[tokio::test]
async fn what_is_asked_among_what_counts() {
    let node = TestNode::start().await;
    let one = University::admit(&node, 1).await;
    let (client, reader) = (node.client(None).await, one.client(&node).await);
    let asked = |parent, kind: pb::RequirementType, amount_e4, course: &str| pb::Requirement {
        parent,
        r#type: kind.into(),
        amount_e4,
        r#match: Some(pb::Match { courses: vec![course.to_owned()], ..Default::default() }),
        ..Default::default()
    };
    let choice = |kind, amount_e4| {
        let any =
            pb::Requirement { parent: 1, r#type: pb::RequirementType::Any.into(), choose: 1, ..Default::default() };
        let mut whole = definition();
        whole.requirements.truncate(2);
        (whole.requirements[1].amount_e4, whole.requirements[1].r#match) = (1_200_000, None);
        whole.requirements.extend([any, asked(3, kind, amount_e4, "BBB"), asked(3, kind, amount_e4, "CCC")]);
        public(Kind::QualificationDefinition, &whole)
    };
    let lone = submit(&client, &one, &[choice(pb::RequirementType::AtLeast, 600_000)], Vec::new()).await;
    assert_eq!(lone.expect_err("nothing is taken in the choice"), Reason::Unsatisfiable);
    let among = choice(pb::RequirementType::Among, 0);
    submit(&client, &one, &[among], Vec::new()).await.expect("a choice of courses among the 120 credits");

    let learner = alias(&node, &one, 9).await;
    let issue = async |code: &str, salt| {
        let entry = record(Kind::Credit, &credit(learner, code), salt);
        let receipt = submit(&client, &one, std::slice::from_ref(&entry), Vec::new()).await.expect("issued");
        reference(&receipt, 0, &entry)
    };
    let (first, other) = (issue("AAA", 1).await, issue("DDD", 2).await);
    let (answer, award) = reader.evaluate(question(learner)).await.expect("an answer");
    assert_eq!((answer.outcome(), award), (EvaluationOutcome::Missing, None), "120 credits, and no such course");
    issue("CCC", 3).await;
    let (answer, award) = reader.evaluate(question(learner)).await.expect("an answer");
    assert_eq!(answer.outcome(), EvaluationOutcome::Met);
    let award = pb::Award {
        kind: pb::AwardKind::Degree.into(),
        decider: "A registrar".to_owned(),
        mandate: Some(mandate()),
        ..award.expect("a draft")
    };
    assert_eq!(award.redeems.len(), 2, "no more than 120 credits are taken");
    let redeems = vec![first, other];
    let taken =
        redeems.iter().cloned().map(|one| pb::Allocation { requirement: 2, record: Some(one), result_plus_1: 0 });
    let odd = pb::Award { allocations: taken.collect(), redeems, ..award.clone() };
    let effects = redeem(&one, Kind::Award, &odd, &odd.redeems);
    let refused = submit(&client, &one, &[record(Kind::Award, &odd, 1)], effects).await;
    assert_eq!(refused.expect_err("without the course"), Reason::RequirementsNotMet);
    let effects = redeem(&one, Kind::Award, &award, &award.redeems);
    submit(&client, &one, &[record(Kind::Award, &award, 1)], effects).await.expect("the draft is an award");
}
