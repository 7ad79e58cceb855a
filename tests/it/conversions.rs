//! Agreements between two universities, and conversions under them.

use creditbank_fixtures::{agreement_name, award, credit, definition, mandate, terms};
use creditbank_protocol::Alias;
use creditbank_protocol::pb::{self, Action, AgreementTerms, Basis, Effect, EffectReason, Kind, RecordReference};
use creditbank_protocol::record::Record;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{
    EvaluateQualificationRequest, InstitutionAlias, LearnerReference, PreviewConversionRequest, PreviewSource,
};
use creditbank_tests::Scene;
use creditbank_tests::acts::{alias, by, effect, group, public, redeem, reference, replayed, submit};
use creditbank_tests::degrees::{amending, confer, revoke, seal};
use creditbank_tests::university::record;

/// Two universities with an agreement.
async fn scene(terms: &AgreementTerms) -> Scene {
    let scene = Scene::new().await;
    scene.agree(terms).await.expect("an agreement");
    scene
}

/// The way back, in whole CATS for one ECTS.
fn home(cats: u64) -> AgreementTerms {
    AgreementTerms {
        sender: 2,
        receiver: 1,
        source_unit: "ECTS".to_owned(),
        target_unit: "CATS".to_owned(),
        ratio: Some(pb::Ratio { numerator: cats, denominator: 1 }),
        ..terms("BACK")
    }
}

/// A learner's alias at the receiver, and credits of 60 CATS at the sender, whole as a transcript shows them.
async fn credits(
    scene: &Scene,
    number: u64,
    courses: &[&str],
) -> (Alias, Vec<RecordReference>, Vec<pb::DisclosedRecord>) {
    let learner = alias(&scene.node, &scene.one, number).await;
    let records: Vec<Record> = courses.iter().map(|code| record(Kind::Credit, &credit(learner, code), 1)).collect();
    let receipt = submit(&scene.client, &scene.one, &records, Vec::new()).await.expect("issued");
    let references: Vec<_> = (0u32..).zip(&records).map(|(at, record)| reference(&receipt, at, record)).collect();
    let shown = references.iter().zip(&records).map(|(reference, record)| pb::DisclosedRecord {
        place: reference.place,
        kind: record.kind().into(),
        version: 1,
        seed: record.seed().to_vec(),
        body: record.body().to_vec(),
        ..Default::default()
    });
    (alias(&scene.node, &scene.two, number).await, references.clone(), shown.collect())
}

/// What the receiver is told that a conversion would give, completed.
async fn preview(
    scene: &Scene,
    alias: Alias,
    code: &str,
    sources: &[RecordReference],
    shown: &[pb::DisclosedRecord],
) -> Result<(pb::Conversion, bool), Reason> {
    let request = PreviewConversionRequest {
        institution: 2,
        alias: alias.to_vec(),
        agreement: Some(agreement_name(code)),
        sources: sources.iter().map(|one| PreviewSource { place: one.place, result_plus_1: 0 }).collect(),
        shown: shown.to_vec(),
        ..Default::default()
    };
    let preview = scene.two.client(&scene.node).await.preview_conversion(request).await;
    match preview {
        Ok(preview) => {
            let (decider, mandate) = ("A registrar".to_owned(), Some(mandate()));
            Ok((pb::Conversion { decider, mandate, ..preview.conversion }, preview.exclusive))
        }
        Err(creditbank_client::ClientError::Refused(refusal)) => Err(refusal.why()),
        Err(other) => panic!("{other}"),
    }
}

