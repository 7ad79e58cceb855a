//! `match`: which records count for a requirement.

use creditbank_protocol::pb::{self, Match};
use serde::Deserialize;

use crate::authoring::text_file::{TextError, choice, level, ordered, set};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Which {
    levels: Vec<String>,
    fields: Vec<String>,
    institutions: Vec<u64>,
    modes: Vec<String>,
    courses: Vec<String>,
    course_prefixes: Vec<String>,
    origins: Vec<String>,
    assessments: Vec<String>,
    esco: Vec<String>,
    bases: Vec<String>,
    after_enrolment: bool,
}

impl Which {
    /// As the schema has it; `None` where nothing is asked.
    pub(super) fn asked(&self) -> Result<Option<Match>, TextError> {
        let levels = self.levels.iter().map(|text| level("match.levels", text)).collect::<Result<_, _>>()?;
        let modes = each(&self.modes, |text| choice::<pb::Mode>("match.modes", text))?;
        let origins = each(&self.origins, |text| choice::<pb::Origin>("match.origins", text))?;
        let assessments = each(&self.assessments, |text| choice::<pb::AssessmentType>("match.assessments", text))?;
        let asked = Match {
            levels: set(levels),
            fields: ordered(self.fields.clone()),
            institutions: ordered(self.institutions.clone()),
            modes,
            courses: ordered(self.courses.clone()),
            course_prefixes: ordered(self.course_prefixes.clone()),
            origins,
            assessments,
            esco_uris: ordered(self.esco.clone()),
            bases: each(&self.bases, |text| choice::<pb::PassBasis>("match.bases", text))?,
            after_enrolment: self.after_enrolment,
        };
        Ok((asked != Match::default()).then_some(asked))
    }
}

fn each(texts: &[String], read: impl Fn(&String) -> Result<i32, TextError>) -> Result<Vec<i32>, TextError> {
    texts.iter().map(read).collect::<Result<_, _>>().map(ordered)
}
