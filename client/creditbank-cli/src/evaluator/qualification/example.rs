//! A record of an example, in words.

use creditbank_allocation::Piece;
use creditbank_protocol::names;
use creditbank_rules::decimal::show_e4;
use serde_json::{Value, json};

use crate::show;

/// What it is, as `60 CATS, level FHEQ 6, course INF-101`.
fn words(piece: &Piece) -> String {
    let found = &piece.candidate;
    let mut parts = vec![match &found.amount {
        Some(amount) => format!("{} {}", show_e4(amount.e4), amount.unit),
        None => names::of(found.outcome),
    }];
    parts.extend(found.score.as_ref().map(|score| format!("{} in {}", score.value, score.scale)));
    parts.extend(found.level.as_ref().map(|level| format!("level {} {}", level.framework, level.level)));
    parts.extend(found.field.as_ref().map(|field| format!("field {field}")));
    parts.extend(found.course.as_ref().map(|course| format!("course {}", course.code())));
    parts.push(format!("of institution {}, origin {}", found.institution, names::of(found.origin)));
    parts.join(", ")
}

/// As people read it.
pub(super) fn line(piece: &Piece) -> String {
    format!("{:>3}  {}\n", piece.requirement, show::safe(&words(piece)))
}

/// As programs get it.
pub(super) fn value(piece: &Piece) -> Value {
    json!({ "requirement": piece.requirement, "record": words(piece) })
}
