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
    assert!(err.contains("nothing was linked: the identity of --also has an account of its own"), "{err}");
    assert!(!err.contains("mg2"), "values are not repeated: {err}");
    assert_eq!(alias(&desk, &["mg2"]).await, second, "it stays with its account");
    let (_, out, _) = desk.call(&[&also[..], &ACCESS, &["--json"]].concat()).await;
    let value: Value = serde_json::from_str(out.lines().next().expect("a line")).unwrap_or_default();
    assert!(out.contains("not_linked"), "{value}{out}");
    assert_eq!(alias(&desk, &["mg1", "--also", "student-number::mg3", "--also", "passport:FR:12AB34"]).await, first);
    assert_eq!(alias(&desk, &["mg3"]).await, first, "a new number is linked");
    // Identities that others use too: the node does not say it, and the command finds out.
    let passport = ["--type", "passport", "--scope", "FR", "99ZZ11111"];
    let other = alias(&desk, &passport).await;
    let elsewhere =
        ["--also", "passport:FR:12AB34", "--also", "passport:fr:99 zz 11111", "--also", "student-number-exact::MG2"];
    let (code, out, err) = desk.call(&[&["learner", "alias", "mg1"][..], &elsewhere, &ACCESS].concat()).await;
    assert!(code == 1 && out.trim() == first, "{out}{err}");
    assert!(err.contains("--also 2 and 3 of 3 have accounts of their own") && !err.contains("99"), "{err}");
    assert_eq!(alias(&desk, &passport).await, other, "it stays with its account");
}

/// Goal: what is typed as an identity is looked at as in a file: what is damaged is refused, what is doubtful must be
/// accepted, and no account is opened before.
#[tokio::test(flavor = "multi_thread")]
async fn typed_identities_are_looked_at() {
    let desk = Desk::new().await;
    two_students(&desk).await;
    for (arguments, why) in [
        (&["N/A"][..], "placeholder"),
        (&["2.0E+11"], "rounded"),
        (&["\u{ff11}\u{ff12}\u{ff13}"], "another script or width"),
        (&["--type", "national", "--scope", "France", "1850578006084"], "expected its code"),
        (&["mg1", "--also", "passport:FR:NULL"], "the identity of --also 1"),
        (&["--type", "network", "--scope", "orcid", "0000-0002-1825-0098"], "--accept check-digit"),
    ] {
        let (code, out, err) = desk.call(&[&["learner", "alias"][..], arguments, &ACCESS].concat()).await;
        assert!(code == 1 && out.is_empty() && err.contains(why), "{arguments:?}: {out}{err}");
    }
    let orcid = ["--type", "network", "--scope", "orcid", "0000-0002-1825-0098", "--accept", "check-digit"];
    alias(&desk, &orcid).await;
}

