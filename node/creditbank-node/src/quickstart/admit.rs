//! What the operator does for an institution: institution, unit, keys, accreditation, grade scale.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use creditbank_client::operator::{KeyRequest, publish, registry_record};
use creditbank_client::{Client, key_file};
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::record::Record;
use creditbank_server::directory;
use creditbank_server::environment::Environment;

/// The Open University's number in this log, and its unit.
pub(super) const NUMBER: u64 = 1;
pub(super) const UNIT: u32 = 1;
/// An institute in France that does not exist.
pub(super) const ABROAD: u64 = 2;

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

/// Admits The Open University, with what it needs to issue its results and to agree with others.
pub(super) async fn open_university(operator: &Client, dir: &Path) -> anyhow::Result<Keys> {
    let kinds = [Kind::Credit, Kind::Result, Kind::AgreementProposal];
    let domain = pb::DatedCode { scheme: "domain".to_owned(), value: "open.ac.uk".to_owned(), ..Default::default() };
    let name = pb::DatedName { from: Some(year(1969)), ..named(english("The Open University")) };
    let university = pb::Institution {
        r#type: pb::InstitutionType::OpenUniversity.into(),
        identifiers: vec![domain],
        ..institution(NUMBER, "GB", name)
    };
    let entries = [
        registry_record(Kind::Institution, &university)?,
        registry_record(Kind::Unit, &unit(NUMBER, "Academic Registry"))?,
        registry_record(Kind::Accreditation, &accreditation())?,
        registry_record(Kind::GradeScale, &scale())?,
    ];
    admit(operator, dir, "open.ac.uk", NUMBER, &kinds, entries.to_vec()).await
}

/// Admits the institute abroad, which recognises credit and awards for it.
pub(super) async fn institute_abroad(operator: &Client, dir: &Path) -> anyhow::Result<Keys> {
    let kinds = [Kind::AgreementAcceptance, Kind::Conversion, Kind::QualificationDefinition, Kind::Award];
    let name = named(pb::Text { language: "fr".to_owned(), value: "Institut d'Essai".to_owned() });
    let entries = [
        registry_record(Kind::Institution, &institution(ABROAD, "FR", name))?,
        registry_record(Kind::Unit, &unit(ABROAD, "Scolarit\u{e9}"))?,
    ];
    admit(operator, dir, "essai.example", ABROAD, &kinds, entries.to_vec()).await
}

/// Makes the keys of an institution and publishes it with them.
async fn admit(
    operator: &Client,
    dir: &Path,
    domain: &str,
    number: u64,
    kinds: &[Kind],
    mut records: Vec<Record>,
) -> anyhow::Result<Keys> {
    let folder = dir.join(domain);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let keys = Keys { unit: folder.join("unit.key"), access: folder.join("access.key") };
    let unit = key_file::generate(&keys.unit, Purpose::Unit)?;
    let access = key_file::generate(&keys.access, Purpose::InstitutionAccess)?;
    let origin = operator.origin();
    let unit = KeyRequest::new(origin, UnitId::new(number, UNIT), &unit)?.record(kinds, 0, 0)?;
    let access = KeyRequest::new(origin, UnitId::new(number, 0), &access)?.record(&[], 0, 0)?;
    records.extend([registry_record(Kind::Key, &unit)?, registry_record(Kind::Key, &access)?]);
    let registry_key = Arc::new(directory::read_key(&Environment::system(), dir, Purpose::Registry)?);
    publish(operator, registry_key, &records, None).await?;
    Ok(keys)
}

fn named(name: pb::Text) -> pb::DatedName {
    pb::DatedName { name: Some(name), ..Default::default() }
}

fn institution(number: u64, country: &str, name: pb::DatedName) -> pb::Institution {
    pb::Institution {
        number,
        state: pb::RegistryState::Active.into(),
        r#type: pb::InstitutionType::University.into(),
        country: country.to_owned(),
        names: vec![name],
        ..Default::default()
    }
}

fn unit(institution: u64, name: &str) -> pb::Unit {
    let state = pb::RegistryState::Active.into();
    pb::Unit { institution, unit: UNIT, state, names: vec![english(name)], ..Default::default() }
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
        sources: vec![pb::Source {
            text: "OULAD studentInfo.csv, final_result; doi:10.1038/sdata.2017.171".to_owned(),
            grade: pb::SourceGrade::A.into(),
            reading: pb::SourceReading::OwnSite.into(),
            as_of: Some(pb::Date { year: 2026, month: 11, day: 26 }),
        }],
    }
}
