//! What the operator does for a university: institution, unit, keys, accreditation, grade scale.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use creditbank_client::operator::{KeyRequest, publish, registry_record};
use creditbank_client::{Client, key_file};
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_server::directory;

/// The Open University's number in this log, and its unit.
pub(super) const NUMBER: u64 = 1;
pub(super) const UNIT: u32 = 1;

/// Where the university's keys are.
pub(super) struct Keys {
    pub(super) unit: PathBuf,
    pub(super) access: PathBuf,
}

fn english(value: &str) -> pb::Text {
    pb::Text { language: "en".to_owned(), value: value.to_owned() }
}

fn year(year: u32) -> pb::Date {
    pb::Date { year, month: 1, day: 0 }
}

/// Admits The Open University, with what it needs to issue its results.
pub(super) async fn open_university(operator: &Client, dir: &Path) -> anyhow::Result<Keys> {
    let folder = dir.join("open.ac.uk");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let keys = Keys { unit: folder.join("unit.key"), access: folder.join("access.key") };
    let unit = key_file::generate(&keys.unit, Purpose::Unit)?;
    let access = key_file::generate(&keys.access, Purpose::InstitutionAccess)?;
    let origin = operator.origin();
    let unit = KeyRequest::new(origin, NUMBER, UNIT, &unit)?.record(&[Kind::Credit, Kind::Result], 0, 0)?;
    let access = KeyRequest::new(origin, NUMBER, 0, &access)?.record(&[], 0, 0)?;
    let records = [
        registry_record(Kind::Institution, &institution())?,
        registry_record(Kind::Unit, &registrar())?,
        registry_record(Kind::Key, &unit)?,
        registry_record(Kind::Key, &access)?,
        registry_record(Kind::Accreditation, &accreditation())?,
        registry_record(Kind::GradeScale, &scale())?,
    ];
    let registry = directory::read_key(dir, Purpose::Registry)?;
    publish(operator, &registry, &records).await?;
    Ok(keys)
}

fn institution() -> pb::Institution {
    let name = pb::DatedName { name: Some(english("The Open University")), from: Some(year(1969)), until: None };
    let domain = pb::DatedCode { scheme: "domain".to_owned(), value: "open.ac.uk".to_owned(), ..Default::default() };
    pb::Institution {
        number: NUMBER,
        state: pb::RegistryState::Active.into(),
        r#type: pb::InstitutionType::OpenUniversity.into(),
        country: "GB".to_owned(),
        names: vec![name],
        identifiers: vec![domain],
        ..Default::default()
    }
}

fn registrar() -> pb::Unit {
    let state = pb::RegistryState::Active.into();
    pb::Unit { institution: NUMBER, unit: UNIT, state, names: vec![english("Academic Registry")], ..Default::default() }
}

/// By Royal Charter of 1969; all levels, fields and modes.
fn accreditation() -> pb::Accreditation {
    let body = "Royal Charter".to_owned();
    pb::Accreditation { institution: NUMBER, number: 1, body, from: Some(year(1969)), ..Default::default() }
}

fn scale() -> pb::GradeScale {
    let grade = |(value, pass): (&str, bool)| pb::ListedGrade { value: value.to_owned(), pass };
    let grades = [("Distinction", true), ("Pass", true), ("Fail", false), ("Withdrawn", false)];
    pb::GradeScale {
        code: "OU-RESULT".to_owned(),
        names: vec![english("Open University module result")],
        countries: vec!["GB".to_owned()],
        listed: grades.map(grade).to_vec(),
        numeric: None,
        source: "OULAD studentInfo.csv, final_result; doi:10.1038/sdata.2017.171".to_owned(),
    }
}
