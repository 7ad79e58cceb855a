//! The ledger follows a student system: by its record ids, again and again, from any state of the notes.

use std::fs;
use std::io::Cursor;
use std::time::Duration;

use creditbank_client::import::{Mapping, Warning};
use creditbank_client::issue::{IssueError, Places, issue};
use creditbank_client::sync::{Step, SyncReport, plan, sync};
use creditbank_protocol::UnitId;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{self, Credit, Place};
use creditbank_protocol::record::Record;
use creditbank_protocol::status::status_id;
use creditbank_tests::{Chain, Registrar, registrar};

/// A student system with numbers for its results.
struct System {
    desk: Registrar,
}

pub(crate) const HEADER: &str = "id,student,course,term,title,credits,result\n";

/// The desk's mapping with a record id.
pub(crate) fn mapping() -> Mapping {
    let text = registrar::MAPPING.replace(r#"reference = ["course", "term", "student"]"#, r#"record_id = "id""#);
    // These files are smaller than those before them on purpose.
    Mapping::parse(&text).expect("a mapping").accepting([Warning::Vanished])
}

impl System {
    async fn new() -> Self {
        Self { desk: Registrar::new().await }
    }

    async fn sync(&self, lines: &str) -> Result<SyncReport, IssueError> {
        let (work, refused) = (self.desk.path("notes"), self.desk.path("refused.csv"));
        let places = Places { work: &work, refused: &refused };
        let (client, unit) = (self.desk.client().await, self.desk.university.issuing());
        sync(&client, &unit, &mapping(), Cursor::new(format!("{HEADER}{lines}")), places, |_| ()).await
    }

    async fn plan(&self, lines: &str) -> Result<SyncReport, IssueError> {
        let (client, unit, work) = (self.desk.client().await, self.desk.university.issuing(), self.desk.path("notes"));
        plan(&client, &unit, &mapping(), Cursor::new(format!("{HEADER}{lines}")), &work, None, |_| ()).await
    }

    fn lose_notes(&self) {
        fs::remove_dir_all(self.desk.path("notes")).expect("notes");
    }

    /// Places and marks of everything that was issued.
    fn issued(&self) -> Vec<(Place, Vec<String>)> {
        let issued = self.desk.node.ledger().issued(UnitId::new(1, 1), 0, 1_000).expect("a list").0;
        issued.iter().map(|record| (record.place.into(), record.mark_names())).collect()
    }

    /// The Credits that stand, by course code and amount.
    async fn standing(&self) -> Vec<(String, u64)> {
        let client = self.desk.client().await;
        let mut found = Vec::new();
        for (place, marks) in self.issued() {
            if marks.is_empty() {
                let read = client.record(place).await.expect("a record");
                if let Ok(credit) = decode::<Credit>(&read.disclosed.body) {
                    found.push((credit.course.expect("a course").code, credit.amount.expect("an amount").e4));
                }
            }
        }
        found.sort();
        found
    }

    /// Revokes a record.
    async fn revoke(&self, place: Place) {
        let client = self.desk.client().await;
        let chain = Chain::of(&client, &self.desk.university).await;
        let receipt = self.desk.node.ledger().block(UnitId::new(1, 1), chain.head.next_height - 1).expect("the block");
        assert_eq!(receipt.index, place.entry, "the newest block");
        let leaf = creditbank_protocol::merkle::leaf_hash(&receipt.entry);
        let hash = client.record(place).await.expect("the record").disclosed.hash;
        let effect = pb::Effect {
            status_id: status_id(&leaf, place.index, &hash).0.to_vec(),
            place: Some(place),
            action: pb::Action::Revoke.into(),
            reason: pb::EffectReason::Error.into(),
            ..pb::Effect::default()
        };
        let authority = Some(pb::Authority { basis: pb::Basis::Issuer.into(), ..pb::Authority::default() });
        let group = pb::EffectGroup { authority, effects: vec![effect] };
        let none: [Record; 0] = [];
        let request = chain.block(&self.desk.university, &none, vec![group]);
        client.submit(request).await.expect("the revocation");
    }
}

fn counts(done: &SyncReport) -> (u64, u64, u64, u64, u64) {
    (done.issued, done.amended, done.unchanged, done.refused, done.vanished)
}

/// Goal: new lines are issued, changed ones amended, also twice; unchanged ones left alone; vanished ones reported and left
/// standing. It makes no difference whether the notes are there.
#[tokio::test(flavor = "multi_thread")]
async fn a_student_system_is_followed() {
    for with_notes in [true, false] {
        let system = System::new().await;
        let again = |system: &System| {
            if !with_notes {
                system.lose_notes();
            }
        };
        let lines = "r1,1,C1,2023A,T,15,pass\nr2,1,C2,2023A,T,15,fail\nr3,2,C1,2023A,T,15,pass\n";
        assert_eq!(counts(&system.sync(lines).await.expect("the first")), (3, 0, 0, 0, 0));
        again(&system);
        assert_eq!(counts(&system.sync(lines).await.expect("again")), (0, 0, 3, 0, 0));
        for credits in ["30", "7.5", "15"] {
            again(&system);
            let changed = lines.replace("r1,1,C1,2023A,T,15", &format!("r1,1,C1,2023A,T,{credits}"));
            let planned = system.plan(&changed).await.expect("a plan");
            let done = system.sync(&changed).await.expect("a change");
            assert_eq!(counts(&done), (0, 1, 2, 0, 0));
            assert_eq!((counts(&planned), &planned.steps), (counts(&done), &done.steps));
            assert_eq!((done.steps[0].line, done.steps[0].step), (2, Step::Amend));
        }
        assert_eq!(system.standing().await, [("C1".to_owned(), 15_0000), ("C1".to_owned(), 15_0000)]);
        assert_eq!(system.issued().iter().filter(|(_, marks)| marks == &["superseded"]).count(), 3);
        again(&system);
        let done = system.sync("r1,1,C1,2023A,T,15,pass\nr4,3,C9,2023A,T,5,pass\n").await.expect("a smaller file");
        // What no file has shown since the notes were lost cannot vanish from one.
        assert_eq!(counts(&done), (1, 0, 1, 0, if with_notes { 2 } else { 0 }));
        assert_eq!(system.standing().await.len(), 3, "nothing was revoked");
    }
}

/// Goal: what `issue` has issued with the same mapping is known; a block of more lines than one is amended too.
#[tokio::test(flavor = "multi_thread")]
async fn many_lines_and_those_of_another_command() {
    let system = System::new().await;
    let lines = |credits: &str| {
        let line = |number: usize| format!("r{number},{},C1,2023A,T,{credits},pass\n", number + 1);
        (0..1_300).map(line).collect::<Vec<_>>().concat()
    };
    let (work, refused) = (system.desk.path("issue"), system.desk.path("issue.csv"));
    let places = Places { work: &work, refused: &refused };
    let (client, unit) = (system.desk.client().await, system.desk.university.issuing());
    let first = Cursor::new(format!("{HEADER}{}", lines("15")));
    assert_eq!(issue(&client, &unit, &mapping(), first, places, |_| ()).await.expect("issued").records, 1_300);
    assert_eq!(counts(&system.sync(&lines("15")).await.expect("known")), (0, 0, 1_300, 0, 0));
    let done = system.sync(&lines("20")).await.expect("amended");
    assert_eq!((counts(&done), done.blocks), ((0, 1_300, 0, 0, 0), 2));
    assert_eq!(counts(&system.sync(&lines("20")).await.expect("again")), (0, 0, 1_300, 0, 0));
}

/// Goal: a record id that moves to another learner, a kind that no amendment can change, and an id that stands twice are
/// refused, with notes and without; nothing is written for them.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_followed_is_refused() {
    let system = System::new().await;
    let lines = "r1,1,C1,2023A,T,15,pass\nr2,2,C1,2023A,T,15,fail\n";
    system.sync(lines).await.expect("the first");
    let odd = "r1,9,C1,2023A,T,15,pass\nr2,2,C1,2023A,T,15,pass\nr3,3,C1,2023A,T,15,pass\nr3,4,C1,2023A,T,15,pass\n\
               r1,1,C1,2023A,T,15,pass\n";
    for with_notes in [true, false] {
        if !with_notes {
            system.lose_notes();
        }
        let planned = system.plan(odd).await.expect("a plan");
        assert_eq!(planned.refused, 4, "{:?}", planned.refused_lines);
        let done = system.sync(odd).await.expect("the good ones");
        let reasons: Vec<_> = done.refused_lines.iter().map(|line| (line.line, line.reason.clone())).collect();
        let has = |line: u64, words: &str| reasons.iter().any(|(at, reason)| *at == line && reason.contains(words));
        assert!(has(2, "belongs to another learner"), "{reasons:?}");
        assert!(has(3, "of another kind"), "{reasons:?}");
        assert!(has(5, "the same result as line 4") && has(6, "the same result as line 2"), "{reasons:?}");
        assert_eq!(done.issued, u64::from(with_notes), "r3, once");
        // A changed line of another learner is refused by the ledger itself.
        let moved = system.sync("r1,9,C1,2023A,T,20,pass\n").await.expect("refused");
        assert_eq!((moved.amended, moved.refused), (0, 1), "{:?}", moved.refused_lines);
    }
    assert_eq!(system.issued().len(), 3);
}

