//! A person as an Identity says it, in words.

use creditbank_protocol::names;
use creditbank_protocol::pb::{Identity, PersonName};
use creditbank_rules::dates;

use crate::show::safe;

/// `DOE, Jane (en)`, `\u{738b}\u{5c0f}\u{660e} (zh-Hans)`.
pub(crate) fn name(one: &PersonName) -> String {
    let parts: Vec<String> = [&one.family, &one.given].iter().filter(|part| !part.is_empty()).map(|part| safe(part)).collect();
    let apart = parts.join(", ");
    let name = match (one.full.is_empty(), apart.is_empty()) {
        (true, _) => apart,
        (false, true) => safe(&one.full),
        (false, false) => format!("{}, that is {apart}", safe(&one.full)),
    };
    let language = if one.language.is_empty() { "und" } else { &one.language };
    format!("{name} ({})", safe(language))
}

/// Names, birth date, document and assurance; what is not shown has no fact.
pub(crate) fn facts(one: &Identity) -> Vec<(&'static str, String)> {
    let named = |is_there: bool, name: String| if is_there { name } else { String::new() };
    vec![
        ("names", one.names.iter().map(name).collect::<Vec<_>>().join("; ")),
        ("born", one.birth_date.as_ref().map(dates::show).unwrap_or_default()),
        ("document", named(one.document != 0, names::of(one.document()))),
        ("assurance", named(one.assurance != 0, names::of(one.assurance()))),
    ]
}

/// The same in one line.
pub(crate) fn line(one: &Identity) -> String {
    let said = facts(one).into_iter().filter(|(_, fact)| !fact.is_empty());
    let said = said.map(|(what, fact)| if what == "names" { fact } else { format!("{what} {fact}") });
    said.collect::<Vec<_>>().join(", ")
}
