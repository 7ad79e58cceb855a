//! What a file is by its first bytes, whatever its name says.

/// What files are that hold no table which is read here.
const BINARY: [(&[u8], &str); 15] = [
    (b"%PDF-", "a PDF: export the results as .xlsx or CSV instead"),
    (b"{\\rtf", "a text document (RTF): save the table as .xlsx or CSV"),
    (b"\x1f\x8b", "compressed with gzip: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format 3\0", "a database"),
    (b"PAR1", "a Parquet file: export the results as .xlsx or CSV instead"),
    (b"\0\x01\0\0Standard", "an Access database: export the results as .xlsx or CSV instead"),
    (b"PK\x05\x06", "an empty archive"),
    (b"ID;P", "a SYLK sheet: open it in your spreadsheet program and save it as .xlsx"),
    // Sheets of before 1993, which some programs still write.
    (b"\x09\x08\x10\0", "an old .xls sheet: save it as .xlsx"),
    (b"\x09\x08\x08\0", "an old .xls sheet: save it as .xlsx"),
];

/// Why a file holds no table that can be read as text: by its first bytes, and none of them is repeated.
pub(super) fn no_table(start: &[u8]) -> Option<String> {
    if let Some((_, what)) = BINARY.iter().find(|(mark, _)| start.starts_with(mark)) {
        return Some(format!("it is {what}"));
    }
    // Markup is ASCII in every encoding; UTF-16 has zeros between.
    let text: String = start.iter().filter(|byte| byte.is_ascii() && **byte != 0).copied().map(char::from).collect();
    let text = text.trim_start().to_ascii_lowercase();
    let save = "open it in your spreadsheet program and save it as .xlsx";
    let page = ["<html", "<!doctype html", "<table", "<meta", "<head", "<body", "<div", "<style", "<tr"];
    let within = ["<html", "<body", "<table", "<tr>", "<td>"];
    let is_markup = text.starts_with('<') && within.iter().any(|tag| text.contains(tag));
    let is_xml = text.starts_with("<?xml") && !text.contains("<html") || text.contains("office:spreadsheet");
    if page.iter().any(|tag| text.starts_with(tag)) || is_markup && !is_xml {
        return Some(format!("it is an HTML page, whatever its name says: {save}"));
    }
    if text.starts_with("mime-version:") {
        return Some(format!("it is a web page archive, whatever its name says: {save}"));
    }
    if text.contains("urn:schemas-microsoft-com:office:spreadsheet") || text.contains("progid=\"excel.sheet\"") {
        return Some(format!("it is an XML spreadsheet of 2003, whatever its name says: {save}"));
    }
    if text.contains("opendocument.spreadsheet") || text.contains("<office:document") {
        return Some("it is an OpenDocument sheet in one XML file: save it as .ods or .xlsx".to_owned());
    }
    if text.starts_with("<?xml") || text.starts_with("<!doctype") {
        return Some(
            "it is an XML document, expected a CSV file or a workbook: export the results as one of them".to_owned(),
        );
    }
    let is_json = ["{\"", "[{", "[[", "[\"", "{\n", "[\n", "{\r", "[\r"].iter().any(|mark| text.starts_with(mark));
    is_json.then(|| "it is JSON, expected a CSV file or a workbook: export the results as one of them".to_owned())
}

/// Why an archive holds no workbook, by the names of its parts; nothing where it looks like one.
pub(super) fn no_workbook<'a>(parts: impl Iterator<Item = &'a str> + Clone) -> Option<&'static str> {
    let has = |found: &dyn Fn(&str) -> bool| parts.clone().any(found);
    let is = |name: &'static str| has(&|part| part.eq_ignore_ascii_case(name));
    if is("xl/workbook.bin") {
        return Some("it is a binary workbook (.xlsb): save it as .xlsx");
    }
    if has(&|part| part.starts_with("xl/")) || is("[Content_Types].xml") && has(&|part| part.ends_with("workbook.xml"))
    {
        return None;
    }
    if has(&|part| part.starts_with("word/")) {
        return Some("it is a text document (.docx): save the table as .xlsx");
    }
    if has(&|part| part.starts_with("ppt/")) {
        return Some("it is a presentation (.pptx): save the table as .xlsx");
    }
    if has(&|part| part.to_ascii_lowercase().ends_with(".iwa") || part == "Index.zip" || part == "index.apxl") {
        return Some("it is a document of Numbers, Pages or Keynote: export it as .xlsx");
    }
    Some("it is an archive without a workbook: unpack it, and give the file that is in it")
}

