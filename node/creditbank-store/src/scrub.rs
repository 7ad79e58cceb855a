//! Reads what is stored in the background, part by part: frames and links of the journal, and for each round the flat
//! files and some rows of the index.

use crate::flat::FlatFiles;
use crate::journal::{Position, Readers, Skipped};
use crate::round::Round;
use crate::{Row, StoreError, embedded};

/// Most rows of a round that are looked up in the index.
const ROWS_PER_ROUND: usize = 8;

/// Where a pass over the journal continues. The default is its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScrubPosition {
    /// First round of the segment; 0 for the first one.
    pub segment: u64,
    /// Offset of the next frame; 0 for the first one of the segment.
    pub offset: u64,
    /// Its round.
    pub sequence: u64,
    /// Checksum of the frame before it.
    pub chain: u32,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Where to continue; `None` at the end of the journal.
    pub next: Option<ScrubPosition>,
    /// Bytes that were read, or left out because of damage.
    pub bytes: u64,
    /// Of these, the bytes that were left out.
    pub unread: u64,
    /// The damage, each with its file and place.
    pub faults: Vec<String>,
}

/// The parts that are read.
pub(crate) struct Parts<'a> {
    pub(crate) readers: &'a Readers,
    pub(crate) log: &'a [u8; 32],
    pub(crate) flat: &'a FlatFiles,
    /// The last durable round: what comes after it is being written.
    pub(crate) until: u64,
}

/// Reads the value of a row from the index.
type ReadRow<'a> = dyn Fn(&Row) -> Result<Option<Vec<u8>>, StoreError> + 'a;

/// Reads from a position on. After a damaged frame it continues with the next known one.
pub(crate) fn scrub(
    parts: &Parts<'_>,
    from: ScrubPosition,
    len_max: u64,
    row: &ReadRow<'_>,
) -> Result<Scrubbed, StoreError> {
    let mut done = Scrubbed::default();
    let segments = parts.readers.segments()?;
    let Some((segment, path)) = segments.iter().find(|(first, _)| *first >= from.segment) else {
        return Ok(done);
    };
    let path = path.display().to_string();
    let next_segment = segments.iter().map(|(first, _)| *first).find(|first| first > segment);
    let next_segment = next_segment.filter(|first| *first <= parts.until);
    let start = |segment: u64| ScrubPosition { segment, ..ScrubPosition::default() };
    if from == ScrubPosition::default() && *segment > 1 {
        done.faults.push(format!("{path}: rounds 1 to {} are missing: the oldest segment begins here", segment - 1));
    }
    let from = if *segment == from.segment { from } else { start(*segment) };
    let mut reader = match parts.readers.frames(parts.log, *segment, from) {
        Ok(reader) => reader,
        Err(error @ StoreError::Damaged { .. }) => {
            let mut reader = parts.readers.frames_behind_head(*segment)?;
            if from.offset > 0 {
                // The first step has reported the header.
                reader.go_on(from.offset, from.sequence, from.chain);
            } else {
                done.faults.push(error.to_string());
            }
            reader
        }
        // It has disappeared since the list was made; its rounds are reported missing at the next segment.
        Err(StoreError::File { path, error }) if error.kind() == std::io::ErrorKind::NotFound => {
            done.faults.push(format!("{path}: {error}"));
            done.next = next_segment.map(start);
            return Ok(done);
        }
        Err(error) => return Err(error),
    };
    // If a segment was not read to its end, nobody knows which round is its last.
    let mut is_known = true;
    loop {
        let (sequence, chain) = reader.last();
        if sequence >= parts.until {
            return Ok(done);
        }
        if done.bytes >= len_max && is_known {
            let Position { segment, offset } = reader.position();
            done.next = Some(ScrubPosition { segment, offset, sequence: sequence + 1, chain });
            return Ok(done);
        }
        match reader.next() {
            Ok(Some((frame, payload))) => {
                done.bytes += frame.end - frame.position.offset;
                done.faults.extend(round_faults(parts, frame.position, frame.sequence, &payload, row)?);
            }
            Ok(None) => {
                done.next = next_segment.map(start);
                // The last segment of a log has every round up to the last one; an older one has all up to the next
                // segment.
                let expected = next_segment.map_or(parts.until, |next| next - 1);
                if is_known && sequence < expected {
                    let what = format!("it ends after round {sequence}, rounds up to {expected} must follow");
                    done.faults.push(format!("{path}: {what}"));
                }
                return Ok(done);
            }
            Err(error @ StoreError::Damaged { .. }) => {
                let skipped = reader.skip();
                done.faults.push(format!("{error}; {}", left_out(&skipped)));
                done.bytes += skipped.bytes;
                done.unread += skipped.bytes;
                is_known = !skipped.is_to_end;
            }
            Err(error) => return Err(error),
        }
    }
}

/// What is unknown because of damage.
pub(crate) fn left_out(skipped: &Skipped) -> String {
    let Skipped { rounds, bytes, is_to_end } = skipped;
    let (first, last) = (rounds.start(), rounds.end());
    if *is_to_end {
        format!("its last {bytes} bytes, from round {first} on, were not read")
    } else if first == last {
        format!("{bytes} bytes of round {first} were not read")
    } else {
        format!("{bytes} bytes, rounds {first} to {last}, were not read")
    }
}

/// How flat files and index differ from a round.
fn round_faults(
    parts: &Parts<'_>,
    position: Position,
    sequence: u64,
    payload: &[u8],
    row: &ReadRow<'_>,
) -> Result<Vec<String>, StoreError> {
    let (round, sections) = match Round::decode(payload) {
        Ok(decoded) => decoded,
        Err(error) => {
            let path = parts.readers.path(position.segment);
            return Ok(vec![format!("{} at {}: round {sequence}: {error}", path.display(), position.offset)]);
        }
    };
    let mut faults = parts.flat.faults(round.base.size, &embedded::locations(position, &sections), &round.nodes);
    // Other rows for every round, so that a year of passes covers more of them than one pass.
    let every = round.rows.len().div_ceil(ROWS_PER_ROUND).max(1);
    for sampled in round.rows.iter().skip(usize::try_from(sequence).unwrap_or(0) % every).step_by(every) {
        if sampled.value.is_some() && row(sampled)?.is_none() {
            let table = sampled.table.0;
            faults.push(format!("index: a row of table {table} of round {sequence} is missing; reindex rebuilds it"));
        }
    }
    Ok(faults)
}
