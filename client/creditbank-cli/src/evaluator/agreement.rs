//! `agreement`: two institutions agree on how credit of one becomes credit of the other.

use std::fs;
use std::path::PathBuf;

use creditbank_client::authoring::agreement::{TEMPLATE, in_words, parse};
use creditbank_client::sealing::{Contents, record};
use creditbank_client::{Client, RegistryItem, today};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::counted;
use creditbank_protocol::mandate::terms_digest;
use creditbank_protocol::pb::{self, AgreementName, AgreementTerms, Kind};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{InstitutionId, names};
use creditbank_rules::agreement::{Loop, loops};
use creditbank_rules::dates;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::{Signing, ask};
use crate::{entries, output, show, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print a commented agreement to start from: `creditbank agreement template > my.toml`
    Template,
    /// Propose an agreement, as one of its two parties; it holds when the other party has accepted the same text
    Propose {
        /// The agreement: see `creditbank agreement template`
        file: PathBuf,
        #[command(flatten)]
        signing: Signing,
    },
    /// Accept what the other party has proposed: shows the text and both parties, and then asks
    Accept {
        /// Its code
        code: String,
        /// Its version
        version: u32,
        /// Accept without asking
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        signing: Signing,
    },
    /// Give notice: the agreement ends on a day, at least its days of notice from now
    End {
        /// Its code
        code: String,
        /// Its version
        version: u32,
        /// The last day of conversions under it
        #[arg(long, value_parser = values::date)]
        on: pb::Date,
        #[command(flatten)]
        signing: Signing,
    },
    /// All agreements, and where they stand
    List {
        /// Only those of one institution
        #[arg(long)]
        party: Option<InstitutionId>,
    },
    /// The text of an agreement in words, and where it stands; without a version, the newest
    Show {
        /// Its code
        code: String,
        /// Its version
        version: Option<u32>,
    },
}

/// One version of an agreement, as the registry has it.
struct Known {
    proposal: pb::AgreementProposal,
    terms: AgreementTerms,
    accepted: bool,
    ends: Option<pb::Date>,
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Template => output::line(TEMPLATE.trim_end()),
        Command::Propose { file, signing } => {
            let text = fs::read_to_string(&file).map_err(Failure::file(&file))?;
            let wrong = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", file.display()));
            propose(global, parse(&text).map_err(|error| wrong(&error))?, &signing).await
        }
        Command::Accept { code, version, yes, signing } => {
            accept(global, AgreementName { code, version }, yes, &signing).await
        }
        Command::End { code, version, on, signing } => end(global, AgreementName { code, version }, on, &signing).await,
        Command::List { party } => list(global, party).await,
        Command::Show { code, version } => one(global, code, version).await,
    }
}

fn name(terms: &AgreementTerms) -> String {
    format!("{}.{}", show::safe(&terms.code), terms.version)
}

fn wording(terms: &AgreementTerms) -> String {
    in_words(terms).iter().map(|line| show::safe(line)).collect::<Vec<_>>().join("\n")
}

fn of_terms(terms: &AgreementTerms) -> Result<Value, Failure> {
    let bytes = encode(terms).map_err(|error| Failure::NotValid(error.to_string()))?;
    show::body("AgreementTerms", &bytes)
}

/// One version of an agreement, by its name.
async fn known(client: &Client, name: &AgreementName) -> Result<Known, Failure> {
    let (code, version) = (name.code.clone(), name.version);
    let missing = || format!("nobody has proposed an agreement {code}.{version}");
    let key = RegistryKey::AgreementProposal(code.clone(), version);
    let proposal: pb::AgreementProposal = entries::read(client, &key, missing).await?;
    let terms = proposal.terms.clone().unwrap_or_default();
    let acceptance = client.registry_entry(&RegistryKey::AgreementAcceptance(code.clone(), version)).await?;
    let ending = client.registry_entry(&RegistryKey::AgreementEnding(code, version)).await?;
    let ending = ending.map(|entry| entry.decode::<pb::AgreementEnding>()).transpose()?;
    Ok(Known { proposal, terms, accepted: acceptance.is_some(), ends: ending.and_then(|ending| ending.ends) })
}

/// The terms of an agreement that the registry has.
pub(super) async fn terms(client: &Client, name: &AgreementName) -> Result<AgreementTerms, Failure> {
    Ok(known(client, name).await?.terms)
}

