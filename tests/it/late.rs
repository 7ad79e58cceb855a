//! What comes late, what was declared, and what is dated back: as an institution would try it, over gRPC.

use creditbank_fixtures::{agreement_name, award, credit, definition, mandate, terms};
use creditbank_protocol::Alias;
use creditbank_protocol::dates::{date_of, day_of_ms};
use creditbank_protocol::pb::{self, AgreementTerms, Date, Kind, RecordReference};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::{PreviewConversionRequest, PreviewSource, StatedResult};
use creditbank_tests::acts::{alias, replayed, submit};
use creditbank_tests::chain::now_ms;
use creditbank_tests::degrees::{confer, revoke, seal};
use creditbank_tests::university::record;
use creditbank_tests::{Chain, Scene, TestNode};

use super::recognition::today;

const DAY_MS: u64 = 86_400_000;

/// A credit of the first university, and the learner's alias at the second.
async fn earned(scene: &Scene, number: u64) -> (Alias, RecordReference, Vec<pb::DisclosedRecord>) {
    let learner = alias(&scene.node, &scene.one, number).await;
    let entry = record(Kind::Credit, &credit(learner, "AAA"), 1);
    let receipt = submit(&scene.client, &scene.one, std::slice::from_ref(&entry), Vec::new()).await.expect("issued");
    let reference = creditbank_tests::acts::reference(&receipt, 0, &entry);
    let shown = pb::DisclosedRecord {
        place: reference.place,
        kind: entry.kind().into(),
        version: 1,
        seed: entry.seed().to_vec(),
        body: entry.body().to_vec(),
        ..Default::default()
    };
    (alias(&scene.node, &scene.two, number).await, reference, vec![shown])
}

fn asking(learner: Alias, source: &RecordReference, shown: &[pb::DisclosedRecord]) -> PreviewConversionRequest {
    PreviewConversionRequest {
        institution: 2,
        alias: learner.to_vec(),
        sources: vec![PreviewSource { place: source.place, result_plus_1: 0 }],
        shown: shown.to_vec(),
        ..Default::default()
    }
}

async fn preview(
    node: &TestNode,
    by: &creditbank_tests::University,
    request: PreviewConversionRequest,
) -> Result<pb::Conversion, Reason> {
    match by.client(node).await.preview_conversion(request).await {
        Ok(preview) => {
            let (decider, mandate) = ("A registrar".to_owned(), Some(mandate()));
            Ok(pb::Conversion { decider, mandate, ..preview.conversion })
        }
        Err(creditbank_client::ClientError::Refused(refusal)) => Err(refusal.why()),
        Err(other) => panic!("{other}"),
    }
}

#[allow(clippy::unnecessary_wraps)] // As fields want it.
fn why(on_recording: &str) -> Option<pb::Late> {
    let (reason, case_reference) = ("The file lay in another office".to_owned(), "2026/17".to_owned());
    Some(pb::Late { reason, case_reference, on_recording: on_recording.to_owned() })
}

#[allow(clippy::unnecessary_wraps)] // As fields want it.
fn on(year: u32, month: u32, day: u32) -> Option<Date> {
    Some(Date { year, month, day })
}

