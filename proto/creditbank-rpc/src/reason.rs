//! Why a node refuses something: every name that can travel (PROTOCOL.md, "Refusals"), as one type.
//!
//! On the wire a reason is its name, so that a newer node can refuse for reasons that this side does not know yet.
//! The rules'
//! names are listed once, in `creditbank_protocol::with_rules`; a test in the node compares all with the protocol's
//! text.

use std::fmt;

use tonic::Code;

use crate::v1::Refusal;

macro_rules! reasons {
    ({$($own:tt)*} $($rules:tt)*) => { reasons!(@ $($own)* $($rules)*); };
    (@ $($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// Why something was refused.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[doc = $doc])+ $variant,)+
            /// A name that this side does not know; empty where whoever refused named no reason.
            Unknown(String),
        }

        impl Reason {
            /// Every reason that the protocol names.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name that travels.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Unknown(name) => name,
                }
            }

            /// The reason of a name.
            pub fn from_name(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)+
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }
    };
}

creditbank_protocol::with_rules!(reasons {
    // Of a call.
    /// A field of the request is missing, malformed or beyond its limit.
    InvalidRequest = "INVALID_REQUEST",
    /// The call needs an access token that holds, of a key in force.
    NoToken = "NO_TOKEN",
    /// The key gives no access to this.
    NoAccess = "NO_ACCESS",
    /// There is no such record, block or learner, or it was erased.
    NotFound = "NOT_FOUND",
    /// An index or a size beyond the log.
    OutOfRange = "OUT_OF_RANGE",
    /// More records than a transcript holds.
    TooManyRecords = "TOO_MANY_RECORDS",
    /// More work than the node takes at once.
    Busy = "BUSY",
    /// The institution has asked for as much as it may in a minute.
    QuotaUsed = "QUOTA_USED",
    /// The node's disk is full.
    NoRoom = "NO_ROOM",
    /// The node's clock is not believed.
    ClockMoved = "CLOCK_MOVED",
    /// The node has no file of the log key that is to follow.
    LogKeyMissing = "LOG_KEY_MISSING",
    /// The node is stopping.
    Stopped = "STOPPED",
    /// What the node has stored of this is damaged.
    Damaged = "DAMAGED",
    /// The node could not read its store for once.
    Unreadable = "UNREADABLE",
    /// Only the operator can mend it.
    Internal = "INTERNAL",
    // Of a block's form.
    /// The block has more bytes than an entry holds.
    BlockTooLong = "BLOCK_TOO_LONG",
    /// Block, header or public part is not in the canonical spelling.
    NotCanonical = "NOT_CANONICAL",
    /// Another suite or version, or a second signature.
    UnknownVersion = "UNKNOWN_VERSION",
    /// The public part is not the one that was signed.
    WrongPublicRoot = "WRONG_PUBLIC_ROOT",
    /// A public record's position is out of order or not in the block.
    WrongPublicIndex = "WRONG_PUBLIC_INDEX",
    /// A key approves twice.
    RepeatedApproval = "REPEATED_APPROVAL",
    /// A status id stands twice.
    RepeatedEffect = "REPEATED_EFFECT",
    /// An effect shows the place of its record where that may not stand, or none where it must.
    WrongPlace = "WRONG_PLACE",
    /// The block belongs to another log.
    WrongOrigin = "WRONG_ORIGIN",
    /// Not as many records as the header says.
    WrongCount = "WRONG_COUNT",
    /// Not one place beside the block for each effect that shows none.
    WrongPlaceCount = "WRONG_PLACE_COUNT",
    /// The unit's or the approver's signature does not hold.
    WrongSignature = "WRONG_SIGNATURE",
    /// Kind, version, seed or body of a record is wrong.
    RecordMalformed = "RECORD_MALFORMED",
    /// A public kind that is hidden, or the reverse.
    WrongPart = "WRONG_PART",
    /// The records are not the ones that were signed.
    WrongRecordsRoot = "WRONG_RECORDS_ROOT",
    // Of a block's place in its chain.
    /// Another block stands at this height.
    StaleHead = "STALE_HEAD",
    /// The height is beyond the next one.
    WrongHeight = "WRONG_HEIGHT",
    /// The block does not build on the head.
    WrongPrevious = "WRONG_PREVIOUS",
    /// Created before the head, or more than a day from the seal.
    WrongTime = "WRONG_TIME",
});