async fn party(client: &Client, number: u64) -> Result<String, Failure> {
    let entry = client.registry_entry(&RegistryKey::Institution(number.into())).await?;
    let entry = entry.map(|entry| entry.decode::<pb::Institution>()).transpose()?;
    let name = entry.and_then(|entry| entry.names.first()?.name.as_ref().map(|name| show::safe(&name.value)));
    Ok(name
        .map_or_else(|| format!("institution {number}, unknown to the registry"), |name| format!("{number}: {name}")))
}

/// Both parties, as lines.
async fn parties(client: &Client, terms: &AgreementTerms) -> Result<String, Failure> {
    let (sender, receiver) = (party(client, terms.sender).await?, party(client, terms.receiver).await?);
    Ok(output::facts([("sender", sender), ("receiver", receiver)]))
}

async fn propose(global: &Global, terms: AgreementTerms, signing: &Signing) -> Result<(), Failure> {
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    if ![terms.sender, terms.receiver].contains(&unit.id.institution.0) {
        return Err(Failure::NotValid(format!(
            "institution {} is no party: the text is between {} and {}",
            unit.id.institution.0, terms.sender, terms.receiver
        )));
    }
    let text = format!("{}{}\n", parties(&client, &terms).await?, wording(&terms));
    let value = json!({ "agreement": name(&terms), "terms": of_terms(&terms)? });
    let proposal = pb::AgreementProposal { institution: unit.id.institution.0, terms: Some(terms) };
    let contents = Contents::of([record(&unit, Kind::AgreementProposal, &proposal, &signing.reference)?]);
    signing.seal(global, &client, &unit, &contents, (value, text)).await
}

async fn accept(global: &Global, agreement: AgreementName, yes: bool, signing: &Signing) -> Result<(), Failure> {
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    let found = known(&client, &agreement).await?;
    let terms = &found.terms;
    if ![terms.sender, terms.receiver].contains(&unit.id.institution.0)
        || unit.id.institution.0 == found.proposal.institution
    {
        return Err(Failure::NotValid(format!(
            "{} is between {} and {}, and was proposed by {}: only the other party accepts it",
            name(terms),
            terms.sender,
            terms.receiver,
            found.proposal.institution
        )));
    }
    if found.accepted {
        return Err(Failure::NotValid(format!("{} is accepted already", name(terms))));
    }
    let loops = loops(&client.rules_registry().await?, terms, dates::first_day(&today()));
    let grown: Vec<String> = loops.iter().map(told).collect();
    let text = format!("{}{}\n{}", parties(&client, terms).await?, wording(terms), grown.concat());
    if !yes {
        eprintln!("{text}");
    }
    ask("Accept this text?", yes)?;
    let digest = terms_digest(terms).map_err(|error| Failure::NotValid(error.to_string()))?;
    let value = json!({ "agreement": name(terms), "terms_digest": digest.to_string(), "terms": of_terms(terms)?,
        "loops": loops.iter().map(loop_value).collect::<Vec<_>>() });
    let terms_digest = digest.0.to_vec();
    let acceptance =
        pb::AgreementAcceptance { institution: unit.id.institution.0, agreement: Some(agreement), terms_digest };
    let contents = Contents::of([record(&unit, Kind::AgreementAcceptance, &acceptance, &signing.reference)?]);
    signing.seal(global, &client, &unit, &contents, (value, text)).await
}

/// The agreements of a loop, in order.
fn path(one: &Loop) -> Vec<String> {
    one.path.iter().map(|name| show::safe(&format!("{}.{}", name.code, name.version))).collect()
}

fn loop_value(one: &Loop) -> Value {
    json!({ "path": path(one), "units": one.units, "gain": one.gain.to_string() })
}

/// A loop in words.
fn told(one: &Loop) -> String {
    let units = show::safe(&one.units.join(" to "));
    format!(
        "LOOP with gain: {units} by {} makes {} of 1. No root ever has more in a unit than it had there.\n",
        path(one).join(", "),
        one.gain
    )
}

