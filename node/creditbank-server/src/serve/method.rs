//! The methods of a node, and what each of them may hold.

use crate::grpc::REQUEST_LEN_MAX;

/// How a method is treated before it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// One request, one answer of some kilobytes.
    Small,
    /// One request; the answer may be large.
    Large,
    /// Blocks come in, one after the other.
    Blocks,
    /// Entries go out, one after the other.
    Entries,
    /// Asks for the node's health: answered even if there is no room for work.
    Health,
    /// Gets the node's health each time that it changes.
    Watch,
    /// Asks what the node can do, one question after the other.
    Reflection,
}

/// Most bytes of a request, unless a method says otherwise.
const REQUEST: usize = 64 << 10;
/// The same, for a request that shows records, or names many persons or ids.
const SHOWN: usize = 4 << 20;

/// Most fields of a request, including those of nested messages, unless a method says otherwise. The largest request
/// has 1,024 records and as many places, with five fields each, and a block with two fields for each of them.
const FIELDS: usize = 16_384;
/// The same, for a request that shows records, or has a list of 10,000 elements.
const FIELDS_SHOWN: usize = 200_000;

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Method {
    /// Service and method, as the metrics name it.
    pub(super) name: &'static str,
    pub(super) class: Class,
    /// Most bytes of a message that it accepts.
    pub(super) request_max: usize,
    /// Most fields of a message, including those of nested messages. A decoded field takes up many times its bytes.
    pub(super) fields_max: usize,
    /// Whether its caller needs an access token. The token is checked before the request is read.
    pub(super) needs_token: bool,
}

const fn method(name: &'static str, class: Class) -> Method {
    Method { name, class, request_max: REQUEST, fields_max: FIELDS, needs_token: false }
}

const OTHER: Method = method("other", Class::Small);

/// All methods of the node's own services.
const METHODS: [Method; 25] = [
    method("LedgerService/SubmitBlock", Class::Small).takes_records(),
    method("LedgerService/SubmitBlocks", Class::Blocks).takes_records(),
    method("LedgerService/GetChainHead", Class::Small),
    method("LedgerService/GetBlock", Class::Small),
    method("LedgerService/GetRecord", Class::Small).with_token(),
    method("LedgerService/ListIssued", Class::Large).with_token(),
    method("LedgerService/CheckRecords", Class::Small).takes_records().takes_identities().with_token(),
    method("LedgerService/Reconcile", Class::Large).takes_shown().with_token(),
    method("LedgerService/ListConsequences", Class::Large).with_token(),
    method("LogService/GetCheckpoint", Class::Small),
    method("LogService/StreamEntries", Class::Entries),
    method("LogService/GetInclusionProof", Class::Small),
    method("LogService/GetConsistencyProof", Class::Small),
    method("LogService/GetStatusProof", Class::Large).takes_shown(),
    method("RegistryService/Publish", Class::Small).takes_records(),
    method("RegistryService/GetRegistryEntry", Class::Small),
    method("RegistryService/ListRegistry", Class::Large),
    method("LearnerService/OpenAccounts", Class::Small).takes_shown().with_token(),
    method("LearnerService/ListRecords", Class::Large).with_token(),
    method("LearnerService/ExportTranscript", Class::Large).takes_shown().with_token(),
    method("LearnerService/GetBalance", Class::Small).takes_shown().with_token(),
    method("LearnerService/EvaluateQualification", Class::Large).takes_shown().with_token(),
    method("RecognitionService/PreviewConversion", Class::Large).takes_shown().with_token(),
    method("RecognitionService/ListApplications", Class::Large).with_token(),
    method("RecognitionService/ListReviews", Class::Large).with_token(),
];

impl Method {
    const fn takes_records(self) -> Self {
        Self { request_max: REQUEST_LEN_MAX, ..self }
    }

    /// Records that name each learner by several identities.
    const fn takes_identities(self) -> Self {
        Self { fields_max: FIELDS_SHOWN, ..self }
    }

    const fn takes_shown(self) -> Self {
        Self { request_max: SHOWN, fields_max: FIELDS_SHOWN, ..self }
    }

    const fn with_token(self) -> Self {
        Self { needs_token: true, ..self }
    }

    /// The method at a path.
    pub(super) fn of(path: &str) -> Self {
        match path {
            "/grpc.health.v1.Health/Check" => return method("Health/Check", Class::Health),
            "/grpc.health.v1.Health/Watch" => return method("Health/Watch", Class::Watch),
            _ => {}
        }
        if path.starts_with("/grpc.reflection.") {
            return method("Reflection", Class::Reflection);
        }
        let own = path.strip_prefix("/creditbank.v1.");
        let known = own.and_then(|name| METHODS.iter().find(|known| known.name == name));
        known.copied().unwrap_or(OTHER)
    }

    /// Whether the request consists of several messages.
    pub(super) fn takes_many(self) -> bool {
        matches!(self.class, Class::Blocks | Class::Reflection)
    }

    /// Whether the answer consists of several messages.
    pub(super) fn gives_many(self) -> bool {
        self.takes_many() || matches!(self.class, Class::Entries | Class::Watch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every method of the schema is known here, so that none gets the wrong treatment.
    #[test]
    fn every_method_is_known() {
        use prost::Message as _;
        let schema = prost_types::FileDescriptorSet::decode(creditbank_rpc::DESCRIPTORS).expect("the schema");
        let mut found = 0;
        for file in schema.file.iter().filter(|file| file.package() == "creditbank.v1") {
            for service in &file.service {
                for one in &service.method {
                    let path = format!("/creditbank.v1.{}/{}", service.name(), one.name());
                    let method = Method::of(&path);
                    assert_ne!(method, OTHER, "{path}");
                    assert_eq!(method.takes_many(), one.client_streaming(), "{path}");
                    assert_eq!(method.gives_many(), one.server_streaming(), "{path}");
                    found += 1;
                }
            }
        }
        assert_eq!(found, METHODS.len());
        assert_eq!(Method::of("/creditbank.v1.LedgerService/None"), OTHER);
    }
}
