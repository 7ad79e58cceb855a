//! Generates the gRPC services with a compiler in Rust. Messages that are signed or hashed are those of
//! `creditbank-protocol`, not second copies.

use std::path::{Path, PathBuf};
use std::{env, fs};

use prost::Message as _;

const SERVICES: [&str; 5] = ["ledger", "log", "registry_service", "learner", "recognition_service"];
const PROTOCOL: [&str; 8] =
    ["common", "record", "registry", "agreement", "recognition", "qualification", "block", "transcript"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    println!("cargo:rerun-if-changed=../creditbank/v1");
    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true);
    // The records travel as bytes, but whoever reads the schema by reflection wants to decode them.
    for file in SERVICES.iter().chain(&PROTOCOL) {
        compiler.open_file(format!("creditbank/v1/{file}.proto"))?;
    }
    let descriptors = compiler.file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;

    let mut build = tonic_prost_build::configure().emit_rerun_if_changed(false);
    for file in &descriptors.file {
        if PROTOCOL.iter().any(|name| file.name() == format!("creditbank/v1/{name}.proto")) {
            let messages = file.message_type.iter().map(|message| message.name().to_owned());
            for name in messages.chain(file.enum_type.iter().map(|list| list.name().to_owned())) {
                build =
                    build.extern_path(format!(".creditbank.v1.{name}"), format!("::creditbank_protocol::pb::{name}"));
            }
        }
    }
    build = build.bytes(".creditbank.v1.RecordBody").bytes(".creditbank.v1.SubmitBlockRequest");
    build.compile_fds(descriptors)?;
    Ok(())
}
