//! The standing of a record: what may be said of it in one word (PROTOCOL.md, section 13, "Standing").
//!
//! Several things can hold of a record at the same time: it is redeemed and under review, say, and its issuer is not
//! trusted. Its standing is the first of them in [`Standing::ORDER`]. First comes what has ended the record, then what
//! speaks against relying on it, then what a reader should know of a record that is valid.

use crate::status::{Mark, Marks};

/// What may be said of a record. Ordered by precedence: the smaller one hides the larger one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Its issuer, its custodian or the operator took it back.
    Revoked,
    /// A newer record stands in its place.
    Superseded,
    /// A field without which it could mean something else is not shown.
    Incomplete,
    /// A key that was compromised by then sealed it or reinstated it, and no key above suspicion has confirmed it
    /// since; or such a key has superseded or revoked it.
    Contested,
    /// The learner contests it.
    Disputed,
    /// The day from which on it may be shown had not come on the day of which the answer speaks.
    NotVisible,
    /// Whoever asks does not trust the institution that signed it.
    IssuerNotTrusted,
    /// An award or a conversion has used it: it is valid, and spent.
    Redeemed,
    /// Something that it stands on has changed. It is valid until its issuer decides otherwise.
    UnderReview,
    /// Its time was over on the day of which the answer speaks.
    Expired,
    /// Nothing is known that speaks against it.
    Authentic,
}

impl Standing {
    /// Every standing, in order of precedence. The last one always holds.
    pub const ORDER: [Self; 11] = [
        Self::Revoked,
        Self::Superseded,
        Self::Incomplete,
        Self::Contested,
        Self::Disputed,
        Self::NotVisible,
        Self::IssuerNotTrusted,
        Self::Redeemed,
        Self::UnderReview,
        Self::Expired,
        Self::Authentic,
    ];

    /// The standing of a record: the first, in order of precedence, of which `holds` says that it holds. `holds` is
    /// asked for one after the other, and not for what comes after the answer; what it says of [`Standing::Authentic`]
    /// does not matter. It says "no" to what the caller cannot know.
    pub fn first<E>(mut holds: impl FnMut(Self) -> Result<bool, E>) -> Result<Self, E> {
        for standing in Self::ORDER {
            if holds(standing)? {
                return Ok(standing);
            }
        }
        Ok(Self::Authentic)
    }

    /// The standing of a record in the ledger, which has it whole and has admitted its issuer. `holds` is asked as by
    /// [`Self::first`], and says `None` where the marks are to say it. What a contested effect has ended is contested,
    /// so of such a record `holds` is asked for that first.
    pub fn in_ledger<E>(marks: &Marks, mut holds: impl FnMut(Self) -> Result<Option<bool>, E>) -> Result<Self, E> {
        if let Some((mark, _)) = marks.ended() {
            let ended = if mark == Mark::Revoked { Self::Revoked } else { Self::Superseded };
            return Ok(if holds(Self::Contested)? == Some(true) { Self::Contested } else { ended });
        }
        Self::first(|standing| match standing {
            Self::Incomplete | Self::IssuerNotTrusted => Ok(false),
            other => {
                let marked = || other.mark().is_some_and(|mark| marks.get(mark).is_some());
                Ok(holds(other)?.unwrap_or_else(marked))
            }
        })
    }

    /// The mark in the status tree that says so; `None` where no mark does.
    pub fn mark(self) -> Option<Mark> {
        match self {
            Self::Revoked => Some(Mark::Revoked),
            Self::Superseded => Some(Mark::Superseded),
            Self::Disputed => Some(Mark::Disputed),
            Self::Redeemed => Some(Mark::Redeemed),
            Self::UnderReview => Some(Mark::UnderReview),
            Self::Incomplete
            | Self::Contested
            | Self::NotVisible
            | Self::IssuerNotTrusted
            | Self::Expired
            | Self::Authentic => None,
        }
    }

    /// Its name, for people and programs alike.
    pub fn name(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
            Self::Incomplete => "incomplete",
            Self::Contested => "contested",
            Self::Disputed => "disputed",
            Self::NotVisible => "not visible yet",
            Self::IssuerNotTrusted => "issuer not trusted",
            Self::Redeemed => "redeemed",
            Self::UnderReview => "under review",
            Self::Expired => "expired",
            Self::Authentic => "authentic",
        }
    }

    /// Whether a verifier may call the record valid: it says what its issuer says, and the issuer still says so.
    pub fn is_valid(self) -> bool {
        match self {
            Self::Revoked
            | Self::Superseded
            | Self::Incomplete
            | Self::Contested
            | Self::Disputed
            | Self::NotVisible
            | Self::IssuerNotTrusted => false,
            Self::Redeemed | Self::UnderReview | Self::Expired | Self::Authentic => true,
        }
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn of(facts: &[Standing]) -> Standing {
        let found: Result<_, Infallible> = Standing::first(|one| Ok(facts.contains(&one)));
        found.unwrap_or_else(|never| match never {})
    }

    /// Goal: of any two that hold, the one that comes first in the order is said; of none, that it is authentic.
    #[test]
    fn the_first_that_holds_is_said() {
        assert_eq!(of(&[]), Standing::Authentic);
        for (at, first) in Standing::ORDER.into_iter().enumerate() {
            for other in &Standing::ORDER[at..] {
                assert_eq!(of(&[*other, first]), first, "{} and {}", first.name(), other.name());
            }
        }
    }

    /// Goal: the order is that of the enum, has every standing once, and what is valid comes after all that is not.
    #[test]
    fn the_order_is_whole() {
        assert!(Standing::ORDER.is_sorted_by(|one, other| one < other));
        let valid = Standing::ORDER.map(Standing::is_valid);
        assert!(valid.is_sorted(), "{valid:?}");
        assert_eq!(Standing::ORDER.last(), Some(&Standing::Authentic));
    }

    /// Goal: a standing that a mark makes has the mark's name.
    #[test]
    fn marks_and_standings_have_the_same_names() {
        let marks = Standing::ORDER.into_iter().filter_map(|one| one.mark().map(|mark| (one, mark)));
        assert_eq!(marks.map(|(one, mark)| assert_eq!(one.name(), mark.name())).count(), 5);
    }

    /// Goal: nothing is asked for that the answer does not need.
    #[test]
    fn what_comes_after_is_not_asked() {
        let mut asked = Vec::new();
        let found = Standing::first(|one| {
            asked.push(one);
            if one == Standing::Contested { Err("unreadable") } else { Ok(false) }
        });
        assert_eq!(found, Err("unreadable"));
        assert_eq!(asked, Standing::ORDER[..4]);
    }
}
