//! `mapping`: examples to start from, and a first mapping for a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use creditbank_client::import::propose::{Look, Question, look, write};
use creditbank_client::import::{Encoding, Mapping, SHIPPED};
use serde_json::json;

use super::format::encoding;
use crate::connect::Global;
use crate::failure::Failure;
use crate::{files, output, show};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print a mapping that comes with the program: `creditbank mapping show template > my.toml`
    ///
    /// template has a comment on every key. The others are of systems whose exports are public: campusonline, canvas,
    /// moodle, oneroster (results.csv), oulad, zhengfang.
    Show {
        /// Which one
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(SHIPPED.map(|(name, _)| name)))]
        name: String,
    },
    /// Make a first mapping for a file
    ///
    /// The header and the first lines are read, and what they suggest is proposed. What they cannot say is asked on the
    /// terminal. Without a terminal answer with --set:
    ///
    ///   creditbank mapping new results.csv
    ///
    ///   creditbank mapping new results.csv --set unit=ECTS --set scale=FR-20 --set title_language=fr \
    ///     --set results=scale --set reference=matricule,cours,session --out results.toml
    ///
    /// Where something is missing, nothing is written, the missing keys are listed and the exit code is 1. A value names a
    /// column; =TEXT is the same for every line. The months of terms are never guessed: --set 'months.A={year}-09 {next_year}-01'.
    #[command(verbatim_doc_comment)]
    #[expect(clippy::doc_markdown, reason = "an example as it is typed")]
    New(New),
}

#[derive(clap::Args)]
pub(crate) struct New {
    /// The file: with its header line
    file: PathBuf,
    /// Where the mapping goes; never in the place of a file that is there [default: FILE.toml]
    #[arg(long)]
    out: Option<PathBuf>,
    /// An answer, as unit=ECTS; the keys are those that are asked
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = answer)]
    set: Vec<(String, String)>,
    /// How the file is encoded, as for `issue`
    #[arg(long, value_parser = encoding, value_name = "NAME")]
    encoding: Option<Encoding>,
    /// The sheet of a workbook, as for `issue`
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Ask nothing: take what the file suggests and what --set says
    #[arg(long)]
    no_questions: bool,
}

fn answer(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').ok_or_else(|| "expected KEY=VALUE, as unit=ECTS".to_owned())?;
    Ok((parts.0.to_owned(), parts.1.to_owned()))
}

pub(crate) fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Show { name } => {
            let text = SHIPPED.iter().find(|(own, _)| **own == name).map_or("", |(_, text)| text);
            output::line(text.trim_end())
        }
        Command::New(arguments) => new(global, arguments),
    }
}

fn new(global: &Global, arguments: New) -> Result<(), Failure> {
    let New { file, out, set, encoding, sheet, no_questions } = arguments;
    files::open(&file)?;
    let out = out.unwrap_or_else(|| files::beside(&file, ".toml"));
    if out.exists() {
        return Err(Failure::Usage(format!("{} exists and is not replaced: choose another --out", out.display())));
    }
    let looked = look(encoding, sheet.as_deref(), || File::open(&file))?;
    let mut answers: BTreeMap<String, String> = set.into_iter().collect();
    known(&looked, &answers)?;
    if let Some(sheet) = sheet {
        answers.insert("sheet".to_owned(), sheet);
    }
    if let Some(encoding) = encoding {
        answers.insert("encoding".to_owned(), encoding.name().to_owned());
    }
    let may_ask = !no_questions && !global.json && std::io::stdin().is_terminal();
    if may_ask {
        ask(&looked, &mut answers)?;
    }
    let draft = write(&looked, &answers).map_err(|open| missing(&open))?;
    Mapping::parse(&draft.text)?;
    output::new_file(&out, draft.text.as_bytes(), false)?;
    let guessed: BTreeMap<&str, &str> =
        draft.guessed.iter().map(|(key, guess)| (key.as_str(), guess.as_str())).collect();
    output::print(global, &json!({ "mapping": out, "guessed": guessed, "rows": looked.rows() }), || {
        told(&file, &out, &draft.guessed)
    })
}

