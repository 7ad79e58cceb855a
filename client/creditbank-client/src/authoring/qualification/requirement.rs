//! Requirements as they stand in each other, and as the list in which parents come first.

use std::collections::BTreeMap;

use creditbank_protocol::pb::{self, Requirement, RequirementType as Type};
use serde::Deserialize;
use toml::Spanned;

use super::which::Which;
use super::{names, place};
use crate::authoring::text_file::{Fraction, TextError, choice, decimal, grade, ratio, set, texts, wrong};

/// Most requirements in each other, as the ledger has it.
const DEPTH_MAX: usize = creditbank_rules::qualification::DEPTH_MAX;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    titles: BTreeMap<String, String>,
    choose: Option<u32>,
    amount: Option<String>,
    share: Option<Fraction>,
    #[serde(rename = "match")]
    which: Option<Which>,
    outcome: Option<String>,
    minimum: Option<String>,
    awards: Option<Vec<String>>,
    months: Option<u32>,
    code: Option<String>,
    #[serde(default)]
    requirement: Vec<Spanned<Part>>,
}

/// The tree as a list: each before its children, in the order of the file.
pub(super) fn flat(text: &str, parts: &[Spanned<Part>], publisher: u64) -> Result<Vec<Requirement>, TextError> {
    let mut list = Vec::new();
    if parts.len() != 1 {
        list.push(Requirement { r#type: Type::All.into(), ..Default::default() });
    }
    let root = u32::from(parts.len() != 1);
    let mut open: Vec<(u32, usize, &Spanned<Part>)> = parts.iter().rev().map(|part| (root, 1, part)).collect();
    while let Some((parent, depth, spanned)) = open.pop() {
        let number = u32::try_from(list.len() + 1).unwrap_or(u32::MAX);
        let (from, part) = (spanned.span().start, spanned.get_ref());
        let placed = |error| place::placed(text, from, &format!("requirement {number}: "), error);
        if depth > DEPTH_MAX {
            let expected = format!("at most {DEPTH_MAX} requirements in each other");
            return Err(placed(wrong("requirement", expected, "one more")));
        }
        list.push(part.read(parent, publisher).map_err(placed)?);
        open.extend(part.requirement.iter().rev().map(|child| (number, depth + 1, child)));
    }
    Ok(list)
}

impl Part {
    fn read(&self, parent: u32, publisher: u64) -> Result<Requirement, TextError> {
        let number = choice::<Type>("type", &self.kind)?;
        let kind = Type::try_from(number).unwrap_or_default();
        self.fits(kind)?;
        let outcome = |text: &String| choice::<pb::OutcomeType>("outcome", text);
        let name = |text: &String| names::read("awards", text, publisher);
        let awards = self.awards.iter().flatten().map(name).collect::<Result<_, _>>()?;
        let amount_e4 = self.amount.as_ref().map(|text| decimal("amount", text)).transpose()?;
        let share = self.share.as_ref().map(|share| ratio("share", share)).transpose()?;
        if let Some(share) = share.filter(|share| share.numerator > share.denominator) {
            let found = format!("{}/{}", share.numerator, share.denominator);
            return Err(wrong("share", "a fraction of at most 1, as \"1/2\"", found));
        }
        Ok(Requirement {
            parent,
            r#type: number,
            titles: texts(self.titles.clone()),
            choose: self.choose.unwrap_or(0),
            amount_e4: amount_e4.unwrap_or(0),
            share,
            r#match: self.which.as_ref().map(Which::asked).transpose()?.flatten(),
            outcome: self.outcome.as_ref().map(outcome).transpose()?.unwrap_or(0),
            minimum: self.minimum.as_ref().map(|text| grade("minimum", text)).transpose()?,
            awards: set(awards),
            months: self.months.unwrap_or(0),
            code: self.code.clone().unwrap_or_default(),
        })
    }

    /// The keys of its type stand there, and no others.
    fn fits(&self, kind: Type) -> Result<(), TextError> {
        let (needed, allowed): (&[&str], &[&str]) = match kind {
            Type::Unspecified => (&[], &[]),
            Type::All => (&["requirement"], &[]),
            Type::Any => (&["requirement", "choose"], &[]),
            Type::Credits => (&["amount"], &["match"]),
            Type::Courses => (&["match"], &[]),
            Type::Outcome => (&["outcome"], &["match", "minimum"]),
            Type::Award => (&["awards"], &[]),
            Type::Attestation => (&["code"], &[]),
            Type::Enrolment | Type::Age => (&["months"], &[]),
            Type::AtLeast | Type::AtMost => (&[], &["amount", "share", "match"]),
            Type::Average => (&["minimum"], &[]),
            Type::Among => (&["match"], &["amount", "choose"]),
        };
        let stated = [
            ("requirement", !self.requirement.is_empty()),
            ("choose", self.choose.is_some()),
            ("amount", self.amount.is_some()),
            ("share", self.share.is_some()),
            ("match", self.which.is_some()),
            ("outcome", self.outcome.is_some()),
            ("minimum", self.minimum.is_some()),
            ("awards", self.awards.is_some()),
            ("months", self.months.is_some()),
            ("code", self.code.is_some()),
        ];
        for (key, is_there) in stated {
            if is_there && !needed.contains(&key) && !allowed.contains(&key) {
                let keys: Vec<&str> = needed.iter().chain(allowed).copied().collect();
                return Err(wrong(key, format!("with type {}: {}", self.kind, keys.join(", ")), "it"));
            }
            if !is_there && needed.contains(&key) {
                return Err(wrong(key, example(key), "nothing"));
            }
        }
        let bounded = matches!(kind, Type::AtLeast | Type::AtMost);
        match (bounded, &self.amount, &self.share) {
            (true, Some(_), Some(_)) => Err(wrong("share", "either amount or share", "both")),
            (true, None, None) => Err(wrong("amount", "amount = \"90\" or share = \"1/2\"", "neither")),
            (false, Some(_), None) if self.choose.is_some() => Err(wrong("choose", "either amount or choose", "both")),
            _ => Ok(()),
        }
    }
}

/// How a key is written.
fn example(key: &str) -> &'static str {
    match key {
        "requirement" => "requirements in it, as [[requirement.requirement]]",
        "choose" => "how many of its requirements, as choose = 2",
        "amount" => "credits in the definition's unit, as amount = \"90\"",
        "match" => "which records, as match = { courses = [\"MATH-101\"] }",
        "outcome" => "a kind of outcome, as outcome = \"test-score\"",
        "minimum" => "a grade behind its scale, as minimum = \"GB-100-UG:60\"",
        "awards" => "awards that fill it, as awards = [\"2/BSC-INF\"]",
        "months" => "a number of months, as months = 84",
        _ => "a code, as code = \"THESIS\"",
    }
}
