//! `enrolment`: that a learner is, was, or is to be enrolled on a programme.

use creditbank_client::sealing::{Contents, record, supersede};
use creditbank_protocol::pb::{
    AmendReason, Amends, Course, Date, Enrolment, EnrolmentState, Kind, Mode, QualificationName, RecordReference,
    StudyLoad, Text,
};
use creditbank_protocol::{Alias, InstitutionId, Place};
use prost_reflect::prost::Message as _;
use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{output, records, show, values, words};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Record an enrolment. Several programmes, and several spells on one, are several enrolments
    Issue(Box<Issue>),
    /// Say what has become of an enrolment: another record stands in its place
    ///
    /// What is left out stays as it is.
    Change(Box<Change>),
}

#[derive(clap::Args)]
pub(crate) struct Issue {
    /// Your alias of the learner, in hexadecimal
    #[arg(long, value_parser = values::alias)]
    alias: Alias,
    /// Code of the programme at your institution
    #[arg(long)]
    programme: String,
    /// Title of the programme with its language, as "en:Computer science"; may be repeated
    #[arg(long = "title", value_name = "TEXT", value_parser = values::text, required = true)]
    titles: Vec<Text>,
    /// The first day, or month
    #[arg(long, value_parser = values::date)]
    from: Date,
    /// registered, leave, withdrawn, completed or excluded
    #[arg(long, value_parser = values::named::<EnrolmentState>, default_value = "registered")]
    state: EnrolmentState,
    #[command(flatten)]
    said: Said,
    #[command(flatten)]
    signing: Signing,
}

#[derive(clap::Args)]
pub(crate) struct Change {
    /// The enrolment: entry and index, as 34/718
    place: Place,
    /// registered, leave, withdrawn, completed or excluded
    #[arg(long, value_parser = values::named::<EnrolmentState>)]
    state: Option<EnrolmentState>,
    /// The first day, or month
    #[arg(long, value_parser = values::date)]
    from: Option<Date>,
    #[command(flatten)]
    said: Said,
    /// error, appeal, late-result, name-change or other
    #[arg(long, value_parser = values::named::<AmendReason>, default_value = "other")]
    reason: AmendReason,
    #[command(flatten)]
    signing: Signing,
}

/// What may be left out.
#[derive(clap::Args)]
struct Said {
    /// The last day, or month
    #[arg(long, value_parser = values::date)]
    until: Option<Date>,
    /// There is no last day, or none any more
    #[arg(long, conflicts_with = "until")]
    open_ended: bool,
    /// The definition that holds for this learner, in its version: institution, code and version, as 2/BSC-INF.1
    #[arg(long, value_name = "NAME", value_parser = values::owned_name)]
    definition: Option<(InstitutionId, String, u32)>,
    /// on-site, online, blended or work-based
    #[arg(long, value_parser = values::named::<Mode>)]
    mode: Option<Mode>,
    /// full-time or part-time
    #[arg(long, value_parser = values::named::<StudyLoad>)]
    load: Option<StudyLoad>,
}

impl Said {
    fn put(self, enrolment: Enrolment) -> Enrolment {
        let Self { until, open_ended, definition, mode, load } = self;
        let name = definition.map(|(institution, code, version)| QualificationName {
            institution: institution.0,
            code,
            version,
        });
        Enrolment {
            until: if open_ended { None } else { until.or(enrolment.until) },
            definition: name.or(enrolment.definition),
            mode: mode.map_or(enrolment.mode, i32::from),
            load: load.map_or(enrolment.load, i32::from),
            ..enrolment
        }
    }
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Issue(issue) => {
            let Issue { alias, programme, mut titles, from, state, said, signing } = *issue;
            let unit = signing.unit(global, &client).await?;
            titles.sort_by_cached_key(Text::encode_to_vec);
            let made = said.put(Enrolment {
                learner: alias.0.to_vec(),
                programme: Some(Course { code: programme, titles }),
                from: Some(from),
                state: state.into(),
                ..Default::default()
            });
            let contents = Contents::of([record(&unit, Kind::Enrolment, &made, &signing.reference)?]);
            signing.seal(global, &client, &unit, &contents, told(&made)?).await
        }
        Command::Change(change) => {
            let Change { place, state, from, said, reason, signing } = *change;
            let unit = signing.unit(global, &client).await?;
            let read = client.record(place).await?;
            if read.disclosed.info.kind != Kind::Enrolment || read.subject() != unit.id.institution {
                let (own, found) = (unit.id.institution, show::one_of(read.disclosed.info.kind));
                let what =
                    format!("{place}: expected an enrolment of institution {own}, found {found} of {}", read.subject());
                return Err(Failure::NotValid(what));
            }
            let body = &read.disclosed.body;
            let before: Enrolment =
                creditbank_protocol::canonical::decode(body).map_err(|error| Failure::NotValid(error.to_string()))?;
            let changed = said.put(Enrolment {
                from: from.or(before.from),
                state: state.map_or(before.state, i32::from),
                ..before.clone()
            });
            if changed == before {
                let next = "pass what is different, as --state withdrawn --until 2026-06-30";
                return Err(Failure::NotValid(format!("nothing was changed: {place} says so already; {next}")));
            }
            let amends = Some(Amends { place: Some(place.into()), reason: reason.into() });
            let made = Enrolment { amends, ..changed };
            let body =
                creditbank_protocol::canonical::encode(&made).map_err(|error| Failure::NotValid(error.to_string()))?;
            records::stands(&client, &read, &made.learner, |newest| newest.disclosed.body == body).await?;
            let mut contents = Contents::of([record(&unit, Kind::Enrolment, &made, &signing.reference)?]);
            let status_id = read.status_id.0.to_vec();
            let former = RecordReference { place: Some(place.into()), status_id, ..Default::default() };
            supersede(&client, &unit, &mut contents, &former).await?;
            signing.seal(global, &client, &unit, &contents, told(&made)?).await
        }
    }
}

fn told(made: &Enrolment) -> Result<(serde_json::Value, String), Failure> {
    let bytes = creditbank_protocol::canonical::encode(made).map_err(|error| Failure::NotValid(error.to_string()))?;
    let value = json!({ "enrolment": show::body("Enrolment", &bytes)? });
    // Everything that is signed, but for the alias.
    let said = words::facts("Enrolment", &bytes)?;
    let said = said.iter().filter(|(name, _)| name != "learner").map(|(name, text)| (name.as_str(), text.clone()));
    let open = made.until.is_none().then(|| ("until", "no last day is stated".to_owned()));
    let text = output::facts(said.chain(open));
    Ok((value, text))
}
