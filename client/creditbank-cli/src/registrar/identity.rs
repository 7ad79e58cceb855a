//! `learner identity`: who a person is, as a document says. A newer one amends the former.

use creditbank_client::import::doubts::{Doubt, of_name};
use creditbank_client::sealing::{Contents, record, supersede};
use creditbank_protocol::Alias;
use creditbank_protocol::pb::{
    AmendReason, Amends, Assurance, Date, DocumentType, Identity, Kind, PersonName, RecordReference,
};
use creditbank_protocol::status::Mark;
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use prost_reflect::prost::Message as _;
use serde_json::json;

use super::survey::AcceptTyped;
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{output, show, values, words};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Record who a learner is; where the learner has an Identity already, the new one stands in its place
    ///
    /// Names as the document has them, one for each script: --name zh-Hans:王小明 --name "zh-Latn:Wang Xiaoming".
    /// Family and given name apart: --name "en:DOE/Jane". A slash within s/o, d/o, a/l, a/p and the like parts nothing:
    /// --name "en:Ravi s/o Kumar" is one full name. A name without a language is of none ("und"); where such a name has
    /// a colon, write und: before it. Names are looked at as an import looks at them.
    #[command(verbatim_doc_comment)]
    Issue(Box<Issue>),
}

#[derive(clap::Args)]
pub(crate) struct Issue {
    /// Your alias of the learner, in hexadecimal
    #[arg(long, value_parser = values::alias)]
    alias: Alias,
    /// LANGUAGE:NAME, or LANGUAGE:FAMILY/GIVEN; may be repeated
    #[arg(long = "name", value_name = "NAME", value_parser = name, required = true)]
    names: Vec<PersonName>,
    /// As 1999-04-30; only the month where no more is known
    #[arg(long, value_parser = values::date)]
    birth_date: Date,
    /// What was looked at: passport, national-id, residence-permit, birth-certificate, electronic-id or other
    #[arg(long, value_parser = values::named::<DocumentType>)]
    document: DocumentType,
    /// How far it was verified, as in eIDAS: low, substantial or high
    #[arg(long, value_parser = values::named::<Assurance>)]
    assurance: Assurance,
    #[command(flatten)]
    accept: AcceptTyped,
    /// Why a former Identity is amended: error, name-change or other
    #[arg(long, value_parser = values::named::<AmendReason>, default_value = "name-change")]
    reason: AmendReason,
    #[command(flatten)]
    signing: Signing,
}

/// `zh-Hans:王小明`, `en:DOE/Jane`, `en:Ravi s/o Kumar`.
fn name(text: &str) -> Result<PersonName, String> {
    let (language, name) = match text.split_once(':') {
        Some((tag, name)) if is_language(tag) => (tag, name.trim()),
        Some(_) => return Err("expected LANGUAGE:NAME, as el:Ελένη; before a name with a colon put und:".to_owned()),
        None => ("und", text.trim()),
    };
    let language = language.to_owned();
    if name.chars().all(|c| c == '/' || c.is_whitespace()) {
        return Err("expected LANGUAGE:NAME or LANGUAGE:FAMILY/GIVEN with a name, as en:DOE/Jane".to_owned());
    }
    let (family, given) = match parting(name).as_slice() {
        [] => {
            of_name(name).map_err(|why| format!("a name {why}"))?;
            return Ok(PersonName { language, full: name.to_owned(), ..Default::default() });
        }
        [at] => (name[..*at].trim(), name[at + 1..].trim()),
        _ => return Err("expected one slash, between family and given name".to_owned()),
    };
    for (part, what) in [(family, "family"), (given, "given")] {
        if part.is_empty() {
            return Err(format!(
                "nothing on the side of the slash where the {what} name belongs: expected FAMILY/GIVEN"
            ));
        }
    }
    // One of the two may well be the family name Null.
    of_name(&format!("{family} {given}")).map_err(|why| format!("a name {why}"))?;
    Ok(PersonName { language, family: family.to_owned(), given: given.to_owned(), ..Default::default() })
}

/// A language of two or three letters, perhaps with a script, as `zh-Hans`.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts
        .next()
        .is_some_and(|first| (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_lowercase()));
    first && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Where a name has slashes between family and given name: not those of `s/o`, which have one letter on either side.
fn parting(name: &str) -> Vec<usize> {
    let is_particle = |at: usize| {
        let letter = |mut letters: Box<dyn Iterator<Item = char> + '_>| {
            letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none_or(char::is_whitespace)
        };
        let (before, after) = (&name[..at], &name[at + 1..]);
        let has_more = before.contains(char::is_whitespace) || after.contains(char::is_whitespace);
        has_more && letter(Box::new(before.chars().rev())) && letter(Box::new(after.chars()))
    };
    name.match_indices('/').map(|(at, _)| at).filter(|at| !is_particle(*at)).collect()
}

