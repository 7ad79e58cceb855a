//! `learner balance`: credit by unit, level, field and status; what can be spent and what was.

use std::collections::BTreeMap;

use creditbank_client::Client;
use creditbank_rpc::v1::BalanceLine;
use creditbank_rules::decimal::show_e4;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::whose::Who;
use crate::{output, show};

/// Totals that people ask for.
const TOTALS: [&str; 2] = ["spendable", "spent"];

pub(super) async fn run(global: &Global, client: &Client, who: &Who) -> Result<(), Failure> {
    let lines = client.balance(who.learner(client).await?).await?;
    output::print(global, &value(&lines), || text(&lines))
}

/// Sums by status and unit, of the statuses that are asked for.
fn totals(lines: &[BalanceLine]) -> BTreeMap<&'static str, BTreeMap<&str, u64>> {
    let mut totals: BTreeMap<&str, BTreeMap<&str, u64>> = TOTALS.iter().map(|name| (*name, BTreeMap::new())).collect();
    for line in lines {
        if let Some(sums) = totals.get_mut(line.status.as_str()) {
            let sum = sums.entry(&line.unit).or_default();
            *sum = sum.saturating_add(line.amount_e4);
        }
    }
    totals
}

fn level(line: &BalanceLine) -> String {
    line.level.as_ref().map_or_else(String::new, |level| format!("{} {}", level.framework, level.level))
}

fn value(lines: &[BalanceLine]) -> Value {
    let line = |one: &BalanceLine| {
        json!({
            "unit": one.unit, "level": one.level.as_ref().map(|_| level(one)), "field": one.field,
            "status": one.status, "amount": show_e4(one.amount_e4), "records": one.records,
        })
    };
    let mut whole = json!({ "lines": lines.iter().map(line).collect::<Vec<_>>() });
    for (status, sums) in totals(lines) {
        let sums = sums.into_iter().map(|(unit, e4)| (unit.to_owned(), Value::String(show_e4(e4))));
        whole[status] = Value::Object(sums.collect());
    }
    whole
}

fn text(lines: &[BalanceLine]) -> String {
    let row = |one: &BalanceLine| {
        let amount = show_e4(one.amount_e4);
        let texts = [&one.unit, &level(one), &one.field, &one.status].map(|text| show::safe(text));
        let [unit, level, field, status] = texts;
        vec![unit, level, field, status, amount, one.records.to_string()]
    };
    let table = output::table(&["unit", "level", "field", "status", "amount", "records"], lines.iter().map(row));
    let totals = totals(lines);
    let sums = TOTALS.iter().map(|status| {
        let sums = totals.get(status).into_iter().flatten();
        let sums: Vec<String> = sums.map(|(unit, e4)| format!("{} {}", show_e4(*e4), show::safe(unit))).collect();
        (*status, if sums.is_empty() { "nothing".to_owned() } else { sums.join(", ") })
    });
    format!("{table}\n{}", output::facts(sums))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what can be spent and what was are summed by unit, exactly; other statuses are in neither sum.
    #[test]
    fn totals_are_by_unit_and_status() {
        let line = |unit: &str, status: &str, amount_e4| BalanceLine {
            unit: unit.to_owned(),
            status: status.to_owned(),
            amount_e4,
            records: 1,
            ..Default::default()
        };
        let lines = [
            line("ECTS", "spendable", 75_000),
            line("ECTS", "spendable", 25_000),
            line("CATS", "spendable", 600_000),
            line("ECTS", "spent", 60_000),
            line("ECTS", "revoked", 990_000),
        ];
        let whole = value(&lines);
        assert_eq!((&whole["spendable"]["ECTS"], &whole["spendable"]["CATS"]), (&"10".into(), &"60".into()));
        assert_eq!(whole["spent"], json!({ "ECTS": "6" }));
        assert!(text(&lines).contains("spendable  60 CATS, 10 ECTS"), "{}", text(&lines));
    }
}
