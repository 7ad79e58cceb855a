//! What is wrong with a node, for its operator: `/readyz` and the metrics show it, and the log says where.
//!
//! Damage does not stop the node. It serves everything that is not damaged, and each call that needs damaged data fails
//! and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::metrics::Metrics;

/// How many damaged places are remembered; more are only counted.
const PLACES_MAX: usize = 100;

/// A state in which a node cannot do all its work until the operator corrects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// The node writes nothing: the disk is full, or was full at the start.
    ReadOnly,
    /// The node writes nothing: a file is not in its place.
    Displaced,
    /// The node seals nothing: it does not believe the clock.
    Clock,
    /// The process is stopping.
    Stopping,
}

impl Condition {
    const ALL: [Self; 4] = [Self::ReadOnly, Self::Displaced, Self::Clock, Self::Stopping];

    /// Its name in the metrics.
    fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::Displaced => "displaced",
            Self::Clock => "clock",
            Self::Stopping => "stopping",
        }
    }
}

/// The name of damage in the metrics, beside the conditions.
const DAMAGE: &str = "damage";

type Label = [(&'static str, &'static str); 1];

#[derive(Debug, Default)]
struct Found {
    damage: BTreeSet<String>,
    conditions: BTreeMap<Condition, String>,
}

/// What is known to be wrong.
#[derive(Debug, Default)]
pub struct Health {
    found: Mutex<Found>,
    damage_total: Counter,
    damaged_places: Gauge,
    unready: Family<Label, Gauge>,
}

impl Health {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let health = Self::default();
        metrics.register(|registry| {
            let help = "Reads that met damage on the disk";
            registry.register("damage", help, health.damage_total.clone());
            let help = "Different places of damage that are known";
            registry.register("damaged_places", help, health.damaged_places.clone());
            let help = "Why /readyz says that the node is not ready: 1 for each present reason";
            registry.register("unready", help, health.unready.clone());
        });
        Condition::ALL.into_iter().map(Condition::name).chain([DAMAGE]).for_each(|reason| health.show(reason, false));
        health
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, reason: &'static str, holds: bool) {
        self.unready.get_or_create(&[("reason", reason)]).set(holds.into());
    }

    /// Records damage. `place` says where it is, and nothing about a person. The log has a line for each new place.
    pub(crate) fn damage(&self, place: &str) {
        self.damage_total.inc();
        let mut found = self.found();
        if found.damage.len() < PLACES_MAX && found.damage.insert(place.to_owned()) {
            self.damaged_places.set(i64::try_from(found.damage.len()).unwrap_or(i64::MAX));
            self.show(DAMAGE, true);
            tracing::error!(place, "damage on the disk: run `creditbank-node check`, and restore what it names");
        }
    }

    /// Records that the node cannot do all its work. Returns `true` if the condition did not hold before.
    pub fn set(&self, condition: Condition, why: impl Into<String>) -> bool {
        let mut found = self.found();
        self.show(condition.name(), true);
        found.conditions.insert(condition, why.into()).is_none()
    }

    /// Records that the condition has ended. Returns `true` if it held.
    pub(crate) fn clear(&self, condition: Condition) -> bool {
        let mut found = self.found();
        self.show(condition.name(), false);
        found.conditions.remove(&condition).is_some()
    }

    /// What is wrong, one line each; empty if the node does all its work.
    pub fn problems(&self) -> Vec<String> {
        let found = self.found();
        let damage = found.damage.iter().map(|place| format!("damaged: {place}"));
        found.conditions.values().cloned().chain(damage).collect()
    }
}
