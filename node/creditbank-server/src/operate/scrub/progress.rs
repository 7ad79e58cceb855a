//! How far a pass over the log is, and its file.
//!
//! ```text
//! file     = "CBSCRUB3", u64 begun, u64 finished, u64 done, u64 unread, u64 findings, position, first fault, u32 crc
//! position = u8 known, u64 segment, u64 offset, u64 sequence, u32 chain
//! ```

use std::io;
use std::path::Path;

use creditbank_store::{Disk, ScrubPosition};

use super::DAY_MS;

const MAGIC: [u8; 8] = *b"CBSCRUB3";
const POSITION_LEN: usize = 1 + 3 * 8 + 4;
const LEN: usize = 8 + 5 * 8 + 2 * POSITION_LEN;

/// The progress of a pass. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// When the pass began; 0 before the first one.
    pub(super) begun_ms: u64,
    /// When the last complete pass ended; 0 before the first one.
    pub(super) finished_ms: u64,
    /// Bytes that were read, or left out because of damage.
    pub(super) done: u64,
    /// Of these, the bytes that were left out.
    pub(super) unread: u64,
    /// How many damaged places the pass has found.
    pub(super) findings: u64,
    /// Where it continues; `None` once it is done.
    pub(super) position: Option<ScrubPosition>,
    /// Where the first step began that has found damage. It is read again at a start: nothing else would tell of it
    /// before the next pass.
    pub(super) fault: Option<ScrubPosition>,
}

fn read_position(bytes: &[u8; POSITION_LEN]) -> Option<ScrubPosition> {
    let word = |at: usize| bytes[at..at + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let chain = u32::from_be_bytes([bytes[25], bytes[26], bytes[27], bytes[28]]);
    (bytes[0] == 1).then(|| ScrubPosition { segment: word(1), offset: word(9), sequence: word(17), chain })
}

fn write_position(position: Option<ScrubPosition>, bytes: &mut Vec<u8>) {
    let at = position.unwrap_or_default();
    bytes.push(u8::from(position.is_some()));
    [at.segment, at.offset, at.sequence].iter().for_each(|word| bytes.extend_from_slice(&word.to_be_bytes()));
    bytes.extend_from_slice(&at.chain.to_be_bytes());
}

/// Whether a time was noted under a clock that was wrong.
pub(super) fn is_ahead(noted_ms: u64, now_ms: u64) -> bool {
    noted_ms > now_ms.saturating_add(DAY_MS)
}

impl Progress {
    /// Begins a pass if the one before is done and its time is over. A clock that went back a little begins none. A
    /// pass that began in the future is begun again: it began under a wrong clock, and nothing would be due until then.
    pub(super) fn begin(&mut self, now_ms: u64, period_ms: u64) {
        let is_over = now_ms >= self.begun_ms.saturating_add(period_ms);
        if self.begun_ms == 0 || is_ahead(self.begun_ms, now_ms) || (self.position.is_none() && is_over) {
            let position = Some(ScrubPosition::default());
            let finished_ms = if is_ahead(self.finished_ms, now_ms) { 0 } else { self.finished_ms };
            *self = Self { begun_ms: now_ms.max(1), finished_ms, position, ..Self::default() };
        }
    }

    /// Whether less was read than should be by now, if `total` bytes are to be read in the period.
    pub(super) fn is_due(&self, now_ms: u64, period_ms: u64, total: u64) -> bool {
        let elapsed = u128::from(now_ms.saturating_sub(self.begun_ms));
        self.position.is_some() && u128::from(self.done) * u128::from(period_ms) <= elapsed * u128::from(total)
    }

    pub(super) fn read(disk: &dyn Disk, path: &Path) -> Option<Self> {
        let bytes = disk.read(path).ok()?;
        let (content, crc) = bytes.split_last_chunk::<4>()?;
        if content.len() != LEN || crc32c::crc32c(content).to_be_bytes() != *crc || !content.starts_with(&MAGIC) {
            return None;
        }
        let word = |at: usize| content.get(at..at + 8)?.try_into().map(u64::from_be_bytes).ok();
        let (position, fault) = content.get(48..)?.split_first_chunk()?;
        Some(Self {
            begun_ms: word(8)?,
            finished_ms: word(16)?,
            done: word(24)?,
            unread: word(32)?,
            findings: word(40)?,
            position: read_position(position),
            fault: read_position(fault.first_chunk()?),
        })
    }

    pub(super) fn write(&self, disk: &dyn Disk, path: &Path) -> io::Result<()> {
        let Self { begun_ms, finished_ms, done, unread, findings, position, fault } = *self;
        let mut bytes = MAGIC.to_vec();
        let words = [begun_ms, finished_ms, done, unread, findings];
        words.iter().for_each(|word| bytes.extend_from_slice(&word.to_be_bytes()));
        write_position(position, &mut bytes);
        write_position(fault, &mut bytes);
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_be_bytes());
        disk.replace(path, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use creditbank_store::RealDisk;

    use super::*;

    /// Goal: the file reads back, and a changed file is not believed.
    #[test]
    fn the_file_reads_back() {
        let dir = std::env::temp_dir().join(format!("creditbank-scrub-{}", std::process::id()));
        let disk = RealDisk::shared();
        disk.make_dir(&dir).expect("a directory");
        let path = dir.join("scrub");
        let position = Some(ScrubPosition { segment: 1, offset: 2, sequence: 3, chain: 4 });
        let fault = Some(ScrubPosition { segment: 5, offset: 6, sequence: 7, chain: 8 });
        for (position, fault) in [(position, fault), (None, fault), (position, None)] {
            let progress = Progress { begun_ms: 5, finished_ms: 6, done: 7, unread: 8, findings: 9, position, fault };
            progress.write(&*disk, &path).expect("written");
            assert_eq!(Progress::read(&*disk, &path), Some(progress));
        }
        let mut bytes = disk.read(&path).expect("read");
        bytes[20] ^= 1;
        disk.replace(&path, &bytes).expect("written");
        assert_eq!(Progress::read(&*disk, &path), None);
        disk.remove_dir(&dir).expect("removed");
    }

    /// Goal: the time that has passed decides what is due, and a pass begins when the time of the last one is over.
    #[test]
    fn the_rate_follows_from_the_size() {
        let mut progress = Progress::default();
        progress.begin(1_000, 100);
        assert!(progress.is_due(1_000, 100, 500), "the first step is due at once");
        progress.done = 250;
        assert!(!progress.is_due(1_049, 100, 500) && progress.is_due(1_050, 100, 500));
        progress.position = None;
        progress.begin(1_099, 100);
        assert!(!progress.is_due(1_099, 100, 500), "it is done");
        progress.begin(1_100, 100);
        assert_eq!((progress.begun_ms, progress.done), (1_100, 0));
        assert!(progress.position.is_some());
    }

    /// Goal: a pass that began under a clock that was years ahead does not stop the reading until then.
    #[test]
    fn a_wrong_clock_stops_nothing() {
        let mut progress = Progress::default();
        progress.begin(10 * 365 * DAY_MS, DAY_MS);
        (progress.done, progress.finished_ms) = (500, 10 * 365 * DAY_MS);
        progress.begin(10 * 365 * DAY_MS - DAY_MS, DAY_MS);
        assert_eq!(progress.done, 500, "a clock that went back a little");
        progress.begin(DAY_MS, DAY_MS);
        assert_eq!((progress.begun_ms, progress.finished_ms, progress.done), (DAY_MS, 0, 0));
        assert!(progress.is_due(DAY_MS, DAY_MS, 500));
    }
}
