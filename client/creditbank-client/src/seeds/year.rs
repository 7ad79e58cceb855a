//! Of which year a record is: by its own day, so that a repeat in another year is the same record.

use creditbank_protocol::canonical::{Canonical, decode};
use creditbank_protocol::pb::{self, Date, Kind, Period};

/// The year by this side's clock.
pub(crate) fn this_year() -> u32 {
    crate::today().year
}

/// The year of a period: of its last day, or else of its first.
pub(crate) fn of_period(period: Option<&Period>) -> Option<u32> {
    let period = period?;
    of_day(period.until.as_ref()).or_else(|| of_day(period.from.as_ref()))
}

/// The year of a day.
pub(crate) fn of_day(day: Option<&Date>) -> Option<u32> {
    day.map(|day| day.year).filter(|year| *year != 0)
}

/// The year of a record: of the last day of its period, or of the day on which it was received, decided or conferred.
/// What states no day is of this year.
pub(crate) fn year_of(kind: Kind, body: &[u8]) -> u32 {
    fn of<M: Canonical>(body: &[u8], year: impl Fn(&M) -> Option<u32>) -> Option<u32> {
        decode::<M>(body).ok().as_ref().and_then(year)
    }
    let stated = match kind {
        Kind::Outcome => of(body, |one: &pb::Outcome| of_period(one.period.as_ref())),
        Kind::Credit => of(body, |one: &pb::Credit| of_period(one.period.as_ref())),
        Kind::Result => of(body, |one: &pb::Result| of_period(one.period.as_ref())),
        Kind::Application => of(body, |one: &pb::Application| of_day(one.received.as_ref())),
        Kind::Appeal => of(body, |one: &pb::Appeal| of_day(one.received.as_ref())),
        Kind::Decision => of(body, |one: &pb::Decision| of_day(one.decided.as_ref())),
        Kind::Conversion => of(body, |one: &pb::Conversion| of_day(one.decided.as_ref())),
        Kind::Award => of(body, |one: &pb::Award| of_day(one.conferred.as_ref())),
        Kind::QualificationRecognition => of(body, |one: &pb::QualificationRecognition| of_day(one.decided.as_ref())),
        Kind::ForeignAward => of(body, |one: &pb::ForeignAward| of_day(one.conferred.as_ref())),
        Kind::Enrolment => of(body, |one: &pb::Enrolment| of_day(one.from.as_ref())),
        _ => None,
    };
    stated.unwrap_or_else(this_year)
}

#[cfg(test)]
mod tests {
    use creditbank_protocol::canonical::encode;

    use super::*;

    /// Goal: a record is of the year of its own day, whenever it is issued.
    #[test]
    fn a_record_is_of_the_year_of_its_day() {
        let day = |year| Some(Date { year, month: 2, day: 1 });
        let period = |from, until| Some(Period { from, until });
        let credit = |period| encode(&pb::Credit { period, ..Default::default() }).expect("canonical");
        assert_eq!(year_of(Kind::Credit, &credit(period(day(2018), day(2019)))), 2019);
        assert_eq!(year_of(Kind::Credit, &credit(period(day(2018), None))), 2018);
        let award = encode(&pb::Award { conferred: day(2021), ..Default::default() }).expect("canonical");
        assert_eq!(year_of(Kind::Award, &award), 2021);
        for undated in [credit(None), Vec::new()] {
            assert_eq!(year_of(Kind::Credit, &undated), this_year());
        }
    }
}
