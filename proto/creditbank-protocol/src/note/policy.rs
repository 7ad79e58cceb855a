//! Policies (C2SP tlog-policy): which logs and witnesses a verifier trusts, and how many of them it wants.

use std::collections::BTreeMap;

use super::{Checkpoint, KeyType, Note, NoteError, VerifierKey};

/// Most lines of a policy.
const LINES_MAX: usize = 1_000;

/// A verifier's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    members: BTreeMap<String, Member>,
    /// `None`: no witness is needed.
    quorum: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Member {
    Witness(VerifierKey),
    Group { threshold: usize, members: Vec<String> },
}

/// A policy line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy{}: {fault}", of_line(*.line))]
pub struct PolicyError {
    /// From 1; 0 for the whole.
    pub line: usize,
    /// What is wrong.
    pub fault: String,
}

/// Which line; nothing where it is the whole.
fn of_line(line: usize) -> String {
    if line == 0 { String::new() } else { format!(" line {line}") }
}

/// A checkpoint that a policy accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The log key that signed it.
    pub log_key: [u8; 32],
    /// Names of all trusted witnesses that cosigned it.
    pub witnesses: Vec<String>,
    /// The latest time, in seconds since 1970, such that the cosignatures of that time or later are a quorum: witnesses
    /// of whom fewer are bad than a quorum needs cannot make it later than it is. `None` without a quorum.
    pub cosigned_s: Option<u64>,
}

