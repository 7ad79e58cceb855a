//! Files that say more of a result than its grade, against a node: further grades, enrolments, who a learner is; and what a
//! mapping that says less leaves alone.

use creditbank_client::import::{Mapping, Warning};
use creditbank_client::sync::Step;
use creditbank_protocol::Place;
use creditbank_protocol::canonical::{Canonical, decode};
use creditbank_protocol::names;
use creditbank_protocol::pb::{Credit, Enrolment, EnrolmentState, Identity, Kind, PassBasis};

use crate::desk::Desk;

const HEADER: &str = "am,eponymo,onoma,gennisi,kodikos,titlos,ects,vathmos,leksi,ects_vathmos,perioden,eksetasi\n";

/// A Greek export: a number, its word and the ECTS grade.
fn greek(more: &str) -> Mapping {
    let text = format!(
        r#"
reference = ["am", "kodikos"]
[learner]
column = "am"
[fields]
course_code = {{ column = "kodikos" }}
title = {{ column = "titlos" }}
title_language = "el"
credits = {{ column = "ects" }}
unit = "ECTS"
grade = {{ column = "vathmos" }}
scale = "ES-10"
term = {{ column = "perioden" }}
completed = {{ column = "eksetasi" }}
period_from = "2024-10"
period_until = "2025-02"
[results]
by = "scale"
[[further]]
scale = "ECTS-AF"
column = "ects_vathmos"
[identity]
names = [{{ language = "el", family = {{ column = "eponymo" }}, given = {{ column = "onoma" }} }}]
birth_date = {{ column = "gennisi" }}
document = "national_id"
assurance = "substantial"
{more}"#
    );
    Mapping::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// Every record of a kind that stands.
async fn standing<M: Canonical>(desk: &Desk, kind: Kind) -> Vec<M> {
    let client = desk.desk.client().await;
    let mut found = Vec::new();
    for record in client.issued(desk.desk.university.issuing().id, 0, 100).await.expect("a list").0 {
        let read = client.record(Place::read(record.place)).await.expect("a record");
        if record.marks.is_empty() && read.disclosed.info.kind == kind {
            found.push(decode(&read.disclosed.body).expect("its kind"));
        }
    }
    found
}

/// Goal: 9.6 and an ECTS grade stand in one Credit, the learner's Identity beside it once; the dry run says the same, and a
/// second run does nothing. When the name changes, the Identity is amended and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn two_grades_and_a_name() {
    let desk = Desk::new().await;
    let mapping = greek("");
    let line = |name: &str, code: &str, grade: &str| {
        format!(
            "5001,{name},\u{395}\u{3bb}\u{3ad}\u{3bd}\u{3b7},2001-05-03,{code},\u{386}\u{3bb}\u{3b3}\u{3b5}\u{3b2}\u{3c1}\u{3b1},6,{grade},x,A,\u{3a7}\u{395}\u{399}\u{39c} 2024,2025-02-03\n"
        )
    };
    let old = "\u{39f}\u{3b9}\u{3ba}\u{3bf}\u{3bd}\u{3cc}\u{3bc}\u{3bf}\u{3c5}";
    let file =
        format!("{HEADER}{}{}", line(old, "\u{3a0}\u{39b}\u{397}10", "9.6"), line(old, "\u{3a0}\u{39b}\u{397}11", "8"));
    let forecast = desk.forecast(&mapping, file.as_bytes()).await.expect("a forecast");
    let done = desk.issue(&mapping, file.as_bytes()).await.expect("the import");
    assert_eq!((forecast.progress, forecast.ungraded), (done.clone(), 0));
    assert_eq!((done.lines, done.records, done.kinds.get("identity"), done.refused), (2, 3, Some(&1), 0), "{done:?}");
    let credits: Vec<Credit> = standing(&desk, Kind::Credit).await;
    let first = &credits[0];
    let grades = |credit: &Credit| {
        let all = credit.grade.iter().chain(&credit.further);
        all.map(|grade| format!("{} {}", grade.value, grade.scale)).collect::<Vec<_>>()
    };
    assert_eq!(grades(first), ["9.6 ES-10", "A ECTS-AF"]);
    assert_eq!(
        (first.term.as_str(), first.completed.map(|day| day.day)),
        ("\u{3a7}\u{395}\u{399}\u{39c} 2024", Some(3))
    );
    let again = desk.issue(&mapping, file.as_bytes()).await.expect("again");
    assert_eq!((again.records, again.already), (0, 3));
    let synced = desk.sync(&mapping, file.as_bytes()).await.expect("the same");
    assert_eq!((synced.lines, synced.unchanged, synced.amended, synced.issued), (2, 3, 0, 0));
    let married = file.replace(old, "\u{3a0}\u{3b1}\u{3c0}\u{3ac}");
    let synced = desk.sync(&mapping, married.as_bytes()).await.expect("another name");
    assert_eq!((synced.unchanged, synced.amended), (2, 1), "{:?}", synced.refused_lines);
    let people: Vec<Identity> = standing(&desk, Kind::Identity).await;
    assert_eq!((people.len(), people[0].names[0].family.as_str()), (1, "\u{3a0}\u{3b1}\u{3c0}\u{3ac}"));
}

