//! The importer: any mapping, any lines; each line becomes a record that the protocol reads, or is refused with its number.
#![no_main]

use creditbank_protocol::Alias;
use std::io::Cursor;
use std::sync::OnceLock;

use creditbank_client::import::{Mapping, OULAD, Rows, TEMPLATE};
use libfuzzer_sys::fuzz_target;

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
                if let Ok(record) = draft.finish(Alias([7; 16]), &[9; 32]) {
                    assert_eq!(draft.finish(Alias([7; 16]), &[9; 32]).map(|again| again.hash()).ok(), Some(record.hash()));
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
