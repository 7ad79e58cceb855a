//! `LearnerService`, for institutions and the operator on a learner's behalf.

use std::sync::Arc;
use std::time::Duration;

use creditbank_ledger::read::Question;
use creditbank_protocol::pb::{Institution, RegistryState};
use creditbank_protocol::{AccountId, Alias, InstitutionId, Part, Place, Portion};
use creditbank_rpc::v1 as api;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::learner_service_server::LearnerService;
use creditbank_rules::qualification::ENROLMENTS_MAX;
use tonic::{Request, Response, Status};

use super::access::Caller;
use super::fields::{bounded, id, limited};
use super::{SHOWN_MAX, answers, cheap, expensive, status};
use crate::append::Person;
use crate::ledger::Ledger;
use crate::work::Asked;

const RECORDS_MAX: usize = 200;
/// Most attestations of an award.
const ATTESTATIONS_MAX: usize = 64;
/// Most records that are to be used, or to be kept, and most other qualifications that are named.
const WISHES_MAX: usize = 256;
const BESIDE_MAX: usize = 8;
/// Answers to `OpenAccounts` are sent at multiples of this, so that the time does not reveal who was known.
const STEP: Duration = Duration::from_millis(20);

pub(super) struct Service(pub(super) Arc<Ledger>);

/// The account that a caller asks about, and the institution whose records they get; `None` for all.
fn resolve(
    ledger: &Ledger,
    caller: Caller,
    learner: Option<api::LearnerReference>,
) -> Result<(AccountId, Option<InstitutionId>), Status> {
    let missing = || status::invalid("learner", "an account or an alias", "nothing");
    match learner.and_then(|reference| reference.learner).ok_or_else(missing)? {
        Learner::Account(account) => {
            if !caller.is_operator() {
                return Err(status::denied("only the operator may use account numbers; ask with your own alias"));
            }
            let account = id("account", "16 bytes", &account, AccountId::from_slice)?;
            ledger.check_account(&account)?;
            Ok((account, None))
        }
        Learner::Alias(api::InstitutionAlias { institution, alias }) => {
            let institution = InstitutionId(institution);
            caller.may_read(ledger, institution)?;
            let alias = id("alias", "16 bytes", &alias, Alias::from_slice)?;
            let account = ledger.account(institution, &alias)?;
            Ok((account, Some(institution)))
        }
    }
}

#[tonic::async_trait]
impl LearnerService for Service {
    async fn open_accounts(
        &self,
        request: Request<api::OpenAccountsRequest>,
    ) -> Result<Response<api::OpenAccountsResponse>, Status> {
        let start = tokio::time::Instant::now();
        let caller = Caller::of(&self.0, &request)?;
        let api::OpenAccountsRequest { institution, persons } = request.into_inner();
        let institution = InstitutionId(institution);
        caller.may_read(&self.0, institution)?;
        let state = self.0.registry().institution(institution).map(Institution::state);
        let persons = persons.into_iter().enumerate().map(|(at, person)| Person::new(at, person.identities));
        let persons = persons.collect::<Result<Vec<_>, _>>()?;
        let several = persons.iter().enumerate().filter(|(_, person)| person.has_several());
        let several: Vec<(usize, Person)> = several.map(|(at, person)| (at, person.clone())).collect();
        let opened = match state {
            Some(RegistryState::Active) => self.0.open_accounts(institution, persons).await?,
            Some(RegistryState::Closed) => {
                self.0.take_quota(institution, Asked::Accounts, persons.len())?;
                let find = move |ledger: &Ledger| Ok::<_, Status>(ledger.find_accounts(institution, &persons)?);
                cheap(&self.0, caller, find).await?
            }
            _ => return Err(status::denied(format!("institution {institution} is not active"))),
        };
        let (aliases, nobody_has_several) = (opened.clone(), several.is_empty());
        let elsewhere = move |ledger: &Ledger| {
            let mut elsewhere = Vec::new();
            for (at, person) in &several {
                let Some(alias) = aliases.get(*at) else { continue };
                let found = ledger.elsewhere(institution, person, alias)?;
                elsewhere.extend(found.into_iter().filter_map(|identity| {
                    let (person, identity) = (u32::try_from(*at).ok()?, u32::try_from(identity).ok()?);
                    Some(api::IdentityElsewhere { person, identity })
                }));
            }
            Ok::<_, Status>(elsewhere)
        };
        // A registrar's file names each learner once: nothing is looked up then.
        let elsewhere = if nobody_has_several { Vec::new() } else { cheap(&self.0, caller, elsewhere).await? };
        caller.log("OpenAccounts", Some(institution), Some(opened.len()));
        let steps = u32::try_from(start.elapsed().as_nanos() / STEP.as_nanos() + 1).unwrap_or(u32::MAX);
        tokio::time::sleep_until(start + STEP.saturating_mul(steps)).await;
        let aliases = opened.into_iter().map(|alias| alias.0.to_vec()).collect();
        Ok(Response::new(api::OpenAccountsResponse { aliases, elsewhere }))
    }

