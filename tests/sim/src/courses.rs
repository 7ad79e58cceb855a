//! Course codes as registrars spell them, and which of them name one course: known by how the code was made, without a
//! table of Unicode and without a rule of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;

use crate::chance::Chance;
use crate::truth::{Broken, broken};

/// The letters of a code, which are the same ones but for case and for how the dots are put on the U.
const LETTERS: [&str; 7] =
    ["\u{dc}SS", "\u{fc}ss", "\u{dc}ss", "U\u{308}SS", "u\u{308}ss", "\u{fc}\u{df}", "U\u{308}\u{1e9e}"];

/// Between the letters and the number of a course; what is between them makes another code.
const BETWEEN: [char; 2] = ['-', ' '];

/// Some spelling of a course: with a hyphen, or by the code that may be its alias.
pub(crate) fn spelled(number: u64, is_other: bool, chance: &mut Chance) -> String {
    let letters = chance.pick(&LETTERS).copied().unwrap_or_default();
    format!("{letters}{}{number}", BETWEEN[usize::from(is_other)])
}

/// Another spelling of the same code.
pub(crate) fn respelled(code: &str, chance: &mut Chance) -> String {
    match read(code) {
        Some((number, is_other)) => spelled(number, is_other, chance),
        None => code.to_owned(),
    }
}

/// The alias of a course: the code with a space is the one with a hyphen.
pub(crate) fn alias(institution: u64, number: u64, withdrawn: bool) -> pb::CourseAlias {
    let [same_as, code] = BETWEEN.map(|between| format!("{}{between}{number}", LETTERS[0]));
    pb::CourseAlias { institution, code, same_as, withdrawn }
}

/// Number and form of a code that was made here.
fn read(code: &str) -> Option<(u64, bool)> {
    let at = code.find(BETWEEN)?;
    let (between, number) = code.get(at..)?.split_at(1);
    Some((number.parse().ok()?, between == " "))
}

/// A course of an institution: the code where it was not made here; the number; whether it is in the other form and that is a
/// course of its own.
type Course = (String, u64, bool);

/// What is published and what stands, as a log is read from front to back.
#[derive(Default)]
pub(crate) struct Courses {
    /// Numbers whose forms are one course: as of the last seal, and after it.
    in_force: BTreeSet<(u64, u64)>,
    published: BTreeSet<(u64, u64)>,
    /// Credits that stand, by place: institution, citizen, code.
    stand: BTreeMap<creditbank_protocol::Place, (u64, u64, String)>,
}

impl Courses {
    pub(crate) fn seal(&mut self) {
        self.in_force.clone_from(&self.published);
    }

    /// What was ended.
    pub(crate) fn gone(&mut self, place: &creditbank_protocol::Place) {
        self.stand.remove(place);
    }

    /// A record of an institution and, where it has one, of a citizen, at its place.
    pub(crate) fn record(
        &mut self,
        place: creditbank_protocol::Place,
        institution: u64,
        citizen: Option<u64>,
        record: &Record,
    ) -> Result<(), Broken> {
        match (record.kind(), citizen) {
            (Kind::CourseAlias, _) => {
                let Ok(entry) = decode::<pb::CourseAlias>(record.body()) else { broken!("{place} holds no alias") };
                let Some((number, _)) = read(&entry.code) else { broken!("{place}: an alias of nobody") };
                if entry.withdrawn {
                    self.published.remove(&(institution, number));
                } else {
                    self.published.insert((institution, number));
                }
            }
            (Kind::Credit, Some(citizen)) => {
                let Some(code) = code_of(record) else { broken!("{place} holds no credit") };
                let course = course(institution, &code, &self.in_force);
                let same = self.stand.iter().find(|(_, (other, person, standing))| {
                    (*other, *person) == (institution, citizen)
                        && self::course(institution, standing, &self.in_force) == course
                });
                if let Some((first, (_, _, standing))) = same {
                    broken!(
                        "{citizen} has a credit for {standing:?} at {first}, and another one for {code:?} at {place}"
                    );
                }
                self.stand.insert(place, (institution, citizen, code));
            }
            _ => {}
        }
        Ok(())
    }
}

