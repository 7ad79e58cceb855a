//! Recognition: applications, decisions, appeals; prior learning; degrees of elsewhere.
