//! Accounts that are opened in a round. Their rows are written with it, and the caller is answered once it is durable.

use std::collections::HashMap;

use creditbank_protocol::{AccountId, Alias, InstitutionId};
use creditbank_store::Row;

use super::RoundBuilder;
use crate::append::accounts::{AccountError, Identified, IdentityDigest, first_account, known};
use crate::clock::random;
use crate::ledger::Shared;
use crate::private::Nonce;
use crate::tables;

/// The accounts that the identities of a round lead to.
pub(super) type Identities = HashMap<IdentityDigest, AccountId>;

/// Roughly how many bytes an identity's row takes up in a round.
const ROW_BYTES: usize = 200;

/// What is to be opened, before any of it is kept.
#[derive(Default)]
struct Opening {
    new: Vec<AccountId>,
    linked: Vec<(IdentityDigest, AccountId)>,
    identities: Identities,
}

impl RoundBuilder {
    /// The aliases of persons at an institution, in order. The keys of new accounts are made durable with the round,
    /// before the rows that name them. After an error the round is unchanged.
    pub(crate) fn open_accounts(
        &mut self,
        institution: InstitutionId,
        persons: &[Identified],
    ) -> Result<Vec<Alias>, AccountError> {
        let mut opening = Opening::default();
        let accounts = persons.iter().map(|person| self.account(&mut opening, person));
        let accounts = accounts.collect::<Result<Vec<_>, _>>()?;
        let Opening { new, linked, identities } = opening;
        let shared = &self.shared;
        shared.keys.stage(&new, &mut |bytes| shared.entropy.fill(bytes));
        let rows = match identity_rows(shared, linked) {
            Ok(rows) => rows,
            Err(error) => {
                shared.keys.discard(Some(&new));
                return Err(error);
            }
        };
        if !new.is_empty() {
            self.keys = Some(shared.keys.len() as u64);
        }
        self.bytes += rows.len() * ROW_BYTES;
        self.rows.extend(rows);
        self.accounts.extend(new);
        self.identities.extend(identities);
        let keys = self.shared.private.of(institution.0);
        Ok(accounts.iter().map(|account| keys.alias(account)).collect())
    }

    /// The account of a person, known or new.
    fn account(&self, opening: &mut Opening, person: &Identified) -> Result<AccountId, AccountError> {
        let mut found = Vec::with_capacity(person.len());
        for digest in person {
            let account = match opening.identities.get(digest).or_else(|| self.opened(digest)) {
                Some(account) => Some(*account),
                None => known(&self.shared, digest)?,
            };
            found.push((*digest, account));
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

    /// An account that was opened in this round, or in the one before while that is being written.
    fn opened(&self, digest: &IdentityDigest) -> Option<&AccountId> {
        let pending = || self.pending.as_ref()?.identities.get(digest);
        self.identities.get(digest).or_else(pending)
    }
}

/// The rows that lead from identities to accounts.
fn identity_rows(shared: &Shared, linked: Vec<(IdentityDigest, AccountId)>) -> Result<Vec<Row>, AccountError> {
    let mut nonces = vec![0; linked.len() * size_of::<Nonce>()];
    shared.entropy.fill(&mut nonces);
    let row = |((digest, account), nonce): ((IdentityDigest, AccountId), &Nonce)| {
        // For a known person: they may be erased while another identity of theirs is linked.
        let key = shared.keys.get(&account).ok_or(AccountError::Erased)?;
        let sealed = shared.private.seal_identity(&digest, &account, key.as_bytes(), *nonce);
        Ok(tables::identity(&digest, sealed))
    };
    linked.into_iter().zip(nonces.as_chunks().0).map(row).collect()
}