/// Goal: a revoked record is not issued again as it was; with other values it is, once, also without notes.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_revocation() {
    let system = System::new().await;
    system.sync("r2,2,C1,2023A,T,15,fail\n").await.expect("the first");
    let place = system.issued()[0].0;
    system.revoke(place).await;
    let same = system.sync("r2,2,C1,2023A,T,15,fail\n").await.expect("refused");
    assert_eq!(counts(&same), (0, 0, 0, 1, 0));
    assert!(same.refused_lines[0].reason.contains("revoked"), "{:?}", same.refused_lines);
    let other = system.sync("r2,2,C1,2023A,T,15,pass\n").await.expect("issued anew");
    assert_eq!((counts(&other), other.steps[0].step), ((1, 0, 0, 0, 0), Step::IssueAnew));
    assert_eq!(counts(&system.sync("r2,2,C1,2023A,T,15,pass\n").await.expect("again")), (0, 0, 1, 0, 0));
    system.lose_notes();
    assert_eq!(counts(&system.sync("r2,2,C1,2023A,T,15,pass\n").await.expect("again")), (0, 0, 1, 0, 0));
    assert_eq!(counts(&system.sync("r2,2,C1,2023A,T,20,pass\n").await.expect("amended")), (0, 1, 0, 0, 0));
}

