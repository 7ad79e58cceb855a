//! Recognition as it is typed: agreements between two institutions, an application until its appeal, reviews,
//! revocations.

mod desk;

use std::fs;
use std::process::Command;

use creditbank_client::operator::KeyRequest;
use creditbank_protocol::pb::{Kind, Purpose};
use creditbank_protocol::{Alias, UnitId};
use creditbank_tests::Chain;
use creditbank_tests::university::{credit_record, key, set};
use serde_json::Value;

use desk::office::{Office, day};

/// Goal: an agreement is proposed by one party, shown to and accepted by the other, who signs the same text; nobody
/// else can.
#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_from_template_to_notice() {
    let office = Office::new().await;
    let (_, template, _) = office.call(1, &["agreement", "template"]).await;
    office.write("agreement.toml", &template.replace("2026-09-01", "2024-09-01"));
    let propose = ["agreement", "propose", "agreement.toml", "--institution", "1"];
    let dry = office.json(1, &[&propose[..], &["--key", "unit-1.key", "--dry-run"]].concat()).await;
    assert_eq!((&dry["outcome"], &dry["written"]), (&"dry run".into(), &false.into()), "{dry}");
    assert_eq!(office.json(1, &["agreement", "list"]).await, Value::Array(Vec::new()), "nothing was written");
    office.seal(1, &propose).await;
    office.again(1, &[&propose[..], &["--key", "unit-1.key"]].concat()).await;
    let listed = office.json(2, &["agreement", "list", "--party", "2"]).await;
    assert_eq!((&listed[0]["agreement"], &listed[0]["state"]), (&"PARIS-LEEDS.1".into(), &"proposed by 1".into()));
    // Nobody is asked here, and the proposer does not accept.
    let accept = ["agreement", "accept", "PARIS-LEEDS", "1"];
    let (code, _, err) = office.call(2, &[&accept[..], &["--key", "unit-2.key"]].concat()).await;
    assert!(code == 2 && err.contains("One CATS becomes 1/2 ECTS") && err.contains("--yes"), "{err}");
    let (code, _, err) = office.call(1, &[&accept[..], &["--key", "unit-1.key", "--yes"]].concat()).await;
    assert!(code == 1 && err.contains("only the other party"), "{err}");
    let (code, _, err) = office.call(1, &[&accept[..], &["--key", "unit-1.key", "--institution", "2"]].concat()).await;
    assert!(code == 2 && err.contains("institution 1"), "{err}");
    office.seal(2, &[&accept[..], &["--yes"]].concat()).await;
    let (_, shown, _) = office.call(1, &["agreement", "show", "PARIS-LEEDS"]).await;
    for part in ["accepted", "sender", "half-even", "FHEQ 8 has no comparable level", "At most 60 ECTS for one learner"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    office.seal(1, &["agreement", "end", "PARIS-LEEDS", "1", "--on", "2099-12-31"]).await;
    let listed = office.json(1, &["agreement", "list"]).await;
    assert_eq!(listed[0]["state"], "accepted, ends on 2099-12-31");
    let (_, table, _) = office.call(1, &["registry", "list", "agreement-proposal"]).await;
    assert!(table.contains("PARIS-LEEDS.1") && table.contains("1 CATS = 1/2 ECTS"), "{table}");
    let entry = office.json(1, &["registry", "show", "agreement-ending", "PARIS-LEEDS.1"]).await;
    assert_eq!(entry["entry"]["ends"], "2099-12-31");
    // What is no agreement is refused with its key before anybody is asked.
    office.write("odd.toml", &template.replace("\"1/2\"              #", "\"0/0\" #"));
    let (code, _, err) = office.call(1, &["agreement", "propose", "odd.toml", "--key", "unit-1.key"]).await;
    assert!(code == 2 && err.contains("amount.ratio"), "{err}");
}

/// Goal: equivalences and distributions are published and read back by their names.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_institution_publishes() {
    let office = Office::new().await;
    let (_, template, _) = office.call(2, &["equivalence", "template"]).await;
    office.write("equivalence.toml", &template.replace("institution = 7", "institution = 1"));
    office.seal(2, &["equivalence", "publish", "equivalence.toml"]).await;
    let shown = office.json(1, &["equivalence", "show", "2/CALC-1.1"]).await;
    assert_eq!(shown["entry"]["amount"]["amount"], "6");
    assert_eq!(office.json(1, &["equivalence", "list", "--institution", "2"]).await[0]["kind"], "equivalence");
    assert_eq!(office.json(1, &["equivalence", "list", "--institution", "1"]).await, Value::Array(Vec::new()));
    let counts =
        "grade,count\n4,7\n3,37\n2,135\n1,98\n5,3\n".replace("4,7\n3,37\n2,135\n1,98", "1,7\n2,37\n3,135\n4,98");
    office.write("grades.csv", &counts);
    let publish = ["distribution", "publish", "grades.csv", "--scale", "AT-5", "--field", "06", "--cycle", "first"];
    let period = ["--from", "2022-01", "--until", "2024-12"];
    office.seal(2, &[&publish[..], &period].concat()).await;
    let listed = office.json(1, &["distribution", "list"]).await;
    assert_eq!((&listed[0]["entry"]["number"], &listed[0]["entry"]["scale"]), (&1.into(), &"AT-5".into()));
    assert_eq!(office.json(1, &["registry", "show", "grade-distribution", "2.1"]).await["entry"]["cycle"], "first");
}

