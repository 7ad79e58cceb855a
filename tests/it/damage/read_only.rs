//! Directories in which nothing can be written: a copy that is read-only, and a disk without room.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use creditbank_server::directory;
use creditbank_server::environment::Environment;
use creditbank_server::operate::check::check;
use creditbank_store::{DirectoryLock, Disk, DiskFile, FileInfo, Options, Place, RealDisk, StoreError};

use super::prepared::files;
use super::shared;

/// A disk on which one directory is read-only.
#[derive(Debug)]
struct ReadOnly(PathBuf);

impl ReadOnly {
    fn checked(&self, path: &Path) -> io::Result<&RealDisk> {
        if path.starts_with(&self.0) { Err(io::ErrorKind::ReadOnlyFilesystem.into()) } else { Ok(&RealDisk) }
    }
}

impl Disk for ReadOnly {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.checked(path)?.open(path)
    }

    fn open_existing(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open_existing(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.checked(path)?.create(path)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.checked(path)?.create_new(path)
    }

    fn info(&self, path: &Path) -> io::Result<FileInfo> {
        RealDisk.info(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        RealDisk.list(dir)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.checked(dir)?.make_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.checked(from)?.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.checked(path)?.remove(path)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.checked(dir)?.remove_dir(dir)
    }

    fn place(&self, dir: &Path) -> io::Result<Place> {
        RealDisk.place(dir)
    }

    fn available(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.available(dir)
    }

    fn lock(&self, dir: &Path) -> Result<DirectoryLock, StoreError> {
        let refused = |error| StoreError::File { path: dir.join("LOCK").display().to_string(), error };
        self.checked(dir).map_err(refused)?.lock(dir)
    }
}

/// A disk that has as much room as it is told.
#[derive(Debug)]
struct Room(Arc<AtomicU64>);

impl Disk for Room {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open(path)
    }

    fn open_existing(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open_existing(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.create(path)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.create_new(path)
    }

    fn info(&self, path: &Path) -> io::Result<FileInfo> {
        RealDisk.info(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        RealDisk.list(dir)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.make_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.remove_dir(dir)
    }

    fn place(&self, dir: &Path) -> io::Result<Place> {
        RealDisk.place(dir)
    }

    fn available(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::Relaxed))
    }

    fn lock(&self, dir: &Path) -> Result<DirectoryLock, StoreError> {
        RealDisk.lock(dir)
    }
}

fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(dir).into_iter().map(|path| (path.clone(), fs::read(dir.join(path)).expect("read"))).collect()
}

/// Goal: `check` looks at everything of a copy that is read-only, its index too, says that it took no lock, changes nothing,
/// and finds what is damaged.
#[test]
fn a_read_only_copy_is_checked() {
    let prepared = shared();
    let dir = tempfile::tempdir().expect("a directory");
    prepared.copy_to(dir.path());
    let disk: Arc<dyn Disk> = Arc::new(ReadOnly(dir.path().to_owned()));
    let environment = Environment { disk, ..prepared.environment.clone() };
    let config = directory::read_config(&environment, dir.path()).expect("a configuration");
    let before = contents(dir.path());
    let report = check(&environment, dir.path(), &config, &mut |_, _| ()).expect("checked");
    assert_eq!(report.findings.count(), 0, "{:?}", report.findings);
    assert!(report.notes.iter().any(|note| note.contains("read-only")), "{:?}", report.notes);
    assert!(report.index_rows > 100 && report.erased > 0, "{report:?}");
    assert!(contents(dir.path()) == before, "a file was changed");

    let path = dir.path().join("log/flat/level-01");
    let mut bytes = fs::read(&path).expect("read");
    bytes[70] ^= 4;
    fs::write(&path, bytes).expect("written");
    let report = check(&environment, dir.path(), &config, &mut |_, _| ()).expect("checked");
    assert_eq!(report.findings.count(), 1, "{:?}", report.findings);
}

/// A disk that counts as full while it has less room than this.
fn without_room(reserve_bytes: u64) -> Environment {
    let environment = shared().environment.clone();
    let tune = Arc::clone(&environment.tune);
    let tune = Arc::new(move |options: &mut Options| {
        tune(options);
        options.reserve_bytes = reserve_bytes;
    });
    Environment { tune, ..environment }
}

