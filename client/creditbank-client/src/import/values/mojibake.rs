//! Text that was read in a wrong encoding, and letters that an encoding has lost.

use std::collections::BTreeSet;

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, IBM866, KOI8_R, MACINTOSH, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251,
    WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1257,
};

/// Letters of a word that are all beyond ASCII: as many stand together in no language of Western Europe.
const FOREIGN_MIN: usize = 5;

/// What a text may have been before it was read in a wrong encoding, once or several times.
pub(in crate::import) fn mojibake(text: &str) -> Option<String> {
    if text.is_ascii() || is_of_capitals(text) {
        return None;
    }
    if let Some(mut found) = undone(text) {
        // Twice is common, three times has been seen.
        for _ in 0..3 {
            match undone(&found) {
                Some(again) => found = again,
                None => break,
            }
        }
        return Some(found);
    }
    as_latin(text).or_else(|| in_parts(text)).or_else(|| swapped_case(text))
}

/// Capitals with accents, quotes and dashes alone: two of them may well be the bytes of another letter, and are not.
fn is_of_capitals(text: &str) -> bool {
    let is_own = |c: char| {
        c.is_ascii()
            || c.is_uppercase() && !matches!(c, '\u{400}'..='\u{52f}')
            || matches!(
                c,
                '\u{a0}' | '\u{ab}' | '\u{bb}' | '\u{2010}'..='\u{201f}' | '\u{2039}' | '\u{203a}' | '\u{202f}'
            )
    };
    text.chars().all(|c| is_own(c) && !c.is_lowercase())
}

