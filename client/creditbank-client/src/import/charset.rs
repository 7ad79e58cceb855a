//! The encodings that a file may be said to be in, by name and by language.

use encoding_rs as codings;

/// An encoding other than UTF-8 and UTF-16.
#[derive(Debug)]
pub struct Charset {
    /// Its name in mappings and on the command line.
    pub(super) name: &'static str,
    /// Other names of it. Some are of subsets that assign the same characters to the same bytes.
    also: &'static [&'static str],
    /// What is written in it.
    language: &'static str,
    pub(super) coding: &'static codings::Encoding,
}

impl PartialEq for Charset {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Charset {}

macro_rules! charsets {
    ($($language:literal: $name:literal [$($also:literal),*] $coding:ident;)*) => {
        &[$(Charset { name: $name, also: &[$($also),*], language: $language, coding: codings::$coding }),*]
    };
}

/// By language; those of one language stand together.
const ALL: &[Charset] = charsets! {
    "Western European": "windows-1252" ["latin-1", "latin1", "iso-8859-1", "cp1252"] WINDOWS_1252;
    "Western European": "iso-8859-15" ["latin-9", "latin9"] ISO_8859_15;
    "Western European": "macintosh" ["mac-roman"] MACINTOSH;
    "Central European": "windows-1250" ["cp1250"] WINDOWS_1250;
    "Central European": "iso-8859-2" ["latin-2", "latin2"] ISO_8859_2;
    "Central European": "iso-8859-16" ["latin-10", "latin10"] ISO_8859_16;
    "South European": "iso-8859-3" ["latin-3", "latin3"] ISO_8859_3;
    "Baltic": "windows-1257" ["cp1257"] WINDOWS_1257;
    "Baltic": "iso-8859-13" ["latin-7", "latin7"] ISO_8859_13;
    "Baltic": "iso-8859-4" ["latin-4", "latin4"] ISO_8859_4;
    "Nordic": "iso-8859-10" ["latin-6", "latin6"] ISO_8859_10;
    "Celtic": "iso-8859-14" ["latin-8", "latin8"] ISO_8859_14;
    "Cyrillic": "windows-1251" ["cp1251"] WINDOWS_1251;
    "Cyrillic": "koi8-r" [] KOI8_R;
    "Cyrillic": "koi8-u" [] KOI8_U;
    "Cyrillic": "iso-8859-5" [] ISO_8859_5;
    "Cyrillic": "ibm866" ["cp866"] IBM866;
    "Cyrillic": "x-mac-cyrillic" [] X_MAC_CYRILLIC;
    "Greek": "windows-1253" ["cp1253"] WINDOWS_1253;
    "Greek": "iso-8859-7" [] ISO_8859_7;
    "Turkish": "windows-1254" ["iso-8859-9", "latin-5", "latin5", "cp1254"] WINDOWS_1254;
    "Hebrew": "windows-1255" ["cp1255"] WINDOWS_1255;
    "Hebrew": "iso-8859-8" ["iso-8859-8-i"] ISO_8859_8;
    "Arabic": "windows-1256" ["cp1256"] WINDOWS_1256;
    "Arabic": "iso-8859-6" [] ISO_8859_6;
    "Vietnamese": "windows-1258" ["cp1258"] WINDOWS_1258;
    "Thai": "windows-874" ["tis-620", "iso-8859-11", "cp874"] WINDOWS_874;
    "Japanese": "shift_jis" ["shift-jis", "sjis", "windows-31j", "cp932"] SHIFT_JIS;
    "Japanese": "euc-jp" [] EUC_JP;
    "Japanese": "iso-2022-jp" [] ISO_2022_JP;
    "Korean": "euc-kr" ["windows-949", "uhc", "cp949"] EUC_KR;
    "Simplified Chinese": "gb18030" ["gb-18030", "gbk", "gb2312", "cp936"] GB18030;
    "Traditional Chinese": "big5" ["big-5", "big5-hkscs", "cp950"] BIG5;
};

/// By its name, in any case and with `_` for `-`.
pub(super) fn by_name(name: &str) -> Option<&'static Charset> {
    let plain = |name: &str| name.to_ascii_lowercase().replace('_', "-");
    let name = plain(name);
    ALL.iter().find(|charset| std::iter::once(&charset.name).chain(charset.also).any(|known| plain(known) == name))
}

/// All of them by language, for messages. It recommends none: text in one is often text in another, with other names in it.
pub(super) fn by_language() -> String {
    let mut text = String::from("any language: utf-8, utf-16le, utf-16be");
    let mut language = "";
    for charset in ALL {
        text.push_str(if charset.language == language { ", " } else { "; " });
        if charset.language != language {
            text.push_str(charset.language);
            text.push_str(": ");
        }
        language = charset.language;
        text.push_str(charset.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every name stands for one encoding, and every encoding that the issue of this asked for is there.
    #[test]
    fn names() {
        let mut names: Vec<&str> = ALL.iter().flat_map(|charset| [&[charset.name], charset.also].concat()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for number in (1250..=1258).chain([874]) {
            assert!(by_name(&format!("windows-{number}")).is_some(), "{number}");
        }
        for part in (1..=11).chain(13..=16) {
            assert!(by_name(&format!("ISO-8859-{part}")).is_some(), "{part}");
        }
        for name in ["Shift_JIS", "EUC-KR", "Big5", "GB18030", "KOI8-R", "KOI8-U", "Latin-1", "shift-jis"] {
            assert!(by_name(name).is_some(), "{name}");
        }
        assert!(by_name("utf-7").is_none());
        assert!(by_language().contains("; Thai: windows-874; Japanese: shift_jis, euc-jp, iso-2022-jp; Korean"));
    }
}
