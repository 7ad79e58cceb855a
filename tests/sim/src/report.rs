//! What happened in runs, counted.

use std::fmt;

macro_rules! counts {
    ($($(#[doc = $doc:literal])+ $name:ident: $shown:literal,)+) => {
        /// How often each thing has happened.
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
        pub struct Counts {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Counts {
            /// Adds those of another run.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }
        }

        /// Everything that has happened at all.
        impl fmt::Display for Counts {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut first = true;
                for (name, count) in [$(($shown, self.$name)),+] {
                    if count > 0 {
                        write!(f, "{}{count} {name}", if first { "" } else { ", " })?;
                        first = false;
                    }
                }
                Ok(())
            }
        }
    };
}

counts! {
    /// Milliseconds that have passed in the simulation.
    simulated_ms: "ms simulated",
    /// Blocks that registrars have sealed.
    sealed: "wants sealed",
    /// Blocks that were refused for a rule.
    refused: "wants refused",
    /// Of those, credits for a course that the citizen has already.
    repeats: "repeats refused",
    /// Aliases of courses that were published or withdrawn.
    aliases: "aliases",
    /// Wants that were open at the end, as the node was gone.
    left_open: "wants left open",
    /// Log entries at the end.
    entries: "log entries",
    /// Kills of the node's process.
    kills: "kills",
    /// Power cuts of the node's machine.
    power_cuts: "power cuts",
    /// Crashes in the middle of an operation of the disk.
    crashes_in_operations: "crashes within a disk operation",
    /// Clean stops.
    stops: "clean stops",
    /// Failures that stopped the node.
    failures: "failures that stopped the node",
    /// Starts that failed.
    failed_starts: "failed starts",
    /// Periods with a full disk.
    full_disks: "full disks",
    /// Answers that there is no room.
    no_room: "answers NO_ROOM",
    /// Disks that lied about syncs.
    lies: "lying disks",
    /// Bits that flipped.
    rot: "rotten files",
    /// Nodes that refused to start, or were held, after synced data was destroyed.
    refused_starts: "nodes that refused after destroyed data",
    /// Steps of the wall clock.
    clock_steps: "clock steps",
    /// Answers that the clock has moved.
    clock_moved: "answers CLOCK_MOVED",
    /// Backups that were made.
    backups: "backups",
    /// Backups that were restored, with the newest checkpoint.
    restores: "restores",
    /// Of those, logs that are held.
    held: "held logs",
    /// Old backups that were restored without a checkpoint: the operator's mistake.
    blind_restores: "blind restores",
    /// Second histories after such a mistake that others have noticed.
    forks_noticed: "forks noticed",
    /// Messages that were lost.
    lost: "lost messages",
    /// Messages that came twice.
    doubled: "doubled messages",
    /// Registrars' processes that were killed.
    client_kills: "kills of registrars",
    /// Outboxes that went no further, for the time being.
    halts: "outboxes that halted",
    /// Lies of the one who lies.
    forgeries: "forgeries",
    /// Of those, what was refused for what was wrong with it.
    lies_refused: "forgeries refused",
    /// Directories that the operator's check has found good.
    checks: "directories checked",
    /// Nodes that were made on a machine that went down or failed.
    disturbed_inits: "disturbed inits",
    /// Of those, nodes that were whole.
    whole_inits: "whole nodes after a disturbed init",
    /// Entries that the auditor has replayed.
    audited: "entries audited",
}
