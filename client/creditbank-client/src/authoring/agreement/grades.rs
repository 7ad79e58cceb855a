//! The grade rule of an agreement: none, a table, the ECTS grading table, or a formula.

use creditbank_protocol::names;
use creditbank_protocol::pb::{self, GradeMethod};
use serde::Deserialize;

use crate::authoring::text_file::{TextError, choice, decimal, decimal_or_0, wrong};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GradePart {
    method: String,
    #[serde(default)]
    source_scale: String,
    #[serde(default)]
    target_scale: String,
    #[serde(default)]
    rows: Vec<Row>,
    overlap: Option<String>,
    cycle: Option<String>,
    formula: Option<FormulaPart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default)]
    grade: String,
    min: Option<String>,
    max: Option<String>,
    target: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormulaPart {
    source_best: String,
    source_pass: String,
    target_best: String,
    target_pass: String,
    truncate_places: Option<u32>,
    #[serde(default)]
    steps: Vec<String>,
    choice: Option<String>,
    #[serde(default)]
    ordinals: Vec<Ordinal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ordinal {
    grade: String,
    number: String,
}

impl Row {
    fn row(self) -> Result<pb::GradeRow, TextError> {
        let ranged = self.min.is_some() || self.max.is_some();
        if ranged != self.grade.is_empty() {
            return Err(wrong("grades.rows", "either grade, or min and max", format!("the row for {}", self.target)));
        }
        Ok(pb::GradeRow {
            value: self.grade,
            min_e4: decimal_or_0("grades.rows.min", self.min.as_ref())?,
            max_e4: decimal_or_0("grades.rows.max", self.max.as_ref())?,
            target: self.target,
        })
    }
}

impl FormulaPart {
    fn formula(self) -> Result<pb::GradeFormula, TextError> {
        let of = |name: &str, text: &str| decimal(&format!("grades.formula.{name}"), text);
        let step = |text: &String| of("steps", text);
        let ordinal = |one: Ordinal| Ok(pb::GradeOrdinal { e4: of("ordinals.number", &one.number)?, value: one.grade });
        let places = self.truncate_places.map(|places| {
            let odd = || wrong("grades.formula.truncate_places", "0 to 4 decimal places", places.to_string());
            if places <= 4 { Ok(places + 1) } else { Err(odd()) }
        });
        let named = |text: &String| choice::<pb::StepChoice>("grades.formula.choice", text);
        Ok(pb::GradeFormula {
            source_best_e4: of("source_best", &self.source_best)?,
            source_pass_e4: of("source_pass", &self.source_pass)?,
            target_best_e4: of("target_best", &self.target_best)?,
            target_pass_e4: of("target_pass", &self.target_pass)?,
            truncate_places_plus_1: places.transpose()?.unwrap_or(0),
            steps_e4: self.steps.iter().map(step).collect::<Result<_, _>>()?,
            choice: self.choice.as_ref().map(named).transpose()?.unwrap_or(0),
            ordinals: self.ordinals.into_iter().map(ordinal).collect::<Result<_, _>>()?,
        })
    }
}

impl GradePart {
    /// The rule, with what its method needs and nothing else.
    pub(super) fn rule(self) -> Result<pb::GradeRule, TextError> {
        let number = choice::<GradeMethod>("grades.method", &self.method)?;
        let method = GradeMethod::try_from(number).unwrap_or_default();
        let missing = |key: &str, expected: &str| wrong(&format!("grades.{key}"), expected, "nothing");
        if method != GradeMethod::None && (self.source_scale.is_empty() || self.target_scale.is_empty()) {
            return Err(missing("source_scale", "source_scale and target_scale, codes of grade scales"));
        }
        match method {
            GradeMethod::Table if self.rows.is_empty() => return Err(missing("rows", "the rows of the table")),
            GradeMethod::Ects if self.overlap.is_none() => {
                return Err(missing("overlap", "minimum, average or maximum, decided in advance"));
            }
            GradeMethod::Ects if self.cycle.is_none() => {
                return Err(missing(
                    "cycle",
                    "the cycle whose distributions are compared: short, first, second or third",
                ));
            }
            GradeMethod::Formula if self.formula.is_none() => {
                return Err(missing("formula", "a table [grades.formula]"));
            }
            _ => {}
        }
        let overlap = |text: &String| choice::<pb::OverlapChoice>("grades.overlap", text);
        let cycle = |text: &String| choice::<pb::Cycle>("grades.cycle", text);
        let only = |wanted: GradeMethod, stands: bool, key: &str| {
            if stands && method != wanted {
                let name = names::of(wanted);
                return Err(wrong(
                    &format!("grades.{key}"),
                    format!("it with method = \"{name}\" only"),
                    &*self.method,
                ));
            }
            Ok(())
        };
        only(GradeMethod::Table, !self.rows.is_empty(), "rows")?;
        only(GradeMethod::Ects, self.overlap.is_some(), "overlap")?;
        only(GradeMethod::Ects, self.cycle.is_some(), "cycle")?;
        only(GradeMethod::Formula, self.formula.is_some(), "formula")?;
        Ok(pb::GradeRule {
            method: number,
            source_scale: self.source_scale,
            target_scale: self.target_scale,
            rows: self.rows.into_iter().map(Row::row).collect::<Result<_, _>>()?,
            overlap: self.overlap.as_ref().map(overlap).transpose()?.unwrap_or(0),
            cycle: self.cycle.as_ref().map(cycle).transpose()?.unwrap_or(0),
            formula: self.formula.map(FormulaPart::formula).transpose()?,
        })
    }
}
