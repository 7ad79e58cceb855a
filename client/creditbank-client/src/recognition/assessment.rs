//! How an assessor says what prior learning is worth: TOML to an assessment and what each outcome becomes.

use creditbank_protocol::Place;
use creditbank_protocol::pb;
use creditbank_rpc::v1::{PreviewSource, StatedResult};
use serde::Deserialize;

use super::stated::ResultPart;
use crate::authoring::text_file::{self, TextError, wrong};

/// A commented assessment to start from.
pub const TEMPLATE: &str = include_str!("../../../agreements/assessment.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    assessor: String,
    method: String,
    evidence: String,
    result: Vec<ResultPart>,
}

/// An assessment: who and how, of which outcomes, and what each becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessed {
    /// Who assessed, how, and the digest of the evidence.
    pub assessment: pb::Assessment,
    /// The outcomes, by place.
    pub sources: Vec<PreviewSource>,
    /// What each becomes, by its position.
    pub stated: Vec<StatedResult>,
}

/// Reads an assessment. `digest` gives the SHA-256 of a file of evidence that the text names.
pub fn parse(text: &str, digest: impl Fn(&str) -> Result<[u8; 32], TextError>) -> Result<Assessed, TextError> {
    let File { assessor, method, evidence, result } = text_file::read(text)?;
    let spelled = hex::decode(&evidence).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let evidence_digest = match spelled {
        Some(spelled) => spelled,
        None => digest(&evidence)?,
    };
    let mut read = Vec::with_capacity(result.len());
    for part in result {
        let outcome = part.outcome.as_deref().unwrap_or_default();
        let at = outcome
            .parse::<Place>()
            .map_err(|_| wrong("result.outcome", "the place of an outcome, as \"34/718\"", outcome))?;
        if part.source.is_some() || part.says_how() {
            let expected = "no source, mode, dates or basis: the outcome has them";
            return Err(wrong("result", expected, at.to_string()));
        }
        read.push((at, part.stated()?));
    }
    if read.is_empty() {
        return Err(wrong("result", "a table [[result]] for each outcome", "none"));
    }
    read.sort_by_key(|(place, _)| *place);
    if let Some(twice) = read.windows(2).find(|two| two[0].0 == two[1].0) {
        return Err(wrong("result.outcome", "each outcome once", twice[0].0.to_string()));
    }
    let sources =
        read.iter().map(|(place, _)| PreviewSource { place: Some((*place).into()), result_plus_1: 0 }).collect();
    let stated = (0u32..).zip(read).map(|(source, (_, stated))| StatedResult { source, ..stated }).collect();
    let evidence_digest = evidence_digest.to_vec();
    Ok(Assessed { assessment: pb::Assessment { assessor, method, evidence_digest }, sources, stated })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the template is an assessment; outcomes come in order, each once, and evidence is a digest or a file.
    #[test]
    fn the_template_is_an_assessment() {
        let file = |_: &str| Ok([7; 32]);
        let read = parse(TEMPLATE, file).expect("the template");
        assert_eq!(read.assessment.evidence_digest, vec![7; 32]);
        assert_eq!(read.stated.iter().map(|one| one.source).collect::<Vec<_>>(), [0, 1]);
        assert!(read.sources.windows(2).all(|two| two[0].place.map(|p| p.entry) <= two[1].place.map(|p| p.entry)));
        let digest = TEMPLATE.replace("portfolio.pdf", &"ab".repeat(32));
        let none = |name: &str| Err(wrong("evidence", "a file", name));
        assert_eq!(parse(&digest, none).expect("a digest").assessment.evidence_digest, vec![0xab; 32]);
        let twice = TEMPLATE.replace("34/719", "34/718");
        assert!(parse(&twice, file).expect_err("twice").to_string().contains("once"));
    }
}
