//! Reading rounds back.

use creditbank_protocol::Digest;

use super::{EntryWrite, Head, Node, Round, RoundError, Row, Section, Table, VERSION};

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], RoundError> {
        let end = self.offset.checked_add(len).ok_or(RoundError::Truncated)?;
        let part = self.bytes.get(self.offset..end).ok_or(RoundError::Truncated)?;
        self.offset = end;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RoundError> {
        self.take(N)?.try_into().map_err(|_| RoundError::Truncated)
    }

    fn u8(&mut self) -> Result<u8, RoundError> {
        Ok(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32, RoundError> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, RoundError> {
        self.array().map(u64::from_be_bytes)
    }

    fn variable(&mut self) -> Result<Vec<u8>, RoundError> {
        let len = self.u32()?;
        self.sized(len)
    }

    fn sized(&mut self, len: u32) -> Result<Vec<u8>, RoundError> {
        Ok(self.take(usize::try_from(len).map_err(|_| RoundError::Truncated)?)?.to_vec())
    }

    /// A count and as many items. Nothing is reserved by the count, which may be a lie.
    fn many<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, RoundError>) -> Result<Vec<T>, RoundError> {
        (0..self.u32()?).map(|_| item(self)).collect()
    }

    fn head(&mut self) -> Result<Head, RoundError> {
        Ok(Head { epoch: self.u64()?, size: self.u64()?, root: Digest(self.array()?) })
    }

    fn section(&mut self) -> Result<(EntryWrite, Section), RoundError> {
        let offset = self.offset as u64;
        let (entry_len, bodies) = (self.u32()?, self.u32()?);
        let lengths = (0..bodies).map(|_| self.u32()).collect::<Result<Vec<_>, _>>()?;
        let entry = self.sized(entry_len)?;
        let written = lengths.into_iter().map(|len| self.sized(len)).collect::<Result<Vec<_>, _>>()?;
        Ok((EntryWrite { entry, bodies: written }, Section { offset, entry_len, bodies }))
    }

    fn node(&mut self) -> Result<Node, RoundError> {
        Ok(Node { level: self.u8()?, index: self.u64()?, hash: Digest(self.array()?) })
    }

    fn row(&mut self) -> Result<Row, RoundError> {
        let table = Table(self.u8()?);
        let key_len = u16::from_be_bytes(self.array()?);
        let key = self.take(usize::from(key_len))?.to_vec();
        let present = self.u8()?;
        let value = self.variable()?;
        match (present, value.is_empty()) {
            (1, _) => Ok(Row { table, key, value: Some(value) }),
            (0, true) => Ok(Row { table, key, value: None }),
            (mark, _) => Err(RoundError::Unknown(mark)),
        }
    }
}

impl Round {
    /// Reads a round and where each entry's section lies.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Self, Vec<Section>), RoundError> {
        let mut reader = Reader { bytes, offset: 0 };
        let version = reader.u8()?;
        if version != VERSION {
            return Err(RoundError::Unknown(version));
        }
        let (base, next) = (reader.head()?, reader.head()?);
        let (entries, sections) = reader.many(Reader::section)?.into_iter().unzip();
        let nodes = reader.many(Reader::node)?;
        let rows = reader.many(Reader::row)?;
        if reader.offset != bytes.len() {
            return Err(RoundError::Surplus);
        }
        Ok((Self { base, next, entries, nodes, rows }, sections))
    }
}
