//! The checksum after each value in an index: CRC-32C of table, key and value.
//!
//! An engine returns whatever its disk has made of a row. So every row is checked when it is read, whatever the engine.

use crate::{IndexError, Row, Table};

const LEN: usize = 4;

fn checksum(table: Table, key: &[u8], value: &[u8]) -> [u8; LEN] {
    let head = crc32c::crc32c_append(crc32c::crc32c(&[table.0]), key);
    crc32c::crc32c_append(head, value).to_be_bytes()
}

/// The row in the form for an engine.
pub fn with_sum(Row { table, key, value }: &Row) -> Row {
    let value = value.as_ref().map(|value| {
        let mut summed = Vec::with_capacity(value.len() + LEN);
        summed.extend_from_slice(value);
        summed.extend_from_slice(&checksum(*table, key, value));
        summed
    });
    Row { table: *table, key: key.clone(), value }
}

/// The value of a row that was just made by [`with_sum`].
pub(crate) fn known(mut summed: Vec<u8>) -> Vec<u8> {
    summed.truncate(summed.len().saturating_sub(LEN));
    summed
}

/// The value of a row of an index, checked.
pub fn checked(table: Table, key: &[u8], mut summed: Vec<u8>) -> Result<Vec<u8>, IndexError> {
    let holds = summed.split_last_chunk::<LEN>().is_some_and(|(value, sum)| checksum(table, key, value) == *sum);
    if !holds {
        return Err(IndexError(format!("the checksum of a row of table {} does not hold", table.0)));
    }
    summed.truncate(summed.len() - LEN);
    Ok(summed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a value comes back unchanged, and no bit of it, of its key or of its table may change.
    #[test]
    fn a_flipped_bit_is_found() {
        let row = Row { table: Table(3), key: b"key".to_vec(), value: Some(b"value".to_vec()) };
        let summed = with_sum(&row).value.expect("a value");
        assert_eq!(known(summed.clone()), b"value");
        assert_eq!(checked(Table(3), b"key", summed.clone()).expect("whole"), b"value");
        for bit in 0..summed.len() * 8 {
            let mut flipped = summed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(checked(Table(3), b"key", flipped).is_err(), "bit {bit}");
        }
        assert!(checked(Table(2), b"key", summed.clone()).is_err() && checked(Table(3), b"kez", summed).is_err());
        assert!(checked(Table(3), b"key", Vec::new()).is_err());
    }
}
