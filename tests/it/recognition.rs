//! Recognition: applications, decisions, appeals; prior learning; degrees of elsewhere; joint, declared and honorary
//! awards. Such a log is good for `check`, after a restart, and for a verifier without the node.

use creditbank_fixtures::{award, credit, definition, definition_name, document, mandate, text};
use creditbank_protocol::Alias;
use creditbank_protocol::dates::{date_of, day_of_ms};
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::mandate::{core, joint_message};
use creditbank_protocol::pb::{self, Date, DecisionType, Kind, RecordReference};
use creditbank_protocol::transcript::verify;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{EvaluateQualificationRequest, EvaluationOutcome, InstitutionAlias, LearnerReference};
use creditbank_server::directory;
use creditbank_server::environment::Environment;
use creditbank_server::operate::check;
use creditbank_tests::acts::{alias, replayed};
use creditbank_tests::chain::{now_ms, now_s};
use creditbank_tests::degrees::{amending, confer, revoke, seal, stand_by};
use creditbank_tests::node::ORIGIN;
use creditbank_tests::{Scene, TestNode, University, set};

#[allow(clippy::unnecessary_wraps)] // As fields want it.
pub(crate) fn today(less: i64) -> Option<Date> {
    Some(date_of(day_of_ms(creditbank_tests::chain::now_s() * 1_000) - less))
}

/// The law of [`with_law`].
const LAW: &str = "IT-TEST";

/// A node whose registry has a law of days: 120 for a decision, 30 for an appeal.
async fn with_law() -> TestNode {
    let node = TestNode::start().await;
    let days = |amount| Some(pb::Term { amount, unit: pb::TermUnit::Days.into() });
    let law = pb::LegalDeadline {
        code: LAW.to_owned(),
        names: vec![pb::Text { language: "en".to_owned(), value: "A law of days".to_owned() }],
        decision: days(120),
        decision_from: pb::TermStart::Receipt.into(),
        appeal: days(30),
        appeal_instance: "A court".to_owned(),
        legal_basis: "An act".to_owned(),
        sources: vec![pb::Source {
            text: "a test".to_owned(),
            grade: pb::SourceGrade::D.into(),
            as_of: today(0),
            ..Default::default()
        }],
        ..Default::default()
    };
    set(&node, Kind::LegalDeadline, &law).await;
    node
}

pub(crate) fn application(learner: Alias, received: Option<Date>) -> pb::Application {
    pb::Application {
        learner: learner.to_vec(),
        purpose: pb::RecognitionPurpose::Study.into(),
        asked: "The second year".to_owned(),
        received,
        deadline: "LISBON".to_owned(),
        mandate: Some(mandate()),
        ..Default::default()
    }
}

fn decision(learner: Alias, application: &RecordReference, kind: DecisionType, ago: i64) -> pb::Decision {
    let appeal = matches!(kind, DecisionType::Refused | DecisionType::Full);
    pb::Decision {
        learner: learner.to_vec(),
        application: application.place,
        r#type: kind.into(),
        decided: today(ago),
        decider: "A registrar".to_owned(),
        legal_basis: "An act".to_owned(),
        channel: pb::NoticeChannel::Delivered.into(),
        notified: today(ago),
        // From today, when the ledger learns of it.
        appeal_until: if appeal { today(-30) } else { None },
        appeal_instance: if appeal { "A court".to_owned() } else { String::new() },
        late: (ago > 60).then(found_later),
        ..Default::default()
    }
}

/// Why something comes late.
fn found_later() -> pb::Late {
    let (reason, case_reference) = ("Found in another office".to_owned(), "2026/17".to_owned());
    pb::Late { reason, case_reference, ..Default::default() }
}

/// What an institution is told of its applications: stage, and whether overdue.
async fn stages(node: &TestNode, of: &University, overdue: bool) -> Vec<(String, bool)> {
    let found = of.client(node).await.applications(of.institution, overdue).await.expect("the applications");
    found.into_iter().map(|one| (one.stage, one.overdue)).collect()
}

