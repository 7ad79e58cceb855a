//! What tells one thing that is issued from another, without saying what it is: keyed digests.

use crate::IssuingUnit;
use crate::secret::derive;

/// Which result a line or a block is about, and what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(super) reference: [u8; 16],
    pub(super) content: [u8; 16],
}

pub(super) const MARK_LEN: usize = 32;

impl Mark {
    /// Of a line: which result it is, and what it says.
    pub(crate) fn of_line(unit: &IssuingUnit, reference: &[u8], content: &[u8]) -> Self {
        Self { reference: keyed(unit, b"reference", reference), content: keyed(unit, b"content", content) }
    }

    /// Of something else than a line: what it is about, and what is said.
    pub(crate) fn new(unit: &IssuingUnit, about: &[u8], said: &[u8]) -> Self {
        Self { reference: keyed(unit, b"about", about), content: keyed(unit, b"said", said) }
    }

    /// Marks, one after the other.
    pub(crate) fn write(marks: &[Self]) -> Vec<u8> {
        marks.iter().flat_map(|mark| [mark.reference, mark.content]).flatten().collect()
    }

    /// The marks that stand one after the other; an incomplete one at the end is left out.
    pub(crate) fn read(bytes: &[u8]) -> Vec<Self> {
        let mark = |bytes: &[u8; MARK_LEN]| Self {
            reference: std::array::from_fn(|i| bytes[i]),
            content: std::array::from_fn(|i| bytes[16 + i]),
        };
        bytes.as_chunks::<MARK_LEN>().0.iter().map(mark).collect()
    }
}

/// A digest under the unit's secret.
pub(crate) fn keyed(unit: &IssuingUnit, label: &[u8], bytes: &[u8]) -> [u8; 16] {
    let digest = derive(&unit.secret, &[label, bytes]);
    std::array::from_fn(|i| digest[i])
}
