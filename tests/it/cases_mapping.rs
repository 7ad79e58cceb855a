//! Registrars' files as they come, against a node: what is said before anything is signed is what happens then.

use creditbank_client::import::{Mapping, Warning};
use creditbank_rpc::v1::{IdentityType, Person, TypedIdentity};
use creditbank_tests::{Registrar, University};

use crate::desk::{Desk, mapping, read};

/// Goal: a dry run refuses the very lines that the run refuses, for the same reasons, and each of them alone.
#[tokio::test(flavor = "multi_thread")]
async fn dry_run_and_run_refuse_the_same_lines() {
    let desk = Desk::new().await;
    let mapping = mapping("34-nonascii-code", "mapping.toml");
    let mut file = read("34-nonascii-code", "small.csv");
    let long = "x".repeat(5_000);
    let odd = [
        format!("na1,{long},Too long a code,6,12,2024A"),
        format!("na2,NA1,{long},6,12,2024A"),
        "na3,NA1,No such grade,6,21,2024A".to_owned(),
        "na4,NA1,No credits,,12,2024A".to_owned(),
        "na5,NA1,Letters for credits,six,12,2024A".to_owned(),
        "na6,NA1,A failed grade,6,8,2024A".to_owned(),
        "N/A,NA1,Nobody,6,12,2024A".to_owned(),
        "na7,NA1,A comma,\"6,5\",12,2024A".to_owned(),
        ",NA1,Nobody either,6,12,2024A".to_owned(),
        "na8,NA1,Too many fields,6,12,2024A,x".to_owned(),
        "na9,NA1,Good,6,12,2024A".to_owned(),
        "na9,NA1,The same again,6,12,2024A".to_owned(),
        "na9,NA1,The same course in another term,6,12,2025A".to_owned(),
    ];
    file.extend(odd.join("\n").into_bytes());
    file.push(b'\n');
    let forecast = desk.forecast(&mapping, &file).await.expect("a forecast");
    let done = desk.issue(&mapping, &file).await.expect("the import");
    assert_eq!(desk.refused("forecast.csv"), desk.refused("refused.csv"));
    assert_eq!(forecast.progress, done);
    assert!(done.records >= 3 && done.refused >= 10, "{done:?}");
    let again = desk.issue(&mapping, &file).await.expect("again");
    assert_eq!((again.records, again.already, again.refused), (0, done.records, done.refused));
}

/// Goal: what must be looked at stops a run before anything is signed or opened, until it is accepted by name; a dry run
/// says so.
#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_looked_at_stops_the_run() {
    let desk = Desk::new().await;
    let mapping = mapping("26-placeholder", "mapping-titles.toml");
    let file = read("26-placeholder", "titles.csv");
    let (size, sealed) = (desk.desk.node.ledger().size(), desk.desk.sealed());
    let forecast = desk.forecast(&mapping, &file).await.expect("a forecast");
    assert_eq!(forecast.stops, [Warning::Mojibake, Warning::Entities]);
    let stopped = desk.issue(&mapping, &file).await.expect_err("it stops");
    assert!(
        stopped.to_string().contains("mojibake (2)") && stopped.to_string().contains("--accept mojibake"),
        "{stopped}"
    );
    assert_eq!((desk.desk.node.ledger().size(), desk.desk.sealed()), (size, sealed));
    let accepting = mapping.accepting([Warning::Mojibake, Warning::Entities]);
    let forecast = desk.forecast(&accepting, &file).await.expect("a forecast");
    let done = desk.issue(&accepting, &file).await.expect("it was looked at");
    assert_eq!((forecast.progress, forecast.stops.len(), done.records), (done.clone(), 0, 3));
}

