//! `qualification award`: the node's draft, completed by the person who answers for it.

use std::path::{Path, PathBuf};

use creditbank_client::Client;
use creditbank_client::IssuingUnit;
use creditbank_client::recognition::derived::{Completion, award};
use creditbank_client::recognition::joint::JointAward;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{self, Award, AwardBasis, AwardKind};
use creditbank_protocol::{Place, counted};
use creditbank_rules::dates;
use creditbank_rules::qualification::in_force;
use prost_reflect::prost::Message as _;
use serde_json::json;

use super::{About, cosign, documents, progress};
use crate::connect::Global;
use crate::evaluator::late::{self, WhyLate};
use crate::evaluator::mandated::Mandated;
use crate::evaluator::shown::{Shown, reference};
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    about: About,
    /// A document of the award: `TYPE[@INSTITUTION]:SERIES:NUMBER:DAY`, as `diploma:A:12345:2026-06-30`; may be repeated
    ///
    /// Types: diploma, certificate, diploma-supplement, transcript, replacement, other. Series, number and day may be left
    /// out, as in `diploma:A:12345` or `diploma`; the day is that of conferral then. INSTITUTION is another one that
    /// confers the award.
    #[arg(long = "document", value_name = "DOCUMENT", value_parser = documents::parse)]
    documents: Vec<pb::AwardDocument>,
    /// graduation, degree, diploma or certificate
    #[arg(long, value_parser = values::named::<AwardKind>)]
    kind: AwardKind,
    /// The person who answers for it
    #[arg(long)]
    decider: String,
    /// As "first class", where there is one
    #[arg(long, default_value = "")]
    classification: String,
    /// The branch in which it is awarded, where there are several: a learner holds one standing award in each
    #[arg(long, default_value = "", conflicts_with = "honorary")]
    specialisation: String,
    /// On the institution's word, without an audit: legacy or research degrees. Verifiers are always told
    #[arg(long, conflicts_with = "honorary")]
    declared: bool,
    /// With --declared: a Credit of this ledger that the award consumes, issued by an institution that confers it and ended by
    /// the day of conferral; may be repeated: entry and index, as 34/718
    #[arg(long = "consumes", value_name = "PLACE", requires = "declared")]
    consumes: Vec<Place>,
    /// With --declared: why it consumes no Credit of this ledger, as "conferred in 1998". Verifiers are always told
    #[arg(long, value_name = "REASON", requires = "declared", conflicts_with = "consumes")]
    consumes_none: Option<String>,
    /// Honorary. Verifiers are always told
    #[arg(long, requires = "titles", conflicts_with = "code")]
    honorary: bool,
    /// Title of an honorary award with the language, as "en:Doctor of Letters"
    #[arg(long = "title", value_parser = values::text, requires = "honorary")]
    titles: Vec<pb::Text>,
    /// Of a joint award: write it to a new file for the other institutions to sign, and seal nothing yet
    #[arg(long, value_name = "OUT.json", conflicts_with_all = ["honorary", "cosigned"])]
    cosign_request: Option<PathBuf>,
    /// Of a joint award: seal it with the signatures that the other institutions have added to this file
    #[arg(long, value_name = "FILE.json", conflicts_with = "honorary")]
    cosigned: Option<PathBuf>,
    /// The revoked award in whose place it comes, on the day of that one: entry and index, as 34/718
    #[arg(long, value_name = "PLACE", conflicts_with = "cosigned")]
    replaces: Option<Place>,
    #[command(flatten)]
    late: WhyLate,
    #[command(flatten)]
    mandated: Mandated,
    #[command(flatten)]
    signing: Signing,
}

