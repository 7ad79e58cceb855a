//! What is there once: one standing award of a definition and specialisation, one record of a kind on a paper, and one
//! course in an award.

use creditbank_fixtures::{award, credit, definition, document, mandate, new_year, text};
use creditbank_protocol::pb::{self, Kind, RecordReference};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{
    EvaluateQualificationRequest, EvaluateQualificationResponse, EvaluationOutcome, InstitutionAlias, LearnerReference,
    PreviewConversionRequest, PreviewSource,
};
use creditbank_server::directory;
use creditbank_server::environment::Environment;
use creditbank_tests::acts::{alias, public, redeem, reference, replayed, send, submit};
use creditbank_tests::degrees::{amending, by_place, confer, revoke, seal};
use creditbank_tests::university::record;
use creditbank_tests::{Chain, Scene, TestNode};

use crate::recognition::application;

/// So many credits of 60 CATS for the learner.
async fn credits(scene: &Scene, count: usize) -> Vec<RecordReference> {
    let mut found = Vec::new();
    for course in ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"].iter().take(count) {
        let entry = credit(scene.own, course);
        found.push(seal(&scene.client, &scene.one, Kind::Credit, &entry, Vec::new()).await.expect("issued"));
    }
    found
}

/// An award of the first university in a branch, which counts one credit.
fn branch(scene: &Scene, code: &str, of: &RecordReference, specialisation: &str) -> pb::Award {
    pb::Award { specialisation: specialisation.to_owned(), ..award(1, scene.own, code, std::slice::from_ref(of)) }
}

fn declared(scene: &Scene, code: &str, specialisation: &str) -> pb::Award {
    pb::Award {
        basis: pb::AwardBasis::Declared.into(),
        mandate: None,
        consumes_none: "Learned before the ledger".to_owned(),
        specialisation: specialisation.to_owned(),
        ..award(1, scene.own, code, &[])
    }
}

/// Goal: a learner holds a qualification once, whatever is tried: other credits, another version, the institution's word,
/// other letters, an amendment; until it is revoked. Another branch is another qualification, and a repeatable one may be
/// held several times.
#[tokio::test]
async fn a_qualification_is_awarded_once() {
    let again = pb::QualificationDefinition { repeatable: true, ..definition(1, "AGAIN", 60) };
    let scene = Scene::with(&[definition(1, "CERT", 60), again]).await;
    let credits = credits(&scene, 6).await;
    let Scene { client, one, .. } = &scene;
    let first = confer(client, one, &branch(&scene, "CERT", &credits[0], "")).await.expect("an award");
    let twice = branch(&scene, "CERT", &credits[1], "");
    assert_eq!(confer(client, one, &twice).await.expect_err("other credit"), Reason::AwardedAlready);
    let word = declared(&scene, "CERT", "");
    assert_eq!(confer(client, one, &word).await.expect_err("on the institution's word"), Reason::AwardedAlready);
    // A branch of its own, and no second one in it, however it is written.
    let optics = declared(&scene, "CERT", "Optics");
    let optics = (confer(client, one, &optics).await.expect("another branch"), optics);
    let wide = branch(&scene, "CERT", &credits[1], "\u{ff2f}PTICS");
    assert_eq!(confer(client, one, &wide).await.expect_err("in full width"), Reason::AwardedAlready);
    // An amendment does not lead around it.
    let (amends, groups) = amending(&optics.0, &[]);
    let moved = pb::Award { amends, specialisation: String::new(), ..optics.1.clone() };
    let refused = seal(client, one, Kind::Award, &moved, groups.clone()).await;
    assert_eq!(refused.expect_err("into a branch that is taken"), Reason::AwardedAlready);
    let (amends, _) = amending(&optics.0, &[]);
    let renamed = pb::Award { amends, specialisation: "Photonics".to_owned(), ..optics.1 };
    seal(client, one, Kind::Award, &renamed, groups).await.expect("the branch has another name");
    // Nor does another version.
    let second = pb::QualificationDefinition { version: 2, ..definition(1, "CERT", 60) };
    scene.publish(&second).await;
    let name = pb::QualificationName { institution: 1, code: "CERT".to_owned(), version: 2 };
    let newer = pb::Award { definition: Some(name), ..branch(&scene, "CERT", &credits[1], "") };
    assert_eq!(confer(client, one, &newer).await.expect_err("another version"), Reason::AwardedAlready);
    revoke(client, one, &first, &[(&credits[0], &first)], &[]).await.expect("revoked");
    let newer = pb::Award { mandate: Some(mandate()), ..newer };
    confer(client, one, &newer).await.expect("the first one does not stand any more");
    // What may be repeated is repeated.
    for (credit, number) in credits[2..4].iter().zip(["A-1", "A-2"]) {
        let again = pb::Award { documents: vec![document(number)], ..branch(&scene, "AGAIN", credit, "") };
        confer(client, one, &again).await.expect("a repeatable one");
    }
    replayed(client).await;
}