/// Goal: an application is decided with the law's last day of an appeal, appealed, and decided on appeal; what is late
/// is listed; a refusal without a difference is refused, with the rule.
#[tokio::test(flavor = "multi_thread")]
async fn an_application_until_its_appeal() {
    let office = Office::new().await;
    let (own, places) = office.credits(&["ALG", "ANA"]).await;
    let transcript = ["transcript", "--alias", &own, "--out", "shown.cbt"];
    office.json(1, &transcript).await;
    let alias = office.institutions[1].aliases(&office.node, [7]).await[0].to_string();
    office.write("diploma.pdf", "a diploma");
    let apply = ["apply", "--alias", &alias, "--purpose", "study", "--asked", "Entry to the second year"];
    let more = ["--deadline", "GB-TEST", "--evidence", "diploma.pdf", "--learner-key", "learner.key"];
    let apply = [&apply[..], &more].concat();
    // A record of somebody else needs the transcript; here it is of another learner than the alias, which the ledger
    // sees.
    let (code, _, err) = office.call(2, &[&apply[..], &["--record", &places[0], "--key", "unit-2.key"]].concat()).await;
    assert!(code == 1 && err.contains("--transcript"), "{err}");
    let of_another = ["--record", &places[0], "--transcript", "shown.cbt", "--key", "unit-2.key", "--dry-run"];
    let (code, out, _) = office.call(2, &[&apply[..], &of_another].concat()).await;
    assert!(code == 1 && out.contains("records"), "{out}");
    let application = office.seal(2, &[&apply[..], &["--received", "2026-01-05"]].concat()).await;
    let late = office.json(2, &["applications", "--overdue"]).await;
    assert_eq!((&late[0]["place"], &late[0]["due"]), (&application.as_str().into(), &"2026-05-05".into()), "{late}");
    let [decided, received, arrived] = [8, 7, 6].map(day);
    let decide = ["decide", &application, "--decider", "Dr. A", "--legal-basis", "s. 3", "--decided", &decided];
    let refuse = [&decide[..], &["--type", "refused", "--key", "unit-2.key"]].concat();
    let (code, out, _) = office.call(2, &[&refuse[..], &["--dry-run"]].concat()).await;
    assert!(code == 1 && out.contains("differences"), "{out}");
    let (code, _, err) = office.call(2, &refuse).await;
    assert!(code == 1 && err.contains("differences"), "{err}");
    let decision =
        office.seal(2, &[&decide[..], &["--type", "refused", "--difference", "level:no final thesis"]].concat()).await;
    let states = office.json(2, &["applications"]).await;
    assert_eq!(
        (&states[0]["appealable"], &states[0]["appeal_until"]),
        (&true.into(), &Value::Null),
        "not notified yet"
    );
    let made_known = ["notify", &decision, "--channel", "letter", "--notified", &decided, "--arrived", &arrived];
    let value = office.json(2, &[&made_known[..], &["--key", "unit-2.key"]].concat()).await;
    assert_eq!(value["changed"], 1, "{value}");
    let states = office.json(2, &["applications"]).await;
    assert_eq!((&states[0]["stage"], &states[0]["appeal_until"]), (&"decided".into(), &day(-30).into()), "from today");
    let decision = states[0]["decision"].as_str().expect("the amended one").to_owned();
    let read = office.json(2, &["record", "show", &decision]).await;
    assert_eq!(read["record"]["appeal_instance"], "the Appeals Board");
    let appeal = ["appeal", &decision, "--grounds", "the thesis is there", "--mandate-paper", "file 12"];
    let appeal = office.seal(2, &[&appeal[..], &["--received", &received]].concat()).await;
    assert_eq!(office.json(2, &["applications"]).await[0]["stage"], "appealed");
    let last = ["decide", &appeal, "--decider", "Prof. B", "--legal-basis", "s. 9", "--type", "full"];
    let last = office.seal(2, &[&last[..], &["--decided", &arrived]].concat()).await;
    assert_eq!(office.json(2, &["applications"]).await[0]["stage"], "closed");
    assert!(office.json(2, &["record", "show", &last]).await["record"].get("appeal_until").is_none());
}

