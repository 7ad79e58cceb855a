//! Agreements as people write them: TOML to the text that both parties sign, and back to words.

mod grades;
mod words;

use std::collections::BTreeMap;

use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb;
use serde::Deserialize;

use crate::authoring::text_file::{
    self, Fraction, TextError, choice, decimal, decimal_or_0, level, maybe_date, ordered, ratio, set, texts, versioned,
    wrong,
};

pub use words::in_words;

/// A commented agreement to start from.
pub const TEMPLATE: &str = include_str!("../../../agreements/agreement.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    code: String,
    version: u32,
    tier: String,
    sender: u64,
    receiver: u64,
    titles: BTreeMap<String, String>,
    #[serde(default)]
    legal_instrument: String,
    #[serde(default)]
    exclusive: bool,
    #[serde(default)]
    replaces: Vec<String>,
    amount: AmountPart,
    levels: Option<LevelPart>,
    grades: grades::GradePart,
    #[serde(default)]
    scope: ScopePart,
    #[serde(default)]
    caps: CapPart,
    validity: ValidityPart,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountPart {
    source_unit: String,
    target_unit: String,
    ratio: Fraction,
    step: String,
    rounding: String,
    apportionment: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelPart {
    from: String,
    to: String,
    #[serde(default)]
    map: String,
    #[serde(default)]
    rows: Vec<LevelRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelRow {
    from: String,
    to: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ScopePart {
    levels: Vec<String>,
    fields: Vec<String>,
    modes: Vec<String>,
    bases: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CapPart {
    learner: Option<String>,
    award_share: Option<Fraction>,
    age_months: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidityPart {
    from: String,
    until: Option<String>,
    notice_days: u32,
}

/// Reads the text of an agreement. What it says is in canonical form; whether it is admitted, the ledger decides.
pub fn parse(text: &str) -> Result<pb::AgreementTerms, TextError> {
    let file: File = text_file::read(text)?;
    let AmountPart { source_unit, target_unit, ratio: factor, step, rounding, apportionment } = file.amount;
    let step_e4 = decimal("amount.step", &step)?;
    if step_e4 == 0 {
        return Err(wrong("amount.step", "a step above 0, as \"0.5\"", step));
    }
    let ScopePart { levels, fields, modes, bases } = file.scope;
    let levels = levels.iter().map(|text| level("scope.levels", text)).collect::<Result<_, _>>()?;
    let mode = |text: &String| choice::<pb::Mode>("scope.modes", text);
    let modes = modes.iter().map(mode).collect::<Result<_, _>>()?;
    let basis = |text: &String| choice::<pb::PassBasis>("scope.bases", text);
    let bases = bases.iter().map(basis).collect::<Result<_, _>>()?;
    let share = file.caps.award_share.as_ref().map(|share| ratio("caps.award_share", share)).transpose()?;
    let replaces = file
        .replaces
        .iter()
        .map(|text| versioned("replaces", text).map(|(code, version)| pb::AgreementName { code, version }));
    let replaces = replaces.collect::<Result<_, _>>()?;
    let (map, from, to, rows) =
        file.levels.map_or_else(Default::default, |part| (part.map, part.from, part.to, part.rows));
    let row = |row: LevelRow| pb::LevelMapRow { from: row.from, to: ordered(row.to) };
    let terms = pb::AgreementTerms {
        code: file.code,
        version: file.version,
        tier: choice::<pb::Tier>("tier", &file.tier)?,
        sender: file.sender,
        receiver: file.receiver,
        titles: texts(file.titles),
        legal_instrument: file.legal_instrument,
        source_unit,
        target_unit,
        ratio: Some(ratio("amount.ratio", &factor)?),
        step_e4,
        rounding: choice::<pb::Rounding>("amount.rounding", &rounding)?,
        apportionment: choice::<pb::Apportionment>("amount.apportionment", &apportionment)?,
        level_map: map,
        level_from_framework: from,
        level_to_framework: to,
        level_rows: rows.into_iter().map(row).collect(),
        grades: Some(file.grades.rule()?),
        levels: set(levels),
        fields: ordered(fields),
        modes: ordered(modes),
        learner_max_e4: decimal_or_0("caps.learner", file.caps.learner.as_ref())?,
        award_share_max: share,
        age_months_max: file.caps.age_months,
        exclusive: file.exclusive,
        from: Some(text_file::date("validity.from", &file.validity.from)?),
        until: maybe_date("validity.until", file.validity.until.as_ref())?,
        notice_days: file.validity.notice_days,
        replaces: set(replaces),
        bases: ordered(bases),
    };
    encode(&terms).map_err(|error| TextError::Record(error.to_string()))?;
    Ok(terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the template is an agreement, and every key that it explains away can be put in.
    #[test]
    fn the_template_is_an_agreement() {
        let terms = parse(TEMPLATE).expect("the template");
        assert_eq!(terms.ratio, Some(pb::Ratio { numerator: 1, denominator: 2 }));
        assert_eq!((terms.step_e4, terms.learner_max_e4, terms.exclusive), (5_000, 600_000, true));
        let words = in_words(&terms).join("\n");
        for part in ["CATS", "ECTS", "1/2", "half-even"] {
            assert!(words.contains(part), "{part}: {words}");
        }
        // What is commented out is right too: a line `# key = value` of each table.
        let is_key = |rest: &&str| rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
        let without = |line: &str| line.strip_prefix("# ").filter(is_key).map(str::to_owned);
        let all: Vec<String> = TEMPLATE.lines().map(|line| without(line).unwrap_or_else(|| line.to_owned())).collect();
        let terms = parse(&all.join("\n")).unwrap_or_else(|error| panic!("{error}\n{}", all.join("\n")));
        assert!(!terms.legal_instrument.is_empty() && !terms.replaces.is_empty() && terms.until.is_some());
    }

    /// Goal: an error names the key, what was expected, and what was found.
    #[test]
    fn errors_name_the_key() {
        for (from, to, parts) in [
            ("ratio = \"1/2\"", "ratio = \"0/0\"", ["amount.ratio", "0/0"]),
            ("ratio = \"1/2\"", "ratio = 0.5", ["fraction", "line"]),
            ("step = \"0.5\"", "step = \"0\"", ["amount.step", "above 0"]),
            ("step = \"0.5\"", "step = 0.5", ["string", "line"]),
            ("rounding = \"half-even\"", "rounding = \"up\"", ["amount.rounding", "half-up"]),
            ("tier = \"institution\"", "tier = \"city\"", ["tier", "country"]),
            ("method = \"table\"", "method = \"guess\"", ["grades.method", "ects"]),
            ("from = \"2026-09-01\"", "from = \"1.9.2026\"", ["validity.from", "2026-09-01"]),
            ("sender = 1", "sender = 1\nfoo = 2", ["foo", "unknown"]),
        ] {
            assert!(TEMPLATE.contains(from), "{from}");
            let error = parse(&TEMPLATE.replace(from, to)).expect_err(to).to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{to}: {error}");
        }
    }
}
