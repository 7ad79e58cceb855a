//! Level maps between the frameworks of the seed, one for each direction.
//!
//! Five frameworks and the one for higher education in England stand in one published table of comparable levels
//! (`data/seed/levels.csv`), from which a map is made for each ordered pair. In a cell, levels stand from the highest; `-` is
//! "no comparable level", and an empty cell says nothing.

use creditbank_protocol::pb::{LevelMap, LevelMapRow};

use super::frameworks::LEAFLET;
use super::{english, sources};

const TABLE: &str = include_str!("../../data/seed/levels.csv");
/// Of the whole table; the columns of Great Britain and the EQF are older than its leaving the European Union.
const TABLE_SOURCES: &[&str] = &[
    LEAFLET,
    "Ac the same leaflet's edition with the FHEQ; copy: docslib 2439177: the row of EQF 4 could not be read",
];
/// Of one pair in it, whose other authority says the same.
const IRISH: &[&str] = &["Ao www2.nzqa.govt.nz, ireland-nz, with QQI: the same table", LEAFLET];
const NEW_ZEALAND_EUROPE: &[&str] = &[
    "Ao www2.nzqa.govt.nz, ireland-nz; nzqa.govt.nz, european-union: the comparison does not bind recognition",
    "An joint report 2016, doi 10.2767/211812",
];
const NEW_ZEALAND_IRELAND: &[&str] =
    &["Ao www2.nzqa.govt.nz, ireland-nz, with QQI: the comparison does not bind recognition"];
const NEW_ZEALAND_HONG_KONG: &[&str] = &[
    "Ao www2.nzqa.govt.nz, hong-kong-nz: rows 5 and 3 stand in merged cells; the comparison does not bind recognition",
    "An joint report, August 2018, ISBN 978-0-473-45111-0",
];
/// Why a map is withdrawn.
const NOT_READ: &[&str] = &[
    "An joint report 2016, ISBN 978-1-76028-955-3, doi 10.2767/899976: its table was not read. The levels that were \
     published before came from a training company's page, and the official result for New Zealand lies one higher at \
     levels 1 to 3: withdrawn until the report has been read",
];

/// From, to, sources, and for each level the comparable ones; nothing behind the colon: there is none.
type Row = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const MAPS: &[Row] = &[
    ("EQF", "NZQF", NEW_ZEALAND_EUROPE, &["1:", "2:1", "3:2", "4:3 4", "5:5 6", "6:7", "7:9", "8:10"]),
    (
        "NFQ-IE",
        "NZQF",
        NEW_ZEALAND_IRELAND,
        &["1:", "2:", "3:1", "4:2", "5:3 4", "6:5 6", "7:7", "8:7", "9:9", "10:10"],
    ),
    ("NZQF", "EQF", NEW_ZEALAND_EUROPE, &["1:2", "2:3", "3:4", "4:4", "5:5", "6:5", "7:6", "8:", "9:7", "10:8"]),
    ("NZQF", "HKQF", NEW_ZEALAND_HONG_KONG, &["1:1", "2:2", "3:3", "4:3", "5:4", "6:4", "7:5", "8:", "9:6", "10:7"]),
    ("NZQF", "NFQ-IE", NEW_ZEALAND_IRELAND, &["1:3", "2:4", "3:5", "4:5", "5:6", "6:6", "7:7 8", "8:", "9:9", "10:10"]),
];

pub(super) fn all() -> Vec<LevelMap> {
    let mut all = of_table();
    for (from, to, published, rows) in MAPS {
        let row = |row: &&str| {
            let (from, to) = row.split_once(':').unwrap_or((row, ""));
            LevelMapRow { from: from.to_owned(), to: sorted(to.split_whitespace()) }
        };
        all.push(map(from, to, published, rows.iter().map(row).collect()));
    }
    all.push(LevelMap { withdrawn: true, ..map("AQF", "EQF", NOT_READ, Vec::new()) });
    all.sort_by(|a, b| a.code.cmp(&b.code));
    all
}

fn map(from: &str, to: &str, published: &[&str], rows: Vec<LevelMapRow>) -> LevelMap {
    LevelMap {
        code: format!("{from}-{to}"),
        names: english(&format!("Levels of {from} in {to}")),
        from_framework: from.to_owned(),
        to_framework: to.to_owned(),
        rows,
        sources: sources(published),
        withdrawn: false,
    }
}

/// A map for each ordered pair of the table's frameworks.
fn of_table() -> Vec<LevelMap> {
    let mut lines = TABLE.lines().map(|line| line.split(';').collect::<Vec<_>>());
    let heads = lines.next().unwrap_or_default();
    let groups: Vec<_> = lines.collect();
    let mut maps = Vec::new();
    for (from_column, from) in heads.iter().enumerate() {
        for (to_column, to) in heads.iter().enumerate().filter(|(column, _)| *column != from_column) {
            let cell = |group: &[&'static str], column: usize| group.get(column).copied().unwrap_or("");
            let rows = groups.iter().flat_map(|group| rows(cell(group, from_column), cell(group, to_column)));
            let irish = [*from, *to].iter().all(|of| ["EQF", "NFQ-IE"].contains(of));
            maps.push(map(from, to, if irish { IRISH } else { TABLE_SOURCES }, rows.collect()));
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