/// Goal: amending or revoking a record puts what stands on it under review in the same block; whoever made that closes
/// the review, and nothing else changes for records on which nothing stands.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_on_a_record_is_reviewed() {
    let office = Office::new().await;
    let (alias, places) = office.credits(&["ALG", "ANA"]).await;
    let apply = ["apply", "--alias", &alias, "--purpose", "work", "--asked", "Admission", "--deadline", "GB-TEST"];
    let records = ["--record", &places[0], "--mandate-paper", "file 1"];
    let application = office.seal(1, &[&apply[..], &records].concat()).await;
    let revoke = |place: &str| {
        ["revoke", "--place", place, "--reason", "error", "--key", "unit-1.key"].map(str::to_owned).to_vec()
    };
    let call = |arguments: Vec<String>| {
        let office = &office;
        async move { office.json(1, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    let done = call(revoke(&places[1])).await;
    assert_eq!((&done["changed"], &done["reviewed"]), (&1.into(), &0.into()), "{done}");
    let done = call(revoke(&places[0])).await;
    assert_eq!((&done["changed"], &done["reviewed"], &done["released"]), (&1.into(), &1.into(), &0.into()), "{done}");
    let reviews = office.json(1, &["reviews"]).await;
    assert_eq!((&reviews[0]["place"], &reviews[0]["kind"]), (&application.as_str().into(), &"application".into()));
    let value = office.json(1, &["review", "close", &application, "--key", "unit-1.key"]).await;
    assert_eq!(value["outcome"], "sealed", "{value}");
    assert_eq!(office.json(1, &["reviews"]).await, Value::Array(Vec::new()));
    let audit = office.node.client(None).await.audit(|_, _| ()).await.expect("the log is read");
    assert_eq!(audit.contradiction, None);
}

/// Goal: credit on a transcript becomes credit of the receiver: previewed step by step without writing, sealed with the
/// sources redeemed, and never a second time; the transcript then says by which agreement, and a redeemed record stays
/// valid.
#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_is_converted_once() {
    let office = Office::new().await;
    let (_, template, _) = office.call(1, &["agreement", "template"]).await;
    let terms = template.replace("2026-09-01", "2024-09-01");
    let terms = terms.replace("fields = [", "# fields = [").replace("modes = [", "# modes = [");
    office.write("agreement.toml", &terms);
    office.seal(1, &["agreement", "propose", "agreement.toml"]).await;
    // The way back gives more than was taken: whoever accepts it is told.
    let back = terms.replace("PARIS-LEEDS", "LEEDS-PARIS").replace("ratio = \"1/2\"", "ratio = \"5/2\"");
    let back = back.replace("sender = 1", "sender = 2").replace("receiver = 2", "receiver = 1");
    let back = back
        .replace("source_unit = \"CATS\"", "source_unit = \"ECTS\"")
        .replace("target_unit = \"ECTS\"", "target_unit = \"CATS\"");
    let back = back.replace("from = \"FHEQ\"", "from = \"EQF\"").replace("to = \"EQF\"", "to = \"FHEQ\"");
    let back = back
        .replace("{ from = \"8\", to = [] }", "")
        .replace("FHEQ:", "EQF:")
        .replace("method = \"table\"", "method = \"none\"");
    let (head, tail) = back.split_once("source_scale").expect("grades");
    let (_, tail) = tail.split_once("[scope]").expect("a scope");
    office.write("back.toml", &format!("{head}\n[scope]{tail}"));
    office.seal(2, &["agreement", "accept", "PARIS-LEEDS", "1", "--yes"]).await;
    office.seal(2, &["agreement", "propose", "back.toml"]).await;
    let accept = ["agreement", "accept", "LEEDS-PARIS", "1", "--yes", "--key", "unit-1.key"];
    let accepted = office.json(1, &accept).await;
    assert_eq!(accepted["loops"][0]["gain"], "5/4", "{accepted}");

    let national = ["--type", "national", "--scope", "GB", "QQ123456C"];
    let alias = |institution| {
        let office = &office;
        async move {
            let value = office.json(institution, &[&["learner", "alias"][..], &national].concat()).await;
            value["alias"].as_str().expect("an alias").to_owned()
        }
    };
    let (home, here) = (alias(1).await, alias(2).await);
    let university = &office.institutions[0];
    let client = university.client(&office.node).await;
    let mut chain = Chain::of(&client, university).await;
    let own = Alias::from_slice(&hex::decode(&home).expect("hex")).expect("16 bytes");
    let records = [credit_record(own, "ALG"), credit_record(own, "ANA")];
    let entry = chain.issue(&client, university, &records).await.index;
    office.json(1, &["transcript", "--alias", &home, "--out", "shown.cbt"]).await;

    let size = office.node.ledger().size();
    let what = ["--transcript", "shown.cbt", "--alias", &here, "--agreement", "PARIS-LEEDS.1"];
    let preview = office.json(2, &[&["convert", "preview"][..], &what].concat()).await;
    assert_eq!((&preview["converted"]["ECTS"], &preview["exclusive"]), (&"60".into(), &true.into()), "{preview}");
    assert!(preview["explanation"].as_array().is_some_and(|steps| !steps.is_empty()), "{preview}");
    assert_eq!(office.node.ledger().size(), size, "nothing is written");
    // A transcript of somebody else is named as what it is.
    let stranger = office.institutions[1].aliases(&office.node, [99]).await[0].to_string();
    let of = ["--transcript", "shown.cbt", "--alias", &stranger, "--agreement", "PARIS-LEEDS.1"];
    let (code, _, err) = office.call(2, &[&["convert", "preview"][..], &of].concat()).await;
    assert!(code == 1 && err.contains("another learner than --alias"), "{err}");
    let (_, text, _) = office.call(2, &[&["convert", "preview"][..], &what].concat()).await;
    assert!(text.contains("nothing was written") && text.contains("converted: 60 ECTS"), "{text}");
    let record = [&["convert", "record"][..], &what, &["--decider", "Dr. A", "--learner-key", "learner.key"]].concat();
    let dry = office.json(2, &[&record[..], &["--key", "unit-2.key", "--dry-run"]].concat()).await;
    assert_eq!(dry["refusals"], Value::Array(Vec::new()), "{dry}");
    let place = office.seal(2, &record).await;
    let source = office.json(1, &["record", "show", &format!("{entry}/0")]).await;
    assert_eq!(source["marks"], serde_json::json!(["redeemed"]));
    office.again(2, &[&record[..], &["--key", "unit-2.key"]].concat()).await;
    let (code, _, err) =
        office.call(2, &[&record[..], &["--key", "unit-2.key", "--reference", "once more"]].concat()).await;
    assert!(code == 1 && err.contains("redeemed"), "{err}");

    // Offline, both sides say it.
    office.json(1, &["transcript", "--alias", &home, "--out", "spent.cbt"]).await;
    let (code, text, err) = office.call(1, &["verify", "spent.cbt"]).await;
    assert!(code == 0 && text.contains("valid, and spent"), "{text}{err}");
    office.json(2, &["transcript", "--alias", &here, "--out", "converted.cbt"]).await;
    let (code, text, err) = office.call(2, &["verify", "converted.cbt"]).await;
    assert!(code == 0 && text.contains("converted by agreement PARIS-LEEDS.1"), "{text}{err}");
    let (code, _, err) =
        office.call(2, &[&["convert", "preview"][..], &["--transcript", "spent.cbt"], &what[2..]].concat()).await;
    assert!(code == 1 && err.contains("redeemed"), "{err}");
    let balance = office.json(2, &["learner", "balance", "--alias", &here]).await;
    assert_eq!(balance["spendable"]["ECTS"], "60", "{balance}");

    // Taken back, the sources are free again.
    let revoke = ["revoke", "--place", &place, "--reason", "error", "--key", "unit-2.key"];
    let done = office.json(2, &revoke).await;
    assert_eq!((&done["changed"], &done["released"]), (&1.into(), &2.into()), "{done}");
    let source = office.json(1, &["record", "show", &format!("{entry}/0")]).await;
    assert_eq!(source["marks"], Value::Array(Vec::new()));
    let audit = office.node.client(None).await.audit(|_, _| ()).await.expect("the log is read");
    assert_eq!(audit.contradiction, None);
}

/// Goal: what a second person approves is shown in words, public records too, and is sealed as it was approved.
#[tokio::test(flavor = "multi_thread")]
async fn an_agreement_with_a_second_person() {
    let office = Office::new().await;
    let approver = key(Purpose::Approver, 55);
    let request = KeyRequest::new(creditbank_tests::node::ORIGIN, UnitId::new(1, 1), &approver).expect("a request");
    set(&office.node, Kind::Key, &request.record(&[], 0, 0).expect("a key")).await;
    office.write("approver.key", &approver.to_text());
    let (_, template, _) = office.call(1, &["agreement", "template"]).await;
    office.write("agreement.toml", &template);
    let propose = ["agreement", "propose", "agreement.toml", "--key", "unit-1.key", "--require-approval"];
    let waits = office.json(1, &propose).await;
    assert_eq!(waits["outcome"], "waiting for approval", "{waits}");
    let request = waits["request"].as_str().expect("a request").to_owned();
    assert_eq!(office.json(1, &propose).await["request"], waits["request"], "it is asked once");
    let (code, text, err) = office.call(1, &["approve", &request, "--key", "approver.key", "--yes"]).await;
    assert!(code == 0 && text.contains("One CATS becomes 1/2 ECTS"), "{text}{err}");
    let sealed = office.json(1, &propose).await;
    assert_eq!(sealed["outcome"], "sealed", "{sealed}");
    assert_eq!(office.json(1, &["agreement", "list"]).await[0]["state"], "proposed by 1");
}

const CERTIFICATE: &str = r#"{
    "institution": 2, "code": "CERT", "version": 1, "titles": [{ "language": "en", "value": "Certificate" }],
    "level": { "framework": "EQF", "level": "6" }, "unit": "ECTS",
    "requirements": [{ "type": "credits", "titles": [{ "language": "en", "value": "60 credits" }], "amount": "60" }],
    "retakes": "last", "from": "2024-01-01", "source": "a test"
}"#;