/// UTF-8 that was read as an encoding of single bytes, or as one of East Asia.
fn undone(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let read_as: [&'static Encoding; 7] =
        [WINDOWS_1252, WINDOWS_1250, WINDOWS_1251, WINDOWS_1254, WINDOWS_1253, WINDOWS_1257, MACINTOSH];
    read_as.iter().find_map(|encoding| {
        let meant = decoded(&encoded(encoding, text)?, encoding_rs::UTF_8)?;
        (meant != text).then_some(meant)
    })
}

/// Text of which only a part was read wrongly: an A with tilde or circumflex, or such a mark, and what was a second byte.
fn in_parts(text: &str) -> Option<String> {
    let mut found = String::new();
    let mut rest = text;
    let mut is_changed = false;
    while let Some(first) = rest.chars().next() {
        let pair: String = rest.chars().take(2).collect();
        let is_lead = matches!(first, '\u{c2}'..='\u{c5}' | '\u{ce}'..='\u{d1}' | '\u{d7}'..='\u{d9}');
        let second = pair.chars().nth(1);
        // Two letters with accents may stand together; a sign behind a letter with an accent is no word.
        let is_sign = second.is_some_and(|c| {
            !c.is_ascii() && !c.is_alphabetic()
                || matches!(
                    c,
                    '\u{192}'
                        | '\u{160}'
                        | '\u{161}'
                        | '\u{152}'
                        | '\u{153}'
                        | '\u{178}'
                        | '\u{17d}'
                        | '\u{17e}'
                        | '\u{aa}'
                        | '\u{ba}'
                )
        });
        let third = rest.chars().nth(2);
        let is_quote = second.is_some_and(|c| matches!(c, '\u{a0}' | '\u{ab}' | '\u{bb}' | '\u{2010}'..='\u{201f}'));
        // A letter at the end of a word, and a quote, a dash or a space behind it.
        let is_sign = is_sign && !(is_quote && third.is_none_or(|c| !c.is_alphabetic()));
        let meant = if is_lead && is_sign {
            encoded(WINDOWS_1252, &pair).and_then(|bytes| decoded(&bytes, encoding_rs::UTF_8))
        } else {
            None
        };
        if let Some(meant) = meant {
            found.push_str(&meant);
            is_changed = true;
            rest = &rest[pair.len()..];
        } else {
            found.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    is_changed.then_some(found)
}

/// Cyrillic, Chinese, Japanese or Korean text that was read as Latin: words of nothing but accented letters and signs.
fn as_latin(text: &str) -> Option<String> {
    let is_high = |c: char| matches!(c, '\u{a0}'..='\u{ff}' | '\u{192}' | '\u{2018}'..='\u{203a}' | '\u{20ac}');
    let is_word = |run: &str| run.chars().count() >= FOREIGN_MIN && run.chars().collect::<BTreeSet<_>>().len() > 2;
    if !text.split(|c| !is_high(c)).any(is_word) {
        return None;
    }
    let bytes = encoded(WINDOWS_1252, text)?;
    let is_east_asian =
        |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    let is_cyrillic = |c: char| matches!(c, '\u{400}'..='\u{45f}');
    let all = |text: &str, is_meant: &dyn Fn(char) -> bool| text.chars().filter(|c| !c.is_ascii()).all(is_meant);
    let east = [GB18030, EUC_KR, EUC_JP, BIG5, SHIFT_JIS].into_iter();
    let east = east.filter_map(|encoding| decoded(&bytes, encoding)).find(|meant| all(meant, &is_east_asian));
    let cyrillic = || {
        let found = [WINDOWS_1251, KOI8_R].into_iter().filter_map(|encoding| decoded(&bytes, encoding));
        // A capital behind a small letter: it was another encoding.
        found.filter(|meant| all(meant, &is_cyrillic)).find(|meant| !has_late_capitals(meant))
    };
    // Chinese words have few letters, so the words of a text in Cyrillic are longer.
    cyrillic()
        .filter(|_| {
            text.split(' ').any(|word| {
                word.chars().filter(|c| matches!(c, '\u{c0}'..='\u{ff}')).count() == word.chars().count()
                    && word.len() >= 2 * FOREIGN_MIN
            })
        })
        .or(east)
}

/// Cyrillic that was read in the other encoding of Cyrillic: small letters and capitals have changed places.
fn swapped_case(text: &str) -> Option<String> {
    if !has_late_capitals(text) {
        return None;
    }
    let ways = [(WINDOWS_1251, KOI8_R), (KOI8_R, WINDOWS_1251), (WINDOWS_1251, IBM866), (IBM866, WINDOWS_1251)];
    let meant = ways.into_iter().filter_map(|(read, was)| decoded(&encoded(read, text)?, was));
    meant
        .into_iter()
        .find(|meant| !has_late_capitals(meant) && meant.chars().any(|c| matches!(c, '\u{410}'..='\u{44f}')))
}

/// Whether a Cyrillic word begins with a small letter and goes on in capitals.
fn has_late_capitals(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic()).any(|word| {
        let mut letters = word.chars();
        let first = letters.next().is_some_and(|c| matches!(c, '\u{430}'..='\u{45f}'));
        first && word.chars().count() >= 4 && letters.all(|c| matches!(c, '\u{400}'..='\u{42f}'))
    })
}

fn encoded(encoding: &'static Encoding, text: &str) -> Option<Vec<u8>> {
    let (bytes, _, has_others) = encoding.encode(text);
    (!has_others).then(|| bytes.into_owned())
}

fn decoded(bytes: &[u8], encoding: &'static Encoding) -> Option<String> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    text.chars().all(|c| !c.is_control() && c != '\u{fffd}').then(|| text.into_owned())
}

/// Why letters of a text are lost: no encoding brings them back.
pub(in crate::import) fn lost_letters(text: &str) -> Option<&'static str> {
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if has(&["\u{ef}\u{bf}\u{bd}", "\u{951f}\u{65a4}\u{62f7}", "\u{70eb}\u{70eb}\u{70eb}", "\u{5c6f}\u{5c6f}\u{5c6f}"])
    {
        return Some("letters were lost before this file was written");
    }
    if text.chars().any(|c| matches!(c, '\u{2500}'..='\u{259f}')) {
        return Some("lines of a table stand for letters: it was read in an encoding of DOS");
    }
    let all: Vec<char> = text.chars().collect();
    let is_lost = |at: usize| {
        let before = at.checked_sub(1).map(|at| all[at]);
        let after = all.get(at + 1).copied();
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        let is_gap = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let is_small = |c: Option<char>| c.is_some_and(char::is_lowercase);
        let is_capital = |c: Option<char>| c.is_some_and(char::is_uppercase);
        match all[at] {
            // Before a small letter, or within a word of capitals; before nothing but at the beginning of a word. Languages
            // differ in whether a space stands before the mark of a question.
            '?' if is_gap(before) && is_gap(after) => {
                at > 0 && is_small(all.get(at + 1..).and_then(|rest| rest.iter().find(|c| !c.is_whitespace())).copied())
            }
            '?' if is_gap(before) => is_letter(after) || after == Some('?'),
            '?' => is_small(after) && is_letter(before) || is_capital(before) && is_capital(after),
            '\u{bf}' => is_letter(before) && is_letter(after),
            _ => false,
        }
    };
    (0..all.len()).any(is_lost).then_some("question marks stand for letters")
}

/// Text that another program was to decode: `\\u00e9`, `=C3=A9`, `+AOk-`, `~{`.
pub(in crate::import) fn undecoded(text: &str) -> Option<&'static str> {
    let hex = |text: &str, from: usize, len: usize| {
        text.get(from..from + len).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let is_any = |sign: &str, test: &dyn Fn(&str) -> bool| text.match_indices(sign).any(|(at, _)| test(&text[at..]));
    if is_any("\\u", &|rest| hex(rest, 2, 4)) {
        return Some("escapes of a program stand for letters");
    }
    if is_any("=", &|rest| hex(rest, 1, 2) && rest.get(3..4) == Some("=") && hex(rest, 4, 2)) {
        return Some("quoted-printable text of a mail");
    }
    let is_utf7 = |rest: &str| {
        let part = rest.get(1..).and_then(|rest| rest.split_once('-')).map_or("", |(part, _)| part);
        is_utf16_in_base64(part)
    };
    if is_any("+", &is_utf7) {
        return Some("UTF-7");
    }
    text.contains("~{").then_some("HZ, an old encoding of Chinese")
}

/// Whether a text is whole UTF-16 units beyond ASCII in base64, as RFC 2152 has it: no word is, by accident.
fn is_utf16_in_base64(text: &str) -> bool {
    let (mut bits, mut held, mut units) = (0_u32, 0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return false,
        };
        (bits, held) = (bits << 6 | u32::from(value), held + 6);
        if held >= 16 {
            held -= 16;
            if bits >> held < 0x80 {
                return false;
            }
            bits &= (1 << held) - 1;
            units += 1;
        }
    }
    units > 0 && held < 6 && bits == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: text in a wrong encoding is recognised with what it was, and text that is well is left alone.
    #[test]
    fn damaged_and_well() {
        for (seen, meant) in [
            ("G\u{c3}\u{a9}om\u{c3}\u{a9}trie", "G\u{e9}om\u{e9}trie"),
            ("G\u{c3}\u{192}\u{c2}\u{a9}o", "G\u{e9}o"),
            ("\u{420}\u{45a}\u{420}\u{452}\u{420}\u{45e}", "\u{41c}\u{410}\u{422}"),
            ("M\u{c3}\u{bc}ller", "M\u{fc}ller"),
            ("caf\u{221a}\u{a9}", "caf\u{e9}"),
            ("Alg\u{e8}bre et G\u{c3}\u{a9}om\u{c3}\u{a9}trie", "Alg\u{e8}bre et G\u{e9}om\u{e9}trie"),
            ("\u{b8}\u{df}\u{b5}\u{c8}\u{ca}\u{fd}\u{d1}\u{a7}", "\u{9ad8}\u{7b49}\u{6570}\u{5b66}"),
            (
                "\u{cc}\u{e0}\u{f2}\u{e5}\u{ec}\u{e0}\u{f2}\u{e8}\u{ea}\u{e0}",
                "\u{41c}\u{430}\u{442}\u{435}\u{43c}\u{430}\u{442}\u{438}\u{43a}\u{430}",
            ),
            (
                "\u{43b}\u{411}\u{424}\u{415}\u{41d}\u{411}\u{424}\u{419}\u{41b}\u{411}",
                "\u{41a}\u{430}\u{442}\u{435}\u{43c}\u{430}\u{442}\u{438}\u{43a}\u{430}",
            ),
        ] {
            assert_eq!(mojibake(seen).as_deref(), Some(meant), "{seen}");
        }
        for well in [
            "Geometry",
            "G\u{e9}om\u{e9}trie",
            "\u{10d}esk\u{fd}",
            "\u{41c}\u{430}\u{442}\u{435}\u{43c}\u{430}\u{442}\u{438}\u{43a}\u{430}",
            "\u{41c}\u{410}\u{422}\u{415}\u{41c}\u{410}\u{422}\u{418}\u{41a}\u{410}",
            "\u{393}\u{3b5}\u{3c9}",
            "\u{9ad8}\u{7b49}\u{6570}\u{5b66}",
            "\u{c3}ngela",
            "AMANH\u{c3} DE MANH\u{c3}",
            "\u{c2}ge d'or",
            "V\u{dd}\u{17d}IVA",
            "R\u{16e}\u{17d}E",
            "P\u{cd}\u{160}EME",
            "R\u{d3}\u{17b}NE",
            "C\u{c2}\u{15e}TIGUL",
            "FIZIC\u{102}\u{201d}",
            "MATEMATIC\u{102}\u{2013}CURS",
            "\u{201c}MANH\u{c3}\u{201d}",
            "\u{ab}CIDAD\u{c3}\u{bb} e mais",
            "MANH\u{c3}\u{a0}E TARDE",
            "80 \u{b0}C",
            "j\u{e4}\u{e4}\u{e4}\u{e4}r",
            "Fran\u{e7}ais \u{ab}\u{a0}\u{e9}crit\u{a0}\u{bb}",
            "\u{d6}\u{11f}renci i\u{15f}leri",
        ] {
            assert_eq!(mojibake(well), None, "{well}");
        }
    }

    /// Goal: letters that are lost and text that was never decoded are found; questions are not.
    #[test]
    fn lost() {
        for text in [
            "G?om?trie",
            "?????????? ????",
            "?lgebra",
            "Histoire ? l'universit\u{e9}",
            "G?OM?TRIE",
            "G\u{ef}\u{bf}\u{bd}om\u{ef}\u{bf}\u{bd}trie",
            "\u{951f}\u{65a4}\u{62f7}",
            "G\u{251c}\u{ae}om\u{251c}\u{ae}trie",
            "G\u{bf}om\u{bf}trie",
        ] {
            assert!(lost_letters(text).is_some(), "{text}");
        }
        for text in [
            "Qu\u{2019}est-ce que l\u{2019}\u{c9}tat ?",
            "O\u{f9} ? Comment ?",
            "Pourquoi ? (2)",
            "Was ist Kunst ?",
            "Why???",
            "Wer?Wie?Was?",
            "Histoire ? Paris",
        ] {
            assert_eq!(lost_letters(text), None, "{text}");
        }
        for text in ["Why? Because", "What is law?", "\u{bf}Qu\u{e9} es?", "Law (why?)", "A/B?"] {
            assert_eq!(lost_letters(text), None, "{text}");
        }
        for text in ["G\\u00e9o", "G=C3=A9o", "G+AOk-om", "~{8_5H~}"] {
            assert!(undecoded(text).is_some(), "{text}");
        }
        for text in [
            "C++ and C-",
            "Film+Audio-Produktion",
            "Mathe+Art-Seminar",
            "STEM+Arts-Programm",
            "C+Ada-Kurs",
            "a=b",
            "A+ grade - B",
            "R\u{e9}sum\u{e9}",
            "x=12=y",
        ] {
            assert_eq!(undecoded(text), None, "{text}");
        }
    }
}
