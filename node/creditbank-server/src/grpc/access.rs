//! Who reads: the access token of a call, checked against the registry in force.

use creditbank_ledger::read::{ReadScope, Shown};
use creditbank_protocol::InstitutionId;
use creditbank_protocol::key::{KeyId, within_dates};
use creditbank_protocol::pb::{DisclosedRecord, Purpose};
use creditbank_rpc::token::{self, TokenError};
use creditbank_rules::dates::day_of_ms;
use tonic::codegen::http::HeaderMap;
use tonic::{Request, Status};

use super::status::{denied, unauthenticated};
use crate::ledger::Ledger;
use crate::serve::Peer;
use crate::work::{Charge, Who};

/// A caller with a valid token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The operator: may read everything.
    Operator(KeyId),
    /// An institution: may read what it issued.
    Institution(InstitutionId, KeyId),
}

impl From<Caller> for Who {
    fn from(caller: Caller) -> Self {
        match caller {
            Caller::Operator(_) => Self::Operator,
            Caller::Institution(institution, _) => Self::Institution(institution),
        }
    }
}

/// A caller without a token.
pub(super) fn anybody<T>(request: &Request<T>) -> Who {
    Who::Address(Peer::in_extensions(request.extensions()))
}

impl Caller {
    /// The caller of a request. If the call came over a connection, its token was checked before the request was read.
    pub(super) fn of<T>(ledger: &Ledger, request: &Request<T>) -> Result<Self, Status> {
        match request.extensions().get() {
            Some(caller) => Ok(*caller),
            None => Self::before(ledger, request.metadata().as_ref(), Peer::in_extensions(request.extensions())),
        }
    }

    /// The caller of a call, from its headers, before anything of the request is read.
    pub(crate) fn before(ledger: &Ledger, headers: &HeaderMap, peer: Peer) -> Result<Self, Status> {
        let header = headers.get("authorization").and_then(|value| value.to_str().ok());
        let expected = "this call needs an access token: `authorization: Bearer JWT` (pass an access key)";
        let token = header.and_then(bearer).ok_or_else(|| unauthenticated(expected))?;
        let id = token::key_id(token).map_err(unauthenticated)?;
        let registry = ledger.registry();
        let key = registry.key(&id).ok_or_else(|| unauthenticated(format!("key {id} is not in the registry")))?;
        let now_s = ledger.now_ms() / 1_000;
        // Nobody without a key can make the node verify signatures for ever.
        let suspicion = &ledger.work().suspicion;
        let charged = suspicion.signature(Charge::Token, peer, Some(id))?;
        let checked = token::check(token, &ledger.origin(), &key.public_key, now_s);
        if !matches!(checked, Err(TokenError::Signature(_) | TokenError::Form)) {
            suspicion.good(charged);
        }
        checked.map_err(unauthenticated)?;
        let minute = now_s / 60;
        if key.revoked.is_some() || !within_dates(key, minute) {
            return Err(unauthenticated(format!("key {id} is not in force")));
        }
        match Purpose::try_from(key.purpose) {
            Ok(Purpose::OperatorAccess) => Ok(Self::Operator(id)),
            Ok(Purpose::InstitutionAccess) => Ok(Self::Institution(key.institution.into(), id)),
            _ => Err(denied(format!("key {id} is not an access key of an institution or the operator"))),
        }
    }

    /// Whether it is the operator.
    pub(super) fn is_operator(self) -> bool {
        matches!(self, Self::Operator(_))
    }

    /// Writes an answered call to the log: who made it with which key, whose records it requested, and how many of them
    /// the answer has, if it has a number. Nothing about persons: no alias, no account, no place of a record.
    pub(super) fn log(self, call: &'static str, of: Option<InstitutionId>, records: Option<usize>) {
        let (institution, key) = match self {
            Self::Operator(key) => (InstitutionId::OPERATOR, key),
            Self::Institution(institution, key) => (institution, key),
        };
        let of = of.map(|institution| institution.0);
        tracing::info!(call, institution = institution.0, %key, of, records, "read");
    }

    /// What the caller sees of a learner who has records of several institutions.
    pub(super) fn scope(self, shown: Vec<DisclosedRecord>) -> ReadScope {
        let institution = match self {
            Self::Operator(_) => None,
            Self::Institution(own, _) => Some(own),
        };
        ReadScope { institution, shown: Shown::new(shown) }
    }

    /// Refuses an institution that requests another's records, unless it is the custodian of a closed one.
    pub(super) fn may_read(self, ledger: &Ledger, institution: InstitutionId) -> Result<(), Status> {
        match self {
            Self::Operator(_) => Ok(()),
            Self::Institution(own, _) if own == institution => Ok(()),
            Self::Institution(own, _)
                if ledger.registry().is_custodian(own, institution, day_of_ms(ledger.now_ms())) =>
            {
                Ok(())
            }
            Self::Institution(own, _) => Err(denied(format!(
                "the access key is of institution {own}, which may not read what institution {institution} issued: \
                     pass an access key of institution {institution}"
            ))),
        }
    }
}

/// The token of an `authorization` header. The scheme's case does not matter (RFC 7235, 2.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn the_case_of_the_scheme_does_not_matter() {
        for header in ["Bearer a.b", "bearer a.b", "BEARER  a.b"] {
            assert_eq!(bearer(header), Some("a.b"), "{header}");
        }
        for header in ["", "Bearer", "Basic a.b", "Bearera.b"] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }
}