/// Goal: an award on the institution's word says so to everybody, with its certificate and day, and can be taken back.
#[tokio::test(flavor = "multi_thread")]
async fn awards_show_their_basis() {
    let office = Office::new().await;
    let alias = office.institutions[1].aliases(&office.node, [9]).await[0].to_string();
    office.write("certificate.json", CERTIFICATE);
    let definition = ["qualification", "publish", "certificate.json"];
    office.seal(2, &definition).await;
    let (_, listed, _) = office.call(1, &["qualification", "list", "--institution", "2"]).await;
    assert!(listed.contains("2/CERT.1"), "{listed}");
    let shown = office.json(1, &["qualification", "show", "2/CERT.1"]).await;
    assert_eq!(shown["entry"]["requirements"][0]["amount"], "60");
    let by = ["--alias", &alias, "--decider", "Prof. B", "--mandate-paper", "file 9"];
    let declared =
        ["qualification", "award", "CERT", "--declared", "--document", "certificate::C-1", "--kind", "certificate"];
    let declared = [&declared[..], &["--consumes-none", "Conferred in 1998"]].concat();
    let place = office.seal(2, &[&declared[..], &by].concat()).await;
    let honorary = ["qualification", "award", "--honorary", "--title", "en:Doctor of Letters", "--kind", "degree"];
    // A paper serves one award.
    let keyed = [&honorary[..], &["--document", "diploma::H-1"], &by, &["--key", "unit-2.key"]].concat();
    let (code, _, err) = office.call(2, &keyed).await;
    assert!(code == 1 && err.contains("MANDATE_USED") && err.contains("ask for another one"), "{err}");
    let by = [&by[..4], &["--mandate-paper", "file 10", "--mandate-acts", "application,award"]].concat();
    office.seal(2, &[&honorary[..], &["--document", "diploma::H-1"], &by].concat()).await;
    office.json(2, &["transcript", "--alias", &alias, "--out", "awards.cbt"]).await;
    let (code, text, err) = office.call(2, &["verify", "awards.cbt"]).await;
    for part in [
        "DECLARED",
        "CONSUMES NONE",
        "Conferred in 1998",
        "certificate C-1, 20",
        "HONORARY",
        "2/CERT.1",
        "Doctor of Letters",
    ] {
        assert!(code == 0 && text.contains(part), "{part}: {text}{err}");
    }
    let (code, _, err) = office.call(2, &["award", "revoke", &place, "--reason", "error", "--key", "unit-2.key"]).await;
    assert_eq!(code, 0, "{err}");
    office.json(2, &["transcript", "--alias", &alias, "--out", "revoked.cbt"]).await;
    let (code, text, _) = office.call(2, &["verify", "revoked.cbt"]).await;
    assert!(code == 1 && text.contains("revoked"), "{text}");
}

