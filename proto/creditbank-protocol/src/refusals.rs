//! The names of the rules, once: whoever judges by them (`Rule` in `creditbank-rules`) and whoever is told (`Reason` in
//! `creditbank-rpc`) make their types of one list.

/// Calls the macro `$make` with `{ what else is given }` and then every rule: `/// What it asks.`, `Variant =
/// "NAME",`. In the
/// order of PROTOCOL.md, "Refusals", which is the order of precedence within each group.
#[macro_export]
macro_rules! with_rules {
    ($make:ident $({ $($more:tt)* })?) => {
        $make! {
            { $($($more)*)? }
            /// The institution is in the registry.
            UnknownInstitution = "UNKNOWN_INSTITUTION",
            /// The institution is active.
            InstitutionNotActive = "INSTITUTION_NOT_ACTIVE",
            /// The unit is in the registry.
            UnknownUnit = "UNKNOWN_UNIT",
            /// The unit is active.
            UnitNotActive = "UNIT_NOT_ACTIVE",
            /// The key is in the registry.
            UnknownKey = "UNKNOWN_KEY",
            /// The key signs blocks of this unit.
            KeyOfAnother = "KEY_OF_ANOTHER",
            /// The key is not revoked.
            KeyRevoked = "KEY_REVOKED",
            /// The time of the seal lies between the key's dates.
            KeyNotInForce = "KEY_NOT_IN_FORCE",
            /// The approval of a block, where there is one, is by an approver of the unit.
            NotAnApprover = "NOT_AN_APPROVER",
            /// A block has the approvals that its unit, or the registry's policy, requires.
            ApprovalMissing = "APPROVAL_MISSING",
            /// The block is sealed by the approval's last minute, which is at most 30 days after the block was made.
            ApprovalExpired = "APPROVAL_EXPIRED",
            /// The approval was not used before.
            ApprovalUsed = "APPROVAL_USED",
            /// The kind is within the key's scope.
            KindOutsideKey = "KIND_OUTSIDE_KEY",
            /// The kind may be issued by an institution.
            KindNotIssued = "KIND_NOT_ISSUED",
            /// What a record, an effect or a block means nothing without is there.
            MissingField = "MISSING_FIELD",
            /// A date exists in the calendar and dates are in order.
            InvalidDate = "INVALID_DATE",
            /// What has happened lies from 1900 to the latest day on earth when the block was made; what is planned lies near.
            ImplausibleDate = "IMPLAUSIBLE_DATE",
            /// A code is well-formed: country, language, ISCED-F field, domain.
            InvalidCode = "INVALID_CODE",
            /// A course code has at most 64 characters, which can be seen, and single spaces inside.
            InvalidCourseCode = "INVALID_COURSE_CODE",
            /// A text has no control character, override of direction, replacement character or unassigned one.
            InvalidText = "INVALID_TEXT",
            /// The alias is one that this institution was given.
            UnknownAlias = "UNKNOWN_ALIAS",
            /// The learner's account is open.
            AccountNotOpen = "ACCOUNT_NOT_OPEN",
            /// The credit unit is in the registry.
            UnknownCreditUnit = "UNKNOWN_CREDIT_UNIT",
            /// Framework and level are in the registry.
            UnknownLevel = "UNKNOWN_LEVEL",
            /// The grade scale is in the registry, and the grade is one of its grades.
            UnknownGrade = "UNKNOWN_GRADE",
            /// The grade of a Credit is a pass.
            GradeNotAPass = "GRADE_NOT_A_PASS",
            /// The grade of a Result is not a pass, unless it is not final.
            GradeIsAPass = "GRADE_IS_A_PASS",
            /// Workload hours lie within the band of the credit unit.
            WorkloadOutsideBand = "WORKLOAD_OUTSIDE_BAND",
            /// The embargo ends at most 400 days after the period.
            EmbargoTooLong = "EMBARGO_TOO_LONG",
            /// The institution was accredited for this at the end of the period of study.
            NotAccredited = "NOT_ACCREDITED",
            /// The place that the record names holds a record of the same learner, institution and course.
            UnknownEarlier = "UNKNOWN_EARLIER",
            /// The place that a record amends, or an effect names, holds a record; of an effect, with its status id.
            UnknownTarget = "UNKNOWN_TARGET",
            /// An amendment has its target's kind and learner.
            AmendsAnother = "AMENDS_ANOTHER",
            /// A record is changed by its issuer, its custodian, or the operator with a case reference.
            NotAuthorised = "NOT_AUTHORISED",
            /// The record's marks allow the change.
            StatusForbids = "STATUS_FORBIDS",
            /// What is confirmed is contested, and so is the effect that is reinstated.
            NotContested = "NOT_CONTESTED",
            /// The same record is not issued twice.
            DuplicateRecord = "DUPLICATE_RECORD",
            /// An institution gives the number of a document once in a series.
            DocumentNumberUsed = "DOCUMENT_NUMBER_USED",
            /// A learner holds one standing award of a definition and specialisation, unless the definition is repeatable.
            AwardedAlready = "AWARDED_ALREADY",
            /// A course counts at most once and its repeats.
            TooManyRepeats = "TOO_MANY_REPEATS",
            /// A newer Identity amends the former one.
            IdentityNotAmended = "IDENTITY_NOT_AMENDED",
            /// A block says what follows from its records and effects (section 8), and nothing else of the kind.
            EffectMismatch = "EFFECT_MISMATCH",
            /// The action is one that blocks may carry so far.
            ActionNotAdmitted = "ACTION_NOT_ADMITTED",
            /// A registry record is signed by the operator, and the operator signs nothing else.
            NotTheOperator = "NOT_THE_OPERATOR",
            /// A registry record names what exists.
            UnknownReference = "UNKNOWN_REFERENCE",
            /// What an institution publishes it publishes in its own name, and of an agreement it is a party.
            NotThePublisher = "NOT_THE_PUBLISHER",
            /// No two agreements of one tier cover the same credit, unless one replaces the other.
            AgreementsOverlap = "AGREEMENTS_OVERLAP",
            /// A definition takes no more to judge than the counts of section 18 allow.
            DefinitionTooLarge = "DEFINITION_TOO_LARGE",
            /// References do not lead back to where they began.
            ReferenceCycle = "REFERENCE_CYCLE",
            /// A definition asks for what can be met.
            Unsatisfiable = "UNSATISFIABLE",
            /// The learner wants it: a mandate that is signed or refers to a paper; or a regulation stands in its place.
            NoMandate = "NO_MANDATE",
            /// The record is sealed by the mandate's last minute, which is at most 30 days after its block was made.
            MandateExpired = "MANDATE_EXPIRED",
            /// The mandate, its paper for this kind of record, or a signature under a joint award, was not used before.
            MandateUsed = "MANDATE_USED",
            /// What is recorded long after its day says so, why, and what the rules give now; nothing else says it.
            Late = "LATE",
            /// A diploma of elsewhere is like no other one of the learner, unless a person says why it is another.
            CloseMatch = "CLOSE_MATCH",
            /// Agreement, equivalence or definition are in force on the day of the decision.
            NotInForce = "NOT_IN_FORCE",
            /// Agreement or equivalence cover the source.
            OutsideScope = "OUTSIDE_SCOPE",
            /// No more specific agreement covers the source.
            NotMostSpecific = "NOT_MOST_SPECIFIC",
            /// What is used is a standing record of this learner that may be used for this.
            SourceNotUsable = "SOURCE_NOT_USABLE",
            /// What is used may be shown on the day (UTC) on which the block was created.
            NotVisible = "NOT_VISIBLE",
            /// The level of a source has a comparable level.
            UndefinedLevel = "UNDEFINED_LEVEL",
            /// Amounts, levels and grades are those that the rules give, to the last digit.
            ConversionDiffers = "CONVERSION_DIFFERS",
            /// A root pays once.
            AlreadySpent = "ALREADY_SPENT",
            /// The requirements of the definition hold.
            RequirementsNotMet = "REQUIREMENTS_NOT_MET",
            /// Each institution of a joint award has signed it.
            NotCosigned = "NOT_COSIGNED",
            /// One open application per purpose and receiver.
            ApplicationOpen = "APPLICATION_OPEN",
            /// A decision or an appeal refers to what is open.
            NotOpen = "NOT_OPEN",
            /// What depends on a record that is amended or revoked is put under review.
            DependantsNotReviewed = "DEPENDANTS_NOT_REVIEWED",
            /// What a registry record says fits together.
            Contradiction = "CONTRADICTION",
            /// What is permanent in the registry does not change.
            Permanent = "PERMANENT",
            /// Whoever asks for a key's admission holds the key.
            NoPossession = "NO_POSSESSION",
            /// A registry key is followed by the one that was committed to, and by no other.
            NotTheSuccessor = "NOT_THE_SUCCESSOR",
        }
    };
}