/// A disk that has as much room as it is told, and counts as full below 1,000 bytes.
pub(super) fn with_room(room: &Arc<AtomicU64>) -> Environment {
    Environment { disk: Arc::new(Room(Arc::clone(room))), ..without_room(1_000) }
}

/// A copy in which a node has worked, and has left the traces of a kill.
fn killed(dir: &Path) {
    shared().copy_to(dir);
    let asked = shared().ask(dir).expect("the node opens");
    assert!(asked.answers == shared().answers);
    assert!(!dir.join("log/clean").exists());
}

/// Goal: a node that was killed and starts without room is read-only, says so, answers everything as before, and changes no
/// file of log and keys; also where its index or its flat files have to be made anew.
#[test]
fn a_start_without_room_serves_everything() {
    let prepared = shared();
    let full = without_room(u64::MAX);
    for lost in [&[][..], &["log/index"], &["log/flat"]] {
        let dir = tempfile::tempdir().expect("a directory");
        killed(dir.path());
        for name in lost {
            fs::remove_dir_all(dir.path().join(name)).expect("removed");
        }
        let kept = |dir: &Path| {
            let mut all = contents(dir);
            all.retain(|(path, _)| !path.starts_with("log/index") && !path.starts_with("log/flat"));
            all
        };
        let before = kept(dir.path());
        let asked = prepared.ask_in(&full, dir.path()).expect("the node opens");
        assert!(asked.answers == prepared.answers, "{lost:?}");
        assert!(asked.problems.iter().any(|problem| problem.starts_with("read-only")), "{:?}", asked.problems);
        let mut after = kept(dir.path());
        after.retain(|(path, _)| !path.ends_with("LOCK"));
        let before: Vec<_> = before.into_iter().filter(|(path, _)| !path.ends_with("LOCK")).collect();
        assert!(after == before, "{lost:?}: a file was changed");
    }
}

/// Set in the process that stands in a namespace with a small file system.
const INSIDE: &str = "CREDITBANK_SMALL_DISK_DIR";

fn on_a_small_disk(mount: &Path) {
    let prepared = shared();
    let full = without_room(1 << 20);
    for loses_index in [false, true] {
        let dir = mount.join("node");
        killed(&dir);
        if loses_index {
            fs::remove_dir_all(dir.join("log/index")).expect("removed");
        }
        let ballast = fs::File::create(mount.join("ballast")).expect("a file");
        for len in [1 << 16, 1] {
            let chunk = vec![1; len];
            while io::Write::write_all(&mut &ballast, &chunk).is_ok() {}
        }
        assert_eq!(RealDisk.available(mount).expect("statvfs"), 0);
        let asked = prepared.ask_in(&full, &dir).expect("the node opens");
        assert!(asked.answers == prepared.answers, "without its index: {loses_index}");
        assert!(asked.problems.iter().any(|problem| problem.starts_with("read-only")), "{:?}", asked.problems);
        drop(ballast);
        fs::remove_file(mount.join("ballast")).expect("removed");
        let asked = prepared.ask_in(&full, &dir).expect("the node opens");
        assert!(asked.answers == prepared.answers && asked.problems.is_empty(), "{:?}", asked.problems);
        fs::remove_dir_all(&dir).expect("removed");
    }
}

/// Goal: the same on a real file system without one free byte, under sled; and with room the next start is a whole one.
#[test]
fn a_start_without_a_free_byte() {
    if let Some(dir) = std::env::var_os(INSIDE) {
        return on_a_small_disk(Path::new(&dir));
    }
    let dir = tempfile::tempdir().expect("a directory");
    let mount = |then: &[&str]| {
        let script = "mount -t tmpfs -o size=32m none \"$0\" && exec \"$@\"";
        std::process::Command::new("unshare")
            .args(["-Urm", "sh", "-c", script])
            .arg(dir.path())
            .args(then)
            .env(INSIDE, dir.path())
            .output()
    };
    if !mount(&["true"]).is_ok_and(|done| done.status.success()) {
        println!("skipped: this user cannot mount a small file system; the simulated disk has the same test");
        return;
    }
    let own = std::env::current_exe().expect("this program").display().to_string();
    let done = mount(&[&own, "--exact", "damage::read_only::a_start_without_a_free_byte", "--nocapture"]);
    let done = done.expect("it runs");
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&said));
}