/// Goal: a conversion is what the agreement gives, recomputed by the node to the last digit; its sources are converted once.
#[tokio::test]
async fn a_conversion_is_recomputed() {
    let scene = scene(&terms("ONE-TWO")).await;
    let (alias, sources, shown) = credits(&scene, 7, &["AAA", "BBB"]).await;
    // Who was not shown the records learns nothing of them.
    assert_eq!(preview(&scene, alias, "ONE-TWO", &sources, &[]).await.expect_err("not shown"), Reason::NotFound);
    let (conversion, exclusive) = preview(&scene, alias, "ONE-TWO", &sources, &shown).await.expect("a preview");
    assert!(!exclusive);
    let amounts: Vec<_> = conversion.results.iter().filter_map(|one| one.amount.clone()).collect();
    assert_eq!(amounts, vec![pb::Amount { e4: 300_000, unit: "ECTS".to_owned() }; 2]);
    let Scene { client, two, .. } = &scene;
    let mut greedy = conversion.clone();
    greedy.results[0].amount = Some(pb::Amount { e4: 305_000, unit: "ECTS".to_owned() });
    let refused = submit(client, two, &[record(Kind::Conversion, &greedy, 1)], Vec::new()).await;
    assert_eq!(refused.expect_err("half a credit more"), Reason::ConversionDiffers);
    let unwanted = pb::Conversion { mandate: None, ..conversion.clone() };
    let refused = submit(client, two, &[record(Kind::Conversion, &unwanted, 1)], Vec::new()).await;
    assert_eq!(refused.expect_err("no mandate"), Reason::NoMandate);
    let converted = record(Kind::Conversion, &conversion, 1);
    let receipt = submit(client, two, std::slice::from_ref(&converted), Vec::new()).await.expect("a conversion");
    let again = preview(&scene, alias, "ONE-TWO", &sources[..1], &shown).await;
    assert_eq!(again.expect_err("converted before"), Reason::AlreadySpent);
    let known = InstitutionAlias { institution: 2, alias: alias.to_vec() };
    let reader = two.client(&scene.node).await;
    let lines = reader.balance(Learner::Alias(known)).await.expect("a balance");
    let line = lines.iter().map(|line| (line.unit.as_str(), line.status.as_str(), line.amount_e4));
    assert_eq!(line.collect::<Vec<_>>(), [("ECTS", "spendable", 600_000)]);

    // When a source is taken back, the conversion is under review, and gives nothing until that is settled.
    let converted = reference(&receipt, 0, &converted);
    let reason = EffectReason::Error.into();
    let mut groups = vec![
        group(by(Basis::Issuer), vec![Effect { reason, ..effect(Action::Revoke, &sources[0]) }]),
        group(by(Basis::Dependency), vec![effect(Action::Review, &converted)]),
    ];
    groups.sort_by_key(|group| creditbank_protocol::canonical::encode(group).expect("canonical"));
    submit(client, &scene.one, &[], groups).await.expect("revoked");
    let close = vec![group(by(Basis::Issuer), vec![effect(Action::CloseReview, &converted)])];
    submit(client, two, &[], close).await.expect("the receiver stands by it");
    replayed(client).await;
}

/// Goal: under an exclusive agreement the sources are redeemed by the conversion, and only its revocation gives them back.
#[tokio::test]
async fn an_exclusive_conversion_redeems_its_sources() {
    let exclusive = AgreementTerms { exclusive: true, ..terms("EXCLUSIVE") };
    let scene = scene(&exclusive).await;
    let (alias, sources, shown) = credits(&scene, 7, &["AAA", "BBB"]).await;
    let Scene { client, two, .. } = &scene;
    let (conversion, exclusive) = preview(&scene, alias, "EXCLUSIVE", &sources, &shown).await.expect("a preview");
    assert!(exclusive);
    let converted = record(Kind::Conversion, &conversion, 1);
    let refused = submit(client, two, std::slice::from_ref(&converted), Vec::new()).await;
    assert_eq!(refused.expect_err("nothing redeemed"), Reason::EffectMismatch);
    let receipt =
        submit(client, two, std::slice::from_ref(&converted), redeem(two, Kind::Conversion, &conversion, &sources))
            .await
            .expect("a conversion");
    let (other, open) = (AgreementTerms { tier: pb::Tier::Group.into(), ..terms("OPEN") }, "OPEN");
    scene.agree(&other).await.expect("another agreement, of another tier");
    let refused = preview(&scene, alias, open, &sources, &shown).await;
    assert_eq!(refused.expect_err("redeemed"), Reason::AlreadySpent);
    let reason = EffectReason::Decision.into();
    let revoked = reference(&receipt, 0, &converted);
    let release =
        |one: &RecordReference| Effect { redemption_plus_1: receipt.index + 1, ..effect(Action::Release, one) };
    let mut effects = vec![Effect { reason, ..effect(Action::Revoke, &revoked) }];
    effects.extend(sources.iter().map(release));
    submit(client, two, &[], vec![group(by(Basis::Issuer), effects)]).await.expect("revoked and released");
    // The most specific agreement wins, also now.
    let refused = preview(&scene, alias, open, &sources, &shown).await;
    assert_eq!(refused.expect_err("a more specific agreement is in force"), Reason::NotMostSpecific);
    preview(&scene, alias, "EXCLUSIVE", &sources, &shown).await.expect("free again");
    replayed(client).await;
}

