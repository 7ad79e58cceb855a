//! Matches as sets of records: which is part of which, which have nothing in common. Each answer is on the safe side:
//! `false` where it is not certain.
//!
//! Each list is sorted and stripped once, so that two of them are compared in one walk along both: what a definition
//! costs is counted in elements that are walked along (`registry/definition/size.rs`).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use creditbank_protocol::pb::{Level, Match, Mode, Origin, QualificationDefinition, RequirementType};

use creditbank_protocol::course_code::{exact, key};

use super::super::measure::{among_needed, asked};
use super::super::tree::Tree;

/// Texts in order, and of those that begin with another one of them only the shorter: whatever begins with one of them
/// begins with just one of the short ones.
#[derive(Debug, Default)]
struct Prefixes {
    short: Vec<String>,
}

impl Prefixes {
    fn of(mut texts: Vec<String>) -> Self {
        texts.sort_unstable();
        // What begins with a text follows it in order.
        texts.dedup_by(|next, before| next.starts_with(before.as_str()));
        Self { short: texts }
    }

    fn is_empty(&self) -> bool {
        self.short.is_empty()
    }

    /// For each of some texts in order whether it begins with one of these.
    fn begin<'a>(&'a self, texts: &'a [String]) -> impl Iterator<Item = bool> + 'a {
        let mut at = 0;
        texts.iter().map(move |text| {
            // Of texts none of which begins with another, the last one that is not behind is the only candidate.
            while self.short.get(at + 1).is_some_and(|next| next <= text) {
                at += 1;
            }
            self.short.get(at).is_some_and(|prefix| text.starts_with(prefix.as_str()))
        })
    }
}

/// Course codes and their prefixes, in a spelling by which they are compared.
#[derive(Debug, Default)]
struct Codes {
    courses: Vec<String>,
    prefixes: Vec<String>,
    begun: Prefixes,
}

impl Codes {
    fn of(asked: &Match, spelling: fn(&str) -> String) -> Self {
        let all = |codes: &[String]| sorted(codes.iter().map(|code| spelling(code)));
        let prefixes = all(&asked.course_prefixes);
        Self { courses: all(&asked.courses), begun: Prefixes::of(prefixes.clone()), prefixes }
    }

    fn within(&self, other: &Self) -> bool {
        let begin = |texts: &[String]| !texts.is_empty() && other.begun.begin(texts).all(|begins| begins);
        part(&self.courses, &other.courses)
            && (other.prefixes.is_empty() || begin(&self.courses) || begin(&self.prefixes))
    }

    fn is_apart(&self, other: &Self) -> bool {
        disjoint(&self.courses, &other.courses)
            || unlike((&self.prefixes, &self.begun), (&other.prefixes, &other.begun))
            || outside(&self.courses, &other.begun)
            || outside(&other.courses, &self.begun)
    }
}

/// What a requirement asks, ready to be compared.
#[derive(Debug, Default)]
pub(super) struct Asked {
    levels: Vec<u32>,
    fields: Vec<String>,
    begun: Prefixes,
    institutions: Vec<u64>,
    modes: Vec<i32>,
    /// As the match has them.
    pub(super) origins: Vec<i32>,
    assessments: Vec<i32>,
    esco_uris: Vec<u32>,
    bases: Vec<i32>,
    by_key: Codes,
    by_text: Codes,
    after_enrolment: bool,
    /// The keys of the courses in order, with their positions in the match.
    keys: Vec<(String, usize)>,
}

/// Short names of long values: the same for equal ones.
#[derive(Default)]
struct Names<'a> {
    levels: BTreeMap<(&'a str, &'a str), u32>,
    uris: BTreeMap<&'a str, u32>,
}

fn name<K: Ord>(names: &mut BTreeMap<K, u32>, value: K) -> u32 {
    let next = u32::try_from(names.len()).unwrap_or(u32::MAX);
    *names.entry(value).or_insert(next)
}

