//! The records on the way from a root to what is counted, each read once however often it is asked for: a conversion may name
//! the results of another one 256 times, and an award the results of that one again.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, LogIndex, Place};

use super::results;
use crate::admission::effects::{Redemption, entries, redeemed_by, redemption};
use crate::admission::used::{Used, at, standing};
use crate::admission::{AdmissionError, kinds::malformed};
use crate::{RecordFacts, Rejection, Rule, View};

/// Most records on which one counted record stands.
const CHAIN_MAX: usize = 1_000;

/// What is known of one record.
pub(super) struct Link {
    pub(super) facts: RecordFacts,
    /// What it was converted from.
    sources: Vec<Place>,
    /// The roots of all of its results.
    roots: BTreeSet<Place>,
    /// What it names as redeemed by it.
    redeems: BTreeSet<Place>,
    redemption: Option<Redemption>,
    /// Why it cannot be used, where it does not stand.
    fault: Option<Rejection>,
}

/// Where the way from a root ends.
pub(super) enum End {
    /// Here, at what nothing has redeemed.
    Free(Place),
    /// At what something that is not on the way has redeemed.
    Held(Redemption),
}

/// The records of a learner that were asked for so far.
pub(super) struct Links<'a, V> {
    view: &'a V,
    account: AccountId,
    known: BTreeMap<Place, Link>,
    /// Whether an award that is on the way (an exemption was given for it) holds what it has redeemed for what comes
    /// behind it. A conversion of the exemption may use that; an award may not.
    through_awards: bool,
    /// Which conversion or award holds what was redeemed at a log index: a block has one of a learner at most.
    holders: BTreeMap<LogIndex, BTreeSet<Place>>,
    chains: BTreeMap<Place, BTreeSet<Place>>,
}

impl<'a, V: View> Links<'a, V> {
    pub(super) fn new(view: &'a V, account: &AccountId) -> Self {
        let (known, holders, chains) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { view, account: *account, known, through_awards: false, holders, chains }
    }

    /// The same, by which what an award has redeemed is not spent for the exemptions that were given for it.
    pub(super) fn through_awards(view: &'a V, account: &AccountId) -> Self {
        Self { through_awards: true, ..Self::new(view, account) }
    }

    /// The learner's record at a place.
    pub(super) fn at(&mut self, place: Place) -> Result<&Link, AdmissionError> {
        if !self.known.contains_key(&place) {
            let used = at(self.view, place, &self.account, "allocations")?;
            self.read(&used)?;
        }
        let unknown = || Rejection::new(Rule::SourceNotUsable, "a record of this learner", place.to_string());
        Ok(self.known.get(&place).ok_or_else(unknown)?)
    }

    /// The same, of which it is required that it stands.
    pub(super) fn standing(&mut self, place: Place) -> Result<&Link, AdmissionError> {
        let link = self.at(place)?;
        link.fault.clone().map_or(Ok(link), |fault| Err(fault.into()))
    }

    /// The roots of all results of a record.
    pub(super) fn roots(&mut self, place: Place) -> Result<&BTreeSet<Place>, AdmissionError> {
        Ok(&self.at(place)?.roots)
    }

    fn read(&mut self, used: &Used) -> Result<(), AdmissionError> {
        let fault = match standing(self.view, used, "allocations") {
            Ok(()) => None,
            Err(AdmissionError::Rejected(rejection)) => Some(rejection),
            Err(error) => return Err(error),
        };
        let sources = sources(&used.record)?;
        let kind = used.record.kind();
        if kind == Kind::Conversion || kind == Kind::Award && self.through_awards {
            for entry in entries(self.view, used.place, &used.record)? {
                self.holders.entry(entry).or_default().insert(used.place);
            }
        }
        let roots = results(used).unwrap_or_default().into_iter().flatten().collect();
        let link = Link {
            facts: used.facts.clone(),
            sources,
            roots,
            redeems: redeemed_by(&used.record).into_iter().collect(),
            redemption: redemption(self.view, used.place, &used.facts, &used.record)?,
            fault,
        };
        self.known.insert(used.place, link);
        Ok(())
    }

