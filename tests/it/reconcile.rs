//! Both sides compared: three lists and what differs, from a list that the client proves complete.

use std::fs;
use std::io::Cursor;

use creditbank_client::issue::Places;
use creditbank_client::sync::reconcile::{Comparison, Missing, with_file, with_notes};
use creditbank_client::sync::sync;
use creditbank_tests::Registrar;

use super::sync::{HEADER, mapping};

async fn compare(desk: &Registrar, lines: &str) -> Comparison {
    let (client, unit, work) = (desk.client().await, desk.university.issuing(), desk.path("notes"));
    let input = Cursor::new(format!("{HEADER}{lines}"));
    with_file(&client, &unit, &mapping(), input, &work).await.expect("a comparison")
}

async fn follow(desk: &Registrar, lines: &str) {
    let (work, refused) = (desk.path("notes"), desk.path("refused.csv"));
    let places = Places { work: &work, refused: &refused };
    let (client, unit) = (desk.client().await, desk.university.issuing());
    let input = Cursor::new(format!("{HEADER}{lines}"));
    sync(&client, &unit, &mapping(), input, places, |_| ()).await.expect("followed");
}

const LINES: &str = "r1,1,C1,2023A,T,15,pass\nr2,1,C2,2023A,T,15,fail\nr3,2,C1,2023A,T,15,pass\n";

/// Goal: every kind of difference is in its list, with and without notes, and nothing is written.
#[tokio::test(flavor = "multi_thread")]
async fn three_lists_and_what_differs() {
    let desk = Registrar::new().await;
    follow(&desk, LINES).await;
    follow(&desk, &LINES.replace("r3,2,C1,2023A,T,15", "r3,2,C1,2023A,T,20")).await;
    let now = "r1,1,C1,2023A,T,10,pass\nr3,2,C1,2023A,T,20,pass\nr4,3,C1,2023A,T,15,pass\nr5,4,C1,2023A,T,?,pass\n";
    for with_notes in [true, false] {
        if !with_notes {
            fs::remove_dir_all(desk.path("notes")).expect("the notes");
        }
        let found = compare(&desk, now).await;
        assert_eq!(
            (found.same, found.different, found.only_registrar, found.only_ledger, found.refused),
            (1, 1, 1, 1, 1)
        );
        assert_eq!((found.different_items[0].0, found.different_items[0].1.index), (2, 0));
        assert_eq!(found.only_registrar_items, [Missing::Line(4)]);
        assert_eq!(found.only_ledger_items[0].place.index, 1, "r2, which stands; what was replaced is no difference");
        assert!(!found.is_equal());
        assert_eq!(desk.path("notes").exists(), with_notes, "nothing is written");
    }
    let equal = compare(&desk, &LINES.replace("r3,2,C1,2023A,T,15", "r3,2,C1,2023A,T,20")).await;
    assert!(equal.is_equal() && equal.same == 3, "{equal:?}");
}

/// Goal: notes are compared as a file is; those of another log or key are refused.
#[tokio::test(flavor = "multi_thread")]
async fn notes_against_the_ledger() {
    let desk = Registrar::new().await;
    follow(&desk, LINES).await;
    let (client, unit, work) = (desk.client().await, desk.university.issuing(), desk.path("notes"));
    let equal = with_notes(&client, &unit, &work).await.expect("a comparison");
    assert!(equal.is_equal() && equal.same == 3, "{equal:?}");
    follow(&desk, &LINES.replace("15,pass", "20,pass")).await;
    let amended = with_notes(&client, &unit, &work).await.expect("a comparison");
    assert!(amended.is_equal() && amended.same == 3, "{amended:?}");
    desk.issue(desk.csv("9,C9,2023A,Not of the student system,15,pass\n")).await.expect("another record");
    let more = with_notes(&client, &unit, &work).await.expect("a comparison");
    assert_eq!((more.same, more.only_ledger), (3, 1));
    let mut other = desk.university.issuing();
    other.seeds = creditbank_client::Seeds::derived([99; 32]);
    let refused = with_notes(&client, &other, &work).await.expect_err("notes under other secrets");
    assert!(refused.to_string().contains("other seed secrets"), "{refused}");
}
