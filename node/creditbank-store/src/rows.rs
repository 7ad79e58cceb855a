//! Any number of rows, one after the other.

use crate::KeyValue;

/// Rows read at once.
const PAGE: usize = 4_096;

type Scan<'a, E> = Box<dyn FnMut(Option<&[u8]>, usize) -> Result<Vec<KeyValue>, E> + 'a>;

/// Rows in the order of their keys. It holds one page of them, and ends after the first error.
pub struct Rows<'a, E> {
    scan: Scan<'a, E>,
    page: std::vec::IntoIter<KeyValue>,
    /// The last key of the page; `None` before the first page.
    last: Option<Vec<u8>>,
    ended: bool,
}

impl<'a, E> Rows<'a, E> {
    /// `scan` yields the rows after a key, or the first ones, at most so many.
    pub(crate) fn new(scan: impl FnMut(Option<&[u8]>, usize) -> Result<Vec<KeyValue>, E> + 'a) -> Self {
        Self { scan: Box::new(scan), page: Vec::new().into_iter(), last: None, ended: false }
    }
}

impl<E> Iterator for Rows<'_, E> {
    type Item = Result<KeyValue, E>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(row) = self.page.next() {
            return Some(Ok(row));
        }
        if self.ended {
            return None;
        }
        match (self.scan)(self.last.as_deref(), PAGE) {
            Ok(page) => {
                self.ended = page.len() < PAGE;
                self.last = page.last().map(|(key, _)| key.clone());
                self.page = page.into_iter();
                self.page.next().map(Ok)
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Index as _, IndexError, MemoryIndex, Row, Table};

    use super::*;

    /// Goal: rows come once each and in order, whether or not they fill their last page, and an error ends them.
    #[test]
    fn rows_come_page_by_page() {
        for count in [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE] {
            let index = MemoryIndex::default();
            let key = |number: usize| [b"key/", &(number as u64).to_be_bytes()[..]].concat();
            let row = |number| Row { table: Table(3), key: key(number), value: Some(Vec::new()) };
            index.apply(&(0..count).map(row).collect::<Vec<_>>()).expect("applied");
            index.apply(&[Row { table: Table(3), key: b"other".to_vec(), value: Some(vec![1]) }]).expect("applied");
            let found: Vec<Vec<u8>> = index.rows(Table(3), b"key/").map(|row| row.expect("read").0).collect();
            assert_eq!(found, (0..count).map(key).collect::<Vec<_>>(), "{count}");
        }
        let mut failing: Rows<'_, IndexError> = Rows::new(|_, _| Err(IndexError("broken".to_owned())));
        assert!(failing.next().is_some_and(|row| row.is_err()) && failing.next().is_none());
    }
}
