//! `quickstart`: a node, a university with its real results, one transcript, and its credit in another country.

mod abroad;
mod admit;
mod learner;
mod story;

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use creditbank_client::IssuingUnit;
use creditbank_client::import::{self, Mapping};
use creditbank_client::issue::{Places, Progress, issue};
use creditbank_client::key_file;
use creditbank_client::{Client, ConnectOptions, Seeds, now_ms, trust};
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::Purpose;
use creditbank_protocol::transcript::{Report, verify};
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_rpc::v1::{InstitutionAlias, Person};
use creditbank_server::directory::{self, StoreUrl};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::Limits;
use creditbank_server::serve;
use creditbank_store::RealDisk;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};

use crate::init;
use story::Story;

pub(crate) const ORIGIN: &str = "quickstart.creditbank.example/log";
const RESULTS: &[u8] = include_bytes!("../data/oulad/studentInfo.csv");

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Keep the node in this directory, with transcript.cbt, trust.toml and all keys, so that it can be served again.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Print one JSON object instead of the story.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { keep, json } = arguments;
    let temporary = tempfile::tempdir().context("a temporary directory")?;
    let dir = keep.clone().unwrap_or_else(|| temporary.path().join("node"));
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    // A signal ends the run here, so that the temporary directory is removed.
    tokio::select! {
        done = play(&dir, keep.is_some(), json) => done,
        _ = interrupt.recv() => anyhow::bail!("interrupted"),
        _ = terminate.recv() => anyhow::bail!("terminated"),
    }
}

async fn play(dir: &Path, keep: bool, json: bool) -> anyhow::Result<()> {
    let story = Story::new(json);
    let start = Instant::now();
    let config = init::make(dir, &directory::keys_dir(dir), ORIGIN, StoreUrl::standard(), init::LOOPBACK, None)?;
    let ledger = directory::open(&Environment::system(), dir, &config, Limits::default())?;
    let loopback = ([127, 0, 0, 1], 0).into();
    let running = serve::start(ledger, loopback, None).await?;
    let mut options = ConnectOptions::new(&format!("http://{}", running.address()));
    options.timeout = Duration::from_secs(30);
    story.begin(ORIGIN, running.address());
    let told = tell(dir, &options, &story, start).await;
    running.stop().await?;
    let told = told?;
    story.end(&told, keep.then_some(dir));
    if told.is_as_expected() { Ok(()) } else { anyhow::bail!("the figures are not as expected") }
}

/// A unit with new seed secrets beside its key.
fn issuing(institution: u64, key: &Path) -> anyhow::Result<IssuingUnit> {
    let id = UnitId::new(institution, admit::UNIT);
    let seeds = Seeds::fresh(&Seeds::default_path(Some(key), id), id)?;
    Ok(IssuingUnit::new(id, Arc::new(key_file::read_for(key, Purpose::Unit)?), seeds))
}

async fn tell(dir: &Path, options: &ConnectOptions, story: &Story, start: Instant) -> anyhow::Result<story::Figures> {
    let trust_file = || trust::read(&dir.join("trust.toml"));
    let operator = Client::connect(options, trust_file()?, None).await?;
    let keys = admit::open_university(&operator, dir).await?;
    story.admitted();

    let access = key_file::read_for(&keys.access, Purpose::InstitutionAccess)?;
    let university = Client::connect(options, trust_file()?, Some(access)).await?;
    let unit = issuing(admit::NUMBER, &keys.unit)?;
    let mapping = Mapping::parse(import::OULAD)?;
    let places = Places { work: &dir.join("import"), refused: &dir.join("refused.csv") };
    let bar = story.bar(RESULTS.split(|byte| *byte == b'\n').count());
    let begun = Instant::now();
    let done =
        issue(&university, &unit, &mapping, Cursor::new(RESULTS), places, |progress| bar.set_position(progress.lines))
            .await?;
    let took = begun.elapsed();
    bar.finish_and_clear();
    story.imported(&done, took);

    let (person, passes) = learner::with_several_credits(RESULTS, &mapping)?;
    let european = learner::european(&person);
    // The student number comes first: it decides whose account it is, and the European number then leads there too.
    let known = Person { identities: [person.identities, european.identities.clone()].concat() };
    let alias = university.open_accounts(admit::NUMBER, vec![known]).await?;
    let alias = alias.first().context("an alias")?.0.to_vec();
    let (file, _) =
        university.transcript(Learner::Alias(InstitutionAlias { institution: admit::NUMBER, alias })).await?;
    let path = dir.join("transcript.cbt");
    RealDisk::shared().replace(&path, &file).with_context(|| path.display().to_string())?;
    let read = std::fs::read(&path).with_context(|| path.display().to_string())?;
    let trusted = trust_file()?;
    let report = verify(&read, &trusted, now_ms());
    let mut tampered = read;
    let middle = tampered.len() / 2;
    tampered[middle] ^= 1;
    let broken = verify(&tampered, &trusted, now_ms()).err();
    story.transcript(&report, passes, middle, broken.as_ref());
    let home = abroad::Party { client: &university, unit: &unit, work: &dir.join("open.ac.uk/work") };
    let abroad = go_on(dir, options, story, &operator, &home, &file, european).await?;
    let (accepted, _) = university.checkpoint().await?;
    let (report, valid) = (report.ok(), broken.is_none());
    Ok(figures(&done, took, start.elapsed(), accepted.checkpoint.size, report.as_ref(), valid, abroad))
}