/// Goal: a learner sees what is missing; what is met is awarded with its records redeemed in the same block; the same
/// credit pays for nothing else, until the award is taken back.
#[tokio::test(flavor = "multi_thread")]
async fn an_award_spends_its_credit() {
    let office = Office::new().await;
    let (alias, places) = office.credits(&["ALG"]).await;
    let certificate = CERTIFICATE.replace("\"institution\": 2", "\"institution\": 1").replace("ECTS", "CATS");
    office.write("certificate.json", &certificate);
    office.write("larger.json", &certificate.replace("CERT", "LARGER").replace("\"60\"", "\"90\""));
    for file in ["certificate.json", "larger.json"] {
        office.seal(1, &["qualification", "publish", file]).await;
    }
    let missing = office.json(1, &["qualification", "progress", "LARGER", "--alias", &alias]).await;
    assert_eq!((&missing["outcome"], &missing["requirements"][0]["met"]), (&"missing".into(), &false.into()));
    let met = office.json(1, &["qualification", "progress", "CERT.1", "--alias", &alias]).await;
    assert_eq!(
        (&met["outcome"], &met["requirements"][0]["filled"][0]),
        (&"met".into(), &places[0].as_str().into()),
        "{met}"
    );
    // What is to be used is, and what is kept is not there: the text says that it is this that stands in the way.
    let asked = ["qualification", "progress", "CERT.1", "--alias", &alias, "--beside", "LARGER"];
    let used = office.json(1, &[&asked[..], &["--use", &places[0]]].concat()).await;
    assert_eq!((&used["outcome"], &used["reason"]), (&"met".into(), &"".into()));
    let (_, kept, _) = office.call(1, &[&asked[..], &["--keep", &places[0]]].concat()).await;
    assert!(kept.contains("not with what is to be used and kept") && kept.contains("kept, as was asked"), "{kept}");
    let by = ["--alias", &alias, "--decider", "Prof. B", "--mandate-paper", "file 9", "--kind", "certificate"];
    let award = |code: &str, number: &str| {
        let document = format!("certificate::{number}");
        let words = ["qualification", "award", code, "--document", &document];
        words.iter().chain(&by).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let larger = award("LARGER", "L-1");
    let larger: Vec<&str> = larger.iter().map(String::as_str).chain(["--key", "unit-1.key"]).collect();
    let (code, out, err) = office.call(1, &larger).await;
    assert!(code == 1 && out.contains("not met yet") && err.contains("nothing was awarded"), "{out}{err}");
    let first = award("CERT", "C-1");
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    let place = office.seal(1, &first).await;
    office.again(1, &[&first[..], &["--key", "unit-1.key"]].concat()).await;
    let source = office.json(1, &["record", "show", &places[0]]).await;
    assert_eq!(source["marks"], serde_json::json!(["redeemed"]));
    let balance = office.json(1, &["learner", "balance", "--alias", &alias]).await;
    assert_eq!((&balance["spent"]["CATS"], &balance["spendable"]), (&"60".into(), &serde_json::json!({})), "{balance}");
    // The same credit for a second certificate.
    let second = award("CERT", "C-2");
    let second: Vec<&str> = second.iter().map(String::as_str).chain(["--key", "unit-1.key"]).collect();
    let (code, out, _) = office.call(1, &second).await;
    assert!(code == 1 && out.contains(&places[0]), "{out}");
    office.json(1, &["transcript", "--alias", &alias, "--out", "award.cbt"]).await;
    let (code, text, err) = office.call(1, &["verify", "award.cbt"]).await;
    assert!(code == 0 && text.contains("AUDITED") && text.contains("valid, and spent"), "{text}{err}");
    let revoked = office.json(1, &["award", "revoke", &place, "--reason", "error", "--key", "unit-1.key"]).await;
    assert_eq!((&revoked["changed"], &revoked["released"]), (&1.into(), &1.into()), "{revoked}");
    let balance = office.json(1, &["learner", "balance", "--alias", &alias]).await;
    assert_eq!(balance["spendable"]["CATS"], "60", "{balance}");
}

/// Goal: a newcomer checks a definition without a node; what is wrong in a file is told with its line, what can never
/// be met by its number; and with a node it is the node's registry that is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_definition_is_checked_and_published() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../qualifications");
    let alone = |file: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_creditbank"));
        command.current_dir(folder).env_clear().env("CREDITBANK_STATE", "state").args(["qualification", "check", file]);
        let output = command.output().expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
    };
    let (code, text, err) = alone("qaa-honours-degree.toml");
    for part in
        ["at least 360 CATS", "at least 90 CATS from records at level FHEQ 6", "no node was asked", "by these records"]
    {
        assert!(code == 0 && text.contains(part), "{part}: {text}{err}");
    }
    let office = Office::new().await;
    let (_, template, _) = office.call(1, &["qualification", "template"]).await;
    let path = office.dir.path().join("odd.toml");
    office.write("odd.toml", &template.replacen("\"300\"", "\"many\"", 1));
    let (code, _, err) = alone(path.to_str().expect("UTF-8"));
    assert!(code == 2 && err.contains("requirement 2: amount") && err.contains("line "), "{err}");
    office.write("odd.toml", &template.replacen("GB-100-UG:40", "GB-100-UG:100.5", 1));
    let (code, text, err) = alone(path.to_str().expect("UTF-8"));
    assert!(code == 1 && text.contains("NEVER: requirement 11") && err.contains("never be met"), "{text}{err}");
    // Institution 9 is in no registry: alone it is believed, a node knows better.
    office.write("odd.toml", &template.replacen("# awarding = [2, 7]", "awarding = [2, 9]", 1));
    let check = ["qualification", "check", "odd.toml", "--institution", "2"];
    let (code, _, err) = office.call(2, &check).await;
    assert!(code == 1 && err.contains("a node would refuse it") && err.contains("awarding"), "{err}");
    fs::copy(format!("{folder}/in-certificate.toml"), office.dir.path().join("in.toml")).expect("a copy");
    let checked = office.json(2, &["qualification", "check", "in.toml", "--institution", "2"]).await;
    assert_eq!((&checked["qualification"], &checked["satisfiable"]), (&"2/IN-CERTIFICATE.1".into(), &true.into()));
    office.seal(2, &["qualification", "publish", "in.toml"]).await;
    let shown = office.json(1, &["qualification", "show", "2/IN-CERTIFICATE.1"]).await;
    assert_eq!(shown["entry"]["requirements"][3]["months"], 84, "{shown}");
}

