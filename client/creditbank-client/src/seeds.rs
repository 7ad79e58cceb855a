//! The secrets from which a unit derives the seeds of its records (PROTOCOL.md, section 4, "Seeds").
//!
//! Whoever knows a record's seed can open its hidden fields. So seeds do not come from the key that signs: a thief of
//! that key must not read the past, and a new key must not make other records of the same results. They come from
//! random secrets, one for each year, in a file beside the key. A year's secret is destroyed when nothing of that year
//! is issued or compared any more; a thief of the file then learns nothing of it.
//!
//! One more secret in the file lasts: digests in the notes and salts of mandates must be the same in every year.

mod file;
mod year;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use creditbank_protocol::pb::Kind;
use creditbank_protocol::record::kind_number;
use creditbank_protocol::{Place, UnitId};
use zeroize::Zeroizing;

use crate::ClientError;
use crate::secret::{derive, random};
pub(crate) use year::{of_day, of_period, this_year, year_of};

/// Years of which `creditbank seeds destroy` keeps the secrets, where the file says nothing else.
const KEEP_YEARS: u32 = 3;

type Secret = Zeroizing<[u8; 32]>;

/// The secrets of one unit.
#[derive(Clone)]
pub struct Seeds(Arc<Inner>);

struct Inner {
    lasting: Secret,
    keep_years: u32,
    source: Source,
    years: Mutex<Years>,
}

/// Where secrets of years that are not known yet come from, and where they are kept.
enum Source {
    /// Random ones, kept in a file.
    File { path: PathBuf, unit: UnitId },
    /// Derived from the lasting one.
    Derived,
}

#[derive(Default)]
struct Years {
    known: BTreeMap<u32, Year>,
    /// Whether the file lacks something that is known here.
    is_new: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum Year {
    Secret(Secret),
    Destroyed,
}

/// What is known of one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearState {
    /// The year.
    pub year: u32,
    /// Its secret is gone.
    pub is_destroyed: bool,
    /// It is old enough to be destroyed.
    pub is_due: bool,
}

/// What makes one record's seed another one than that of all others.
#[derive(Clone, Copy)]
pub(crate) struct SeedInput<'a> {
    pub(crate) kind: Kind,
    /// Names the record in the institution's own systems.
    pub(crate) reference: &'a [u8],
    /// The record that it follows: which it amends, or in whose stead it is issued anew.
    pub(crate) predecessor: Option<Place>,
}

impl SeedInput<'_> {
    fn under(&self, secret: &[u8; 32]) -> [u8; 32] {
        let len = (self.reference.len() as u64).to_be_bytes();
        let place =
            self.predecessor.map(|place| [&place.entry.0.to_be_bytes()[..], &place.index.to_be_bytes()].concat());
        let place = place.unwrap_or_default();
        derive(secret, &[b"creditbank seed", &kind_number(self.kind).to_be_bytes(), &len, self.reference, &place])
    }
}

impl Seeds {
    /// Reads the file of a unit's secrets.
    pub fn open(path: &Path, unit: UnitId) -> Result<Self, ClientError> {
        let file = file::read(path, unit)?;
        let years = Years { known: file.years, is_new: false };
        Ok(Self::of(file.lasting, file.keep_years, Source::File { path: path.to_owned(), unit }, years))
    }

    /// New secrets. The file is written when the first block is signed that needs them, or by [`Self::keep`].
    pub fn fresh(path: &Path, unit: UnitId) -> Result<Self, ClientError> {
        let years = Years { is_new: true, ..Years::default() };
        Ok(Self::of(random()?.into(), KEEP_YEARS, Source::File { path: path.to_owned(), unit }, years))
    }

    /// Where a unit's secrets are unless somebody says otherwise: in the directory of its key, under a name that stays
    /// when the key changes.
    pub fn default_path(key_file: Option<&Path>, unit: UnitId) -> PathBuf {
        let name = format!("unit-{}-{}.seeds", unit.institution.0, unit.number);
        key_file.map_or_else(|| PathBuf::from(&name), |key| key.with_file_name(&name))
    }

    /// Secrets that are all derived from one, and are kept nowhere: for the operator, whose records have no seeds, and
    /// for tests.
    pub fn derived(secret: [u8; 32]) -> Self {
        Self::of(secret.into(), KEEP_YEARS, Source::Derived, Years::default())
    }

