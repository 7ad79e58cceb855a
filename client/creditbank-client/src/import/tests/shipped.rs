//! The mappings that come with the program, each with a small file of invented people.

use super::Read;
use crate::import::SHIPPED;

fn example(name: &str) -> &'static [u8] {
    match name {
        "canvas" => include_bytes!("../../../../mappings/examples/canvas.csv"),
        "moodle" => include_bytes!("../../../../mappings/examples/moodle.csv"),
        "oneroster" => include_bytes!("../../../../mappings/examples/oneroster.csv"),
        "campusonline" => include_bytes!("../../../../mappings/examples/campusonline.csv"),
        "zhengfang" => include_bytes!("../../../../mappings/examples/zhengfang.csv"),
        _ => b"",
    }
}

/// Goal: each shipped mapping reads its system's export: passes, failures and absences as what they are, nothing refused.
#[test]
fn each_reads_its_export() {
    let mut tried = 0;
    for (name, mapping) in SHIPPED {
        let file = example(name);
        let filled = mapping.replace("TODO: its credits, as 6", "6").replace("TODO: its credits, as 15", "15");
        let filled = filled.replace("TODO: ", "");
        if filled != mapping {
            let refused = crate::import::Mapping::parse(mapping).expect_err("what only a person knows");
            assert!(refused.to_string().contains("TODO"), "{name}: {refused}");
        }
        let mapping = &filled;
        if file.is_empty() {
            crate::import::Mapping::parse(mapping).unwrap_or_else(|error| panic!("{name}: {error}"));
            continue;
        }
        tried += 1;
        let read = Read::of(mapping, file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let refused: Vec<_> = read.lines.iter().filter_map(|line| line.as_ref().err()).collect();
        assert!(refused.is_empty(), "{name}: {refused:?}");
        let kinds = |kind| read.lines.iter().flatten().filter(|draft| draft.kind_name() == kind).count();
        let expected = if name == "zhengfang" { (2, 3) } else { (1, 2) };
        assert_eq!((kinds("credit"), kinds("result")), expected, "{name}: {:?}", read.shown());
    }
    assert_eq!(tried, 5);
}