/// What a file in Microsoft's old container is.
pub(super) fn of_container(bytes: &[u8]) -> &'static str {
    let wide = |name: &str| -> Vec<u8> { name.bytes().flat_map(|byte| [byte, 0]).collect() };
    let has = |name: &str| bytes.windows(2 * name.len()).any(|found| found == wide(name));
    if has("EncryptedPackage") {
        "it is a workbook with a password: save it without a password"
    } else if has("WordDocument") {
        "it is a text document (.doc): save the table as .xlsx"
    } else {
        "it is an .xls workbook, or one with a password: save it as .xlsx without a password"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the file is named by what it holds, in any encoding, and none of its text is repeated.
    #[test]
    fn texts() {
        let utf16: Vec<u8> = "\u{feff}<html>Ada".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (start, words) in [
            (&b"<html><head><meta charset=\"gb2312\"></head><body>Ada"[..], "an HTML page"),
            (b"\xef\xbb\xbf\r\n<TABLE border=1><tr><td>Ada", "an HTML page"),
            (b"<!DOCTYPE html PUBLIC>Ada", "an HTML page"),
            (b"<!-- made by hand --><center><table><tr><td>Ada", "an HTML page"),
            (b"<b>Results</b><table><tr><td>Ada", "an HTML page"),
            (b"ID;PWXL;N;E\r\nAda", "a SYLK sheet"),
            (b"<?xml version=\"1.0\"?><!DOCTYPE html><html>Ada", "an HTML page"),
            (&utf16, "an HTML page"),
            (b"MIME-Version: 1.0\r\nAda", "a web page archive"),
            (b"<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>Ada", "an XML spreadsheet of 2003"),
            (b"<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">Ada", "an XML spreadsheet of 2003"),
            (b"<?xml version=\"1.0\"?><office:document>Ada", "an OpenDocument sheet in one XML file"),
            (b"<?xml version=\"1.0\"?><students>Ada", "an XML document"),
            (b"[{\"name\":\"Ada\"}]", "JSON"),
            (b"%PDF-1.7 Ada", "a PDF"),
        ] {
            let found = no_table(start).unwrap_or_default();
            assert!(found.contains(words) && !found.contains("Ada"), "{words}: {found}");
        }
        for start in [&b"sid,code\n"[..], b"sep=;\n", b"<5,6\n", b"", b"\xff\xfes\0i\0"] {
            assert_eq!(no_table(start), None, "{start:?}");
        }
    }

    /// Goal: archives that are no workbooks say what they are.
    #[test]
    fn archives() {
        let of = |parts: &[&str]| no_workbook(parts.iter().copied());
        assert_eq!(of(&["[Content_Types].xml", "xl/workbook.xml"]), None);
        for (parts, words) in [
            (&["[Content_Types].xml", "word/document.xml"][..], ".docx"),
            (&["xl/workbook.bin"], ".xlsb"),
            (&["Index/Document.iwa"], "Numbers"),
            (&["results.csv"], "unpack it"),
        ] {
            assert!(of(parts).is_some_and(|found| found.contains(words)), "{parts:?}");
        }
        let password: Vec<u8> = "EncryptedPackage".bytes().flat_map(|byte| [byte, 0]).collect();
        assert!(of_container(&password).contains("with a password: save it without"));
        assert!(of_container(b"Workbook").contains(".xls workbook"));
    }
}