fn course(institution: u64, code: &str, aliases: &BTreeSet<(u64, u64)>) -> Course {
    match read(code) {
        Some((number, is_other)) => (String::new(), number, is_other && !aliases.contains(&(institution, number))),
        None => (code.to_owned(), 0, false),
    }
}

/// The code of a Credit.
pub(crate) fn code_of(record: &Record) -> Option<String> {
    let credit: pb::Credit = decode(record.body()).ok().filter(|_| record.kind() == Kind::Credit)?;
    credit.course.map(|course| course.code)
}

/// Whether two codes may ever name one course.
pub(crate) fn may_be_same(one: &str, other: &str) -> bool {
    match (read(one), read(other)) {
        (Some((number, _)), Some((other, _))) => number == other,
        (None, None) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use creditbank_protocol::canonical::encode;

    /// Goal: the judge finds a second credit for a course under each spelling and alias, and takes none for one that is not.
    #[test]
    fn a_second_credit_is_found() {
        let mut chance = Chance::new(2, 1);
        let seal = |kind, body: Vec<u8>| Record::of(kind, &[7; 32], body).expect("a record");
        let credit = |code: String| {
            let course = Some(pb::Course { code, titles: Vec::new() });
            seal(Kind::Credit, encode(&pb::Credit { course, ..Default::default() }).expect("canonical"))
        };
        let said = |withdrawn| seal(Kind::CourseAlias, encode(&alias(1, 7, withdrawn)).expect("canonical"));
        let at = |entry| creditbank_protocol::Place::new(entry, 0);
        let [first, other] = [false, true].map(|is_other| credit(spelled(7, is_other, &mut chance)));
        let mut courses = Courses::default();
        let put = |courses: &mut Courses, entry, record: &Record| courses.record(at(entry), 1, Some(3), record);
        assert_eq!(put(&mut courses, 1, &first), Ok(()));
        assert!(put(&mut courses, 2, &credit(spelled(7, false, &mut chance))).is_err(), "in another spelling");
        assert_eq!(put(&mut courses, 3, &other), Ok(()), "another course so far");
        courses.gone(&at(3));
        assert_eq!(put(&mut courses, 4, &said(false)), Ok(()));
        assert_eq!(put(&mut courses, 5, &other), Ok(()), "in the round of the alias");
        courses.gone(&at(5));
        courses.seal();
        assert!(put(&mut courses, 6, &other).is_err(), "under the alias");
        assert_eq!(courses.record(at(6), 2, Some(3), &other), Ok(()), "of another institution");
        assert_eq!(courses.record(at(7), 1, Some(4), &other), Ok(()), "of another person");
        assert_eq!(put(&mut courses, 8, &said(true)), Ok(()));
        courses.seal();
        assert_eq!(put(&mut courses, 9, &other), Ok(()), "withdrawn");
    }

    /// Goal: spellings of one course are read as one course, and no two courses as one.
    #[test]
    fn spellings_are_read_back() {
        let mut chance = Chance::new(1, 1);
        let aliases = BTreeSet::from([(1, 7)]);
        let of = |code: &str| course(1, code, &aliases);
        for _ in 0..100 {
            assert_eq!(of(&spelled(7, true, &mut chance)), of(&spelled(7, false, &mut chance)));
            assert_ne!(of(&spelled(8, true, &mut chance)), of(&spelled(8, false, &mut chance)));
            assert_ne!(of(&spelled(7, false, &mut chance)), of(&spelled(77, false, &mut chance)));
            let code = spelled(9, true, &mut chance);
            assert_eq!(of(&code), of(&respelled(&code, &mut chance)));
        }
        assert_ne!(of("L7"), of("L8"));
        assert!(may_be_same("L7", "L7") && !may_be_same("L7", "\u{dc}SS-7"));
    }
}
