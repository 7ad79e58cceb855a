//! Opening accounts: typed identities become keyed digests, one account for each person, an alias for each institution.
//!
//! An institution does not learn whether a person was known: it always gets an alias, and the caller evens out the time
//! that this takes. The rows of new accounts are written with the next round (`round/accounts.rs`).

use std::sync::Arc;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::dates::show_duration_ms;
use creditbank_protocol::{AccountId, Alias};
use creditbank_rpc::identity::{is_plain, is_student_number, normalise};
use creditbank_rpc::v1::{IdentityType, TypedIdentity};
use creditbank_rules::ViewError;
use creditbank_store::Known;

use super::seal_time::ClockDoubt;
use super::{OverQuota, SubmitError};
use crate::ledger::{Ledger, Shared};
use crate::read::ReadError;
use crate::tables;
use crate::unreadable::{damaged, of_store};
use crate::work::{Asked, BUSY_RETRY_MS, Refused, Who};

/// Most persons of one call.
pub(crate) const PERSONS_MAX: usize = 1_000;
const IDENTITIES_MAX: usize = 8;
const VALUE_LEN_MAX: usize = 256;

/// How the node knows an identity: with a key, so that nobody else can compute it.
pub(super) type IdentityDigest = [u8; 32];

/// A person by one or more identities, checked and in the form in which they are compared.
#[derive(Debug, Clone)]
pub struct Person(Vec<TypedIdentity>);

/// Why no account was opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccountError {
    /// A person without a usable identity.
    #[error("person {person}: {what}")]
    Person {
        /// Position in the call.
        person: usize,
        /// What was expected.
        what: &'static str,
    },
    /// The institution is closed, and nobody there has this student number.
    #[error("person {person}: expected a student number that the closed institution has used, found another identity")]
    Unknown {
        /// Position in the call.
        person: usize,
    },
    /// Too many in one call.
    #[error("{0} persons, at most {PERSONS_MAX} are allowed in one call")]
    TooMany(usize),
    /// The person was erased during the call.
    #[error("the person was erased just now: ask again")]
    Erased,
    /// The store could not read what it has of an identity.
    #[error(transparent)]
    Unreadable(#[from] ViewError),
    /// The disk is full: nothing was stored.
    #[error(
        "the node has no room on its disk, and nothing was stored: come back in {}",
        show_duration_ms(*.retry_after_ms)
    )]
    NoRoom {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// More work than the node can take at once.
    #[error("the node is busy: come back in {}", show_duration_ms(*.retry_after_ms))]
    Busy {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// A file that the node writes is not in its place: nothing was stored.
    #[error("{}", SubmitError::Displaced)]
    Displaced,
    /// The node does not believe its clock.
    #[error(transparent)]
    Clock(ClockDoubt),
    /// The institution has used its quota of accounts.
    #[error(transparent)]
    Quota(#[from] OverQuota),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopped,
}

impl From<Refused> for AccountError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Busy => Self::Busy { retry_after_ms: BUSY_RETRY_MS },
            Refused::Stopping | Refused::Panicked => Self::Stopped,
        }
    }
}

impl AccountError {
    /// The node cannot write, but what it has stored can be read.
    fn is_of_writing(&self) -> bool {
        matches!(self, Self::NoRoom { .. } | Self::Displaced | Self::Clock(_))
    }

    /// Why accounts were not opened, if their round was not written.
    pub(super) fn of_round(error: &SubmitError) -> Self {
        match error {
            SubmitError::NoRoom { retry_after_ms } => Self::NoRoom { retry_after_ms: *retry_after_ms },
            SubmitError::Unreadable(error) => Self::Unreadable(error.clone()),
            SubmitError::Displaced => Self::Displaced,
            SubmitError::Clock(doubt) => Self::Clock(*doubt),
            _ => Self::Stopped,
        }
    }
}

