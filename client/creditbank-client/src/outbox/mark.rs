//! What tells one thing that is issued from another, without saying what it is: keyed digests.

use sha2::{Digest as _, Sha256};

use crate::IssuingUnit;
use crate::secret::derive;

/// Which result a line or a block is about, and what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(super) reference: [u8; 16],
    pub(super) content: [u8; 16],
}

/// Bytes of a mark on the disk: both digests, and a check of 4 bytes, as a bit that has flipped would look like
/// another result.
pub(super) const MARK_LEN: usize = 36;

/// A mark whose check does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the mark at byte {0} is damaged")]
pub(crate) struct DamagedMark(usize);

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
        marks.iter().flat_map(|mark| [&mark.reference[..], &mark.content, &mark.check()].concat()).collect()
    }

    /// The marks that stand one after the other; an incomplete one at the end is left out.
    pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Self>, DamagedMark> {
        let mark = |(number, bytes): (usize, &[u8; MARK_LEN])| {
            let mark =
                Self { reference: std::array::from_fn(|i| bytes[i]), content: std::array::from_fn(|i| bytes[16 + i]) };
            if bytes[32..] == mark.check() { Ok(mark) } else { Err(DamagedMark(number * MARK_LEN)) }
        };
        bytes.as_chunks::<MARK_LEN>().0.iter().enumerate().map(mark).collect()
    }

    fn check(&self) -> [u8; 4] {
        let digest = Sha256::new().chain_update(self.reference).chain_update(self.content).finalize();
        std::array::from_fn(|i| digest[i])
    }
}

/// A digest under the secret of the unit that lasts.
pub(crate) fn keyed(unit: &IssuingUnit, label: &[u8], bytes: &[u8]) -> [u8; 16] {
    let digest = derive(unit.seeds.lasting(), &[label, bytes]);
    std::array::from_fn(|i| digest[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: whatever bit flips in a mark, it is found, and never read as another mark.
    #[test]
    fn a_flipped_bit_is_damage() {
        let marks = [Mark { reference: [1; 16], content: [2; 16] }, Mark { reference: [3; 16], content: [4; 16] }];
        let bytes = Mark::write(&marks);
        assert_eq!(Mark::read(&bytes), Ok(marks.to_vec()));
        assert_eq!(Mark::read(&bytes[..MARK_LEN + 5]), Ok(marks[..1].to_vec()), "a torn end is left out");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Mark::read(&flipped), Err(DamagedMark(bit / 8 / MARK_LEN * MARK_LEN)), "bit {bit}");
        }
    }
}
