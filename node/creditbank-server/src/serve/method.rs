//! The methods of a node, and what each of them may hold.

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
    /// Asks how the node is, or what it can do: answered also where there is no room for work.
    Inquiry,
}

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Method {
    /// Service and method, as the measures name it.
    pub(super) name: &'static str,
    pub(super) class: Class,
}

const fn method(name: &'static str, class: Class) -> Method {
    Method { name, class }
}

const OTHER: Method = method("other", Class::Small);

/// All methods of the node's own services.
const METHODS: [Method; 25] = [
    method("LedgerService/SubmitBlock", Class::Small),
    method("LedgerService/SubmitBlocks", Class::Blocks),
    method("LedgerService/GetChainHead", Class::Small),
    method("LedgerService/GetBlock", Class::Small),
    method("LedgerService/GetRecord", Class::Small),
    method("LedgerService/ListIssued", Class::Large),
    method("LedgerService/CheckRecords", Class::Small),
    method("LedgerService/Reconcile", Class::Large),
    method("LedgerService/ListConsequences", Class::Large),
    method("LogService/GetCheckpoint", Class::Small),
    method("LogService/StreamEntries", Class::Entries),
    method("LogService/GetInclusionProof", Class::Small),
    method("LogService/GetConsistencyProof", Class::Small),
    method("LogService/GetStatusProof", Class::Large),
    method("RegistryService/Publish", Class::Small),
    method("RegistryService/GetRegistryEntry", Class::Small),
    method("RegistryService/ListRegistry", Class::Large),
    method("LearnerService/OpenAccounts", Class::Small),
    method("LearnerService/ListRecords", Class::Large),
    method("LearnerService/ExportTranscript", Class::Large),
    method("LearnerService/GetBalance", Class::Small),
    method("LearnerService/EvaluateQualification", Class::Large),
    method("RecognitionService/PreviewConversion", Class::Large),
    method("RecognitionService/ListApplications", Class::Large),
    method("RecognitionService/ListReviews", Class::Large),
];

impl Method {
    /// The method at a path.
    pub(super) fn of(path: &str) -> Self {
        if path.starts_with("/grpc.health.v1.Health/") {
            return method("Health", Class::Inquiry);
        }
        if path.starts_with("/grpc.reflection.") {
            return method("Reflection", Class::Inquiry);
        }
        let own = path.strip_prefix("/creditbank.v1.");
        let known = own.and_then(|name| METHODS.iter().find(|known| known.name == name));
        known.copied().unwrap_or(OTHER)
    }

    /// Whether several messages may come or go.
    pub(super) fn streams(self) -> bool {
        matches!(self.class, Class::Blocks | Class::Entries | Class::Inquiry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every method of the schema is known here, so that none is treated as one that it is not.
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
                    let streams = one.client_streaming() || one.server_streaming();
                    assert_eq!(method.streams(), streams, "{path}");
                    found += 1;
                }
            }
        }
        assert_eq!(found, METHODS.len());
        assert_eq!(Method::of("/creditbank.v1.LedgerService/None"), OTHER);
    }
}
