//! What of a registrar survives its process: its wants, what the outbox has written down, and aliases.

use std::collections::BTreeMap;
use std::sync::Arc;

use creditbank_client::outbox::Prepared;
use creditbank_protocol::{Alias, Place};

use crate::truth::Signed;
use crate::want::Want;

/// How far a want is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Not sealed, and nothing says that it never will be.
    Open,
    /// Sealed, at this log index.
    Sealed(u64),
    /// Refused for this reason, and given up.
    Refused(String),
}

#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) want: Want,
    pub(crate) stand: Stand,
    pub(super) revisions: u32,
}

/// What survives the process.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) wants: BTreeMap<u64, Item>,
    pub(super) outbox: Vec<Arc<Prepared>>,
    pub(super) aliases: BTreeMap<u64, Alias>,
}

/// The want that a block is for.
pub(super) fn want_of(block: &Prepared) -> u64 {
    block.note.as_slice().try_into().map_or(u64::MAX, u64::from_be_bytes)
}

/// What the simulation notes of a want's records.
#[derive(Default)]
pub(super) struct About {
    citizen: Option<u64>,
    courses: Vec<String>,
    redeems: Vec<Place>,
    amends: Option<Place>,
}

impl About {
    pub(super) fn of(want: &Want) -> Self {
        let citizen = want.citizen();
        match want {
            Want::Issue { courses, .. } => Self { citizen, courses: courses.clone(), ..Self::default() },
            Want::Amend { target, course, .. } => {
                let courses = vec![course.clone()];
                Self { citizen, courses, amends: Some(target.place), ..Self::default() }
            }
            Want::Award { counted, .. } => {
                Self { citizen, redeems: counted.iter().map(|one| one.place).collect(), ..Self::default() }
            }
            Want::Revoke { .. }
            | Want::StandBy { .. }
            | Want::Publish { .. }
            | Want::Alias { .. }
            | Want::Register { .. } => Self { citizen, ..Self::default() },
        }
    }

    pub(super) fn on(self, signed: Signed) -> Signed {
        let Self { citizen, courses, redeems, amends } = self;
        Signed { citizen, courses, redeems, amends, ..signed }
    }
}
