//! Awards on awards, and what is taken back below them: whatever is amended, revoked or absorbed, no root pays twice.

use creditbank_fixtures::{absorbing, award, credit, definition, document, mandate, overlapping};
use creditbank_protocol::pb::{self, Kind, RecordReference};
use creditbank_rpc::Reason;
use creditbank_tests::Scene;
use creditbank_tests::acts::{replayed, submit};
use creditbank_tests::degrees::{amending, by_place, confer, revoke, seal, stand_by};

/// What happens to the credit and the awards of the first university.
trait Stack {
    /// A credit of 60 CATS.
    async fn credit(&self, course: &str) -> RecordReference;

    /// An amendment of it, with reviews of what depends on it.
    async fn amend(&self, of: &RecordReference, course: &str, reviews: &[RecordReference]) -> RecordReference;

    /// An award that absorbs others, redeeming what it needs.
    fn award(
        &self,
        code: &str,
        counted: &[RecordReference],
        redeems: &[RecordReference],
        absorbs: &[RecordReference],
    ) -> pb::Award;
}

/// The same definition, which a learner may hold several times.
fn repeatable(definition: pb::QualificationDefinition) -> pb::QualificationDefinition {
    pb::QualificationDefinition { repeatable: true, ..definition }
}

impl Stack for Scene {
    async fn credit(&self, course: &str) -> RecordReference {
        let entry = credit(self.own, course);
        seal(&self.client, &self.one, Kind::Credit, &entry, Vec::new()).await.expect("issued")
    }

    async fn amend(&self, of: &RecordReference, course: &str, reviews: &[RecordReference]) -> RecordReference {
        let (amends, groups) = amending(of, reviews);
        let entry = pb::Credit { amends, language: "en".to_owned(), ..credit(self.own, course) };
        seal(&self.client, &self.one, Kind::Credit, &entry, groups).await.expect("amended")
    }

    fn award(
        &self,
        code: &str,
        counted: &[RecordReference],
        redeems: &[RecordReference],
        absorbs: &[RecordReference],
    ) -> pb::Award {
        let redeems = by_place([redeems, absorbs].concat());
        let documents = vec![document(code)];
        let absorbs = by_place(absorbs.to_vec());
        pb::Award { redeems, absorbs, documents, ..award(1, self.own, code, &by_place(counted.to_vec())) }
    }
}

/// Goal: a record that paid for an award has paid for its amendments too: however it is corrected, it pays for nothing else
/// until that award is revoked; and what takes back the amendment still puts the award under review.
#[tokio::test]
async fn an_amended_credit_pays_once() {
    let scene = Scene::with(&[definition(1, "CERT", 60), definition(2, "CERT", 60)]).await;
    let Scene { client, one, two, .. } = &scene;
    let first = scene.credit("AAA").await;
    let awarded =
        confer(client, one, &award(1, scene.own, "CERT", std::slice::from_ref(&first))).await.expect("an award");
    let (_, silent) = amending(&first, &[]);
    let (amends, _) = amending(&first, &[]);
    let entry = pb::Credit { amends, ..credit(scene.own, "AAA") };
    let refused = seal(client, one, Kind::Credit, &entry, silent).await;
    assert_eq!(refused.expect_err("a silent amendment"), Reason::DependantsNotReviewed);
    let second = scene.amend(&first, "AAA", std::slice::from_ref(&awarded)).await;
    stand_by(client, one, &awarded).await.expect("the award stands");
    let again = award(2, scene.other, "CERT", std::slice::from_ref(&second));
    assert_eq!(confer(client, two, &again).await.expect_err("paid for the first"), Reason::AlreadySpent);
    // Nor after one more amendment, which the award hears of.
    let third = scene.amend(&second, "AAA", std::slice::from_ref(&awarded)).await;
    let again = award(2, scene.other, "CERT", std::slice::from_ref(&third));
    assert_eq!(confer(client, two, &again).await.expect_err("paid for the first"), Reason::AlreadySpent);
    // Revoking the award gives all of it back.
    revoke(client, one, &awarded, &[(&first, &awarded)], &[]).await.expect("revoked and released");
    confer(client, two, &again).await.expect("free again");
    replayed(client).await;
}

