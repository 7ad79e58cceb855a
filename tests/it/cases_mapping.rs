//! Registrars' files as they come: what becomes of each line, by the values of `tests/cases`.