impl Policy {
    /// Reads a policy.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut policy = Self { logs: Vec::new(), members: BTreeMap::new(), quorum: None };
        let mut has_quorum = false;
        let mut grouped = Vec::new();
        for (number, line) in text.split_terminator('\n').enumerate() {
            let error = |fault: &str| PolicyError { line: number + 1, fault: fault.to_owned() };
            if number == LINES_MAX {
                return Err(error("too many lines"));
            }
            if line.bytes().any(|byte| byte < 0x20 && byte != b'\t' || byte == 0x7f) {
                return Err(error("control characters are not allowed"));
            }
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["log", key] | ["log", key, _] => policy.add_log(key).map_err(|fault| error(&fault))?,
                ["witness", name, key] | ["witness", name, key, _] => {
                    policy.add_witness(name, key).map_err(|fault| error(&fault))?;
                }
                ["group", name, threshold, members @ ..] => {
                    policy.add_group(name, threshold, members, &mut grouped).map_err(|fault| error(&fault))?;
                }
                ["quorum", _] if has_quorum => return Err(error("a second quorum line")),
                ["quorum", "none"] => has_quorum = true,
                ["quorum", name] if policy.members.contains_key(*name) => {
                    has_quorum = true;
                    policy.quorum = Some((*name).to_owned());
                }
                ["quorum", _] => return Err(error("the quorum is no witness or group of an earlier line")),
                _ => return Err(error("expected log, witness, group or quorum with their words")),
            }
        }
        if !has_quorum {
            return Err(PolicyError {
                line: 0,
                fault: "a quorum line is missing (\"quorum none\" asks for none)".to_owned(),
            });
        }
        Ok(policy)
    }

    fn add_log(&mut self, key: &str) -> Result<(), String> {
        let key = VerifierKey::parse(key).map_err(|error| error.to_string())?;
        if key.key_type() != KeyType::Log {
            return Err("the key is not a log's (type 1)".to_owned());
        }
        self.refuse_known(&key)?;
        self.logs.push(key);
        Ok(())
    }

    fn add_witness(&mut self, name: &str, key: &str) -> Result<(), String> {
        let key = VerifierKey::parse(key).map_err(|error| error.to_string())?;
        if key.key_type() != KeyType::Cosigner {
            return Err("the key is not a witness's (type 4)".to_owned());
        }
        self.refuse_known(&key)?;
        self.add_member(name, Member::Witness(key))
    }

    fn add_group(
        &mut self,
        name: &str,
        threshold: &str,
        members: &[&str],
        grouped: &mut Vec<String>,
    ) -> Result<(), String> {
        let threshold = match threshold {
            "any" => 1,
            "all" => members.len(),
            number => {
                let number = super::decimal(number).and_then(|number| usize::try_from(number).ok());
                number.ok_or("expected all, any or a number after the group's name")?
            }
        };
        if threshold == 0 || threshold > members.len() {
            return Err(format!("{threshold} of {} members can never be", members.len()));
        }
        for member in members {
            if !self.members.contains_key(*member) {
                return Err(format!("{member} is no witness or group of an earlier line"));
            }
            if grouped.iter().any(|other| other == member) {
                return Err(format!("{member} is in a group already"));
            }
            grouped.push((*member).to_owned());
        }
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.add_member(name, Member::Group { threshold, members })
    }

    fn add_member(&mut self, name: &str, member: Member) -> Result<(), String> {
        if name == "none" || self.members.insert(name.to_owned(), member).is_some() {
            return Err(format!("the name {name} is taken"));
        }
        Ok(())
    }

    fn refuse_known(&self, key: &VerifierKey) -> Result<(), String> {
        let witnesses = self.members.values().filter_map(|member| match member {
            Member::Witness(key) => Some(key),
            Member::Group { .. } => None,
        });
        if self.logs.iter().chain(witnesses).any(|known| known.public_key() == key.public_key()) {
            return Err("the public key stands twice".to_owned());
        }
        Ok(())
    }

    /// The logs.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// Checks a signed checkpoint: a trusted log of that origin has signed it. Whether witnesses have cosigned it is in
    /// the answer and not asked for: a receipt goes out before they could.
    pub fn verify_signed(&self, note: &[u8]) -> Result<Accepted, NoteError> {
        self.verify_signed_by(note, &[])
    }

    /// As [`Self::verify_signed`], where one of these keys may have signed instead of those that the policy names. The
    /// caller knows, or checks, that they have followed a log of the policy (`Trust::followers`).
    pub fn verify_signed_by(&self, note: &[u8], followers: &[VerifierKey]) -> Result<Accepted, NoteError> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        let mut log_key = None;
        for log in self.logs.iter().chain(followers) {
            // Every known key's line must hold; the first key of the origin that signed is the log's.
            if note.signed_by(log)?.is_some() && log.name() == checkpoint.origin {
                log_key = log_key.or(Some(*log.public_key()));
            }
        }
        let log_key = log_key.ok_or_else(|| NoteError::NoTrustedLog { origin: checkpoint.origin.clone() })?;
        let mut times: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, member) in &self.members {
            if let Member::Witness(key) = member
                && let Some(time) = note.signed_by(key)?
            {
                times.insert(name, time);
            }
        }
        let cosigned_s = self.quorum.as_ref().and_then(|name| self.time(name, &times));
        let witnesses = times.into_keys().map(str::to_owned).collect();
        Ok(Accepted { checkpoint, log_key, witnesses, cosigned_s })
    }

    /// Checks a cosigned checkpoint: a trusted log of that origin has signed it, and the quorum has cosigned it.
    pub fn verify(&self, note: &[u8]) -> Result<Accepted, NoteError> {
        self.verify_by(note, &[])
    }

    /// As [`Self::verify`], with keys as in [`Self::verify_signed_by`].
    pub fn verify_by(&self, note: &[u8], log_keys: &[VerifierKey]) -> Result<Accepted, NoteError> {
        let accepted = self.verify_signed_by(note, log_keys)?;
        if self.quorum.is_none() || accepted.cosigned_s.is_some() {
            Ok(accepted)
        } else {
            Err(NoteError::Quorum { found: accepted.witnesses })
        }
    }

    /// The latest time of which or later a witness, or enough members of a group, have cosigned. Members stand on
    /// earlier lines, so this ends.
    fn time(&self, name: &str, times: &BTreeMap<&str, u64>) -> Option<u64> {
        match self.members.get(name)? {
            Member::Witness(_) => times.get(name).copied(),
            Member::Group { threshold, members } => {
                let mut found: Vec<u64> = members.iter().filter_map(|member| self.time(member, times)).collect();
                found.sort_unstable_by(|one, other| other.cmp(one));
                found.get(threshold.checked_sub(1)?).copied()
            }
        }
    }
}