/// Goal: a dry run counts the persons whom the institution has never named; that others know them it does not say.
#[tokio::test(flavor = "multi_thread")]
async fn persons_who_are_named_for_the_first_time() {
    let desk = Desk::new().await;
    let other = University::admit(&desk.desk.node, 2).await;
    let national = |value: &str| TypedIdentity {
        r#type: IdentityType::National.into(),
        scope: "DK".to_owned(),
        value: value.to_owned(),
    };
    let persons = vec![Person { identities: vec![national("0707614285")] }];
    other.client(&desk.desk.node).await.open_accounts(2, persons).await.expect("an account");
    let danish = String::from_utf8(read("34-nonascii-code", "mapping.toml")).expect("text");
    let danish = danish.replace("type = \"student_number\"", "type = \"national\"\nscope = \"DK\"");
    let danish = Mapping::parse(&danish).expect("a mapping");
    let header = "sid,code,title,credits,grade,term\n";
    let file = format!("{header}070761-4285,C1,T,6,12,2024A\n0707614285,C2,T,6,12,2024A\n");
    let forecast = desk.forecast(&danish, file.as_bytes()).await.expect("a forecast");
    assert_eq!((forecast.new_learners, forecast.progress.learners), (1, 1), "one person, known to others alone");
    desk.issue(&danish, file.as_bytes()).await.expect("the import");
    let more = format!("{header}0707614285,C3,T,6,12,2024A\n");
    let forecast = desk.forecast(&danish, more.as_bytes()).await.expect("a forecast");
    assert_eq!(forecast.new_learners, 0, "we have named them now");
    let numbers = mapping("34-nonascii-code", "mapping.toml");
    let file = format!("{header}ge42abc,C1,T,6,12,2024A\n");
    assert_eq!(desk.forecast(&numbers, file.as_bytes()).await.expect("a forecast").new_learners, 1);
    desk.issue(&numbers, file.as_bytes()).await.expect("the import");
    let file = format!("{header}GE42ABC,C2,T,6,12,2024A\nGE42ABD,C2,T,6,12,2024A\n");
    let forecast = desk.forecast(&numbers, file.as_bytes()).await.expect("a forecast");
    assert_eq!((forecast.new_learners, forecast.progress.learners), (1, 2));
    let samples = &forecast.survey.warnings[&Warning::NewIdentities].samples;
    assert_eq!(samples[..], [(3, "learner".to_owned(), "GE42ABD".to_owned())]);
}