/// Goal: a qualification of elsewhere is recognised as an opinion, or by a decision with its legal basis, and the
/// credit from which it exempts counts towards an award.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_qualification_is_recognised() {
    let office = Office::new().await;
    let alias = creditbank_tests::acts::alias(&office.node, &office.institutions[1], 9).await.to_string();
    office.write("diplom.pdf", "a diploma");
    let of = ["recognise", "--alias", &alias, "--title", "de:Diplom-Ingenieur", "--conferred-by", "TH Aachen"];
    let more = ["--country", "DE", "--conferred", "1999-07", "--evidence", "diplom.pdf", "--decider", "Dr. A"];
    let second = [&of[..], &more, &["--mandate-paper", "file 4"]].concat();
    let of = [&of[..], &more, &["--mandate-paper", "file 3"]].concat();
    let says = ["--form", "statement", "--comparable-to", "en:Master of Science", "--level", "FHEQ:7"];
    let exempts = ["--exempt", "MATH-101:12 ECTS:EQF:6=Analysis", "--exempt", "PHYS-101:8 ECTS"];
    let sizeless = [&of[..], &says, &exempts].concat();
    let (code, _, err) = office.call(2, &[&sizeless[..], &["--key", "unit-2.key", "--dry-run"]].concat()).await;
    assert!(code == 2 && err.contains("--size") && err.contains("--method"), "{err}");
    let exempts = [&exempts[..], &["--size", "300 ECTS", "--method", "stated in the diploma supplement"]].concat();
    let statement = [&of[..], &says, &exempts].concat();
    let dry = office.json(2, &[&statement[..], &["--key", "unit-2.key", "--dry-run"]].concat()).await;
    assert_eq!((&dry["outcome"], &dry["refusals"]), (&"dry run".into(), &serde_json::json!([])), "{dry}");
    let place = office.seal(2, &statement).await;
    office.again(2, &[&statement[..], &["--key", "unit-2.key"]].concat()).await;
    let read = office.json(2, &["record", "show", &place]).await;
    assert_eq!(read["record"]["exemptions"][0]["amount"]["amount"], "12", "{read}");
    let diploma = read["record"]["qualification"]["place"].as_str().expect("a place").to_owned();
    // Another institution that holds the diploma refers to the same record, from whatever scan; what is alike needs a reason.
    let theirs = creditbank_tests::acts::alias(&office.node, &office.institutions[0], 9).await.to_string();
    office.write("scan.pdf", "another scan of the diploma");
    let to = ["recognise", "--alias", &theirs, "--title", "de:Diplom-Ingenieur", "--conferred-by", "TH AACHEN"];
    let opinion = ["--evidence", "scan.pdf", "--decider", "Dr. B", "--form", "statement", "--level", "FHEQ:7"];
    let day = ["--country", "DE", "--conferred", "1999-07", "--mandate-paper", "file 1"];
    let same = office.seal(1, &[&to[..], &opinion, &day].concat()).await;
    let shown = office.json(1, &["record", "show", &same]).await;
    assert_eq!(shown["record"]["qualification"]["place"].as_str(), Some(&diploma[..]), "{shown}");
    let other =
        [&to[..], &opinion, &["--country", "DE", "--conferred", "1999-07-30", "--mandate-paper", "file 2"]].concat();
    office.refused(1, &other, &["CLOSE_MATCH", "distinct_from", &diploma]).await;
    // A decision needs its Decision, and one that grants something.
    let decides = ["--form", "decision", "--legal-basis", "s. 3", "--comparable-to", "en:Master of Science"];
    let decides = [&second[..], &decides].concat();
    let (code, _, err) = office.call(2, &[&decides[..], &["--key", "unit-2.key"]].concat()).await;
    assert!(code == 2 && err.contains("--decision PLACE"), "{err}");
    let apply = ["apply", "--alias", &alias, "--purpose", "work", "--asked", "Admission", "--deadline", "GB-TEST"];
    let apply = [&apply[..], &["--evidence", "diplom.pdf", "--mandate-paper", "file 3"]].concat();
    let application = office.seal(2, &apply).await;
    let (code, out, _) = office
        .call(2, &[&decides[..], &["--decision", &application, "--key", "unit-2.key", "--dry-run"]].concat())
        .await;
    assert!(code == 1 && out.contains("a decision of this institution"), "{out}");
    let decide = ["decide", &application, "--decider", "Dr. A", "--legal-basis", "s. 3", "--type", "full"];
    let decision = office.seal(2, &decide).await;
    office.seal(2, &[&decides[..], &["--decision", &decision]].concat()).await;
    // The exemptions fill a requirement, whose origin they say.
    let text = "code = 'EX'\nversion = 1\nunit = 'ECTS'\nsource = 'a test'\ntitles = { en = 'Exempt' }\n[[requirement]]\n\
                type = 'credits'\namount = '20'\nmatch = { origins = ['exemption'] }\n";
    office.write("exempt.toml", text);
    office.seal(2, &["qualification", "publish", "exempt.toml"]).await;
    let met = office.json(2, &["qualification", "progress", "EX", "--alias", &alias]).await;
    assert_eq!((&met["outcome"], &met["requirements"][0]["filled"][1]), (&"met".into(), &format!("{place}#2").into()));
    // Of an award of this ledger nothing is typed again; what is given for it stands for what it counts.
    office.write("certificate.json", CERTIFICATE);
    office.seal(2, &["qualification", "publish", "certificate.json"]).await;
    let declared =
        ["qualification", "award", "CERT", "--declared", "--document", "certificate::C-1", "--kind", "certificate"];
    let declared = [&declared[..], &["--consumes-none", "Conferred in 1998"]].concat();
    let by = ["--alias", &alias, "--decider", "Prof. B", "--mandate-paper", "file 9"];
    let award = office.seal(2, &[&declared[..], &by].concat()).await;
    let of = ["recognise", "--award", &award, "--form", "statement", "--exempt", "CHEM-101:5 ECTS"];
    // It counts none: its size is stated, as that of a diploma of elsewhere.
    let sized = ["--size", "20 ECTS", "--method", "stated in the diploma supplement"];
    let place = office.seal(2, &[&of[..], &sized, &by].concat()).await;
    let read = office.json(2, &["record", "show", &place]).await;
    assert_eq!(read["record"]["exemptions"][0]["roots"][0]["fraction"], "1/4", "{read}");
}

