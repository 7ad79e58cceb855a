//! What a verifier learns from a transcript. Five questions, never mixed: is it authentic, by whom, about whom, current
//! as of when and by whose word, and is the issuer one whom the verifier trusts.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::currency::{Currency, Current};
use crate::correction::Correction;
use crate::key::{FormerOrigin, KeyId};
use crate::pb;
use crate::record::{Disclosed, RestsOn};
use crate::standing::Standing;
use crate::status::Marks;
use crate::{Digest, InstitutionId, LogIndex, Place, UnitId};

/// A transcript whose every proof holds.
#[derive(Debug, Clone)]
pub struct Report {
    /// The log.
    pub origin: String,
    /// The names that it had before, each with the size up to which it holds. A log takes another name after a theft of
    /// its key.
    pub former: Vec<FormerOrigin>,
    /// Size of the checkpoint.
    pub size: u64,
    /// Root of the checkpoint.
    pub root: Digest,
    /// Time of the last seal, which is the checkpoint's last leaf, in milliseconds since 1970-01-01T00:00Z: the
    /// operator's word.
    pub sealed_at_ms: u64,
    /// How old that is by the verifier's time.
    pub currency: Currency,
    /// Names of the trusted witnesses that cosigned the checkpoint. Each proves one history, nothing more.
    pub witnesses: Vec<String>,
    /// The records, in order of their places.
    pub records: Vec<TranscriptRecord>,
    /// What the node says about the person.
    pub statement: Statement,
    /// The institutions that signed a record, or whose record it is, by number.
    pub institutions: Vec<Institution>,
    /// The custodians of one of them as of the checkpoint, by number.
    pub custodians: Vec<pb::Institution>,
    /// Intervals of seals that say a time which had not come yet, as the operator has corrected it.
    pub corrections: Vec<Correction>,
}

impl Report {
    /// Whether there are records, and every one may be called valid, or another record of the file stands in its place that
    /// may be.
    pub fn is_valid(&self) -> bool {
        !self.records.is_empty() && self.doubtful().next().is_none()
    }

    /// The records that must not be called valid, and in whose place the file shows none that may be.
    pub fn doubtful(&self) -> impl Iterator<Item = &TranscriptRecord> {
        let replaced = self.replaced();
        self.records.iter().filter(move |one| !one.standing().is_valid() && !replaced.contains_key(&one.place))
    }

    /// The superseded records in whose place another record of the file stands that may be called valid: each with the place
    /// of that one.
    pub fn replaced(&self) -> BTreeMap<Place, Place> {
        let (mut replaced, mut standing) = (BTreeMap::new(), BTreeMap::new());
        // A record amends earlier ones.
        for record in self.records.iter().rev() {
            let stands = match record.standing() {
                found if found.is_valid() => Some(record.place),
                Standing::Superseded if record.issuer_trusted => standing.get(&record.place).copied(),
                _ => None,
            };
            let Some(stands) = stands else { continue };
            if stands != record.place {
                replaced.insert(record.place, stands);
            }
            if let Some(amended) = record.amends {
                standing.insert(amended, stands);
            }
        }
        replaced
    }

    /// Whether the verifier trusts every institution that signed a record.
    pub fn is_trusted(&self) -> bool {
        self.records.iter().all(|record| record.issuer_trusted)
    }

    /// Whether the records can be relied on: the first that holds of what speaks against it.
    pub fn reliance(&self) -> Reliance {
        if !self.is_valid() {
            return Reliance::Doubtful;
        }
        match self.currency.state {
            Current::Clock => Reliance::Clock,
            Current::Stale => Reliance::Stale,
            Current::Current | Current::NotCurrent => Reliance::Good,
        }
    }

    /// The bound of a record's time, in milliseconds since 1970, where the record was sealed under a clock that was
    /// ahead.
    pub fn corrected_ms(&self, record: &TranscriptRecord) -> Option<u64> {
        let (entry, sealed_ms) = (record.place.entry, record.sealed_at_ms);
        let is_wrong = |one: &&Correction| entry <= one.end() && sealed_ms > one.bound_ms;
        // An entry before the interval says a time that is not later than the bound, so the end of the interval is
        // enough.
        self.corrections.iter().filter(is_wrong).map(|one| one.bound_ms).min()
    }

    /// The registry entry of an institution that the transcript has, as of the checkpoint.
    pub fn institution(&self, id: InstitutionId) -> Option<&pb::Institution> {
        let issuers = self.institutions.iter().map(|institution| &institution.entry);
        issuers.chain(&self.custodians).find(|entry| entry.number == id.0)
    }
}

/// Whether the records of an authentic transcript can be relied on. In order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reliance {
    /// A record must not be called valid, or whoever signed it is not trusted, and no other record of the file stands in its
    /// place; or no record is shown.
    Doubtful,
    /// The file is of a time that has not come yet.
    Clock,
    /// The status is too old.
    Stale,
    /// Nothing speaks against it.
    Good,
}

/// An institution as of the checkpoint.
#[derive(Debug, Clone)]
pub struct Institution {
    /// Its permanent number.
    pub id: InstitutionId,
    /// Its registry entry.
    pub entry: pb::Institution,
    /// Whether the verifier's trust file names it.
    pub trusted: bool,
}

