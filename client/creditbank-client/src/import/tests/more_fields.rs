//! What else a line says: further grades, the basis of a pass, enrolments, and who the learner is.

use creditbank_protocol::dates;
use creditbank_protocol::pb::{self, Assurance, DocumentType, EnrolmentState, PassBasis, StudyLoad};

use super::Read;
use crate::import::Mapping;
use crate::import::draft::Body;

/// A mapping of `sid;code;grade` and what a test adds.
fn mapping(fields: &str, more: &str) -> String {
    format!(
        "reference = [\"sid\", \"code\"]\n[file]\ndelimiter = \";\"\n[learner]\ncolumn = \"sid\"\n[fields]\n\
         course_code = {{ column = \"code\" }}\ntitle = \"T\"\nunit = \"ECTS\"\ncredits = \"6\"\nscale = \"IT-30\"\n\
         grade = {{ column = \"grade\" }}\n{fields}\n{more}"
    )
}

fn credit(read: &Read, at: usize) -> pb::Credit {
    match &read.good(at).body {
        Body::Credit(one) => (**one).clone(),
        _ => panic!("a Credit"),
    }
}

/// Goal: a national grade and an ECTS grade stand in one Credit, each as its own scale spells it; the first one decides, a
/// blank one is left out, and a word of the mapping is a grade in neither column.
#[test]
fn further_grades() {
    let further = "[[further]]\nscale = \"ECTS-AF\"\ncolumn = \"ects\"\ncase = \"upper\"\n\
                   [[further]]\nscale = \"ES-10\"\ncolumn = \"spain\"\n\
                   [results]\nby = \"scale\"\n[results.words]\nASS = { status = \"absent\" }";
    let text = mapping("", further).replace("delimiter = \";\"", "delimiter = \";\"\ndecimal = \",\"");
    let file = "sid;code;grade;ects;spain\ns1;A;28;b;9,5\ns2;A;18;E;\ns3;A;12;FX;3\ns4;A;ASS;ASS;\n";
    let read = Read::of(&text, file.as_bytes()).expect("a file");
    assert_eq!(read.shown(), ["2 credit S1 28 6", "3 credit S2 18 6", "4 result S3 12", "5 result S4 no grade"]);
    let grades = |all: &[pb::Grade]| all.iter().map(|one| format!("{} {}", one.scale, one.value)).collect::<Vec<_>>();
    assert_eq!(grades(&credit(&read, 0).further), ["ECTS-AF B", "ES-10 9.5"]);
    assert_eq!(grades(&credit(&read, 1).further), ["ECTS-AF E"]);
    let Body::Result(absent) = &read.good(3).body else { panic!("a Result") };
    assert!(absent.further.is_empty());
    assert!(read.survey.first[0].contains("and            B in ECTS-AF"), "{}", read.survey.first[0]);
    let without = mapping("", "[[further]]\ncolumn = \"ects\"");
    assert!(Mapping::parse(&without).expect_err("no scale").to_string().contains("the scale of the column"));
}

/// Goal: a blank cell of one further grade keeps that grade where a file is followed, and leaves the others in their order.
#[test]
fn a_blank_further_grade_is_kept() {
    let further = "kind = \"credit\"\n[[further]]\nscale = \"ECTS-AF\"\ncolumn = \"ects\"\n\
                   [[further]]\nscale = \"ES-10\"\ncolumn = \"spain\"";
    let file = |ects: &str| format!("sid;code;grade;ects;spain\ns1;A;28;{ects};9.5\n").into_bytes();
    let whole = Read::of(&mapping("", further), &file("B")).expect("a file");
    let blank = Read::of(&mapping("", further), &file("")).expect("a file");
    let mut draft = blank.good(0).clone();
    let said = whole.good(0).body_bytes();
    assert_eq!(draft.keep(&said), ["further.ECTS-AF"]);
    assert_eq!(draft.body_bytes(), said);
}