/// Goal: nobody converts under an agreement of before it was signed, nor credit of before it was earned; what an agreement
/// gives today is not given for another day by changing the day.
#[tokio::test]
async fn no_conversion_is_dated_back() {
    let scene = Scene::new().await;
    // Signed today, and said to be in force since 2015.
    let old = AgreementTerms { from: on(2015, 1, 1), ..terms("OLD") };
    scene.agree(&old).await.expect("an agreement");
    scene.two.admit_approver(&scene.node).await;
    let (learner, source, shown) = earned(&scene, 7).await;
    let by = PreviewConversionRequest { agreement: Some(agreement_name("OLD")), ..asking(learner, &source, &shown) };
    let asked = |decided| PreviewConversionRequest { decided, ..by.clone() };
    let refused = preview(&scene.node, &scene.two, asked(on(2020, 12, 31))).await;
    assert_eq!(refused.expect_err("credit of 2024"), Reason::InvalidDate);
    let refused = preview(&scene.node, &scene.two, asked(today(30))).await;
    assert_eq!(refused.expect_err("signed today"), Reason::NotInForce);
    let honest = preview(&scene.node, &scene.two, asked(today(0))).await.expect("a preview");
    for (decided, reason) in [(on(2020, 12, 31), Reason::InvalidDate), (today(30), Reason::NotInForce)] {
        let back = pb::Conversion { decided, mandate: Some(mandate()), ..honest.clone() };
        let refused = seal(&scene.client, &scene.two, Kind::Conversion, &back, Vec::new()).await;
        assert_eq!(refused.expect_err("dated back"), reason);
    }
    let early = pb::Conversion { late: why(""), ..honest.clone() };
    let refused = seal(&scene.client, &scene.two, Kind::Conversion, &early, Vec::new()).await;
    assert_eq!(refused.expect_err("nothing is late"), Reason::Late);
    seal(&scene.client, &scene.two, Kind::Conversion, &honest, Vec::new()).await.expect("of today");
    replayed(&scene.client).await;
}

/// Goal: what was decided in time and is recorded 70 days later is admitted with a reason and a second person, and says that
/// the agreement has ended meanwhile. Method: the node starts again 70 days ahead.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_conversion_says_so() {
    let scene = Scene::new().await;
    let short = AgreementTerms { until: today(-30), ..terms("SHORT") };
    scene.agree(&short).await.expect("an agreement");
    scene.two.admit_approver(&scene.node).await;
    let (learner, source, shown) = earned(&scene, 7).await;
    let request = PreviewConversionRequest {
        agreement: Some(agreement_name("SHORT")),
        decided: today(0),
        ..asking(learner, &source, &shown)
    };
    let made = preview(&scene.node, &scene.two, request).await.expect("a preview");
    assert_eq!(made.late, None, "in time today");
    let ahead = 70 * DAY_MS;
    let until_minute = (now_ms() + ahead) / 60_000 + 1_440;
    let made = pb::Conversion { mandate: Some(pb::Mandate { until_minute, ..mandate() }), ..made };
    let Scene { node, two, .. } = scene;
    let node = TestNode::again_ahead(node.stop().await, ahead).await;
    let client = node.client(None).await;
    let send = async |late: Option<pb::Late>| {
        let entry = pb::Conversion { late, ..made.clone() };
        let entry = record(Kind::Conversion, &entry, 3);
        let draft = creditbank_protocol::block::BlockDraft {
            created_at_minute: (now_ms() + ahead) / 60_000,
            ..Chain::of(&client, &two).await.draft(&two)
        };
        let stated = creditbank_protocol::once::with_stated(
            creditbank_tests::node::ORIGIN,
            two.institution.into(),
            std::slice::from_ref(&entry),
            Vec::new(),
        );
        let groups = stated.expect("canonical");
        creditbank_tests::acts::send(&client, &creditbank_tests::chain::signed(&draft, &two, &[entry], groups)).await
    };
    assert_eq!(send(None).await.expect_err("without a word"), Reason::Late);
    assert_eq!(send(why("")).await.expect_err("as if the agreement stood"), Reason::Late);
    send(why("NOT_IN_FORCE")).await.expect("for what it is");
    replayed(&client).await;
}

