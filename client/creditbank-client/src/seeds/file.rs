//! The file of a unit's secrets: TOML, mode 0600, replaced as a whole.
//!
//! ```toml
//! unit = "1/1"          # institution and unit
//! keep_years = 3        # `creditbank seeds destroy` destroys what is older
//! lasting = "5f0c..."
//! [years]
//! 2025 = "destroyed"
//! 2026 = "9b1e..."
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use creditbank_protocol::UnitId;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{KEEP_YEARS, Secret, Year};
use crate::ClientError;
use crate::files::{PRIVATE, at, replace, write_new};

const DESTROYED: &str = "destroyed";
const ABOUT: &str = "\
# The seeds of this unit's records are derived from these secrets. Whoever has them can open hidden fields of the records.
# Keep the file as safe as the key, keep a copy, and take it along when the key changes. Without it, results that were
# issued before are not recognised any more and would be issued again.
";

/// What a file says.
pub(super) struct Contents {
    pub(super) lasting: Secret,
    pub(super) keep_years: u32,
    pub(super) years: BTreeMap<u32, Year>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    unit: String,
    #[serde(default = "default_keep")]
    keep_years: u32,
    lasting: Zeroizing<String>,
    #[serde(default)]
    years: BTreeMap<String, Zeroizing<String>>,
}

fn default_keep() -> u32 {
    KEEP_YEARS
}

fn wrong(path: &Path, what: impl std::fmt::Display) -> ClientError {
    ClientError::Local(format!("{}: {what}", path.display()))
}

fn shown(unit: UnitId) -> String {
    format!("{}/{}", unit.institution.0, unit.number)
}

/// Reads the file of a unit.
pub(super) fn read(path: &Path, unit: UnitId) -> Result<Contents, ClientError> {
    let mode = fs::metadata(path).map_err(at(path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(wrong(path, format!("it has mode {mode:o}: secrets must be their owner's alone (chmod 600)")));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(at(path))?);
    // The parser's own message would show the line, which is a secret.
    let text: Text = toml::from_str(&text).map_err(|error| {
        let span = error.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count());
        wrong(path, format!("line {span} is not what a file of seed secrets has; restore it from a copy"))
    })?;
    if text.unit != shown(unit) {
        return Err(wrong(path, format!("the secrets are those of unit {}, expected {}", text.unit, shown(unit))));
    }
    let secret = |name: &str, text: &str| -> Result<Secret, ClientError> {
        let bytes = hex::decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let bytes = bytes.filter(|bytes| *bytes != [0; 32]);
        bytes.map(Zeroizing::new).ok_or_else(|| wrong(path, format!("{name}: expected 32 bytes in hexadecimal")))
    };
    let mut years = BTreeMap::new();
    for (name, value) in &text.years {
        let year = name.parse().ok().filter(|year| (1..=9999).contains(year));
        let year: u32 = year.ok_or_else(|| wrong(path, format!("expected a year, found {name}")))?;
        let is_destroyed = value.as_str() == DESTROYED;
        years.insert(year, if is_destroyed { Year::Destroyed } else { Year::Secret(secret(name, value)?) });
    }
    Ok(Contents { lasting: secret("lasting", &text.lasting)?, keep_years: text.keep_years, years })
}

fn to_text(unit: UnitId, contents: &Contents) -> Zeroizing<String> {
    let mut text = Zeroizing::new(ABOUT.to_owned());
    let lasting = Zeroizing::new(hex::encode(*contents.lasting));
    let _ = writeln!(text, "unit = \"{}\"\nkeep_years = {}", shown(unit), contents.keep_years);
    let _ = writeln!(text, "lasting = \"{}\"\n\n[years]", *lasting);
    for (year, state) in &contents.years {
        let value = Zeroizing::new(match state {
            Year::Destroyed => DESTROYED.to_owned(),
            Year::Secret(secret) => hex::encode(**secret),
        });
        let _ = writeln!(text, "{year} = \"{}\"", *value);
    }
    text
}

/// Keeps other commands from changing the file until it is dropped.
fn lock(path: &Path) -> Result<fs::File, ClientError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = Path::new(&name);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE).open(name);
    let file = file.map_err(at(name))?;
    file.lock().map_err(at(name))?;
    Ok(file)
}

/// Adds to the file what it lacks, and gives back all years. An error where it says something else by now: another
/// command was faster, and what was derived here is not what it derives.
pub(super) fn merge(path: &Path, unit: UnitId, own: Contents) -> Result<BTreeMap<u32, Year>, ClientError> {
    let _lock = lock(path)?;
    let found = match read(path, unit) {
        Ok(found) => Some(found),
        Err(ClientError::File { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let Some(found) = found else {
        write_new(path, to_text(unit, &own).as_bytes(), PRIVATE).map_err(at(path))?;
        return Ok(own.years);
    };
    let differs = |(year, state): (&u32, &Year)| found.years.get(year).is_some_and(|other| other != state);
    if found.lasting != own.lasting || own.years.iter().any(differs) {
        return Err(wrong(path, "another command has changed it in the meantime: run this command again"));
    }
    let mut all = Contents { years: found.years, ..own };
    all.years.extend(own.years);
    replace(path, to_text(unit, &all).as_bytes())?;
    Ok(all.years)
}

/// Destroys the secrets of some years.
pub(super) fn destroy(path: &Path, unit: UnitId, years: &[u32]) -> Result<(), ClientError> {
    if years.is_empty() {
        return Ok(());
    }
    let _lock = lock(path)?;
    let mut contents = read(path, unit)?;
    contents.years.extend(years.iter().map(|year| (*year, Year::Destroyed)));
    replace(path, to_text(unit, &contents).as_bytes())
}