/// What is doubtful about the names.
fn doubts(names: &[PersonName]) -> Vec<Doubt> {
    let parts = names.iter().flat_map(|one| [&one.full, &one.family, &one.given]).filter(|part| !part.is_empty());
    parts.filter_map(|part| of_name(part).ok().flatten()).collect()
}

pub(super) async fn run(global: &Global, Command::Issue(issue): Command) -> Result<(), Failure> {
    let Issue { alias, mut names, birth_date, document, assurance, accept, reason, signing } = *issue;
    accept.check(&doubts(&names))?;
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    names.sort_by_cached_key(PersonName::encode_to_vec);
    let made = Identity {
        learner: alias.0.to_vec(),
        names,
        birth_date: Some(birth_date),
        document: document.into(),
        assurance: assurance.into(),
        amends: None,
    };
    let learner = InstitutionAlias { institution: unit.id.institution.0, alias: alias.0.to_vec() };
    let (records, _) = client.records(Learner::Alias(learner)).await?;
    let former = records.iter().find(|one| {
        let ended = one.is(Mark::Superseded) || one.is(Mark::Revoked);
        one.disclosed.info.kind == Kind::Identity && one.subject() == unit.id.institution && !ended
    });
    let amends = former.map(|one| Amends { place: Some(one.place.into()), reason: reason.into() });
    if let Some(one) = former
        && let Ok(before) = creditbank_protocol::canonical::decode::<Identity>(&one.disclosed.body)
        && (Identity { amends: None, ..before }) == made
    {
        return Err(Failure::NotValid(format!("nothing was changed: the Identity at {} says so already", one.place)));
    }
    let made = Identity { amends, ..made };
    let mut contents = Contents::of([record(&unit, Kind::Identity, &made, &signing.reference)?]);
    if let Some(one) = former {
        let (place, status_id) = (Some(one.place.into()), one.status_id.0.to_vec());
        let former = RecordReference { place, status_id, ..Default::default() };
        supersede(&client, &unit, &mut contents, &former).await?;
    }
    let amended = former.map(|one| one.place.to_string());
    let body = creditbank_protocol::canonical::encode(&made).map_err(|error| Failure::NotValid(error.to_string()))?;
    // For the registrar's own screen, as a preview of an import is.
    let place = ("in the place of", amended.clone().unwrap_or_else(|| "no former Identity".to_owned()));
    let said = words::facts("Identity", &body)?
        .into_iter()
        .filter(|(name, _)| !["learner", "amends"].contains(&name.as_str()));
    let said: Vec<(String, String)> = said.collect();
    let said = said.iter().map(|(name, text)| (name.as_str(), text.clone()));
    let text = output::facts(said.chain([place]));
    let value = json!({ "identity": show::body("Identity", &body)?, "names": made.names.len(), "amends": amended });
    signing.seal(global, &client, &unit, &contents, (value, text)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a name is parted at the slash between family and given name, and at no other; nothing before a colon is lost.
    #[test]
    fn names_are_parted_where_they_are_meant_to_be() {
        for (text, language, full, family, given) in [
            ("zh-Hans:王小明", "zh-Hans", "王小明", "", ""),
            ("en:DOE/Jane", "en", "", "DOE", "Jane"),
            ("en:Null / Christopher", "en", "", "Null", "Christopher"),
            ("en:Ravi s/o Kumar", "en", "Ravi s/o Kumar", "", ""),
            ("ms:Anand A/L Muthu", "ms", "Anand A/L Muthu", "", ""),
            ("en:KUMAR/Ravi s/o Raman", "en", "", "KUMAR", "Ravi s/o Raman"),
            ("zh-Latn:O/Li", "zh-Latn", "", "O", "Li"),
            ("und:Δρ: Ελένη", "und", "Δρ: Ελένη", "", ""),
            ("Ελένη", "und", "Ελένη", "", ""),
            // Doubtful, and somebody's name.
            ("en:NULL", "en", "NULL", "", ""),
        ] {
            let read = name(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            let found = (&read.language[..], &read.full[..], &read.family[..], &read.given[..]);
            assert_eq!(found, (language, full, family, given), "{text}");
        }
        for text in ["el:", "el: ", "en:#REF!", "Dr: Helen", "Δρ: Ελένη", "en:DOE/", "en:/Jane", "en:A/B/C", ""]
        {
            assert!(name(text).is_err(), "{text}");
        }
    }
}
