//! `institution`: who takes part.

use creditbank_client::Client;
use creditbank_protocol::InstitutionId;
use creditbank_protocol::dates::{date_of, first_day};
use creditbank_protocol::pb::{self, InstitutionType, Kind, RegistryState};
use creditbank_protocol::registry::RegistryKey;
use creditbank_rpc::identity::ror;

use super::publish;
use crate::connect::Global;
use crate::failure::Failure;
use crate::{entries, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Admit an institution
    Add(Add),
    /// Give an institution another name from a day on; earlier names stay, with their dates
    ///
    ///   creditbank institution rename 11 --name "en:University of the North" --from 2027-01-01
    #[command(verbatim_doc_comment)]
    Rename {
        /// Its number
        number: InstitutionId,
        /// The new name with its language; several may be given. It follows the name in the same language
        #[arg(long = "name", required = true, value_parser = values::text)]
        names: Vec<pb::Text>,
        /// First day of the new name
        #[arg(long, value_parser = values::date)]
        from: pb::Date,
    },
    /// Suspend an institution, close it, or make it active again
    State {
        /// Its number
        number: InstitutionId,
        /// active, suspended or closed
        #[arg(value_parser = values::named::<RegistryState>)]
        state: RegistryState,
    },
    /// Close an institution; with a custodian, who from then on may amend, revoke, confirm and read for it
    Close {
        /// Its number
        number: InstitutionId,
        /// Number of the institution that keeps its records
        #[arg(long)]
        custodian: Option<InstitutionId>,
    },
    /// Say who keeps the records of an institution, from and until when; they act once it is closed
    Custodian {
        /// Number of the institution that keeps the records
        number: InstitutionId,
        /// Number of the institution whose records these are
        #[arg(long)]
        of: InstitutionId,
        /// First day or month; left out: open
        #[arg(long, value_parser = values::date)]
        from: Option<pb::Date>,
        /// Last day or month; left out: open. A custody that was stated before is stated anew
        #[arg(long, value_parser = values::date)]
        until: Option<pb::Date>,
    },
    /// One institution
    Show {
        /// Its number
        number: InstitutionId,
    },
    /// All institutions
    List,
}

#[derive(clap::Args)]
pub(crate) struct Add {
    /// Its permanent number; left out: the next free one, if no other institution of its country has its name
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=9_007_199_254_740_991))]
    number: Option<u64>,
    /// Its name with the language, as "en:The Open University"; several may be given
    #[arg(long = "name", required = true, value_parser = values::text)]
    names: Vec<pb::Text>,
    /// ISO 3166-1 alpha-2
    #[arg(long)]
    country: String,
    /// university, open-university, vocational-school, mooc-platform, employer, examination-board, recognition-authority
    /// [default: university]
    #[arg(long = "type", value_parser = values::named::<InstitutionType>)]
    kind: Option<InstitutionType>,
    /// Its host name, as open.ac.uk; several may be given
    #[arg(long = "domain")]
    domains: Vec<String>,
    /// An identifier of another scheme, as ror:05mzfcs16
    #[arg(long = "identifier", value_parser = identifier)]
    identifiers: Vec<(String, String)>,
    /// A doubt that was looked at: check-digit, where the check digits of a ROR id fail
    #[arg(long = "accept", value_name = "NAME", value_parser = ["check-digit"])]
    accept: Vec<String>,
    /// Since when it has this name
    #[arg(long, value_parser = values::date)]
    since: Option<pb::Date>,
    /// Number of a closed institution whose records it keeps
    #[arg(long)]
    custodian_of: Vec<InstitutionId>,
    /// Publish an entry anew that is there already: what is not stated stays, and a name follows the one in its language
    /// (see `institution rename`)
    #[arg(long)]
    replace: bool,
}