impl Person {
    /// Checks the identities of the person at position `person` of a call, and gives them the one spelling from which
    /// the digest is made. Errors never repeat values.
    pub fn new(person: usize, identities: Vec<TypedIdentity>) -> Result<Self, AccountError> {
        let refuse = |what| Err(AccountError::Person { person, what });
        if identities.is_empty() || identities.len() > IDENTITIES_MAX {
            return refuse("expected 1 to 8 identities");
        }
        let mut normal = Vec::with_capacity(identities.len());
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
                IdentityType::StudentNumber | IdentityType::StudentNumberExact if scoped => {
                    return refuse("a student number has no scope: it is the calling institution's");
                }
                IdentityType::National | IdentityType::Passport | IdentityType::Network if !scoped => {
                    return refuse("expected a scope: the country or the network of the identity");
                }
                _ => {}
            }
            let identity = normalise(identity);
            if identity.value.is_empty() {
                return refuse("expected a value that consists of more than separators");
            }
            normal.push(identity);
        }
        Ok(Self(normal))
    }

    pub(super) fn identities(&self) -> &[TypedIdentity] {
        &self.0
    }

    /// Whether there is more than one identity.
    pub(crate) fn has_several(&self) -> bool {
        self.0.len() > 1
    }

    /// Roughly how many bytes it takes up in memory.
    pub(super) fn bytes(&self) -> usize {
        64 + self.0.iter().map(|identity| 96 + identity.scope.len() + identity.value.len()).sum::<usize>()
    }
}

/// A person by the digests of their identities, in order.
pub(crate) type Identified = Vec<IdentityDigest>;

impl Shared {
    /// The digests of identities. They do not depend on order, and are half of the work of opening an account.
    pub(crate) fn identified(&self, institution: InstitutionId, persons: &[Person]) -> Vec<Identified> {
        let digest = |identity| self.private.identity_digest(institution.0, identity);
        persons.iter().map(|person| person.identities().iter().map(digest).collect()).collect()
    }

    /// The account of each student number of a person, with its position.
    fn student_accounts(
        &self,
        institution: InstitutionId,
        person: &Person,
    ) -> Result<impl Iterator<Item = (usize, Option<AccountId>)>, AccountError> {
        let numbers = person.identities().iter().enumerate().filter(|(_, one)| is_student_number(one));
        let account = |(at, identity): (usize, &TypedIdentity)| {
            let digest = self.private.identity_digest(institution.0, identity);
            Ok((at, known(self, &digest)?))
        };
        Ok(numbers.map(account).collect::<Result<Vec<_>, AccountError>>()?.into_iter())
    }

    /// The aliases of persons whom the institution has named before by these student numbers, and by nothing else;
    /// `None` unless that holds for all. Any other identity would tell whether somebody else knows the person.
    fn named_before(&self, institution: InstitutionId, persons: &[Person]) -> Result<Option<Vec<Alias>>, AccountError> {
        if !persons.iter().flat_map(Person::identities).all(is_student_number) {
            return Ok(None);
        }
        let keys = self.private.of(institution.0);
        let mut aliases = Vec::with_capacity(persons.len());
        for person in persons {
            let accounts: Option<Vec<_>> =
                self.student_accounts(institution, person)?.map(|(_, account)| account).collect();
            let Some(accounts) = accounts else { return Ok(None) };
            aliases.extend(accounts.first().map(|account| keys.alias(account)));
        }
        Ok(Some(aliases))
    }
}

/// The account of an identity; `None` if nobody has named this identity yet, or if its learner was erased.
pub(super) fn known(shared: &Shared, digest: &IdentityDigest) -> Result<Option<AccountId>, ViewError> {
    let Some(sealed) = shared.store.get(tables::IDENTITY, digest).map_err(of_store)? else {
        return Ok(None);
    };
    let damage = |what: &str| {
        shared.health.damage(what);
        damaged(what)
    };
    let unopened = |_| {
        damage(
            "the row of an identity does not open: either the row is damaged, which reindex repairs, or learners.keys \
             holds another key for its learner: restore that file from a backup",
        )
    };
    let unread = |_| damage("the row of an identity names no account; reindex rebuilds it");
    let account = shared.private.account_of(&sealed).map_err(unread)?;
    match shared.keys.known(&account) {
        Known::Key(key) => shared.private.check_identity(digest, key.as_bytes(), &sealed).map_err(unopened)?,
        Known::Erased => return Ok(None),
        Known::Unknown => {
            return Err(damage("the row of an identity names an account that learners.keys does not know"));
        }
    }
    Ok(Some(account))
}

