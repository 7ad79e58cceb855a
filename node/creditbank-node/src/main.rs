//! The node's command: makes a node, serves it, and shows in a minute what a node does.

mod backup;
mod check;
mod confirm_time;
mod failure;
mod init;
mod node_dir;
mod private_memory;
mod quickstart;
mod registry_keys;
mod reindex;
mod restore;
mod serve;
mod succeed;
mod tls;

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A node allocates and frees a few dozen small values for each record. The system's allocator takes a tenth of the
/// time for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A node of the Credit Bank: a ledger of learning outcomes and credits that anybody can verify.
///
/// Exit codes: 0 done; 1 failed, or damaged (check); 2 wrong usage: ask for something else, or correct the directory or
/// node.toml first; 3 restored and held (restore).
#[derive(Parser)]
#[command(name = "creditbank-node", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a node: keys, secrets, configuration, and the first entries of its log.
    ///
    /// Also writes DIR/trust.toml: what clients and verifiers need to check this log. Back up DIR/keys now: without the
    /// master key nobody can read the learners' records.
    Init(init::Arguments),
    /// Serve the node of a directory over gRPC until SIGINT or SIGTERM.
    ///
    /// Logs go to standard error; `RUST_LOG` sets how much (default: info). DIR/node.toml has the address and the
    /// certificates.
    Serve(serve::Arguments),
    /// Verify everything on the disk of a stopped node: every byte of the journal, every hash and signature.
    ///
    /// Checks checksums and order of the journal; the log's tree, guard and flat files; every block, seal, chain and
    /// status, with the same replay as an auditor; every record against the signed hash; the index against the journal.
    /// Changes nothing. Index and flat files can be rebuilt with `reindex`; for other damage restore a backup.
    ///
    /// For a backup (`--dir BACKUP`): checks the manifest under the node's master key, the hash of every file, and then
    /// its log in the same way. Stop `backup --follow` into it first.
    ///
    /// Exit codes: 0 good, 1 damaged, 2 wrong usage or a node serves the directory. A restored log that is held is
    /// good; the output says that it is held.
    Check(check::Arguments),
    /// Rebuild index and flat files from the journal, which has everything.
    ///
    /// For a stopped node, if `check` finds them damaged, or after you have chosen another engine in node.toml.
    Reindex(reindex::Arguments),
    /// Copy a node to a new directory, even while it serves.
    ///
    /// The copy is consistent: the log up to the newest durable round, and every learner's key that it needs. It holds
    /// secrets: keep it as safe as the node. Learners' keys that are destroyed later stay in the copy until it expires,
    /// so delete backups when they expire. `check --dir COPY` verifies it.
    Backup(backup::Arguments),
    /// Make a node from a backup, in a new directory.
    ///
    /// The backup lacks the rounds since it was made, but the log key has signed for them. So say what others have
    /// seen: the newest checkpoint that witnesses, partners or your published page have (`creditbank log checkpoint`).
    /// A log that contradicts it is refused. A log that lacks it is restored but held: it is not served until it has
    /// the missing rounds. Then run `check`, make sure that the old node does not run, and serve with `--take-over`,
    /// once.
    ///
    /// Exit codes: 0 restored, 1 failed, 2 wrong usage, 3 restored and held.
    Restore(restore::Arguments),
    /// Continue a log under another origin and log key, in a new directory: after a theft of the log key, or a loss of
    /// what others have seen.
    ///
    /// Others have seen what the thief has signed, or entries that no copy has any more, so the old origin cannot
    /// continue. The entries up to the last checkpoint before the theft, or up to the end of the newest copy, can be
    /// kept. The new log begins with them, and its first own block states the succession under the registry key.
    /// Places, receipts and transcripts from before stay valid. What the old log has beyond N is lost: the command says
    /// whose it is, as far as the old directory has it.
    ///
    /// Stop the old node first; its directory is not changed. The file of the old log key must be in its `keys`,
    /// because it signs the succession too.
    ///
    /// Do not use this for a planned change of the log key: use `creditbank key rotate`.
    Succeed(succeed::Arguments),
    /// Seal 32,593 real results of a real university, export a transcript, verify it, and break it.
    ///
    /// Runs a node in a temporary directory on a free port of the loopback. The data are studentInfo.csv of the Open
    /// University Learning Analytics Dataset (Kuzilek, Hlosta, Zdrahal 2017, CC BY 4.0).
    Quickstart(quickstart::Arguments),
}

/// Prints a line. A closed pipe is not an error, and what was done stays done.
fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A directory that holds a node.
fn shown(dir: &Path) -> std::path::Display<'_> {
    dir.display()
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let logs = match arguments.command {
        // The transport warns of every frame that a stranger should not have sent: a line for a few bytes.
        Command::Serve(_) => "info,h2=error,hyper=error,rustls=error",
        // The story is on standard output; logs would interrupt it.
        _ => "error",
    };
    start_logs(logs);
    private_memory::keep();
    // Only the owner may access the files that any part of the process writes, even if a library makes the file.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Init(arguments) => init::run(arguments),
            Command::Serve(arguments) => serve::run(arguments).await,
            Command::Check(arguments) => tokio::task::block_in_place(|| check::run(&arguments)),
            Command::Reindex(arguments) => tokio::task::block_in_place(|| reindex::run(&arguments)),
            Command::Backup(arguments) => backup::run(&arguments).await,
            Command::Restore(arguments) => tokio::task::block_in_place(|| restore::run(arguments)),
            Command::Succeed(arguments) => tokio::task::block_in_place(|| succeed::run(arguments)),
            Command::Quickstart(arguments) => Box::pin(quickstart::run(arguments)).await,
        }
    });
    // Do not wait for tasks that still run: the log is closed.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let next = failure::next_step(&error).map_or_else(String::new, |next| format!(": {next}"));
            eprintln!("error: {error:#}{next}");
            failure::exit_code(&error)
        }
    }
}

fn start_logs(default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
}
