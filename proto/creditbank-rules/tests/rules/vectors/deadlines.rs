//! `proto/vectors/deadlines.json`: when terms of laws end, when notices count as received, and when a decision is due.

use std::collections::BTreeMap;

use creditbank_protocol::pb::{self, DecisionType, Kind, NoticeChannel, Term, TermUnit};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{Place, names};
use creditbank_rules::admission::case::{Case, Stage, Step};
use creditbank_rules::dates::{Day, date_of, first_day, parse, show};
use creditbank_rules::{deadline, seed};
use serde_json::{Value, json};

use super::file::{bytes, list, open, unhex};

/// The law of the seed with this code.
fn law(code: &str) -> pb::LegalDeadline {
    let wanted = RegistryKey::LegalDeadline(code.to_owned());
    let entries = seed::entries().expect("the seed is canonical").into_iter();
    let found = entries.filter(|(kind, _)| *kind == Kind::LegalDeadline);
    let mut found = found.filter(|(kind, body)| RegistryKey::of(*kind, body).expect("a key") == wanted);
    creditbank_protocol::canonical::decode(&found.next().expect("it is in the seed").1).expect("a deadline")
}

fn day(text: &str) -> Day {
    first_day(&parse(text).expect("a day"))
}

fn text(day: Day) -> String {
    show(&date_of(day))
}

fn term(text: &str) -> Term {
    deadline::parse(text).expect("a term")
}

/// With a holiday on a Monday and one on the Tuesday after it.
fn with_holidays(law: pb::LegalDeadline) -> pb::LegalDeadline {
    let holidays = ["2027-03-01", "2027-03-02"].map(|day| parse(day).expect("a day")).to_vec();
    pb::LegalDeadline { holidays, ..law }
}

/// About, law, term, event, end.
fn ends() -> Vec<(&'static str, pb::LegalDeadline, &'static str, &'static str, &'static str)> {
    let bare = || law("LISBON");
    vec![
        ("three months from 1 March", law("DE-BQFG-13"), "3 months", "2027-03-01", "2027-06-01"),
        ("four months from 1 March", bare(), "4 months", "2027-03-01", "2027-07-01"),
        ("the last day of a shorter month", bare(), "1 month", "2027-01-31", "2027-02-28"),
        ("a Sunday, in Germany the Monday", law("DE-BQFG-13"), "1 month", "2027-01-31", "2027-03-01"),
        ("the last day of February in a leap year", bare(), "1 month", "2028-01-31", "2028-02-29"),
        ("from the last day of a month to the same date", bare(), "1 month", "2027-02-28", "2027-03-28"),
        ("over the end of a year", bare(), "4 months", "2026-10-31", "2027-02-28"),
        ("a year from a leap day", bare(), "12 months", "2028-02-29", "2029-02-28"),
        ("ninety days", law("IT-DPR-394"), "90 days", "2027-03-01", "2027-05-30"),
        ("six weeks", law("NL-AWB"), "6 weeks", "2027-01-01", "2027-02-12"),
        ("three weeks", law("SE-UHR"), "3 weeks", "2026-12-20", "2027-01-10"),
        ("a Saturday in Spain", law("ES-RD-889"), "1 month", "2027-01-06", "2027-02-08"),
        ("months of full days", law("FR-CJA"), "2 months", "2027-03-01", "2027-05-02"),
        ("ten working days over two weekends", law("ES-RD-889"), "10 working days", "2027-01-01", "2027-01-15"),
        ("a working day from a Friday", law("ES-RD-889"), "1 working day", "2027-01-08", "2027-01-11"),
        ("a working day from a Saturday", law("ES-RD-889"), "1 working day", "2027-01-09", "2027-01-11"),
        ("twenty working days", law("CN-CSCSE"), "20 working days", "2027-03-01", "2027-03-29"),
        ("holidays behind a Sunday", with_holidays(law("DE-BQFG-13")), "1 month", "2027-01-31", "2027-03-03"),
        ("working days over holidays", with_holidays(bare()), "2 working days", "2027-02-26", "2027-03-04"),
        ("holidays where the end does not move", with_holidays(bare()), "4 days", "2027-02-25", "2027-03-01"),
    ]
}