/// The learner continues in another country.
async fn go_on(
    dir: &Path,
    options: &ConnectOptions,
    story: &Story,
    operator: &Client,
    home: &abroad::Party<'_>,
    transcript: &[u8],
    person: Person,
) -> anyhow::Result<story::Abroad> {
    let keys = admit::institute_abroad(operator, dir).await?;
    let access = key_file::read_for(&keys.access, Purpose::InstitutionAccess)?;
    let client = Client::connect(options, trust::read(&dir.join("trust.toml"))?, Some(access)).await?;
    let unit = issuing(admit::ABROAD, &keys.unit)?;
    let abroad = abroad::Party { client: &client, unit: &unit, work: &dir.join("essai.example/work") };
    story.agreed(abroad::agree(home, &abroad).await?);
    abroad::publish_certificate(&abroad).await?;

    let alias = client.open_accounts(admit::ABROAD, vec![person]).await?;
    let alias = alias.first().context("an alias")?.0.to_vec();
    let (answer, _) = abroad::progress(&abroad, &alias).await?;
    story.progress(&answer);
    let (conversion, steps) = abroad::convert(&abroad, &alias, &abroad::credits(transcript)?).await?;
    story.converted(&steps);
    let (answer, draft) = abroad::progress(&abroad, &alias).await?;
    story.progress(&answer);
    let draft = draft.filter(|_| abroad::is_met(&answer)).context("an award for the converted credit")?;
    let award = abroad::award(&abroad, &draft, "E-1").await?;
    story.awarded(&award, draft.redeems.len());
    let refused = abroad::again(&abroad, &draft).await?;
    story.again(refused.as_ref());
    let granted = conversion.amount_steps.map_or(0, |steps| steps.granted_e4);
    let converted = creditbank_rules::decimal::show_e4(granted);
    Ok(story::Abroad { converted, award, double_spend_refused: refused.is_some() })
}

fn figures(
    done: &Progress,
    took: Duration,
    all: Duration,
    size: u64,
    report: Option<&Report>,
    tampered_valid: bool,
    abroad: story::Abroad,
) -> story::Figures {
    let rate = u128::from(done.records) * 1_000 / took.as_millis().max(1);
    story::Figures {
        records: done.records,
        credit_records: done.kinds.get("credit").copied().unwrap_or(0),
        credits: creditbank_rules::decimal::show_e4(done.credits.get("CATS").copied().unwrap_or(0)),
        unit: "CATS".to_owned(),
        learners: done.learners,
        blocks: done.blocks,
        log_size: size,
        records_per_second: u64::try_from(rate).unwrap_or(u64::MAX),
        transcript_records: report.map_or(0, |report| report.records.len()),
        transcript_valid: report.is_some(),
        tampered_valid,
        abroad,
        seconds: story::Seconds(all),
    }
}

/// A bar on standard error, hidden if nobody looks.
fn bar(lines: usize, hidden: bool) -> ProgressBar {
    if hidden {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} lines, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(lines.saturating_sub(1) as u64).with_style(style)
}