async fn end(global: &Global, agreement: AgreementName, on: pb::Date, signing: &Signing) -> Result<(), Failure> {
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    let found = known(&client, &agreement).await?;
    let (name, day) = (name(&found.terms), dates::show(&on));
    let ending = pb::AgreementEnding { institution: unit.id.institution.0, agreement: Some(agreement), ends: Some(on) };
    let contents = Contents::of([record(&unit, Kind::AgreementEnding, &ending, &signing.reference)?]);
    let text = format!("{name} ends on {day}; its notice is {}", counted(found.terms.notice_days, "day", "days"));
    let value = json!({ "agreement": name, "ends": day });
    signing.seal(global, &client, &unit, &contents, (value, text)).await
}

/// Where a version stands, on its own: whether another one replaces it, the ledger judges.
fn state(known: &Known) -> String {
    let day = dates::first_day(&today());
    let until = known.ends.as_ref().or(known.terms.until.as_ref());
    let ended = until.is_some_and(|until| dates::last_day(until) < day);
    let begins = known.terms.from.as_ref().filter(|from| dates::first_day(from) > day);
    match (known.accepted, ended, begins, &known.ends) {
        (false, ..) => format!("proposed by {}", known.proposal.institution),
        (true, true, ..) => format!("ended on {}", until.map(dates::show).unwrap_or_default()),
        (true, false, Some(from), _) => format!("accepted, from {}", dates::show(from)),
        (true, false, None, Some(ends)) => format!("accepted, ends on {}", dates::show(ends)),
        (true, false, None, None) => "accepted".to_owned(),
    }
}

async fn all(client: &Client) -> Result<Vec<Known>, Failure> {
    let accepted = client.registry_list(Kind::AgreementAcceptance, None).await?;
    let endings = client.registry_list(Kind::AgreementEnding, None).await?;
    let mut found = Vec::new();
    for item in client.registry_list(Kind::AgreementProposal, None).await? {
        let proposal: pb::AgreementProposal = item.decode()?;
        let terms = proposal.terms.clone().unwrap_or_default();
        let (code, version) = (terms.code.clone(), terms.version);
        let accepted = accepted.iter().any(|one| one.key == RegistryKey::AgreementAcceptance(code.clone(), version));
        let ending = endings.iter().find(|one| one.key == RegistryKey::AgreementEnding(code.clone(), version));
        let ends = ending.map(RegistryItem::decode::<pb::AgreementEnding>).transpose()?.and_then(|one| one.ends);
        found.push(Known { proposal, terms, accepted, ends });
    }
    found.sort_by(|one, other| (&one.terms.code, one.terms.version).cmp(&(&other.terms.code, other.terms.version)));
    Ok(found)
}

async fn list(global: &Global, party: Option<InstitutionId>) -> Result<(), Failure> {
    let client = global.connect().await?;
    let mut found = all(&client).await?;
    found.retain(|one| party.is_none_or(|party| [one.terms.sender, one.terms.receiver].contains(&party.0)));
    let value =
        |one: &Known| Ok(json!({ "agreement": name(&one.terms), "state": state(one), "terms": of_terms(&one.terms)? }));
    let listed = found.iter().map(value).collect::<Result<Vec<_>, Failure>>()?;
    output::print(global, &Value::Array(listed), || {
        let row = |one: &Known| {
            let terms = &one.terms;
            let ratio = terms.ratio.map(|ratio| format!("{}/{}", ratio.numerator, ratio.denominator));
            vec![
                name(terms),
                format!("{} to {}", terms.sender, terms.receiver),
                format!("1 {} = {} {}", terms.source_unit, ratio.unwrap_or_default(), terms.target_unit),
                names::of(terms.tier()),
                state(one),
            ]
        };
        output::table(&["agreement", "parties", "amounts", "tier", "state"], found.iter().map(row))
    })
}

async fn one(global: &Global, code: String, version: Option<u32>) -> Result<(), Failure> {
    let client = global.connect().await?;
    let version = if let Some(version) = version {
        version
    } else {
        let versions = all(&client).await?.into_iter().filter(|one| one.terms.code == code);
        let newest = versions.map(|one| one.terms.version).max();
        newest.ok_or_else(|| Failure::NotValid(format!("nobody has proposed an agreement {}", show::safe(&code))))?
    };
    let found = known(&client, &AgreementName { code, version }).await?;
    let parties = parties(&client, &found.terms).await?;
    let value = json!({
        "agreement": name(&found.terms), "state": state(&found), "proposed_by": found.proposal.institution,
        "terms": of_terms(&found.terms)?,
    });
    output::print(global, &value, || format!("{parties}{}\n{}", wording(&found.terms), state(&found)))
}
