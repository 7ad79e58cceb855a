//! Where and of what a figure was measured: without it a figure says nothing.

use std::process::Command;

use serde::Serialize;

/// The machine, the commit and the command.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    #[serde(rename = "machine")]
    pub(crate) name: String,
    pub(crate) commit: String,
    pub(crate) command: String,
}

/// The value behind `name :` in a file of the kernel.
fn proc_value(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

impl Machine {
    pub(crate) fn here() -> Self {
        let unknown = || "unknown".to_owned();
        let cpu = proc_value("/proc/cpuinfo", "model name").unwrap_or_else(unknown);
        let memory = proc_value("/proc/meminfo", "MemTotal").unwrap_or_else(unknown);
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_else(|_| unknown());
        let commit = output("git", &["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(unknown);
        let changed = output("git", &["status", "--porcelain"]).is_some_and(|changes| !changes.is_empty());
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let command = format!("cargo run --release -p creditbank-bench -- {}", arguments.join(" "));
        Self {
            name: format!("{cpu}, {} cores, {memory}, Linux {}", cores(), kernel.trim()),
            commit: if changed { format!("{commit}, with changes") } else { commit },
            command: command.trim_end_matches(&[' ', '-'][..]).to_owned(),
        }
    }
}
