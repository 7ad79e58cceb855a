//! Whose transcript is shown.

use std::collections::BTreeMap;

use anyhow::Context as _;
use creditbank_client::import::{Mapping, Rows};
use creditbank_rpc::v1::{IdentityType, Person, TypedIdentity};

/// The first learner of the file who passed several modules, and how many.
pub(super) fn with_several_credits(file: &'static [u8], mapping: &Mapping) -> anyhow::Result<(Person, usize)> {
    let mut passes: BTreeMap<String, usize> = BTreeMap::new();
    let mut first: Vec<Person> = Vec::new();
    for row in Rows::open(mapping, std::io::Cursor::new(file))? {
        let Ok(draft) = row? else { continue };
        if let Some(number) = draft.person.first().filter(|_| draft.credits().is_some()) {
            let count = passes.entry(number.value.clone()).or_default();
            *count += 1;
            if *count == 2 {
                first.push(Person { identities: draft.person.clone() });
            }
        }
    }
    let person = first.into_iter().next().context("a learner with two credits")?;
    let count = person.identities.first().and_then(|number| passes.get(&number.value)).copied().unwrap_or(0);
    Ok((person, count))
}

/// The same person by a European Student Identifier, made from the student number: an identity that other institutions
/// know.
pub(super) fn european(person: &Person) -> Person {
    let number = person.identities.first().map(|number| number.value.clone()).unwrap_or_default();
    let value = format!("urn:schac:personalUniqueCode:int:esi:open.ac.uk:{number}");
    let identity = TypedIdentity { r#type: IdentityType::Network.into(), scope: "esi".to_owned(), value };
    Person { identities: vec![identity] }
}