/// Goal: two agreements of one tier never cover the same credit, and an ended one gives nothing.
#[tokio::test]
async fn agreements_do_not_overlap() {
    let scene = scene(&terms("FIRST")).await;
    assert_eq!(scene.agree(&terms("SECOND")).await.expect_err("the same credit"), Reason::AgreementsOverlap);
    let today = creditbank_protocol::dates::day_of_ms(creditbank_tests::chain::now_s() * 1_000);
    let ending = |days: i64| pb::AgreementEnding {
        institution: 1,
        agreement: Some(agreement_name("FIRST")),
        ends: Some(creditbank_protocol::dates::date_of(today + days)),
    };
    let Scene { client, one, .. } = &scene;
    let refused = submit(client, one, &[public(Kind::AgreementEnding, &ending(29))], Vec::new()).await;
    assert_eq!(refused.expect_err("30 days of notice"), Reason::InvalidDate);
    submit(client, one, &[public(Kind::AgreementEnding, &ending(31))], Vec::new()).await.expect("in time");
    replayed(client).await;
}

/// What a conversion at the sender of a result that stands at the receiver gives.
async fn back(
    scene: &Scene,
    alias: Alias,
    of: &RecordReference,
    shown: &[pb::DisclosedRecord],
) -> Result<pb::Conversion, Reason> {
    let request = PreviewConversionRequest {
        institution: 1,
        alias: alias.to_vec(),
        agreement: Some(agreement_name("BACK")),
        sources: vec![PreviewSource { place: of.place, result_plus_1: 1 }],
        shown: shown.to_vec(),
        ..Default::default()
    };
    match scene.one.client(&scene.node).await.preview_conversion(request).await {
        Ok(preview) => {
            let (decider, mandate) = ("A registrar".to_owned(), Some(mandate()));
            Ok(pb::Conversion { decider, mandate, ..preview.conversion })
        }
        Err(creditbank_client::ClientError::Refused(refusal)) => Err(refusal.why()),
        Err(other) => panic!("{other}"),
    }
}

fn shown(of: &RecordReference, conversion: &pb::Conversion, salt: u8) -> pb::DisclosedRecord {
    let record = record(Kind::Conversion, conversion, salt);
    pb::DisclosedRecord {
        place: of.place,
        kind: record.kind().into(),
        version: 1,
        seed: record.seed().to_vec(),
        body: record.body().to_vec(),
        ..Default::default()
    }
}

