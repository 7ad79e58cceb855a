//! What a receiver decided before it was in the registry: TOML to a declared conversion.

use creditbank_protocol::{Place, pb};
use creditbank_rpc::v1::{PreviewSource, StatedResult};
use serde::Deserialize;

use super::stated::ResultPart;
use crate::authoring::text_file::{self, TextError, date, wrong};

/// A commented declaration to start from.
pub const TEMPLATE: &str = include_str!("../../../agreements/declared.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    reference: String,
    legal_basis: String,
    decided: String,
    result: Vec<ResultPart>,
}

/// A declared conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// By what it is found, and on what it rested.
    pub declared: pb::DeclaredConversion,
    /// The day of the decision.
    pub decided: pb::Date,
    /// Records of the ledger that were converted, by place; empty: none of them is in it.
    pub sources: Vec<PreviewSource>,
    /// What was recognised; of sources, what each became, by its position.
    pub stated: Vec<StatedResult>,
}

/// Reads a declaration. Either each result names its source in the ledger, or none does.
pub fn parse(text: &str) -> Result<Declared, TextError> {
    let File { reference, legal_basis, decided, result } = text_file::read(text)?;
    let mut read: Vec<(Option<(Place, u32)>, StatedResult)> = Vec::with_capacity(result.len());
    for part in result {
        if part.outcome.is_some() {
            return Err(wrong("result.outcome", "the key \"source\"", "outcome"));
        }
        let source = part.source.as_ref().map(|text| place(text)).transpose()?;
        if source.is_some() && part.says_how() {
            let expected = "no mode, dates or basis beside a source, which has them";
            return Err(wrong("result", expected, part.source.unwrap_or_default()));
        }
        read.push((source, part.stated()?));
    }
    if read.is_empty() {
        return Err(wrong("result", "a table [[result]] for each credit that was recognised", "none"));
    }
    let named = read.iter().filter(|(source, _)| source.is_some()).count();
    if named != 0 && named != read.len() {
        let found = format!("{named} of {} with one", read.len());
        return Err(wrong("result.source", "a source of each result, or of none (declare them apart)", found));
    }
    read.sort_by_key(|(source, _)| *source);
    if let Some(twice) = read.windows(2).find(|two| two[0].0.is_some() && two[0].0 == two[1].0) {
        let found = twice[0].0.map_or(String::new(), |(place, _)| place.to_string());
        return Err(wrong("result.source", "each source once", found));
    }
    let sources = read.iter().filter_map(|(source, _)| *source);
    let sources: Vec<PreviewSource> =
        sources.map(|(place, result_plus_1)| PreviewSource { place: Some(place.into()), result_plus_1 }).collect();
    let has_sources = !sources.is_empty();
    let stated = (0u32..).zip(read);
    let stated = stated.map(|(at, (_, stated))| StatedResult { source: if has_sources { at } else { 0 }, ..stated });
    Ok(Declared {
        declared: pb::DeclaredConversion { reference, legal_basis },
        decided: date("decided", &decided)?,
        sources,
        stated: stated.collect(),
    })
}

/// `34/718`, or `34/718#2`: a record, or a result of it.
fn place(text: &str) -> Result<(Place, u32), TextError> {
    let refuse = || wrong("result.source", "the place of a record, as \"34/718\" or \"34/718#2\"", text);
    let (place, result) = text.split_once('#').unwrap_or((text, "0"));
    Ok((place.parse().map_err(|_| refuse())?, result.parse().map_err(|_| refuse())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the template is a declaration; sources come in order, each once, and of all results or of none.
    #[test]
    fn the_template_is_a_declaration() {
        let read = parse(TEMPLATE).expect("the template");
        assert!(read.sources.is_empty() && read.stated.len() == 2);
        assert!(read.stated.iter().all(|one| one.source == 0));
        let titled = |source: &str| format!("source = \"{source}\"\ncourse = \"A\"\ntitles = {{ en = \"A\" }}\n");
        let head = "reference = \"R\"\nlegal_basis = \"L\"\ndecided = \"2019-05-02\"\n";
        let of = |sources: &[&str]| {
            let parts =
                sources.iter().map(|one| format!("[[result]]\n{}amount = \"1\"\nunit = \"ECTS\"\n", titled(one)));
            parse(&(head.to_owned() + &parts.collect::<String>()))
        };
        let two = of(&["34/719", "34/718#2"]).expect("two");
        assert_eq!(two.sources.iter().map(|one| one.result_plus_1).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(two.stated.iter().map(|one| one.source).collect::<Vec<_>>(), [0, 1]);
        assert!(of(&["34/718", "34/718"]).expect_err("twice").to_string().contains("once"));
        assert!(of(&["34"]).is_err());
        let mixed = format!("{TEMPLATE}\n[[result]]\n{}amount = \"1\"\nunit = \"ECTS\"\n", titled("34/718"));
        assert!(parse(&mixed).expect_err("mixed").to_string().contains("or of none"));
    }
}