fn identifier(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once(':').ok_or_else(|| "expected a scheme and a value, as ror:05mzfcs16".to_owned())?;
    let (scheme, value) = parts;
    if scheme != "ror" {
        return Ok((scheme.to_owned(), value.to_owned()));
    }
    let expected = "expected 0, six letters or digits, and two digits, as 05mzfcs16";
    let id = ror::normal(value).ok_or_else(|| format!("{value:?} is no ROR id: {expected}"))?;
    Ok((scheme.to_owned(), id))
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        Command::Add(add) => admit(global, &client, add).await,
        Command::Rename { number, names, from } => {
            let former = current(&client, number).await?;
            let mut entry = former.clone();
            follow(&mut entry.names, &with_language(names)?, Some(from))?;
            publish_changed(global, &client, &[(former, entry)], &format!("name of institution {number}")).await
        }
        Command::State { number, state } => {
            let former = current(&client, number).await?;
            let entry = pb::Institution { state: state.into(), ..former.clone() };
            publish_changed(global, &client, &[(former, entry)], &format!("state of institution {number}")).await
        }
        Command::Close { number, custodian } => {
            let former = current(&client, number).await?;
            let entry = pb::Institution { state: RegistryState::Closed.into(), ..former.clone() };
            let mut changes = vec![(former, entry)];
            if let Some(custodian) = custodian {
                let former = current(&client, custodian).await?;
                changes.push((former.clone(), keeping(former, number, None, None)));
            }
            let kept = custodian.map(|keeper| format!(", kept by institution {keeper}")).unwrap_or_default();
            publish_changed(global, &client, &changes, &format!("closing of institution {number}{kept}")).await
        }
        Command::Custodian { number, of, from, until } => {
            let former = current(&client, number).await?;
            let keeper = keeping(former.clone(), of, from, until);
            let what = format!("institution {number} as custodian of institution {of}");
            publish_changed(global, &client, &[(former, keeper)], &what).await
        }
        Command::Show { number } => entries::one(global, &client, &RegistryKey::Institution(number)).await,
        Command::List => entries::list(global, &client, Kind::Institution, None).await,
    }
}

/// Publishes the entries that say something else than before; where none does, nothing.
async fn publish_changed(
    global: &Global,
    client: &Client,
    changes: &[(pb::Institution, pb::Institution)],
    what: &str,
) -> Result<(), Failure> {
    let changed = changes.iter().filter(|(before, after)| before != after);
    let records = changed.map(|(_, after)| publish::entry(Kind::Institution, after)).collect::<Result<Vec<_>, _>>()?;
    if records.is_empty() {
        return Err(Failure::NotValid(format!("{what}: the registry says so already; nothing was done")));
    }
    publish::run(global, client, &records, what).await
}

async fn current(client: &Client, number: InstitutionId) -> Result<pb::Institution, Failure> {
    let missing = || format!("institution {number} is not in the registry");
    entries::read(client, &RegistryKey::Institution(number), missing).await
}

