//! Qualification definitions as people write them: TOML to what an institution publishes, and what a registry says of it.
//!
//! A requirement stands in its parent: `[[requirement]]`, below it `[[requirement.requirement]]`, and so on. They are numbered
//! from the top down, each before its children; several at the top are the children of a root that asks for all of them.

mod names;
mod place;
mod requirement;
mod review;
mod which;

use std::collections::BTreeMap;

use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{self, QualificationDefinition};
use serde::Deserialize;
use toml::Spanned;

use crate::authoring::text_file::{self, TextError, choice, decimal, level, maybe_date, ordered, set, texts, wrong};

pub use review::{Review, registry_alone, review, review_alone};

/// A commented definition to start from.
pub const TEMPLATE: &str = include_str!("../../../qualifications/template.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    institution: Option<u64>,
    code: String,
    version: u32,
    titles: BTreeMap<String, String>,
    level: Option<String>,
    unit: String,
    retakes: Option<String>,
    #[serde(default)]
    average_scale: String,
    #[serde(default)]
    grade_points: Vec<Point>,
    #[serde(default)]
    no_points: Vec<String>,
    #[serde(default)]
    absorbs: Vec<String>,
    #[serde(default)]
    overlaps: Vec<Overlap>,
    #[serde(default)]
    official_length_months: u32,
    #[serde(default)]
    entry_requirements: BTreeMap<String, String>,
    #[serde(default)]
    access_rights: BTreeMap<String, String>,
    #[serde(default)]
    professional_status: BTreeMap<String, String>,
    #[serde(default)]
    programme_accreditation: String,
    #[serde(default)]
    awarding: Vec<u64>,
    #[serde(default)]
    repeatable: bool,
    source: String,
    #[serde(default)]
    validity: Validity,
    requirement: Vec<Spanned<requirement::Part>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    grade: String,
    number: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Overlap {
    with: String,
    max: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Validity {
    from: Option<String>,
    until: Option<String>,
}

/// Reads the definition of an institution, which publishes it; `None`: the one that the file names, or 1, to look at
/// it only. What it says is in canonical form; [`review()`] tells whether the ledger admits it.
pub fn parse(text: &str, institution: Option<u64>) -> Result<QualificationDefinition, TextError> {
    let text = text.trim_start_matches('\u{feff}');
    let file: File = text_file::read(text)?;
    let publisher = match (file.institution, institution) {
        (Some(found), Some(expected)) if found != expected => {
            let error = wrong("institution", format!("{expected}, whose key signs"), found.to_string());
            return Err(place::placed(text, 0, "", error));
        }
        (found, expected) => found.or(expected).unwrap_or(1),
    };
    let requirements = requirement::flat(text, file.requirement.as_slice(), publisher)?;
    let definition = top(file, publisher, requirements).map_err(|error| place::placed(text, 0, "", error))?;
    encode(&definition).map_err(|error| TextError::Record(error.to_string()))?;
    Ok(definition)
}

/// Everything but the requirements.
fn top(file: File, institution: u64, requirements: Vec<pb::Requirement>) -> Result<QualificationDefinition, TextError> {
    if file.titles.is_empty() {
        return Err(wrong("titles", "at least one title, as en = \"Bachelor of Science\"", "nothing"));
    }
    let name = |key: &'static str| move |text: &String| names::read(key, text, institution);
    let absorbs = file.absorbs.iter().map(name("absorbs")).collect::<Result<_, _>>()?;
    let overlap = |overlap: &Overlap| {
        Ok(pb::Overlap {
            other: Some(name("overlaps.with")(&overlap.with)?),
            max_e4: decimal("overlaps.max", &overlap.max)?,
        })
    };
    let overlaps = file.overlaps.iter().map(overlap).collect::<Result<_, _>>()?;
    let point =
        |point: Point| Ok(pb::GradePoint { e4: decimal("grade_points.number", &point.number)?, value: point.grade });
    let retakes = |text: &String| choice::<pb::RetakePolicy>("retakes", text);
    Ok(QualificationDefinition {
        institution,
        code: file.code,
        version: file.version,
        titles: texts(file.titles),
        level: file.level.as_ref().map(|text| level("level", text)).transpose()?,
        unit: file.unit,
        requirements,
        retakes: file.retakes.as_ref().map(retakes).transpose()?.unwrap_or(0),
        average_scale: file.average_scale,
        grade_points: file.grade_points.into_iter().map(point).collect::<Result<_, _>>()?,
        absorbs: set(absorbs),
        overlaps: set(overlaps),
        official_length_months: file.official_length_months,
        entry_requirements: texts(file.entry_requirements),
        access_rights: texts(file.access_rights),
        professional_status: texts(file.professional_status),
        programme_accreditation: file.programme_accreditation,
        awarding: ordered(file.awarding),
        from: maybe_date("validity.from", file.validity.from.as_ref())?,
        until: maybe_date("validity.until", file.validity.until.as_ref())?,
        source: file.source,
        no_points: ordered(file.no_points),
        repeatable: file.repeatable,
    })
}

#[cfg(test)]
mod tests {
    use pb::RequirementType as Type;

    use super::*;

    /// Goal: the template has every type of requirement but courses and an award, stands parents first, and is admitted.
    #[test]
    fn the_template_is_a_definition() {
        let read = parse(TEMPLATE, Some(2)).expect("the template");
        let kinds: Vec<Type> = read.requirements.iter().map(pb::Requirement::r#type).collect();
        let all = [Type::All, Type::Credits, Type::Among, Type::Any, Type::Among, Type::Outcome, Type::Attestation];
        assert_eq!(kinds[..7], all);
        let rest = [Type::AtLeast, Type::AtLeast, Type::AtMost, Type::Average, Type::Enrolment, Type::Age];
        assert_eq!(kinds[7..], rest);
        let parents: Vec<u32> = read.requirements.iter().map(|node| node.parent).collect();
        assert_eq!(parents, [0, 1, 1, 1, 4, 4, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(read.titles[1].language, "fr");
        assert!(review_alone(&read).expect("well-formed").is_good());
    }

    /// Goal: what is wrong is refused with its line and key, and with what may stand there.
    #[test]
    fn errors_name_the_line_and_the_key() {
        let line = |part: &str| {
            let at = TEMPLATE.lines().position(|line| line.contains(part)).expect(part);
            format!("line {}: ", at + 1)
        };
        for (from, to, at, parts) in [
            ("amount = \"300\"", "amount = \"lots\"", true, ["requirement 2: amount", "\"lots\""]),
            ("amount = \"20\"", "amount = 20", false, ["20", "expected a string"]),
            ("choose = 1", "chose = 1", false, ["unknown field `chose`", "choose"]),
            ("choose = 1", "# none", false, ["requirement 4: choose: expected how many", "nothing"]),
            ("share = \"1/3\"", "share = \"4/3\"", true, ["requirement 9: share", "at most 1"]),
            ("share = \"1/3\"", "months = 7", true, ["requirement 9: months", "amount, share, match"]),
            ("minimum = \"US-4:B\"", "minimum = \"B\"", true, ["requirement 6: minimum", "a scale"]),
            ("[\"online\"]", "[\"on line\"]", true, ["requirement 10: match.modes", "on-site, online"]),
            ("type = \"enrolment\"", "type = \"enrollment\"", true, ["requirement 12: type", "enrolment"]),
            ("level = \"FHEQ:6\" ", "level = \"6\" ", true, ["level: expected a framework", "\"6\""]),
            ("retakes = \"best\"", "retakes = \"none\"", true, ["retakes", "best, last, first, average"]),
            ("from = \"2026-09-01\"", "from = \"soon\"", true, ["validity.from", "2026-09-01"]),
            ("# absorbs = [\"CERT-INF\",", "absorbs = [\"x/Y\",", false, ["absorbs", "2/BSC-INF.1"]),
        ] {
            let changed = TEMPLATE.replacen(from, to, 1);
            let error = parse(&changed, Some(2)).expect_err(to).to_string();
            assert!(parts.iter().all(|part| error.contains(part)), "{to}: {error}");
            assert!(!at || error.contains(&line(from)), "{to}: {error}");
        }
        let other = format!("institution = 7\n{TEMPLATE}");
        let error = parse(&other, Some(2)).expect_err("another publisher").to_string();
        assert!(error.contains("line 1: institution: expected 2"), "{error}");
        assert_eq!(parse(&other, None).map(|read| read.institution), Ok(7));
    }

    /// Goal: what can never be met is found, and so is what the registry does not know, without a node.
    #[test]
    fn a_review_finds_what_can_never_be_met() {
        let review = |from: &str, to: &str| {
            let read = parse(&TEMPLATE.replacen(from, to, 1), Some(2)).expect(to);
            review_alone(&read).expect("well-formed")
        };
        let never = review("minimum = \"GB-100-UG:40\"", "minimum = \"GB-100-UG:100.1\"");
        assert!(!never.is_good(), "{never:?}");
        let unknown = review("level = \"FHEQ:6\" ", "level = \"FHEQ:9\" ");
        assert!(unknown.refused.is_some_and(|reason| reason.contains("FHEQ 9")));
        let named = review("# absorbs = [\"CERT-INF\", \"2/DIP-INF.1\"]", "absorbs = [\"CERT-INF\", \"7/DIP-INF.3\"]");
        assert!(named.is_good(), "{named:?}");
        let itself = review("# absorbs = [\"CERT-INF\", \"2/DIP-INF.1\"]", "absorbs = [\"BSC-INF\"]");
        assert!(itself.refused.is_some_and(|reason| reason.contains("another definition")));
    }
}
