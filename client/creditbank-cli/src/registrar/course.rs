//! `course`: what an institution says of the codes of its courses, for everybody.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use creditbank_client::authoring::course_alias::{alias, parse};
use creditbank_client::connection::PublishedCodes;
use creditbank_client::sealing::{Contents, record};
use creditbank_client::{Client, IssuingUnit, RegistryItem};
use creditbank_protocol::pb::{CourseAlias, CourseCodes, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{InstitutionId, registry::RegistryKey};
use creditbank_rules::course_code::near;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::whose::OneOrAll;
use crate::{output, show};

/// Most bytes and records of one block, well below what the protocol allows.
const BLOCK_BYTES_MAX: usize = 40_000;
const BLOCK_RECORDS_MAX: usize = 500;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Say that two codes name one course: an older code, one of another campus, a cross-listed one
    ///
    ///   creditbank course alias --code WS101 --same-as WS-101 --key unit.key
    ///
    ///   creditbank course alias --file aliases.csv --key unit.key
    ///
    ///   creditbank course alias --code WS101 --same-as WS-101 --withdraw --key unit.key
    ///
    /// From the next round on both are one course for every rule: repeats, retakes, requirements, equivalences. Records
    /// stay as they were issued. Case, and how accents are composed, needs no alias: ws-101 is WS-101 anyway, unless
    /// `creditbank course codes --case-matters` says otherwise. The key has the kind `course-alias` in its scope.
    #[command(verbatim_doc_comment)]
    Alias(Box<Alias>),
    /// Say whether case matters in your course codes: whether WS-101 and ws-101 are two courses
    ///
    ///   creditbank course codes --case-matters --key unit.key
    ///
    ///   creditbank course codes --ignore-case --key unit.key
    ///
    /// Unless an institution says so, it does not. The key has the kind `course-codes` in its scope.
    #[command(verbatim_doc_comment)]
    Codes(Box<Codes>),
    /// The courses of an institution, or of all, that have several codes
    List {
        #[command(flatten)]
        of: OneOrAll,
    },
}

#[derive(clap::Args)]
#[group(id = "which", required = true, multiple = true)]
pub(crate) struct Alias {
    /// The code that is an alias, exactly as records have it
    #[arg(long, requires = "same_as", conflicts_with = "file", group = "which")]
    code: Option<String>,
    /// A code of the course that it names
    #[arg(long, requires = "code")]
    same_as: Option<String>,
    /// A CSV in UTF-8 with the columns `code` and `same_as`
    #[arg(long, group = "which")]
    file: Option<PathBuf>,
    /// They do not name one course any more
    #[arg(long)]
    withdraw: bool,
    #[command(flatten)]
    signing: Signing,
}

#[derive(clap::Args)]
#[group(id = "case", required = true, multiple = false)]
pub(crate) struct Codes {
    /// Codes that differ in case are two courses
    #[arg(long, group = "case")]
    case_matters: bool,
    /// They are one course
    #[arg(long, group = "case")]
    ignore_case: bool,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Alias(arguments) => publish(global, &client, *arguments).await,
        Command::Codes(arguments) => say(global, &client, *arguments).await,
        Command::List { of } => list(global, &client, of.institution).await,
    }
}

async fn publish(global: &Global, client: &Client, arguments: Alias) -> Result<(), Failure> {
    let Alias { code, same_as, file, withdraw, signing } = arguments;
    let unit = signing.unit(global, client).await?;
    let own = unit.id.institution;
    let asked = match (&file, code, same_as) {
        (Some(path), ..) => {
            let read = parse(File::open(path).map_err(Failure::file(path))?, own.0);
            read.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?
        }
        (None, Some(code), Some(same_as)) => {
            vec![alias(own.0, &code, &same_as, "").map_err(|error| Failure::Usage(error.to_string()))?]
        }
        _ => return Err(Failure::Usage("pass --code with --same-as, or --file".to_owned())),
    };
    let known = published(client, Kind::CourseAlias, own).await?;
    let entries: Vec<CourseAlias> = asked
        .iter()
        .map(|one| CourseAlias { withdrawn: withdraw, ..one.clone() })
        .filter(|one| is_news(&known, one))
        .collect();
    if entries.is_empty() {
        let what = if withdraw {
            let shown = asked.iter().take(3).map(|one| show::safe(&format!("{} of {}", one.code, one.same_as)));
            let shown = shown.collect::<Vec<_>>().join(", ");
            format!("institution {own} has no such alias ({shown}): creditbank course list shows those that it has")
        } else {
            "the registry has every one of these aliases already".to_owned()
        };
        return Err(Failure::NotValid(format!("nothing was published: {what}")));
    }
    let blocks = blocks(&unit, &entries, &known, &signing)?;
    let text = |one: &CourseAlias| {
        let verb = if withdraw { "is no longer" } else { "is" };
        format!("{} {verb} {}", show::safe(&one.code), show::safe(&one.same_as))
    };
    let shown: Vec<Value> =
        entries.iter().map(|one| json!({ "code": one.code, "same_as": one.same_as, "withdrawn": withdraw })).collect();
    let as_they_are = asked.len() - entries.len();
    let value = json!({ "institution": own.0, "aliases": shown, "as_they_are": as_they_are });
    let left = (as_they_are > 0).then(|| format!("{as_they_are} more are as they were already"));
    let text = entries.iter().map(text).chain(left).collect::<Vec<_>>().join("\n");
    signing.seal_each(global, client, &unit, &blocks, (value, text)).await
}