/// Goal: an award that two institutions confer is sealed with the signature of the other one, over this very award, and
/// without it is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_joint_award_is_signed_by_both() {
    let office = Office::new().await;
    let (alias, places) = office.credits(&["ALG"]).await;
    let text = "code = 'JOINT'\nversion = 1\nunit = 'CATS'\nsource = 'a test'\nawarding = [1, 2]\n\
                titles = { en = 'Joint certificate' }\n[[requirement]]\ntype = 'credits'\namount = '60'\n";
    office.write("joint.toml", text);
    office.seal(1, &["qualification", "publish", "joint.toml"]).await;
    let award = |number: &'static str| {
        let document = format!("certificate::{number}");
        let words = ["qualification", "award", "JOINT", "--alias", &alias, "--document", &document];
        let by = ["--kind", "certificate", "--decider", "Prof. B", "--learner-key", "learner.key"];
        words.iter().chain(&by).map(|word| (*word).to_owned()).collect::<Vec<String>>()
    };
    let first = award("J-1");
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    let keyed = |more: &[&'static str]| [&first[..], &["--key", "unit-1.key"], more].concat();
    let (code, _, err) = office.call(1, &keyed(&[])).await;
    assert!(code == 1 && err.contains("cosignatures"), "{err}");
    let (code, text, err) = office.call(1, &keyed(&["--cosign-request", "request.json"])).await;
    assert!(code == 0 && text.contains("nothing was sealed"), "{text}{err}");
    let cosign = ["qualification", "cosign", "request.json", "--key", "unit-2.key", "--out", "signed.json"];
    let (code, _, err) = office.call(2, &cosign).await;
    assert!(code == 2 && err.contains("Joint certificate") && err.contains("J-1") && err.contains("--yes"), "{err}");
    let own = ["qualification", "cosign", "request.json", "--key", "unit-1.key", "--out", "own.json", "--yes"];
    let (code, _, err) = office.call(1, &own).await;
    assert!(code == 2 && err.contains("seals the award"), "{err}");
    office.json(2, &[&cosign[..], &["--yes"]].concat()).await;
    let other = award("J-2");
    let other: Vec<&str> = other.iter().map(String::as_str).chain(["--key", "unit-1.key"]).collect();
    let (code, _, err) = office.call(1, &[&other[..], &["--cosigned", "signed.json"]].concat()).await;
    assert!(code == 1 && err.contains("--document"), "{err}");
    let place = office.seal(1, &[&first[..], &["--cosigned", "signed.json"]].concat()).await;
    let read = office.json(1, &["record", "show", &place]).await;
    assert_eq!(read["record"]["cosignatures"][0]["institution"], 2, "{read}");
    let source = office.json(1, &["record", "show", &places[0]]).await;
    assert_eq!(source["marks"], serde_json::json!(["redeemed"]));
}

