//! The node: makes one, serves one, and shows in a minute what one does.

mod backup;
mod check;
mod confirm_time;
mod failure;
mod init;
mod node_dir;
mod private_memory;
mod quickstart;
mod reindex;
mod restore;
mod serve;
mod succeed;
mod tls;

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A node makes and drops a few dozen small values for each record; the system's allocator takes a tenth of the time
/// for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A node of the Credit Bank: a ledger of learning outcomes and credits that anybody can verify.
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
    /// Writes DIR/trust.toml too: what clients and verifiers need to know to check this log. Back up DIR/keys now:
    /// without the master key nobody can read the learners' records.
    Init(init::Arguments),
    /// Serve the node of a directory over gRPC until SIGINT or SIGTERM.
    ///
    /// Logs go to standard error; `RUST_LOG` sets how much (default: info). Address and certificates stand in
    /// DIR/node.toml.
    Serve(serve::Arguments),
    /// Verify everything on the disk of a node that does not run: every byte of the journal, every hash and signature.
    ///
    /// Checksums and order of the journal; the log's tree, guard and flat files; every block, seal, chain and status by
    /// the same replay as an auditor's; every record against the hash that was signed; the index against the journal.
    /// Changes nothing. What is derived (index, flat files) can be rebuilt with `reindex`; for other damage restore a
    /// backup.
    ///
    /// Of a backup (`--dir BACKUP`): the manifest under the node's master key, the hash of every file, and then its log in
    /// the same way. Nothing may follow into it meanwhile.
    ///
    /// Exit codes: 0 good, 1 damaged, 2 wrong usage or a node serves the directory. A restored log that is held is good; that
    /// it is held is said.
    Check(check::Arguments),
    /// Rebuild index and flat files from the journal, which has everything.
    ///
    /// For a stopped node, when `check` finds them damaged, or after another engine was chosen in node.toml.
    Reindex(reindex::Arguments),
    /// Copy a node to a new directory, while it serves or not.
    ///
    /// The copy is consistent: the log up to the newest round that is durable, and with it every learner's key that it
    /// needs. It holds secrets: keep it as safe as the node. Learners' keys that are destroyed later live on in it
    /// until it expires, so delete backups when they do. `check --dir COPY` says whether it is sound.
    Backup(backup::Arguments),
    /// Make a node from a backup, in a new directory.
    ///
    /// The backup lacks the rounds since it was made, and the log key has signed for them. So say what others have
    /// seen: the newest checkpoint that witnesses, partners or your published page have (`creditbank log checkpoint`).
    /// A log that contradicts it is refused; a log that lacks it is restored, but not served until it has it: it is held.
    /// Then run `check`, see that the old node does not run, and serve with `--take-over`, once.
    ///
    /// Exit codes: 0 restored, 1 failed, 2 wrong usage, 3 restored and held.
    Restore(restore::Arguments),
    /// After a theft of the log key, or a loss of what others have seen: go on under another origin and another log key, in
    /// a new directory.
    ///
    /// Others have seen what the thief has signed, or what no copy has any more, so the origin is lost; the entries up to
    /// the last checkpoint before the theft, or up to the end of the newest copy, are not. The new log begins with them, and its first block of its own says so under the
    /// registry key. Places, receipts and transcripts of before stay what they are. What the old log has beyond N is
    /// lost: the command says whose it is, as far as the old directory has it. Stop the old node first; its directory stays
    /// as it is. The file of the old log key must be in its `keys`: it signs too, that the log goes on.
    ///
    /// A planned change of the log key needs none of this: `creditbank key rotate`.
    Succeed(succeed::Arguments),
    /// Seal 32,593 real results of a real university, export a transcript, verify it, break it.
    ///
    /// Runs a node in a temporary directory on a free port of the loopback. The data are studentInfo.csv of the Open
    /// University Learning Analytics Dataset (Kuzilek, Hlosta, Zdrahal 2017, CC BY 4.0).
    Quickstart(quickstart::Arguments),
}

/// Prints a line. A reader that has seen enough is no error, and what was done stays done.
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
        Command::Serve(_) => "info",
        // A story is told on standard output, and logs would talk into it.
        _ => "error",
    };
    start_logs(logs);
    private_memory::keep();
    // What any part of the process writes is its owner's alone, also where a library makes the file.
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
    // What is still being done, nobody waits for: the log is closed.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
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
