//! Load against a node of its own, through gRPC, counted only when it is durable.
//!
//! Client and node are two processes on the same cores. Accounts are opened and blocks prepared beforehand, in a file; what
//! is timed is sending them, and the node's whole work until the receipts are back. The ceiling is the same blocks decoded,
//! checked and verified in this process on all cores, without gRPC and store.
#![forbid(unsafe_code)]

mod accounts;
mod blocks;
mod ceiling;
mod child;
mod load;
mod machine;
mod reads;
mod report;
mod run;
mod scene;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use machine::Machine;
use report::Report;
use run::{Plan, run};

/// What is measured, and against which of the goals.
#[derive(Parser)]
#[command(version, about = "Measures a node: ingest, latency, memory, disk, proofs, transcripts", long_about = LONG)]
struct Arguments {
    /// Measure this engine only; by default fjall, sled, and blocks of one record on fjall.
    #[arg(long)]
    engine: Option<Engine>,
    /// Records of each run with blocks of 1,000; by default 2,000,000 on fjall and 1,000,000 on others. A run of single
    /// records takes a tenth of it.
    #[arg(long)]
    records: Option<u64>,
    /// Only the runs with this many records a block: 1 or 1000.
    #[arg(long)]
    block_size: Option<usize>,
    /// Where nodes and prepared blocks are put, about 3 KB a record; removed afterwards. By default the system's directory
    /// for temporary files, which should be on the disk that is to be measured.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Measure only how long blocks take while accounts are opened, on sled or the engine that is named.
    #[arg(long)]
    accounts: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Serve a node's directory and say where: what the measured process does.
    #[arg(long, hide = true)]
    node: Option<PathBuf>,
}

const LONG: &str = "Measures a node: ingest, latency, memory, disk, proofs, transcripts.

Every run makes a node in a directory of its own and serves it in another process. Accounts are opened and blocks are signed
beforehand; the clock runs from the first block sent until the last receipt is back, and a receipt means that the block is on
the disk. Rates are compared with the ceiling of the same run: the same blocks decoded, checked and verified on all cores
without gRPC and store. Latency is measured after that, at half of the rate that was just reached, from the moment at which a
block was due. Then the node is killed, opened again, stopped, and opened once more.

Two million records take some minutes and about 6 GB on the disk.";

/// An index engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    Sled,
    Fjall,
    Memory,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Fjall => "fjall",
            Self::Memory => "memory",
        }
    }
}

/// As in the node.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BLOCK: usize = 1_000;

/// The runs that were asked for.
fn plans(arguments: &Arguments) -> Vec<Plan> {
    let records = |engine| arguments.records.unwrap_or(if engine == Engine::Fjall { 2_000_000 } else { 1_000_000 });
    let runs = match arguments.engine {
        Some(engine) => vec![(engine, BLOCK), (engine, 1)],
        None => vec![(Engine::Fjall, BLOCK), (Engine::Sled, BLOCK), (Engine::Fjall, 1)],
    };
    let plan = |(engine, block_size)| {
        let records = if block_size == 1 { records(engine).min(2_000_000) / 10 } else { records(engine) };
        Plan { engine, records: records.max(1_000), block_size, dir: arguments.dir.clone() }
    };
    let asked = |plan: &Plan| arguments.block_size.is_none_or(|size| size == plan.block_size);
    runs.into_iter().map(plan).filter(asked).collect()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(dir) = arguments.node {
        return child::serve(&dir).await;
    }
    if arguments.accounts {
        return accounts::measure(arguments.engine.unwrap_or(Engine::Sled), arguments.dir).await;
    }
    let plans = plans(&arguments);
    anyhow::ensure!(!plans.is_empty(), "--block-size is 1 or {BLOCK}");
    let machine = Machine::here();
    let mut report = Report::new(&machine);
    for plan in &plans {
        eprintln!("{}: {} records in blocks of {}", plan.engine.name(), plan.records, plan.block_size);
        report.add(run(plan).await?);
    }
    report.print(arguments.json)
}