/// Goal: a run that is ended at any moment, again and again, ends with everything issued and amended once.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_goes_on() {
    let system = System::new().await;
    let lines = |credits: &str| {
        let line = |number: usize| format!("r{number},{},C{number},2023A,T,{credits},pass\n", number % 50 + 1);
        (0..240).map(line).collect::<Vec<_>>().concat()
    };
    let mut interrupted = 0;
    for credits in ["15", "20"] {
        let mut patience = Duration::from_millis(15);
        loop {
            match tokio::time::timeout(patience, system.sync(&lines(credits))).await {
                Ok(done) => break assert_eq!(done.expect("the last run").refused, 0),
                Err(_) => interrupted += 1,
            }
            patience = patience * 3 / 2;
        }
    }
    assert!(interrupted >= 2, "interrupted {interrupted} times");
    let issued = system.issued();
    assert_eq!((issued.len(), issued.iter().filter(|(_, marks)| marks.is_empty()).count()), (480, 240));
    assert_eq!(counts(&system.sync(&lines("20")).await.expect("again")), (0, 0, 240, 0, 0));
}

/// Goal: half-written and damaged notes cost time and change nothing.
#[tokio::test(flavor = "multi_thread")]
async fn damaged_notes() {
    let system = System::new().await;
    let lines = "r1,1,C1,2023A,T,15,pass\nr2,2,C1,2023A,T,15,pass\n";
    system.sync(lines).await.expect("the first");
    let path = system.desk.path("notes").join("state");
    let whole = fs::read(&path).expect("the state");
    let mut flipped = whole.clone();
    flipped[130] ^= 1;
    for damaged in [&whole[..whole.len() - 30], &flipped[..], &whole[..3], &[7; 300]] {
        fs::write(&path, damaged).expect("damaged notes");
        assert_eq!(counts(&system.sync(lines).await.expect("the same")), (0, 0, 2, 0, 0));
        let done = system.sync("r1,1,C1,2023A,T,15,pass\n").await.expect("one has vanished");
        assert_eq!(counts(&done), (0, 0, 1, 0, 1), "what was noted after the damage is whole");
    }
    assert_eq!(system.issued().len(), 2);
}

/// Goal: one run at a time in a directory; two in different ones do not both amend a record.
#[tokio::test(flavor = "multi_thread")]
async fn two_at_once() {
    let system = System::new().await;
    let lines = "r1,1,C1,2023A,T,15,pass\n";
    system.sync(lines).await.expect("the first");
    {
        let lock = fs::File::open(system.desk.path("notes").join("lock")).expect("the lock");
        lock.lock().expect("a lock");
        let busy = system.sync(lines).await.expect_err("a run is under way");
        assert!(busy.to_string().contains(&format!("process {} is sealing", std::process::id())), "{busy}");
    }
    let changed = lines.replace("15", "20");
    let (work, refused) = (system.desk.path("other"), system.desk.path("other.csv"));
    let places = Places { work: &work, refused: &refused };
    let (client, unit, mapping) = (system.desk.client().await, system.desk.university.issuing(), mapping());
    let other = sync(&client, &unit, &mapping, Cursor::new(format!("{HEADER}{changed}")), places, |_| ());
    let (one, two) = tokio::join!(system.sync(&changed), other);
    let amended = [one, two].into_iter().map(|done| done.map_or(0, |done| done.amended)).sum::<u64>();
    assert_eq!(amended, 1);
    assert_eq!(counts(&system.sync(&changed).await.expect("again")), (0, 0, 1, 0, 0));
}

/// Goal: a plan leaves no trace: no accounts, no records, no notes.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_writes_nothing() {
    let system = System::new().await;
    let keys = || fs::metadata(system.desk.node.dir().join("learners.keys")).expect("the keys").len();
    let before = keys();
    let planned = system.plan("r1,1,C1,2023A,T,15,pass\nr2,1,C2,2023A,T,-1,pass\n").await.expect("a plan");
    assert_eq!(counts(&planned), (1, 0, 0, 1, 0));
    assert_eq!((keys(), system.issued().len(), system.desk.path("notes").exists()), (before, 0, false));
    let both = registrar::MAPPING.replace("[learner]", "record_id = \"student\"\n[learner]");
    assert!(Mapping::parse(&both).expect_err("two keys").to_string().contains("either reference or record_id"));
}
