//! What must hold of a log as a whole, worked out from all that was signed and none of the ledger's rules.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::entry::{Entry, EntryError, join};
use creditbank_protocol::merkle::{Frontier, leaf_hash};
use creditbank_protocol::pb::{Action, Kind};
use creditbank_protocol::{Digest, Place};
use creditbank_server::ledger::Ledger;

use crate::courses::{Courses, code_of, may_be_same};
use crate::registrar::{Registrar, Stand};
use crate::truth::{Broken, Signed, Truth, broken};
use crate::want::Want;

/// A log, read once.
pub(crate) struct Judged {
    /// Log index of each block, by the want that it is for.
    wants: BTreeMap<u64, Vec<u64>>,
}

/// Reads a log from front to back and checks what was promised of it.
pub(crate) fn judge(ledger: &Ledger, truth: &Truth) -> Result<Judged, Broken> {
    let mut judged = Judged { wants: BTreeMap::new() };
    let (mut spending, mut courses) = (Spending::default(), Courses::default());
    let mut frontier = Frontier::default();
    for index in 0..ledger.size() {
        let entry = ledger.entry(index).map_err(|error| Broken(format!("log entry {index}: {error}")))?;
        let leaf = leaf_hash(&entry);
        if truth.log.get(&index).is_some_and(|seen| *seen != leaf) {
            broken!("log entry {index} is not the one that was shown before");
        }
        frontier.push(leaf);
        if let Some(root) = truth.checkpoints.get(&frontier.size())
            && *root != frontier.root()
        {
            broken!("the checkpoint of size {} is of another log", frontier.size());
        }
        let head = match Entry::parse(&entry) {
            Ok(Entry::Head(head)) => head,
            Ok(Entry::Seal(_)) => {
                courses.seal();
                continue;
            }
            Ok(Entry::Public(_)) | Err(_) => continue,
        };
        let part = if head.has_public() { ledger.entry(index + 1) } else { Ok(Vec::new()) };
        let part = part.map_err(|error| Broken(format!("log entry {}: {error}", index + 1)))?;
        let block = join(head, || Ok::<_, EntryError>(part));
        let block = block.map_err(|error| Broken(format!("log entry {index} makes no block: {error}")))?;
        let Some(signed) = truth.signed.get(&leaf) else {
            broken!("log entry {index} holds a block that nobody has signed");
        };
        if let Some(want) = signed.want {
            judged.wants.entry(want).or_default().push(index);
        }
        spending.block(
            index,
            signed.amends,
            &signed.redeems,
            signed.records.first().map(creditbank_protocol::record::Record::kind),
        );
        for effect in block.public().groups.iter().flat_map(|group| &group.effects) {
            if matches!(effect.action(), Action::Revoke | Action::Supersede) {
                let place = Place::read(effect.place);
                courses.gone(&place);
                spending.gone.insert(place);
            }
        }
        for (position, record) in (0..).zip(&signed.records) {
            courses.record(Place::new(index, position), signed.unit.institution.0, signed.citizen, record)?;
        }
        spending.check(index)?;
    }
    if let Some(index) = truth.acknowledged.iter().find(|index| **index >= ledger.size()) {
        broken!("log entry {index} was acknowledged, and the log has {} entries", ledger.size());
    }
    if let Some((size, _)) = truth.checkpoints.iter().find(|(size, _)| **size > ledger.size()) {
        broken!("size {size} was signed, and the log has {} entries", ledger.size());
    }
    Ok(judged)
}

/// What pays for what.
#[derive(Default)]
struct Spending {
    /// What each award redeems.
    awards: BTreeMap<Place, Vec<Place>>,
    /// Revoked and superseded records.
    gone: BTreeSet<Place>,
    /// What each amendment replaces.
    amends: BTreeMap<Place, Place>,
}

impl Spending {
    fn block(&mut self, index: u64, amends: Option<Place>, redeems: &[Place], kind: Option<Kind>) {
        let place = Place::new(index, 0);
        self.amends.extend(amends.map(|earlier| (place, earlier)));
        if kind == Some(Kind::Award) {
            self.awards.insert(place, redeems.to_vec());
        }
    }

    /// The record as it was first issued.
    fn root(&self, mut place: Place) -> Place {
        while let Some(earlier) = self.amends.get(&place) {
            place = *earlier;
        }
        place
    }

    fn check(&self, index: u64) -> Result<(), Broken> {
        let mut spent = BTreeMap::new();
        for (award, redeems) in self.awards.iter().filter(|(award, _)| !self.gone.contains(award)) {
            for root in redeems.iter().map(|place| self.root(*place)) {
                if let Some(other) = spent.insert(root, *award) {
                    broken!("after log entry {index} the credit {root} pays for {other} and for {award}");
                }
            }
        }
        Ok(())
    }
}

/// Each want is sealed once, or refused, or still open.
pub(crate) fn judge_wants(
    judged: &Judged,
    registrar: &Registrar,
    replayed: &BTreeSet<Digest>,
    truth: &Truth,
) -> Result<(), Broken> {
    for (id, item) in registrar.wants() {
        let found = judged.wants.get(&id).map(Vec::as_slice).unwrap_or_default();
        match (&item.stand, found) {
            (Stand::Sealed(index), [one]) if index == one => {}
            // Sealed once, and its answer has not come yet: that is open, too.
            (Stand::Refused(reason), [])
                if reason == "TOO_MANY_REPEATS" && !may_repeat(id, &item.want, registrar, truth) =>
            {
                broken!(
                    "want {id} of client {} is refused as a repeat, and repeats nothing: {}",
                    registrar.id,
                    item.want
                )
            }
            (Stand::Refused(_) | Stand::Open, []) | (Stand::Open, [_]) => {}
            // Somebody has sent the refused block again, when nothing stood against it any more.
            (Stand::Refused(_), [index]) if truth.log.get(index).is_some_and(|leaf| replayed.contains(leaf)) => {}
            (stand, found) => broken!("want {id} of client {} is {stand:?}, and sealed at {found:?}", registrar.id),
        }
    }
    Ok(())
}

/// Whether some of the credits that a want asks for may be of a course that the citizen has already, at this institution.
fn may_repeat(id: u64, want: &Want, registrar: &Registrar, truth: &Truth) -> bool {
    let (citizen, codes) = match want {
        Want::Issue { citizen, courses } => (*citizen, courses.clone()),
        Want::Amend { target, course, .. } => (target.citizen, vec![course.clone()]),
        _ => return true,
    };
    let others = |signed: &&Signed| {
        let institution = signed.unit.institution == registrar.unit.institution;
        institution && signed.citizen == Some(citizen) && signed.want != Some(id)
    };
    let signed = truth.signed.values().filter(others).flat_map(|signed| &signed.records);
    let others: Vec<String> = signed.filter_map(code_of).collect();
    (0..).zip(&codes).any(|(at, code)| others.iter().chain(&codes[..at]).any(|other| may_be_same(code, other)))
}
