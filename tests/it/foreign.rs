//! Diplomas of elsewhere: one for a learner, whoever records it, and awards draw on it together.

use creditbank_fixtures::{award, definition, document};
use creditbank_protocol::pb::{self, Kind, RecordReference};
use creditbank_rpc::Reason;
use creditbank_tests::Scene;
use creditbank_tests::acts::replayed;
use creditbank_tests::degrees::{confer, revoke, seal};

use crate::recognition::{counting, diploma, exempting};

/// Goal: one diploma does not pay for degrees at two universities: the second one cannot record it anew, is told where it is,
/// also of one that is only alike, and what it gives for the same diploma counts only as far as something is left of it. When
/// the diploma is revoked, everything that stands on it is under review.
#[tokio::test]
async fn a_diploma_pays_once() {
    let scene = Scene::with(&[definition(1, "CERT", 60), definition(2, "CERT", 60)]).await;
    let Scene { client, one, two, own, other, .. } = &scene;
    let first = seal(client, one, Kind::ForeignAward, &diploma(*own), Vec::new()).await.expect("recorded");

    // The other university has another scan of the same document.
    let scanned = pb::ForeignAward { evidence: vec![vec![4; 32]], ..diploma(*other) };
    let refused = one_record(&scene, &scanned).await.expect_err("recorded before");
    assert_eq!(refused, Reason::DuplicateRecord);
    let unnumbered = pb::ForeignAward { number: String::new(), ..scanned.clone() };
    assert_eq!(one_record(&scene, &unnumbered).await.expect_err("it is alike"), Reason::CloseMatch);
    let distinct_from =
        vec![pb::DistinctAward { award: Some(first.clone()), reason: "A second licence of that day".to_owned() }];
    let second = pb::ForeignAward { number: "2020/18".to_owned(), distinct_from, ..scanned };
    let second = one_record(&scene, &second).await.expect("a person says that it is another");

    // Both give all of it, and one of them can count it.
    let given = exempting(*own, &first, &first);
    let given = seal(client, one, Kind::QualificationRecognition, &given, Vec::new()).await.expect("recognised");
    let also = exempting(*other, &first, &first);
    let also = seal(client, two, Kind::QualificationRecognition, &also, Vec::new()).await.expect("recognised too");
    let here = counting(award(1, *own, "CERT", std::slice::from_ref(&given)));
    let here = confer(client, one, &here).await.expect("the whole diploma");
    let there = counting(award(2, *other, "CERT", std::slice::from_ref(&also)));
    assert_eq!(confer(client, two, &there).await.expect_err("nothing is left"), Reason::AlreadySpent);
    revoke(client, one, &here, &[(&given, &here)], &[]).await.expect("the first award is revoked");
    let there = pb::Award {
        documents: vec![document("C-2")],
        ..counting(award(2, *other, "CERT", std::slice::from_ref(&also)))
    };
    let there = confer(client, two, &there).await.expect("free again");

    revoke(client, one, &first, &[], &[there.clone(), given.clone(), also.clone()]).await.expect("it was forged");
    let distinct_from = vec![pb::DistinctAward { award: Some(second), reason: "A second licence".to_owned() }];
    let again = pb::ForeignAward { distinct_from, ..diploma(*own) };
    let again = seal(client, one, Kind::ForeignAward, &again, Vec::new()).await.expect("recorded anew");
    let anew = exempting(*own, &again, &again);
    let anew = seal(client, one, Kind::QualificationRecognition, &anew, Vec::new()).await.expect("recognised");
    let more = counting(award(1, *own, "CERT", std::slice::from_ref(&anew)));
    assert_eq!(confer(client, one, &more).await.expect_err("the other award stands"), Reason::AlreadySpent);
    replayed(client).await;
}

/// The second university records a diploma.
async fn one_record(scene: &Scene, diploma: &pb::ForeignAward) -> Result<RecordReference, Reason> {
    seal(&scene.client, &scene.two, Kind::ForeignAward, diploma, Vec::new()).await
}
