//! Opening accounts: typed identities become keyed digests, one account per person, an alias per institution.
//!
//! An institution learns nothing of whether a person was known: it gets an alias in every case, and the caller evens out
//! the time that it takes.

use std::collections::BTreeMap;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::{AccountId, Alias};
use creditbank_rpc::identity::is_plain;
use creditbank_rpc::v1::{IdentityType, TypedIdentity};
use creditbank_store::{KeyStoreError, Round, StoreError};

use crate::clock::random;
use crate::ledger::{Ledger, Shared};
use crate::tables;

/// Most persons of one call.
pub(crate) const PERSONS_MAX: usize = 1_000;
const IDENTITIES_MAX: usize = 8;
const VALUE_LEN_MAX: usize = 256;

/// A person by one or more identities, checked.
#[derive(Debug, Clone)]
pub struct Person(Vec<TypedIdentity>);

/// Why no account was opened.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A person without a usable identity.
    #[error("person {person}: {what}")]
    Person {
        /// Position in the call.
        person: usize,
        /// What was expected.
        what: &'static str,
    },
    /// Too many in one call.
    #[error("{0} persons, at most {PERSONS_MAX} are allowed in one call")]
    TooMany(usize),
    /// The key store.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk is full: nothing was stored.
    #[error("the node has no room on its disk, and nothing was stored: come back in {retry_after_ms} ms")]
    NoRoom {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// More work than the node takes at once.
    #[error("the node is busy: come back in {retry_after_ms} ms")]
    Busy {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopped,
}

impl Person {
    /// Checks the identities of the person at position `person` of a call. Values are never repeated in an error.
    pub fn new(person: usize, identities: Vec<TypedIdentity>) -> Result<Self, AccountError> {
        let refuse = |what| Err(AccountError::Person { person, what });
        if identities.is_empty() || identities.len() > IDENTITIES_MAX {
            return refuse("expected 1 to 8 identities");
        }
        for identity in &identities {
            let kind = IdentityType::try_from(identity.r#type).unwrap_or_default();
            let scoped = !identity.scope.is_empty();
            if !is_plain(&identity.value) || !is_plain(&identity.scope) {
                return refuse("expected a value without white space at its ends and without invisible characters");
            }
            if identity.value.is_empty() || identity.value.len() > VALUE_LEN_MAX || identity.scope.len() > VALUE_LEN_MAX
            {
                return refuse("expected an identity value of 1 to 256 bytes");
            }
            match kind {
                IdentityType::Unspecified => return refuse("expected a type of identity"),
                IdentityType::StudentNumber if scoped => {
                    return refuse("a student number has no scope: it is the calling institution's");
                }
                IdentityType::National | IdentityType::Passport | IdentityType::Network if !scoped => {
                    return refuse("expected a scope: the country or the network of the identity");
                }
                _ => {}
            }
        }
        Ok(Self(identities))
    }

    /// About what it takes up in memory.
    pub(super) fn bytes(&self) -> usize {
        64 + self.0.iter().map(|identity| 96 + identity.scope.len() + identity.value.len()).sum::<usize>()
    }
}

/// Opens accounts, in order with the rounds of blocks.
pub(crate) struct OpenAccounts<'a> {
    shared: &'a Shared,
    rows: Vec<creditbank_store::Row>,
    new: Vec<AccountId>,
    /// Identities of this call, which are not in the index yet.
    pending: BTreeMap<[u8; 32], AccountId>,
}

impl<'a> OpenAccounts<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        Self { shared, rows: Vec::new(), new: Vec::new(), pending: BTreeMap::new() }
    }

    /// The aliases of the persons at an institution, in order. Keys are durable before the rows that name them.
    pub(crate) fn open(mut self, institution: InstitutionId, persons: &[Person]) -> Result<Vec<Alias>, AccountError> {
        let mut linked = Vec::new();
        let mut accounts = Vec::with_capacity(persons.len());
        for Person(identities) in persons {
            let private = &self.shared.private;
            let digests: Vec<_> = identities.iter().map(|one| private.identity_digest(institution.0, one)).collect();
            let mut account = None;
            let mut unknown = Vec::new();
            for digest in digests {
                match self.known(&digest)? {
                    // Where identities point to different accounts the first one counts; merging is the operator's.
                    Some(found) => account = account.or(Some(found)),
                    None => unknown.push(digest),
                }
            }
            let account = account.unwrap_or_else(|| {
                let account = AccountId(random(&*self.shared.entropy));
                self.new.push(account);
                account
            });
            for digest in unknown {
                self.pending.insert(digest, account);
                linked.push((digest, account));
            }
            accounts.push(account);
        }
        self.shared.keys.insert(&self.new, &mut |bytes| self.shared.entropy.fill(bytes))?;
        for (digest, account) in linked {
            let key = self.shared.keys.get(&account).ok_or(AccountError::Stopped)?;
            let sealed = self.shared.private.seal_identity(&digest, &account, key.as_bytes(), &*self.shared.entropy);
            self.rows.push(tables::identity(&digest, sealed));
        }
        if !self.new.is_empty() {
            self.rows.push(tables::key_count(self.shared.keys.len() as u64));
        }
        // A round also where everybody was known: the time that it takes tells nothing.
        let head = self.shared.store.head();
        let round = Round { base: head, next: head, entries: Vec::new(), nodes: Vec::new(), rows: self.rows };
        self.shared.store.append(&round)?;
        let keys = self.shared.private.of(institution.0);
        Ok(accounts.iter().map(|account| keys.alias(account)).collect())
    }

    /// The account of an identity, if its learner's key still opens the row.
    fn known(&self, digest: &[u8; 32]) -> Result<Option<AccountId>, AccountError> {
        if let Some(account) = self.pending.get(digest) {
            return Ok(Some(*account));
        }
        let Some(sealed) = self.shared.store.get(tables::IDENTITY, digest)? else {
            return Ok(None);
        };
        let private = &self.shared.private;
        let account = private.account_of(&sealed).ok();
        let key = account.and_then(|account| self.shared.keys.get(&account));
        let opens = key.is_some_and(|key| private.check_identity(digest, key.as_bytes(), &sealed).is_ok());
        Ok(account.filter(|_| opens))
    }
}

