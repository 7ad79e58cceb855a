//! What a line's grade is, and what it makes of the line.

use std::collections::BTreeMap;

use creditbank_protocol::pb::{self, PassBasis, ResultStatus};
use creditbank_rules::decimal::parse_e4;

use super::{Gathered, Line};
use crate::import::RefusedLine;
use crate::import::draft::Body;
use crate::import::mapping::{Constants, Mapping, Results, further_key};
use crate::import::values::cells;
use crate::import::values::numbers::Number;

impl<'a> Line<'a> {
    /// The grade as its scale spells it.
    pub(super) fn grade(&self, mapping: &Mapping, gathered: &mut Gathered<'a>) -> Result<(), RefusedLine> {
        let (scale, grade) = (gathered.text("scale"), gathered.text("grade"));
        if grade.is_empty() || gathered.grade_is_word {
            return Ok(());
        }
        let spelled = self.spelled(mapping, ("grade", gathered.grade_column), scale, grade, &gathered.grade_cell)?;
        gathered.texts.insert("grade", spelled);
        Ok(())
    }

    /// The same result in further scales. What the mapping takes for a word is no grade there either.
    pub(super) fn further(&self, mapping: &'a Mapping, gathered: &mut Gathered<'a>) -> Result<(), RefusedLine> {
        for field in &mapping.further {
            let key = further_key(field);
            let (text, read) = self.text(mapping, &key, field, gathered)?;
            let (Some(scale), false) = (read.scale, text.is_empty()) else { continue };
            if words_of(mapping).is_some_and(|words| word_of(words, &read.cell).is_some()) {
                continue;
            }
            let value = if read.is_word(&text) {
                text
            } else {
                self.spelled(mapping, (&key, read.column), scale, &text, &read.cell)?
            };
            gathered.further.push(pb::Grade { scale: scale.to_owned(), value });
        }
        Ok(())
    }

    /// A grade as the scale spells it: a number with a point, unless the scale itself has it as it stands.
    fn spelled(
        &self,
        mapping: &Mapping,
        (key, column): (&str, Option<&str>),
        scale: &str,
        grade: &str,
        cell: &str,
    ) -> Result<String, RefusedLine> {
        if mapping.passes(scale, grade).is_some() {
            return Ok(grade.to_owned());
        }
        match self.numbers(mapping, column).read(grade) {
            Number::Plain(number) if mapping.passes(scale, &number).is_some() => Ok(number),
            Number::Plain(number) => Ok(mapping.listed_as(scale, &number).map_or(number.clone(), str::to_owned)),
            Number::Odd(why)
                if mapping.knows_scale(scale)
                    && words_of(mapping).is_none_or(|words| word_of(words, cell).is_none()) =>
            {
                Err(self.refuse(key, why))
            }
            // What the scale does not have, and what words may mean.
            Number::Odd(_) | Number::Not => Ok(grade.to_owned()),
        }
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
        if let Some(word) = word_of(words, cell) {
            gathered.texts.insert("kind", "result".to_owned());
            gathered.texts.insert("grade", String::new());
            gathered.lacks_grade = false;
            gathered.set(word);
            return Ok(());
        }
        let (scale, grade) = (gathered.text("scale"), gathered.text("grade"));
        // A pass that does not stand on the grade: a board has let it count, or the learner was exempted.
        let basis = gathered.text("basis");
        let is_pass_anyway = match basis {
            "" | "earned" => false,
            "compensated" | "condoned" => true,
            _ => grade.is_empty(),
        };
        if is_pass_anyway {
            gathered.texts.insert("kind", "credit".to_owned());
            return Ok(());
        }
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

/// The words that are no grades, where the scale says what passes.
fn words_of(mapping: &Mapping) -> Option<&BTreeMap<String, Constants>> {
    match &mapping.results {
        Some(Results::Scale { words, .. }) => Some(words),
        _ => None,
    }
}

/// What a word means. One that is a number is meant however its zeros are written: 0 for 0.00.
fn word_of<'w>(words: &'w BTreeMap<String, Constants>, cell: &str) -> Option<&'w Constants> {
    words.get(cell).or_else(|| {
        let e4 = parse_e4(cell).ok()?;
        words.iter().find(|(word, _)| parse_e4(word).is_ok_and(|own| own == e4)).map(|(_, word)| word)
    })
}

/// Whether a blank grade leaves open what the record says. Who was absent or has withdrawn has none.
pub(super) fn wants_grade(body: &Body) -> bool {
    match body {
        // Who was exempted, or has learned it elsewhere, was not graded here.
        Body::Credit(credit) => !matches!(credit.basis(), PassBasis::Recognised | PassBasis::Exempted),
        Body::Outcome(_) => true,
        Body::Enrolment(_) | Body::Identity(_) => false,
        Body::Result(result) => matches!(result.status(), ResultStatus::Failed | ResultStatus::Provisional),
    }
}
