//! Which codes name one course, as the registry has it.

use creditbank_protocol::{InstitutionId, course_code};
use creditbank_rules::Registry;

use crate::{Client, ClientError};

/// The codes of one institution; by default those that differ only in case are one course.
#[derive(Default)]
pub(crate) struct Courses(Option<(Registry, InstitutionId)>);

impl Courses {
    /// What the registry says.
    pub(crate) async fn of(client: &Client, institution: InstitutionId) -> Result<Self, ClientError> {
        Ok(Self(Some((client.course_codes(Some(institution)).await?.registry, institution))))
    }

    /// What codes of one course have in common.
    pub(crate) fn id(&self, code: &str) -> Vec<u8> {
        match &self.0 {
            Some((registry, institution)) => registry.course(*institution, code).id().as_bytes().to_vec(),
            None => course_code::key(code).into_bytes(),
        }
    }
}
