//! The measures of a node are valid text of `OpenMetrics` 1.0, so that every collector takes them.

use std::collections::BTreeSet;

use creditbank_tests::TestNode;

/// What a sample may add to its family's name.
fn suffixes(kind: &str) -> &'static [&'static str] {
    match kind {
        "counter" => &["_total", "_created"],
        "histogram" => &["_bucket", "_count", "_sum", "_created"],
        "gauge" | "unknown" => &[""],
        "info" => &["_info"],
        _ => &[],
    }
}

/// Reads a whole exposition: each family once, its lines together, descriptions first, each sample once, `# EOF` last.
fn check(text: &str) -> Result<BTreeSet<String>, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("it does not end with # EOF")?;
    let (mut families, mut samples) = (BTreeSet::new(), BTreeSet::new());
    let (mut family, mut kind, mut described, mut begun) = (String::new(), "unknown", BTreeSet::new(), false);
    for line in body.lines() {
        let wrong = |what: &str| Err(format!("{what}: {line}"));
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (Some(what), Some(name), Some(value)) = (words.next(), words.next(), words.next()) else {
                return wrong("expected a description");
            };
            if name != family {
                if !families.insert(name.to_owned()) {
                    return wrong("the family comes twice");
                }
                (family, kind, begun) = (name.to_owned(), "unknown", false);
                described.clear();
            }
            if begun || !["TYPE", "HELP", "UNIT"].contains(&what) || !described.insert(what) {
                return wrong("a description that comes twice, late, or is none");
            }
            if what == "TYPE" {
                kind = value;
            }
            continue;
        }
        begun = true;
        let Some((series, value)) = line.rsplit_once(' ') else { return wrong("expected a sample") };
        let (name, labels) = series.split_once('{').map_or((series, None), |(name, labels)| (name, Some(labels)));
        if labels.is_some_and(|labels| !labels.ends_with("\"}")) {
            return wrong("labels without an end");
        }
        if !name.strip_prefix(family.as_str()).is_some_and(|suffix| suffixes(kind).contains(&suffix)) {
            return wrong("a sample of another family");
        }
        if value.parse::<f64>().is_err() {
            return wrong("no number");
        }
        if !samples.insert(series.to_owned()) {
            return wrong("a sample comes twice");
        }
    }
    Ok(samples)
}

/// Goal: the check finds what it is for.
#[test]
fn what_is_no_open_metrics_is_found() {
    let whole =
        "# HELP a_b Of a.\n# TYPE a_b counter\na_b_total{x=\"1\"} 1\n# HELP c Of c.\n# TYPE c gauge\nc 2\n# EOF\n";
    assert_eq!(check(whole).expect("whole").len(), 2);
    let twice = whole.replace("# EOF", "# HELP a_b Of a.\n# TYPE a_b counter\na_b_total{x=\"2\"} 1\n# EOF");
    for (text, said) in [
        (whole.replace("# EOF\n", ""), "end with"),
        (twice, "twice"),
        (whole.replace("c 2", "c 2\nc 2"), "a sample comes twice"),
        (whole.replace("c 2", "c x"), "no number"),
        (whole.replace("c 2", "a_b_total{x=\"3\"} 2"), "another family"),
        (whole.replace("a_b_total", "a_b"), "another family"),
        (whole.replace("c 2", "c 2\n# TYPE c gauge"), "comes twice, late"),
    ] {
        let error = check(&text).expect_err(said);
        assert!(error.contains(said), "{error} in\n{text}");
    }
}

/// Goal: all measures of a node that serves are one valid text; what `/readyz` says, how large the log is and when it was
/// sealed are among them; counters with a few labels are there before they count.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_measures_in_open_metrics() {
    let node = TestNode::start().await;
    node.client(None).await.checkpoint().await.expect("a checkpoint");
    let text = node.ledger().metrics().text();
    let samples = check(&text).unwrap_or_else(|error| panic!("{error}\nin\n{text}"));
    for sample in [
        "creditbank_unready{reason=\"clock\"}",
        "creditbank_unready{reason=\"damage\"}",
        "creditbank_unready{reason=\"read_only\"}",
        "creditbank_unready{reason=\"stopping\"}",
        "creditbank_log_entries",
        "creditbank_last_seal_timestamp_seconds",
        "creditbank_connections_refused_total{bound=\"address\"}",
        "creditbank_connections_closed_total{reason=\"idle\"}",
        "creditbank_calls_refused_total{reason=\"streams\"}",
        "creditbank_queued_work{pool=\"cheap\"}",
        "creditbank_queued_work{pool=\"expensive\"}",
        "creditbank_refused_work_total{pool=\"cheap\",bound=\"all\"}",
        "creditbank_refused_work_total{pool=\"expensive\",bound=\"caller\"}",
        "creditbank_work_seconds_count{pool=\"expensive\"}",
    ] {
        assert!(samples.contains(sample), "{sample} in\n{text}");
    }
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.expect("the measure").parse::<u64>().expect("a number")
    };
    assert_eq!(value("creditbank_log_entries"), node.ledger().size());
    let sealed = value("creditbank_last_seal_timestamp_seconds");
    assert!(sealed.abs_diff(node.ledger().now_ms() / 1_000) < 3_600, "sealed at {sealed}");
    assert_eq!(value("creditbank_unready{reason=\"damage\"}"), 0);
    node.ledger().health().set(creditbank_server::health::Condition::Clock, "for the test");
    let text = node.ledger().metrics().text();
    assert!(text.contains("creditbank_unready{reason=\"clock\"} 1"), "{text}");
}