/// Goal: what was decided before the ledger is declared; it says so, a further conversion of it says so, and an award that
/// counts it states how much. What is decided since then is not declared.
#[tokio::test]
async fn what_was_decided_before_the_ledger_is_declared() {
    let scene = Scene::with(&[definition(2, "CERT", 60)]).await;
    let stated = StatedResult {
        course: Some(pb::Course { code: "OLD-1".to_owned(), titles: vec![creditbank_fixtures::text("Analysis")] }),
        amount: Some(pb::Amount { e4: 600_000, unit: "CATS".to_owned() }),
        basis: pb::PassBasis::Recognised.into(),
        ..Default::default()
    };
    let by = pb::DeclaredConversion { reference: "2019/417".to_owned(), legal_basis: "Regulations 2015".to_owned() };
    let request = |decided| PreviewConversionRequest {
        institution: 2,
        alias: scene.other.to_vec(),
        declared: Some(by.clone()),
        stated: vec![stated.clone()],
        decided,
        ..Default::default()
    };
    let refused = preview(&scene.node, &scene.two, request(today(0))).await;
    assert_eq!(refused.expect_err("in the registry since today"), Reason::InvalidDate);
    let made = preview(&scene.node, &scene.two, request(on(2019, 5, 2))).await.expect("a preview");
    assert!(made.results[0].declared && made.results[0].roots.is_empty() && made.late.is_none());
    let hidden = pb::Conversion {
        results: vec![pb::ConvertedCredit { declared: false, ..made.results[0].clone() }],
        ..made.clone()
    };
    let refused = seal(&scene.client, &scene.two, Kind::Conversion, &hidden, Vec::new()).await;
    assert_eq!(refused.expect_err("it hides that it was declared"), Reason::ConversionDiffers);
    let old = seal(&scene.client, &scene.two, Kind::Conversion, &made, Vec::new()).await.expect("declared");
    let mut degree = award(2, scene.other, "CERT", std::slice::from_ref(&old));
    degree.allocations[0].result_plus_1 = 1;
    let refused = confer(&scene.client, &scene.two, &degree).await;
    assert_eq!(refused.expect_err("60 of it are declared"), Reason::Contradiction);
    let degree = pb::Award { declared_e4: 600_000, mandate: Some(mandate()), ..degree };
    confer(&scene.client, &scene.two, &degree).await.expect("audited, 60 credits declared");
    replayed(&scene.client).await;
}

/// Goal: nobody confers before what counts was there; an award of long ago is late; one that comes in the place of a revoked
/// one keeps its day.
#[tokio::test]
async fn no_award_is_dated_back() {
    let old = pb::QualificationDefinition { from: on(2005, 1, 1), until: on(2015, 12, 31), ..definition(1, "OLD", 60) };
    let scene = Scene::with(&[old, definition(1, "CERT", 60)]).await;
    let Scene { client, one, own, .. } = &scene;
    let counted = seal(client, one, Kind::Credit, &credit(*own, "AAA"), Vec::new()).await.expect("credit of 2024");
    let back = pb::Award { conferred: on(2010, 7, 1), ..award(1, *own, "OLD", std::slice::from_ref(&counted)) };
    assert_eq!(confer(client, one, &back).await.expect_err("2010, without a word"), Reason::Late);
    one.admit_approver(&scene.node).await;
    let said = pb::Award { late: why("NOT_IN_FORCE"), mandate: Some(mandate()), ..back };
    assert_eq!(confer(client, one, &said).await.expect_err("credit of 2024"), Reason::SourceNotUsable);

    let long_ago = date_of(day_of_ms(now_ms()) - 401);
    let late = pb::Award { conferred: Some(long_ago), ..award(1, *own, "CERT", std::slice::from_ref(&counted)) };
    let late = pb::Award { documents: Vec::new(), ..late };
    assert_eq!(confer(client, one, &late).await.expect_err("without a word"), Reason::Late);
    let late = pb::Award { late: why(""), mandate: Some(mandate()), ..late };
    let first = confer(client, one, &late).await.expect("a retroactive conferral");
    revoke(client, one, &first, &[(&counted, &first)], &[]).await.expect("revoked");
    let again = pb::Award { late: None, replaces: Some(first.clone()), mandate: Some(mandate()), ..late.clone() };
    let another = pb::Award { conferred: today(300), ..again.clone() };
    assert_eq!(confer(client, one, &another).await.expect_err("another day"), Reason::Contradiction);
    confer(client, one, &pb::Award { mandate: Some(mandate()), ..again }).await.expect("on its own day");
    replayed(client).await;
}
