//! `convert`: credit of others becomes credit of the receiver, shown step by step before anything is signed.

mod fitting;
mod sources;

use std::path::PathBuf;

use creditbank_client::authoring::TextError;
use creditbank_client::recognition::assessment::{self, Assessed};
use creditbank_client::recognition::declared::{self, Declared};
use creditbank_client::recognition::derived::{Completion, conversion};
use creditbank_client::{Client, ClientError, ConversionPreview, evidence};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::{Alias, InstitutionId, Place, pb};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::PreviewConversionRequest;
use prost_reflect::prost::Message as _;
use serde_json::{Value, json};

use super::agreement;
use super::late::{self, WhyLate};
use super::mandated::Mandated;
use super::shown::Shown;
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::whose::OwnInstitution;
use crate::{output, show, values};
use fitting::preview_fitting;
use sources::{Chosen, Skipped};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print a commented assessment of prior learning to start from, or a declaration
    Template {
        /// Of what was decided before the institution was in the registry
        #[arg(long)]
        declared: bool,
    },
    /// What a conversion would give, step by step; writes nothing
    ///
    /// A transcript is verified under the trust file before anything of it is used. By an agreement and without --place,
    /// every credit of it that stands and that the node would convert is taken; of each other one it is said why it is
    /// left out. An equivalence is about one course: --place says which record that is.
    Preview(Box<Preview>),
    /// Convert: previews, adds decider and mandate, and seals the Conversion
    ///
    /// Under an exclusive agreement the same block redeems the sources, so that they count nowhere else.
    Record(Box<Record>),
}

/// What is converted, and by what right.
#[derive(clap::Args)]
pub(crate) struct What {
    /// The receiver's alias of the learner, in hexadecimal
    #[arg(long, value_parser = values::alias)]
    alias: Alias,
    /// The transcript that the learner has shown: needed for records of other institutions
    #[arg(long, value_name = "FILE.cbt")]
    transcript: Option<PathBuf>,
    /// A record: entry and index, as 34/718; with #2 the second result of a conversion
    #[arg(long = "place", value_parser = values::source, value_name = "PLACE")]
    places: Vec<(Place, u32)>,
    /// By this agreement: code and version, as PARIS-LEEDS.1
    #[arg(long, value_parser = values::versioned, value_name = "CODE.VERSION", group = "right")]
    agreement: Option<(String, u32)>,
    /// By this equivalence of the receiver: code and version
    #[arg(long, value_parser = values::versioned, value_name = "CODE.VERSION", group = "right")]
    equivalence: Option<(String, u32)>,
    /// By an assessment of prior learning: see `creditbank convert template`
    #[arg(long, value_name = "FILE", group = "right")]
    assess: Option<PathBuf>,
    /// As it was decided before your institution was in the registry, which nobody recomputes: see `creditbank convert
    /// template --declared`
    #[arg(long, value_name = "FILE", group = "right", conflicts_with = "decided")]
    declared: Option<PathBuf>,
    /// The decision that it carries out, if any: entry and index, as 34/718
    ///
    /// An advance decision also keeps the agreement, or the equivalence, that was in force on its day.
    #[arg(long)]
    decision: Option<Place>,
    /// Another grade than the suggested one, as 34/718=14 or 34/718=FR-20:14
    #[arg(long = "grade", value_name = "PLACE=VALUE", requires = "reason")]
    grades: Vec<String>,
    /// Why those grades: it stands in the record
    #[arg(long, requires = "grades")]
    reason: Option<String>,
    /// Where several levels are comparable, which one, as 34/718=EQF:6
    #[arg(long = "level", value_name = "PLACE=LEVEL")]
    levels: Vec<String>,
    /// The day by which everything is judged [default: today]: not before the sources were there, nor before the agreement
    /// or the equivalence was recorded
    #[arg(long, value_parser = values::date)]
    decided: Option<pb::Date>,
}

impl What {
    /// Whether whatever of the transcript fits is taken: nobody has named the records.
    fn takes_what_fits(&self) -> bool {
        self.transcript.is_some() && self.places.is_empty() && self.agreement.is_some()
    }
}

#[derive(clap::Args)]
#[command(mut_arg("institution", |arg| arg.help("The receiver; left out: the access key's own institution")))]
pub(crate) struct Preview {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    institution: OwnInstitution,
}

#[derive(clap::Args)]
pub(crate) struct Record {
    #[command(flatten)]
    what: What,
    /// The person who answers for it
    #[arg(long)]
    decider: String,
    #[command(flatten)]
    late: WhyLate,
    #[command(flatten)]
    mandated: Mandated,
    #[command(flatten)]
    signing: Signing,
}

