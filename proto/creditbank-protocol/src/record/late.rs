//! That a record comes long after its day, which a reader must always see.

use crate::canonical::{CanonicalError, decode};
use crate::pb::{self, Date, Kind, Late};

/// The day of a decision, a conversion, a recognition or an award, and what it says of being late.
#[derive(Debug, Clone, PartialEq)]
pub struct Dated {
    /// When it was decided or conferred; of an appeal, received.
    pub day: Option<Date>,
    /// That it is late, and why.
    pub late: Option<Late>,
}

/// The day of a record with a canonical body of a kind; `None` of a kind that names none.
pub fn dated_of(kind: Kind, body: &[u8]) -> Result<Option<Dated>, CanonicalError> {
    let (day, late) = match kind {
        Kind::Conversion => decode(body).map(|read: pb::Conversion| (read.decided, read.late))?,
        Kind::Decision => decode(body).map(|read: pb::Decision| (read.decided, read.late))?,
        Kind::Appeal => decode(body).map(|read: pb::Appeal| (read.received, read.late))?,
        Kind::QualificationRecognition => {
            decode(body).map(|read: pb::QualificationRecognition| (read.decided, read.late))?
        }
        Kind::Award => decode(body).map(|read: pb::Award| (read.conferred, read.late))?,
        _ => return Ok(None),
    };
    Ok(Some(Dated { day, late }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::encode;

    /// Goal: each kind that can be late says so by its own day.
    #[test]
    fn each_kind_has_its_day() {
        let day = Some(Date { year: 2026, month: 9, day: 1 });
        let late = Some(Late { reason: "Found later".to_owned(), ..Late::default() });
        let bodies = [
            (Kind::Conversion, encode(&pb::Conversion { decided: day, late: late.clone(), ..Default::default() })),
            (Kind::Decision, encode(&pb::Decision { decided: day, late: late.clone(), ..Default::default() })),
            (Kind::Appeal, encode(&pb::Appeal { received: day, late: late.clone(), ..Default::default() })),
            (
                Kind::QualificationRecognition,
                encode(&pb::QualificationRecognition { decided: day, late: late.clone(), ..Default::default() }),
            ),
            (Kind::Award, encode(&pb::Award { conferred: day, late: late.clone(), ..Default::default() })),
        ];
        for (kind, body) in bodies {
            let found = dated_of(kind, &body.expect("canonical")).expect("canonical");
            assert_eq!(found, Some(Dated { day, late: late.clone() }), "{kind:?}");
        }
        assert_eq!(dated_of(Kind::Credit, &[]), Ok(None));
    }
}