/// Goal: a mapping that lacks a field takes nothing away of what was signed, nor does one that drops a scale; emptied values
/// that would go stop the run.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_mapping_lacks_stays() {
    let desk = Desk::new().await;
    let text = |fields: &str| {
        format!(
            "reference = [\"sid\"]\n[learner]\ncolumn = \"sid\"\n[fields]\ncourse_code = \"C1\"\n\
             title = {{ column = \"title\" }}\ntitle_language = \"en\"\ncredits = \"6\"\nunit = \"ECTS\"\nkind = \"credit\"\n\
             period_from = \"2024-09\"\nperiod_until = \"2025-01\"\ncountry = \"GB\"\n{fields}"
        )
    };
    let whole = text(
        "grade = { column = \"grade\" }\nscale = \"FR-20\"\nsite = { column = \"site\" }\nlevel = \"6\"\nframework = \"EQF\"\n\
         basis = { column = \"basis\", blank = \"keep\" }",
    );
    let parse = |text: &str| Mapping::parse(text).expect("a mapping");
    let file = "sid,title,grade,site,basis\ns1,Law,8,North,condoned\ns2,Law,12,North,\n";
    desk.sync(&parse(&whole), file.as_bytes()).await.expect("the first");
    let less = file.replace("Law", "Law 1").replace("North", "");
    let accepting = parse(&text("site = { column = \"site\" }")).accepting([Warning::Vanished]);
    let done = desk.sync(&accepting, less.as_bytes()).await.expect("amended");
    assert_eq!((done.amended, done.steps[0].step), (2, Step::Amend));
    let credits: Vec<Credit> = standing(&desk, Kind::Credit).await;
    let first = &credits[0];
    let place = first.place.clone().expect("a place");
    assert_eq!((place.country.as_str(), place.name.as_str()), ("GB", "North"));
    assert_eq!(first.grade.as_ref().map(|grade| grade.value.as_str()), Some("8"));
    assert_eq!(
        (first.basis(), first.level.as_ref().map(|level| level.level.as_str())),
        (PassBasis::Condoned, Some("6"))
    );
    assert_eq!(first.course.as_ref().map(|course| course.titles[0].value.as_str()), Some("Law 1"));
    for clearing in [", blank = \"clear\"", ", words = { \"-\" = \"\" }"] {
        let clearing = parse(&whole.replace("column = \"grade\"", &format!("column = \"grade\"{clearing}")));
        let gone = less.replace(",8,", ",-,").replace(",12,", ",-,");
        let gone = if clearing_is_blank(&clearing) { gone.replace('-', "") } else { gone };
        let stopped = desk.sync(&clearing, gone.as_bytes()).await.expect_err("all grades are gone");
        assert!(stopped.to_string().contains("vanished"), "{stopped}");
    }
    assert_eq!(standing::<Credit>(&desk, Kind::Credit).await.iter().filter(|credit| credit.grade.is_some()).count(), 2);
}

