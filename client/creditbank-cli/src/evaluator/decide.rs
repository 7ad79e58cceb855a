//! `decide`: a decision on an application or an appeal, or a step towards one. The last day of an appeal is the law's, from
//! the day on which the decision counts as notified.

use creditbank_client::sealing::{Contents, record};
use creditbank_client::{Client, ReadRecord};
use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{self, ConditionType, DecisionType, DifferenceType, Kind, NoticeChannel};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{Place, names};
use creditbank_rules::admission::case::{appeal_until, is_appealable};
use creditbank_rules::dates::{self, Day};
use creditbank_rules::deadline;
use prost_reflect::prost::Message as _;
use serde_json::json;

use super::late::{self, WhyLate};
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{entries, output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The application or the appeal: entry and index, as 34/718
    place: Place,
    /// full, partial, alternative, conditional, refused, cannot-be-verified, documents-missing (the clock stops),
    /// documents-received (it goes on), put-off (a later day, once and with reasons), withdrawn
    #[arg(long = "type", value_parser = values::named::<DecisionType>)]
    kind: DecisionType,
    /// The person who answers for it
    #[arg(long)]
    decider: String,
    /// The law or statute on which it rests
    #[arg(long, default_value = "")]
    legal_basis: String,
    /// With partial: a record that is recognised
    #[arg(long = "recognised", value_name = "PLACE")]
    recognised: Vec<Place>,
    /// With alternative: what is recognised instead
    #[arg(long, default_value = "")]
    alternative: String,
    /// With conditional: aptitude-test, bridging-course, adaptation-period or other, and the text, as other:TEXT
    #[arg(long = "condition", value_name = "TYPE:TEXT", value_parser = condition)]
    conditions: Vec<pb::Condition>,
    /// With refused: level, workload, quality, profile or outcomes, and why the difference is substantial, as level:TEXT
    #[arg(long = "difference", value_name = "TYPE:REASON", value_parser = difference)]
    differences: Vec<pb::SubstantialDifference>,
    /// With documents-missing: which
    #[arg(long, default_value = "")]
    missing: String,
    /// The day of the decision [default: today]
    #[arg(long, value_parser = values::date)]
    decided: Option<pb::Date>,
    /// How it was made known: letter, electronic, portal or delivered. From then on the time for an appeal runs, as the law
    /// counts it. Left out: it is not notified yet, and that time has not begun
    #[arg(long, value_parser = values::named::<NoticeChannel>)]
    channel: Option<NoticeChannel>,
    /// The day on which it was posted, sent, retrieved or handed over [default: the day of the decision]
    #[arg(long, value_parser = values::date, requires = "channel")]
    notified: Option<pb::Date>,
    /// The day on which it is known to have arrived, where that is later than the law has it
    #[arg(long, value_parser = values::date, requires = "channel")]
    arrived: Option<pb::Date>,
    /// It says nothing of the appeal, or says it wrongly
    #[arg(long)]
    appeal_untold: bool,
    /// With put-off: until when
    #[arg(long, value_parser = values::date)]
    put_off_until: Option<pb::Date>,
    /// With put-off: why
    #[arg(long, default_value = "")]
    reasons: String,
    /// A course that will be recognised once it is passed (learning agreement), as "2:MATH-101=Analysis": institution,
    /// code and title; may be repeated
    ///
    /// It makes the decision an advance one. A later conversion carries it out: `creditbank convert record --decision`.
    #[arg(long = "course", value_name = "INSTITUTION:CODE=TITLE", value_parser = course)]
    courses: Vec<pb::DecidedCourse>,
    #[command(flatten)]
    late: WhyLate,
    #[command(flatten)]
    signing: Signing,
}

fn typed(text: &str) -> Result<(&str, String), String> {
    let parts = text.split_once(':').filter(|(_, words)| !words.trim().is_empty());
    parts.map(|(kind, words)| (kind, words.trim().to_owned())).ok_or_else(|| "expected TYPE:TEXT".to_owned())
}

