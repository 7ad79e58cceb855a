//! Turns the schema of signed and hashed messages into prost types and into the tables that the canonical check reads,
//! with a compiler in Rust: no `protoc` is needed.

#![expect(clippy::disallowed_methods, reason = "a build script reads the schema and writes code")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost_reflect::{Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

const FILES: [&str; 8] =
    ["common", "record", "registry", "agreement", "recognition", "qualification", "block", "transcript"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true);
    for file in FILES {
        compiler.open_file(format!("creditbank/v1/{file}.proto"))?;
    }
    println!("cargo:rerun-if-changed=../creditbank/v1");

    let mut files = compiler.file_descriptor_set();
    for message in files.file.iter_mut().flat_map(|file| &mut file.message_type) {
        // prost-build takes a field with any option, such as our rules, for one that is not packed.
        message.field.iter_mut().for_each(|field| field.options = None);
    }
    prost_build::Config::new().compile_fds(files)?;

    let pool = compiler.descriptor_pool();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("schema.rs"), tables(&pool)?)?;
    fs::write(out.join("named.rs"), named(&pool)?)?;
    Ok(())
}

fn is_ours(package: &str) -> bool {
    package == "creditbank.v1"
}

/// What `names.rs` reads: the names of every enum's values.
fn named(pool: &DescriptorPool) -> Result<String, Box<dyn std::error::Error>> {
    let mut out = String::new();
    for list in pool.all_enums().filter(|list| is_ours(list.package_name())) {
        if let Some(value) = list.values().find(|value| !(0..=127).contains(&value.number())) {
            return Err(format!("{}: expected a number of at most 127, found {}", value.name(), value.number()).into());
        }
        writeln!(
            out,
            "impl Named for crate::pb::{} {{ fn schema_name(&self) -> &'static str {{ self.as_str_name() }} }}",
            list.name(),
        )?;
    }
    Ok(out)
}

/// One static `Message` for every message of the package, and one list of values for every enum.
fn tables(pool: &DescriptorPool) -> Result<String, Box<dyn std::error::Error>> {
    let mut out = String::new();
    for message in pool.all_messages().filter(|m| is_ours(m.package_name()) && m.name() != "Rule") {
        let fields =
            message.fields().map(|field| field_row(&message, &field)).collect::<Result<Vec<_>, _>>()?.join(",\n    ");
        writeln!(
            out,
            "/// Canonical form of `{0}`.\npub static {1}: Message = Message {{ name: \"{0}\", fields: &[\n    {fields}\n] }};",
            message.name(),
            constant(message.name()),
        )?;
        writeln!(
            out,
            "impl super::super::Canonical for crate::pb::{0} {{ const SCHEMA: &'static Message = &{1}; }}",
            message.name(),
            constant(message.name()),
        )?;
    }
    for list in pool.all_enums().filter(|e| is_ours(e.package_name())) {
        let mut values: Vec<_> = list.values().map(|v| v.number()).filter(|n| *n != 0).collect();
        values.sort_unstable();
        writeln!(out, "static {}: &[u64] = &{values:?};", constant(list.name()))?;
    }
    Ok(out)
}

fn field_row(message: &MessageDescriptor, field: &FieldDescriptor) -> Result<String, String> {
    let place = format!("{}.{}", message.name(), field.name());
    if field.containing_oneof().is_some() || field.is_map() {
        return Err(format!("{place}: oneof, optional and map are outside the canonical subset"));
    }
    let rule = Rule::of(field);
    let repeated = field.cardinality() == Cardinality::Repeated;
    if repeated && rule.max_items == 0 {
        return Err(format!("{place}: a repeated field needs max_items"));
    }
    let many = match (repeated, rule.set) {
        (false, _) => "Many::One".to_owned(),
        (true, false) => format!("Many::List {{ items_max: {} }}", rule.max_items),
        (true, true) => format!("Many::Set {{ items_max: {} }}", rule.max_items),
    };
    let shape = match field.kind() {
        Kind::Uint32 => {
            format!("Shape::Integer {{ max: {} }}", if rule.max == 0 { u64::from(u32::MAX) } else { rule.max })
        }
        Kind::Uint64 => format!("Shape::Integer {{ max: {} }}", if rule.max == 0 { u64::MAX } else { rule.max }),
        Kind::Bool => "Shape::Integer { max: 1 }".to_owned(),
        Kind::Enum(list) => format!("Shape::Enum {{ values: {} }}", constant(list.name())),
        Kind::String | Kind::Bytes if rule.max_len == 0 && rule.len == 0 => {
            return Err(format!("{place}: a string or bytes field needs len or max_len"));
        }
        Kind::String => format!("Shape::Text {{ len_max: {}, form: {} }}", rule.max_len, rule.form(&place)?),
        Kind::Bytes if rule.len != 0 => format!("Shape::Bytes {{ len_min: {0}, len_max: {0} }}", rule.len),
        Kind::Bytes => format!("Shape::Bytes {{ len_min: 0, len_max: {} }}", rule.max_len),
        Kind::Message(inner) => format!("Shape::Message(&{})", constant(inner.name())),
        other => return Err(format!("{place}: {other:?} is outside the canonical subset")),
    };
    let (number, name, prose) = (field.number(), field.name(), rule.prose);
    Ok(format!("Field {{ number: {number}, name: \"{name}\", many: {many}, shape: {shape}, prose: {prose} }}"))
}

/// The bounds of `canonical.proto`'s option; zero where it is silent.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "the option has one for each thing that a field may be")]
struct Rule {
    set: bool,
    code: bool,
    course: bool,
    course_prefix: bool,
    prose: bool,
    len: u64,
    max_len: u64,
    max_items: u64,
    max: u64,
}

impl Rule {
    /// What kind of text a string field holds.
    fn form(&self, place: &str) -> Result<&'static str, String> {
        match (self.code, self.course, self.course_prefix) {
            (false, false, false) => Ok("Form::Text"),
            (true, false, false) => Ok("Form::Code"),
            (false, true, false) => Ok("Form::Course"),
            (false, false, true) => Ok("Form::CoursePrefix"),
            _ => Err(format!("{place}: a string is a code, a course code, a prefix of one, or other text")),
        }
    }

    fn of(field: &FieldDescriptor) -> Self {
        let extension = field
            .parent_pool()
            .get_extension_by_name("creditbank.v1.rule")
            .expect("canonical.proto is imported by every schema file");
        let options = field.options();
        let Value::Message(rule) = options.get_extension(&extension).into_owned() else {
            return Self::default();
        };
        let flag = |name| rule.get_field_by_name(name).and_then(|v| v.as_bool()).unwrap_or(false);
        let number = |name| integer(&rule, name);
        Self {
            set: flag("set"),
            code: flag("code"),
            course: flag("course"),
            course_prefix: flag("course_prefix"),
            prose: flag("prose"),
            len: number("len"),
            max_len: number("max_len"),
            max_items: number("max_items"),
            max: number("max"),
        }
    }
}

fn integer(rule: &DynamicMessage, name: &str) -> u64 {
    rule.get_field_by_name(name).and_then(|v| v.as_u64().or_else(|| v.as_u32().map(u64::from))).unwrap_or(0)
}

/// `BlockHeader` becomes `BLOCK_HEADER`.
fn constant(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.char_indices() {
        if i > 0 && c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}
