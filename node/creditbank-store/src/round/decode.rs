//! Reads rounds back.

use creditbank_protocol::Digest;

use super::{EntryWrite, Head, Node, Round, RoundError, Row, Section, SectionTable, Table, VERSION, table_len};

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

    /// A count and that many items. The count reserves no memory, because it may be wrong.
    fn many<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, RoundError>) -> Result<Vec<T>, RoundError> {
        (0..self.u32()?).map(|_| item(self)).collect()
    }

    fn head(&mut self) -> Result<Head, RoundError> {
        Ok(Head { epoch: self.u64()?, size: self.u64()?, root: Digest(self.array()?) })
    }

    /// The section of the entry at a log index.
    fn section(&mut self, index: u64) -> Result<(EntryWrite, Section), RoundError> {
        let start = self.offset;
        let (_, bodies) = (self.u32()?, self.u32()?);
        self.offset = start;
        let table = self.take(usize::try_from(table_len(bodies)).map_err(|_| RoundError::Truncated)?)?;
        let table = SectionTable::read(index, table)?;
        let entry = self.sized(table.entry_len)?;
        let written = (0..bodies).map(|position| self.body(&table, position)).collect::<Result<Vec<_>, _>>()?;
        let section = Section { offset: start as u64, entry_len: table.entry_len, bodies };
        Ok((EntryWrite { entry, bodies: written }, section))
    }

    fn body(&mut self, table: &SectionTable, position: u32) -> Result<Vec<u8>, RoundError> {
        let place = table.body(position).ok_or(RoundError::Truncated)?;
        let body = self.sized(place.len)?;
        if crc32c::crc32c(&body) == place.crc { Ok(body) } else { Err(RoundError::Checksum) }
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
    /// Reads a round and where each entry's section is.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Self, Vec<Section>), RoundError> {
        let mut reader = Reader { bytes, offset: 0 };
        let version = reader.u8()?;
        if version != VERSION {
            return Err(RoundError::Unknown(version));
        }
        let (base, next) = (reader.head()?, reader.head()?);
        let mut index = base.size;
        let sections = reader.many(|reader| {
            let section = reader.section(index)?;
            index = index.checked_add(1).ok_or(RoundError::Surplus)?;
            Ok(section)
        })?;
        let (entries, sections) = sections.into_iter().unzip();
        let nodes = reader.many(Reader::node)?;
        let rows = reader.many(Reader::row)?;
        if reader.offset != bytes.len() {
            return Err(RoundError::Surplus);
        }
        Ok((Self { base, next, entries, nodes, rows }, sections))
    }
}