/// The entries of a kind that an institution has published, by the registry's name of each.
async fn published(
    client: &Client,
    kind: Kind,
    institution: InstitutionId,
) -> Result<BTreeMap<RegistryKey, RegistryItem>, Failure> {
    let items = client.registry_list(kind, Some(institution)).await?;
    Ok(items.into_iter().map(|item| (item.key.clone(), item)).collect())
}

/// Whether the registry says something else of an alias.
fn is_news(known: &BTreeMap<RegistryKey, RegistryItem>, one: &CourseAlias) -> bool {
    let before = known.get(&name(one)).and_then(|item| item.decode::<CourseAlias>().ok());
    let stands = before.as_ref().filter(|before| !before.withdrawn);
    if one.withdrawn { stands.is_some_and(|before| before.same_as == one.same_as) } else { stands != Some(one) }
}

fn name(one: &CourseAlias) -> RegistryKey {
    RegistryKey::CourseAlias(one.institution.into(), one.code.clone())
}

/// As many blocks as the entries need.
fn blocks(
    unit: &IssuingUnit,
    entries: &[CourseAlias],
    known: &BTreeMap<RegistryKey, RegistryItem>,
    signing: &Signing,
) -> Result<Vec<Contents>, Failure> {
    let (mut blocks, mut open, mut bytes) = (Vec::new(), Vec::<Record>::new(), 0usize);
    let mut before = signing.reference.clone().into_bytes();
    for one in entries {
        let made = record(unit, Kind::CourseAlias, one, &signing.reference)?;
        let full = bytes + made.body().len() > BLOCK_BYTES_MAX || open.len() == BLOCK_RECORDS_MAX;
        if full {
            blocks.push(Contents::of(std::mem::take(&mut open)).about(&before));
            bytes = 0;
        }
        bytes += made.body().len();
        open.push(made);
        // The same alias may be published, withdrawn and published anew.
        before.extend(known.get(&name(one)).map_or(String::new(), |item| item.place.to_string()).bytes());
    }
    blocks.push(Contents::of(open).about(&before));
    Ok(blocks)
}

async fn say(global: &Global, client: &Client, arguments: Codes) -> Result<(), Failure> {
    let Codes { case_matters, ignore_case: _, signing } = arguments;
    let unit = signing.unit(global, client).await?;
    let own = unit.id.institution;
    let known = client.registry_entry(&RegistryKey::CourseCodes(own)).await?;
    let before = known.as_ref().and_then(|item| item.decode::<CourseCodes>().ok());
    if before.is_some_and(|said| said.case_matters) == case_matters {
        let found = if case_matters { "case matters already" } else { "case does not matter as it is" };
        let what = format!("nothing was published: in the codes of institution {own} {found}");
        return Err(Failure::NotValid(what));
    }
    let entry = CourseCodes { institution: own.0, case_matters };
    let place = known.map_or(String::new(), |item| item.place.to_string());
    let contents = Contents::of([record(&unit, Kind::CourseCodes, &entry, &signing.reference)?]);
    let contents = contents.about(format!("{}{place}", signing.reference).as_bytes());
    let text = if case_matters { "codes that differ in case are two courses" } else { "case makes no other course" };
    let value = json!({ "institution": own.0, "case_matters": case_matters });
    signing.seal(global, client, &unit, &contents, (value, text.to_owned())).await
}

async fn list(global: &Global, client: &Client, institution: Option<InstitutionId>) -> Result<(), Failure> {
    let PublishedCodes { registry, codes, aliases } = client.course_codes(institution).await?;
    let by_case: Vec<u64> = codes.iter().filter(|said| said.case_matters).map(|said| said.institution).collect();
    // Each course once, with its codes as they were written.
    let mut courses: BTreeMap<(u64, String), Vec<&str>> = BTreeMap::new();
    for one in &aliases {
        for code in [&one.same_as, &one.code] {
            let course = registry.course(one.institution.into(), code);
            let codes = courses.entry((one.institution, course.id().to_owned())).or_default();
            if !codes.contains(&code.as_str()) {
                codes.push(code);
            }
        }
    }
    let of =
        |((institution, _), codes): (&(u64, String), &Vec<&str>)| json!({ "institution": institution, "codes": codes });
    let value = json!({ "case_matters": by_case, "courses": courses.iter().map(of).collect::<Vec<_>>() });
    output::print(global, &value, || {
        let rows = courses.iter().map(|((institution, _), codes)| {
            let alike = codes.windows(2).all(|pair| near(pair[0]) == near(pair[1]));
            let codes = codes.iter().map(|code| show::safe(code)).collect::<Vec<_>>().join(" = ");
            vec![institution.to_string(), codes, if alike { "spelling" } else { "other code" }.to_owned()]
        });
        let table = output::table(&["institution", "one course", "differ in"], rows);
        let case = by_case.iter().map(|one| format!("case matters in the codes of institution {one}"));
        [vec![table], case.collect()].concat().join("\n")
    })
}
