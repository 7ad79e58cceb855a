//! What institutions publish about the codes of their courses: which of them name one course, and whether case matters.

use std::collections::BTreeSet;
use std::sync::Arc;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{CourseAlias, CourseCodes};

use super::Map;
use super::admit::{Checked, present, require};
use crate::course_name::{CourseName, compared};
use crate::{Rejection, Rule};

/// Most codes of one course, counted by what they are compared by.
pub(crate) const NAMES_MAX: usize = 64;

/// Most aliases of an institution, with those that it has withdrawn: what is said of case asks for all of them at once.
pub(crate) const ALIASES_MAX: usize = 10_000;

/// The codes of all institutions, as far as anything is published about them.
#[derive(Debug, Clone)]
pub(super) struct Courses {
    /// By the alias, as it was written; withdrawn ones too.
    aliases: Map<(InstitutionId, String), CourseAlias>,
    codes: Map<InstitutionId, CourseCodes>,
    /// How many aliases an institution has, with those that it has withdrawn.
    counts: Map<InstitutionId, usize>,
    /// By what each of its codes is compared by: the codes of the aliases in which a name stands, which are not withdrawn.
    named_in: Map<(InstitutionId, String), BTreeSet<String>>,
    /// Of what is compared: everything that names the same course, ascending. Only courses of two names or more.
    groups: Map<(InstitutionId, String), Vec<String>>,
}

impl Courses {
    pub(super) fn new() -> Self {
        let (aliases, codes, counts) = (Map::new_sync(), Map::new_sync(), Map::new_sync());
        Self { aliases, codes, counts, named_in: Map::new_sync(), groups: Map::new_sync() }
    }

    pub(super) fn case_matters(&self, institution: InstitutionId) -> bool {
        self.codes.get(&institution).is_some_and(|said| said.case_matters)
    }

    /// Whether any institution has an alias that is not withdrawn.
    pub(super) fn has_aliases(&self) -> bool {
        !self.named_in.is_empty()
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
        if !with.aliases.contains_key(&of) {
            let count = self.counts.get(&institution).map_or(1, |count| **count + 1);
            let expected =
                format_args!("at most {ALIASES_MAX} aliases of an institution, with those that are withdrawn");
            require(count <= ALIASES_MAX, Rule::Contradiction, "code", expected, count)?;
            with.counts.insert_mut(institution, Arc::new(count));
        }
        let before = before.cloned();
        with.aliases.insert_mut(of, Arc::new(entry.clone()));
        if let Some(before) = before {
            with.part(&before)?;
        }
        if !entry.withdrawn {
            with.enter(&entry);
            with.join(&entry)?;
        }
        Ok(with)
    }

    /// With what an institution says of case.
    pub(super) fn with_codes(&self, entry: CourseCodes) -> Result<Self, Rejection> {
        let institution = InstitutionId(entry.institution);
        let mut with = self.clone();
        let changes = self.case_matters(institution) != entry.case_matters;
        with.codes.insert_mut(institution, Arc::new(entry));
        if changes {
            with.regroup(institution)?;
        }
        Ok(with)
    }

    /// What the two codes of an alias are compared by.
    fn names(&self, alias: &CourseAlias) -> [String; 2] {
        let case_matters = self.case_matters(InstitutionId(alias.institution));
        [&alias.code, &alias.same_as].map(|code| compared(code, case_matters))
    }

    fn enter(&mut self, alias: &CourseAlias) {
        self.change(alias, |codes| {
            codes.insert(alias.code.clone());
        });
    }

    /// Changes in which aliases the two names of an alias stand.
    fn change(&mut self, alias: &CourseAlias, change: impl Fn(&mut BTreeSet<String>)) {
        for name in self.names(alias) {
            let of = (InstitutionId(alias.institution), name);
            let mut codes = self.named_in.get(&of).map_or_else(BTreeSet::new, |codes| codes.as_ref().clone());
            change(&mut codes);
            if codes.is_empty() {
                self.named_in.remove_mut(&of);
            } else {
                self.named_in.insert_mut(of, Arc::new(codes));
            }
        }
    }

    /// Takes an alias out of its course, and puts together anew what the other aliases of the course name.
    fn part(&mut self, alias: &CourseAlias) -> Checked {
        let institution = InstitutionId(alias.institution);
        let [name, _] = self.names(alias);
        let course = self.groups.get(&(institution, name)).map_or_else(Vec::new, |names| names.as_ref().clone());
        self.change(alias, |codes| {
            codes.remove(&alias.code);
        });
        let mut others = BTreeSet::new();
        for name in course {
            let of = (institution, name);
            self.groups.remove_mut(&of);
            others.extend(self.named_in.get(&of).into_iter().flat_map(|codes| codes.iter().cloned()));
        }
        others.into_iter().try_for_each(|code| {
            let other = self.aliases.get(&(institution, code)).map(|other| other.as_ref().clone());
            other.map_or(Ok(()), |other| self.join(&other))
        })
    }

    /// Puts together what two codes name.
    fn join(&mut self, alias: &CourseAlias) -> Checked {
        let institution = InstitutionId(alias.institution);
        let names = self.names(alias);
        let known = |name: &String| self.groups.get(&(institution, name.clone())).map(|group| group.as_ref().clone());
        let joined: BTreeSet<String> =
            names.into_iter().flat_map(|name| known(&name).unwrap_or_else(|| vec![name])).collect();
        self.set(institution, joined.into_iter().collect())
    }

    fn set(&mut self, institution: InstitutionId, names: Vec<String>) -> Checked {
        let expected = format!("at most {NAMES_MAX} codes of one course");
        require(names.len() <= NAMES_MAX, Rule::Contradiction, "same_as", &expected, names.len())?;
        if names.len() < 2 {
            return Ok(());
        }
        let group = Arc::new(names);
        for name in group.iter() {
            self.groups.insert_mut((institution, name.clone()), group.clone());
        }
        Ok(())
    }

    /// Finds the groups of an institution anew from its aliases, as their codes are compared in another way.
    fn regroup(&mut self, institution: InstitutionId) -> Checked {
        forget(&mut self.groups, institution);
        forget(&mut self.named_in, institution);
        let all: Vec<CourseAlias> = self.aliases(institution).cloned().collect();
        all.iter().try_for_each(|alias| {
            self.enter(alias);
            self.join(alias)
        })
    }
}

/// Removes all that a map has of an institution.
fn forget<T>(map: &mut Map<(InstitutionId, String), T>, institution: InstitutionId) {
    let of = |(key, _): &(&(InstitutionId, String), _)| key.0 == institution;
    let keys: Vec<_> = map.range((institution, String::new())..).take_while(of).map(|(key, _)| key.clone()).collect();
    for key in keys {
        map.remove_mut(&key);
    }
}