impl Reason {
    /// Whether the same call can succeed later as it stands: the node is busy, full, stopping, waits for its clock, or
    /// could not read its disk for once. Some of this the operator has to mend first ([`Refusal::needs_operator`]). Of
    /// a block, nothing is known: it may be sealed, or be sealed yet.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Busy | Self::QuotaUsed | Self::NoRoom | Self::ClockMoved | Self::Stopped | Self::Unreadable
        )
    }

    /// Whether it says nothing of a block's content: the unit's chain is not where the block expected it, or the time
    /// is over in which the block could be sealed.
    pub fn chain_moved(&self) -> bool {
        matches!(self, Self::StaleHead | Self::WrongHeight | Self::WrongPrevious | Self::WrongTime)
    }

    /// Whether the same block can be sealed later, after somebody has done something else: what was approved is kept.
    pub fn keeps_request(&self) -> bool {
        self.about_signer() || matches!(self, Self::LogKeyMissing)
    }

    /// Whether it is about who signs or approves, or for which log: no other block of this signer would go through.
    pub fn about_signer(&self) -> bool {
        matches!(
            self,
            Self::UnknownInstitution
                | Self::InstitutionNotActive
                | Self::UnknownUnit
                | Self::UnitNotActive
                | Self::UnknownKey
                | Self::KeyOfAnother
                | Self::KeyRevoked
                | Self::KeyNotInForce
                | Self::NotAnApprover
                | Self::ApprovalMissing
                | Self::NotTheOperator
                | Self::WrongSignature
                | Self::WrongOrigin
        )
    }

    /// Whether the ledger holds already what was to be done: somebody else was faster.
    pub fn is_done_already(&self) -> bool {
        matches!(self, Self::DuplicateRecord | Self::NotContested)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Unknown(name) => name,
            known => known.name().to_owned(),
        }
    }
}

impl Refusal {
    /// Why, as a type.
    pub fn why(&self) -> Reason {
        Reason::from_name(&self.reason)
    }

    /// Whether the node's operator has to do something before the same call can succeed: make room on the disk, or set
    /// the clock. Whoever waits for that is told at once. A node whose clock has only to catch up says when to come
    /// back.
    pub fn needs_operator(&self) -> bool {
        match self.why() {
            Reason::NoRoom => true,
            Reason::ClockMoved => self.retry_after_ms == 0,
            _ => false,
        }
    }

    /// Whether it leaves open if a block that was sent is sealed: then the same bytes must be sent again, and no other
    /// block may be signed for its height. Of a reason that this side does not know, the code says so.
    pub fn leaves_outcome_open(&self) -> bool {
        let why = self.why();
        match &why {
            Reason::Internal | Reason::Damaged => true,
            // Something between this side and the node has answered, and the node perhaps not yet.
            Reason::Unknown(name) if name.is_empty() => true,
            Reason::Unknown(_) => !matches!(
                Code::from_i32(i32::try_from(self.code).unwrap_or(i32::MAX)),
                Code::InvalidArgument
                    | Code::PermissionDenied
                    | Code::FailedPrecondition
                    | Code::AlreadyExists
                    | Code::Aborted
                    | Code::OutOfRange
                    | Code::NotFound
                    | Code::Unauthenticated
                    | Code::Unimplemented
            ),
            _ => why.is_transient(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: each name is one reason and comes back as it was; another node's names are kept.
    #[test]
    fn names_are_read_as_they_are_written() {
        for reason in Reason::ALL {
            assert_eq!(&Reason::from_name(reason.name()), reason);
        }
        assert_eq!(Reason::from_name("NEW_RULE"), Reason::Unknown("NEW_RULE".to_owned()));
        assert_eq!(Reason::from_name("NEW_RULE").to_string(), "NEW_RULE");
    }

    /// Goal: a full disk is always the operator's to mend; a clock is not where the node says when to come back.
    #[test]
    fn some_refusals_wait_for_the_operator() {
        let needs = |reason: &str, retry_after_ms| {
            Refusal { reason: reason.to_owned(), retry_after_ms, ..Default::default() }.needs_operator()
        };
        assert!(needs("NO_ROOM", 0) && needs("NO_ROOM", 5_000) && needs("CLOCK_MOVED", 0));
        assert!(!needs("CLOCK_MOVED", 5_000) && !needs("BUSY", 0));
    }

    /// Goal: what the node has not decided, or what nobody knows to be decided, is open; a decision is not.
    #[test]
    fn only_decisions_settle_a_block() {
        let open = |code: Code, reason: &str| {
            Refusal { code: code as u32, reason: reason.to_owned(), ..Default::default() }.leaves_outcome_open()
        };
        for reason in
            ["BUSY", "QUOTA_USED", "NO_ROOM", "CLOCK_MOVED", "STOPPED", "UNREADABLE", "DAMAGED", "INTERNAL", ""]
        {
            assert!(open(Code::Unavailable, reason), "{reason}");
            assert!(open(Code::InvalidArgument, reason), "{reason}");
        }
        for reason in ["STALE_HEAD", "WRONG_HEIGHT", "DUPLICATE_RECORD", "NEW_RULE"] {
            assert!(!open(Code::FailedPrecondition, reason), "{reason}");
        }
        assert!(open(Code::Internal, "NEW_FAULT") && open(Code::Unavailable, "NEW_FAULT"));
    }
}