impl Ledger {
    /// The body of a record for a dry run, with the alias that the person's identities lead to, and the account behind it.
    /// A person who is not known gets an account of their own for the time of the check; nothing is opened.
    pub fn with_alias(
        &self,
        institution: InstitutionId,
        person: usize,
        body: &[u8],
        identities: Vec<TypedIdentity>,
    ) -> Result<(Vec<u8>, AccountId), AccountError> {
        let Person(identities) = Person::new(person, identities)?;
        let open = OpenAccounts::new(&self.shared);
        let mut account = None;
        let mut first = None;
        for identity in &identities {
            let digest = self.shared.private.identity_digest(institution.0, identity);
            first = first.or(Some(digest));
            account = account.or(open.known(&digest)?);
        }
        let newcomer = || AccountId(std::array::from_fn(|i| first.map_or(0, |digest| digest[i])));
        let account = account.unwrap_or_else(newcomer);
        // The learner is field 1 of every kind, so its bytes come first.
        let alias = self.shared.private.of(institution.0).alias(&account);
        Ok(([&[0x0a, 16][..], alias.as_bytes(), body].concat(), account))
    }

    /// Opens accounts for persons, or finds the ones that they have, and gives the institution's aliases in order.
    pub async fn open_accounts(
        &self,
        institution: InstitutionId,
        persons: Vec<Person>,
    ) -> Result<Vec<Alias>, AccountError> {
        if persons.len() > PERSONS_MAX {
            return Err(AccountError::TooMany(persons.len()));
        }
        match &self.threads {
            Some(threads) => threads.open_accounts(institution, persons).await,
            None => Err(AccountError::Stopped),
        }
    }
}