/// A declared award says what it consumes.
fn says_what_it_consumes(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { declared, consumes, consumes_none, .. } = arguments;
    let reason = consumes_none.as_deref().unwrap_or_default();
    if *declared && consumes.is_empty() && reason.is_empty() {
        let expected =
            "the Credits that it consumes (--consumes PLACE), or why it consumes none (--consumes-none REASON)";
        return Err(Failure::Usage(format!("--declared: expected {expected}")));
    }
    Ok(())
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    says_what_it_consumes(&arguments)?;
    let consent = arguments.mandated.consent()?;
    let client = global.connect().await?;
    let unit = arguments.signing.unit(global, &client).await?;
    let wish = wish(&arguments);
    if let Some(out) = &arguments.cosign_request {
        let joint =
            JointAward::of(client.origin(), unit.id.institution, &drafted(global, &client, &unit, &arguments).await?)?;
        return request(global, out, &joint);
    }
    if arguments.signing.resumed(global, &client, &unit, &wish, json!({})).await? {
        return Ok(());
    }
    let draft = match &arguments.cosigned {
        Some(path) => cosigned(&client, &unit, &arguments, path)?,
        None => drafted(global, &client, &unit, &arguments).await?,
    };
    let Arguments { decider, signing, .. } = arguments;
    let completion = Completion { decider: &decider, given: arguments.mandated.given(&consent, &signing.reference) };
    let (made, contents) = award(&client, &unit, draft, completion)?;
    let bytes = encode(&made).map_err(|error| Failure::NotValid(error.to_string()))?;
    let basis = basis_name(made.basis());
    let value = json!({ "award": show::body("Award", &bytes)?, "basis": basis, "redeems": made.redeems.len() });
    let text = output::facts([
        ("award", title(&made)),
        ("basis", basis.to_owned()),
        ("documents", documents::words(&made)),
        ("conferred", made.conferred.as_ref().map(dates::show).unwrap_or_default()),
        ("by", show::safe(&made.decider)),
        ("redeems", counted(made.redeems.len(), "record", "records")),
        ("consumes none", show::safe(&made.consumes_none)),
    ]);
    signing.seal(global, &client, &unit, &contents.requested(&wish), (value, text)).await
}

/// The award but for mandate and signatures.
async fn drafted(
    global: &Global,
    client: &Client,
    unit: &IssuingUnit,
    arguments: &Arguments,
) -> Result<Award, Failure> {
    let Arguments { about, kind, classification, specialisation, decider, .. } = arguments;
    let draft = draft(global, client, unit, arguments).await?;
    let replaces = match arguments.replaces {
        Some(place) => Some(reference(client, None, place).await?),
        None => None,
    };
    let late = match draft.basis() {
        // It is not late, as it has the day of the one in whose place it comes.
        _ if replaces.is_some() => None,
        AwardBasis::Audited => late::of_award(&about.conferred(), draft.late.clone()),
        // Only the node knows what was conferred before the institution was in the registry, which is not late.
        _ if !arguments.late.is_given() => None,
        _ => Some(pb::Late { on_recording: refused_today(client, unit, &draft).await?, ..Default::default() }),
    };
    Ok(Award {
        late: arguments.late.complete(late, &arguments.signing)?,
        replaces,
        documents: documents::of(&arguments.documents, about.conferred()),
        kind: (*kind).into(),
        classification: classification.clone(),
        specialisation: specialisation.clone(),
        decider: decider.clone(),
        mandate: None,
        ..draft
    })
}

/// The rule that refuses the definition of an award today, if one does.
async fn refused_today(client: &Client, unit: &IssuingUnit, draft: &Award) -> Result<String, Failure> {
    let Some(name) = &draft.definition else { return Ok(String::new()) };
    let registry = client.rules_registry().await?;
    let today = dates::first_day(&creditbank_client::today());
    let found = registry.definition(name.institution.into(), &name.code, name.version);
    let judged = found.map(|found| in_force(&registry, found, unit.id.institution, today, &[]));
    Ok(judged.and_then(Result::err).map_or("", |refused| refused.rule.name()).to_owned())
}

/// Writes what the other institutions are to sign.
pub(super) fn request(global: &Global, out: &Path, joint: &JointAward) -> Result<(), Failure> {
    output::new_file(out, (cosign::text_of(joint)? + "\n").as_bytes(), true)?;
    let award = joint.award()?;
    output::print(global, &json!({ "request": out, "award": title(&award), "written": false }), || {
        let next = "creditbank qualification cosign";
        format!(
            "{} is to be signed by the other institutions of {}: {next} {0} --key KEY --out SIGNED.json\nnothing was sealed",
            out.display(),
            title(&award)
        )
    })
}