/// Goal: the clock of an application stops while documents are missing; a refusal says why; an appeal comes in time and
/// is decided; and no amendment sets back the clock or takes away the appeal.
#[tokio::test]
async fn a_case_from_application_to_appeal() {
    let node = with_law().await;
    let one = University::admit(&node, 1).await;
    one.admit_approver(&node).await;
    let client = node.client(None).await;
    let learner = alias(&node, &one, 7).await;
    let under = |application| pb::Application { deadline: LAW.to_owned(), ..application };
    let first = under(application(learner, today(200)));
    let asked = seal(&client, &one, Kind::Application, &first, Vec::new()).await.expect("received");
    let second = pb::Application { asked: "Year two".to_owned(), mandate: Some(mandate()), ..first.clone() };
    let refused = seal(&client, &one, Kind::Application, &second, Vec::new()).await;
    assert_eq!(refused.expect_err("one is open"), Reason::ApplicationOpen);
    assert_eq!(stages(&node, &one, true).await, [("open".to_owned(), true)]);
    // The clock is not set back by an amendment.
    let (amends, groups) = amending(&asked, &[]);
    let later = pb::Application { amends, received: today(10), mandate: Some(mandate()), ..first.clone() };
    let refused = seal(&client, &one, Kind::Application, &later, groups.clone()).await;
    assert_eq!(refused.expect_err("a later day"), Reason::InvalidDate);
    let missing = pb::Decision {
        missing_documents: "The diploma".to_owned(),
        legal_basis: String::new(),
        ..decision(learner, &asked, DecisionType::DocumentsMissing, 190)
    };
    let missing = seal(&client, &one, Kind::Decision, &missing, Vec::new()).await.expect("the clock stops");
    assert_eq!(stages(&node, &one, false).await, [("documents missing".to_owned(), false)]);
    let received = decision(learner, &asked, DecisionType::DocumentsReceived, 20);
    seal(&client, &one, Kind::Decision, &received, Vec::new()).await.expect("it goes on");
    assert_eq!(stages(&node, &one, false).await, [("open".to_owned(), false)]);
    let silent = decision(learner, &asked, DecisionType::Refused, 1);
    let refused = seal(&client, &one, Kind::Decision, &silent, Vec::new()).await;
    assert_eq!(refused.expect_err("no reason"), Reason::MissingField);
    let differences = vec![pb::SubstantialDifference {
        r#type: pb::DifferenceType::Level.into(),
        reason: "Two levels below".to_owned(),
    }];
    let refusal = pb::Decision { differences, ..silent };
    let decided = seal(&client, &one, Kind::Decision, &refusal, Vec::new()).await.expect("refused with a reason");
    // What was decided does not go away by an amendment of what it is about.
    let (amends, groups) = amending(&asked, &[missing.clone(), decided.clone()]);
    let anew = pb::Application { amends, mandate: Some(mandate()), ..first.clone() };
    let refused = seal(&client, &one, Kind::Application, &anew, groups).await;
    assert_eq!(refused.expect_err("it was decided"), Reason::Contradiction);
    let appeal = |received| pb::Appeal {
        learner: learner.to_vec(),
        decision: decided.place,
        grounds: "It is the same level".to_owned(),
        received,
        mandate: Some(mandate()),
        ..Default::default()
    };
    let appealed = seal(&client, &one, Kind::Appeal, &appeal(today(0)), Vec::new()).await.expect("in time");
    assert_eq!(stages(&node, &one, false).await, [("appealed".to_owned(), false)]);
    let on_appeal = pb::Decision {
        application: None,
        appeal: appealed.place,
        appeal_until: None,
        appeal_instance: String::new(),
        ..decision(learner, &asked, DecisionType::Full, 0)
    };
    seal(&client, &one, Kind::Decision, &on_appeal, Vec::new()).await.expect("decided on appeal");
    assert_eq!(stages(&node, &one, false).await, [("closed".to_owned(), false)]);
    let refused = seal(&client, &one, Kind::Appeal, &appeal(today(0)), Vec::new()).await;
    assert!([Reason::NotOpen, Reason::DuplicateRecord].contains(&refused.expect_err("closed")));
    // A refusal that the ledger learns of after 40 days: the time for an appeal was not over before anybody could see it.
    let other = under(application(learner, today(60)));
    let asked = seal(&client, &one, Kind::Application, &other, Vec::new()).await.expect("the first is closed");
    let refusal =
        pb::Decision { differences: refusal.differences, ..decision(learner, &asked, DecisionType::Refused, 40) };
    let over = pb::Decision { appeal_until: today(10), ..refusal.clone() };
    let refused = seal(&client, &one, Kind::Decision, &over, Vec::new()).await;
    assert_eq!(refused.expect_err("over before it was recorded"), Reason::Contradiction);
    let decided = seal(&client, &one, Kind::Decision, &refusal, Vec::new()).await.expect("refused");
    let appeal = pb::Appeal { decision: decided.place, ..appeal(today(0)) };
    let late = pb::Appeal { late: Some(found_later()), ..appeal.clone() };
    assert_eq!(seal(&client, &one, Kind::Appeal, &late, Vec::new()).await.expect_err("it is in time"), Reason::Late);
    seal(&client, &one, Kind::Appeal, &appeal, Vec::new()).await.expect("in time");
    replayed(&client).await;
}

