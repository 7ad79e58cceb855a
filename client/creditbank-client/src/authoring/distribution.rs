//! Grade distributions from a CSV of grades and counts, best first, failing grades too.

use std::io::Read;

use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb;

use crate::authoring::text_file::{TextError, wrong};

/// Most rows: as many as a distribution may have.
const ROWS_MAX: usize = 1_024;

/// Reads the rows of a CSV with the columns `grade` and `count` into a distribution that has everything else.
pub fn parse(input: impl Read, about: pb::GradeDistribution) -> Result<pb::GradeDistribution, TextError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let unread = |error: csv::Error| TextError::Toml(error.to_string());
    let header = reader.headers().map_err(unread)?.clone();
    let column = |name: &str| {
        let found = header.iter().position(|head| head.trim_start_matches('\u{feff}') == name);
        found.ok_or_else(|| wrong(name, "the columns grade and count", header.iter().collect::<Vec<_>>().join(", ")))
    };
    let (grade, count) = (column("grade")?, column("count")?);
    let mut counts: Vec<pb::GradeCount> = Vec::new();
    for (row, record) in (2u64..).zip(reader.records()) {
        let record = record.map_err(unread)?;
        let at = |name: &str| format!("line {row}: {name}");
        let text = |column: usize| record.get(column).unwrap_or_default();
        let written = text(count);
        let digits = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
        let number = written.parse().ok().filter(|_| digits);
        let value = text(grade).to_owned();
        if value.is_empty() {
            return Err(wrong(&at("grade"), "a grade of the scale", "nothing"));
        }
        if counts.iter().any(|known| known.value == value) {
            return Err(wrong(&at("grade"), "each grade once", value));
        }
        let count = number.ok_or_else(|| wrong(&at("count"), "a whole number of results", written))?;
        counts.push(pb::GradeCount { value, count });
        if counts.len() > ROWS_MAX {
            return Err(wrong(&at("grade"), format!("at most {ROWS_MAX} grades"), "more"));
        }
    }
    if counts.is_empty() {
        return Err(wrong("count", "a line for each grade, best first", "none"));
    }
    let distribution = pb::GradeDistribution { counts, ..about };
    encode(&distribution).map_err(|error| TextError::Record(error.to_string()))?;
    Ok(distribution)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<pb::GradeDistribution, TextError> {
        let about = pb::GradeDistribution { institution: 1, number: 1, scale: "ECTS".to_owned(), ..Default::default() };
        parse(text.as_bytes(), about)
    }

    /// Goal: the official example of the ECTS grading table is read in order; odd lines are refused with their number.
    #[test]
    fn rows_are_counts_in_order() {
        let read_whole = read("\u{feff}grade,count\nA,7\nB,37\nC,135\nD,98\nE,92\nF,3\n").expect("a distribution");
        assert_eq!(read_whole.counts.iter().map(|row| row.count).sum::<u64>(), 372);
        assert_eq!(read_whole.counts.last().map(|row| row.value.as_str()), Some("F"));
        let odd =
            [("A,-1", "line 2"), ("A,1\nA,2", "line 3"), (",1", "grade"), ("A,1.5", "whole"), ("", "line for each")];
        for (rows, part) in odd {
            let error = read(&format!("grade,count\n{rows}")).expect_err(rows).to_string();
            assert!(error.contains(part), "{rows}: {error}");
        }
        assert!(read("note,n\nA,1").expect_err("no columns").to_string().contains("grade and count"));
    }
}
