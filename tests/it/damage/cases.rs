//! What is done to a directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use creditbank_store::Random;

use super::fields;
use super::prepared::{Prepared, copy_dir, files};

/// Fields of one name that are damaged, in different files and places.
const PER_FIELD: usize = 4;

/// Places of each file of an index in which a bit is flipped.
const IN_INDEX: usize = 24;

/// One damage of one file, or of one directory.
#[derive(Debug, Clone)]
pub(super) struct Case {
    path: PathBuf,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    /// A bit of a named field, or of any place.
    Flip {
        #[expect(dead_code, reason = "the message of a case that fails shows it")]
        field: String,
        byte: usize,
        bit: u8,
    },
    /// Bytes from a place on become what a seed says.
    Noise { at: usize, len: usize, seed: u64 },
    /// Bytes from a place on become zero, as a sector that was never written.
    Zeros { at: usize, len: usize },
    /// Two stretches change places.
    Swap { at: usize, other: usize, len: usize },
    /// The end is gone.
    Cut { len: usize },
    /// Something follows the end.
    Longer { len: usize, seed: u64 },
    /// The file is gone.
    Gone,
    /// The file, or the whole directory, is as it was before.
    Older,
}

fn number(random: &mut Random, below: usize) -> usize {
    usize::try_from(random.below(below.max(1) as u64)).expect("below a usize")
}

impl Case {
    /// A file of any kind, each kind as often as the others, and any damage.
    pub(super) fn random(prepared: &Prepared, random: &mut Random) -> Self {
        let all = damageable(&prepared.whole());
        let mut by_kind: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for path in all {
            by_kind.entry(kind(&path)).or_default().push(path);
        }
        let kinds: Vec<_> = by_kind.values().collect();
        let of_kind = kinds[number(random, kinds.len())];
        let path = of_kind[number(random, of_kind.len())].clone();
        let len = fs::metadata(prepared.whole().join(&path))
            .map_or(0, |found| usize::try_from(found.len()).expect("a small file"));
        let at = number(random, len);
        let some = |random: &mut Random| 1 + number(random, 4_096.min(len.max(1)));
        let how = match random.below(16) {
            0..=6 => {
                How::Flip { field: "any".to_owned(), byte: at, bit: u8::try_from(random.below(8)).expect("small") }
            }
            7..=8 => How::Noise { at, len: some(random), seed: random.below(u64::MAX) },
            9..=10 => How::Zeros { at: at / 512 * 512, len: 512 * (1 + number(random, 8)) },
            11 => How::Swap { at, other: number(random, len), len: some(random) },
            12 => How::Cut { len: at },
            13 => How::Longer { len: some(random), seed: random.below(u64::MAX) },
            14 => How::Gone,
            _ => How::Older,
        };
        Self { path, how }
    }

    /// A flipped bit in each field of each format, in several places, and each file gone, cut and as it was before.
    pub(super) fn targeted(prepared: &Prepared, random: &mut Random) -> Vec<Self> {
        let mut by_field: BTreeMap<(String, String), Vec<(PathBuf, usize)>> = BTreeMap::new();
        let mut cases = Vec::new();
        for path in damageable(&prepared.whole()) {
            let bytes = fs::read(prepared.whole().join(&path)).expect("read");
            for (field, range) in fields::of(&path.to_string_lossy(), &bytes) {
                let byte = range.start + number(random, range.len());
                by_field.entry((kind(&path), field)).or_default().push((path.clone(), byte));
            }
            for how in [How::Gone, How::Cut { len: bytes.len() / 2 }, How::Cut { len: 0 }, How::Older] {
                cases.push(Self { path: path.clone(), how });
            }
        }
        for directory in ["log/flat", "log/index", "log/journal", "keys"] {
            cases.push(Self { path: directory.into(), how: How::Older });
        }
        for ((_, field), places) in by_field {
            let step = places.len().div_ceil(PER_FIELD);
            for (path, byte) in places.into_iter().step_by(step) {
                let bit = u8::try_from(random.below(8)).expect("small");
                cases.push(Self { path, how: How::Flip { field: field.clone(), byte, bit } });
            }
        }
        cases
    }