fn condition(text: &str) -> Result<pb::Condition, String> {
    let (kind, text) = typed(text)?;
    let kind: ConditionType = values::named(kind)?;
    Ok(pb::Condition { r#type: kind.into(), text })
}

fn difference(text: &str) -> Result<pb::SubstantialDifference, String> {
    let (kind, reason) = typed(text)?;
    let kind: DifferenceType = values::named(kind)?;
    Ok(pb::SubstantialDifference { r#type: kind.into(), reason })
}

fn course(text: &str) -> Result<pb::DecidedCourse, String> {
    let expected = || "expected INSTITUTION:CODE=TITLE, as 2:MATH-101=Analysis or 2:MATH-101=de:Analysis".to_owned();
    let (institution, rest) = text.split_once(':').ok_or_else(expected)?;
    let (code, title) = rest.split_once('=').ok_or_else(expected)?;
    let institution = institution.trim().parse().map_err(|_| expected())?;
    let titles = vec![values::text(title).or_else(|_| values::text(&format!("en:{title}")))?];
    Ok(pb::DecidedCourse { institution, course: Some(pb::Course { code: code.trim().to_owned(), titles }) })
}

/// The message of a record that was read.
pub(super) fn read_as<M: creditbank_protocol::canonical::Canonical>(read: &ReadRecord) -> Result<M, Failure> {
    decode(&read.disclosed.body).map_err(|error| Failure::NotValid(error.to_string()))
}

/// The application of an open step, and the appeal where it is one.
pub(super) async fn case(client: &Client, place: Place) -> Result<(pb::Application, Option<Place>), Failure> {
    let read = client.record(place).await?;
    match read.disclosed.info.kind {
        Kind::Application => Ok((read_as(&read)?, None)),
        Kind::Appeal => {
            let appeal: pb::Appeal = read_as(&read)?;
            let decision = client.record(appeal.decision.unwrap_or_default()).await?;
            let decision: pb::Decision = read_as(&decision)?;
            let application = client.record(decision.application.unwrap_or_default()).await?;
            Ok((read_as(&application)?, Some(place)))
        }
        other => {
            let found = show::one_of(other);
            Err(Failure::NotValid(format!("{place}: expected an application or an appeal, found {found}")))
        }
    }
}

/// Sets what the law says of an appeal; the day on which the decision counts as notified, once it is made known.
pub(super) fn appealable(decision: &mut pb::Decision, law: &pb::LegalDeadline) -> Option<Day> {
    let day = |date: &Option<pb::Date>| date.as_ref().map(dates::first_day);
    let notified = day(&decision.notified)
        .map(|notified| deadline::counts_as_notified(law, decision.channel(), notified, day(&decision.arrived)));
    // The time runs from today at the earliest, when the ledger learns of it.
    let today = dates::first_day(&creditbank_client::today());
    decision.appeal_until = appeal_until(decision, law, notified, today).map(dates::date_of);
    decision.appeal_instance = if is_appealable(decision) { law.appeal_instance.clone() } else { String::new() };
    notified
}

/// The last day of an appeal in words, with who decides on it.
pub(super) fn last_day(decision: &pb::Decision, law: &pb::LegalDeadline) -> String {
    let who = show::safe(&decision.appeal_instance);
    match (&decision.appeal_until, &law.appeal) {
        _ if who.is_empty() => "there is no appeal".to_owned(),
        (Some(day), _) => format!("{}, {who}{}", dates::show(day), unknown_holidays(law, day.year)),
        (None, Some(term)) => format!("{} from its notification, {who}", deadline::show(term)),
        (None, None) => format!("the law gives no last day, {who}"),
    }
}

/// What is not known of the calendar of a year, where it matters.
pub(super) fn unknown_holidays(law: &pb::LegalDeadline, year: u32) -> &'static str {
    let working = |term: &Option<pb::Term>| term.is_some_and(|term| term.unit() == pb::TermUnit::WorkingDays);
    let matters = law.rolls || working(&law.decision) || working(&law.appeal);
    let known = law.holidays.iter().any(|holiday| holiday.year == year);
    if matters && !known { " (holidays of that year are not known)" } else { "" }
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { place, kind, decider, legal_basis, recognised, alternative, conditions, differences, .. } =
        arguments;
    let (missing, signing, why_late) = (arguments.missing, arguments.signing, arguments.late);
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    let (application, appeal) = case(&client, place).await?;
    let law = RegistryKey::LegalDeadline(application.deadline.clone());
    let unknown = || format!("the registry has no legal deadline {}", application.deadline);
    let law: pb::LegalDeadline = entries::read(&client, &law, unknown).await?;
    let decided = arguments.decided.unwrap_or_else(creditbank_client::today);
    let mut recognised: Vec<pb::Place> = recognised.into_iter().map(pb::Place::from).collect();
    recognised.sort_by_cached_key(pb::Place::encode_to_vec);
    recognised.dedup();
    let mut courses = arguments.courses;
    courses.sort_by_cached_key(pb::DecidedCourse::encode_to_vec);
    courses.dedup();
    let late = why_late.complete(late::of_decision(&decided, None), &signing)?;
    let notified = arguments.channel.map(|_| arguments.notified.unwrap_or(decided));
    let mut decision = pb::Decision {
        learner: application.learner,
        application: if appeal.is_none() { place.written() } else { None },
        appeal: appeal.and_then(Place::written),
        r#type: kind.into(),
        decided: Some(decided),
        decider,
        legal_basis,
        recognised,
        alternative,
        conditions,
        differences,
        missing_documents: missing,
        appeal_until: None,
        appeal_instance: String::new(),
        amends: None,
        channel: arguments.channel.map_or(0, i32::from),
        notified,
        arrived: arguments.arrived,
        appeal_untold: arguments.appeal_untold,
        put_off_until: arguments.put_off_until,
        reasons: arguments.reasons,
        courses,
        late,
    };
    let counts = appealable(&mut decision, &law);
    let contents = Contents::of([record(&unit, Kind::Decision, &decision, &signing.reference)?]);
    let name = names::of(kind);
    let until = decision.appeal_until.as_ref().map(dates::show);
    let counts = counts.map(|day| dates::show(&dates::date_of(day)));
    let value = json!({
        "type": name, "decided": dates::show(&decided), "appeal_until": until, "counts_as_notified": counts,
        "appeal_instance": decision.appeal_instance,
    });
    let text = output::facts([
        ("decision", name),
        ("decided", dates::show(&decided)),
        ("by", show::safe(&decision.decider)),
        ("counts as notified", counts.unwrap_or_else(|| "not notified yet".to_owned())),
        ("appeal until", last_day(&decision, &law)),
    ]);
    signing.seal(global, &client, &unit, &contents, (value, text)).await
}
