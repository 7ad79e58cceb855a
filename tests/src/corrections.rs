//! Corrections as a registrar makes them, with notes in a directory of their own.

use std::path::PathBuf;

use creditbank_client::correct::{Change, Correction, Corrector, Done, NewBody, Options, Outcome, Row, Target};
use creditbank_client::import::{ImportError, RefusedLine};
use creditbank_client::issue::IssueError;
use creditbank_client::{Client, IssuingUnit};
use creditbank_protocol::LogIndex;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{AmendReason, Credit, EffectReason, Kind, Place};

/// How corrections are made: where their files are, and with what options.
pub struct Corrections {
    /// Where its files are.
    pub dir: tempfile::TempDir,
    /// Stop for the approval of a second person.
    pub require_approval: bool,
    /// Send nothing.
    pub dry_run: bool,
}

impl Default for Corrections {
    fn default() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory"), require_approval: false, dry_run: false }
    }
}

/// A revocation as an error.
pub fn revoke(place: Place) -> Correction {
    Correction { line: 0, target: Target::At(place.into()), change: Change::Revoke(EffectReason::Error) }
}

/// A confirmation.
pub fn confirm(place: Place) -> Correction {
    Correction { line: 0, target: Target::At(place.into()), change: Change::Confirm }
}

/// A reinstatement: of what has ended the record, or of the end of its review at a log index.
pub fn reinstate(place: Place, effect: Option<u64>) -> Correction {
    Correction { line: 0, target: Target::At(place.into()), change: Change::Reinstate(effect.map(LogIndex)) }
}

/// An amendment to what `credit` says.
pub fn amend(place: Place, credit: &Credit) -> Correction {
    let body = NewBody::Bytes(Kind::Credit, encode(credit).expect("canonical"));
    Correction { line: 0, target: Target::At(place.into()), change: Change::Amend(AmendReason::Error, body) }
}

impl Corrections {
    /// Makes corrections; what became of each, and of all.
    pub async fn run(
        &self,
        client: &Client,
        unit: &IssuingUnit,
        corrections: Vec<Correction>,
    ) -> Result<(Vec<Row>, Done), IssueError> {
        self.lines(client, unit, corrections.into_iter().map(|one| Ok(Ok(one)))).await
    }

    /// Makes the corrections of a file.
    pub async fn lines(
        &self,
        client: &Client,
        unit: &IssuingUnit,
        corrections: impl Iterator<Item = Result<Result<Correction, RefusedLine>, ImportError>>,
    ) -> Result<(Vec<Row>, Done), IssueError> {
        let (work, refused) = (self.work(), self.dir.path().join("refused.csv"));
        let options = Options {
            work: &work,
            refused: Some(&refused),
            dry_run: self.dry_run,
            require_approval: self.require_approval,
            case_reference: if unit.id.institution.is_operator() { "case-1" } else { "" },
        };
        let mut rows = Vec::new();
        let done = Corrector::new(client, unit, options).run(corrections, |row: &Row| rows.push(row.clone())).await?;
        Ok((rows, done))
    }

    /// What became of one correction.
    pub async fn one(&self, client: &Client, unit: &IssuingUnit, correction: Correction) -> Outcome {
        self.run(client, unit, vec![correction]).await.expect("a run").0.remove(0).outcome
    }

    /// The notes.
    pub fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// The report of refused lines.
    pub fn report(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("refused.csv")).expect("a report")
    }

    /// The requests that wait for an approval.
    pub fn requests(&self) -> Vec<PathBuf> {
        let listed = std::fs::read_dir(self.work().join("requests")).expect("requests");
        let mut paths: Vec<PathBuf> = listed.map(|item| item.expect("a file").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        paths
    }
}

/// Whether an outcome is a refusal that says `word`.
pub fn refuses(outcome: &Outcome, word: &str) -> bool {
    matches!(outcome, Outcome::Refused(field, why) if field.contains(word) || why.contains(word))
}