    /// A flipped bit in many places of each file of the index that holds something there.
    pub(super) fn of_index(prepared: &Prepared, random: &mut Random) -> Vec<Self> {
        let mut cases = Vec::new();
        for path in damageable(&prepared.whole()).into_iter().filter(|path| path.starts_with("log/index")) {
            let bytes = fs::read(prepared.whole().join(&path)).expect("read");
            let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
            for part in 0..IN_INDEX.min(used.len()) {
                let within = used.len() / IN_INDEX.min(used.len());
                let byte = used[part * within + number(random, within)];
                let bit = u8::try_from(random.below(8)).expect("small");
                cases.push(Self { path: path.clone(), how: How::Flip { field: "index".to_owned(), byte, bit } });
            }
        }
        cases
    }

    /// Whether it is about what is made of the journal anew.
    pub(super) fn is_index(&self) -> bool {
        self.path.starts_with("log/index")
    }

    /// What is damaged, for the list of outcomes.
    pub(super) fn kind(&self) -> String {
        kind(&self.path)
    }

    /// Damages the copy; `false` where nothing changes.
    pub(super) fn apply(&self, prepared: &Prepared, dir: &Path) -> bool {
        let path = dir.join(&self.path);
        if path.is_dir() {
            fs::remove_dir_all(&path).expect("removed");
            copy_dir(&prepared.older.join(&self.path), &path);
            return true;
        }
        let before = fs::read(&path).expect("read");
        let mut bytes = before.clone();
        match &self.how {
            How::Flip { byte, bit, .. } => {
                if let Some(byte) = bytes.get_mut(*byte) {
                    *byte ^= 1 << bit;
                }
            }
            How::Noise { at, len, seed } => bytes.iter_mut().skip(*at).take(*len).zip(noise(*seed)).for_each(set),
            How::Zeros { at, len } => bytes.iter_mut().skip(*at).take(*len).for_each(|byte| *byte = 0),
            How::Swap { at, other, len } => {
                for (one, two) in (*at..bytes.len()).zip(*other..bytes.len()).take(*len) {
                    bytes.swap(one, two);
                }
            }
            How::Cut { len } => bytes.truncate(*len),
            How::Longer { len, seed } => bytes.extend(noise(*seed).take(*len)),
            How::Gone => {
                fs::remove_file(&path).expect("removed");
                return true;
            }
            How::Older => match fs::read(prepared.older.join(&self.path)) {
                Ok(older) => bytes = older,
                Err(_) => return false,
            },
        }
        fs::write(&path, &bytes).expect("written");
        bytes != before
    }
}

fn set((byte, noise): (&mut u8, u8)) {
    *byte = noise;
}

fn noise(seed: u64) -> impl Iterator<Item = u8> {
    let mut random = Random::new(seed);
    std::iter::from_fn(move || u8::try_from(random.below(256)).ok())
}

/// The files that a node reads. `LOCK` says nothing, and `trust.toml` is for clients, who compare it with what they know.
fn damageable(dir: &Path) -> Vec<PathBuf> {
    let mut all = files(dir);
    all.retain(|path| {
        let name = path.file_name().unwrap_or_default();
        name != "LOCK" && name != "trust.toml" && !is_registry_key(path)
    });
    all
}

/// The operator's own keys lie elsewhere in earnest; the node does not read them.
fn is_registry_key(path: &Path) -> bool {
    path.ends_with("registry.key") || path.ends_with("next-registry.key")
}

fn kind(path: &Path) -> String {
    let text = path.to_string_lossy().into_owned();
    if path.extension().is_some_and(|extension| extension == "seg") {
        return "journal segment".to_owned();
    }
    if text.starts_with("log/index") {
        return "index".to_owned();
    }
    if text.contains("level-") {
        return "log/flat/level".to_owned();
    }
    text
}
