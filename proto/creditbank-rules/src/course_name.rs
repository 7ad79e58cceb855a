//! Which codes name one course: the only place where two codes are compared.

use std::collections::BTreeSet;

use creditbank_protocol::course_code::{exact, key, spelling};
use creditbank_protocol::{AccountId, InstitutionId};

use crate::{CourseKey, HeldRecord, View, ViewError};

/// A course of an institution, by one of its codes, with every other one that names it: codes that fold to the same key,
/// unless case matters there, and codes that the institution has published as aliases. Codes of two institutions are never
/// compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseName {
    institution: InstitutionId,
    code: String,
    case_matters: bool,
    /// What the codes of the course are compared by, ascending; at least one.
    names: Vec<String>,
}

/// What a code of an institution is compared by.
pub(crate) fn compared(code: &str, case_matters: bool) -> String {
    if case_matters { exact(code).into_owned() } else { key(code) }
}

impl CourseName {
    /// The course of a code that has no alias, where case does not matter. What is published is the registry's to say:
    /// [`crate::Registry::course`].
    pub fn alone(institution: InstitutionId, code: &str) -> Self {
        Self { institution, code: code.to_owned(), case_matters: false, names: vec![key(code)] }
    }

    /// `names`: what all its codes are compared by, that of `code` included, ascending.
    pub(crate) fn new(institution: InstitutionId, code: &str, case_matters: bool, names: Vec<String>) -> Self {
        Self { institution, code: code.to_owned(), case_matters, names }
    }

    /// Whose course it is.
    pub fn institution(&self) -> InstitutionId {
        self.institution
    }

    /// The code, as it was written.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What tells the courses of one institution apart: the same text for every code of a course.
    pub fn id(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Whether two codes, each of an institution, name one course.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.institution, self.id()) == (other.institution, other.id())
    }

    /// Whether `code`, as a code of the same institution, names this course.
    pub fn is(&self, code: &str) -> bool {
        self.names.binary_search(&compared(code, self.case_matters)).is_ok()
    }

    /// Whether one of its codes begins with `prefix`, compared as codes are.
    pub fn begins_with(&self, prefix: &str) -> bool {
        let prefix = compared(prefix, self.case_matters);
        self.names.iter().any(|name| name.starts_with(&prefix))
    }

    /// Under which key it is counted within a block.
    pub(crate) fn counted(&self) -> CourseKey {
        CourseKey::Course(self.id().to_owned())
    }

    /// A learner's records of this course at its institution, by place: under each key that one of its codes has.
    pub fn held(&self, view: &impl View, account: &AccountId) -> Result<Vec<HeldRecord>, ViewError> {
        let keys: BTreeSet<CourseKey> = self.names.iter().map(|name| CourseKey::course(name)).collect();
        let mut found = Vec::new();
        for key in keys {
            found.extend(view.held(account, self.institution, &key)?);
        }
        if self.case_matters {
            let spellings: BTreeSet<[u8; 8]> = self.names.iter().map(|name| spelling(name)).collect();
            found.retain(|one| spellings.contains(&one.spelling));
        }
        found.sort_unstable_by_key(|one| one.place);
        Ok(found)
    }
}