/// Goal: whoever sends an identity, and however it is spelled, it leads to the one account; what the standard or the
/// institution tells apart stays apart.
#[tokio::test(flavor = "multi_thread")]
async fn spellings_lead_to_one_account() {
    use IdentityType::{National, Network, StudentNumber, StudentNumberExact};
    let desk = Registrar::new().await;
    let client = desk.client().await;
    let of = async |kind: IdentityType, scope: &str, value: &str| {
        let identity = TypedIdentity { r#type: kind.into(), scope: scope.to_owned(), value: value.to_owned() };
        client.open_accounts(1, vec![Person { identities: vec![identity] }]).await.map(|aliases| aliases[0])
    };
    for (kind, scope, one, other) in [
        (StudentNumber, "", "GE42ABC", "ge42abc"),
        (National, "dk", "070761-4285", "0707614285"),
        (Network, "ORCID", "https://orcid.org/0000-0002-1825-0097", "0000000218250097"),
    ] {
        let (one, other) =
            (of(kind, scope, one).await.expect("an alias"), of(kind, scope, other).await.expect("an alias"));
        assert_eq!(one, other, "{scope}");
    }
    let capital = of(StudentNumber, "", "GE42ABC").await.expect("an alias");
    assert_eq!(of(StudentNumberExact, "", "GE42ABC").await.expect("an alias"), capital);
    assert_ne!(of(StudentNumberExact, "", "ge42abc").await.expect("an alias"), capital);
    for (kind, scope, value) in
        [(National, "DK", "--"), (StudentNumberExact, "1", "7"), (StudentNumber, "", "1\u{200b}")]
    {
        assert!(of(kind, scope, value).await.is_err(), "{value:?}");
    }
}

/// Goal: a blank cell takes no signed grade away; what vanishes or is emptied stops the run, and is shown before.
#[tokio::test(flavor = "multi_thread")]
async fn blanks_take_nothing_away() {
    let desk = Desk::new().await;
    let text = String::from_utf8(read("24-blank", "mapping.toml")).expect("text");
    let mapping = Mapping::parse(&text).expect("a mapping");
    desk.sync(&mapping, &read("24-blank", "full.csv")).await.expect("the first");
    let delta = read("24-blank", "delta.csv");
    let planned = desk.plan(&mapping, &delta).await.expect("a plan");
    assert_eq!((planned.stops.clone(), planned.unchanged, planned.amended), (vec![Warning::Vanished], 1, 0));
    assert_eq!(planned.survey.warnings[&Warning::Vanished].count, 2, "one vanished, one was emptied");
    let stopped = desk.sync(&mapping, &delta).await.expect_err("it stops");
    assert!(stopped.to_string().contains("vanished (2)"), "{stopped}");
    let accepting = mapping.accepting([Warning::Vanished]);
    let done = desk.sync(&accepting, &delta).await.expect("it was looked at");
    assert_eq!((done.unchanged, done.amended, done.vanished), (1, 0, 1));
    let both =
        |first: &str, second: &str| vec![("BG1".to_owned(), first.to_owned()), ("BG1".to_owned(), second.to_owned())];
    assert_eq!(desk.standing().await, both("14", "15"));
    // Another value changes while the grade is blank: the grade stays.
    let retitled = String::from_utf8(delta.clone()).expect("text").replace("Pottery", "Pottery and glazes");
    let done = desk.sync(&accepting, retitled.as_bytes()).await.expect("amended");
    assert_eq!((done.amended, done.steps.len()), (1, 1));
    assert!(!done.steps[0].before.is_empty() && done.steps[0].before != done.steps[0].after);
    assert_eq!(desk.standing().await, both("14", "15"));
    let clearing = text.replace("{ column = \"grade\" }", "{ column = \"grade\", blank = \"clear\" }");
    let clearing = Mapping::parse(&clearing).expect("a mapping").accepting([Warning::Vanished]);
    assert_eq!(desk.sync(&clearing, retitled.as_bytes()).await.expect("cleared").amended, 1);
    assert_eq!(desk.standing().await, both("", "15"));
    // A new result without a grade is refused, as issue refuses it.
    let new = "no,sid,code,title,credits,grade,term\nn3,g3,BG1,Pottery,6,,2024A\n";
    let done = desk.sync(&accepting, new.as_bytes()).await.expect("a plan");
    assert_eq!((done.issued, done.refused), (0, 1));
    assert!(done.refused_lines[0].reason.contains("blank"), "{:?}", done.refused_lines);
}

/// Goal: a scale that the registry does not have is named before anything else, with the one that was meant; a file without
/// lines does nothing and says so.
#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_told_early() {
    let desk = Desk::new().await;
    let text = String::from_utf8(read("24-blank", "mapping.toml")).expect("text");
    let wrong = Mapping::parse(&text.replace("FR-20", "FR20")).expect("a mapping");
    let told = desk.issue(&wrong, &read("24-blank", "full.csv")).await.expect_err("no such scale").to_string();
    assert!(told.contains("do you mean FR-20?"), "{told}");
    let mapping = Mapping::parse(&text).expect("a mapping");
    let header = b"no,sid,code,title,credits,grade,term\n";
    for told in [
        desk.issue(&mapping, header).await.expect_err("no lines"),
        desk.forecast(&mapping, header).await.expect_err("no lines"),
        desk.sync(&mapping, header).await.expect_err("no lines"),
    ] {
        assert!(told.to_string().contains("no lines after the header"), "{told}");
    }
}

/// Goal: what passes in the registry's scale becomes a Credit, another grade a failed Result, and a word says who was absent.
#[tokio::test(flavor = "multi_thread")]
async fn the_registrys_scale_decides() {
    let desk = Desk::new().await;
    let done =
        desk.issue(&mapping("22-makeup", "french.toml"), &read("22-makeup", "french.csv")).await.expect("the import");
    assert_eq!((done.kinds.get("credit"), done.kinds.get("result"), done.refused), (Some(&1), Some(&2), 0));
    let done = desk.issue(&mapping("32-tum", "mapping.toml"), &read("32-tum", "input.csv")).await.expect("the import");
    assert_eq!((done.kinds.get("credit"), done.kinds.get("result"), done.refused), (Some(&1), Some(&2), 0));
}
