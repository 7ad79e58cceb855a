//! Backups, and what comes of putting one back.

use std::path::{Path, PathBuf};

use creditbank_server::operate::backup::{self, MakeOptions, RestoreOptions};
use creditbank_store::Crash;

use super::{Health, World};
use crate::node::behind_ms;
use crate::trace::note;
use crate::truth::{Broken, broken};

const SEEN: &str = "/seen";

impl World {
    pub(super) fn make_backup(&mut self) -> Result<(), Broken> {
        self.backups += 1;
        let out = PathBuf::from(format!("/backup-{}", self.backups));
        let options = MakeOptions { with_keys: true, keys_expire_days: 400 };
        let machine = &self.machine;
        let made = backup::make(&machine.environment, &machine.dir, &machine.config, &out, options, &mut |_, _| ());
        match made {
            Ok(manifest) => {
                note!(self.trace, "a backup of {} entries", manifest.size);
                self.counts.backups += 1;
                self.backup = Some(out);
            }
            Err(error) if self.may_fail() || self.is_squeezed => note!(self.trace, "no backup: {error}"),
            Err(error) => broken!("no backup is made, and nothing is wrong: {error}"),
        }
        self.look_after()
    }

    /// The machine is lost, and the newest backup put on another one.
    pub(super) fn restore(&mut self, is_blind: bool) -> Result<(), Broken> {
        let (Some(from), Some(newest)) = (self.backup.clone(), self.truth.newest.clone()) else { return Ok(()) };
        self.machine.crash(Crash::Kill);
        self.machine.calm();
        self.is_failing = false;
        let (size, seen) = newest;
        self.backups += 1;
        let to = PathBuf::from(format!("/node-{}", self.backups));
        let environment = self.machine.environment.clone();
        environment.disk.replace(Path::new(SEEN), &seen).map_err(|error| Broken(error.to_string()))?;
        let options = RestoreOptions {
            seen: if is_blind { Vec::new() } else { vec![SEEN.into()] },
            nothing_published: is_blind,
            accept_expired: false,
            keys: None,
            to: None,
        };
        let restored = match backup::restore(&environment, &from, &to, &options, &mut |_, _| ()) {
            Ok(restored) => restored,
            // A disk that lies about syncs does so of the copies, too; the restore says which file is another one.
            Err(error) if self.health != Health::Sound => {
                note!(self.trace, "the backup cannot be restored: {error}");
                self.node_is_down();
                return Ok(());
            }
            Err(error) => broken!("a backup cannot be restored: {error}"),
        };
        let has = restored.manifest.size;
        note!(self.trace, "a backup of {has} entries is restored, {size} were seen, blindly: {is_blind}");
        let is_short = has < size;
        if !is_blind && restored.held_below != is_short.then_some(size) {
            broken!("{size} entries were seen, the backup has {has}, and it is held below {:?}", restored.held_below);
        }
        self.machine.dir = to;
        // The operator has seen that the lost machine is off: once, which the guard keeps.
        self.machine.limits.said.takes_over = true;
        self.machine.config = creditbank_server::directory::read_config(&environment, &self.machine.dir)
            .map_err(|error| Broken(format!("the restored node: {error}")))?;
        // Accounts that were opened since, without a record, are gone: they are opened anew, under other aliases.
        self.truth.aliases.clear();
        if is_blind {
            self.counts.blind_restores += 1;
        } else {
            self.counts.restores += 1;
        }
        if !is_short {
            self.node_is_down();
            return Ok(());
        }
        self.health = Health::Gone;
        match (self.machine.start(), is_blind) {
            (Ok(()), false) => broken!("a log that lacks what was seen is served"),
            (Err(error), false) => {
                note!(self.trace, "it is held: {error}");
                self.counts.held += 1;
            }
            // The operator has said that nothing was published. Whoever has seen more notices at once.
            (Ok(()), true) => {
                let entries = self.machine.process.as_ref().map_or(0, |process| process.ledger.size());
                if entries >= self.auditor.replay().size().max(size) {
                    broken!("a restored log of {entries} entries hides that {size} were seen");
                }
                self.counts.forks_noticed += 1;
            }
            // Its clock is behind, which only an operator can say.
            (Err(error), true) if behind_ms(&error).is_some() => {
                note!(self.trace, "the restored node waits for its clock: {error}");
            }
            (Err(error), true) => broken!("a restored node does not start: {error}"),
        }
        self.machine.process = None;
        Ok(())
    }
}