/// A joint award with its signatures, if it is the one that the command line says.
fn cosigned(client: &Client, unit: &IssuingUnit, arguments: &Arguments, path: &Path) -> Result<Award, Failure> {
    let joint = JointAward::read(path)?;
    let award = joint.signed()?;
    let Arguments { about, kind, classification, specialisation, decider, declared, consumes, consumes_none, .. } =
        arguments;
    let documents = award.conferred.map(|day| documents::of(&arguments.documents, day));
    let code = award.definition.as_ref().map(|name| (name.code.clone(), format!("{}.{}", name.code, name.version)));
    let asked = about.code.as_deref().unwrap_or_default();
    let checks = [
        ("the log", joint.origin == client.origin()),
        ("the institution whose key seals", joint.institution == unit.id.institution.0),
        ("--alias", award.learner == about.alias.0),
        ("the code", code.is_some_and(|(code, whole)| asked == code || asked == whole)),
        ("--document", documents.is_some_and(|documents| award.documents == documents)),
        ("--kind", award.kind() == *kind),
        ("--classification", award.classification == *classification),
        ("--specialisation", award.specialisation == *specialisation),
        ("--decider", award.decider == *decider),
        ("--declared", (award.basis() == AwardBasis::Declared) == *declared),
        ("--consumes", award.basis() != AwardBasis::Declared || consumed(&award) == sorted(consumes)),
        ("--consumes-none", award.consumes_none == consumes_none.as_deref().unwrap_or_default()),
        ("--conferred", about.conferred.is_none_or(|day| award.conferred == Some(day))),
    ];
    match checks.iter().find(|(_, same)| !same) {
        Some((what, _)) => {
            let path = path.display();
            Err(Failure::NotValid(format!("{path}: {what}: expected the award that was signed, found another")))
        }
        None => Ok(award),
    }
}

/// The places of what a declared award consumes.
fn consumed(award: &Award) -> Vec<Place> {
    award.redeems.iter().filter_map(|one| one.place).map(Place::from).collect()
}

fn sorted(places: &[Place]) -> Vec<Place> {
    let mut places = places.to_vec();
    places.sort_unstable();
    places.dedup();
    places
}

/// What is wished, whatever the day: these documents in this branch for this learner.
fn wish(arguments: &Arguments) -> Vec<u8> {
    let Arguments { about, documents, specialisation, signing, .. } = arguments;
    let code = about.code.as_deref().unwrap_or_default();
    let texts = [code, &signing.reference, specialisation].map(str::as_bytes);
    let documents: Vec<u8> = documents.iter().flat_map(pb::AwardDocument::encode_length_delimited_to_vec).collect();
    [&b"award"[..], &about.alias.0, texts[0], &[0], &documents, &[0], texts[1], &[0], texts[2]].concat()
}

pub(super) fn title(award: &Award) -> String {
    match &award.definition {
        Some(name) => {
            let branch = &award.specialisation;
            let branch = if branch.is_empty() { String::new() } else { format!(" ({branch})") };
            show::safe(&format!("{}/{}.{}{branch}", name.institution, name.code, name.version))
        }
        None => award.titles.first().map(|title| show::safe(&title.value)).unwrap_or_default(),
    }
}

pub(super) fn basis_name(basis: AwardBasis) -> &'static str {
    match basis {
        AwardBasis::Audited => "audited",
        AwardBasis::Declared => "declared",
        AwardBasis::Honorary => "honorary",
        AwardBasis::Unspecified => "not stated",
    }
}

/// The award without documents, decider and mandate: the node's draft, or on the institution's word.
async fn draft(global: &Global, client: &Client, unit: &IssuingUnit, arguments: &Arguments) -> Result<Award, Failure> {
    let Arguments { about, declared, honorary, titles, decider, .. } = arguments;
    let word = Award { learner: about.alias.0.to_vec(), conferred: Some(about.conferred()), ..Default::default() };
    if *honorary {
        let mut titles = titles.clone();
        titles.sort_by_cached_key(pb::Text::encode_to_vec);
        return Ok(Award { basis: AwardBasis::Honorary.into(), titles, ..word });
    }
    if *declared {
        let definition = Some(about.name(client, unit.id.institution).await?);
        let attestations = about.attestations(decider);
        let mut redeems = Vec::new();
        for place in sorted(&arguments.consumes) {
            let shown = about.transcript.as_ref().map(|path| Shown::read(global, path)).transpose()?;
            redeems.push(reference(client, shown.as_ref(), place).await?);
        }
        let consumes_none = arguments.consumes_none.clone().unwrap_or_default();
        let basis = AwardBasis::Declared.into();
        return Ok(Award { basis, definition, attestations, redeems, consumes_none, ..word });
    }
    let request = about.request(global, client, unit.id.institution, decider).await?;
    let (answer, found) = client.evaluate(request).await?;
    match found {
        Some(draft) if draft.learner == about.alias.0 && draft.conferred == word.conferred => Ok(draft),
        Some(_) => {
            Err(creditbank_client::ClientError::Lie("the draft is about another learner or day".to_owned()).into())
        }
        None => {
            let told = progress::value(&answer);
            output::print(global, &told, || progress::text(&answer))?;
            Err(Failure::Told(format!("nothing was awarded: the requirements are {}", progress::outcome(&answer))))
        }
    }
}
