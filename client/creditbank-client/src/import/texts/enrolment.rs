//! An Enrolment: what a line says of a learner and a programme.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{self, EnrolmentState, QualificationName};

use super::Texts;
use crate::import::RefusedLine;

/// The fields of an Enrolment, and those that say how others are written.
const FIELDS: [&str; 10] = [
    "definition",
    "kind",
    "load",
    "mode",
    "period_from",
    "period_until",
    "programme",
    "state",
    "title",
    "title_language",
];

impl Texts<'_> {
    pub(super) fn enrolment(&self) -> Result<pb::Enrolment, RefusedLine> {
        if let Some((other, _)) = self.texts.iter().find(|(name, text)| !FIELDS.contains(name) && !text.is_empty()) {
            let known = FIELDS.join(", ");
            return Err(self.refuse(other, format!("an Enrolment has no such field; its fields are {known}")));
        }
        let state = self.code::<EnrolmentState>("state")?;
        let state = state.ok_or_else(|| self.refuse("state", "an Enrolment needs a state, as registered"))?;
        Ok(pb::Enrolment {
            programme: self.course_of("programme"),
            definition: self.definition()?,
            from: self.date("period_from")?,
            until: self.date("period_until")?,
            state: state.into(),
            mode: self.code::<pb::Mode>("mode")?.map_or(0, i32::from),
            load: self.code::<pb::StudyLoad>("load")?.map_or(0, i32::from),
            ..Default::default()
        })
    }

    /// `2/BSC-INF.1`: institution, code and version.
    fn definition(&self) -> Result<Option<QualificationName>, RefusedLine> {
        let text = self.get("definition");
        if text.is_empty() {
            return Ok(None);
        }
        let read = || {
            let (institution, name) = text.split_once('/')?;
            let (code, version) = name.rsplit_once('.')?;
            let digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
            let version = version.parse::<u16>().ok().filter(|version| digits && *version > 0)?;
            let institution = institution.parse::<InstitutionId>().ok()?;
            (!code.is_empty()).then(|| QualificationName {
                institution: institution.0,
                code: code.to_owned(),
                version: version.into(),
            })
        };
        let expected = || format!("expected institution, code and version, as 2/BSC-INF.1, found {text:?}");
        read().map(Some).ok_or_else(|| self.refuse("definition", expected()))
    }
}
