//! A log from its first entry, checked with nothing but its keys.