/// About, law, channel, day of posting, day of arrival, day on which it counts.
type Notice = (&'static str, &'static str, NoticeChannel, &'static str, Option<&'static str>, &'static str);

const NOTICES: &[Notice] = &[
    ("a German letter: day 4", "DE-BQFG-13", NoticeChannel::Letter, "2027-01-28", None, "2027-02-01"),
    ("a German letter of 2024: day 3", "DE-BQFG-13", NoticeChannel::Letter, "2024-12-31", None, "2025-01-03"),
    ("the first letter of 2025", "DE-BQFG-13", NoticeChannel::Letter, "2025-01-01", None, "2025-01-05"),
    ("one that came earlier", "DE-BQFG-13", NoticeChannel::Letter, "2027-01-28", Some("2027-01-29"), "2027-02-01"),
    ("one that came later", "DE-BQFG-13", NoticeChannel::Letter, "2027-01-28", Some("2027-02-05"), "2027-02-05"),
    ("the day after retrieval", "DE-BQFG-13", NoticeChannel::Portal, "2027-01-29", None, "2027-01-30"),
    ("handed over", "DE-BQFG-13", NoticeChannel::Delivered, "2027-01-28", None, "2027-01-28"),
    ("the third working day in Austria", "AT-UG-90", NoticeChannel::Letter, "2027-01-28", None, "2027-02-02"),
    ("a law that says nothing", "SE-UHR", NoticeChannel::Letter, "2027-01-28", None, "2027-01-28"),
    ("and a letter that came later", "SE-UHR", NoticeChannel::Letter, "2027-01-28", Some("2027-02-01"), "2027-02-01"),
];

/// A step of a case, by its type, on a day; of what is put off, until a day.
type Said = (DecisionType, &'static str, Option<&'static str>);
/// About, law, received, steps, due.
type Due = (&'static str, pb::LegalDeadline, &'static str, Vec<Said>, Option<&'static str>);

fn dues() -> Vec<Due> {
    let missing = |day| (DecisionType::DocumentsMissing, day, None);
    let received = |day| (DecisionType::DocumentsReceived, day, None);
    let counted = || pb::LegalDeadline { decision: Some(term("10 working days")), ..law("CN-CSCSE") };
    vec![
        ("complete from the first day", law("DE-BQFG-6"), "2027-03-01", vec![], Some("2027-06-01")),
        ("while documents are missing", law("DE-BQFG-6"), "2027-03-01", vec![missing("2027-03-10")], None),
        (
            "three months from the day on which they were complete",
            law("DE-BQFG-6"),
            "2027-03-01",
            vec![missing("2027-03-10"), received("2027-04-01")],
            Some("2027-07-01"),
        ),
        (
            "asked once more: the clock stands still for ten days",
            law("DE-BQFG-6"),
            "2027-03-01",
            vec![missing("2027-03-10"), received("2027-04-01"), missing("2027-05-01"), received("2027-05-11")],
            Some("2027-07-12"),
        ),
        (
            "from receipt: the clock stands still",
            law("IT-DPR-394"),
            "2027-03-01",
            vec![missing("2027-03-10"), received("2027-03-20")],
            Some("2027-06-09"),
        ),
        (
            "for thirty days at most",
            law("IT-DPR-394"),
            "2027-03-01",
            vec![missing("2027-03-10"), received("2027-06-20")],
            Some("2027-06-29"),
        ),
        (
            "and then goes on by itself",
            law("IT-DPR-394"),
            "2027-03-01",
            vec![missing("2027-03-10")],
            Some("2027-06-29"),
        ),
        (
            "working days, which stand still for working days",
            counted(),
            "2027-03-01",
            vec![missing("2027-03-05"), received("2027-03-09")],
            Some("2027-03-17"),
        ),
        (
            "put off",
            law("DE-BQFG-13-EU"),
            "2027-03-01",
            vec![(DecisionType::PutOff, "2027-05-20", Some("2027-06-20"))],
            Some("2027-06-21"),
        ),
        ("a law that sets no time", law("NO-FVL"), "2027-03-01", vec![], None),
    ]
}

fn make() -> Value {
    let hex = |law: &pb::LegalDeadline| hex::encode(bytes(law));
    let ends: Vec<Value> = ends()
        .into_iter()
        .map(|(about, law, term, start, end)| {
            let Term { amount, unit } = self::term(term);
            json!({ "about": about, "law": hex(&law), "amount": amount, "unit": unit, "start": start, "end": end })
        })
        .collect();
    let notices: Vec<Value> = NOTICES
        .iter()
        .map(|(about, code, channel, notified, arrived, counts)| {
            json!({
                "about": about, "law": hex(&law(code)), "channel": i32::from(*channel), "notified": notified,
                "arrived": arrived, "counts": counts,
            })
        })
        .collect();
    let dues: Vec<Value> = dues()
        .into_iter()
        .map(|(about, law, received, steps, due)| {
            let step =
                |(kind, day, until): Said| json!({ "type": i32::from(kind), "decided": day, "put_off_until": until });
            let steps: Vec<Value> = steps.into_iter().map(step).collect();
            json!({ "about": about, "law": hex(&law), "received": received, "steps": steps, "due": due })
        })
        .collect();
    json!({
        "about": "Terms of laws (RULES.md, section 15): the last day of a term that runs from an event (`ends`), the day on \
                  which a notice counts as received (`notices`), and the last day on which a decision is in time (`dues`). \
                  `law` is a LegalDeadline, `unit`, `channel` and `type` are numbers of the schema.",
        "ends": ends, "notices": notices, "dues": dues,
    })
}

fn law_of(case: &Value) -> pb::LegalDeadline {
    creditbank_protocol::canonical::decode(&unhex(&case["law"])).expect("a deadline")
}

fn day_of(value: &Value) -> Day {
    day(value.as_str().expect("a day"))
}

fn number(value: &Value) -> i32 {
    i32::try_from(value.as_i64().expect("a number")).expect("small")
}

/// Goal: terms end, notices count and decisions are due on the days that the file says; its days are those of the laws'
/// own texts.
#[test]
fn deadlines() {
    let file = open("deadlines.json", make);
    for case in list(&file["ends"]) {
        let unit = TermUnit::try_from(number(&case["unit"])).expect("a unit");
        let amount = u32::try_from(number(&case["amount"])).expect("above 0");
        let term = Term { amount, unit: unit.into() };
        let found = deadline::end_of(&term, day_of(&case["start"]), &law_of(case));
        assert_eq!(text(found), case["end"], "{} ({})", case["about"], names::of(unit));
    }
    for case in list(&file["notices"]) {
        let channel = NoticeChannel::try_from(number(&case["channel"])).expect("a channel");
        let arrived = case["arrived"].as_str().map(day);
        let found = deadline::counts_as_notified(&law_of(case), channel, day_of(&case["notified"]), arrived);
        assert_eq!(text(found), case["counts"], "{}", case["about"]);
    }
    for case in list(&file["dues"]) {
        let steps = list(&case["steps"]).iter().zip(3..).map(|(step, entry)| {
            let decision = pb::Decision {
                r#type: number(&step["type"]),
                decided: parse(step["decided"].as_str().expect("a day")),
                put_off_until: step["put_off_until"].as_str().and_then(parse),
                ..Default::default()
            };
            Step::Decision(Place::new(entry, 0), Box::new(decision))
        });
        let received = parse(case["received"].as_str().expect("a day"));
        let application = pb::Application { received, ..Default::default() };
        let held = Case { place: Place::new(2, 0), application, steps: steps.collect(), amended: BTreeMap::new() };
        let Stage::Open { due, .. } = held.stage(&law_of(case)) else { panic!("{}: it is open", case["about"]) };
        assert_eq!(due.map(text), case["due"].as_str().map(str::to_owned), "{}", case["about"]);
    }
}

/// Goal: a term is written as it is read, and a text that is no term is refused.
#[test]
fn terms_as_people_write_them() {
    for text in ["1 month", "3 months", "10 working days", "1 working day", "6 weeks", "90 days"] {
        assert_eq!(deadline::show(&term(text)), text);
    }
    for text in ["", "months", "3", "-1 days", "+3 days", "3 years", "1.5 months", "99999999999 days"] {
        assert_eq!(deadline::parse(text), None, "{text}");
    }
}
