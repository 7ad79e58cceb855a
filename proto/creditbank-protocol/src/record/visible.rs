//! From when on a record may be shown.

use crate::canonical::{CanonicalError, decode};
use crate::dates::{Day, first_day};
use crate::pb::{self, Date, Kind};

/// The day or month from which on a record with a canonical body of a kind may be shown to others than its issuer and
/// the operator, if it says one.
pub fn visible_from_of(kind: Kind, body: &[u8]) -> Result<Option<Date>, CanonicalError> {
    match kind {
        Kind::Outcome => Ok(decode::<pb::Outcome>(body)?.visible_from),
        Kind::Credit => Ok(decode::<pb::Credit>(body)?.visible_from),
        Kind::Result => Ok(decode::<pb::Result>(body)?.visible_from),
        _ => Ok(None),
    }
}

/// Whether what is visible from `visible_from` on may not be shown yet on a day.
pub fn is_embargoed(visible_from: Option<&Date>, day: Day) -> bool {
    visible_from.is_some_and(|from| day < first_day(from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::encode;

    /// Goal: from the first day on, or from the first day of the month on, a record may be shown.
    #[test]
    fn the_first_day_is_visible() {
        let (day, month) = (Date { year: 2027, month: 2, day: 15 }, Date { year: 2027, month: 2, day: 0 });
        let of = |date: &Date, shift: Day| is_embargoed(Some(date), first_day(date) + shift);
        for date in [day, month] {
            assert_eq!([of(&date, -1), of(&date, 0), of(&date, 1)], [true, false, false]);
        }
        assert!(!is_embargoed(None, Day::MIN));
    }

    /// Goal: the date is found in each kind that has one.
    #[test]
    fn the_date_of_each_kind_is_found() {
        let visible_from = Some(Date { year: 2027, month: 2, day: 15 });
        let bodies = [
            (Kind::Outcome, encode(&pb::Outcome { visible_from, ..Default::default() })),
            (Kind::Credit, encode(&pb::Credit { visible_from, ..Default::default() })),
            (Kind::Result, encode(&pb::Result { visible_from, ..Default::default() })),
        ];
        for (kind, body) in bodies {
            assert_eq!(visible_from_of(kind, &body.expect("canonical")), Ok(visible_from), "{kind:?}");
        }
        assert_eq!(visible_from_of(Kind::Award, &[]), Ok(None));
    }
}
