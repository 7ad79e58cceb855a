//! `reconcile`: what the registrar has against what the ledger holds.

use std::path::PathBuf;

use creditbank_client::sync::reconcile::{Comparison, Missing, with_file, with_notes};
use creditbank_protocol::Place;
use creditbank_protocol::names;
use creditbank_protocol::pb::Kind;
use serde_json::{Value, json};

use super::correct::differences;
use super::source::Source;
use crate::connect::Global;
use crate::failure::Failure;
use crate::files::{self, beside};
use crate::{output, show, values};

/// Rows of a list on screen.
const ROWS_MAX: usize = 50;

#[derive(clap::Args)]
#[command(mut_arg("key", |arg| {
    arg.help("The unit's key file, or pkcs11:... for a key in a token: records are recognised by it, nothing is signed")
}))]
pub(crate) struct Arguments {
    /// What the registrar has: a CSV, an .xlsx workbook or an .ods sheet [default: what sync has noted]
    file: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    /// Directory of sync's notes [default: MAPPING.sync]
    #[arg(long)]
    work: Option<PathBuf>,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, source, work } = arguments;
    let mapping = source.read_mapping()?;
    let work = work.unwrap_or_else(|| beside(&source.mapping, ".sync"));
    if file.is_none() && !work.join("state").exists() {
        let what = "pass a file: sync has noted nothing in";
        return Err(Failure::Usage(format!("{what} {}", work.display())));
    }
    let input = file.as_deref().map(files::open).transpose()?;
    let client = global.connect().await?;
    let unit = source.open_unit(&client).await?;
    let found = match input {
        Some((input, _)) => with_file(&client, &unit, &mapping, input, &work).await?,
        None => with_notes(&client, &unit, &work).await?,
    };
    output::print(global, &value(&found), || text(&found))?;
    if found.is_equal() { Ok(()) } else { Err(Failure::Told("the registrar and the ledger differ".to_owned())) }
}

fn kind_name(kind: Option<Kind>) -> String {
    kind.map(names::of).unwrap_or_default()
}

/// What the ledger says and what the line says, as `grade: A -> B`; of the first few.
fn changes(found: &Comparison, place: &Place) -> Vec<String> {
    let said = found.said.iter().find(|said| said.place == Some(*place));
    said.map(|said| differences(said.kind, &said.before, &said.after)).unwrap_or_default()
}

fn value(found: &Comparison) -> Value {
    let missing = |missing: &Missing| match missing {
        Missing::Line(line) => json!({ "line": line }),
        Missing::Place(place) => json!({ "place": values::show_place(place) }),
    };
    let ledger = found.only_ledger_items.iter().map(
        |item| json!({ "place": values::show_place(&item.place), "kind": kind_name(item.kind), "marks": item.marks }),
    );
    let different = found.different_items.iter().map(|(line, place)| {
        let changes = changes(found, place);
        json!({ "line": Some(line).filter(|line| **line > 0), "place": values::show_place(place), "changes": changes })
    });
    let refused =
        found.refused_lines.iter().map(|line| json!({ "line": line.line, "field": line.field, "reason": line.reason }));
    json!({
        "equal": found.is_equal(), "same": found.same,
        "different": { "count": found.different, "first": different.collect::<Vec<_>>() },
        "only_registrar": {
            "count": found.only_registrar, "first": found.only_registrar_items.iter().map(missing).collect::<Vec<_>>()
        },
        "only_ledger": { "count": found.only_ledger, "first": ledger.collect::<Vec<_>>() },
        "refused": { "count": found.refused, "first": refused.collect::<Vec<_>>() },
    })
}

fn text(found: &Comparison) -> String {
    let text = output::facts([
        ("on both sides, the same", found.same.to_string()),
        ("on both sides, different", found.different.to_string()),
        ("only with the registrar", found.only_registrar.to_string()),
        ("only in the ledger", found.only_ledger.to_string()),
        ("cannot be compared", found.refused.to_string()),
    ]);
    let line = |line: u64| if line > 0 { line.to_string() } else { String::new() };
    let different = found.different_items.iter().map(|(number, place)| {
        vec!["different".to_owned(), line(*number), values::show_place(place), changes(found, place).join("; ")]
    });
    let registrar = found.only_registrar_items.iter().map(|item| match item {
        Missing::Line(number) => vec!["registrar".to_owned(), line(*number), String::new(), String::new()],
        Missing::Place(place) => vec!["registrar".to_owned(), String::new(), values::show_place(place), String::new()],
    });
    let ledger = found.only_ledger_items.iter().map(|item| {
        let marks = item.marks.join(", ");
        vec![
            "ledger".to_owned(),
            String::new(),
            values::show_place(&item.place),
            format!("{} {marks}", kind_name(item.kind)),
        ]
    });
    let refused = found
        .refused_lines
        .iter()
        .map(|refused| vec!["no line".to_owned(), line(refused.line), String::new(), show::safe(&refused.reason)]);
    // Some of every list, rather than all of the first.
    let some = ROWS_MAX / 4;
    let rows: Vec<Vec<String>> =
        different.take(some).chain(registrar.take(some)).chain(ledger.take(some)).chain(refused.take(some)).collect();
    if rows.is_empty() {
        return text;
    }
    let all = found.different + found.only_registrar + found.only_ledger + found.refused;
    let more = all.saturating_sub(rows.len() as u64);
    let table = output::table(&["side", "line", "record", ""], rows);
    if more > 0 { format!("{text}{table}\nand {more} more: --json shows up to 10,000 of each") } else { text + &table }
}
