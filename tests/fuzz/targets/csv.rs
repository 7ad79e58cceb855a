//! The importer: any mapping, any lines; each line becomes a record that the protocol reads, or is refused with its number.
#![no_main]

use std::io::Cursor;
use std::sync::{Arc, OnceLock};

use creditbank_client::import::{Mapping, OULAD, Rows, TEMPLATE};
use creditbank_client::{ClientError, IssuingUnit, Seeds, Signer};
use creditbank_protocol::pb::Purpose;
use creditbank_protocol::{Alias, UnitId};
use libfuzzer_sys::fuzz_target;

/// Nothing is signed here.
struct NoKey;

impl Signer for NoKey {
    fn purpose(&self) -> Purpose {
        Purpose::Unit
    }

    fn public_key(&self) -> [u8; 32] {
        [0; 32]
    }

    fn sign(&self, _: &[u8]) -> Result<[u8; 64], ClientError> {
        Err(ClientError::Local("no key".to_owned()))
    }

    fn secret(&self) -> Result<[u8; 32], ClientError> {
        Ok([9; 32])
    }
}

fn unit() -> &'static IssuingUnit {
    static UNIT: OnceLock<IssuingUnit> = OnceLock::new();
    UNIT.get_or_init(|| IssuingUnit::new(UnitId::new(1, 1), Arc::new(NoKey), Seeds::derived([9; 32])))
}

/// The mappings that ship.
fn shipped() -> &'static [Mapping; 2] {
    static SHIPPED: OnceLock<[Mapping; 2]> = OnceLock::new();
    SHIPPED.get_or_init(|| [OULAD, TEMPLATE].map(|text| Mapping::parse(text).expect("a mapping that ships")))
}

fn import(mapping: &Mapping, lines: &[u8]) {
    let Ok(rows) = Rows::open(mapping, Cursor::new(lines.to_vec())) else { return };
    for row in rows {
        match row {
            Ok(Ok(draft)) => {
                assert!(draft.line > 1, "line 1 is the header");
                // Too long for a record is an error of its own, with the line.
                if let Ok(record) = draft.finish(Alias([7; 16]), unit()) {
                    let again = draft.finish(Alias([7; 16]), unit());
                    assert_eq!(again.map(|again| again.hash()).ok(), Some(record.hash()));
                }
            }
            Ok(Err(refused)) => assert!(!refused.reason.is_empty()),
            // A file that cannot be read on: a record without end.
            Err(_) => break,
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let [pick, rest @ ..] = data else { return };
    if *pick < 0xf0 {
        return import(&shipped()[usize::from(pick % 2)], rest);
    }
    // A mapping and lines, parted by a byte that is in neither.
    let mut parts = rest.splitn(2, |byte| *byte == 0);
    let (Some(mapping), Some(lines)) = (parts.next(), parts.next()) else { return };
    if let Some(mapping) = std::str::from_utf8(mapping).ok().and_then(|text| Mapping::parse(text).ok()) {
        import(&mapping, lines);
    }
});