/// Goal: of two blocks that are sent together, each with an award of one qualification, the second is refused, whether one
/// round has both or not.
#[tokio::test]
async fn two_blocks_of_a_round_award_once() {
    let scene = Scene::with(&[definition(1, "CERT", 60)]).await;
    let credits = credits(&scene, 2).await;
    let Scene { client, one, .. } = &scene;
    let mut chain = Chain::of(client, one).await;
    let blocks: Vec<_> = (1u8..)
        .zip(&credits)
        .map(|(salt, of)| {
            let award = branch(&scene, "CERT", of, "");
            let groups = redeem(one, Kind::Award, &award, &award.redeems);
            let block = chain.block(one, &[record(Kind::Award, &award, salt)], groups);
            chain.advance(&block);
            block
        })
        .collect();
    let (first, second) = tokio::join!(send(client, &blocks[0]), send(client, &blocks[1]));
    first.expect("the first award");
    assert_eq!(second.expect_err("the second award"), Reason::AwardedAlready);
    replayed(client).await;
}

/// Goal: an institution uses a paper once for each kind of record, whatever its salt, its letters and whose record it is;
/// also after the record was revoked, after a restart, and with an index that was built anew.
#[tokio::test]
async fn a_paper_is_used_once_for_each_kind() {
    let scene = Scene::with(&[definition(1, "CERT", 60), definition(2, "CERT", 60)]).await;
    let credits = credits(&scene, 3).await;
    let paper = |reference: &str, salt: u8| {
        Some(pb::Mandate { paper_reference: reference.to_owned(), salt: vec![salt; 16], ..mandate() })
    };
    let Scene { client, one, two, own, other, .. } = &scene;
    let one_in = |of: &RecordReference, specialisation: &str, mandate| pb::Award {
        mandate,
        ..branch(&scene, "CERT", of, specialisation)
    };
    let first = one_in(&credits[0], "A", paper("File 2026/17", 1));
    let first = (confer(client, one, &first).await.expect("an award"), first);
    for (reference, salt) in [("File 2026/17", 2), ("FILE 2026/17", 3), ("File 2026/\u{ff11}7", 4)] {
        let second = one_in(&credits[1], "B", paper(reference, salt));
        assert_eq!(confer(client, one, &second).await.expect_err(reference), Reason::MandateUsed);
    }
    // It is for each kind, and each institution has papers of its own.
    let asked = application(*own, Some(new_year(2026)));
    let asked = pb::Application { mandate: paper("File 2026/17", 5), ..asked };
    let learner = alias(&scene.node, one, 8).await;
    seal(client, one, Kind::Application, &asked, Vec::new()).await.expect("another kind");
    let purpose = pb::RecognitionPurpose::Work.into();
    let stranger = pb::Application { learner: learner.to_vec(), mandate: paper("File 2026/17", 6), purpose, ..asked };
    let refused = seal(client, one, Kind::Application, &stranger, Vec::new()).await;
    assert_eq!(refused.expect_err("another learner"), Reason::MandateUsed);
    let theirs = award(2, *other, "CERT", std::slice::from_ref(&credits[2]));
    let theirs = pb::Award { mandate: paper("File 2026/17", 7), ..theirs };
    confer(client, two, &theirs).await.expect("another institution");
    // An amendment may stand on the paper of what it amends.
    let (amends, groups) = amending(&first.0, &[]);
    let mandate = paper("File 2026/17", 8);
    let classed = pb::Award { amends, mandate, classification: "First".to_owned(), ..first.1 };
    let classed = seal(client, one, Kind::Award, &classed, groups).await.expect("amended on the same paper");
    // What is revoked does not give its paper back.
    revoke(client, one, &classed, &[(&credits[0], &first.0)], &[]).await.expect("revoked");
    let second = one_in(&credits[1], "B", paper("File 2026/17", 9));
    assert_eq!(confer(client, one, &second).await.expect_err("a revoked one's"), Reason::MandateUsed);
    replayed(client).await;
    let environment = Environment::system();
    let Scene { node, one, .. } = scene;
    let node = node.restart().await;
    let again = confer(&node.client(None).await, &one, &second).await;
    assert_eq!(again.expect_err("after a restart"), Reason::MandateUsed);
    let dir = node.stop().await;
    let config = directory::read_config(&environment, dir.path()).expect("the configuration");
    let rebuild = creditbank_server::operate::reindex;
    rebuild(&environment, dir.path(), &config, creditbank_store::Placement::Same, |_, _| ()).expect("rebuilt");
    let node = TestNode::again(dir).await;
    let again = confer(&node.client(None).await, &one, &second).await;
    assert_eq!(again.expect_err("with a new index"), Reason::MandateUsed);
}