/// Goal: the Indian exits, as they come along, hand their credit over: a certificate's credit counts in the diploma
/// that absorbs it, and neither of them pays for a second one.
#[tokio::test(flavor = "multi_thread")]
async fn an_exit_absorbs_the_one_before_it() {
    let office = Office::new().await;
    let (alias, _) = office.credits(&["ALG", "ANA"]).await;
    // In the unit and the amounts of the credits at hand, which state a level and no field.
    for (name, amount, becomes) in [("in-certificate", "40", "60"), ("in-diploma", "80", "120")] {
        let path = format!("{}/../qualifications/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(path).expect("it comes along").replace("IN-NCRF", "CATS");
        let text = text.replace(&format!("amount = \"{amount}\""), &format!("amount = \"{becomes}\""));
        let lines = text.lines().map(|line| {
            let asks = line.starts_with("match = {");
            if asks { "match = { levels = [\"FHEQ:6\"] }" } else { line }.to_owned() + "\n"
        });
        office.write(name, &lines.collect::<String>());
        office.seal(1, &["qualification", "publish", name]).await;
    }
    let award = |code: &'static str, number: &'static str, kind: &'static str| {
        let document = format!("{kind}::{number}");
        let words = ["qualification", "award", code, "--alias", &alias, "--document", &document, "--kind", kind];
        let conferred = day(30);
        let by = ["--decider", "Prof. B", "--mandate-paper", number, "--conferred", &conferred];
        words.iter().chain(&by).map(|word| (*word).to_owned()).collect::<Vec<String>>()
    };
    let certificate = award("IN-CERTIFICATE", "C-1", "certificate");
    let certificate: Vec<&str> = certificate.iter().map(String::as_str).collect();
    let first = office.seal(1, &certificate).await;
    let diploma = award("IN-DIPLOMA", "D-1", "diploma");
    let diploma: Vec<&str> = diploma.iter().map(String::as_str).collect();
    let second = office.seal(1, &diploma).await;
    let read = office.json(1, &["record", "show", &second]).await;
    let absorbed = &read["record"]["absorbs"][0]["place"];
    assert_eq!((read["record"]["absorbs"].as_array().map(Vec::len), absorbed.is_null()), (Some(1), false), "{read}");
    let spent = office.json(1, &["record", "show", &first]).await;
    assert_eq!(spent["marks"], serde_json::json!(["redeemed"]), "the certificate is handed over");
    let again = award("IN-DIPLOMA", "D-2", "diploma");
    let again: Vec<&str> = again.iter().map(String::as_str).chain(["--key", "unit-1.key"]).collect();
    let (code, out, _) = office.call(1, &again).await;
    assert!(code == 1 && out.contains("not met yet"), "{out}");
}
