//! What comes late, and what was declared, as it is typed and as a verifier reads it.

use creditbank_client::operator::KeyRequest;
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::{Kind, Purpose};
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::{key, set};

use crate::desk::office::{Office, day};

const DEFINITION: &str = "code = 'CERT'\nversion = 1\nunit = 'CATS'\nsource = 'a test'\ntitles = { en = 'Certificate' }\n\
    [[requirement]]\ntype = 'credits'\namount = '60'\n";

/// Goal: a conferral of long ago asks for its reason and a second person; the award says so, and so does whoever verifies it.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_award_from_the_command_line() {
    let office = Office::new().await;
    let approver = key(Purpose::Approver, 55);
    let request = KeyRequest::new(ORIGIN, UnitId::new(1, 1), &approver).expect("a request");
    set(&office.node, Kind::Key, &request.record(&[], 0, 0).expect("a key")).await;
    office.write("approver.key", &approver.to_text());
    office.write("cert.toml", DEFINITION);
    office.seal(1, &["qualification", "publish", "cert.toml"]).await;
    let (alias, _) = office.credits(&["ALG"]).await;
    let conferred = day(401);
    let award = ["qualification", "award", "CERT", "--alias", &alias, "--kind", "certificate", "--decider", "Prof. B"];
    let award = [&award[..], &["--mandate-paper", "form 1", "--conferred", &conferred, "--key", "unit-1.key"]].concat();
    let (code, _, err) = office.call(1, &award).await;
    assert!(code == 2 && err.contains("--require-approval"), "{err}");
    let alone = [&award[..], &["--require-approval"]].concat();
    let (code, _, err) = office.call(1, &alone).await;
    assert!(code == 2 && err.contains("--late-reason"), "{err}");
    let late = ["--late-reason", "The appeals board has decided", "--late-case", "2026/17"];
    let whole = [&alone[..], &late].concat();
    let waiting = office.json(1, &whole).await;
    assert_eq!(waiting["outcome"], "waiting for approval", "{waiting}");
    let request = waiting["request"].as_str().expect("a request").to_owned();
    let (code, text, err) = office.call(1, &["approve", &request, "--key", "approver.key", "--yes"]).await;
    assert!(code == 0, "{text}{err}");
    let sealed = office.json(1, &whole).await;
    assert_eq!(sealed["outcome"], "sealed", "{sealed}");
    office.json(1, &["transcript", "--alias", &alias, "--out", "shown.cbt"]).await;
    let (_, text, _) = office.call(1, &["verify", "shown.cbt"]).await;
    let told = format!("LATE: conferred on {conferred}, recorded on {}", day(0));
    for part in [told.as_str(), "The appeals board has decided", "case 2026/17", "approved by a second person"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Goal: what was decided before the ledger is declared from the template, and a verifier is told that nobody has recomputed
/// it; what is decided since then is refused with what to do instead.
#[tokio::test(flavor = "multi_thread")]
async fn a_declared_conversion_from_its_template() {
    let office = Office::new().await;
    let alias = office.institutions[0].aliases(&office.node, [7]).await[0].to_string();
    let (_, template, _) = office.call(1, &["convert", "template", "--declared"]).await;
    office.write("old.toml", &template);
    let record = ["convert", "record", "--alias", &alias, "--declared", "old.toml", "--decider", "Dr. A"];
    let record = [&record[..], &["--mandate-paper", "form 1"]].concat();
    let place = office.seal(1, &record).await;
    let shown = office.shown(1, &place).await;
    assert_eq!(shown["record"]["results"][1]["declared"], true, "{shown}");
    office.write("new.toml", &template.replace("decided = \"2019-05-02\"", &format!("decided = \"{}\"", day(0))));
    let new = ["convert", "preview", "--alias", &alias, "--declared", "new.toml"];
    let (code, _, err) = office.call(1, &new).await;
    assert!(code == 1 && err.contains("came into the registry") && err.contains("agreement"), "{err}");
    office.json(1, &["transcript", "--alias", &alias, "--out", "shown.cbt"]).await;
    let (_, text, _) = office.call(1, &["verify", "shown.cbt"]).await;
    assert!(text.contains("DECLARED") && text.contains("Anerkennung 2019/0417"), "{text}");
}