/// What was asked, and what the node has answered.
struct Previewed {
    preview: ConversionPreview,
    skipped: Vec<Skipped>,
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Template { declared } => {
            output::line(if declared { declared::TEMPLATE } else { assessment::TEMPLATE }.trim_end())
        }
        Command::Preview(arguments) => {
            let Preview { what, institution } = *arguments;
            let client = global.connect().await?;
            let institution = institution.id(&client).await?;
            let wanted = request(global, &client, &what, institution).await?;
            let previewed = preview(&client, wanted, what.takes_what_fits()).await?;
            let value = value(&previewed.preview.conversion, &previewed)?;
            output::print(global, &value, || text(&previewed) + "nothing was written")
        }
        Command::Record(record) => {
            let Record { what, decider, late, mandated, signing } = *record;
            let consent = mandated.consent()?;
            let client = global.connect().await?;
            let unit = signing.unit(global, &client).await?;
            let wanted = request(global, &client, &what, unit.id.institution).await?;
            let wish = wish(&wanted.0, &signing.reference);
            if signing.resumed(global, &client, &unit, &wish, json!({})).await? {
                return Ok(());
            }
            let previewed = preview(&client, wanted, what.takes_what_fits()).await?;
            let completion = Completion { decider: &decider, given: mandated.given(&consent, &signing.reference) };
            let mut draft = previewed.preview.clone();
            let found = late_conversion(&draft.conversion);
            draft.conversion.late = late.complete(found, &signing)?;
            let (made, contents) = conversion(&client, &unit, draft, completion)?;
            let told = (value(&made, &previewed)?, text(&previewed));
            signing.seal(global, &client, &unit, &contents.requested(&wish), told).await
        }
    }
}

/// What a conversion says of being late, if it is; what is declared never is.
fn late_conversion(drafted: &pb::Conversion) -> Option<pb::Late> {
    let decided = drafted.decided.as_ref().filter(|_| drafted.declared.is_none())?;
    late::of_decision(decided, drafted.late.clone())
}

async fn preview(
    client: &Client,
    (request, mut skipped): (PreviewConversionRequest, Vec<Skipped>),
    takes_what_fits: bool,
) -> Result<Previewed, Failure> {
    let is_shown = !request.shown.is_empty();
    let about_another = |failure: Failure| match failure {
        Failure::Client(ClientError::Refused(refusal)) if is_shown && refusal.why() == Reason::NotFound => {
            let what = "the transcript shows records of another learner than --alias, or of another log";
            Failure::NotValid(format!("{what} ({})", refusal.message))
        }
        other => other,
    };
    if !takes_what_fits {
        let preview = client.preview_conversion(request).await.map_err(|error| about_another(error.into()))?;
        return Ok(Previewed { preview, skipped });
    }
    let (preview, more) = preview_fitting(client, request).await.map_err(about_another)?;
    skipped.extend(more);
    Ok(Previewed { preview, skipped })
}

/// What is wished, whatever the day: the request without what was shown.
fn wish(request: &PreviewConversionRequest, reference: &str) -> Vec<u8> {
    let wished = PreviewConversionRequest { shown: Vec::new(), decided: None, ..request.clone() };
    [b"conversion", reference.as_bytes(), &[0], &wished.encode_to_vec()].concat()
}

/// What the node is asked, and what of the transcript is left out.
async fn request(
    global: &Global,
    client: &Client,
    what: &What,
    receiver: InstitutionId,
) -> Result<(PreviewConversionRequest, Vec<Skipped>), Failure> {
    let shown = what.transcript.as_ref().map(|path| Shown::read(global, path)).transpose()?;
    let mut request = PreviewConversionRequest {
        institution: receiver.0,
        alias: what.alias.0.to_vec(),
        decided: Some(what.decided.unwrap_or_else(creditbank_client::today)),
        decision: what.decision.map(Into::into),
        ..Default::default()
    };
    let mut scale = String::new();
    let mut skipped = Vec::new();
    if let Some((code, version)) = &what.agreement {
        let name = pb::AgreementName { code: code.clone(), version: *version };
        let terms = agreement::terms(client, &name).await?;
        scale = terms.grades.as_ref().map(|rule| rule.target_scale.clone()).unwrap_or_default();
        let Chosen { sources, left_out } = sources::under_agreement(what, shown.as_ref(), &terms, receiver)?;
        (request.sources, skipped) = (sources, left_out);
        request.agreement = Some(name);
    } else if let Some((code, version)) = &what.equivalence {
        request.sources = sources::named(what)?;
        request.equivalence =
            Some(pb::EquivalenceName { institution: receiver.0, code: code.clone(), version: *version });
    } else if let Some(path) = &what.assess {
        let Assessed { assessment, sources, stated } = assessed(path)?;
        if !what.places.is_empty() {
            return Err(Failure::Usage("the assessment names its outcomes: leave --place out".to_owned()));
        }
        (request.assessment, request.sources, request.stated) = (Some(assessment), sources, stated);
    } else if let Some(path) = &what.declared {
        let text = std::fs::read_to_string(path).map_err(Failure::file(path))?;
        let wrong = |error: TextError| Failure::Usage(format!("{}: {error}", path.display()));
        let Declared { declared, decided, sources, stated } = declared::parse(&text).map_err(wrong)?;
        if !what.places.is_empty() {
            return Err(Failure::Usage("the declaration names its sources: leave --place out".to_owned()));
        }
        (request.declared, request.decided, request.sources, request.stated) =
            (Some(declared), Some(decided), sources, stated);
    } else {
        return Err(Failure::Usage("pass --agreement, --equivalence, --assess or --declared".to_owned()));
    }
    sources::state(&mut request, what, &scale)?;
    request.shown = sources::shown(shown.as_ref(), &request.sources);
    Ok((request, skipped))
}

