//! A look at a workbook's archive before it is read: how much comes out of it, whatever it says of itself.

use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;

use crate::import::rows::ImportError;

/// Most parts of an archive.
const PARTS_MAX: usize = 10_000;
/// Most bytes that may come out of one part. Sheets are read as a stream.
const SHEET_LEN_MAX: u64 = 512 << 20;
/// Of the texts that cells share: they are held whole, without their markup.
const STRINGS_LEN_MAX: u64 = 256 << 20;
/// Of any other part.
const OTHER_LEN_MAX: u64 = 64 << 20;
/// Of all parts together.
const ALL_LEN_MAX: u64 = 1 << 30;
/// Most bytes between two marks of XML: one value of a cell, one tag.
const RUN_LEN_MAX: usize = 1 << 20;

/// Unpacks every part once into nothing, and refuses an archive from which more comes than a registrar's sheet can hold. The
/// names of the parts.
pub(super) fn check(input: &mut (impl Read + Seek)) -> Result<Vec<String>, ImportError> {
    let wrong = |error: &dyn std::fmt::Display| ImportError::Workbook(error.to_string());
    let too_much = |name: &str, len: u64| {
        let name: String = name.chars().filter(char::is_ascii_graphic).take(100).collect();
        ImportError::Workbook(format!("its part {name} unpacks to more than {len} bytes"))
    };
    let mut archive = ZipArchive::new(&mut *input).map_err(|error| wrong(&error))?;
    if archive.len() > PARTS_MAX {
        return Err(ImportError::Workbook(format!("{} parts, at most {PARTS_MAX} are read", archive.len())));
    }
    let mut all = 0;
    let mut names = Vec::with_capacity(archive.len());
    let mut buffer = vec![0; 64 << 10];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|error| wrong(&error))?;
        let name = part.name().map_err(|error| wrong(&error))?.into_owned();
        let lower = name.to_ascii_lowercase();
        let max = if lower.starts_with("xl/worksheets/") || lower == "content.xml" {
            SHEET_LEN_MAX
        } else if lower.ends_with("sharedstrings.xml") {
            STRINGS_LEN_MAX
        } else {
            OTHER_LEN_MAX
        };
        let (mut len, mut run) = (0, 0);
        let is_xml = [".xml", ".rels"].iter().any(|end| lower.ends_with(end));
        loop {
            let read = part.read(&mut buffer).map_err(|error| wrong(&error))?;
            if read == 0 {
                break;
            }
            len += read as u64;
            all += read as u64;
            if len > max || all > ALL_LEN_MAX {
                return Err(too_much(&name, max.min(ALL_LEN_MAX)));
            }
            for byte in &buffer[..read] {
                run = if matches!(byte, b'<' | b'>') { 0 } else { run + 1 };
                if is_xml && run > RUN_LEN_MAX {
                    return Err(ImportError::Workbook(format!("a value of more than {RUN_LEN_MAX} bytes")));
                }
            }
        }
        drop(part);
        names.push(name);
    }
    input.seek(SeekFrom::Start(0)).map_err(|error| wrong(&error))?;
    Ok(names)
}
