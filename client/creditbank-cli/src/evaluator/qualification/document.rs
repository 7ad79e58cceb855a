//! `qualification document`: what papers say that a qualification was awarded. Each change is an amendment of the award.

use std::path::PathBuf;

use creditbank_client::ReadRecord;
use creditbank_client::recognition::derived::{Completion, amended_award};
use creditbank_client::recognition::joint::JointAward;
use creditbank_protocol::Place;
use creditbank_protocol::pb::{AmendReason, Amends, Award, AwardDocument, AwardDocumentState, Kind, RecordReference};
use serde_json::json;

use super::award::{request, title};
use super::documents;
use crate::connect::Global;
use crate::evaluator::mandated::Mandated;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{output, records, show, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Add documents to an award
    Add(Box<Add>),
    /// Say what has become of a document, and what stands in its place
    Replace(Box<Replace>),
}

/// Which award, and who says yes.
#[derive(clap::Args)]
struct Amended {
    /// The award: entry and index, as 34/718
    place: Place,
    /// error, appeal, late-result, name-change or other. Only an error lets a number go that was listed
    #[arg(long, value_parser = values::named::<AmendReason>, default_value = "other")]
    reason: AmendReason,
    /// Of a joint award: write it to a new file for the other institutions to sign, and seal nothing yet
    #[arg(long, value_name = "OUT.json", conflicts_with = "cosigned")]
    cosign_request: Option<PathBuf>,
    /// Of a joint award: seal it with the signatures that the other institutions have added to this file
    #[arg(long, value_name = "FILE.json")]
    cosigned: Option<PathBuf>,
    #[command(flatten)]
    mandated: Mandated,
    #[command(flatten)]
    signing: Signing,
}

#[derive(clap::Args)]
pub(crate) struct Add {
    /// A document: `TYPE[@INSTITUTION]:SERIES:NUMBER:DAY`, as `qualification award` has them; may be repeated
    #[arg(long = "document", value_name = "DOCUMENT", value_parser = documents::parse, required = true)]
    documents: Vec<AwardDocument>,
    #[command(flatten)]
    amended: Amended,
}

#[derive(clap::Args)]
pub(crate) struct Replace {
    /// Series and number of the document, as A:12345; :12345 without a series; A:12345@3 where partners of a joint award
    /// have given out the same number
    #[arg(long, value_name = "SERIES:NUMBER[@INSTITUTION]", value_parser = documents::named)]
    number: documents::Named,
    /// What has become of it: replaced, lost, withdrawn, or issued once more
    #[arg(long, value_parser = values::named::<AwardDocumentState>, default_value = "replaced")]
    state: AwardDocumentState,
    /// What stands in its place, as replacement:B:678:2026-11-02; left out: nothing
    #[arg(long, value_name = "DOCUMENT", value_parser = documents::parse)]
    document: Option<AwardDocument>,
    #[command(flatten)]
    amended: Amended,
}

pub(super) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(add) => {
            let Add { documents: new, amended } = *add;
            amend(global, amended, |award, _| {
                let new = documents::of(&new, creditbank_client::today());
                let new: Vec<_> = new.into_iter().filter(|one| !award.documents.contains(one)).collect();
                award.documents.extend(new);
                Ok(())
            })
            .await
        }
        Command::Replace(replace) => {
            let Replace { number, state, document, amended } = *replace;
            amend(global, amended, |award, own| {
                let at = documents::find(award, own, &number).map_err(Failure::NotValid)?;
                let original = &mut award.documents[at];
                original.state = state.into();
                let (replaces, institution) = (original.number.clone(), original.institution);
                // Whoever gave out the original gives out what stands in its place, unless it is said otherwise.
                let with = |one: AwardDocument| AwardDocument {
                    institution: if one.institution == 0 { institution } else { one.institution },
                    replaces: replaces.clone(),
                    ..one
                };
                let new = documents::of(document.as_slice(), creditbank_client::today()).into_iter().map(with);
                let new: Vec<_> = new.filter(|one| !award.documents.contains(one)).collect();
                award.documents.extend(new);
                Ok(())
            })
            .await
        }
    }
}

async fn amend(
    global: &Global,
    amended: Amended,
    change: impl FnOnce(&mut Award, u64) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Amended { place, reason, cosign_request, cosigned, mandated, signing } = amended;
    let consent = mandated.consent()?;
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    let read = client.record(place).await?;
    if read.disclosed.info.kind != Kind::Award || read.subject() != unit.id.institution {
        let (own, found) = (unit.id.institution, show::one_of(read.disclosed.info.kind));
        let what = format!("{place}: expected an award of institution {own}, found {found} of {}", read.subject());
        return Err(Failure::NotValid(what));
    }
    let former =
        RecordReference { place: Some(place.into()), status_id: read.status_id.0.to_vec(), ..Default::default() };
    let body = &read.disclosed.body;
    let mut award: Award =
        creditbank_protocol::canonical::decode(body).map_err(|e| Failure::NotValid(e.to_string()))?;
    let before = award.documents.clone();
    change(&mut award, unit.id.institution.0)?;
    if award.documents == before {
        let told = documents::words(&award);
        return Err(Failure::NotValid(format!("nothing was changed: {place} says so already: {told}")));
    }
    let is_same = |newest: &ReadRecord| {
        let said = creditbank_protocol::canonical::decode::<Award>(&newest.disclosed.body);
        said.is_ok_and(|said| said.documents == award.documents)
    };
    records::stands(&client, &read, &award.learner, is_same).await?;
    let amends = Some(Amends { place: Some(place.into()), reason: reason.into() });
    let joint = !award.cosignatures.is_empty();
    award = Award { amends, mandate: None, cosignatures: Vec::new(), ..award };
    if let Some(out) = &cosign_request {
        return request(global, out, &JointAward::of(client.origin(), unit.id.institution, &award)?);
    }
    match &cosigned {
        Some(path) => {
            let signed = JointAward::read(path)?.signed()?;
            if (Award { cosignatures: Vec::new(), ..signed.clone() }) != award {
                let path = path.display();
                return Err(Failure::NotValid(format!(
                    "{path}: expected the amendment that was signed, found another"
                )));
            }
            award = signed;
        }
        None if joint => {
            let what = "a joint award is amended together: --cosign-request OUT.json, then --cosigned FILE.json";
            return Err(Failure::Usage(what.to_owned()));
        }
        None => {}
    }
    let decider = award.decider.clone();
    let completion = Completion { decider: &decider, given: mandated.given(&consent, &signing.reference) };
    let (made, contents) = amended_award(&client, &unit, award, &former, completion).await?;
    let told = documents::words(&made);
    let value = json!({ "award": title(&made), "amends": place.to_string(), "documents": told });
    let text = output::facts([("award", title(&made)), ("amends", place.to_string()), ("documents", told)]);
    signing.seal(global, &client, &unit, &contents, (value, text)).await
}
