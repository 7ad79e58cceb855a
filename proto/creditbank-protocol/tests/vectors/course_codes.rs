//! `course_codes.json`: what course codes are compared by, and texts that are refused.

use creditbank_protocol::course_code::{self, exact, key, near};
use creditbank_protocol::text;
use creditbank_protocol::unicode::{UNICODE_TABLES, UNICODE_VERSION};
use serde_json::{Value, json};

use super::agree;

/// Codes, those on one line of one course or near to each other.
const CODES: &[&str] = &[
    "WS-101",
    "ws-101",
    "WS101",
    "WS 101",
    "WS_101",
    "WS–101",
    "WS‑101",
    "ＷＳ－１０１",
    "WS.101",
    "MATH 101",
    "math 101",
    "ΠΛΗ10",
    "πλη10",
    "ΣΑΣ",
    "σας",
    "МАТ-101",
    "мат-101",
    "ÖKO.301",
    "öko.301",
    "\u{c9}C-1",
    "E\u{301}C-1",
    "\u{e9}c-1",
    "STRASSE",
    "straße",
    "STRA\u{1e9e}E",
    "\u{212a}1",
    "K1",
    "k1",
    "\u{130}1",
    "i1",
    "I1",
    "\u{131}1",
    "\u{fb01}1",
    "FI1",
    "\u{1f82}",
    "\u{1f8a}",
    "\u{3b1}\u{345}",
    "\u{1fb3}",
    "ท.๑๐๑",
    "हिन्दी-१०१",
    "क़-1",
    "क\u{93c}-1",
    "ｶﾞ1",
    "ガ1",
    "\u{ac00}1",
    "\u{1100}\u{1161}1",
    "微積分 (一)",
    "٣٠١ريض",
    "\u{13a0}1",
    "\u{ab70}1",
    "Q\u{307}\u{323}",
    "Q\u{323}\u{307}",
    "ǅ1",
    "ǆ1",
    "n\u{303}-1",
    "ñ-1",
    "A B-C_D",
    "abcd",
];

const REFUSED: &[&str] = &[
    " WS",
    "WS ",
    "WS  101",
    "WS\u{a0}101",
    "WS\u{3000}101",
    "WS\t101",
    "WS\n101",
    "WS\u{0}",
    "WS\u{85}",
    "\u{feff}WS",
    "WS\u{200b}101",
    "WS\u{200c}101",
    "WS\u{200d}101",
    "WS\u{200e}101",
    "WS\u{202e}101",
    "WS\u{2066}101",
    "WS\u{ad}101",
    "WS\u{2028}101",
    "WS\u{2029}101",
    "WS\u{fe0f}",
    "WS\u{34f}",
    "WS\u{3164}",
    "WS\u{115f}",
    "WS\u{e0100}",
    "WS\u{e000}",
    "WS\u{f0000}",
    "WS\u{378}",
    "WS\u{fffe}",
    "WS\u{fffd}",
    "WS\u{e0041}",
];

const TEXTS: &[&str] = &[
    "Économie",
    "می\u{200c}خواهم",
    "क्\u{200d}ष",
    "\u{200e}A\u{200f}",
    "\u{61c}A",
    "\u{2066}A\u{2069}",
    "A\u{a0}B",
    "\u{e000}",
    "one\ntwo",
    "one\ttwo",
    "one\r\ntwo",
    "\u{0}",
    "\u{7f}",
    "\u{9f}",
    "\u{202a}A",
    "\u{202b}A",
    "\u{202c}",
    "\u{202d}A",
    "\u{202e}A",
    "R\u{fffd}sum\u{fffd}",
    "\u{378}",
    "\u{fdd0}",
];

fn code(code: &&str) -> Value {
    json!({ "code": code, "key": key(code), "exact": exact(code), "near": near(code) })
}

fn refused(code: &str) -> Value {
    let reason = course_code::check(code).expect_err("a code that is refused");
    json!({ "code": code, "reason": reason.to_string() })
}

fn judged(one: &&str) -> Value {
    json!({ "text": one, "line": text::check(one, false).is_ok(), "prose": text::check(one, true).is_ok() })
}

/// Goal: what is one course, and what is no text, is the same for every implementation.
#[test]
fn course_code_vectors() {
    let longest = ["Ж".repeat(64), "\u{1d400}".repeat(64)];
    let too_long = ["A".repeat(65), "é".repeat(65)];
    assert!(CODES.iter().all(|code| course_code::check(code).is_ok()));
    assert!(longest.iter().all(|code| course_code::check(code).is_ok() && code.len() <= 256));
    let prefixes = ["MATH ", " MATH", "MATH  ", "MATH\u{a0}"];
    let prefixes =
        prefixes.map(|prefix| json!({ "prefix": prefix, "holds": course_code::check_prefix(prefix).is_ok() }));
    agree(
        "course_codes.json",
        &json!({
            "about": "RULES.md, section 15, Text and The same course: `key` is compared, `exact` where case matters, `near` is for \
                      warnings alone. `refused`: no codes; the reason is in words of no force. `texts`: whether a text may stand as \
                      a line, and where it may break into lines.",
            "unicode": UNICODE_VERSION, "tables": UNICODE_TABLES,
            "codes": CODES.iter().map(code).collect::<Vec<_>>(), "longest": longest,
            "refused": REFUSED.iter().copied().chain(too_long.iter().map(String::as_str)).map(refused).collect::<Vec<_>>(),
            "prefixes": prefixes, "texts": TEXTS.iter().map(judged).collect::<Vec<_>>(),
        }),
    );
}