/// What each requirement of a tree asks, by position.
pub(super) fn all_asked(tree: &Tree<'_>) -> Vec<Asked> {
    let mut names = Names::default();
    (0..tree.size()).map(|position| Asked::of(asked(tree.node(position)), &mut names)).collect()
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = values.collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl Asked {
    fn of<'a>(asked: &'a Match, names: &mut Names<'a>) -> Self {
        let Match {
            levels,
            fields,
            institutions,
            modes,
            courses,
            course_prefixes: _,
            origins,
            assessments,
            esco_uris,
            bases,
            after_enrolment,
        } = asked;
        let numbers = |list: &[i32]| sorted(list.iter().copied());
        let fields = sorted(fields.iter().cloned());
        Self {
            levels: sorted(levels.iter().map(|Level { framework, level }| name(&mut names.levels, (framework, level)))),
            begun: Prefixes::of(fields.clone()),
            fields,
            institutions: sorted(institutions.iter().copied()),
            modes: numbers(modes),
            origins: numbers(origins),
            assessments: numbers(assessments),
            esco_uris: sorted(esco_uris.iter().map(|uri| name(&mut names.uris, uri.as_str()))),
            bases: numbers(bases),
            by_key: Codes::of(asked, key),
            // Where case matters. Whose courses a definition meets nobody knows: what is certain holds in both ways.
            by_text: Codes::of(asked, |code| exact(code).into_owned()),
            after_enrolment: *after_enrolment,
            keys: keys(courses),
        }
    }
}

/// Whether nothing is asked by the second, or all of the first is asked by it; both in order.
fn part<T: Ord>(a: &[T], b: &[T]) -> bool {
    let mut rest = b.iter();
    b.is_empty() || !a.is_empty() && a.iter().all(|one| rest.by_ref().find(|other| *other >= one) == Some(one))
}

/// Whether both say something and nothing in common; both in order.
fn disjoint<T: Ord>(a: &[T], b: &[T]) -> bool {
    let (mut i, mut j) = (0, 0);
    while let (Some(one), Some(other)) = (a.get(i), b.get(j)) {
        match one.cmp(other) {
            Ordering::Less => i += 1,
            Ordering::Greater => j += 1,
            Ordering::Equal => return false,
        }
    }
    !a.is_empty() && !b.is_empty()
}

/// Whether both say something, and nothing of one begins with something of the other.
fn unlike((a, a_begun): (&[String], &Prefixes), (b, b_begun): (&[String], &Prefixes)) -> bool {
    !a.is_empty() && !b.is_empty() && outside(a, b_begun) && outside(b, a_begun)
}

/// Whether both say something, and no text begins with a prefix.
fn outside(texts: &[String], prefixes: &Prefixes) -> bool {
    !texts.is_empty() && !prefixes.is_empty() && !prefixes.begin(texts).any(|begins| begins)
}

/// Whether every record that matches `a` matches `b`.
pub(super) fn within(a: &Asked, b: &Asked) -> bool {
    let fields = b.fields.is_empty() || !a.fields.is_empty() && b.begun.begin(&a.fields).all(|begins| begins);
    part(&a.levels, &b.levels)
        && fields
        && part(&a.institutions, &b.institutions)
        && part(&a.modes, &b.modes)
        && a.by_key.within(&b.by_key)
        && a.by_text.within(&b.by_text)
        && part(&a.origins, &b.origins)
        && part(&a.assessments, &b.assessments)
        && part(&a.esco_uris, &b.esco_uris)
        && part(&a.bases, &b.bases)
        && (a.after_enrolment || !b.after_enrolment)
}

/// Whether no record matches both. With `aliases` in the registry codes set nothing apart: a course may have one of the
/// names that are asked for here, and one of those that are asked for there.
pub(super) fn apart(a: &Asked, b: &Asked, aliases: bool) -> bool {
    disjoint(&a.levels, &b.levels)
        || unlike((&a.fields, &a.begun), (&b.fields, &b.begun))
        || disjoint(&a.institutions, &b.institutions)
        || disjoint(&a.modes, &b.modes)
        || !aliases && a.by_key.is_apart(&b.by_key)
        || disjoint(&a.origins, &b.origins)
        || disjoint(&a.assessments, &b.assessments)
        || disjoint(&a.bases, &b.bases)
}

