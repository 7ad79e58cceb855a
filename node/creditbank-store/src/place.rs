//! Where a log is, and what distinguishes its directory from a copy. Two nodes that work on copies of one directory
//! would sign two histories, so the guard names the place in which it was written.

use std::fmt;

/// How many bytes of a path's end are compared and shown.
const PATH_LEN_MAX: usize = 255;
/// Bytes of a marker.
pub(crate) const MARKER_LEN: usize = 1 + 9 + 9 + 17 + 1 + PATH_LEN_MAX;

/// A directory on a machine. A value that is `None` is unknown, and is not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The end of the directory's path, links resolved.
    pub(crate) path: String,
    /// The number of the directory on its file system. A copy has another one.
    pub inode: Option<u64>,
    /// When the directory was made, in nanoseconds since 1970, because numbers are reused.
    pub made_ns: Option<u64>,
    /// The machine, by a hash of its id. Containers have no lasting id.
    pub machine: Option<[u8; 16]>,
}

impl Place {
    /// A directory of which only the path is known.
    pub fn of_path(path: &str) -> Self {
        let mut from = path.len().saturating_sub(PATH_LEN_MAX);
        while !path.is_char_boundary(from) {
            from += 1;
        }
        Self { path: path[from..].to_owned(), inode: None, made_ns: None, machine: None }
    }

    /// How the places differ; empty if they may be the same.
    fn differences(&self, now: &Self) -> Vec<String> {
        fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
            matches!((one, other), (Some(one), Some(other)) if one != other)
        }
        let mut found = Vec::new();
        if self.path != now.path {
            found.push(format!("its path was {}", self.path));
        }
        if differ(self.inode, now.inode) || differ(self.made_ns, now.made_ns) {
            found.push("it is another directory on the disk".to_owned());
        }
        if differ(self.machine, now.machine) {
            found.push("it was on another machine".to_owned());
        }
        found
    }
}

/// What a guard says about the place in which it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marker {
    /// A node's directory.
    Node(Place),
    /// A backup, which no node may open.
    Backup,
    /// A directory that was restored from a backup, and in which no node has worked yet.
    Restored,
}

/// In which directory a log may be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Placement {
    /// Only the one in which it was last written.
    #[default]
    Same,
    /// Any except a backup's: the operator says that no other node of this log runs.
    TakeOver,
    /// Any: a node is made from a backup.
    Restore,
}

/// Why a log is not opened where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It was written in another place.
    #[error(
        "it was copied or moved: {}. Two nodes of one log sign two histories, which nobody can merge. Make sure that \
         no other node of this log runs or will be started, here or on another machine, then start this one with \
         `serve --take-over`",
        .0.join(", ")
    )]
    Elsewhere(Vec<String>),
    /// It belongs to a backup.
    #[error("this is a backup, not a node's directory: make a node from it with `creditbank-node restore`")]
    Backup,
    /// It was restored, and nobody has said that the original node does not run.
    #[error(
        "it was restored from a backup, so it is a copy of another node. Two nodes of one log sign two histories, \
         which nobody can merge. Make sure that the old node does not run and will not be started, then start this \
         one with `serve --take-over`, once"
    )]
    Restored,
}

impl Placement {
    /// Whether a log with this marker may be opened at a place.
    pub(crate) fn check(self, marker: &Marker, now: &Place) -> Result<(), PlaceError> {
        match (self, marker) {
            (Self::Restore, _) | (Self::TakeOver, Marker::Node(_) | Marker::Restored) => Ok(()),
            (Self::TakeOver | Self::Same, Marker::Backup) => Err(PlaceError::Backup),
            (Self::Same, Marker::Restored) => Err(PlaceError::Restored),
            (Self::Same, Marker::Node(was)) => match was.differences(now) {
                found if found.is_empty() => Ok(()),
                found => Err(PlaceError::Elsewhere(found)),
            },
        }
    }
}

impl Marker {
    pub(crate) fn encode(&self) -> [u8; MARKER_LEN] {
        let mut bytes = [0; MARKER_LEN];
        let Place { path, inode, made_ns, machine } = match self {
            Self::Backup => return bytes,
            Self::Restored => {
                bytes[0] = 2;
                return bytes;
            }
            Self::Node(place) => place,
        };
        bytes[0] = 1;
        for (at, number) in [(1, inode), (10, made_ns)] {
            if let Some(number) = number {
                bytes[at] = 1;
                bytes[at + 1..at + 9].copy_from_slice(&number.to_be_bytes());
            }
        }
        if let Some(machine) = machine {
            bytes[19] = 1;
            bytes[20..36].copy_from_slice(machine);
        }
        let path = &path.as_bytes()[..path.len().min(PATH_LEN_MAX)];
        bytes[36] = u8::try_from(path.len()).unwrap_or(u8::MAX);
        bytes[37..37 + path.len()].copy_from_slice(path);
        bytes
    }

    /// `None` for bytes that no marker has.
    pub(crate) fn decode(bytes: &[u8; MARKER_LEN]) -> Option<Self> {
        let number = |at: usize| (bytes[at] == 1).then(|| bytes[at + 1..at + 9].try_into().map(u64::from_be_bytes));
        match bytes[0] {
            0 => Some(Self::Backup),
            2 => Some(Self::Restored),
            1 => Some(Self::Node(Place {
                path: String::from_utf8(bytes[37..].get(..usize::from(bytes[36]))?.to_vec()).ok()?,
                inode: number(1).transpose().ok()?,
                made_ns: number(10).transpose().ok()?,
                machine: (bytes[19] == 1).then(|| bytes[20..36].try_into()).transpose().ok()?,
            })),
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { inode: Some(7), made_ns: Some(1_000), machine: Some([3; 16]), ..Place::of_path("/srv/bank/log") }
    }

    /// Goal: a copy, a moved directory, a directory with a reused number and another machine are refused until the
    /// operator takes over; an unknown value, as in a container, is not refused. No node may open a backup, even if the
    /// operator takes over.
    #[test]
    fn another_place_is_refused() {
        let refused = |now: &Place| Placement::Same.check(&Marker::Node(place()), now).is_err();
        assert!(!refused(&place()));
        for other in [
            Place { path: "/srv/copy/log".to_owned(), ..place() },
            Place { inode: Some(8), ..place() },
            Place { made_ns: Some(2_000), ..place() },
            Place { machine: Some([4; 16]), ..place() },
        ] {
            assert!(refused(&other), "{other:?}");
            assert_eq!(Placement::TakeOver.check(&Marker::Node(place()), &other), Ok(()));
        }
        assert!(!refused(&Place { inode: None, made_ns: None, machine: None, ..place() }));
        assert_eq!(Placement::TakeOver.check(&Marker::Backup, &place()), Err(PlaceError::Backup));
        assert_eq!(Placement::Restore.check(&Marker::Backup, &place()), Ok(()));
        assert_eq!(Placement::Same.check(&Marker::Restored, &place()), Err(PlaceError::Restored));
        assert_eq!(Placement::TakeOver.check(&Marker::Restored, &place()), Ok(()));
    }

    /// Goal: what is written is read back, even if the path is longer than its room.
    #[test]
    fn markers_are_read_as_written() {
        let long = Place::of_path(&format!("/{}", "ä".repeat(400)));
        for marker in [Marker::Backup, Marker::Restored, Marker::Node(place()), Marker::Node(long)] {
            assert_eq!(Marker::decode(&marker.encode()), Some(marker));
        }
    }
}