/// Whether a blank cell is what this mapping clears.
fn clearing_is_blank(mapping: &Mapping) -> bool {
    format!("{mapping:?}").contains("Clear")
}

/// Goal: a line that is refused is in the file all the same: its record has not vanished.
#[tokio::test(flavor = "multi_thread")]
async fn refused_lines_have_not_vanished() {
    let desk = Desk::new().await;
    let mapping = greek("");
    let line = |sid: u32, grade: &str| format!("{sid},A,B,2001-05-03,C1,T,6,{grade},x,,t,2025-02-03\n");
    let good: String = (1..=20).map(|sid| line(5000 + sid, "9")).collect();
    desk.sync(&mapping, format!("{HEADER}{good}").as_bytes()).await.expect("the first");
    let bad = format!("{HEADER}{good}").replace("5001,A,B,2001-05-03,C1,T,6,9", "5001,A,B,2001-05-03,C1,T,6,9/10");
    let bad = bad.replace("5002,A,B,2001-05-03,C1,T,6,9", "5002,A,B,2001-13-03,C1,T,6,9");
    let done = desk.sync(&mapping, bad.as_bytes()).await.expect("two lines are refused");
    assert_eq!((done.refused, done.vanished, done.unchanged), (2, 0, 36), "{:?}", done.refused_lines);
}

/// Goal: the same result in a second file with another value is refused, not issued beside the first.
#[tokio::test(flavor = "multi_thread")]
async fn one_result_in_two_files() {
    let desk = Desk::new().await;
    let mapping = greek("");
    let file = |grade: &str| format!("{HEADER}5001,A,B,2001-05-03,C1,T,6,{grade},x,,t,2025-02-03\n");
    desk.issue(&mapping, file("4").as_bytes()).await.expect("a failed result");
    let again = desk.issue(&mapping, file("3.5").as_bytes()).await.expect("a run");
    assert_eq!((again.records, again.refused), (0, 1));
    assert!(desk.refused("refused.csv").iter().any(|line| line.contains("amend")), "{:?}", desk.refused("refused.csv"));
}

/// Goal: enrolments come from a file too, and a change of state amends them.
#[tokio::test(flavor = "multi_thread")]
async fn enrolments_are_followed() {
    let desk = Desk::new().await;
    let text = "reference = [\"sid\", \"prog\"]\n[learner]\ncolumn = \"sid\"\n[fields]\nkind = \"enrolment\"\n\
                programme = { column = \"prog\" }\ntitle = { column = \"name\" }\ntitle_language = \"de\"\n\
                period_from = { column = \"from\" }\nperiod_until = { column = \"until\" }\nmode = \"on_site\"\n\
                state = { column = \"state\", words = { RM = \"registered\", EX = \"withdrawn\" } }\n";
    let mapping = Mapping::parse(text).expect("a mapping");
    let header = "sid,prog,name,from,until,state\n";
    let file = format!("{header}s1,82 079,Informatik BA,2023-10-01,,RM\ns2,82 079,Informatik BA,2023-10-01,,RM\n");
    let forecast = desk.forecast(&mapping, file.as_bytes()).await.expect("a forecast");
    assert_eq!((forecast.progress.records, forecast.ungraded), (2, 0), "{:?}", forecast.refused);
    assert_eq!(desk.sync(&mapping, file.as_bytes()).await.expect("the first").issued, 2);
    let left = file.replacen("2023-10-01,,RM", "2023-10-01,2024-03-31,EX", 1);
    let done = desk.sync(&mapping, left.as_bytes()).await.expect("one has left");
    assert_eq!((done.amended, done.unchanged), (1, 1), "{:?}", done.refused_lines);
    let mut states: Vec<String> =
        standing::<Enrolment>(&desk, Kind::Enrolment).await.iter().map(|one| names::of(one.state())).collect();
    states.sort();
    assert_eq!(states, [names::of(EnrolmentState::Registered), names::of(EnrolmentState::Withdrawn)]);
}