/// Keys of codes in order, each with its position among them.
fn keys(courses: &[String]) -> Vec<(String, usize)> {
    let mut keys: Vec<(String, usize)> = courses.iter().map(|code| key(code)).zip(0..).collect();
    keys.sort_unstable();
    keys
}

/// Marks the courses of an AMONG, by their positions, that a record may have which a requirement takes: those that the
/// requirement names, if it names any, and that begin with one of its prefixes and of the AMONG's own, if there are such.
pub(super) fn admits(taker: &Asked, among: &Asked, admitted: &mut [bool]) {
    let (texts, positions): (Vec<String>, Vec<usize>) = among.keys.iter().cloned().unzip();
    let begin = |prefixes: &Prefixes| -> Vec<bool> {
        if prefixes.is_empty() { vec![true; texts.len()] } else { prefixes.begin(&texts).collect() }
    };
    let (theirs, own) = (begin(&taker.by_key.begun), begin(&among.by_key.begun));
    let named = &taker.by_key.courses;
    let mut rest = named.iter().peekable();
    for (at, text) in texts.iter().enumerate() {
        while rest.next_if(|name| *name < text).is_some() {}
        let is_named = named.is_empty() || rest.peek() == Some(&text);
        admitted[positions[at]] |= theirs[at] && own[at] && is_named;
    }
}

/// Why nothing can match what a requirement asks.
pub(super) fn against_itself(
    definition: &QualificationDefinition,
    tree: &Tree<'_>,
    position: usize,
    aliases: bool,
) -> Vec<String> {
    let asked = asked(tree.node(position));
    let mut reasons = Vec::new();
    let prefixed = aliases || asked.course_prefixes.is_empty() || asked.courses.is_empty();
    // How many of its courses have to be there.
    let least = match tree.kind(position) {
        RequirementType::Courses => asked.courses.len(),
        RequirementType::Among if tree.node(position).amount_e4 == 0 => among_needed(tree.node(position)),
        _ => 1,
    };
    let begin = if prefixed { Vec::new() } else { begin_asked(asked) };
    let odd = asked.courses.iter().zip(&begin).find(|(_, begins)| !**begins).map(|(code, _)| code);
    if !prefixed && begin.iter().filter(|begins| **begins).count() < least {
        let code = odd.map_or("", String::as_str);
        reasons.push(format!("course {code} begins with none of the prefixes that are asked for"));
    }
    // An AMONG may look for Outcomes too.
    if !matches!(tree.kind(position), RequirementType::Outcome | RequirementType::Among) {
        reasons.extend(odd_origin(definition, asked));
    }
    reasons
}

/// For each course that is asked for whether it begins with one of the prefixes, by keys.
fn begin_asked(asked: &Match) -> Vec<bool> {
    let prefixes = Prefixes::of(asked.course_prefixes.iter().map(|code| key(code)).collect());
    let (keys, positions): (Vec<String>, Vec<usize>) = keys(&asked.courses).into_iter().unzip();
    let mut begin = vec![false; positions.len()];
    for (position, begins) in positions.into_iter().zip(prefixes.begin(&keys)) {
        begin[position] = begins;
    }
    begin
}

