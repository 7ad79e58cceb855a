//! What a line's grade is, and what it makes of the line.

use std::collections::BTreeMap;

use creditbank_protocol::pb::ResultStatus;

use super::{Gathered, Line};
use crate::import::RefusedLine;
use crate::import::draft::Body;
use crate::import::mapping::{Constants, Mapping, Results};
use crate::import::values::cells;
use crate::import::values::numbers::{Number, Numbers};

impl<'a> Line<'a> {
    /// The grade as the scale spells it: a number with a point, unless the scale itself has it as it stands.
    pub(super) fn grade(
        &self,
        mapping: &Mapping,
        numbers: Numbers,
        gathered: &mut Gathered<'a>,
    ) -> Result<(), RefusedLine> {
        let scale = gathered.texts.get("scale").cloned().unwrap_or_default();
        let Some(grade) = gathered.texts.get_mut("grade").filter(|grade| !grade.is_empty()) else { return Ok(()) };
        if gathered.grade_is_word || mapping.passes(&scale, grade).is_some() {
            return Ok(());
        }
        match numbers.read(grade) {
            Number::Plain(number) if mapping.passes(&scale, &number).is_some() => *grade = number,
            Number::Plain(number) => {
                *grade = mapping.listed_as(&scale, &number).map_or(number.clone(), str::to_owned);
            }
            // What the scale does not have, and what words may mean.
            Number::Not => {}
            Number::Odd(why) => {
                let is_word = matches!(&mapping.results, Some(Results::Scale { words, .. }) if words.contains_key(&gathered.grade_cell));
                if mapping.knows_scale(&scale) && !is_word {
                    return Err(self.refuse("grade", why));
                }
            }
        }
        Ok(())
    }

    /// What makes the line a Credit or a Result.
    pub(super) fn result(&self, mapping: &'a Mapping, gathered: &mut Gathered<'a>) -> Result<(), RefusedLine> {
        match &mapping.results {
            None => Ok(()),
            Some(Results::Values { column, values }) => {
                let value = cells::trimmed(cells::text(self.value(column)));
                let known = values.get(value);
                let reason = || format!("{value:?} is not among the mapping's results");
                gathered.set(known.ok_or_else(|| self.refuse(column, reason()))?);
                Ok(())
            }
            Some(Results::Scale { column, words }) => self.by_scale(mapping, column.as_deref(), words, gathered),
        }
    }

    fn by_scale(
        &self,
        mapping: &Mapping,
        column: Option<&str>,
        words: &'a BTreeMap<String, Constants>,
        gathered: &mut Gathered<'a>,
    ) -> Result<(), RefusedLine> {
        let cell =
            column.map_or(gathered.grade_cell.as_str(), |column| cells::trimmed(cells::text(self.value(column))));
        if let Some(word) = words.get(cell) {
            gathered.texts.insert("kind", "result".to_owned());
            gathered.texts.insert("grade", String::new());
            gathered.lacks_grade = false;
            gathered.set(word);
            return Ok(());
        }
        let (scale, grade) = (gathered.text("scale"), gathered.text("grade"));
        if grade.is_empty() {
            let what = "the grade is blank, so that nothing says whether the result passes: a line in [results.words] can, as \
                        \"\" = { status = \"absent\" }";
            return Err(self.refuse("grade", what));
        }
        let passes = mapping.passes(scale, grade).ok_or_else(|| {
            let what = if mapping.knows_scale(scale) {
                format!("{grade:?} is no grade of {scale}: a line in [results.words] can say what it means")
            } else {
                format!("the registry has no grade scale {scale:?}")
            };
            self.refuse("grade", what)
        })?;
        gathered.texts.insert("kind", if passes { "credit" } else { "result" }.to_owned());
        if !passes {
            gathered.texts.insert("status", "failed".to_owned());
        }
        Ok(())
    }
}

/// Whether a blank grade leaves open what the record says. Who was absent or has withdrawn has none.
pub(super) fn wants_grade(body: &Body) -> bool {
    match body {
        Body::Credit(_) | Body::Outcome(_) => true,
        Body::Result(result) => matches!(result.status(), ResultStatus::Failed | ResultStatus::Provisional),
    }
}
