//! Record seeds come from secrets of their own: what a registrar may do with keys, years and files.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use creditbank_client::issue::Places;
use creditbank_client::operator::KeyRequest;
use creditbank_client::sync::{SyncReport, sync};
use creditbank_client::{IssuingUnit, Seeds};
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_tests::Registrar;
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::{KINDS, key, set};

use super::sync::{HEADER, mapping};

/// A registrar whose seed secrets are in a file.
struct Desk(Registrar);

impl Desk {
    fn file(&self) -> PathBuf {
        self.0.path("unit-1-1.seeds")
    }

    fn unit(&self) -> IssuingUnit {
        let (path, id) = (self.file(), UnitId::new(1, 1));
        let seeds = if path.exists() { Seeds::open(&path, id) } else { Seeds::fresh(&path, id) };
        IssuingUnit { seeds: seeds.expect("secrets"), ..self.0.university.issuing() }
    }

    /// Without notes, so that only the seeds say which record is which.
    async fn sync(&self, unit: &IssuingUnit, lines: &str) -> SyncReport {
        let dir = tempfile::tempdir().expect("a directory");
        let (work, refused) = (dir.path().join("notes"), self.0.path("refused.csv"));
        let places = Places { work: &work, refused: &refused };
        let input = Cursor::new(format!("{HEADER}{lines}"));
        sync(&self.0.client().await, unit, &mapping(), input, places, |_| ()).await.expect("a run")
    }
}

const LINES: &str = "r1,1,C1,2023A,T,15,pass\nr2,1,C2,2021A,T,15,fail\n";

/// Goal: a new key makes no other records: what the old one has issued is recognised, and amended where it has changed.
#[tokio::test(flavor = "multi_thread")]
async fn seeds_survive_a_new_key() {
    let desk = Desk(Registrar::new().await);
    assert_eq!(desk.sync(&desk.unit(), LINES).await.issued, 2);
    let newer = KeyRequest::new(ORIGIN, UnitId::new(1, 1), &key(Purpose::Unit, 77)).expect("a request");
    set(&desk.0.node, Kind::Key, &newer.record(&KINDS, 0, 0).expect("a key")).await;
    let unit = IssuingUnit { key: Arc::new(key(Purpose::Unit, 77)), ..desk.unit() };
    assert_eq!(desk.sync(&unit, LINES).await.unchanged, 2);
    let done = desk.sync(&unit, &LINES.replace("2023A,T,15", "2023A,T,10")).await;
    assert_eq!((done.amended, done.unchanged, done.issued), (1, 1, 0));
}

/// Goal: a period that is corrected to another year, and so to another secret, amends the record and issues no second
/// one.
#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_year_is_the_same_record() {
    let desk = Desk(Registrar::new().await);
    desk.sync(&desk.unit(), LINES).await;
    let corrected = LINES.replace("2023A", "2022A");
    let done = desk.sync(&desk.unit(), &corrected).await;
    assert_eq!((done.amended, done.issued), (1, 0));
    assert_eq!(desk.sync(&desk.unit(), &corrected).await.unchanged, 2);
}

/// Goal: after a year's secret was destroyed its lines are refused, one by one and by name, and never issued once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_year_is_refused_line_by_line() {
    let desk = Desk(Registrar::new().await);
    desk.sync(&desk.unit(), LINES).await;
    assert_eq!(desk.unit().seeds.destroy(Some(2023)).expect("destroyed"), [2022]);
    let done = desk.sync(&desk.unit(), &format!("{LINES}r3,2,C1,2023A,T,15,pass\n")).await;
    assert_eq!((done.unchanged, done.issued, done.refused), (1, 1, 1));
    assert!(desk.0.report().contains("the seed secret of 2022 was destroyed"), "{}", desk.0.report());
    assert_eq!(desk.0.sealed(), 3);
}

/// Goal: whoever steals the signing key cannot make a seed: the seeds of the same lines under other secrets are others.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_alone_makes_no_seed() {
    let desk = Desk(Registrar::new().await);
    let unit = desk.unit();
    desk.sync(&unit, LINES).await;
    let client = desk.0.client().await;
    let mut seeds = Vec::new();
    for record in desk.0.node.ledger().issued(UnitId::new(1, 1), 0, 10).expect("a list").0 {
        seeds.push(client.record(pb::Place::from(record.place)).await.expect("a record").seed.expect("it is shown"));
    }
    let thief = IssuingUnit { seeds: Seeds::fresh(&desk.0.path("other"), unit.id).expect("new"), ..unit };
    let other = Desk(Registrar::new().await);
    other.sync(&thief, LINES).await;
    let client = other.0.client().await;
    for record in other.0.node.ledger().issued(UnitId::new(1, 1), 0, 10).expect("a list").0 {
        let seed = client.record(pb::Place::from(record.place)).await.expect("a record").seed.expect("it is shown");
        assert!(!seeds.contains(&seed));
    }
}
