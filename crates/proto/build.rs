//! Compiles the protobuf files under `proto/` without `protoc`.

use std::{env, error::Error, fs, path::PathBuf};

const FILES: [&str; 11] = [
    "crosswalk/v1/instances.proto",
    "crosswalk/v1/workflows.proto",
    "crosswalk/v1/mappings.proto",
    "crosswalk/v1/catalog.proto",
    "crosswalk/v1/dead_letters.proto",
    "crosswalk/record/v1/change.proto",
    "crosswalk/record/v1/checkpoint.proto",
    "crosswalk/record/v1/control.proto",
    "crosswalk/record/v1/dead_letter.proto",
    "crosswalk/record/v1/ledger.proto",
    "crosswalk/record/v1/worker.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed={}", root.display());

    let mut compiler = protox::Compiler::new([&root])?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(FILES)?;
    let descriptors = compiler.file_descriptor_set();
    // With its comments, so that whoever asks reflection reads the contract too.
    let encoded = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptors.bin"), &encoded)?;

    tonic_prost_build::configure()
        .extern_path(".google.protobuf", "::pbjson_types")
        .compile_well_known_types(true)
        .compile_fds(descriptors)?;
    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .build(&[".crosswalk.v1"])?;
    Ok(())
}
