//! The public state of a log, and what a block and a seal change in it.
