//! The whole file against the whole chain, before anything is signed: how much has vanished, and how much was emptied.

use std::collections::HashSet;

use creditbank_protocol::Place;

use super::view::{Held, View};
use crate::Client;
use crate::import::{Courses, DraftRecord, Known, Mapping, Rows, Survey, Warning};
use crate::issue::IssueError;

/// One record in so many may vanish or lose a value before a run stops: 5 %.
const LOST_ONE_IN: u64 = 20;
/// Records that are read at once.
const READ_AT_ONCE: usize = 250;

/// What is in a file that the ledger follows.
pub(super) async fn at(
    client: &Client,
    mapping: &Mapping,
    mut rows: Rows<'_>,
    view: &View<'_>,
) -> Result<Survey, IssueError> {
    let mut matched: HashSet<Place> = HashSet::new();
    let mut blank: Vec<(DraftRecord, Place)> = Vec::new();
    let mut failed = None;
    // Lines that nobody can compare any more: of which records they are is not known.
    let mut incomparable = 0;
    let courses = Courses::of(client, view.unit.id.institution).await?;
    let mut survey = Survey::of(mapping, &mut rows, &courses, |draft| {
        if draft.without_seed(view.unit).is_some() {
            incomparable += 1;
            return Known::Signed;
        }
        let held = match view.held(draft) {
            Ok(held) => held,
            Err(error) => {
                failed.get_or_insert(error);
                return Known::Signed;
            }
        };
        let (Held::Same { at, .. }
        | Held::Other { at }
        | Held::OtherKind { at }
        | Held::OtherPerson { at }
        | Held::Revoked { at, .. }
        | Held::Elsewhere { at }) = held
        else {
            return Known::New;
        };
        matched.insert(at);
        if matches!(held, Held::Other { .. }) && !(draft.kept.is_empty() && draft.cleared.is_empty()) {
            blank.push((draft.clone(), at));
        }
        match held {
            Held::Same { .. } => Known::Signed,
            // Issued anew where it was revoked: the whole record is new.
            Held::Revoked { same: false, .. } => Known::New,
            _ => Known::Changed,
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    // A refused line is in the file, whatever it says.
    for reference in rows.refused() {
        matched.extend(view.places_of(reference)?);
    }
    let nameless = rows.nameless();
    let shown: Vec<Place> =
        view.rows().filter(|row| row.person != [0; 16] && view.stands(row.at)).map(|row| row.at).collect();
    let mut lost: Vec<(u64, String, String)> = Vec::new();
    let gone = shown.iter().filter(|at| !matched.contains(at)).skip(incomparable + nameless);
    lost.extend(gone.map(|at| (0, "record".to_owned(), format!("the one at {at} is not in the file"))));
    for some in blank.chunks_mut(READ_AT_ONCE) {
        let said = view.said(client, some.iter().map(|(_, at)| *at)).await?;
        for (draft, at) in some {
            let had = said.get(at).map(|said| draft.loses(said)).unwrap_or_default();
            if !had.is_empty() {
                lost.push((draft.line, had.join(", "), format!("blank; the record at {at} says more")));
            }
        }
    }
    let of = shown.len().max(matched.len()) as u64;
    if lost.len() as u64 * LOST_ONE_IN > of {
        lost.into_iter().for_each(|(line, field, what)| survey.warn(Warning::Vanished, line, &field, what));
    }
    Ok(survey)
}