/// A licence of a university in France.
pub(crate) fn diploma(learner: Alias) -> pb::ForeignAward {
    pb::ForeignAward {
        learner: learner.to_vec(),
        titles: vec![text("Licence")],
        institution: "A university in France".to_owned(),
        country: "FR".to_owned(),
        number: "2020/17".to_owned(),
        conferred: today(900),
        evidence: vec![vec![3; 32]],
        mandate: Some(mandate()),
        ..Default::default()
    }
}

/// 60 CATS are given for a qualification, whose one root is of that size. The size is stated of what is of elsewhere.
pub(crate) fn exempting(
    learner: Alias,
    qualification: &RecordReference,
    root: &RecordReference,
) -> pb::QualificationRecognition {
    let amount = pb::Amount { e4: 600_000, unit: "CATS".to_owned() };
    let is_elsewhere = qualification == root;
    let root = pb::Root {
        place: root.place,
        status_id: root.status_id.clone(),
        fraction: Some(pb::Ratio { numerator: 1, denominator: 1 }),
        had: vec![amount.clone()],
        part_e4: amount.e4,
        ..Default::default()
    };
    pb::QualificationRecognition {
        learner: learner.to_vec(),
        qualification: Some(qualification.clone()),
        size: is_elsewhere.then(|| amount.clone()),
        method: if is_elsewhere { "The diploma supplement".to_owned() } else { String::new() },
        form: pb::RecognitionForm::Statement.into(),
        exemptions: vec![pb::ConvertedCredit {
            course: Some(pb::Course { code: "X1".to_owned(), titles: vec![text("First year")] }),
            amount: Some(amount.clone()),
            roots: vec![root],
            ..Default::default()
        }],
        decider: "A registrar".to_owned(),
        decided: today(0),
        mandate: Some(mandate()),
        ..Default::default()
    }
}

pub(crate) fn counting(mut award: pb::Award) -> pb::Award {
    for allocation in &mut award.allocations {
        allocation.result_plus_1 = 1;
    }
    award
}

/// Goal: a degree of elsewhere exempts, once; an exemption for an award of this ledger stands for what the award counts: no
/// more of it, nowhere else than where the award is absorbed, and not beside it.
#[tokio::test]
async fn exemptions_count_once() {
    let absorbing = creditbank_fixtures::absorbing(1, "BA", 120, &["CERT"]);
    let scene = Scene::with(&[definition(1, "CERT", 60), absorbing, definition(2, "CERT", 60)]).await;
    let Scene { client, one, two, own, other, .. } = &scene;
    let diploma = seal(client, two, Kind::ForeignAward, &diploma(*other), Vec::new()).await.expect("recorded");
    let entry = exempting(*other, &diploma, &diploma);
    let foreign = seal(client, two, Kind::QualificationRecognition, &entry, Vec::new()).await.expect("recognised");
    let counted = counting(award(2, *other, "CERT", std::slice::from_ref(&foreign)));
    let first = confer(client, two, &counted).await.expect("60 of exemptions");
    let (amends, groups) = amending(&foreign, std::slice::from_ref(&first));
    let (legal_basis, given) = ("An act".to_owned(), Some(mandate()));
    let entry = pb::QualificationRecognition { amends, legal_basis, mandate: given, ..entry };
    let renewed = seal(client, two, Kind::QualificationRecognition, &entry, groups).await.expect("amended");
    let again = counting(award(2, *other, "CERT", std::slice::from_ref(&renewed)));
    let again = pb::Award { documents: vec![document("C-2")], ..again };
    assert_eq!(confer(client, two, &again).await.expect_err("it has paid"), Reason::AlreadySpent);

    let learned = seal(client, one, Kind::Credit, &credit(*own, "AAA"), Vec::new()).await.expect("issued");
    let cert = confer(client, one, &award(1, *own, "CERT", std::slice::from_ref(&learned))).await.expect("an award");
    let mut grown = exempting(*own, &cert, &learned);
    grown.exemptions[0].amount = Some(pb::Amount { e4: 3_600_000, unit: "CATS".to_owned() });
    grown.exemptions[0].roots[0].part_e4 = 3_600_000;
    let refused = seal(client, one, Kind::QualificationRecognition, &grown, Vec::new()).await;
    assert_eq!(refused.expect_err("360 for a certificate of 60"), Reason::ConversionDiffers);
    let entry = exempting(*own, &cert, &learned);
    let exempt = seal(client, one, Kind::QualificationRecognition, &entry, Vec::new()).await.expect("recognised");
    let mut both = award(1, *own, "BA", &[learned, exempt.clone()]);
    (both.allocations[1].result_plus_1, both.absorbs, both.redeems) = (1, vec![cert.clone()], vec![cert.clone()]);
    assert_eq!(confer(client, one, &both).await.expect_err("the certificate twice"), Reason::AlreadySpent);
    let more = seal(client, one, Kind::Credit, &credit(*own, "BBB"), Vec::new()).await.expect("issued");
    let mut degree = award(1, *own, "BA", &[exempt, more.clone()]);
    (degree.allocations[0].result_plus_1, degree.redeems) = (1, vec![more.clone()]);
    assert_eq!(confer(client, one, &degree).await.expect_err("the certificate holds them"), Reason::AlreadySpent);
    (degree.absorbs, degree.redeems, degree.mandate) = (vec![cert.clone()], vec![cert, more], Some(mandate()));
    confer(client, one, &degree).await.expect("the certificate is absorbed");
    replayed(client).await;
}