/// Goal: converted here and back, exclusively or not, amended or not, a root pays for one award; and it never becomes more.
#[tokio::test]
async fn a_chain_of_conversions_pays_once() {
    let scene = scene(&AgreementTerms { exclusive: true, ..terms("EXCLUSIVE") }).await;
    scene.agree(&home(3)).await.expect("the way back, at three for one");
    let Scene { client, one, two, node, .. } = &scene;
    let ects = |code: &str| pb::QualificationDefinition { unit: "ECTS".to_owned(), ..definition(2, code, 30) };
    for (by, entry) in [(two, ects("DIPL")), (two, ects("CERT")), (one, definition(1, "CERT", 60))] {
        submit(client, by, &[public(Kind::QualificationDefinition, &entry)], Vec::new()).await.expect("published");
    }
    let (there, sources, seen) = credits(&scene, 7, &["AAA"]).await;
    let here = alias(node, one, 7).await;
    let (conversion, _) = preview(&scene, there, "EXCLUSIVE", &sources, &seen).await.expect("a preview");
    let first = record(Kind::Conversion, &conversion, 1);
    let receipt =
        submit(client, two, std::slice::from_ref(&first), redeem(two, Kind::Conversion, &conversion, &sources))
            .await
            .expect("converted");
    let first = reference(&receipt, 0, &first);
    let returned = back(&scene, here, &first, &[shown(&first, &conversion, 1)]).await.expect("a preview");
    assert_eq!(returned.results[0].amount.as_ref().map(|amount| amount.e4), Some(600_000), "60 of 90");
    let returned = seal(client, one, Kind::Conversion, &returned, Vec::new()).await.expect("back again");

    let counting = |mut award: pb::Award, redeems: &RecordReference| {
        award.allocations[0].result_plus_1 = 1;
        pb::Award { redeems: vec![redeems.clone()], ..award }
    };
    let one_of = |record: &RecordReference| std::slice::from_ref(record).to_vec();
    let direct = award(1, here, "CERT", &sources);
    assert_eq!(confer(client, one, &direct).await.expect_err("redeemed at home"), Reason::AlreadySpent);
    // The conversion home stands on the exclusive one, which holds the root: that is what an award redeems.
    let at_home = counting(award(1, here, "CERT", &one_of(&returned)), &first);
    let at_home = confer(client, one, &at_home).await.expect("60 CATS");
    let elsewhere = counting(award(2, there, "DIPL", &one_of(&first)), &first);
    assert_eq!(confer(client, two, &elsewhere).await.expect_err("spent at home"), Reason::AlreadySpent);
    // Amended, it is the same.
    let (amends, groups) = amending(&first, &[at_home.clone(), returned.clone()]);
    let (decider, mandate) = ("Another registrar".to_owned(), Some(mandate()));
    let renewed = pb::Conversion { amends, decider, mandate, ..conversion.clone() };
    let newer = seal(client, two, Kind::Conversion, &renewed, groups).await.expect("amended");
    let elsewhere = counting(award(2, there, "DIPL", &one_of(&newer)), &newer);
    assert_eq!(confer(client, two, &elsewhere).await.expect_err("spent at home"), Reason::AlreadySpent);
    let known = InstitutionAlias { institution: 2, alias: there.to_vec() };
    let lines = two.client(node).await.balance(Learner::Alias(known)).await.expect("a balance");
    assert!(lines.iter().all(|line| line.status != "spendable"), "{lines:?}");
    // The root, amended, is not converted a second time.
    let (amends, groups) = amending(&sources[0], std::slice::from_ref(&newer));
    let corrected = pb::Credit { amends, language: "en".to_owned(), ..credit(here, "AAA") };
    let corrected = record(Kind::Credit, &corrected, 9);
    let receipt = submit(client, one, std::slice::from_ref(&corrected), groups).await.expect("amended");
    let root = reference(&receipt, 0, &corrected);
    let seen = pb::DisclosedRecord {
        place: root.place,
        kind: Kind::Credit.into(),
        version: 1,
        seed: corrected.seed().to_vec(),
        body: corrected.body().to_vec(),
        ..Default::default()
    };
    let again = preview(&scene, there, "EXCLUSIVE", &one_of(&root), std::slice::from_ref(&seen)).await;
    assert_eq!(again.expect_err("the conversion holds it"), Reason::AlreadySpent);
    // Everything is taken back, from the award on; then the root is free.
    revoke(client, one, &at_home, &[(&first, &at_home)], &[]).await.expect("revoked");
    revoke(client, one, &returned, &[], &[]).await.expect("revoked");
    revoke(client, two, &newer, &[(&sources[0], &first)], &[]).await.expect("revoked and released");
    preview(&scene, there, "EXCLUSIVE", &one_of(&root), &[seen]).await.expect("free again");
    confer(client, one, &award(1, here, "CERT", &one_of(&root))).await.expect("free again");
    replayed(client).await;
}