    /// The record and everything that it was converted from.
    pub(super) fn chain(&mut self, place: Place) -> Result<&BTreeSet<Place>, AdmissionError> {
        if !self.chains.contains_key(&place) {
            let mut chain = BTreeSet::from([place]);
            let mut next = vec![place];
            while let Some(place) = next.pop() {
                let sources = self.at(place)?.sources.clone();
                next.extend(sources.into_iter().filter(|source| chain.insert(*source)));
                let found = chain.len();
                let few = found < CHAIN_MAX;
                super::require(few, Rule::DefinitionTooLarge, "allocations", "fewer records to stand on", found)?;
            }
            self.chains.insert(place, chain);
        }
        let unknown = || Rejection::new(Rule::SourceNotUsable, "a record of this learner", place.to_string());
        Ok(self.chains.get(&place).ok_or_else(unknown)?)
    }

    /// Where the way from a root to a record begins: at the root itself. A diploma, or an award that stands for itself, is drawn
    /// on and never redeemed: there it begins at the recognition.
    pub(super) fn begin(&mut self, root: Place, of: Place) -> Result<Place, AdmissionError> {
        if !self.is_drawn(root)? {
            return Ok(root);
        }
        let chain = self.chain(of)?.clone();
        for place in chain {
            let link = self.at(place)?;
            if link.facts.kind == Kind::QualificationRecognition && link.roots.contains(&root) {
                return Ok(place);
            }
        }
        let expected = format!("a recognition of {root}");
        Err(Rejection::new(Rule::SourceNotUsable, expected, of.to_string()).field("allocations").into())
    }

    /// Whether a root is one on which awards draw.
    pub(super) fn is_drawn(&mut self, root: Place) -> Result<bool, AdmissionError> {
        Ok(matches!(self.at(root)?.facts.kind, Kind::ForeignAward | Kind::Award))
    }

    /// Where the way from a root to a record ends. What was redeemed at a log index of `absorbed` is held by nobody else.
    pub(super) fn end(
        &mut self,
        root: Place,
        of: Place,
        absorbed: &BTreeSet<LogIndex>,
    ) -> Result<Option<End>, AdmissionError> {
        let mut place = self.begin(root, of)?;
        self.chain(of)?;
        // Each turn leads to a conversion of a later entry.
        loop {
            let Some(found) = self.at(place)?.redemption else {
                return Ok(Some(End::Free(place)));
            };
            let Some(entry) = found.by else {
                return Ok(Some(End::Held(found)));
            };
            if absorbed.contains(&entry) {
                return Ok(None);
            }
            let on_the_way = self.chains.get(&of);
            let holds = |holder: &&Place| {
                on_the_way.is_some_and(|chain| chain.contains(*holder))
                    && self.known.get(*holder).is_some_and(|link| link.redeems.contains(&found.marked))
                    && **holder > place
            };
            match self.holders.get(&entry).and_then(|holders| holders.iter().find(holds)) {
                Some(holder) => place = *holder,
                None => return Ok(Some(End::Held(found))),
            }
        }
    }
}

/// What a record was converted from; of a recognition the Award or the diploma that it is about.
fn sources(record: &Record) -> Result<Vec<Place>, Rejection> {
    let references: Vec<pb::RecordReference> = match record.kind() {
        Kind::Conversion => {
            let read: pb::Conversion = record.read().map_err(malformed)?;
            read.sources.into_iter().filter_map(|source| source.record).collect()
        }
        Kind::QualificationRecognition => {
            let read: pb::QualificationRecognition = record.read().map_err(malformed)?;
            read.qualification.into_iter().collect()
        }
        _ => Vec::new(),
    };
    Ok(references.iter().filter_map(|record| record.place).map(Place::from).collect())
}
