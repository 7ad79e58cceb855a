//! Drafts of the node, completed by whoever answers for them: conversions and awards, with the effects that redeem what they
//! use by the learner's mandate.

use std::collections::BTreeSet;

use creditbank_protocol::Place;
use creditbank_protocol::pb::{Action, Award, Conversion, Kind, RecordReference};

use crate::IssuingUnit;
use crate::recognition::consent::{Given, mandate, redeeming};
use crate::sealing::{Contents, effect, record, supersede};
use crate::{Client, ClientError, ConversionPreview};

/// Who answers for a derived record, and how the learner said yes.
#[derive(Clone, Copy)]
pub struct Completion<'a> {
    /// The person who answers for it.
    pub decider: &'a str,
    /// The learner's consent.
    pub given: Given<'a>,
}

/// A conversion with decider and mandate, in a block that redeems its sources where the agreement asks for it.
pub fn conversion(
    client: &Client,
    unit: &IssuingUnit,
    preview: ConversionPreview,
    completion: Completion<'_>,
) -> Result<(Conversion, Contents), ClientError> {
    let draft = Conversion { decider: completion.decider.to_owned(), mandate: None, ..preview.conversion };
    let given = mandate(client.origin(), unit, Kind::Conversion, &draft, completion.given)?;
    let redeemed: Vec<RecordReference> = if preview.exclusive {
        draft.sources.iter().filter_map(|source| source.record.clone()).collect()
    } else {
        Vec::new()
    };
    let conversion = Conversion { mandate: Some(given), ..draft };
    let made = record(unit, Kind::Conversion, &conversion, completion.given.reference)?;
    let authority = redeeming(client.origin(), unit, &made)?;
    let mut contents = Contents::of([made]);
    redeem(&mut contents, &redeemed, &authority);
    Ok((conversion, contents))
}

/// An award with its mandate, in a block that redeems what it names.
pub fn award(
    client: &Client,
    unit: &IssuingUnit,
    draft: Award,
    completion: Completion<'_>,
) -> Result<(Award, Contents), ClientError> {
    let draft = Award { decider: completion.decider.to_owned(), mandate: None, ..draft };
    let given = mandate(client.origin(), unit, Kind::Award, &draft, completion.given)?;
    let award = Award { mandate: Some(given), ..draft };
    let made = record(unit, Kind::Award, &award, completion.given.reference)?;
    let authority = redeeming(client.origin(), unit, &made)?;
    let mut contents = Contents::of([made]);
    redeem(&mut contents, &award.redeems, &authority);
    Ok((award, contents))
}

/// An award in the place of `former`, with a mandate of its own; it redeems nothing anew.
pub async fn amended_award(
    client: &Client,
    unit: &IssuingUnit,
    draft: Award,
    former: &RecordReference,
    completion: Completion<'_>,
) -> Result<(Award, Contents), ClientError> {
    let draft = Award { decider: completion.decider.to_owned(), mandate: None, ..draft };
    let given = mandate(client.origin(), unit, Kind::Award, &draft, completion.given)?;
    let award = Award { mandate: Some(given), ..draft };
    let mut contents = Contents::of([record(unit, Kind::Award, &award, completion.given.reference)?]);
    supersede(client, unit, &mut contents, former).await?;
    Ok((award, contents))
}

/// One redemption for each record, also where several of its results are used.
fn redeem(contents: &mut Contents, records: &[RecordReference], authority: &creditbank_protocol::pb::Authority) {
    let mut seen = BTreeSet::new();
    for reference in records {
        if seen.insert(Place::read(reference.place)) {
            contents.add(authority.clone(), effect(reference, Action::Redeem));
        }
    }
}