/// Goal: a compensated pass is a Credit with the grade that does not pass, an exemption one without a grade, and no failed
/// result has a basis.
#[test]
fn the_basis_of_a_pass() {
    let basis =
        "basis = { column = \"basis\", words = { COMP = \"compensated\", EX = \"exempted\", OK = \"earned\" } }";
    let by_scale = mapping(basis, "[results]\nby = \"scale\"");
    let file = "sid;code;grade;basis\ns1;A;15;COMP\ns2;A;;EX\ns3;A;24;OK\ns4;A;15;\ns5;A;15;OK\ns6;A;20;odd\n";
    let read = Read::of(&by_scale, file.as_bytes()).expect("a file");
    let shown = [
        "2 credit S1 15 6",
        "3 credit S2 no grade 6",
        "4 credit S3 24 6",
        "5 result S4 15",
        "6 result S5 15",
        "7: basis",
    ];
    assert_eq!(read.shown(), shown);
    let of = |at| credit(&read, at).basis();
    assert_eq!((of(0), of(1), of(2)), (PassBasis::Compensated, PassBasis::Exempted, PassBasis::Unspecified));
    let result = mapping(
        basis,
        "[results]\ncolumn = \"code\"\n[results.values]\nA = { kind = \"result\", status = \"failed\" }",
    );
    let read = Read::of(&result, b"sid;code;grade;basis\ns1;A;15;COMP\n").expect("a file");
    assert!(read.why(2).contains("basis of a pass"), "{}", read.why(2));
}

/// Goal: the day of the assessment, term and session stand as the file has them.
#[test]
fn terms_and_sessions() {
    let fields = "kind = \"credit\"\ncompleted = { column = \"day\" }\nterm = { column = \"term\" }\nsession = { column = \"when\" }";
    let text = mapping(fields, "").replace("delimiter = \";\"", "delimiter = \";\"\ndate = \"DD/MM/YYYY\"");
    let file = "sid;code;grade;day;term;when\ns1;A;28;03/02/2025;2024/25 S1;Febbraio, 2\u{b0} appello\n";
    let credit = credit(&Read::of(&text, file.as_bytes()).expect("a file"), 0);
    assert_eq!(credit.completed.map(|day| dates::show(&day)).as_deref(), Some("2025-02-03"));
    assert_eq!((credit.term.as_str(), credit.session.as_str()), ("2024/25 S1", "Febbraio, 2\u{b0} appello"));
}

/// Goal: a file of enrolments makes Enrolments, and what an Enrolment does not have is refused, not dropped.
#[test]
fn enrolments() {
    let text = "reference = [\"sid\", \"prog\"]\n[learner]\ncolumn = \"sid\"\n[fields]\nkind = \"enrolment\"\n\
                programme = { column = \"prog\" }\ntitle = { column = \"name\" }\ntitle_language = \"de\"\n\
                period_from = { column = \"from\" }\nperiod_until = { column = \"until\" }\nload = \"part_time\"\n\
                definition = { column = \"po\" }\n\
                state = { column = \"state\", words = { RM = \"registered\", EX = \"withdrawn\" } }\n";
    let file = "sid,prog,name,from,until,po,state\ns1,82 079,Informatik BA,2023-10-01,,2/BA-INF.3,RM\n\
                s2,82 079,Informatik BA,2022-10-01,2023-03-31,,EX\ns3,1,A,2022-10-01,,BA-INF,RM\ns4,1,A,2022-10-01,,,\n";
    let read = Read::of(text, file.as_bytes()).expect("a file");
    assert_eq!(read.shown(), ["2 enrolment S1 no grade", "3 enrolment S2 no grade", "4: definition", "5: state"]);
    let Body::Enrolment(first) = &read.good(0).body else { panic!("an Enrolment") };
    let definition = first.definition.clone().expect("a definition");
    assert_eq!((definition.institution, definition.code.as_str(), definition.version), (2, "BA-INF", 3));
    assert_eq!((first.state(), first.load()), (EnrolmentState::Registered, StudyLoad::PartTime));
    assert_eq!(first.programme.as_ref().map(|programme| programme.code.as_str()), Some("82 079"));
    let with_grade = format!("{text}grade = \"14\"\n");
    let read = Read::of(&with_grade, file.as_bytes()).expect("a file");
    assert!(read.why(2).contains("no such field"), "{}", read.why(2));
}

const IDENTITY: &str = "[identity]\nnames = [\n  { language = \"el\", family = { column = \"eponymo\" }, given = { column = \"onoma\" } },\n  \
                        { language = \"el-Latn\", full = { column = \"latin\" } },\n]\nbirth_date = { column = \"born\" }\n\
                        document = \"national_id\"\nassurance = { column = \"level\", words = { K = \"substantial\" } }\n";

