//! What is damaged, and where.

use creditbank_protocol::LogIndex;

/// How many findings are listed; more are only counted.
pub const FINDINGS_MAX: usize = 100;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finding {
    /// What is wrong.
    pub what: String,
    /// The file.
    pub path: Option<String>,
    /// The byte in the file.
    pub offset: Option<u64>,
    /// The log entry.
    pub entry: Option<LogIndex>,
    /// The record in the entry.
    pub record: Option<u32>,
}

impl Finding {
    pub(super) fn about(what: String) -> Self {
        Self { what, ..Self::default() }
    }

    pub(super) fn of(path: &str, what: String) -> Self {
        Self { path: Some(path.to_owned()), ..Self::about(what) }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, path, offset, entry, record } = self;
        if let Some(path) = path {
            write!(f, "{path}")?;
            offset.map_or(Ok(()), |offset| write!(f, " at {offset}"))?;
            write!(f, ": ")?;
        }
        if let (Some(entry), Some(record)) = (entry, record) {
            write!(f, "record {entry}/{record}: ")?;
        }
        f.write_str(what)
    }
}

/// The first findings, and the number of all.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    listed: Vec<Finding>,
    count: u64,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        self.count += 1;
        if self.listed.len() < FINDINGS_MAX {
            self.listed.push(finding);
        }
    }

    /// Adds a finding that explains others. It is always listed.
    pub(super) fn add_first(&mut self, finding: Finding) {
        self.count += 1;
        self.listed.insert(0, finding);
        self.listed.truncate(FINDINGS_MAX);
    }

    /// At most [`FINDINGS_MAX`], causes first, otherwise in the order in which they were found.
    pub fn listed(&self) -> &[Finding] {
        &self.listed
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }
}
