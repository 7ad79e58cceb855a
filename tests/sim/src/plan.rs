//! What may go wrong in a run. Each run has its own selection, so that rare combinations come about.

use crate::chance::Chance;
use crate::post::Weather;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The node's process is killed, or its machine loses power.
    Crash,
    /// The same, in the middle of an operation of the disk.
    CrashWithin,
    /// The node is stopped and started.
    Stop,
    /// Operations of the disk fail.
    Errors,
    /// The disk is full for a while.
    Full,
    /// The disk says that it has synced a file, and has not.
    Lie,
    /// A bit of a file flips.
    Rot,
    /// The wall clock is set wrong for a while.
    Clock,
    /// A backup is made.
    Backup,
    /// The machine is lost, and a backup restored with the newest checkpoint that others have seen.
    Restore,
    /// The same, without it.
    BlindRestore,
    /// A registrar's process is killed.
    KillClient,
}

/// The selection of a run.
#[derive(Debug)]
pub(crate) struct Plan {
    troubles: Vec<Trouble>,
    pub(crate) weather: Weather,
    pub(crate) has_liar: bool,
    /// Wants of each registrar.
    pub(crate) wants: u64,
    /// Nodes that are made, before the run, on machines that go down or fail.
    pub(crate) disturbed_inits: u64,
    /// Pauses are of minutes and hours, not of seconds.
    pub(crate) is_slow: bool,
}

impl Plan {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        use Trouble::{
            Backup, BlindRestore, Clock, Crash, CrashWithin, Errors, Full, KillClient, Lie, Restore, Rot, Stop,
        };
        let mut troubles = Vec::new();
        for (often, kinds) in [
            (600, &[Crash][..]),
            (500, &[CrashWithin]),
            (300, &[Stop]),
            (400, &[Errors]),
            (300, &[Full]),
            (120, &[Lie]),
            (80, &[Rot]),
            (300, &[Clock]),
            (200, &[Backup, Restore]),
            (60, &[Backup, BlindRestore]),
            (500, &[KillClient]),
        ] {
            if chance.often(often) {
                troubles.extend(kinds);
            }
        }
        let mut rate = |often, most| if chance.often(often) { chance.below(most) } else { 0 };
        let weather = Weather { lost: rate(500, 150), doubled: rate(500, 150), late: rate(400, 150) };
        let (has_liar, wants, is_slow) = (chance.often(500), chance.between(4, 12), chance.often(300));
        let disturbed_inits = if chance.often(150) { chance.between(1, 4) } else { 0 };
        Self { troubles, weather, has_liar, wants, disturbed_inits, is_slow }
    }

    pub(crate) fn has(&self, trouble: Trouble) -> bool {
        self.troubles.contains(&trouble)
    }

    /// The next trouble; none in a run in which nothing goes wrong.
    pub(crate) fn trouble(&self, chance: &mut Chance) -> Option<Trouble> {
        chance.pick(&self.troubles).copied()
    }

    /// How long it is quiet, in milliseconds.
    pub(crate) fn pause(&self, chance: &mut Chance) -> u64 {
        if self.is_slow { chance.between(1_000, 5_400_000) } else { chance.between(5, 8_000) }
    }
}
