//! Until when a record counts.

use crate::canonical::{CanonicalError, decode};
use crate::dates::{Day, last_day};
use crate::pb::{self, Date, Kind};

/// The last day or month on which a record with a canonical body of a kind counts, if it says so of itself as a whole. The
/// results of a conversion and the exemptions of a recognition have dates of their own.
pub fn expires_of(kind: Kind, body: &[u8]) -> Result<Option<Date>, CanonicalError> {
    match kind {
        Kind::Outcome => Ok(decode::<pb::Outcome>(body)?.expires),
        Kind::Credit => Ok(decode::<pb::Credit>(body)?.expires),
        Kind::QualificationRecognition => Ok(decode::<pb::QualificationRecognition>(body)?.expires),
        _ => Ok(None),
    }
}

/// The last day or month on which an exemption counts: its own or its recognition's, whichever is first.
pub fn exemption_expires(exemption: &pb::ConvertedCredit, recognition: &pb::QualificationRecognition) -> Option<Date> {
    [exemption.expires, recognition.expires].into_iter().flatten().min_by_key(last_day)
}

/// Whether a time that ends with `expires` is over on a day. The last day or month still counts.
pub fn has_expired(expires: Option<&Date>, day: Day) -> bool {
    expires.is_some_and(|expires| last_day(expires) < day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::encode;
    use crate::dates::first_day;

    /// Goal: an exemption ends with its recognition, or before it; without dates it does not end.
    #[test]
    fn an_exemption_ends_with_its_recognition() {
        let [may, june] = [5, 6].map(|month| Date { year: 2026, month, day: 0 });
        let ends = |own, whole| {
            let exemption = pb::ConvertedCredit { expires: own, ..Default::default() };
            exemption_expires(&exemption, &pb::QualificationRecognition { expires: whole, ..Default::default() })
        };
        assert_eq!([ends(Some(may), Some(june)), ends(Some(june), Some(may))], [Some(may); 2]);
        assert_eq!([ends(Some(june), None), ends(None, Some(june)), ends(None, None)], [Some(june), Some(june), None]);
    }

    /// Goal: the last day, or the whole last month, still counts.
    #[test]
    fn the_last_day_counts() {
        let (month, day) = (Date { year: 2026, month: 2, day: 0 }, Date { year: 2026, month: 2, day: 14 });
        let on = |day| first_day(&Date { year: 2026, month: 2, day });
        assert_eq!([on(14), on(15)].map(|now| has_expired(Some(&day), now)), [false, true]);
        assert_eq!([on(28), on(28) + 1].map(|now| has_expired(Some(&month), now)), [false, true]);
        assert!(!has_expired(None, Day::MAX));
    }

    /// Goal: the date is found in the kinds that have one.
    #[test]
    fn the_date_of_each_kind_is_found() {
        let expires = Some(Date { year: 2030, month: 1, day: 0 });
        let bodies = [
            (Kind::Outcome, encode(&pb::Outcome { expires, ..Default::default() })),
            (Kind::Credit, encode(&pb::Credit { expires, ..Default::default() })),
            (Kind::QualificationRecognition, encode(&pb::QualificationRecognition { expires, ..Default::default() })),
        ];
        for (kind, body) in bodies {
            assert_eq!(expires_of(kind, &body.expect("canonical")), Ok(expires), "{kind:?}");
        }
        assert_eq!(expires_of(Kind::Award, &[]), Ok(None));
    }
}