    async fn list_records(
        &self,
        request: Request<api::ListRecordsRequest>,
    ) -> Result<Response<api::ListRecordsResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::ListRecordsRequest { learner, after, limit } = request.into_inner();
        let limit = limited(usize::try_from(limit).unwrap_or(RECORDS_MAX), RECORDS_MAX);
        let read = move |ledger: &Ledger| {
            let (account, institution) = resolve(ledger, caller, learner)?;
            let (places, more) = ledger.places(&account, institution, after.map(Place::from), limit)?;
            let records = places.into_iter().map(|place| ledger.record(place)).collect::<Result<Vec<_>, _>>();
            Ok::<_, Status>((account, institution, records?, more))
        };
        let (account, institution, records, more) = expensive(&self.0, caller, read).await?;
        caller.log("ListRecords", institution, Some(records.len()));
        let records = records
            .into_iter()
            .map(|record| {
                let (marks, mark_entries) = (record.mark_names(), record.mark_entries());
                let (record, receipt) = (Some(record.disclosed), Some(record.receipt));
                api::HeldRecord { record, receipt, marks, mark_entries }
            })
            .collect();
        let account = if caller.is_operator() { account.0.to_vec() } else { Vec::new() };
        Ok(Response::new(api::ListRecordsResponse { records, more, account }))
    }

    async fn export_transcript(
        &self,
        request: Request<api::ExportTranscriptRequest>,
    ) -> Result<Response<api::ExportTranscriptResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::ExportTranscriptRequest { learner } = request.into_inner();
        let read = move |ledger: &Ledger| {
            let (account, institution) = resolve(ledger, caller, learner)?;
            Ok::<_, Status>((institution, ledger.transcript(&account, institution)?))
        };
        let (institution, (transcript, embargoed)) = expensive(&self.0, caller, read).await?;
        caller.log("ExportTranscript", institution, None);
        let embargoed = u32::try_from(embargoed).unwrap_or(u32::MAX);
        Ok(Response::new(api::ExportTranscriptResponse { transcript, embargoed }))
    }

    async fn get_balance(
        &self,
        request: Request<api::GetBalanceRequest>,
    ) -> Result<Response<api::GetBalanceResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::GetBalanceRequest { learner } = request.into_inner();
        let read = move |ledger: &Ledger| {
            let (account, institution) = resolve(ledger, caller, learner)?;
            Ok::<_, Status>((institution, ledger.balance(&account, institution)?))
        };
        let (institution, lines) = expensive(&self.0, caller, read).await?;
        caller.log("GetBalance", institution, None);
        Ok(Response::new(api::GetBalanceResponse { lines: lines.into_iter().map(answers::balance_line).collect() }))
    }

    async fn evaluate_qualification(
        &self,
        request: Request<api::EvaluateQualificationRequest>,
    ) -> Result<Response<api::EvaluateQualificationResponse>, Status> {
        let caller = Caller::of(&self.0, &request)?;
        let api::EvaluateQualificationRequest {
            learner,
            definition,
            conferred,
            shown,
            attestations,
            enrolments,
            r#use: used,
            keep: kept,
            beside,
        } = request.into_inner();
        let missing = || status::invalid("definition", "the name of a definition", "nothing");
        let definition = definition.ok_or_else(missing)?;
        bounded("shown", shown.len(), SHOWN_MAX)?;
        bounded("attestations", attestations.len(), ATTESTATIONS_MAX)?;
        bounded("enrolments", enrolments.len(), ENROLMENTS_MAX)?;
        bounded("use", used.len(), WISHES_MAX)?;
        bounded("keep", kept.len(), WISHES_MAX)?;
        bounded("beside", beside.len(), BESIDE_MAX)?;
        let (used, kept) = (portions(used), portions(kept));
        let enrolments = enrolments.into_iter().map(Place::from).collect();
        let scope = caller.scope(shown);
        let read = move |ledger: &Ledger| {
            let (account, institution) = resolve(ledger, caller, learner)?;
            let question =
                Question { definition, conferred, attestations, institution, enrolments, used, kept, beside };
            Ok::<_, Status>((institution, answers::evaluation(ledger.evaluate(&account, question, &scope)?)?))
        };
        let (institution, answer) = expensive(&self.0, caller, read).await?;
        caller.log("EvaluateQualification", institution, None);
        Ok(Response::new(answer))
    }
}

/// Records, and results of records, that a caller names.
fn portions(list: Vec<api::RecordPortion>) -> Vec<Portion> {
    let each = list.into_iter();
    each.map(|one| Portion { place: Place::read(one.place), part: Part::read(one.result_plus_1) }).collect()
}