/// A record that is authentic.
#[derive(Debug, Clone)]
pub struct TranscriptRecord {
    /// Where it stands.
    pub place: Place,
    /// Its identity in the status tree.
    pub status_id: Digest,
    /// Who signed it.
    pub unit: UnitId,
    /// Whether the verifier trusts the institution that signed it.
    pub issuer_trusted: bool,
    /// The key that signed.
    pub key_id: KeyId,
    /// The keys of other persons who have approved its block.
    pub approved_by: Vec<KeyId>,
    /// Of a credit, the numbers of its institution's accreditations that cover it, as far as they are shown. Those that
    /// are not shown may be there all the same. `None` of other kinds, which need none.
    pub accreditation: Option<Vec<u32>>,
    /// Time of the seal of its round, milliseconds since 1970-01-01T00:00Z.
    pub sealed_at_ms: u64,
    /// The closed institution whose record this one replaces, where the signer is its custodian.
    pub on_behalf_of: Option<InstitutionId>,
    /// The place of the record that it replaces, as far as that is shown.
    pub amends: Option<Place>,
    /// The custodian of the record's institution as of the checkpoint; of several, the one with the lowest number.
    pub kept_by: Option<InstitutionId>,
    /// Its marks under the last seal.
    pub marks: Marks,
    /// Sealed, or reinstated, at or after the time from which the key counts as compromised, and not confirmed since by
    /// a key above suspicion; or superseded or revoked by such a key.
    pub contested: bool,
    /// Why it is contested; nothing where it is not.
    pub suspicion: Option<Suspicion>,
    /// Log index of the block that confirms it, where its key is above suspicion.
    pub confirmed: Option<LogIndex>,
    /// How another block has ended the record: superseded or revoked.
    pub ended: Option<pb::Action>,
    /// Log index of the block that has redeemed it.
    pub redeemed: Option<LogIndex>,
    /// Log index of the block that has put it under review.
    pub under_review: Option<LogIndex>,
    /// Whether its time was over on the day of the last seal, or on the verifier's where that is later.
    pub expired: bool,
    /// From when on it may be shown, where that had not come on that day.
    pub embargo: Option<pb::Date>,
    /// A claim that must be opened and is not: the record is `incomplete`, never `valid`.
    pub missing_claim: Option<&'static str>,
    /// What an award or a conversion rests on, as far as it is shown.
    pub rests_on: Option<RestsOn>,
    /// Its day and that it is late, where it says so.
    pub late: Option<(pb::Date, pb::Late)>,
    /// The opened fields.
    pub disclosed: Disclosed,
}

/// Why a record is contested: which block makes it so, and by which of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspicion {
    /// Log index of the block: that of the record, or of the effect that has ended or reinstated it.
    pub entry: LogIndex,
    /// A key that counts as stolen.
    pub key_id: KeyId,
    /// Whether the key has approved the block. If not, it has signed it.
    pub approved: bool,
    /// From which minute since 1970 on the key counts as stolen.
    pub since_minute: u64,
}

impl TranscriptRecord {
    /// Whose record it is.
    pub fn owner(&self) -> InstitutionId {
        self.on_behalf_of.unwrap_or(self.unit.institution)
    }

    /// What may be said of it as of the last seal, by a verifier who trusts some issuers.
    pub fn standing(&self) -> Standing {
        self.first(self.issuer_trusted)
    }

    /// The same, whoever is trusted.
    pub fn standing_in_log(&self) -> Standing {
        self.first(true)
    }

    fn first(&self, issuer_trusted: bool) -> Standing {
        let found: Result<_, Infallible> = Standing::first(|standing| {
            Ok(match standing {
                // What a contested effect has ended is contested.
                Standing::Revoked => self.ended == Some(pb::Action::Revoke) && !self.contested,
                Standing::Superseded => self.ended.is_some() && !self.contested,
                Standing::Incomplete => self.missing_claim.is_some(),
                Standing::Contested => self.contested,
                // Blocks carry no disputes yet.
                Standing::Disputed => false,
                Standing::NotVisible => self.embargo.is_some(),
                Standing::IssuerNotTrusted => !issuer_trusted,
                Standing::Redeemed => self.redeemed.is_some(),
                Standing::UnderReview => self.under_review.is_some(),
                Standing::Expired => self.expired,
                Standing::Authentic => true,
            })
        });
        found.unwrap_or_else(|never| match never {})
    }
}

/// The node's word about the person, as of a checkpoint that may be older than the report's.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Size of the tree as of which it was said.
    pub size: u64,
    /// Time of the seal that this tree ends with, milliseconds since 1970, or the bound of a correction that holds it:
    /// of records that came later it says nothing, however new the status is.
    pub as_of_ms: u64,
    /// The key that signed it.
    pub key_id: KeyId,
    /// Whether the statement says that these are all records of one institution, and of which.
    pub complete_for: Option<InstitutionId>,
    /// What may be shown from a later day (UTC) on, the statement leaves out.
    pub visible_on: pb::Date,
    /// Whether every record of the statement is proved to be shown. If not, some may be withheld, and nobody sees how
    /// many.
    pub is_whole: bool,
    /// The holder's key, if one is bound.
    pub holder_key: Option<[u8; 32]>,
    /// Place of the Identity record, if there is one.
    pub identity: Option<Place>,
}
