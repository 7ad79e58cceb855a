//! What an operator writes wrong is refused where it is written, and the message says what was expected and found.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::child::BINARY;

/// Runs the binary: its exit code, and what it said.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let run = Command::new(BINARY).args(arguments).output().expect("it runs");
    let said = [run.stdout, run.stderr].concat();
    (run.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// A directory with a node in `node`, which `init` has made with these options too.
struct Made(tempfile::TempDir);

impl Made {
    fn new(options: &[&str]) -> Self {
        let made = Self(tempfile::tempdir().expect("a directory"));
        let (code, said) = run(&[
            &["init", "--origin", "x.example", "--dir", &made.shown("node"), "--listen", "127.0.0.1:0"],
            options,
        ]
        .concat());
        assert_eq!(code, Some(0), "{said}");
        made
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn shown(&self, name: &str) -> String {
        self.at(name).to_str().expect("a plain path").to_owned()
    }

    /// Serving it ends with this code and says all of this. Returns what it said.
    #[track_caller]
    fn is_refused(&self, with: i32, says: &[&str]) -> String {
        let (code, said) = run(&["serve", "--dir", &self.shown("node")]);
        assert!(code == Some(with) && says.iter().all(|part| said.contains(part)), "{says:?}: {code:?} {said}");
        said
    }

    /// Replaces something in node.toml.
    fn edit(&self, from: &str, to: &str) {
        let path = self.at("node/node.toml");
        let text = fs::read_to_string(&path).expect("a configuration");
        assert!(text.contains(from), "{from} in {text}");
        fs::write(&path, text.replace(from, to)).expect("written");
    }
}

fn set_mode(path: &Path, mode: u32) -> u32 {
    let before = fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
    before
}

/// Goal: nobody else may write what the node trusts, or read what is secret: its configuration, everything below keys/
/// and log/, the key of `[tls]` wherever it is. Method: each once with a loose mode.
#[test]
fn what_others_may_write_is_not_served() {
    let made = Made::new(&["--tls-self-signed", "localhost"]);
    let elsewhere = made.at("elsewhere.pem");
    fs::copy(made.at("node/keys/tls-key.pem"), &elsewhere).expect("copied");
    set_mode(&elsewhere, 0o600);
    made.edit("key = \"keys/tls-key.pem\"", &format!("key = \"{}\"", elsewhere.display()));
    fs::write(made.at("node/keys/log.key.old"), "an old copy").expect("written");
    set_mode(&made.at("node/keys/log.key.old"), 0o600);
    // Files of the log's parts, whatever their engine calls them.
    let first_of = |dir: &str| {
        let mut files: Vec<PathBuf> =
            fs::read_dir(made.at(dir)).expect("a directory").map(|item| item.expect("an item").path()).collect();
        files.retain(|path| path.is_file());
        files.sort();
        files.into_iter().next().expect("a file")
    };
    let cases = [
        (made.at("node/node.toml"), 0o666, "chmod go-w"),
        (made.at("node/trust.toml"), 0o664, "chmod go-w"),
        (made.at("node/log/guard"), 0o666, "chmod go-w"),
        (made.at("node/log/flat"), 0o777, "chmod go-w"),
        (made.at("node/log/index"), 0o770, "chmod go-w"),
        (first_of("node/log/journal"), 0o620, "chmod go-w"),
        (first_of("node/log/flat"), 0o602, "chmod go-w"),
        (first_of("node/log/index"), 0o666, "chmod go-w"),
        (made.at("node/keys/tls-cert.pem"), 0o646, "chmod go-w"),
        (made.at("node/keys/tls-key.pem"), 0o640, "chmod 600"),
        (made.at("node/keys/log.key.old"), 0o644, "chmod 600"),
        (elsewhere, 0o644, "[tls] key"),
    ];
    for (path, loose, mends) in cases {
        let before = set_mode(&path, loose);
        made.is_refused(2, &[mends, &path.display().to_string()]);
        set_mode(&path, before);
    }
}

/// Goal: files and directories of another user are refused, as he may change their modes. Only root may give files
/// away.
#[test]
fn what_is_anothers_is_not_served() {
    let made = Made::new(&[]);
    for name in ["node/keys/log.key", "node/log", "node"] {
        let path = made.at(name);
        if std::os::unix::fs::chown(&path, Some(12_345), None).is_err() {
            eprintln!("this test says something for root alone");
            return;
        }
        made.is_refused(2, &["the user with number 12345", name]);
        std::os::unix::fs::chown(&path, Some(0), None).expect("given back");
    }
}

/// Goal: certificates that cannot be served are refused by `init`, with nothing left behind, and by `serve` with the
/// setting's name.
#[test]
fn certificates_that_do_not_fit_are_refused() {
    let (one, other) =
        (Made::new(&["--tls-self-signed", "one.example"]), Made::new(&["--tls-self-signed", "two.example"]));
    let (certificate, key) = (one.shown("node/keys/tls-cert.pem"), one.shown("node/keys/tls-key.pem"));
    let others = other.shown("node/keys/tls-key.pem");
    let dir = tempfile::tempdir().expect("a directory");
    let new = dir.path().join("new").to_str().expect("a plain path").to_owned();
    let init = |options: &[&str]| run(&[&["init", "--origin", "x.example", "--dir", &new], options].concat());
    for (pair, said_of_it) in [
        (format!("{certificate},{others}"), "is not for the key in"),
        (format!("{key},{certificate}"), "swapped"),
        (format!("{certificate},{certificate}"), "expected a private key in PEM, found none"),
    ] {
        let (code, said) = init(&["--tls", &pair]);
        assert!(code == Some(2) && said.contains("--tls") && said.contains(said_of_it), "{pair}: {code:?} {said}");
    }
    let (code, said) = init(&["--tls-self-signed", "bad host name"]);
    assert!(code == Some(2) && said.contains("expected a host name or address"), "{code:?} {said}");
    let before = set_mode(Path::new(&key), 0o644);
    let (code, said) = init(&["--tls", &format!("{certificate},{key}")]);
    assert!(code == Some(2) && said.contains("[tls] key") && said.contains("chmod 600"), "{code:?} {said}");
    set_mode(Path::new(&key), before);
    assert!(!Path::new(&new).exists(), "nothing is left behind");
    one.edit("key = \"keys/tls-key.pem\"", &format!("key = \"{others}\""));
    let said = one.is_refused(2, &["node.toml: [tls]", "is not for the key in"]);
    assert!(!said.contains("listen"), "{said}");
}

/// Goal: keys that a log on a disk has never sign another history from memory; a node that was made for a log in memory
/// is served.
#[test]
fn a_log_on_a_disk_is_not_served_from_memory() {
    let made = Made::new(&[]);
    made.edit("store = \"sled:log\"", "store = \"memory:\"");
    made.is_refused(2, &["a second", "sled:log"]);
    // Also where the log was taken away, and only its keys are there.
    fs::remove_dir_all(made.at("node/log")).expect("removed");
    fs::remove_file(made.at("node/learners.keys")).expect("removed");
    made.is_refused(2, &["were made for a log on a disk"]);
}

/// Goal: settings that serve nobody or do nothing are refused; a port that is taken is named by its setting.
#[test]
fn settings_are_named() {
    let made = Made::new(&[]);
    let path = made.at("node/node.toml");
    let text = fs::read_to_string(&path).expect("a configuration");
    for (rest, said_of_it) in [
        ("[connections]\nmax = 0\n", "[connections] max: expected at least 1"),
        ("[scrub]\nfrom_hour = 25\n", "[scrub] from_hour: expected an hour from 0 to 23, found \"25\""),
    ] {
        fs::write(&path, format!("{text}\n{rest}")).expect("written");
        made.is_refused(2, &[said_of_it]);
    }
    fs::write(&path, &text).expect("written");
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let operations = format!("[operations]\nlisten = \"{}\"", taken.local_addr().expect("its address"));
    made.edit("[operations]\nlisten = \"127.0.0.1:0\"", &operations);
    made.is_refused(1, &["`[operations] listen` in"]);
}

/// Goal: another origin in node.toml is not called damage.
#[test]
fn another_logs_name_is_not_damage() {
    let made = Made::new(&[]);
    made.edit("origin = \"x.example\"", "origin = \"y.example\"");
    let said = made.is_refused(1, &["of another log", "in node.toml"]);
    assert!(!said.contains("is damaged"), "{said}");
}
