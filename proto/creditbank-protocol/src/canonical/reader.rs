//! A cursor over wire bytes that knows only shortest varints.

use super::Fault;

/// Reads from the front of a slice.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    pub(super) fn is_empty(&self) -> bool {
        self.offset == self.bytes.len()
    }

    /// A varint of at most 64 bits whose last group is not zero, unless it is the only one.
    pub(super) fn varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0u64;
        for group in 0..10u32 {
            let byte = *self.bytes.get(self.offset).ok_or(Fault::Truncated)?;
            self.offset += 1;
            let bits = u64::from(byte & 0x7f);
            if group == 9 && bits > 1 {
                return Err(Fault::Varint);
            }
            value |= bits << (7 * group);
            if byte & 0x80 == 0 {
                return if bits == 0 && group > 0 { Err(Fault::Varint) } else { Ok(value) };
            }
        }
        Err(Fault::Varint)
    }

    /// A length and as many bytes.
    pub(super) fn delimited(&mut self) -> Result<&'a [u8], Fault> {
        let length = usize::try_from(self.varint()?).map_err(|_| Fault::Truncated)?;
        let end = self.offset.checked_add(length).ok_or(Fault::Truncated)?;
        let part = self.bytes.get(self.offset..end).ok_or(Fault::Truncated)?;
        self.offset = end;
        Ok(part)
    }
}
