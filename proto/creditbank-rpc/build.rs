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

    let mut client = tonic_prost_build::configure().emit_rerun_if_changed(false).build_server(false);
    // The node's half decodes by a codec of its own, which says whose fault a malformed message is.
    let servers = out.join("servers");
    fs::create_dir_all(&servers)?;
    let mut server = tonic_prost_build::configure().emit_rerun_if_changed(false).build_client(false);
    server = server.out_dir(&servers).codec_path("crate::codec::ServerCodec");
    for file in &descriptors.file {
        let is_protocol = PROTOCOL.iter().any(|name| file.name() == format!("creditbank/v1/{name}.proto"));
        let messages = file.message_type.iter().map(|message| message.name().to_owned());
        for name in messages.chain(file.enum_type.iter().map(|list| list.name().to_owned())) {
            let path = format!(".creditbank.v1.{name}");
            if is_protocol {
                let signed = format!("::creditbank_protocol::pb::{name}");
                client = client.extern_path(path.clone(), signed.clone());
                server = server.extern_path(path, signed);
            } else if file.package() == "creditbank.v1" {
                server = server.extern_path(path, format!("crate::v1::{name}"));
            }
        }
    }
    client = client.bytes(".creditbank.v1.RecordBody").bytes(".creditbank.v1.SubmitBlockRequest");
    client.compile_fds(descriptors.clone())?;
    server.compile_fds(descriptors)?;
    Ok(())
}
