//! Declared awards: the Credits that they consume pay for nothing else.

use creditbank_fixtures::{absorbing, award, credit, definition, document, mandate};
use creditbank_protocol::pb::{self, Kind, RecordReference};
use creditbank_rpc::Reason;
use creditbank_tests::Scene;
use creditbank_tests::acts::replayed;
use creditbank_tests::degrees::{confer, revoke, seal};

/// A declared award of the first university that consumes these credits.
fn declared(scene: &Scene, consumes: &[RecordReference]) -> pb::Award {
    let base = award(1, scene.own, "CERT", consumes);
    pb::Award {
        basis: pb::AwardBasis::Declared.into(),
        allocations: Vec::new(),
        documents: vec![document("D-1")],
        ..base
    }
}

/// Goal: credit that a declared award consumes pays for no second award, wherever; an institution does not leave out what
/// it consumes without a reason, nor consume what others issued; and the credit is free once the award is revoked.
#[tokio::test]
async fn a_declared_award_pays_once() {
    let diploma = absorbing(1, "DIPLOMA", 60, &["CERT"]);
    let scene = Scene::with(&[definition(1, "CERT", 60), diploma, definition(2, "CERT", 60)]).await;
    let Scene { client, one, two, own, other, .. } = &scene;
    let learned = seal(client, one, Kind::Credit, &credit(*own, "AAA"), Vec::new()).await.expect("issued");
    let foreign = seal(client, two, Kind::Credit, &credit(*other, "BBB"), Vec::new()).await.expect("issued");

    let silent = pb::Award { redeems: Vec::new(), mandate: None, ..declared(&scene, &[]) };
    assert_eq!(confer(client, one, &silent).await.expect_err("what does it consume?"), Reason::MissingField);
    let of_others = declared(&scene, std::slice::from_ref(&foreign));
    assert_eq!(confer(client, one, &of_others).await.expect_err("another's credit"), Reason::SourceNotUsable);
    let early = pb::Date { year: 2023, month: 1, day: 31 };
    let early =
        pb::Award { conferred: Some(early), documents: Vec::new(), ..declared(&scene, std::slice::from_ref(&learned)) };
    assert_eq!(confer(client, one, &early).await.expect_err("not yet learned"), Reason::InvalidDate);

    let certificate = declared(&scene, std::slice::from_ref(&learned));
    let certificate = confer(client, one, &certificate).await.expect("declared");
    let audited = award(1, *own, "CERT", std::slice::from_ref(&learned));
    assert_eq!(confer(client, one, &audited).await.expect_err("consumed"), Reason::AlreadySpent);
    let elsewhere = award(2, *other, "CERT", std::slice::from_ref(&learned));
    assert_eq!(confer(client, two, &elsewhere).await.expect_err("consumed"), Reason::AlreadySpent);
    let again = pb::Award { documents: vec![document("D-2")], ..declared(&scene, std::slice::from_ref(&learned)) };
    assert_eq!(confer(client, one, &again).await.expect_err("consumed"), Reason::AlreadySpent);

    // What absorbs the certificate counts what that has consumed.
    let absorbs = vec![certificate.clone()];
    let diploma = pb::Award {
        absorbs: absorbs.clone(),
        redeems: absorbs,
        ..award(1, *own, "DIPLOMA", std::slice::from_ref(&learned))
    };
    let diploma = confer(client, one, &diploma).await.expect("absorbed");
    revoke(client, one, &diploma, &[(&certificate, &diploma)], &[]).await.expect("the diploma is revoked");
    revoke(client, one, &certificate, &[(&learned, &certificate)], &[]).await.expect("the certificate is revoked");
    let audited = pb::Award { mandate: Some(mandate()), ..audited };
    confer(client, one, &audited).await.expect("free again");
    replayed(client).await;
}
