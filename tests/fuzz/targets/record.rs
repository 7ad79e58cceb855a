//! Records: what is accepted has one spelling and one hash, whole or opened claim by claim, and hides what it hides.
#![no_main]

use creditbank_protocol::canonical::{check, top_level_fields};
use creditbank_protocol::pb;
use creditbank_protocol::record::{Disclosed, Record, disclose, kind_info};
use creditbank_protocol::registry::RegistryKey;
use libfuzzer_sys::fuzz_target;
use prost::Message as _;

/// Kinds of this version, of which the first byte picks one.
const KINDS: [u32; 11] = [1, 2, 3, 4, 64, 65, 66, 67, 68, 69, 70];

fuzz_target!(|data: &[u8]| {
    let [pick, mask, body @ ..] = data else { return };
    let kind = KINDS[usize::from(*pick) % KINDS.len()];
    // What the network may send as a disclosed record.
    if let Ok(disclosed) = pb::DisclosedRecord::decode(body)
        && let Ok(read) = Disclosed::new(&disclosed)
    {
        check(read.info.schema, &read.body).expect("the opened fields are canonical");
        assert_eq!(read.opened.len(), read.info.fields());
    }
    let Ok(record) = Record::new(kind, 1, &[*mask; 32], body.to_vec()) else {
        return;
    };
    let info = kind_info(kind).expect("a known kind");
    // One spelling: decoding and encoding gives the same bytes.
    let spelled = match kind {
        1 => pb::Identity::decode(body).map(|message| message.encode_to_vec()),
        2 => pb::Outcome::decode(body).map(|message| message.encode_to_vec()),
        3 => pb::Credit::decode(body).map(|message| message.encode_to_vec()),
        4 => pb::Result::decode(body).map(|message| message.encode_to_vec()),
        64 => pb::Institution::decode(body).map(|message| message.encode_to_vec()),
        65 => pb::Unit::decode(body).map(|message| message.encode_to_vec()),
        66 => pb::Key::decode(body).map(|message| message.encode_to_vec()),
        67 => pb::Accreditation::decode(body).map(|message| message.encode_to_vec()),
        68 => pb::CreditUnit::decode(body).map(|message| message.encode_to_vec()),
        69 => pb::Framework::decode(body).map(|message| message.encode_to_vec()),
        _ => pb::GradeScale::decode(body).map(|message| message.encode_to_vec()),
    };
    assert_eq!(spelled.as_deref(), Ok(body));
    let _ = RegistryKey::of(record.kind(), body);
    // Whole and in part lead to one hash; what is hidden is not in the opened body.
    let open: Vec<u16> = (1..=64).filter(|number| mask >> (number % 8) & 1 == 1).collect();
    let claims = disclose(&record, &open).expect("claims of a record");
    let kind = i32::from(record.kind());
    let partly = pb::DisclosedRecord { kind, version: 1, claims, ..Default::default() };
    let read = Disclosed::new(&partly).expect("an honest disclosure");
    assert_eq!(read.hash, record.hash());
    let whole = top_level_fields(info.schema, body).expect("canonical");
    let shown = top_level_fields(info.schema, &read.body).expect("canonical");
    for (number, (whole, shown)) in info.numbers().zip(whole.into_iter().zip(shown)) {
        let expected = if open.contains(&number) { &body[whole] } else { &[][..] };
        assert_eq!(&read.body[shown], expected, "claim {number}");
    }
});