/// Goal: where a number is mistyped, two lines say something else of one learner: neither signs who that is, in a dry run, a run
/// and a synchronisation alike.
#[tokio::test(flavor = "multi_thread")]
async fn contradictory_lines_sign_no_identity() {
    let desk = Desk::new().await;
    let mapping = greek("");
    let line = |sid: &str, name: &str, code: &str| format!("{sid},{name},B,2001-05-03,{code},T,6,9,x,,t,2025-02-03\n");
    let file =
        format!("{HEADER}{}{}{}", line("5002", "Eva", "C1"), line("5002", "Zoe", "C2"), line("5003", "Eva", "C3"));
    let forecast = desk.forecast(&mapping, file.as_bytes()).await.expect("a forecast");
    let done = desk.issue(&mapping, file.as_bytes()).await.expect("a run");
    assert_eq!((forecast.progress, done.refused, done.records), (done.clone(), 2, 2));
    assert_eq!(desk.refused("forecast.csv"), desk.refused("refused.csv"));
    let synced = desk.sync(&mapping, file.as_bytes()).await.expect("a synchronisation");
    assert_eq!((synced.refused, synced.unchanged, synced.issued + synced.amended), (2, 2, 0));
    assert_eq!(standing::<Identity>(&desk, Kind::Identity).await.len(), 1);
}

/// Goal: a mapping that no longer has the further scale, or a language of names, takes neither away.
#[tokio::test(flavor = "multi_thread")]
async fn scales_and_languages_that_a_mapping_lacks_stay() {
    let desk = Desk::new().await;
    let both = |title: &str, more: &str, names: &str| {
        let text = format!(
            "reference = [\"sid\"]\n[learner]\ncolumn = \"sid\"\n[fields]\ncourse_code = \"C1\"\ntitle = \"{title}\"\n\
             title_language = \"en\"\ncredits = \"6\"\nunit = \"ECTS\"\nkind = \"credit\"\ngrade = {{ column = \"grade\" }}\n\
             scale = \"ES-10\"\nperiod_from = \"2024-09\"\nperiod_until = \"2025-01\"\n{more}\n[identity]\nnames = [{names}]\n\
             birth_date = {{ column = \"born\" }}\ndocument = \"passport\"\nassurance = \"high\"\n"
        );
        Mapping::parse(&text).unwrap_or_else(|error| panic!("{error}"))
    };
    let further = "[[further]]\nscale = \"ECTS-AF\"\ncolumn = \"ects\"";
    let (greek, latin) =
        ("{ language = \"el\", full = { column = \"el\" } }", "{ language = \"el-Latn\", full = { column = \"la\" } }");
    let file = "sid,grade,ects,born,el,la\ns1,9,A,2001-05-03,\u{395}\u{3bb}\u{3ad}\u{3bd}\u{3b7},Eleni\n";
    let whole = both("Law", further, &format!("{greek}, {latin}"));
    desk.sync(&whole, file.as_bytes()).await.expect("the first");
    let less = both("Law 1", "", greek);
    let done = desk.sync(&less, file.as_bytes()).await.expect("another title");
    assert_eq!((done.amended, done.unchanged), (1, 1), "{:?}", done.steps);
    let credits: Vec<Credit> = standing(&desk, Kind::Credit).await;
    assert_eq!(credits[0].further.iter().map(|grade| grade.value.as_str()).collect::<Vec<_>>(), ["A"]);
    assert_eq!(standing::<Identity>(&desk, Kind::Identity).await[0].names.len(), 2);
}
