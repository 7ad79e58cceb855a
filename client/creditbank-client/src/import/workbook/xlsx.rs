//! Workbooks of Office Open XML (.xlsx, .xlsm): which parts hold what.

use std::collections::HashMap;
use std::io::{Read, Seek};
use std::rc::Rc;

use quick_xml::events::Event;
use zip::ZipArchive;

use super::cells::{self, Context};
use super::number_format::Format;
use super::sheet::{Give, Layout, Named};
use super::strings::Strings;
use super::xml::{Xml, attribute, is_set, wrong};
use crate::import::rows::ImportError;

/// A workbook.
pub(super) struct Xlsx<R> {
    archive: ZipArchive<R>,
    pub(super) sheets: Vec<Named>,
    context: Context,
}

/// What a part refers to: kind and part by id.
type Relations = HashMap<String, (String, String)>;

impl<R: Read + Seek> Xlsx<R> {
    pub(super) fn open(mut archive: ZipArchive<R>, names: &[String]) -> Result<Self, ImportError> {
        let book = relations(&mut archive, names, "")?;
        let book = part_of(&book, "/officeDocument").unwrap_or_else(|| "xl/workbook.xml".to_owned());
        let parts = relations(&mut archive, names, &book)?;
        let (sheets, is_1904) = sheets(&mut archive, names, &book, &parts)?;
        let strings = match part_of(&parts, "/sharedStrings").and_then(|part| actual(names, &part)) {
            Some(part) => Strings::read(archive.by_name(part).map_err(wrong)?)?,
            None => Strings::default(),
        };
        let formats = match part_of(&parts, "/styles").and_then(|part| actual(names, &part)) {
            Some(part) => formats(archive.by_name(part).map_err(wrong)?)?,
            None => Vec::new(),
        };
        Ok(Self { archive, sheets, context: Context { strings, formats, is_1904 } })
    }

    /// Reads a sheet row by row.
    pub(super) fn read(&mut self, part: &str, give: &mut Give<'_>) -> Result<Layout, ImportError> {
        cells::read(self.archive.by_name(part).map_err(wrong)?, &self.context, give)
    }
}

/// The part of the archive that has this name but for the case of letters.
fn actual<'n>(names: &'n [String], part: &str) -> Option<&'n str> {
    let found = names.iter().find(|name| *name == part);
    found.or_else(|| names.iter().find(|name| name.eq_ignore_ascii_case(part))).map(String::as_str)
}

fn part_of(relations: &Relations, kind: &str) -> Option<String> {
    relations.values().find(|(found, _)| found.ends_with(kind)).map(|(_, part)| part.clone())
}

/// What a part refers to. The archive itself is the part without a name.
fn relations<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    names: &[String],
    part: &str,
) -> Result<Relations, ImportError> {
    let (directory, file) = part.rsplit_once('/').unwrap_or(("", part));
    let own = format!("{directory}{}_rels/{file}.rels", if directory.is_empty() { "" } else { "/" });
    let mut relations = Relations::new();
    let Some(own) = actual(names, &own) else { return Ok(relations) };
    let (mut xml, mut buffer) = (Xml::new(archive.by_name(own).map_err(wrong)?), Vec::new());
    loop {
        match xml.next(&mut buffer)? {
            Event::Start(element) if element.local_name().as_ref() == "Relationship" => {
                let get = |name: &str| attribute(&element, name).unwrap_or_default().into_owned();
                let target = get("Target").replace('\\', "/");
                let path = target.strip_prefix('/').map_or_else(|| format!("{directory}/{target}"), str::to_owned);
                relations.insert(get("Id"), (get("Type"), plain(&path)));
            }
            Event::Eof => return Ok(relations),
            _ => {}
        }
    }
}

/// A path without `.` and `..`.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The sheets of the workbook, in order, and whether its days count from 1904.
fn sheets<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    names: &[String],
    book: &str,
    parts: &Relations,
) -> Result<(Vec<Named>, bool), ImportError> {
    let book = actual(names, book).ok_or_else(|| wrong("it has no part that lists its sheets"))?;
    let (mut xml, mut buffer) = (Xml::new(archive.by_name(book).map_err(wrong)?), Vec::new());
    let (mut sheets, mut is_1904) = (Vec::new(), false);
    loop {
        match xml.next(&mut buffer)? {
            Event::Start(element) if element.local_name().as_ref() == "workbookPr" => {
                is_1904 |= is_set(&element, "date1904");
            }
            Event::Start(element) if element.local_name().as_ref() == "sheet" => {
                let get = |name: &str| attribute(&element, name).unwrap_or_default().into_owned();
                let Some((kind, part)) = parts.get(&get("id")) else { continue };
                // Charts and dialogs have sheets of their own.
                if let (true, Some(part)) = (kind.ends_with("/worksheet"), actual(names, part)) {
                    let is_hidden = matches!(get("state").as_str(), "hidden" | "veryHidden");
                    sheets.push(Named { name: get("name"), is_hidden, part: part.to_owned() });
                }
            }
            Event::Eof => return Ok((sheets, is_1904)),
            _ => {}
        }
    }
}

/// The number formats of the styles that cells have.
fn formats(input: impl Read) -> Result<Vec<Rc<Format>>, ImportError> {
    let (mut xml, mut buffer) = (Xml::new(input), Vec::new());
    let (mut codes, mut formats) = (HashMap::<u32, String>::new(), Vec::new());
    let mut known = HashMap::<u32, Rc<Format>>::new();
    let mut of_cells = false;
    let number = |text: Option<std::borrow::Cow<'_, str>>| text.and_then(|text| text.trim().parse::<u32>().ok());
    loop {
        match xml.next(&mut buffer)? {
            Event::Start(element) => match element.local_name().as_ref() {
                "numFmt" => {
                    let code = attribute(&element, "formatCode").unwrap_or_default().into_owned();
                    if let Some(id) = number(attribute(&element, "numFmtId")) {
                        codes.entry(id).or_insert(code);
                    }
                }
                "cellXfs" => of_cells = true,
                "xf" if of_cells => {
                    let id = number(attribute(&element, "numFmtId")).unwrap_or(0);
                    let make =
                        || Rc::new(codes.get(&id).map_or_else(|| Format::built_in(id), |code| Format::new(code)));
                    formats.push(Rc::clone(known.entry(id).or_insert_with(make)));
                }
                _ => {}
            },
            Event::End(element) if element.local_name().as_ref() == "cellXfs" => of_cells = false,
            Event::Eof => return Ok(formats),
            _ => {}
        }
    }
}
