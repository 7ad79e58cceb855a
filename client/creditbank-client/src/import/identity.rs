//! From a cell to the identity of a learner: by what the mapping states, else with distrust of what spreadsheets leave.

pub(super) mod damage;

use creditbank_rpc::identity::{doubt, is_invisible, normalise};
use creditbank_rpc::v1::TypedIdentity;

use super::mapping::Learner;
use super::values::cells;

/// Most bytes of an identity value, as the protocol has it.
const IDENTITY_LEN_MAX: usize = 256;

/// An identity that a cell names.
pub(super) struct Named {
    /// In the form by which it is compared.
    pub(super) identity: TypedIdentity,
    /// What speaks against it.
    pub(super) doubt: Option<String>,
}

/// Refuses what can be nobody's identity, whatever a mapping says.
pub(super) fn readable(value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err("is empty".to_owned());
    }
    if value.contains(is_invisible) {
        return Err("holds invisible characters".to_owned());
    }
    if value.len() > IDENTITY_LEN_MAX {
        let found = value.len();
        return Err(format!("has {found} bytes, at most {IDENTITY_LEN_MAX} are taken"));
    }
    if damage::has_foreign_digits(value) {
        return Err("has digits of another script or width, expected 0 to 9".to_owned());
    }
    match damage::unseen(value) {
        Some(what) => Err(what.to_owned()),
        None => Ok(()),
    }
}

/// The identity in a cell, or why there is none. Reasons hold no part of the value.
pub(super) fn read(learner: &Learner, cell: &str) -> Result<Named, String> {
    let value = cells::trimmed(cells::text(cell));
    readable(value).map_err(|why| format!("the learner's identity {why}"))?;
    let value = learner.case.of(value.to_owned());
    let value = match learner.pad {
        Some(len) if value.len() < len && value.bytes().all(|byte| byte.is_ascii_digit()) => format!("{value:0>len$}"),
        _ => value,
    };
    if let Some(len) = learner.digits
        && (value.len() != len || !value.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(format!("the learner's identity does not have exactly {len} digits, as the mapping says"));
    }
    match &learner.pattern {
        Some(pattern) if !pattern.is_match(&value) => {
            return Err("the learner's identity does not fit the mapping's pattern".to_owned());
        }
        Some(_) => {}
        None => {
            // Of a network's identity the part counts that the institution has given out.
            let own = if learner.is_of_network() { last_part(&value) } else { &value };
            if let Some(what) = damage::spelling(own).or_else(|| damage::of(own, learner.may_have_separators())) {
                return Err(format!("the learner's identity {what}; state learner.pattern where it is a good one"));
            }
        }
    }
    let stated = TypedIdentity { r#type: learner.identity_type().into(), scope: learner.scope.clone(), value };
    Ok(Named { identity: normalise(&stated), doubt: doubt(&stated) })
}

/// Why a code is what a spreadsheet makes of one, and not what an institution has given out.
pub(super) fn damaged_code(code: &str) -> Option<&'static str> {
    damage::of_code(code)
}

/// `7` of `urn:schac:personalUniqueCode:int:esi:x.example:7`, `ada` of `ada@x.example`.
fn last_part(value: &str) -> &str {
    match value.split_once('@') {
        Some((own, _)) => own,
        None if value.contains("://") => value.rsplit_once('/').map_or(value, |(_, last)| last),
        None => value.rsplit_once(':').map_or(value, |(_, last)| last),
    }
}