/// Goal: certificate, diploma and degree absorb each other; each hands its roots over, and pays for nothing by itself again.
/// Method: the three, then every order of revoking them.
#[tokio::test]
async fn absorbed_awards_hand_their_roots_over() {
    let definitions = [
        definition(1, "CERT", 60),
        absorbing(1, "DIPL", 120, &["CERT"]),
        absorbing(1, "BA", 180, &["CERT", "DIPL"]),
        repeatable(definition(2, "CERT", 60)),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let scene = Scene::with(&definitions).await;
        let Scene { client, one, two, .. } = &scene;
        let credits = [scene.credit("AAA").await, scene.credit("BBB").await, scene.credit("CCC").await];
        let cert = confer(client, one, &scene.award("CERT", &credits[..1], &credits[..1], &[])).await.expect("60");
        let greedy = scene.award("DIPL", &credits[..2], &credits[..2], &[]);
        assert_eq!(confer(client, one, &greedy).await.expect_err("not absorbed"), Reason::AlreadySpent);
        let absorbs = std::slice::from_ref(&cert);
        let dipl =
            confer(client, one, &scene.award("DIPL", &credits[..2], &credits[1..2], absorbs)).await.expect("120");
        // The certificate was handed over: nobody absorbs it a second time.
        let twice = scene.award("BA", &credits, &credits[2..], absorbs);
        assert_eq!(confer(client, one, &twice).await.expect_err("handed over"), Reason::AlreadySpent);
        let absorbs = std::slice::from_ref(&dipl);
        let degree = confer(client, one, &scene.award("BA", &credits, &credits[2..], absorbs)).await.expect("180");
        let elsewhere = |root: &RecordReference| award(2, scene.other, "CERT", std::slice::from_ref(root));
        let awards = [&cert, &dipl, &degree];
        // What each has redeemed, and which one stands on it.
        let holds: [Vec<&RecordReference>; 3] = [vec![&credits[0]], vec![&credits[1], &cert], vec![&credits[2], &dipl]];
        let mut gone = Vec::new();
        let mut absorbed = [true, true, false];
        for which in order {
            // Absorbed, it holds nothing any more that it could give back.
            let kept = holds[which].iter().filter(|_| !absorbed[which]);
            let releases: Vec<_> = kept.map(|one| (*one, awards[which])).collect();
            if !absorbed[which] && which > 0 {
                absorbed[which - 1] = false;
            }
            // The next one depends on it, unless it is gone. The degree depends on the diploma alone.
            let stands = which < 2 && !gone.contains(&(which + 1));
            let above: Vec<_> = stands.then(|| awards[which + 1].clone()).into_iter().collect();
            let revoked = revoke(client, one, awards[which], &releases, &above).await;
            revoked.unwrap_or_else(|rule| panic!("{order:?} {which}: {rule}"));
            gone.push(which);
            if gone.len() < 3 && !gone.contains(&2) {
                for root in &credits {
                    let refused = confer(client, two, &elsewhere(root)).await;
                    assert_eq!(refused.expect_err("the degree stands"), Reason::AlreadySpent, "{order:?}");
                }
            }
        }
        // What was absorbed when it was revoked lets go afterwards, from the last one on.
        for (which, held) in holds.iter().enumerate().rev() {
            let effects = held
                .iter()
                .map(|one| creditbank_tests::degrees::release(one, awards[which].place.expect("a place").entry));
            for effect in effects {
                let group = creditbank_tests::acts::group(creditbank_tests::acts::by(pb::Basis::Issuer), vec![effect]);
                match submit(client, one, &[], vec![group]).await {
                    Ok(_) => {}
                    Err(rule) => assert_eq!(rule, Reason::StatusForbids, "released before"),
                }
            }
        }
        for root in &credits {
            confer(client, two, &elsewhere(root)).await.expect("free again");
        }
        replayed(client).await;
    }
}

/// Goal: an absorbed award that is amended has still handed its roots over: it can be absorbed by no second one, and its
/// revocation gives nothing back while the later award stands.
#[tokio::test]
async fn an_amended_award_stays_absorbed() {
    let definitions = [
        definition(1, "CERT", 60),
        absorbing(1, "DIPL", 120, &["CERT"]),
        absorbing(1, "BA", 120, &["CERT"]),
        definition(2, "CERT", 60),
    ];
    let scene = Scene::with(&definitions).await;
    let Scene { client, one, two, .. } = &scene;
    let credits = [scene.credit("AAA").await, scene.credit("BBB").await, scene.credit("CCC").await];
    let first = scene.award("CERT", &credits[..1], &credits[..1], &[]);
    let cert = confer(client, one, &first).await.expect("an award");
    let absorbs = std::slice::from_ref(&cert);
    let dipl = confer(client, one, &scene.award("DIPL", &credits[..2], &credits[1..2], absorbs)).await.expect("120");
    let (amends, groups) = amending(&cert, std::slice::from_ref(&dipl));
    let (classification, mandate) = ("with distinction".to_owned(), Some(mandate()));
    let renamed = pb::Award { amends, classification, mandate, ..first };
    let renamed = seal(client, one, Kind::Award, &renamed, groups).await.expect("amended");
    stand_by(client, one, &dipl).await.expect("the diploma stands");
    let counted = [credits[0].clone(), credits[2].clone()];
    let twice = scene.award("BA", &counted, &counted[1..], std::slice::from_ref(&renamed));
    assert_eq!(confer(client, one, &twice).await.expect_err("handed over"), Reason::AlreadySpent);
    let dependant = std::slice::from_ref(&dipl);
    let refused = revoke(client, one, &renamed, &[(&credits[0], &cert)], dependant).await;
    assert_eq!(refused.expect_err("the diploma holds it"), Reason::EffectMismatch);
    let refused = revoke(client, one, &renamed, &[], &[]).await;
    assert_eq!(refused.expect_err("the diploma hears of it"), Reason::DependantsNotReviewed);
    revoke(client, one, &renamed, &[], dependant).await.expect("revoked");
    let elsewhere = award(2, scene.other, "CERT", &credits[..1]);
    assert_eq!(confer(client, two, &elsewhere).await.expect_err("the diploma stands"), Reason::AlreadySpent);
    replayed(client).await;
}

