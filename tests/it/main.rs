//! End to end: clients and a node over real gRPC, in this process.

mod accounts;
mod amend;
mod approval;
mod awards;
mod bad_blocks;
mod bad_records;
mod blocks;
mod compromise;
mod conversions;
mod custodian;
mod dry_run;
mod evaluation;
mod file_formats;
mod files;
mod import;
mod lying;
mod reads;
mod recognition;
mod reconcile;
mod registry;
mod replay;
mod services;
mod stacking;
mod sync;
mod tls;
mod transcript;
