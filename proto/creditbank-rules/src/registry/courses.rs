//! What institutions publish about the codes of their courses: which of them name one course, and whether case matters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{CourseAlias, CourseCodes};

use super::Map;
use super::admit::{Checked, present, require};
use crate::course_name::{CourseName, compared};
use crate::{Rejection, Rule};

/// Most codes of one course, counted by what they are compared by.
pub(crate) const NAMES_MAX: usize = 64;

/// The codes of all institutions, as far as anything is published about them.
#[derive(Debug, Clone)]
pub(super) struct Courses {
    /// By the alias, as it was written; withdrawn ones too.
    aliases: Map<(InstitutionId, String), CourseAlias>,
    codes: Map<InstitutionId, CourseCodes>,
    /// Of what is compared: everything that names the same course, ascending. Only courses of two names or more.
    groups: Map<(InstitutionId, String), Vec<String>>,
}

impl Courses {
    pub(super) fn new() -> Self {
        Self { aliases: Map::new_sync(), codes: Map::new_sync(), groups: Map::new_sync() }
    }

    pub(super) fn case_matters(&self, institution: InstitutionId) -> bool {
        self.codes.get(&institution).is_some_and(|said| said.case_matters)
    }

    pub(super) fn course(&self, institution: InstitutionId, code: &str) -> CourseName {
        let case_matters = self.case_matters(institution);
        let own = compared(code, case_matters);
        let group = self.groups.get(&(institution, own.clone()));
        let names = group.map_or_else(|| vec![own], |names| names.as_ref().clone());
        CourseName::new(institution, code, case_matters, names)
    }

    /// The aliases of an institution that are not withdrawn, by code.
    pub(super) fn aliases(&self, institution: InstitutionId) -> impl Iterator<Item = &CourseAlias> {
        let of = move |entry: &&Arc<CourseAlias>| InstitutionId(entry.institution) == institution;
        let all = self.aliases.range((institution, String::new())..).map(|(_, entry)| entry).take_while(of);
        all.map(AsRef::as_ref).filter(|entry| !entry.withdrawn)
    }

    /// With a new alias, or without a withdrawn one.
    pub(super) fn with_alias(&self, entry: CourseAlias) -> Result<Self, Rejection> {
        let institution = InstitutionId(entry.institution);
        present(!entry.code.is_empty(), "code", "the code that is an alias")?;
        present(!entry.same_as.is_empty(), "same_as", "the code of the course that it names")?;
        let of = (institution, entry.code.clone());
        let before = self.aliases.get(&of).filter(|before| !before.withdrawn);
        if entry.withdrawn {
            let known = before.is_some_and(|before| before.same_as == entry.same_as);
            let expected = "an alias that is published, with the same two codes";
            require(known, Rule::UnknownReference, "withdrawn", expected, &entry.code)?;
        } else {
            let case_matters = self.case_matters(institution);
            let differ = compared(&entry.code, case_matters) != compared(&entry.same_as, case_matters);
            let expected = "another code: these two name one course without an alias";
            require(differ, Rule::Contradiction, "same_as", expected, &entry.same_as)?;
        }
        let mut with = self.clone();
        let replaces = before.is_some();
        with.aliases.insert_mut(of, Arc::new(entry.clone()));
        if replaces {
            with.regroup(institution)?;
        } else {
            with.join(&entry)?;
        }
        Ok(with)
    }

    /// With what an institution says of case.
    pub(super) fn with_codes(&self, entry: CourseCodes) -> Result<Self, Rejection> {
        let institution = InstitutionId(entry.institution);
        let mut with = self.clone();
        with.codes.insert_mut(institution, Arc::new(entry));
        with.regroup(institution)?;
        Ok(with)
    }

    /// Puts together what two codes name.
    fn join(&mut self, alias: &CourseAlias) -> Checked {
        let institution = InstitutionId(alias.institution);
        let case_matters = self.case_matters(institution);
        let names = [&alias.code, &alias.same_as].map(|code| compared(code, case_matters));
        let known = |name: &String| self.groups.get(&(institution, name.clone())).map(|group| group.as_ref().clone());
        let joined: BTreeSet<String> =
            names.into_iter().flat_map(|name| known(&name).unwrap_or_else(|| vec![name])).collect();
        self.set(institution, joined.into_iter().collect())
    }

    fn set(&mut self, institution: InstitutionId, names: Vec<String>) -> Checked {
        let expected = format!("at most {NAMES_MAX} codes of one course");
        require(names.len() <= NAMES_MAX, Rule::Contradiction, "same_as", &expected, names.len())?;
        let group = Arc::new(names);
        for name in group.iter() {
            self.groups.insert_mut((institution, name.clone()), group.clone());
        }
        Ok(())
    }

    /// Finds the groups of an institution anew from its aliases.
    fn regroup(&mut self, institution: InstitutionId) -> Checked {
        let of = |(key, _): &(&(InstitutionId, String), _)| key.0 == institution;
        let former = self.groups.range((institution, String::new())..).take_while(of).map(|(key, _)| key.clone());
        for key in former.collect::<Vec<_>>() {
            self.groups.remove_mut(&key);
        }
        let case_matters = self.case_matters(institution);
        // Each name points at another one of its course, the first of all at itself.
        let mut leads: BTreeMap<String, String> = BTreeMap::new();
        let edges = self.aliases(institution);
        for [one, other] in edges.map(|alias| [&alias.code, &alias.same_as].map(|code| compared(code, case_matters))) {
            let (one, other) = (first(&mut leads, &one), first(&mut leads, &other));
            leads.insert(one, other);
        }
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in leads.keys().cloned().collect::<Vec<_>>() {
            groups.entry(first(&mut leads, &name)).or_default().push(name);
        }
        groups.into_values().filter(|names| names.len() > 1).try_for_each(|names| self.set(institution, names))
    }
}

/// The name that all names of a course lead to.
fn first(leads: &mut BTreeMap<String, String>, name: &str) -> String {
    let mut way = Vec::new();
    let mut at = name.to_owned();
    loop {
        let next = leads.entry(at.clone()).or_insert_with(|| at.clone()).clone();
        if next == at {
            break;
        }
        way.push(std::mem::replace(&mut at, next));
    }
    for passed in way {
        leads.insert(passed, at.clone());
    }
    at
}