/// The entry with its custody of another institution, in the place of what it said of that before.
fn keeping(
    mut keeper: pb::Institution,
    InstitutionId(of): InstitutionId,
    from: Option<pb::Date>,
    until: Option<pb::Date>,
) -> pb::Institution {
    let kind = i32::from(pb::RelationType::CustodianOf);
    let custody = pb::Relation { r#type: kind, institution: of, from, until };
    // In its place, so that saying the same again changes nothing.
    match keeper.relations.iter_mut().find(|relation| relation.r#type == kind && relation.institution == of) {
        Some(known) => *known = custody,
        None => keeper.relations.push(custody),
    }
    keeper
}

async fn admit(global: &Global, client: &Client, add: Add) -> Result<(), Failure> {
    confirmed(&add)?;
    let names = with_language(add.names.clone())?;
    let country = &add.country;
    let missing = || format!("--country: expected a country of the registry (registry list country), found {country}");
    let _: pb::Country = entries::read(client, &RegistryKey::Country(country.clone()), missing).await?;
    let number = if let Some(number) = add.number {
        number
    } else {
        refuse_same(client, country, &names).await?;
        // Of a new institution nothing stays as it was, so this cannot fail.
        let entry = |number| stated(pb::Institution { number, ..Default::default() }, &add, &names).unwrap_or_default();
        entries::operator_number((global, client), Kind::Institution, None, entry).await?
    };
    let what = format!("institution {number}");
    let key = RegistryKey::Institution(number.into());
    publish::refuse_known(client, &key, &what, add.replace).await?;
    let former = client.registry_entry(&key).await?.map(|item| item.decode::<pb::Institution>()).transpose()?;
    let entry = stated(former.unwrap_or(pb::Institution { number, ..Default::default() }), &add, &names)?;
    publish::run(global, client, &[publish::entry(Kind::Institution, &entry)?], &what).await
}

/// An entry with what the command states. What it does not state stays as it is.
fn stated(mut entry: pb::Institution, add: &Add, names: &[pb::Text]) -> Result<pb::Institution, Failure> {
    let is_new = entry.state == i32::from(RegistryState::Unspecified);
    if is_new {
        entry.state = RegistryState::Active.into();
        entry.r#type = InstitutionType::University.into();
    }
    entry.r#type = add.kind.map_or(entry.r#type, Into::into);
    entry.country.clone_from(&add.country);
    follow(&mut entry.names, names, add.since)?;
    let domains = add.domains.iter().map(|domain| ("domain".to_owned(), domain.clone()));
    for (scheme, value) in domains.chain(add.identifiers.iter().cloned()) {
        if !entry.identifiers.iter().any(|known| known.scheme == scheme && known.value == value) {
            entry.identifiers.push(pb::DatedCode { scheme, value, ..Default::default() });
        }
    }
    for of in &add.custodian_of {
        let kind = i32::from(pb::RelationType::CustodianOf);
        if !entry.relations.iter().any(|one| one.r#type == kind && one.institution == of.0) {
            entry = keeping(entry, *of, None, None);
        }
    }
    Ok(entry)
}

/// Refuses a ROR id with wrong check digits, unless somebody has looked at it.
fn confirmed(add: &Add) -> Result<(), Failure> {
    let is_doubtful = |(scheme, id): &&(String, String)| scheme == "ror" && !ror::checks(id);
    match add.identifiers.iter().find(is_doubtful).filter(|_| add.accept.is_empty()) {
        None => Ok(()),
        Some((_, id)) => Err(Failure::NotValid(format!(
            "the check digits of the ROR id {id} fail. If it is right all the same: --accept check-digit"
        ))),
    }
}

/// Names, each with the language that it is in.
fn with_language(names: Vec<pb::Text>) -> Result<Vec<pb::Text>, Failure> {
    if names.iter().any(|name| name.language == "und") {
        return Err(Failure::Usage("expected each name with its language, as en:The Open University".to_owned()));
    }
    Ok(names)
}

/// Adds names from a day on. The open name in the same language ends on the day before; what is there already is not
/// added twice.
fn follow(known: &mut Vec<pb::DatedName>, names: &[pb::Text], from: Option<pb::Date>) -> Result<(), Failure> {
    for name in names {
        if known.iter().any(|one| one.name.as_ref() == Some(name) && one.until.is_none()) {
            continue;
        }
        let in_language = |one: &&mut pb::DatedName| {
            one.until.is_none() && one.name.as_ref().is_some_and(|other| other.language == name.language)
        };
        if let Some(former) = known.iter_mut().find(in_language) {
            let shown = former.name.as_ref().map_or("", |other| other.value.as_str());
            let ends = || format!("{shown:?} is the name in {} so far", name.language);
            let from = from
                .ok_or_else(|| Failure::Usage(format!("{}: say since when {:?} is (--since)", ends(), name.value)))?;
            if former.from.as_ref().is_some_and(|begun| first_day(begun) >= first_day(&from)) {
                return Err(Failure::Usage(format!("{}, and begins on that day or later: pass a later day", ends())));
            }
            former.until = Some(date_of(first_day(&from) - 1));
        }
        known.push(pb::DatedName { name: Some(name.clone()), from, until: None });
    }
    Ok(())
}

/// Refuses a second institution of the same name in one country: the command was run before, most likely.
async fn refuse_same(client: &Client, country: &str, names: &[pb::Text]) -> Result<(), Failure> {
    for item in client.registry_list(Kind::Institution, None).await? {
        let known: pb::Institution = item.decode()?;
        let mut own = known.names.iter().filter_map(|name| name.name.as_ref());
        if known.country == country && own.any(|name| names.iter().any(|new| new.value == name.value)) {
            return Err(Failure::NotValid(format!(
                "institution {} of {country} has this name already: pass --number to admit another one",
                known.number
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(language: &str, value: &str) -> pb::Text {
        pb::Text { language: language.to_owned(), value: value.to_owned() }
    }

    fn day(year: u32, month: u32, day: u32) -> pb::Date {
        pb::Date { year, month, day }
    }

    /// Goal: a new name follows the one in its language, which ends on the day before; everything else stays.
    #[test]
    fn a_name_follows_another() {
        let old = |name: &pb::Text| pb::DatedName { name: Some(name.clone()), from: None, until: None };
        let (english, french) = (text("en", "North College"), text("fr", "Collège du Nord"));
        let mut names = vec![old(&english), old(&french)];
        let new = text("en", "University of the North");
        follow(&mut names, std::slice::from_ref(&new), Some(day(2027, 1, 1))).expect("it follows");
        assert_eq!(names.len(), 3);
        assert_eq!((names[0].until, names[1].until), (Some(day(2026, 12, 31)), None));
        assert_eq!((names[2].name.clone(), names[2].from), (Some(new.clone()), Some(day(2027, 1, 1))));
        follow(&mut names, std::slice::from_ref(&new), Some(day(2027, 1, 1))).expect("the same again");
        assert_eq!(names.len(), 3, "it is not added twice");
        assert!(follow(&mut names, &[text("en", "Another")], None).is_err(), "since when is not said");
        assert!(follow(&mut names, &[text("en", "Another")], Some(day(2026, 1, 1))).is_err(), "before the one so far");
    }

    /// Goal: what a replacement does not state stays: domain, identifiers, relations, state, type.
    #[test]
    fn a_replacement_keeps_what_it_does_not_state() {
        let former = pb::Institution {
            number: 11,
            state: RegistryState::Active.into(),
            r#type: InstitutionType::Employer.into(),
            country: "FR".to_owned(),
            names: vec![pb::DatedName { name: Some(text("en", "Old")), ..Default::default() }],
            identifiers: vec![pb::DatedCode {
                scheme: "domain".to_owned(),
                value: "old.example".to_owned(),
                ..Default::default()
            }],
            relations: vec![pb::Relation {
                r#type: pb::RelationType::CustodianOf.into(),
                institution: 12,
                from: Some(day(2025, 1, 1)),
                until: None,
            }],
            ..Default::default()
        };
        let add = Add {
            accept: Vec::new(),
            number: Some(11),
            names: vec![text("en", "New")],
            country: "FR".to_owned(),
            kind: None,
            domains: vec!["new.example".to_owned()],
            identifiers: Vec::new(),
            since: Some(day(2026, 12, 1)),
            custodian_of: vec![InstitutionId(12)],
            replace: true,
        };
        let entry = stated(former.clone(), &add, &add.names).expect("an entry");
        assert_eq!((&entry.relations, entry.r#type, entry.state), (&former.relations, former.r#type, former.state));
        let domains: Vec<&str> = entry.identifiers.iter().map(|one| one.value.as_str()).collect();
        assert_eq!(domains, ["old.example", "new.example"]);
        assert_eq!(entry.names[0].until, Some(day(2026, 11, 30)));
    }
}
