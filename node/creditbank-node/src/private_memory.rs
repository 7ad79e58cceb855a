//! Keeps keys in the memory of the process: no core dumps, and no other process of the same user can read it.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids both. If the system does not allow that, the log says so, and the process continues.
pub(crate) fn keep() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "a crash may leave keys in a core dump");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "a crash may leave keys in a core dump");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    /// Goal: a crash writes no memory with keys to the disk.
    #[test]
    fn there_are_no_core_dumps() {
        super::keep();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior().expect("the system says"), DumpableBehavior::NotDumpable);
    }
}