/// Goal: prior learning becomes credit by an assessor's decision, once; a joint degree stands when every partner has
/// signed the same award; an institution learns nothing of awards elsewhere that it was not shown. The log is good for
/// `check`, for another start, and for a verifier without the node.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines)] // One log with everything.
async fn a_log_with_every_kind_of_award_is_good() {
    let asks = {
        let mut entry = definition(2, "PROBE", 60);
        entry.requirements = vec![pb::Requirement {
            r#type: pb::RequirementType::Award.into(),
            awards: vec![definition_name(1, "JOINT", 0)],
            ..Default::default()
        }];
        entry
    };
    let joint = pb::QualificationDefinition { awarding: vec![1, 2], ..definition(1, "JOINT", 60) };
    let scene = Scene::with(&[joint, definition(1, "CERT", 60), asks]).await;
    let Scene { node, client, one, two, own, other } = scene;
    let outcome = pb::Outcome {
        learner: own.to_vec(),
        r#type: pb::OutcomeType::PriorLearning.into(),
        course: Some(pb::Course { code: String::new(), titles: vec![text("Ten years of practice")] }),
        prior_learning: Some(pb::PriorLearning {
            assessor: "A portfolio board".to_owned(),
            method: "Portfolio".to_owned(),
            evidence_digest: vec![9; 32],
        }),
        ..Default::default()
    };
    let learned = seal(&client, &one, Kind::Outcome, &outcome, Vec::new()).await.expect("an outcome");
    let request = creditbank_rpc::v1::PreviewConversionRequest {
        institution: 1,
        alias: own.to_vec(),
        assessment: Some(pb::Assessment {
            assessor: "A portfolio board".to_owned(),
            method: "Portfolio".to_owned(),
            evidence_digest: vec![9; 32],
        }),
        sources: vec![creditbank_rpc::v1::PreviewSource { place: learned.place, result_plus_1: 0 }],
        stated: vec![creditbank_rpc::v1::StatedResult {
            source: 0,
            course: Some(pb::Course { code: "RPL".to_owned(), titles: vec![text("Practice")] }),
            amount: Some(pb::Amount { e4: 600_000, unit: "CATS".to_owned() }),
            ..Default::default()
        }],
        ..Default::default()
    };
    let reader = one.client(&node).await;
    let preview = reader.preview_conversion(request).await.expect("a preview").conversion;
    let conversion = pb::Conversion { decider: "A registrar".to_owned(), mandate: Some(mandate()), ..preview };
    let converted = seal(&client, &one, Kind::Conversion, &conversion, Vec::new()).await.expect("credit");
    let again = pb::Conversion { decider: "Another registrar".to_owned(), mandate: Some(mandate()), ..conversion };
    let refused = seal(&client, &one, Kind::Conversion, &again, Vec::new()).await;
    assert_eq!(refused.expect_err("assessed before"), Reason::AlreadySpent);
    let mut certificate = counting(award(1, own, "CERT", std::slice::from_ref(&converted)));
    certificate.redeems = vec![learned.clone()];
    let certificate = confer(&client, &one, &certificate).await.expect("the outcome is the root");

    let counted = seal(&client, &one, Kind::Credit, &credit(own, "AAA"), Vec::new()).await.expect("issued");
    let alone = award(1, own, "JOINT", std::slice::from_ref(&counted));
    assert_eq!(confer(&client, &one, &alone).await.expect_err("signed by one"), Reason::NotCosigned);
    let body = creditbank_protocol::canonical::encode(&alone).expect("canonical");
    let core = core(Kind::Award, &body).expect("canonical");
    let bare = pb::CoSignature {
        institution: 2,
        key_id: KeyId::of(&two.key.public_key()).0.to_vec(),
        salt: vec![8; 16],
        until_minute: now_s() / 60 + 60,
        ..Default::default()
    };
    let signature = sign(&two.key.key, joint_message(ORIGIN, 1.into(), &core, &bare).as_bytes()).to_vec();
    let cosignatures = vec![pb::CoSignature { signature, ..bare }];
    let altered = pb::Award { classification: "First".to_owned(), cosignatures: cosignatures.clone(), ..alone.clone() };
    assert_eq!(confer(&client, &one, &altered).await.expect_err("another award"), Reason::NotCosigned);
    let joint = confer(&client, &one, &pb::Award { cosignatures, ..alone }).await.expect("signed by both");

    // The second university asks whether the learner holds the first one's award, and was shown nothing.
    let known = InstitutionAlias { institution: 2, alias: other.to_vec() };
    let question = EvaluateQualificationRequest {
        learner: Some(LearnerReference { learner: Some(Learner::Alias(known)) }),
        definition: Some(definition_name(2, "PROBE", 1)),
        ..Default::default()
    };
    let (answer, _) = two.client(&node).await.evaluate(question).await.expect("an answer");
    assert_eq!(answer.outcome(), EvaluationOutcome::Missing, "it learns nothing of it");

    let bare = pb::Award { allocations: Vec::new(), redeems: Vec::new(), mandate: None, ..award(1, own, "CERT", &[]) };
    let consumes_none = "Conferred before the ledger".to_owned();
    let (basis, documents) = (pb::AwardBasis::Declared.into(), vec![document("D")]);
    let declared = pb::Award { basis, documents, consumes_none, ..bare.clone() };
    assert_eq!(confer(&client, &one, &declared).await.expect_err("held already"), Reason::AwardedAlready);
    let declared = pb::Award { specialisation: "Optics".to_owned(), ..declared };
    confer(&client, &one, &declared).await.expect("declared");
    let (titles, definition) = (vec![text("Doctor honoris causa")], None);
    let honorary = pb::Award { basis: pb::AwardBasis::Honorary.into(), titles, definition, ..bare };
    confer(&client, &one, &honorary).await.expect("honorary");

    let (reviews, releases) =
        reader.consequences(vec![learned.place.expect("a place")], true).await.expect("an answer");
    assert_eq!((reviews, releases), (vec![converted.clone(), certificate.clone()], Vec::new()));
    revoke(&client, &one, &learned, &[], &[certificate.clone(), converted]).await.expect("revoked");
    revoke(&client, &one, &counted, &[], std::slice::from_ref(&joint)).await.expect("revoked");
    stand_by(&client, &one, &joint).await.expect("the partners stand by it");
    replayed(&client).await;

    let node = node.restart().await;
    replayed(&node.client(None).await).await;
    let by_alias = Learner::Alias(InstitutionAlias { institution: 1, alias: own.to_vec() });
    let (file, _) = one.client(&node).await.transcript(by_alias).await.expect("a transcript");
    let trusted = node.trust();
    let dir = node.stop().await;
    let report = verify(&file, &trusted, now_ms()).expect("authentic");
    let of = |one: &RecordReference| {
        report
            .records
            .iter()
            .find(|record| record.place == creditbank_protocol::Place::read(one.place))
            .expect("in the transcript")
    };
    assert_eq!(of(&counted).redeemed.map(|entry| entry.0), joint.place.map(|place| place.entry));
    assert_eq!(of(&counted).ended, Some(pb::Action::Revoke));
    assert_eq!(of(&joint).under_review, None);
    assert!(of(&certificate).under_review.is_some());
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir.path()).expect("the configuration");
    for rebuilt in [false, true] {
        if rebuilt {
            creditbank_server::operate::reindex(
                &environment,
                dir.path(),
                &config,
                creditbank_store::Placement::Same,
                |_, _| (),
            )
            .expect("the index is rebuilt");
        }
        let found = check::check(&environment, dir.path(), &config, &mut |_, _| ()).expect("it reads");
        assert_eq!(found.findings.count(), 0, "{rebuilt}: {:?}", found.findings.listed());
    }
}