/// Goal: the largest conversions, of each other, and an award that counts all of them, hold up the one thread that admits blocks
/// for a moment and no longer: each record is read once, however many of its results are named.
/// Method: as many sources as fit, there and back again four times; then an award. Times are of debug builds.
#[tokio::test]
async fn the_largest_conversions_are_admitted_in_a_moment() {
    const SOURCES: usize = 150;
    let scene = scene(&terms("THERE")).await;
    scene.agree(&home(2)).await.expect("the way back");
    let Scene { client, one, two, node, .. } = &scene;
    submit(client, one, &[public(Kind::QualificationDefinition, &definition(1, "BA", 60))], Vec::new())
        .await
        .expect("published");
    let courses: Vec<String> = (0..SOURCES).map(|at| format!("C{at}")).collect();
    let courses: Vec<&str> = courses.iter().map(String::as_str).collect();
    let (there, roots, mut seen) = credits(&scene, 7, &courses).await;
    let here = alias(node, one, 7).await;
    let mut sources: Vec<_> = roots.iter().map(|one| PreviewSource { place: one.place, result_plus_1: 0 }).collect();
    let mut last = None;
    for turn in 0u8..8 {
        let (by, alias, code) = if turn % 2 == 0 { (two, there, "THERE") } else { (one, here, "BACK") };
        let request = PreviewConversionRequest {
            institution: by.institution,
            alias: alias.to_vec(),
            agreement: Some(agreement_name(code)),
            sources: sources.clone(),
            shown: seen.clone(),
            ..Default::default()
        };
        let begun = std::time::Instant::now();
        let preview = by.client(node).await.preview_conversion(request).await.expect("a preview");
        let previewed = begun.elapsed();
        let (decider, mandate) = ("R".to_owned(), Some(mandate()));
        let conversion = pb::Conversion { decider, mandate, ..preview.conversion };
        let begun = std::time::Instant::now();
        let converted = seal(client, by, Kind::Conversion, &conversion, Vec::new()).await.expect("converted");
        println!("turn {turn}: previewed in {previewed:?}, admitted in {:?}", begun.elapsed());
        assert!(begun.elapsed().as_secs() < 5, "turn {turn}");
        let salt = creditbank_tests::degrees::salt(&conversion);
        seen = vec![shown(&converted, &conversion, salt)];
        let result = |number| PreviewSource { place: converted.place, result_plus_1: number };
        sources = (1..).take(conversion.results.len()).map(result).collect();
        last = Some(converted);
    }
    let last = last.expect("a conversion");
    let known = InstitutionAlias { institution: 1, alias: here.to_vec() };
    let question = EvaluateQualificationRequest {
        learner: Some(LearnerReference { learner: Some(Learner::Alias(known)) }),
        definition: Some(pb::QualificationName { institution: 1, code: "BA".to_owned(), version: 1 }),
        ..Default::default()
    };
    let begun = std::time::Instant::now();
    let (answer, _) = one.client(node).await.evaluate(question).await.expect("an answer");
    println!("evaluated in {:?}: {:?}", begun.elapsed(), answer.outcome());
    assert!(begun.elapsed().as_secs() < 15);
    let allocation = |number| pb::Allocation { requirement: 1, record: Some(last.clone()), result_plus_1: number };
    let allocations = (1..).take(SOURCES).map(allocation).collect();
    let degree = pb::Award { allocations, redeems: roots, ..award(1, here, "BA", &[]) };
    let begun = std::time::Instant::now();
    confer(client, one, &degree).await.expect("an award");
    println!("award admitted in {:?}", begun.elapsed());
    assert!(begun.elapsed().as_secs() < 5);
    replayed(client).await;
}
