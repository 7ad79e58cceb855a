//! What is known of a file beside its rows: for the registrar's eyes, before anything is signed.

/// Most sample words, and most of one column.
const SAMPLES_MAX: usize = 12;
const SAMPLES_OF_COLUMN_MAX: usize = 4;
/// Most characters of a sample word.
const WORD_LEN_MAX: usize = 24;

/// What a format knows of its file.
#[derive(Debug, Default, Clone)]
pub(super) struct Facts {
    pub(super) format: &'static str,
    pub(super) sheet: Option<String>,
    pub(super) encoding: Option<&'static str>,
    pub(super) is_also_utf8: bool,
    pub(super) delimiter: Option<u8>,
    /// First bytes of a text file.
    pub(super) start: Vec<u8>,
    /// Positions of the columns that a sheet hides.
    pub(super) hidden_columns: Vec<usize>,
    pub(super) notes: Vec<String>,
}

/// What a file is, and how it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// As "CSV text".
    pub format: &'static str,
    /// The sheet that was read, of a workbook.
    pub sheet: Option<String>,
    /// Name of the encoding, of a text file.
    pub encoding: Option<&'static str>,
    /// The text is valid UTF-8 with characters beyond ASCII, although it was read in another encoding.
    pub is_also_utf8: bool,
    /// Between values, of a text file.
    pub delimiter: Option<char>,
    /// Line or row of the header.
    pub header_line: u64,
    /// Words with characters beyond ASCII, as they were read until now: a wrong encoding shows here.
    pub samples: Vec<Sample>,
    /// What else a registrar should know, in sentences.
    pub notes: Vec<String>,
}

/// A word of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Line or row on which it stands first.
    pub line: u64,
    /// The word.
    pub word: String,
    /// Its column.
    pub column: String,
}

/// The sample words of a file, as they are found.
#[derive(Debug, Default)]
pub(super) struct Samples {
    found: Vec<Sample>,
}

impl Samples {
    /// Looks at a value that has characters beyond ASCII.
    pub(super) fn look(&mut self, line: u64, column: &str, value: &str) {
        if self.found.len() == SAMPLES_MAX {
            return;
        }
        let is_part = |letter: char| letter.is_alphanumeric() || !letter.is_ascii() && !letter.is_whitespace();
        for word in value.split(|letter| !is_part(letter)).filter(|word| !word.is_ascii()) {
            let word: String = word.chars().take(WORD_LEN_MAX).collect();
            let of_column = self.found.iter().filter(|sample| sample.column == column).count();
            let is_new = self.found.iter().all(|sample| sample.word != word);
            if is_new && of_column < SAMPLES_OF_COLUMN_MAX && self.found.len() < SAMPLES_MAX {
                self.found.push(Sample { line, word, column: column.to_owned() });
            }
        }
    }

    pub(super) fn all(&self) -> Vec<Sample> {
        self.found.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: samples are few, distinct, whole words, and from more than one column.
    #[test]
    fn samples() {
        let mut samples = Samples::default();
        samples.look(2, "title", "Gr\u{f6}\u{df}ensch\u{e4}tzung, Teil 2 (f\u{fc}r Anf\u{e4}nger)");
        samples.look(
            3,
            "title",
            "Gr\u{f6}\u{df}ensch\u{e4}tzung \u{7dda}\u{5f62}\u{4ee3}\u{6570} \u{e9}a \u{e9}b \u{e9}c",
        );
        samples.look(4, "name", "\u{c9}va");
        let found: Vec<_> = samples.found.iter().map(|sample| (sample.line, sample.word.as_str())).collect();
        let words = [
            "Gr\u{f6}\u{df}ensch\u{e4}tzung",
            "f\u{fc}r",
            "Anf\u{e4}nger",
            "\u{7dda}\u{5f62}\u{4ee3}\u{6570}",
            "\u{c9}va",
        ];
        assert_eq!(found, [(2, words[0]), (2, words[1]), (2, words[2]), (3, words[3]), (4, words[4])]);
        (0..100).for_each(|line| samples.look(line, &line.to_string(), &format!("\u{e9}{line}")));
        assert_eq!(samples.all().len(), SAMPLES_MAX);
    }
}
