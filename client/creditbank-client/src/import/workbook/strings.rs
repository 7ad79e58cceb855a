//! The texts of an .xlsx workbook: those that cells share, and those within cells.

use std::io::Read;

use quick_xml::events::Event;

use super::xml::{Xml, push_text, wrong};
use crate::import::rows::ImportError;

/// The texts that cells share, in one piece of memory.
#[derive(Debug, Default)]
pub(super) struct Strings {
    all: String,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Strings {
    pub(super) fn read(input: impl Read) -> Result<Self, ImportError> {
        let mut this = Self::default();
        let (mut xml, mut buffer) = (Xml::new(input), Vec::new());
        loop {
            match xml.next(&mut buffer)? {
                Event::Start(element) if element.local_name().as_ref() == "si" => {
                    let text = rich_text(&mut xml, &mut buffer)?;
                    this.all.push_str(&text);
                    this.ends.push(u32::try_from(this.all.len()).map_err(|_| wrong("its texts are too long"))?);
                }
                Event::Eof => return Ok(this),
                _ => {}
            }
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = usize::try_from(*self.ends.get(index)?).ok()?;
        let begin = index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |begin| *begin);
        self.all.get(usize::try_from(begin).ok()?..end)
    }
}

/// The text of the element whose beginning was read last: of all its runs, without readings of characters (`rPh`).
pub(super) fn rich_text<R: Read>(xml: &mut Xml<R>, buffer: &mut Vec<u8>) -> Result<String, ImportError> {
    let (mut text, mut depth, mut in_text) = (String::new(), 1, false);
    while depth > 0 {
        match xml.next(buffer)? {
            Event::Start(element) if element.local_name().as_ref() == "rPh" => xml.skip(buffer)?,
            Event::Start(element) => {
                depth += 1;
                in_text = element.local_name().as_ref() == "t";
            }
            Event::End(_) => {
                depth -= 1;
                in_text = false;
            }
            Event::Eof => break,
            event if in_text => push_text(&event, &mut text)?,
            _ => {}
        }
    }
    Ok(unescaped(text))
}

/// `_x000D_` stands for a character that XML cannot hold, in UTF-16.
pub(super) fn unescaped(text: String) -> String {
    if !text.contains("_x") {
        return text;
    }
    let code = |rest: &str| {
        let code = rest.strip_prefix("_x")?.get(..5)?.strip_suffix('_')?;
        code.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(code, 16).ok())?
    };
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(letter) = rest.chars().next() {
        if let Some(unit) = code(rest) {
            units.push(unit);
            rest = &rest["_x0000_".len()..];
        } else {
            units.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
            rest = &rest[letter.len_utf8()..];
        }
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: runs are put together, readings left out, and escapes undone.
    #[test]
    fn texts() {
        let part = "<sst><si><t>Law</t></si><si><r><rPr><b/></rPr><t xml:space=\"preserve\">Law </t></r><r><t>&amp; art</t></r></si>\
             <si><t>\u{6f22}\u{5b57}</t><rPh sb=\"0\" eb=\"1\"><t>\u{304b}\u{3093}\u{3058}</t></rPh></si><si/>\
             <si><t>a_x000D_b_x005F_x000D_c_xD83D__xDE00__xZZZZ_</t></si></sst>";
        let strings = Strings::read(part.as_bytes()).expect("texts");
        let all: Vec<_> = (0..6).map(|index| strings.get(index)).collect();
        let escaped = "a\rb_x000D_c\u{1f600}_xZZZZ_";
        assert_eq!(all, [Some("Law"), Some("Law & art"), Some("\u{6f22}\u{5b57}"), Some(""), Some(escaped), None]);
    }
}
