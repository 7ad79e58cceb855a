//! Which of a transcript's records the receiver can convert: those that the node, asked about them, does not refuse.

use creditbank_client::{Client, ClientError, ConversionPreview};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::{PreviewConversionRequest, Refusal};

use super::sources::{Skipped, shown_place};
use crate::failure::Failure;

/// Refusals that are about a source: without it the others may be converted.
const OF_A_SOURCE: [Reason; 7] = [
    Reason::OutsideScope,
    Reason::NotMostSpecific,
    Reason::SourceNotUsable,
    Reason::NotVisible,
    Reason::UndefinedLevel,
    Reason::UnknownGrade,
    Reason::AlreadySpent,
];

/// The preview of the sources that fit, and the others, each with what is against it.
///
/// Halves of what is refused are asked about until single records are left, so that n records of which k do not fit
/// cost about k log n questions. Where nothing fits, or what fits is refused as a whole, that refusal is the answer.
pub(super) async fn preview_fitting(
    client: &Client,
    request: PreviewConversionRequest,
) -> Result<(ConversionPreview, Vec<Skipped>), Failure> {
    let all: Vec<u32> = (0..).take(request.sources.len()).collect();
    let (mut fits, mut skipped) = (Vec::new(), Vec::new());
    let mut waiting = vec![all];
    while let Some(some) = waiting.pop() {
        match ask(client, &request, &some).await? {
            Ok(preview) if some.len() == request.sources.len() => return Ok((preview, Vec::new())),
            Ok(_) => fits.extend(some),
            Err(refusal) if some.len() == 1 => {
                let place = shown_place(&request.sources[some[0] as usize]);
                let reason = format!("{}: expected {}, found {}", refusal.reason, refusal.expected, refusal.found);
                skipped.push((some[0], Skipped { place, reason }));
            }
            Err(_) => {
                let (first, second) = some.split_at(some.len() / 2);
                waiting.extend([second.to_vec(), first.to_vec()]);
            }
        }
    }
    fits.sort_unstable();
    skipped.sort_by_key(|(at, _)| *at);
    let skipped: Vec<Skipped> = skipped.into_iter().map(|(_, one)| one).collect();
    if fits.is_empty() {
        let reasons: Vec<String> = skipped.iter().map(|one| format!("\n{}: {}", one.place, one.reason)).collect();
        return Err(Failure::NotValid(format!("nothing in the transcript can be converted{}", reasons.concat())));
    }
    match ask(client, &request, &fits).await? {
        Ok(preview) => Ok((preview, skipped)),
        Err(refusal) => Err(ClientError::Refused(refusal).into()),
    }
}

/// Asks about some of the sources, by their positions. A refusal that is about no source is an error.
async fn ask(
    client: &Client,
    request: &PreviewConversionRequest,
    some: &[u32],
) -> Result<Result<ConversionPreview, Box<Refusal>>, Failure> {
    match client.preview_conversion(of(request, some)).await {
        Ok(preview) => Ok(Ok(preview)),
        Err(ClientError::Refused(refusal)) if OF_A_SOURCE.contains(&refusal.why()) => Ok(Err(refusal)),
        Err(error) => Err(error.into()),
    }
}

/// The request for some of its sources, with what is stated and shown of them.
fn of(request: &PreviewConversionRequest, some: &[u32]) -> PreviewConversionRequest {
    let sources: Vec<_> = some.iter().filter_map(|at| request.sources.get(*at as usize)).copied().collect();
    let stated = request.stated.iter().filter_map(|stated| {
        let at = some.iter().position(|at| *at == stated.source)?;
        Some(creditbank_rpc::v1::StatedResult { source: u32::try_from(at).ok()?, ..stated.clone() })
    });
    let shown = request.shown.iter().filter(|record| sources.iter().any(|source| source.place == record.place));
    PreviewConversionRequest { stated: stated.collect(), shown: shown.cloned().collect(), sources, ..request.clone() }
}

#[cfg(test)]
mod tests {
    use creditbank_protocol::pb::{DisclosedRecord, Place};
    use creditbank_rpc::v1::{PreviewSource, StatedResult};

    use super::*;

    /// Goal: what is stated of a source goes with it to its new position, and nothing is shown of what is left out.
    #[test]
    fn a_part_of_a_request() {
        let place = |index| Some(Place { entry: 7, index });
        let whole = PreviewConversionRequest {
            sources: (0..4).map(|at| PreviewSource { place: place(at), result_plus_1: 0 }).collect(),
            stated: [1, 3].map(|source| StatedResult { source, ..Default::default() }).to_vec(),
            shown: (0..4).map(|at| DisclosedRecord { place: place(at), ..Default::default() }).collect(),
            ..Default::default()
        };
        let part = of(&whole, &[0, 3]);
        assert_eq!(part.sources.iter().map(|one| one.place).collect::<Vec<_>>(), [place(0), place(3)]);
        assert_eq!(part.stated.iter().map(|one| one.source).collect::<Vec<_>>(), [1]);
        assert_eq!(part.shown.iter().map(|one| one.place).collect::<Vec<_>>(), [place(0), place(3)]);
    }
}
