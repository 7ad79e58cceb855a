//! Registry entries with their proofs.

use std::sync::Arc;

use creditbank_ledger::state::RegistryVersion;
use creditbank_protocol::map::MapProof;
use creditbank_protocol::pb::{self, Kind, ProvedEntry, RegistryEntry};
use creditbank_protocol::{Digest, InstitutionId, LogIndex};
use creditbank_rules::Registry;

use crate::ledger::{Ledger, Shared};
use crate::publish::ReceiptError;

/// A registry entry, if there is one, and its proof.
#[derive(Debug)]
pub struct ProvedRegistryEntry {
    /// The entry; `None` with a proof of absence.
    pub entry: Option<RegistryEntry>,
    /// The proof to the registry root of a seal.
    pub proof: pb::MapProof,
}

/// Where the proofs lead: the newest seal and the checkpoint whose last leaf it is.
#[derive(Debug)]
pub struct ProvedHead {
    /// The seal.
    pub seal: ProvedEntry,
    /// The signed note.
    pub checkpoint: Vec<u8>,
}

/// The wire form of a proof.
pub(crate) fn wire(key: &Digest, proof: MapProof) -> pb::MapProof {
    let other = proof.terminal.filter(|(found, _)| found != key);
    pb::MapProof {
        siblings: proof.siblings.iter().map(|hash| hash.0.to_vec()).collect(),
        other_leaf: other.map(|(key, value)| [key.0, value.0].concat()).unwrap_or_default(),
    }
}

pub(crate) fn prove(version: &RegistryVersion, key: &Digest) -> ProvedRegistryEntry {
    let entry = version.entries.get(key).map(|entry| RegistryEntry::clone(entry));
    ProvedRegistryEntry { entry, proof: wire(key, version.map.prove(key)) }
}

impl Shared {
    /// The newest seal and the version of the registry that it names.
    fn proved_head(&self) -> Result<(ProvedHead, RegistryVersion), ReceiptError> {
        let state = self.state();
        let (size, root) = (state.head.size, state.head.root);
        let last = size.checked_sub(1).ok_or(ReceiptError::NoSeal(LogIndex(0)))?;
        let (version, checkpoint) = (state.registry_at(last).clone(), state.checkpoint.clone());
        drop(state);
        Ok((ProvedHead { seal: self.proved(last, size, &root)?, checkpoint }, version))
    }
}

/// A page that has this many bytes of entries takes no more.
const PAGE_BYTES: usize = 512 << 10;

impl Ledger {
    /// The registry in force now.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.shared.state().registry().registry)
    }

    /// The entry of a registry key, or the proof that there is none.
    pub fn registry_entry(&self, key: &Digest) -> Result<(ProvedRegistryEntry, ProvedHead), ReceiptError> {
        let (head, version) = self.shared.proved_head()?;
        Ok((prove(&version, key), head))
    }

    /// Entries of a kind, of one institution or of all, in the order of their places; the first `offset` are skipped.
    /// At least one if any follows, and then as many as fit on a page, at most `limit`. Also returns the total number
    /// of such entries.
    pub fn registry_list(
        &self,
        kind: Kind,
        institution: Option<InstitutionId>,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<ProvedRegistryEntry>, ProvedHead, usize), ReceiptError> {
        let (head, version) = self.shared.proved_head()?;
        let selected = |entry: &RegistryEntry| {
            entry.kind == i32::from(kind) && institution.is_none_or(|number| owner(entry) == Some(number))
        };
        let mut found: Vec<_> = version.entries.iter().filter(|(_, entry)| selected(entry)).collect();
        found.sort_by_key(|(_, entry)| entry.place.map(|place| (place.entry, place.index)));
        let total = found.len();
        let mut bytes = 0;
        let page = found.into_iter().skip(offset).take(limit).take_while(|(_, entry)| {
            let fits = bytes < PAGE_BYTES;
            bytes += entry.body.len();
            fits
        });
        let page = page.map(|(key, _)| prove(&version, key)).collect();
        Ok((page, head, total))
    }
}

/// The institution to which an entry belongs.
fn owner(entry: &RegistryEntry) -> Option<InstitutionId> {
    use creditbank_protocol::canonical::decode;
    let number = match Kind::try_from(entry.kind).ok()? {
        Kind::Institution => decode::<pb::Institution>(&entry.body).ok().map(|found| found.number),
        Kind::Unit => decode::<pb::Unit>(&entry.body).ok().map(|found| found.institution),
        Kind::Key => decode::<pb::Key>(&entry.body).ok().map(|found| found.institution),
        Kind::Accreditation => decode::<pb::Accreditation>(&entry.body).ok().map(|found| found.institution),
        Kind::AgreementProposal => decode::<pb::AgreementProposal>(&entry.body).ok().map(|found| found.institution),
        Kind::AgreementAcceptance => decode::<pb::AgreementAcceptance>(&entry.body).ok().map(|found| found.institution),
        Kind::AgreementEnding => decode::<pb::AgreementEnding>(&entry.body).ok().map(|found| found.institution),
        Kind::Equivalence => decode::<pb::Equivalence>(&entry.body).ok().map(|found| found.institution),
        Kind::QualificationDefinition => {
            decode::<pb::QualificationDefinition>(&entry.body).ok().map(|found| found.institution)
        }
        Kind::GradeDistribution => decode::<pb::GradeDistribution>(&entry.body).ok().map(|found| found.institution),
        Kind::CourseAlias => decode::<pb::CourseAlias>(&entry.body).ok().map(|found| found.institution),
        Kind::CourseCodes => decode::<pb::CourseCodes>(&entry.body).ok().map(|found| found.institution),
        _ => None,
    };
    number.map(InstitutionId)
}
