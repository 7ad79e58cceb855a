//! Accounts that are opened in a round: their rows are written with it, and who asked is answered once it is durable.

use std::collections::HashMap;

use creditbank_protocol::{AccountId, Alias, InstitutionId};
use creditbank_store::{KeyStoreError, StoreError};

use super::RoundBuilder;
use crate::append::NO_ROOM_RETRY_MS;
use crate::append::accounts::{AccountError, IdentityDigest, Person, first_account, known};
use crate::clock::random;
use crate::private::Nonce;
use crate::tables;

/// The accounts that the identities of a round lead to.
pub(super) type Identities = HashMap<IdentityDigest, AccountId>;

/// About what an identity's row takes up in a round.
const ROW_BYTES: usize = 200;

/// What is to be opened, before anything of it is kept.
#[derive(Default)]
struct Opening {
    new: Vec<AccountId>,
    linked: Vec<(IdentityDigest, AccountId)>,
    identities: Identities,
}

/// What an error of the key store means for whoever asked.
fn of_keys(error: KeyStoreError) -> AccountError {
    match error {
        KeyStoreError::File(StoreError::Full { .. }) => AccountError::NoRoom { retry_after_ms: NO_ROOM_RETRY_MS },
        error => AccountError::Keys(error.to_string()),
    }
}

impl RoundBuilder {
    /// The aliases of the persons of several calls, in order. The keys of new accounts are durable before the rows that name them.
    /// After an error the round is as it was.
    pub(crate) fn open_accounts(
        &mut self,
        calls: &[(InstitutionId, Vec<Person>)],
    ) -> Result<Vec<Vec<Alias>>, AccountError> {
        let mut opening = Opening::default();
        let mut accounts = Vec::with_capacity(calls.len());
        for (institution, persons) in calls {
            let of_call = persons.iter().map(|person| self.account(&mut opening, *institution, person));
            accounts.push(of_call.collect::<Result<Vec<_>, _>>()?);
        }
        let Opening { new, linked, identities } = opening;
        let shared = &self.shared;
        shared.keys.insert(&new, &mut |bytes| shared.entropy.fill(bytes)).map_err(of_keys)?;
        let mut nonces = vec![0; linked.len() * size_of::<Nonce>()];
        shared.entropy.fill(&mut nonces);
        let row = |((digest, account), nonce): ((IdentityDigest, AccountId), &Nonce)| {
            let gone = || AccountError::Keys("an account that was just opened has no key".to_owned());
            let key = shared.keys.get(&account).ok_or_else(gone)?;
            let sealed = shared.private.seal_identity(&digest, &account, key.as_bytes(), *nonce);
            Ok(tables::identity(&digest, sealed))
        };
        let rows = linked.into_iter().zip(nonces.as_chunks().0).map(row);
        let mut rows = rows.collect::<Result<Vec<_>, AccountError>>()?;
        if !new.is_empty() {
            rows.push(tables::key_count(shared.keys.len() as u64));
        }
        self.bytes += rows.len() * ROW_BYTES;
        self.rows.extend(rows);
        self.identities.extend(identities);
        let aliases = |((institution, _), accounts): (&(InstitutionId, _), Vec<AccountId>)| {
            let keys = self.shared.private.of(institution.0);
            accounts.iter().map(|account| keys.alias(account)).collect()
        };
        Ok(calls.iter().zip(accounts).map(aliases).collect())
    }

    /// The account of a person, known or new.
    fn account(
        &self,
        opening: &mut Opening,
        institution: InstitutionId,
        person: &Person,
    ) -> Result<AccountId, AccountError> {
        let mut found = Vec::with_capacity(person.identities().len());
        for identity in person.identities() {
            let digest = self.shared.private.identity_digest(institution.0, identity);
            let account = match opening.identities.get(&digest).or_else(|| self.opened(&digest)) {
                Some(account) => Some(*account),
                None => known(&self.shared, &digest)?,
            };
            found.push((digest, account));
        }
        let account = first_account(found.iter().map(|(_, account)| *account)).unwrap_or_else(|| {
            let account = AccountId(random(&*self.shared.entropy));
            opening.new.push(account);
            account
        });
        for (digest, _) in found.into_iter().filter(|(_, account)| account.is_none()) {
            opening.identities.insert(digest, account);
            opening.linked.push((digest, account));
        }
        Ok(account)
    }

    /// An account that was opened in this round, or in the one before while it is on its way to the disk.
    fn opened(&self, digest: &IdentityDigest) -> Option<&AccountId> {
        let pending = || self.pending.as_ref()?.identities.get(digest);
        self.identities.get(digest).or_else(pending)
    }
}