/// The person whom a record of a dry run is about.
pub struct AskedAbout {
    /// Their account, or one that exists only for the check.
    pub account: AccountId,
    /// The institution's alias for it.
    pub alias: Alias,
    /// The institution has not named this person before.
    pub is_new: bool,
}

/// The first of a person's accounts, if their identities lead to different ones. Merging them is up to the operator.
pub(super) fn first_account(mut accounts: impl Iterator<Item = Option<AccountId>>) -> Option<AccountId> {
    accounts.find_map(|account| account)
}

impl Ledger {
    /// The person whom a record of a dry run is about, by their identities. An unknown person gets an account for the
    /// duration of the check; nothing is opened.
    pub fn asked_about(
        &self,
        institution: InstitutionId,
        person: usize,
        identities: Vec<TypedIdentity>,
    ) -> Result<AskedAbout, AccountError> {
        let Person(identities) = Person::new(person, identities)?;
        let digests = identities.iter().map(|identity| self.shared.private.identity_digest(institution.0, identity));
        let digests: Vec<_> = digests.collect();
        let accounts = digests.iter().map(|digest| known(&self.shared, digest)).collect::<Result<Vec<_>, _>>()?;
        // A student number is known if its institution has named it. For any other identity only the institution's own
        // records may show that it is known, because others may know the person too.
        let own_number = |(identity, account): (&TypedIdentity, &Option<AccountId>)| {
            account.is_some() && is_student_number(identity)
        };
        let mut is_new = !identities.iter().zip(&accounts).any(own_number);
        let newcomer = || AccountId(std::array::from_fn(|i| digests.first().map_or(0, |digest| digest[i])));
        let found = first_account(accounts.into_iter());
        if let Some(account) = found.filter(|_| is_new) {
            let (own, _) = self.places(&account, Some(institution), None, 1).map_err(|error| match error {
                ReadError::View(error) => error,
                other => damaged(other),
            })?;
            is_new = own.is_empty();
        }
        let account = found.unwrap_or_else(newcomer);
        let alias = self.shared.private.of(institution.0).alias(&account);
        Ok(AskedAbout { account, alias, is_new })
    }

    /// The aliases of persons at a closed institution, by a student number. Nothing is opened.
    pub fn find_accounts(&self, institution: InstitutionId, persons: &[Person]) -> Result<Vec<Alias>, AccountError> {
        let keys = self.shared.private.of(institution.0);
        let find = |(at, person): (usize, &Person)| {
            let account = self.shared.student_accounts(institution, person)?.find_map(|(_, account)| account);
            let account = account.ok_or(AccountError::Unknown { person: at })?;
            Ok(keys.alias(&account))
        };
        persons.iter().enumerate().map(find).collect()
    }

    /// Which student numbers of a person lead to another account than the alias's, by their positions.
    pub fn elsewhere(
        &self,
        institution: InstitutionId,
        person: &Person,
        alias: &Alias,
    ) -> Result<Vec<usize>, AccountError> {
        let keys = self.shared.private.of(institution.0);
        let known = self.shared.student_accounts(institution, person)?;
        let other = known.filter(|(_, account)| account.is_some_and(|account| keys.alias(&account) != *alias));
        Ok(other.map(|(at, _)| at).collect())
    }

    /// Opens accounts for persons, or finds existing ones, and returns the institution's aliases in order. While
    /// nothing can be written, it finds persons whom the institution has named before by their student numbers.
    pub async fn open_accounts(
        &self,
        institution: InstitutionId,
        persons: Vec<Person>,
    ) -> Result<Vec<Alias>, AccountError> {
        if persons.len() > PERSONS_MAX {
            return Err(AccountError::TooMany(persons.len()));
        }
        self.take_quota(institution, Asked::Accounts, persons.len())?;
        let threads = self.threads.as_ref().ok_or(AccountError::Stopped)?;
        let persons = Arc::new(persons);
        let opened = threads.open_accounts(institution, Arc::clone(&persons)).await;
        let Err(error) = opened else { return opened };
        if !error.is_of_writing() {
            return Err(error);
        }
        let shared = Arc::clone(&self.shared);
        let find = move || shared.named_before(institution, &persons);
        let work = &self.shared.work;
        work.cheap.run(Who::Institution(institution), work.token(), find).await??.ok_or(error)
    }
}
