//! From the text of a cell to a value, by what the mapping says of the file: numbers, days, blanks.

pub(super) mod calendar;
pub(super) mod cells;
pub(super) mod dates;
pub(super) mod mojibake;
pub(super) mod numbers;
pub(super) mod skip;
pub(super) mod wording;