fn assessed(path: &std::path::Path) -> Result<Assessed, Failure> {
    let text = std::fs::read_to_string(path).map_err(Failure::file(path))?;
    let beside = path.parent().map(std::path::Path::to_owned).unwrap_or_default();
    let digest =
        |name: &str| evidence::digest(&beside.join(name)).map_err(|error| TextError::Record(error.to_string()));
    let wrong = |error: TextError| Failure::Usage(format!("{}: {error}", path.display()));
    assessment::parse(&text, digest).map_err(wrong)
}

fn value(made: &pb::Conversion, previewed: &Previewed) -> Result<Value, Failure> {
    let bytes = encode(made).map_err(|error| Failure::NotValid(error.to_string()))?;
    let left_out = previewed.skipped.iter().map(|one| json!({ "place": one.place, "reason": one.reason }));
    Ok(json!({
        "conversion": show::body("Conversion", &bytes)?,
        "converted": totals(made).iter().map(|(unit, amount)| (unit.clone(), amount.clone().into()))
            .collect::<serde_json::Map<String, Value>>(),
        "exclusive": previewed.preview.exclusive,
        "explanation": previewed.preview.explanation,
        "left_out": left_out.collect::<Vec<_>>(),
    }))
}

/// What the results come to, by unit.
fn totals(made: &pb::Conversion) -> Vec<(String, String)> {
    let mut sums: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for amount in made.results.iter().filter_map(|result| result.amount.as_ref()) {
        let sum = sums.entry(&amount.unit).or_default();
        *sum = sum.saturating_add(amount.e4);
    }
    let shown = sums.into_iter().map(|(unit, e4)| (show::safe(unit), creditbank_rules::decimal::show_e4(e4)));
    shown.collect()
}

fn text(previewed: &Previewed) -> String {
    let made = &previewed.preview.conversion;
    let amount = |amount: Option<&pb::Amount>| {
        amount.map_or_else(String::new, |amount| {
            format!("{} {}", creditbank_rules::decimal::show_e4(amount.e4), show::safe(&amount.unit))
        })
    };
    let level = |level: Option<&pb::Level>| {
        level.map_or_else(String::new, |level| show::safe(&format!("{} {}", level.framework, level.level)))
    };
    let grade = |grade: Option<&pb::Grade>| grade.map_or_else(String::new, |grade| show::safe(&grade.value));
    let course = |course: Option<&pb::Course>| course.map_or_else(String::new, |course| show::safe(&course.code));
    let rows = made.results.iter().map(|result| {
        let source = result.source_plus_1.checked_sub(1).and_then(|at| made.sources.get(at as usize));
        let place = source.and_then(|source| source.record.as_ref()).and_then(|record| record.place);
        let other = match (&result.suggested, result.override_reason.as_str()) {
            (Some(suggested), reason) => {
                format!(" (suggested {}: {})", show::safe(&suggested.value), show::safe(reason))
            }
            (None, _) => String::new(),
        };
        vec![
            place.map_or_else(|| "all".to_owned(), |place| values::show_place(&place)),
            source.map(|source| course(source.course.as_ref())).unwrap_or_default(),
            source.map(|source| amount(source.amount.as_ref())).unwrap_or_default(),
            source.map(|source| grade(source.grade.as_ref())).unwrap_or_default(),
            course(result.course.as_ref()),
            amount(result.amount.as_ref()),
            level(result.level.as_ref()),
            grade(result.grade.as_ref()) + &other,
        ]
    });
    let heads = ["source", "course", "amount", "grade", "becomes", "amount", "level", "grade"];
    let table = output::table(&heads, rows);
    let steps = previewed.preview.explanation.iter().enumerate();
    let steps: Vec<String> = steps.map(|(at, line)| format!("{:>3}. {}\n", at + 1, show::safe(line))).collect();
    let left: Vec<String> =
        previewed.skipped.iter().map(|one| format!("left out: {}: {}\n", one.place, show::safe(&one.reason))).collect();
    let late = late_conversion(made).map_or(String::new(), |found| late::words(&found));
    let sums: Vec<String> = totals(made).iter().map(|(unit, amount)| format!("{amount} {unit}")).collect();
    let exclusive = if previewed.preview.exclusive { "; the sources are redeemed by it" } else { "" };
    format!("{table}\n{}{}{late}converted: {}{exclusive}\n", steps.concat(), left.concat(), sums.join(", "))
}
