//! By what a diploma of elsewhere is known: whether two records are about the same one, or about two that are alike.

use std::collections::BTreeSet;

use creditbank_protocol::course_code::near;
use creditbank_protocol::dates::{first_day, last_day};
use creditbank_protocol::pb::{Date, ForeignAward};

/// What a diploma is known by, as it is compared: case, width, spaces and dashes make no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiplomaKey {
    country: String,
    institution: String,
    number: String,
    titles: BTreeSet<String>,
    conferred: Option<Date>,
}

impl DiplomaKey {
    /// Of a record.
    pub fn of(diploma: &ForeignAward) -> Self {
        Self {
            country: diploma.country.clone(),
            institution: near(&diploma.institution),
            number: near(&diploma.number),
            titles: diploma.titles.iter().map(|title| near(&title.value)).collect(),
            conferred: diploma.conferred,
        }
    }

    /// Whether two records of one learner are about the same diploma: of one country and institution, with one number or, where
    /// neither has a number, with a title in common and one day.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.country, &self.institution, &self.number) == (&other.country, &other.institution, &other.number)
            && (!self.number.is_empty() || self.conferred == other.conferred && self.has_title_of(other))
    }

    /// Whether two records of one learner may well be about the same diploma, so that a person has to say that they are not:
    /// with the same number; with a common day, where institution or title are alike; or where the institution is alike and a
    /// title the same.
    pub fn is_close(&self, other: &Self) -> bool {
        if !self.number.is_empty() && self.number == other.number {
            return true;
        }
        let institution = || are_alike(&self.institution, &other.institution);
        let title = || self.titles.iter().any(|title| other.titles.iter().any(|other| are_alike(title, other)));
        let day = common_day(self.conferred.as_ref(), other.conferred.as_ref());
        day && (institution() || title()) || self.has_title_of(other) && institution()
    }

    fn has_title_of(&self, other: &Self) -> bool {
        !self.titles.is_disjoint(&other.titles)
    }
}

/// A date without a day is its whole month.
fn common_day(one: Option<&Date>, other: Option<&Date>) -> bool {
    let days = one.zip(other);
    days.is_some_and(|(one, other)| first_day(one) <= last_day(other) && first_day(other) <= last_day(one))
}

/// Whether two keys are equal, or at least half of their pairs of neighbouring code points are the same: 4 times as many pairs
/// in common as both have together. Works in every script, also where words are not separated.
fn are_alike(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let (mine, theirs) = (pairs(one), pairs(other));
    let (mut common, mut at) = (0usize, 0);
    for pair in &mine {
        while theirs.get(at).is_some_and(|other| other < pair) {
            at += 1;
        }
        if theirs.get(at) == Some(pair) {
            (common, at) = (common + 1, at + 1);
        }
    }
    common > 0 && 4 * common >= mine.len() + theirs.len()
}

fn pairs(text: &str) -> Vec<(char, char)> {
    let mut pairs: Vec<(char, char)> = text.chars().zip(text.chars().skip(1)).collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use creditbank_protocol::pb::Text;

    use super::*;

    fn is_same(one: &ForeignAward, other: &ForeignAward) -> bool {
        DiplomaKey::of(one).is_same(&DiplomaKey::of(other))
    }

    fn is_close(one: &ForeignAward, other: &ForeignAward) -> bool {
        DiplomaKey::of(one).is_close(&DiplomaKey::of(other))
    }

    fn diploma(institution: &str, title: &str, number: &str, day: u32) -> ForeignAward {
        ForeignAward {
            institution: institution.to_owned(),
            country: "FR".to_owned(),
            titles: vec![Text { language: "fr".to_owned(), value: title.to_owned() }],
            number: number.to_owned(),
            conferred: Some(Date { year: 2020, month: 7, day }),
            ..Default::default()
        }
    }

    /// Goal: spelling makes no second diploma, another number does; without numbers title and day tell.
    #[test]
    fn one_diploma_is_known_again() {
        let one = diploma("Université de Lyon", "Licence", "2020/17", 3);
        assert!(is_same(&one, &diploma("UNIVERSITÉ  DE LYON", "Licence en droit", "2020/17", 4)));
        assert!(!is_same(&one, &diploma("Université de Lyon", "Licence", "2020/18", 3)));
        let bare = diploma("Université de Lyon", "Licence", "", 3);
        assert!(is_same(&bare, &diploma("université de lyon", "LICENCE", "", 3)));
        assert!(!is_same(&bare, &one) && is_close(&bare, &one));
        assert!(!is_same(&bare, &diploma("Université de Lyon", "Licence", "", 4)));
    }

    /// Goal: whoever changes one thing of a diploma meets a close match; two degrees of one university are two.
    #[test]
    fn what_is_alike_stops_for_a_person() {
        let one = diploma("Université de Lyon", "Licence", "2020/17", 3);
        for changed in [
            diploma("University of Lyon", "Licence", "", 3),
            diploma("Elsewhere", "Otherwise", "2020/17", 9),
            diploma("Université de Lyon", "Diplôme", "2020/18", 3),
            diploma("Université de Lyon", "Licence", "", 20),
            diploma("Université de Lyon", "Licence", "", 0),
        ] {
            assert!(is_close(&one, &changed) && is_close(&changed, &one), "{changed:?}");
        }
        let abroad = ForeignAward { country: "BE".to_owned(), ..one.clone() };
        assert!(is_close(&one, &abroad) && !is_same(&one, &abroad));
        assert!(!is_close(&one, &diploma("Université de Lyon", "Master", "2022/3", 9)));
        assert!(!is_close(&one, &diploma("ETH Zürich", "MSc ETH", "", 3)));
        assert!(is_close(&diploma("東京大学", "学士", "", 3), &diploma("国立東京大学", "修士", "", 3)));
    }
}