/// Goal: an overlap is between two definitions that both allow it, up to their sum; a third award may not join one of them, and
/// what one gives back is not free while the other counts it.
#[tokio::test]
async fn an_overlap_is_between_two() {
    let scene =
        Scene::with(&[definition(1, "MATHS", 120), definition(1, "LAW", 60), repeatable(definition(2, "CERT", 60))])
            .await;
    let physics = overlapping("PHYSICS", 120, &[(1, "MATHS", 60), (1, "LAW", 60)]);
    scene.publish(&physics).await;
    let maths = pb::QualificationDefinition { version: 2, ..overlapping("MATHS", 120, &[(1, "PHYSICS", 60)]) };
    let law = pb::QualificationDefinition { version: 2, ..overlapping("LAW", 60, &[(1, "PHYSICS", 60)]) };
    scene.publish(&maths).await;
    scene.publish(&law).await;
    let Scene { client, one, two, .. } = &scene;
    let credits = [scene.credit("AAA").await, scene.credit("BBB").await, scene.credit("CCC").await];
    let second = |award: pb::Award| pb::Award {
        definition: award.definition.map(|name| pb::QualificationName { version: 2, ..name }),
        ..award
    };
    let first =
        confer(client, one, &second(scene.award("MATHS", &credits[..2], &credits[..2], &[]))).await.expect("120");
    let both = scene.award("PHYSICS", &credits[..2], &[], &[]);
    assert_eq!(confer(client, one, &both).await.expect_err("120 of 60"), Reason::AlreadySpent);
    let half = scene.award("PHYSICS", &credits[1..], &credits[2..], &[]);
    let overlaps = confer(client, one, &half).await.expect("60 in common");
    // Law may overlap with physics, not with maths, which counts the same credit.
    let third = second(scene.award("LAW", &credits[1..2], &[], &[]));
    assert_eq!(confer(client, one, &third).await.expect_err("in maths too"), Reason::AlreadySpent);
    let joins = second(scene.award("LAW", &credits[2..], &[], &[]));
    let law = confer(client, one, &joins).await.expect("in physics alone");
    // Maths lets go; physics still counts what they had in common.
    revoke(client, one, &first, &[(&credits[0], &first), (&credits[1], &first)], &[]).await.expect("released");
    let elsewhere = award(2, scene.other, "CERT", &credits[1..2]);
    assert_eq!(confer(client, two, &elsewhere).await.expect_err("physics counts it"), Reason::AlreadySpent);
    confer(client, two, &award(2, scene.other, "CERT", &credits[..1])).await.expect("nobody counts it");
    revoke(client, one, &overlaps, &[(&credits[2], &overlaps)], &[]).await.expect("released");
    confer(client, two, &pb::Award { documents: vec![document("C-2")], ..elsewhere }).await.expect("free again");
    let late = award(2, scene.other, "CERT", &credits[2..]);
    assert_eq!(confer(client, two, &late).await.expect_err("law counts it"), Reason::AlreadySpent);
    revoke(client, one, &law, &[], &[]).await.expect("it has redeemed nothing");
    confer(client, two, &late).await.expect("free again");
    replayed(client).await;
}

/// Goal: an award that was made because of an earlier one hears when that one is revoked.
#[tokio::test]
async fn an_award_stands_on_those_that_it_asks_for() {
    let asks = |mut entry: pb::QualificationDefinition| {
        let all = pb::Requirement { r#type: pb::RequirementType::All.into(), ..Default::default() };
        let credits = pb::Requirement { parent: 1, ..entry.requirements[0].clone() };
        let awards = vec![creditbank_fixtures::definition_name(1, "CERT", 0)];
        let prior =
            pb::Requirement { parent: 1, r#type: pb::RequirementType::Award.into(), awards, ..Default::default() };
        entry.requirements = vec![all, credits, prior];
        entry
    };
    let scene = Scene::with(&[definition(1, "CERT", 60), asks(definition(1, "MA", 60))]).await;
    let Scene { client, one, .. } = &scene;
    let credits = [scene.credit("AAA").await, scene.credit("BBB").await];
    let mut master = scene.award("MA", &credits[1..], &credits[1..], &[]);
    master.allocations[0].requirement = 2;
    assert_eq!(confer(client, one, &master).await.expect_err("no certificate"), Reason::RequirementsNotMet);
    let cert = confer(client, one, &scene.award("CERT", &credits[..1], &credits[..1], &[])).await.expect("an award");
    let master = confer(client, one, &master).await.expect("a master");
    let refused = revoke(client, one, &cert, &[(&credits[0], &cert)], &[]).await;
    assert_eq!(refused.expect_err("a master stands on it"), Reason::DependantsNotReviewed);
    revoke(client, one, &cert, &[(&credits[0], &cert)], &[master]).await.expect("revoked");
    replayed(client).await;
}
