//! What can go wrong between a client and a node.

use creditbank_protocol::canonical::CanonicalError;
use creditbank_protocol::merkle::ProofError;
use creditbank_protocol::note::NoteError;
use creditbank_protocol::receipt::ReceiptError;
use creditbank_protocol::transcript::TranscriptError;
use creditbank_rpc::refusal::from_status;
use creditbank_rpc::v1::Refusal;
use tonic::{Code, Status};

/// Why a call gave no answer that can be believed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No node there, or none that answers in time. Whether a block was sealed is not known.
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    /// The node has refused.
    #[error("refused{}: {}", reason(.0), .0.message)]
    Refused(Box<Refusal>),
    /// It is not there.
    #[error("{0}")]
    Missing(String),
    /// The node has said something that does not verify: it is broken, or it lies.
    #[error("the node's answer does not verify: {0}")]
    Lie(String),
    /// A file of this side.
    #[error("{path}: {}", crate::files::told(.error))]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Something of this side is wrong: a key, a setting.
    #[error("{0}")]
    Local(String),
}

fn reason(refusal: &Refusal) -> String {
    if refusal.reason.is_empty() || refusal.message.starts_with(&refusal.reason) {
        String::new()
    } else {
        format!(" ({})", refusal.reason)
    }
}

impl ClientError {
    /// A refusal by name, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the same call may succeed in a moment: nobody has answered, or the node asks to come back. Not where its
    /// operator has to do something first.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused(refusal) if refusal.needs_operator() => false,
            Self::Refused(refusal) => refusal.why().is_transient() || refusal.retry_after_ms > 0,
            _ => false,
        }
    }

    pub(crate) fn lie(what: impl ToString) -> Self {
        Self::Lie(what.to_string())
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        let refusal = from_status(&status);
        // Without a reason of ours, these come from the transport and not from the node.
        let transport =
            matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Unknown | Code::Cancelled)
                || std::error::Error::source(&status).is_some();
        if refusal.reason.is_empty() && transport {
            return Self::Unreachable(status.message().to_owned());
        }
        Self::Refused(Box::new(refusal))
    }
}

impl From<tonic::transport::Error> for ClientError {
    fn from(error: tonic::transport::Error) -> Self {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            // Some of these errors say what their source says.
            let inner_text = inner.to_string();
            if !text.ends_with(&inner_text) {
                text = format!("{text}: {inner_text}");
            }
            source = inner.source();
        }
        Self::Unreachable(text)
    }
}

macro_rules! lies {
    ($($error:ty),+) => {
        $(impl From<$error> for ClientError {
            fn from(error: $error) -> Self {
                Self::lie(error)
            }
        })+
    };
}

lies!(NoteError, ProofError, ReceiptError, CanonicalError, TranscriptError);
