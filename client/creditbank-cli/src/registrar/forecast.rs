//! What a dry run found: counts, grades, refused lines.

use std::path::Path;

use creditbank_client::issue::Forecast;
use creditbank_protocol::counted;
use creditbank_rules::decimal::show_e4;
use serde_json::{Value, json};

use super::survey;
use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, show};

/// Prints a forecast; lines that would be refused make it a failure. `report` is the file that has them all.
pub(super) fn report(global: &Global, forecast: &Forecast, report: Option<&Path>) -> Result<(), Failure> {
    output::print(global, &value(forecast, report), || text(forecast, report))?;
    let refused = forecast.progress.refused;
    if !forecast.stops.is_empty() {
        let told = creditbank_client::issue::told(&forecast.survey, &forecast.stops);
        return Err(Failure::Told(format!("the run would stop before anything is signed: {told}")));
    }
    if refused == 0 {
        return Ok(());
    }
    let place = report.map(|path| format!("; their numbers and reasons are in {}", path.display()));
    Err(Failure::Told(format!(
        "{} would be refused, and nothing was written{}",
        counted(refused, "line", "lines"),
        place.unwrap_or_default()
    )))
}

fn value(forecast: &Forecast, report: Option<&Path>) -> Value {
    let done = &forecast.progress;
    let credits: serde_json::Map<_, _> =
        done.credits.iter().map(|(unit, e4)| (unit.clone(), show_e4(*e4).into())).collect();
    let grade = |((scale, grade), count): (&(String, String), &u64)| json!({ "scale": scale, "grade": grade, "records": count, "percent": percent(*count, done.records) });
    let refused =
        forecast.refused.iter().map(|line| json!({ "line": line.line, "field": line.field, "reason": line.reason }));
    json!({
        "written": false, "lines": done.lines, "records": done.records, "blocks": done.blocks,
        "already_issued": done.already, "refused": done.refused, "kinds": done.kinds, "credits": credits,
        "learners": done.learners, "learners_with_earlier": forecast.learners_with_earlier,
        "grades": forecast.grades.iter().map(grade).collect::<Vec<_>>(), "ungraded": forecast.ungraded,
        "first_refused": refused.collect::<Vec<_>>(), "refused_file": report,
        "new_learners": forecast.new_learners, "survey": survey::value(&forecast.survey),
        "stops": forecast.stops.iter().map(|stop| stop.name()).collect::<Vec<_>>(),
    })
}

fn text(forecast: &Forecast, report: Option<&Path>) -> String {
    let done = &forecast.progress;
    let kinds = done.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ");
    let credits = done.credits.iter().map(|(unit, e4)| format!("{} {unit}", show_e4(*e4)));
    let issued = match done.records {
        0 => "nothing".to_owned(),
        records => format!("{records} in {} ({kinds})", counted(done.blocks, "block", "blocks")),
    };
    let mut text = survey::text(&forecast.survey) + "nothing was written\n";
    text += &output::facts([
        ("lines read", done.lines.to_string()),
        ("would be issued", issued),
        ("credits", credits.collect::<Vec<_>>().join(", ")),
        ("learners", format!("{}, {} of them with earlier lines", done.learners, forecast.learners_with_earlier)),
        ("named for the first time", forecast.new_learners.to_string()),
        ("issued before", done.already.to_string()),
        ("would be refused", done.refused.to_string()),
    ]);
    let row = |scale: &str, grade: &str, count: u64| {
        vec![show::safe(scale), show::safe(grade), count.to_string(), percent(count, done.records)]
    };
    let mut rows: Vec<_> = forecast.grades.iter().map(|((scale, grade), count)| row(scale, grade, *count)).collect();
    if forecast.ungraded > 0 {
        rows.push(row("", "ungraded", forecast.ungraded));
    }
    if !rows.is_empty() {
        text.push_str(&output::table(&["scale", "grade", "records", "%"], rows));
        text.push('\n');
    }
    if report.is_none() && !forecast.refused.is_empty() {
        let rows = forecast
            .refused
            .iter()
            .map(|line| vec![line.line.to_string(), show::safe(&line.field), show::safe(&line.reason)]);
        text.push_str(&output::table(&["line", "field", "would be refused because"], rows));
        let more = done.refused.saturating_sub(forecast.refused.len() as u64);
        if more > 0 {
            text = format!("{text}\nand {more} more: pass --refused FILE to have them all");
        }
    }
    text
}

/// A share in percent with two places, rounded to the nearest.
fn percent(count: u64, all: u64) -> String {
    let (count, all) = (u128::from(count), u128::from(all.max(1)));
    let hundredths = (count * 20_000 + all) / (2 * all);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::percent;

    /// Goal: shares are rounded to the nearest hundredth of a percent, with no floating point and no overflow.
    #[test]
    fn shares() {
        assert_eq!(percent(0, 0), "0.00");
        assert_eq!(percent(1, 3), "33.33");
        assert_eq!(percent(2, 3), "66.67");
        assert_eq!(percent(1, 20_000), "0.01");
        assert_eq!(percent(u64::MAX, u64::MAX), "100.00");
    }
}
