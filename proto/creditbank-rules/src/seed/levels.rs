//! Level maps between the frameworks of the seed, one for each direction.
//!
//! Five frameworks and the one for higher education in England stand in one published table of comparable levels
//! (`data/seed/levels.csv`), from which a map is made for each ordered pair. In a cell, levels stand from the highest; `-` is
//! "no comparable level", and an empty cell says nothing.

use creditbank_protocol::pb::{LevelMap, LevelMapRow};

use super::english;

const TABLE: &str = include_str!("../../data/seed/levels.csv");
const TABLE_SOURCE: &str = "docslib 5620981; docsbay table-1-correspondence (Qualifications can cross boundaries)";

/// From, to, source, and for each level the comparable ones; nothing behind the colon: there is none.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str]);

const MAPS: &[Row] = &[
    (
        "AQF",
        "EQF",
        "atmc.social for levels 1 to 4, 7 and 9; 10 is unsourced: general knowledge. Levels 5, 6 and 8 are not stated",
        &["1:1", "2:2", "3:3", "4:4", "7:6", "9:7", "10:8"],
    ),
    (
        "FHEQ",
        "RQF",
        "QAA: the levels of higher education have the same numbers in both",
        &["3:3", "4:4", "5:5", "6:6", "7:7", "8:8"],
    ),
    (
        "NZQF",
        "HKQF",
        "www2.nzqa.govt.nz: there was no agreement on level 8; levels below 6 are not stated",
        &["10:7", "9:6", "8:", "7:5", "6:4"],
    ),
    (
        "RQF",
        "FHEQ",
        "QAA: the levels of higher education have the same numbers in both",
        &["3:3", "4:4", "5:5", "6:6", "7:7", "8:8"],
    ),
];

pub(super) fn all() -> Vec<LevelMap> {
    let mut all = of_table();
    for (from, to, source, rows) in MAPS {
        let row = |row: &&str| {
            let (from, to) = row.split_once(':').unwrap_or((row, ""));
            LevelMapRow { from: from.to_owned(), to: sorted(to.split_whitespace()) }
        };
        all.push(map(from, to, source, rows.iter().map(row).collect()));
    }
    all.sort_by(|a, b| a.code.cmp(&b.code));
    all
}

fn map(from: &str, to: &str, source: &str, rows: Vec<LevelMapRow>) -> LevelMap {
    LevelMap {
        code: format!("{from}-{to}"),
        names: english(&format!("Levels of {from} in {to}")),
        from_framework: from.to_owned(),
        to_framework: to.to_owned(),
        rows,
        source: source.to_owned(),
    }
}

/// A map for each ordered pair of the table's frameworks that no source of its own describes.
fn of_table() -> Vec<LevelMap> {
    let mut lines = TABLE.lines().map(|line| line.split(';').collect::<Vec<_>>());
    let heads = lines.next().unwrap_or_default();
    let groups: Vec<_> = lines.collect();
    let described = |from: &str, to: &str| MAPS.iter().any(|(one, other, ..)| (*one, *other) == (from, to));
    let mut maps = Vec::new();
    for (from_column, from) in heads.iter().enumerate() {
        for (to_column, to) in heads.iter().enumerate().filter(|(column, _)| *column != from_column) {
            if described(from, to) {
                continue;
            }
            let cell = |group: &[&'static str], column: usize| group.get(column).copied().unwrap_or("");
            let rows = groups.iter().flat_map(|group| rows(cell(group, from_column), cell(group, to_column)));
            maps.push(map(from, to, TABLE_SOURCE, rows.collect()));
        }
    }
    maps
}

/// The rows that a group of comparable levels makes: level by level where both sides have as many, else each with all.
fn rows(from: &'static str, to: &'static str) -> Vec<LevelMapRow> {
    if from == "-" || to.is_empty() {
        return Vec::new();
    }
    let (from, to): (Vec<_>, Vec<_>) = (from.split_whitespace().collect(), levels(to).collect());
    let one_by_one = from.len() == to.len();
    let comparable = |at: usize| if one_by_one { sorted(to.get(at).copied()) } else { sorted(to.iter().copied()) };
    from.iter().enumerate().map(|(at, level)| LevelMapRow { from: (*level).to_owned(), to: comparable(at) }).collect()
}

fn levels(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split_whitespace().filter(|level| *level != "-")
}

/// As a set stands in a record.
fn sorted<'a>(levels: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut levels: Vec<String> = levels.into_iter().map(str::to_owned).collect();
    levels.sort_unstable();
    levels
}