    fn of(lasting: Secret, keep_years: u32, source: Source, years: Years) -> Self {
        Self(Arc::new(Inner { lasting, keep_years, source, years: Mutex::new(years) }))
    }

    fn years(&self) -> MutexGuard<'_, Years> {
        self.0.years.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secret that is never destroyed: for digests in notes and salts of mandates.
    pub(crate) fn lasting(&self) -> &[u8; 32] {
        &self.0.lasting
    }

    /// The seed of a record of a year; an error where that year's secret was destroyed.
    pub(crate) fn seed(&self, year: u32, input: SeedInput<'_>) -> Result<[u8; 32], ClientError> {
        let mut years = self.years();
        match years.known.get(&year) {
            Some(Year::Secret(secret)) => return Ok(input.under(secret)),
            Some(Year::Destroyed) => return Err(destroyed(year)),
            None => {}
        }
        let secret: Secret = match &self.0.source {
            Source::File { .. } => random()?.into(),
            Source::Derived => derive(&self.0.lasting, &[b"creditbank seeds of a year", &year.to_be_bytes()]).into(),
        };
        let seed = input.under(&secret);
        years.known.insert(year, Year::Secret(secret));
        years.is_new = true;
        Ok(seed)
    }

    /// The seeds that a record may have had in any year whose secret is known, that of `year` first: the day of a
    /// result may have been corrected since.
    pub(crate) fn seeds_of_all_years(&self, year: u32, input: SeedInput<'_>) -> Result<Vec<[u8; 32]>, ClientError> {
        let own = self.seed(year, input)?;
        let others = |(other, state): (&u32, &Year)| match state {
            Year::Secret(secret) if *other != year => Some(input.under(secret)),
            _ => None,
        };
        Ok(std::iter::once(own).chain(self.years().known.iter().filter_map(others)).collect())
    }

    /// Whether the secret of a year was destroyed.
    pub(crate) fn is_destroyed(&self, year: u32) -> bool {
        self.years().known.get(&year) == Some(&Year::Destroyed)
    }

    /// Makes durable what is not in the file yet. Called before anything is signed or written that needs it: otherwise
    /// a repeat after a crash would be another record.
    pub fn keep(&self) -> Result<(), ClientError> {
        let Source::File { path, unit } = &self.0.source else { return Ok(()) };
        let mut years = self.years();
        if !years.is_new {
            return Ok(());
        }
        let own = file::Contents {
            lasting: self.0.lasting.clone(),
            keep_years: self.0.keep_years,
            years: years.known.clone(),
        };
        years.known = file::merge(path, *unit, own)?;
        years.is_new = false;
        Ok(())
    }

    /// Every year that the file knows.
    pub fn states(&self) -> Vec<YearState> {
        let first = this_year().saturating_sub(self.0.keep_years);
        let state = |(year, state): (&u32, &Year)| {
            let is_destroyed = *state == Year::Destroyed;
            YearState { year: *year, is_destroyed, is_due: !is_destroyed && *year < first }
        };
        self.years().known.iter().map(state).collect()
    }

    /// The years whose secrets [`Self::destroy`] would destroy.
    pub fn due(&self, before: Option<u32>) -> Vec<u32> {
        let states = self.states().into_iter().filter(|state| !state.is_destroyed);
        states.filter(|state| before.map_or(state.is_due, |first| state.year < first)).map(|one| one.year).collect()
    }

    /// Destroys the secrets of the years before `before`, by default of those that are due, and names these years.
    /// Nothing of them can be issued, amended from a file or compared any more; what the ledger holds stays readable
    /// for whoever may read it.
    pub fn destroy(&self, before: Option<u32>) -> Result<Vec<u32>, ClientError> {
        let Source::File { path, unit } = &self.0.source else { return Ok(Vec::new()) };
        let gone = self.due(before);
        file::destroy(path, *unit, &gone)?;
        self.years().known.extend(gone.iter().map(|year| (*year, Year::Destroyed)));
        Ok(gone)
    }
}

/// What a registrar is told whose line is of a year without a secret.
pub(crate) fn why_destroyed(year: u32) -> String {
    format!(
        "the seed secret of {year} was destroyed: records of that year can no longer be issued, or compared with a file"
    )
}

fn destroyed(year: u32) -> ClientError {
    ClientError::Local(why_destroyed(year))
}

#[cfg(test)]
mod tests;