/// What a learner is told of a qualification.
async fn asked(scene: &Scene, code: &str) -> (EvaluateQualificationResponse, Option<pb::Award>) {
    let known = InstitutionAlias { institution: 1, alias: scene.own.to_vec() };
    let question = EvaluateQualificationRequest {
        learner: Some(LearnerReference { learner: Some(Learner::Alias(known)) }),
        definition: Some(pb::QualificationName { institution: 1, code: code.to_owned(), version: 1 }),
        ..Default::default()
    };
    scene.one.client(&scene.node).await.evaluate(question).await.expect("an answer")
}

/// Goal: a course that was earned here counts no second time by an equivalence, nor under an alias of it; the solver does
/// not offer it, and the progress says why. Two awards may count it, each by one way.
#[tokio::test]
async fn a_course_counts_once_over_all_ways() {
    let scene = Scene::with(&[definition(1, "BA", 120), definition(1, "CERT", 60), definition(1, "MINOR", 60)]).await;
    let Scene { node, client, one, two, own, other } = &scene;
    let equal = pb::Equivalence {
        institution: 1,
        code: "ANALYSIS".to_owned(),
        version: 1,
        r#type: pb::EquivalenceType::Course.into(),
        source_institution: 2,
        source_course: "CALC".to_owned(),
        target: Some(pb::Course { code: "ANA-1".to_owned(), titles: vec![text("Analysis")] }),
        amount: Some(pb::Amount { e4: 600_000, unit: "CATS".to_owned() }),
        from: Some(new_year(2020)),
        ..Default::default()
    };
    submit(client, one, &[public(Kind::Equivalence, &equal)], Vec::new()).await.expect("published");
    let own_pass = seal(client, one, Kind::Credit, &credit(*own, "ANA1"), Vec::new()).await.expect("issued");
    let away = record(Kind::Credit, &credit(*other, "CALC"), 3);
    let receipt = submit(client, two, std::slice::from_ref(&away), Vec::new()).await.expect("issued");
    let shown = pb::DisclosedRecord {
        place: reference(&receipt, 0, &away).place,
        kind: Kind::Credit.into(),
        version: 1,
        seed: away.seed().to_vec(),
        body: away.body().to_vec(),
        ..Default::default()
    };
    let request = PreviewConversionRequest {
        institution: 1,
        alias: own.to_vec(),
        equivalence: Some(pb::EquivalenceName { institution: 1, code: "ANALYSIS".to_owned(), version: 1 }),
        sources: vec![PreviewSource { place: shown.place, result_plus_1: 0 }],
        shown: vec![shown],
        ..Default::default()
    };
    let preview = one.client(node).await.preview_conversion(request).await.expect("a preview").conversion;
    let conversion = pb::Conversion { decider: "A registrar".to_owned(), mandate: Some(mandate()), ..preview };
    let converted = seal(client, one, Kind::Conversion, &conversion, Vec::new()).await.expect("converted");
    let both = || {
        let counted = by_place(vec![own_pass.clone(), converted.clone()]);
        let mut award = award(1, *own, "BA", &counted);
        award.allocations.iter_mut().filter(|one| one.record.as_ref() == Some(&converted)).for_each(|one| {
            one.result_plus_1 = 1;
        });
        pb::Award { redeems: by_place(vec![own_pass.clone(), reference(&receipt, 0, &away)]), ..award }
    };
    // Two courses so far: with the alias they are one.
    assert_eq!(asked(&scene, "BA").await.0.outcome(), EvaluationOutcome::Met);
    let (code, same_as) = ("ANA1".to_owned(), "ANA-1".to_owned());
    let alias = pb::CourseAlias { institution: 1, code, same_as, withdrawn: false };
    submit(client, one, &[public(Kind::CourseAlias, &alias)], Vec::new()).await.expect("published");
    assert_eq!(confer(client, one, &both()).await.expect_err("one course"), Reason::TooManyRepeats);
    let (answer, draft) = asked(&scene, "BA").await;
    assert_eq!((answer.outcome(), draft), (EvaluationOutcome::Missing, None));
    let unused: Vec<&str> = answer.unused.iter().map(|one| one.reason.as_str()).collect();
    assert!(unused.len() == 1 && unused[0].contains("another pass"), "{unused:?}");
    // Each by itself, in two awards.
    let first = award(1, *own, "CERT", std::slice::from_ref(&own_pass));
    confer(client, one, &first).await.expect("the Credit");
    let second = award(1, *own, "MINOR", std::slice::from_ref(&converted));
    let mut second = pb::Award { redeems: vec![reference(&receipt, 0, &away)], ..second };
    second.allocations[0].result_plus_1 = 1;
    confer(client, one, &second).await.expect("what was recognised");
    replayed(client).await;
}
