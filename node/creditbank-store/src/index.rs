//! Index engines: rows by key. They may lag behind the journal and lose their tail; the journal has everything.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use crate::{KeyValue, Row, Rows, Table};

/// An error of an engine.
#[derive(Debug, thiserror::Error)]
#[error("index engine: {0}")]
pub struct IndexError(pub String);

/// Rows by key. The contract of an engine:
///
/// - `apply` sets and takes out rows, blindly: doing it again changes nothing.
/// - `scan` yields keys in ascending order of their bytes.
/// - After `sync` has returned, everything applied before survives a power cut; before, it may or may not.
pub trait Index: Send + Sync + 'static {
    /// A row's value.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;
    /// Rows whose keys begin with `prefix`, ascending, after `after`, at most `limit`.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, IndexError>;
    /// All rows whose keys begin with `prefix`, ascending, read page by page.
    fn rows(&self, table: Table, prefix: &[u8]) -> Rows<'_, IndexError> {
        let prefix = prefix.to_vec();
        Rows::new(move |after, limit| self.scan(table, &prefix, after, limit))
    }
    /// Applies rows.
    fn apply(&self, rows: &[Row]) -> Result<(), IndexError>;
    /// Makes what was applied durable.
    fn sync(&self) -> Result<(), IndexError>;
    /// Removes everything.
    fn clear(&self) -> Result<(), IndexError>;
}

impl Index for Box<dyn Index> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        (**self).get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, IndexError> {
        (**self).scan(table, prefix, after, limit)
    }

    fn apply(&self, rows: &[Row]) -> Result<(), IndexError> {
        (**self).apply(rows)
    }

    fn sync(&self) -> Result<(), IndexError> {
        (**self).sync()
    }

    fn clear(&self) -> Result<(), IndexError> {
        (**self).clear()
    }
}

type Map = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// An index in memory: the model with which the engines are compared.
#[derive(Debug, Default)]
pub struct MemoryIndex {
    rows: RwLock<Map>,
}

impl Index for MemoryIndex {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        Ok(rows.get(&(table, key.to_vec())).cloned())
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, IndexError> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        Ok(scan_map(&rows, table, prefix, after)
            .take(limit)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect())
    }

    fn apply(&self, new: &[Row]) -> Result<(), IndexError> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for Row { table, key, value } in new {
            let key = (*table, key.clone());
            match value {
                Some(value) => rows.insert(key, value.clone()),
                None => rows.remove(&key),
            };
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), IndexError> {
        Ok(())
    }

    fn clear(&self) -> Result<(), IndexError> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }
}

/// The entries of an ordered map whose keys begin with `prefix` and come after `after`.
pub(crate) fn scan_map<'a, V>(
    map: &'a BTreeMap<(Table, Vec<u8>), V>,
    table: Table,
    prefix: &'a [u8],
    after: Option<&[u8]>,
) -> impl Iterator<Item = (&'a (Table, Vec<u8>), &'a V)> {
    let start = match after {
        Some(after) if after >= prefix => Bound::Excluded((table, after.to_vec())),
        _ => Bound::Included((table, prefix.to_vec())),
    };
    map.range((start, Bound::Unbounded)).take_while(move |((of, key), _)| *of == table && key.starts_with(prefix))
}