/// Own credit is of an awarding institution; prior learning by its mode is prior learning by its origin.
fn odd_origin(definition: &QualificationDefinition, asked: &Match) -> Option<String> {
    let only = |origins: &[Origin]| {
        let listed = |number: &i32| origins.iter().any(|origin| i32::from(*origin) == *number);
        !asked.origins.is_empty() && asked.origins.iter().all(listed)
    };
    let awarding = |number: &u64| *number == definition.institution || definition.awarding.contains(number);
    if only(&[Origin::Own]) && !asked.institutions.is_empty() && !asked.institutions.iter().any(awarding) {
        return Some("own credit of institutions that do not award".to_owned());
    }
    let prior = !asked.modes.is_empty() && asked.modes.iter().all(|mode| *mode == i32::from(Mode::Rpl));
    if prior && only(&[Origin::Own, Origin::Transfer, Origin::NonFormal]) {
        return Some("prior learning by its mode, and by its origin something else".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lists as short as they can be told apart, of texts that begin with one another in every way.
    fn texts() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("[aAb]{1,3}", 0..4)
    }

    prop_compose! {
        fn some_match()(
            fields in prop::collection::vec("[01]{2,3}", 0..3),
            institutions in prop::collection::vec(1..4u64, 0..3),
            origins in prop::collection::vec(1..4i32, 0..3),
            courses in texts(),
            course_prefixes in texts(),
            esco_uris in texts(),
            after_enrolment in any::<bool>(),
        ) -> Match {
            Match { fields, institutions, origins, courses, course_prefixes, esco_uris, after_enrolment, ..Match::default() }
        }
    }

    type Spelling = fn(&str) -> String;

    fn spelt(codes: &[String], spelling: Spelling) -> Vec<String> {
        codes.iter().map(|code| spelling(code)).collect()
    }

    fn begins(text: &str, prefixes: &[String]) -> bool {
        prefixes.iter().any(|prefix| text.starts_with(prefix.as_str()))
    }

    /// RULES.md, section 18, word by word.
    fn within_by_text(a: &Match, b: &Match) -> bool {
        fn elements<T: PartialEq>(a: &[T], b: &[T]) -> bool {
            b.is_empty() || !a.is_empty() && a.iter().all(|one| b.contains(one))
        }
        let all =
            |codes: &[String], asked: &[String]| !codes.is_empty() && codes.iter().all(|code| begins(code, asked));
        let by = |spelling: Spelling| {
            let [a_courses, b_courses] = [a, b].map(|one| spelt(&one.courses, spelling));
            let [a_prefixes, b_prefixes] = [a, b].map(|one| spelt(&one.course_prefixes, spelling));
            elements(&a_courses, &b_courses)
                && (b_prefixes.is_empty() || all(&a_courses, &b_prefixes) || all(&a_prefixes, &b_prefixes))
        };
        (a.after_enrolment || !b.after_enrolment)
            && (b.fields.is_empty() || all(&a.fields, &b.fields))
            && elements(&a.institutions, &b.institutions)
            && elements(&a.origins, &b.origins)
            && elements(&a.esco_uris, &b.esco_uris)
            && by(key)
            && by(|code| exact(code).into_owned())
    }

    fn apart_by_text(a: &Match, b: &Match, aliases: bool) -> bool {
        fn common<T: PartialEq>(a: &[T], b: &[T]) -> bool {
            a.is_empty() || b.is_empty() || a.iter().any(|one| b.contains(one))
        }
        let begin = |a: &[String], b: &[String]| a.iter().any(|one| begins(one, b));
        let meet = |a: &[String], b: &[String]| a.is_empty() || b.is_empty() || begin(a, b) || begin(b, a);
        let within = |a: &[String], b: &[String]| a.is_empty() || b.is_empty() || begin(a, b);
        let [a_courses, b_courses] = [a, b].map(|one| spelt(&one.courses, key));
        let [a_prefixes, b_prefixes] = [a, b].map(|one| spelt(&one.course_prefixes, key));
        let codes = common(&a_courses, &b_courses)
            && meet(&a_prefixes, &b_prefixes)
            && within(&a_courses, &b_prefixes)
            && within(&b_courses, &a_prefixes);
        !(meet(&a.fields, &b.fields)
            && common(&a.institutions, &b.institutions)
            && common(&a.origins, &b.origins)
            && (aliases || codes))
    }

    proptest! {
        /// Goal: walks along sorted lists find what comparing all with all finds.
        #[test]
        fn sets_are_compared_as_the_rules_say(a in some_match(), b in some_match(), aliases in any::<bool>()) {
            let mut names = Names::default();
            let (one, other) = (Asked::of(&a, &mut names), Asked::of(&b, &mut names));
            prop_assert_eq!(within(&one, &other), within_by_text(&a, &b));
            prop_assert_eq!(apart(&one, &other, aliases), apart_by_text(&a, &b, aliases));
        }
    }
}
