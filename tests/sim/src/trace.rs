//! What happens in a run, one line each: hashed, so that two runs of a seed can be compared, and shown when asked for.

use std::fmt;

/// The lines of a run so far.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    shown: bool,
    start_ms: u64,
    now_ms: u64,
}

impl Trace {
    pub(crate) fn new(shown: bool, now_ms: u64) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, shown, start_ms: now_ms, now_ms }
    }

    /// The time of the lines that follow.
    pub(crate) fn at(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
    }

    /// A line.
    pub(crate) fn note(&mut self, what: fmt::Arguments<'_>) {
        let since_ms = self.now_ms - self.start_ms;
        if self.shown {
            println!("{:>12}.{:03} {what}", since_ms / 1_000, since_ms % 1_000);
        }
        let _ = fmt::write(self, format_args!("{since_ms} {what}\n"));
    }

    /// The hash of all lines.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

/// FNV-1a.
impl fmt::Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}

/// Notes a line.
macro_rules! note {
    ($trace:expr, $($what:tt)*) => {
        $trace.note(format_args!($($what)*))
    };
}
pub(crate) use note;