/// Goal: a file of results that names its learners makes one Identity of each, in every script that it has; a learner of two
/// birth dates is refused, and a line that lacks one.
#[test]
fn identities_beside_results() {
    let text = mapping("kind = \"credit\"", IDENTITY);
    let file = "sid;code;grade;eponymo;onoma;latin;born;level\n\
                s1;A;28;\u{39f}\u{3b9}\u{3ba}\u{3bf}\u{3bd}\u{3cc}\u{3bc}\u{3bf}\u{3c5};\u{395}\u{3bb}\u{3ad}\u{3bd}\u{3b7};Oikonomou Eleni;2001-05-03;K\n\
                s1;B;27;\u{39f}\u{3b9}\u{3ba}\u{3bf}\u{3bd}\u{3cc}\u{3bc}\u{3bf}\u{3c5};\u{395}\u{3bb}\u{3ad}\u{3bd}\u{3b7};Oikonomou Eleni;2001-05-03;K\n\
                s1;C;27;\u{39f}\u{3b9}\u{3ba}\u{3bf}\u{3bd}\u{3cc}\u{3bc}\u{3bf}\u{3c5};\u{395}\u{3bb}\u{3ad}\u{3bd}\u{3b7};Oikonomou Eleni;2001-05-04;K\n\
                s2;A;27;;;;;\ns3;A;27;X;Y;Y X;;K\n";
    let read = Read::of(&text, file.as_bytes()).expect("a file");
    let shown = [
        "2 credit S1 28 6",
        "2 identity S1 no grade",
        "3 credit S1 27 6",
        "4: identity",
        "5 credit S2 27 6",
        "6: identity.birth_date",
    ];
    assert_eq!(read.shown(), shown);
    assert_eq!(read.survey.lines, 5, "a second record of a line is no second line");
    let Body::Identity(eleni) = &read.good(1).body else { panic!("an Identity") };
    let mut names: Vec<_> =
        eleni.names.iter().map(|name| (name.language.as_str(), name.full.as_str(), name.family.as_str())).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            ("el", "", "\u{39f}\u{3b9}\u{3ba}\u{3bf}\u{3bd}\u{3cc}\u{3bc}\u{3bf}\u{3c5}"),
            ("el-Latn", "Oikonomou Eleni", "")
        ]
    );
    assert_eq!((eleni.document(), eleni.assurance()), (DocumentType::NationalId, Assurance::Substantial));
    assert!(read.why(4).contains("line 2"), "{}", read.why(4));
}

/// Goal: a file of persons makes Identities alone and needs no reference; a mapping without one name, or with two of one
/// language, says what it lacks.
#[test]
fn identities_alone() {
    let text = format!("[learner]\ncolumn = \"sid\"\n{IDENTITY}");
    let file = "sid,eponymo,onoma,latin,born,level\ns1,A,B,B A,2001-05,K\ns2,A,B,,2002-01-01,K\ns1,A,B,B A,2001-05,K\ns3,A,B,,,K\n";
    let read = Read::of(&text, file.as_bytes()).expect("a file");
    assert_eq!(read.shown(), ["2 identity S1 no grade", "3 identity S2 no grade", "5: identity.birth_date"]);
    assert!(read.survey.about.notes.iter().any(|note| note.contains("1 line says")), "{:?}", read.survey.about.notes);
    let refused = |from: &str, to: &str| Mapping::parse(&text.replace(from, to)).expect_err("a mistake").to_string();
    assert!(refused(", full = { column = \"latin\" }", "").contains("identity.names"));
    assert!(refused("el-Latn", "el").contains("el twice"));
    assert!(refused("birth_date = { column = \"born\" }\n", "").contains("birth_date"));
}

/// Goal: a year and a term in two columns name a period.
#[test]
fn year_and_term_apart() {
    let period = "[period]\ncolumns = [\"year\", \"term\"]\npattern = \"{yyyy}-{yyyy+1} {suffix}\"\n\
                  [period.suffixes]\n2 = { from = \"{next_year}-02\", until = \"{next_year}-07\" }";
    let read = Read::of(&mapping("kind = \"credit\"", period), b"sid;code;grade;year;term\ns1;A;28;2023-2024;2\n");
    let credit = credit(&read.expect("a file"), 0);
    let shown = |date: Option<pb::Date>| date.map(|date| dates::show(&date)).unwrap_or_default();
    let period = credit.period.expect("a period");
    assert_eq!((shown(period.from), shown(period.until)), ("2024-02".to_owned(), "2024-07".to_owned()));
    assert!(Mapping::parse(&mapping("", "[period]\nvalues.A = { from = \"2024-09\", until = \"2025-01\" }")).is_err());
}
