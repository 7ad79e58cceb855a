//! What waits at an institution, what a conversion or an award would be, and what follows from a correction. All of it
//! is the node's word; what it drafts is checked to be about what was asked.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{Allocation, Award, Conversion, Place, RecordReference};
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{
    ApplicationState, BalanceLine, EvaluateQualificationRequest, EvaluateQualificationResponse, GetBalanceRequest,
    HeldRedemption, LearnerReference, ListApplicationsRequest, ListConsequencesRequest, ListConsequencesResponse,
    ListReviewsRequest, PreviewConversionRequest, RecordPortion, ReviewState,
};

use super::Client;
use crate::ClientError;

/// What a conversion would give.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversionPreview {
    /// The record, without decider and mandate; where it is late, without the reason.
    pub conversion: Conversion,
    /// The steps in words.
    pub explanation: Vec<String>,
    /// Whether the sources are redeemed by it.
    pub exclusive: bool,
}

impl Client {
    /// What a conversion would give, step by step. Writes nothing.
    pub async fn preview_conversion(
        &self,
        request: PreviewConversionRequest,
    ) -> Result<ConversionPreview, ClientError> {
        let asked = request.clone();
        let answer = self.recognition.clone().preview_conversion(self.with_access(request)?).await?.into_inner();
        let conversion: Conversion = decode(&answer.conversion)?;
        let Conversion { agreement, equivalence, assessment, declared, decision, .. } = &conversion;
        let rights = (agreement, equivalence, assessment, declared, decision);
        let same = conversion.learner == asked.alias
            && rights == (&asked.agreement, &asked.equivalence, &asked.assessment, &asked.declared, &asked.decision)
            && conversion.mandate.is_none()
            && asked.decided.is_none_or(|decided| conversion.decided == Some(decided));
        let of = |place: Option<Place>, result: u32| {
            let place = place.unwrap_or_default();
            (place.entry, place.index, result)
        };
        let mut wanted: Vec<_> = asked.sources.iter().map(|one| of(one.place, one.result_plus_1)).collect();
        wanted.sort_unstable();
        let place = |reference: &Option<RecordReference>| reference.as_ref().and_then(|reference| reference.place);
        let found = conversion.sources.iter().map(|source| of(place(&source.record), source.result_plus_1));
        if !same || !found.eq(wanted) {
            return Err(ClientError::lie("the conversion is another one than was asked for"));
        }
        Ok(ConversionPreview { conversion, explanation: answer.explanation, exclusive: answer.exclusive })
    }

    /// The applications that an institution has received, overdue ones first.
    pub async fn applications(
        &self,
        institution: impl Into<InstitutionId>,
        overdue: bool,
    ) -> Result<Vec<ApplicationState>, ClientError> {
        let institution = institution.into().0;
        let request = self.with_access(ListApplicationsRequest { institution, overdue })?;
        Ok(self.recognition.clone().list_applications(request).await?.into_inner().applications)
    }

    /// The records of an institution that are under review.
    pub async fn reviews(&self, institution: impl Into<InstitutionId>) -> Result<Vec<ReviewState>, ClientError> {
        let request = self.with_access(ListReviewsRequest { institution: institution.into().0 })?;
        Ok(self.recognition.clone().list_reviews(request).await?.into_inner().reviews)
    }

    /// What a block that revokes (or else amends) these records has to put under review, and what it has to release.
    pub async fn consequences(
        &self,
        places: Vec<Place>,
        revoke: bool,
    ) -> Result<(Vec<RecordReference>, Vec<HeldRedemption>), ClientError> {
        let request = self.with_access(ListConsequencesRequest { places, revoke, reinstate: false })?;
        let answer = self.ledger.clone().list_consequences(request).await?.into_inner();
        Ok((answer.reviews, answer.releases))
    }

    /// What a block that reinstates these records has to say besides.
    pub async fn reinstating(&self, places: Vec<Place>) -> Result<ListConsequencesResponse, ClientError> {
        let request = self.with_access(ListConsequencesRequest { places, revoke: false, reinstate: true })?;
        Ok(self.ledger.clone().list_consequences(request).await?.into_inner())
    }

    /// A learner's credit by unit, level, field and status.
    pub async fn balance(&self, learner: Learner) -> Result<Vec<BalanceLine>, ClientError> {
        let learner = Some(LearnerReference { learner: Some(learner) });
        let request = self.with_access(GetBalanceRequest { learner })?;
        Ok(self.learner.clone().get_balance(request).await?.into_inner().lines)
    }

    /// How far a learner is with a qualification, and a draft of the award where everything holds.
    pub async fn evaluate(
        &self,
        request: EvaluateQualificationRequest,
    ) -> Result<(EvaluateQualificationResponse, Option<Award>), ClientError> {
        let definition = request.definition.clone();
        let (used, kept) = (request.r#use.clone(), request.keep.clone());
        let answer = self.learner.clone().evaluate_qualification(self.with_access(request)?).await?.into_inner();
        if answer.award.is_empty() {
            return Ok((answer, None));
        }
        let award: Award = decode(&answer.award)?;
        if award.definition != definition || award.mandate.is_some() {
            return Err(ClientError::lie("the award is another one than was asked for"));
        }
        let counts = |wished: &RecordPortion| {
            let is_it = |one: &Allocation| {
                one.record.as_ref().and_then(|record| record.place) == wished.place
                    && one.result_plus_1 == wished.result_plus_1
            };
            award.allocations.iter().any(is_it)
        };
        if !used.iter().all(counts) || kept.iter().any(counts) {
            return Err(ClientError::lie("the award counts other records than was asked for"));
        }
        Ok((answer, Some(award)))
    }
}