/// Goal: who a transcript is about is shown to whoever checks it, by whose word; without an Identity, or where the holder
/// leaves it out, that is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_says_who_it_is_about() {
    let desk = Desk::new().await;
    desk.admit_with("credit,result,identity").await;
    let student = alias(&desk, &["mg1"]).await;
    let file = "student,course,title,ects,grade\nmg1,MG1,Organ,6,A\n";
    fs::write(desk.path("results.csv"), file).expect("the file");
    desk.good(&[&ISSUE[..], &ACCESS].concat()).await;
    let export = async |name: &str| {
        desk.good(&[&["transcript", "--out", name, "--alias", &student][..], &ACCESS].concat()).await;
        desk.good(&["verify", name]).await
    };
    assert!(export("before.cbt").await.contains("no Identity record"));
    let about = ["--alias", &student, "--birth-date", "1999-04-30", "--document", "passport", "--assurance", "high"];
    let issue = async |names: &[&str], more: &[&str]| {
        let command =
            [&["learner", "identity", "issue", "--key", "unit.key"][..], &about, names, more, &ACCESS].concat();
        desk.call(&command).await
    };
    for (name, code_expected, why) in [
        ("el:", 2, "NAME"),
        ("el:NULL", 2, "placeholder"),
        ("en:M\u{c3}\u{bc}ller/Anna", 1, "--accept mojibake"),
        ("en:A/B/C", 2, "one slash"),
    ] {
        let (code, out, err) = issue(&["--name", name], &[]).await;
        assert!(code == code_expected && err.contains(why), "{name}: {code} {out}{err}");
    }
    let names = ["--name", "en:M\u{fc}ller/Anna", "--name", "ta-Latn:Ravi s/o Kumar"];
    let (code, out, err) = issue(&names, &["--dry-run"]).await;
    for part in ["M\u{fc}ller, Anna (en)", "Ravi s/o Kumar (ta-Latn)", "1999-04-30", "passport", "high"] {
        assert!(code == 0 && out.contains(part), "{part}: {out}{err}");
    }
    let (code, _, err) = issue(&names, &[]).await;
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = issue(&names, &[]).await;
    assert!(code == 1 && err.contains("says so already"), "{err}");
    // A file of results says nothing of identities: they are no difference.
    let reconcile = ["reconcile", "results.csv", "--mapping", "map.toml", "--institution", "1", "--key", "unit.key"];
    desk.good(&[&reconcile[..], &ACCESS].concat()).await;
    let text = export("with.cbt").await;
    let line = text.lines().find(|line| line.starts_with("identity")).expect("who it is").to_owned();
    for part in
        ["M\u{fc}ller, Anna (en)", "born 1999-04-30", "by passport", "assurance high", "Universit\u{e9} d'Essai"]
    {
        assert!(line.contains(part), "{part}: {line}");
    }
    let person = desk.json(&["verify", "with.cbt"]).await["person"].clone();
    assert_eq!((&person["verdict"], &person["record"]["birth_date"]), (&"authentic".into(), &"1999-04-30".into()));
    // The newest one that stands; the holder may leave it out.
    let (code, _, err) = issue(&["--name", "en:Meier/Anna"], &[]).await;
    assert_eq!(code, 0, "{err}");
    let text = export("after.cbt").await;
    assert!(text.contains("Meier, Anna (en), born"), "a superseded one is beside it, and exit code 0: {text}");
    assert!(text.contains("stands in its place"), "{text}");
    let all = desk.json(&["verify", "after.cbt"]).await;
    let credit = all["records"].as_array().into_iter().flatten().find(|one| one["kind"] == "credit").expect("a credit");
    let place = credit["place"].as_str().expect("a place").to_owned();
    desk.good(&["cut", "after.cbt", "--only", &place, "--out", "cut.cbt"]).await;
    assert!(desk.good(&["verify", "cut.cbt"]).await.contains("which this file does not show"));
}

/// Goal: a command of the operator that would change nothing publishes nothing, says so and fails.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_registry_says_already_is_not_published() {
    let desk = Desk::new().await;
    two_students(&desk).await;
    let key = creditbank_server::directory::key_path(desk.node.dir(), creditbank_protocol::pb::Purpose::Registry);
    let size = desk.node.ledger().size();
    for arguments in [
        &["institution", "state", "1", "active"][..],
        &["institution", "rename", "1", "--name", "fr:Universit\u{e9} d'Essai", "--from", "2027-01-01"],
    ] {
        let (code, _, err) = desk.call(&[arguments, &["--registry-key", desk::shown(&key)]].concat()).await;
        assert!(code == 1 && err.contains("says so already"), "{arguments:?}: {err}");
    }
    assert_eq!(desk.node.ledger().size(), size, "nothing was published");
    let add = ["institution", "add", "--name", "en:North", "--country", "GB", "--registry-key", desk::shown(&key)];
    let (code, _, err) = desk.call(&[&add[..], &["--identifier", "ror:oxford"]].concat()).await;
    assert!(code == 2 && err.contains("is no ROR id"), "{err}");
    let (code, _, err) = desk.call(&[&add[..], &["--identifier", "ror:052gg0111"]].concat()).await;
    assert!(code == 1 && err.contains("--accept check-digit"), "{err}");
    desk.good(&[&add[..], &["--identifier", "ror:052gg0111", "--accept", "check-digit"]].concat()).await;
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
