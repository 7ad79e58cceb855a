//! Commands that said one thing and did another, as people met them: each with what is right.

mod desk;

use std::fs;

use serde_json::Value;

use desk::{Desk, ISSUE};

const ACCESS: [&str; 2] = ["--access-key", "access.key"];

/// Two students with a record each, as `learner alias` names them.
async fn two_students(desk: &Desk) {
    desk.admit().await;
    let file = "student,course,title,ects,grade\nmg1,MG1,Organ,6,A\nmg2,MG2,Choir,6,B\n";
    fs::write(desk.path("results.csv"), file).expect("the file");
    desk.good(&[&ISSUE[..], &ACCESS].concat()).await;
}

async fn alias(desk: &Desk, arguments: &[&str]) -> String {
    let value = desk.json(&[&["learner", "alias"][..], arguments, &ACCESS].concat()).await;
    value["alias"].as_str().expect("an alias").to_owned()
}

/// Goal: a further student number that has an account of its own is not linked, and the command says so and ends with 1;
/// one that is new is linked, and so is an identity that others use too.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_stays_elsewhere_is_said() {
    let desk = Desk::new().await;
    two_students(&desk).await;
    let (first, second) = (alias(&desk, &["mg1"]).await, alias(&desk, &["mg2"]).await);
    assert_ne!(first, second);
    let also = ["learner", "alias", "mg1", "--also", "student-number::mg2"];
    let (code, out, err) = desk.call(&[&also[..], &ACCESS].concat()).await;
    assert!(code == 1 && out.trim() == first, "{out}{err}");
    assert!(err.contains("nothing was linked: --also number 1 of 1 has an account of its own"), "{err}");
    assert!(!err.contains("mg2"), "values are not repeated: {err}");
    assert_eq!(alias(&desk, &["mg2"]).await, second, "it stays with its account");
    let (_, out, _) = desk.call(&[&also[..], &ACCESS, &["--json"]].concat()).await;
    let value: Value = serde_json::from_str(out.lines().next().expect("a line")).unwrap_or_default();
    assert!(out.contains("not_linked"), "{value}{out}");
    assert_eq!(alias(&desk, &["mg1", "--also", "student-number::mg3", "--also", "passport:FR:12AB34"]).await, first);
    assert_eq!(alias(&desk, &["mg3"]).await, first, "a new number is linked");
}

/// Goal: a new name keeps the earlier ones with their dates, and domain and custody too; the custodian of a closed
/// institution finds a former student by the student number, and opens no account for a number that is not known.
#[tokio::test(flavor = "multi_thread")]
async fn an_institution_is_renamed_and_kept() {
    let desk = Desk::new().await;
    two_students(&desk).await;
    let student = alias(&desk, &["mg1"]).await;
    desk.operate(&["institution", "add", "--name", "fr:Nord", "--country", "FR", "--domain", "nord.example"]).await;
    desk.good(&["keygen", "north.key", "--purpose", "institution-access"]).await;
    desk.good(&["key", "request", "--key", "north.key", "--institution", "2", "--out", "north.json"]).await;
    desk.operate(&["key", "add", "north.json"]).await;
    desk.operate(&["institution", "close", "1", "--custodian", "2"]).await;
    desk.operate(&["institution", "rename", "2", "--name", "fr:Universit\u{e9} du Nord", "--from", "2027-01-01"]).await;
    let entry = desk.json(&["institution", "show", "2"]).await;
    let shown = entry.to_string();
    for kept in ["\"Nord\"", "2026-12-31", "Universit\u{e9} du Nord", "2027-01-01", "nord.example", "custodian"] {
        assert!(shown.contains(kept), "{kept}: {shown}");
    }
    let same = ["--number", "2", "--name", "fr:Universit\u{e9} du Nord", "--country", "FR", "--replace"];
    desk.operate(&[&["institution", "add", "--domain", "univ-nord.example"][..], &same].concat()).await;
    let shown = desk.json(&["institution", "show", "2"]).await.to_string();
    for kept in ["\"Nord\"", "nord.example", "univ-nord.example", "custodian"] {
        assert!(shown.contains(kept), "{kept}: {shown}");
    }
    let as_custodian = ["--institution", "1", "--access-key", "north.key"];
    let found = desk.json(&[&["learner", "alias", "mg1"][..], &as_custodian].concat()).await;
    assert_eq!(found["alias"].as_str(), Some(student.as_str()), "a former student is found");
    let (code, _, err) = desk.call(&[&["learner", "alias", "mg9"][..], &as_custodian].concat()).await;
    assert!(code == 1 && err.contains("a student number that the closed institution has used"), "{err}");
}

/// Goal: a transcript that was made before a revocation shows the record as it was then, unless the status is asked
/// for, or one that is too old is not accepted.
#[tokio::test(flavor = "multi_thread")]
async fn an_outdated_transcript_is_found_out() {
    let desk = Desk::new().await;
    two_students(&desk).await;
    let student = alias(&desk, &["mg1"]).await;
    desk.good(&[&["transcript", "--out", "before.cbt", "--alias", &student][..], &ACCESS].concat()).await;
    let records = desk.json(&[&["learner", "records", "--alias", &student][..], &ACCESS].concat()).await;
    let place = records["records"][0]["place"].as_str().expect("a place").to_owned();
    let revoke = ["revoke", "--place", &place, "--reason", "error", "--key", "unit.key"];
    desk.good(&[&revoke[..], &ACCESS].concat()).await;
    let before = fs::read(desk.path("before.cbt")).expect("the file");
    desk.good(&["verify", "before.cbt"]).await;
    let (code, out, err) = desk.call(&["verify", "before.cbt", "--status"]).await;
    assert!(code == 1 && out.contains("revoked"), "{out}{err}");
    assert!(fs::read(desk.path("before.cbt")).expect("the file") == before, "the file stays as it is");
    let (code, _, err) = desk.call(&["verify", "before.cbt", "--at", "2199-01-01", "--max-age", "7d"]).await;
    assert!(code == 4, "{err}");
    desk.good(&["verify", "before.cbt", "--max-age", "7d"]).await;
    let (code, _, err) = desk.call(&["verify", "before.cbt", "--max-age", "7"]).await;
    assert!(code == 2 && err.contains("90m, 24h or 7d"), "{err}");
}
