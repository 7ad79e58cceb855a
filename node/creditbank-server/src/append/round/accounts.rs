//! Accounts that are opened in a round: their rows are written with it, and who asked is answered once it is durable.

use std::collections::HashMap;

use creditbank_protocol::{AccountId, Alias, InstitutionId};

use super::RoundBuilder;
use crate::append::accounts::{AccountError, IdentityDigest, Person, known};
use crate::clock::random;
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
        shared.keys.insert(&new, &mut |bytes| shared.entropy.fill(bytes))?;
        let row = |(digest, account): (IdentityDigest, AccountId)| {
            let key = shared.keys.get(&account).ok_or(AccountError::Stopped)?;
            let sealed = shared.private.seal_identity(&digest, &account, key.as_bytes(), &*shared.entropy);
            Ok(tables::identity(&digest, sealed))
        };
        let mut rows = linked.into_iter().map(row).collect::<Result<Vec<_>, AccountError>>()?;
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
        let mut account = None;
        let mut unknown = Vec::new();
        for identity in person.identities() {
            let digest = self.shared.private.identity_digest(institution.0, identity);
            let found = match opening.identities.get(&digest).or_else(|| self.opened(&digest)) {
                Some(found) => Some(*found),
                None => known(&self.shared, &digest)?,
            };
            match found {
                // Where identities point to different accounts the first one counts; merging is the operator's.
                Some(found) => account = account.or(Some(found)),
                None => unknown.push(digest),
            }
        }
        let account = account.unwrap_or_else(|| {
            let account = AccountId(random(&*self.shared.entropy));
            opening.new.push(account);
            account
        });
        for digest in unknown {
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