/// Refuses answers to what is not asked, as a typing error would go unnoticed, and answers that do not fit the file.
fn known(looked: &Look, answers: &BTreeMap<String, String>) -> Result<(), Failure> {
    let asked: Vec<String> = looked.questions(&BTreeMap::new()).into_iter().map(|question| question.key).collect();
    let more = ["decimal", "date", "period_pattern", "learner_scope", "framework", "attempt"];
    for (key, value) in answers {
        if !asked.contains(key) && !more.contains(&key.as_str()) && !key.starts_with("months.") {
            return Err(Failure::Usage(format!("--set {key}: the keys are {}", asked.join(", "))));
        }
        if let Some(why) = wrong(looked, answers, key, value) {
            return Err(Failure::Usage(format!("--set {key}={value}: {why}")));
        }
    }
    Ok(())
}

fn wrong(looked: &Look, answers: &BTreeMap<String, String>, key: &str, value: &str) -> Option<String> {
    let guessed = || looked.questions(&BTreeMap::new()).into_iter().find(|question| question.key == "period")?.guess;
    let period = answers.get("period").cloned().or_else(guessed);
    looked.wrong(key, value, period.as_deref())
}

/// Asks on the terminal what was not answered.
fn ask(looked: &Look, answers: &mut BTreeMap<String, String>) -> Result<(), Failure> {
    let shown = |column: &creditbank_client::import::propose::Column| {
        let samples: Vec<String> = column.samples.iter().map(|sample| show::safe(sample)).collect();
        vec![show::safe(&column.name), samples.join(" | "), column.blank.to_string()]
    };
    output::line(&output::table(&["column", "some of its values", "blank"], looked.columns.iter().map(shown)))?;
    output::line("Enter takes what stands in brackets; a key without brackets and (may be left out) needs an answer.")?;
    let mut input = std::io::stdin().lock();
    // What may be left out and was.
    let mut left: Vec<String> = Vec::new();
    loop {
        let questions = looked.questions(answers);
        let Some(question) = questions.into_iter().find(|question| !left.contains(&question.key)) else {
            return Ok(());
        };
        let hint = match &question.guess {
            Some(guess) => format!(" [{}]", show::safe(guess)),
            None if question.needed => String::new(),
            None => " (may be left out)".to_owned(),
        };
        let failed = |error: std::io::Error| Failure::Usage(format!("the terminal: {error}"));
        let mut out = std::io::stdout().lock();
        write!(out, "{}: {}{hint}: ", question.key, question.asks).and_then(|()| out.flush()).map_err(failed)?;
        drop(out);
        let mut line = String::new();
        if input.read_line(&mut line).map_err(failed)? == 0 {
            let said = answers.iter().map(|(key, value)| format!("--set '{key}={}'", show::safe(value)));
            let said = said.collect::<Vec<_>>().join(" ");
            return Err(Failure::Told(format!(
                "the answers ended, and nothing was written. To go on from here, add:\n  {said}"
            )));
        }
        let given = match (line.trim(), &question.guess) {
            ("", Some(guess)) => guess.clone(),
            ("", None) if question.needed => {
                output::line("  an answer is needed")?;
                continue;
            }
            ("", None) => {
                left.push(question.key);
                continue;
            }
            (given, _) => given.to_owned(),
        };
        match wrong(looked, answers, &question.key, &given) {
            Some(why) => output::line(&format!("  {}", show::safe(&why)))?,
            None => {
                answers.insert(question.key, given);
            }
        }
    }
}

fn missing(open: &[Question]) -> Failure {
    let lines = open.iter().map(|question| format!("  --set {}=...  {}", question.key, question.asks));
    let lines = lines.collect::<Vec<_>>().join("\n");
    Failure::NotValid(format!("the file does not say everything, and nothing was written. Say the rest:\n{lines}"))
}

fn told(file: &Path, out: &Path, guessed: &[(String, String)]) -> String {
    let rows = guessed.iter().map(|(key, guess)| vec![key.clone(), show::safe(guess)]);
    let guesses = if guessed.is_empty() {
        String::new()
    } else {
        format!("these were guessed from the file; look at each:\n{}\n", output::table(&["key", "guess"], rows))
    };
    let (file, out) = (file.display(), out.display());
    format!(
        "{guesses}written to {out}; see what it makes of the file:\n  creditbank issue {file} --mapping {out} --institution NUMBER --key unit.key --dry-run"
    )
}
