//! The tables of Unicode that the rules use are those that the rules name.

use creditbank_protocol::course_code::{exact, key, near};
use creditbank_protocol::unicode::{
    CAPITAL_LETTERS, UNICODE_TABLES, UNICODE_VERSION, capital, category, combining_class, fold, nfc, nfd, nfkc,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// Every character that is assigned and not for private use.
fn assigned() -> impl Iterator<Item = char> {
    ('\0'..=char::MAX).filter(|character| !matches!(category(*character), "Cn" | "Co"))
}

/// The line of a character, as RULES.md, "Text" has it.
fn line(character: char) -> String {
    let text = character.to_string();
    let points = |text: &str| text.chars().map(|one| format!("{:04X}", u32::from(one))).collect::<Vec<_>>().join(" ");
    let (class, category) = (combining_class(character), category(character));
    let forms = [nfd(&text), nfc(&text), nfkc(&text), fold(&text)].map(|form| points(&form)).join(";");
    format!("{:04X};{category};{class};{forms}\n", u32::from(character))
}

/// Goal: another version of the library with other tables is noticed, before it judges a record.
#[test]
fn the_tables_are_those_of_the_rules() {
    let mut hash = Sha256::new();
    let mut count = 0u32;
    for character in assigned() {
        hash.update(line(character));
        count += 1;
    }
    // As the Unicode Standard counts them: 172,808 characters, and 65 controls.
    assert_eq!((UNICODE_VERSION, count), ("18.0.0", 172_808 + 65));
    assert_eq!(hex::encode(hash.finalize()), UNICODE_TABLES);
}

/// Goal: the capital letters on which digests of identities stand are those of one version of Unicode, whatever compiler and
/// library a node is built with.
#[test]
fn capital_letters_are_those_of_the_protocol() {
    let mut hash = Sha256::new();
    for (small, large) in
        ('\0'..=char::MAX).map(|small| (small, capital(small))).filter(|(small, large)| small != large)
    {
        assert_eq!(capital(large), large, "{small:?}");
        hash.update(format!("{:04X};{:04X}\n", u32::from(small), u32::from(large)));
    }
    assert_eq!(['i', 'é', 'σ', 'я'].map(capital), ['I', 'É', 'Σ', 'Я']);
    for same in ['ı', 'İ', 'ß', 'ς', 'ſ', 'K', '1', '李'] {
        assert_eq!(capital(same), same);
    }
    assert_eq!(hex::encode(hash.finalize()), CAPITAL_LETTERS);
}

/// Goal: a key is a key of itself, and codes of one key do not come apart when they are composed in another way: for every
/// character that is composed, folds or combines, alone and between others.
#[test]
fn keys_are_keys_of_themselves() {
    let changes = |character: &char| {
        let text = character.to_string();
        combining_class(*character) > 0 || key(&text) != text || nfd(&text) != text || nfkc(&text) != text
    };
    for character in assigned().filter(changes) {
        for text in [format!("{character}"), format!("a{character}\u{301}"), format!("\u{3a3}{character}\u{345}")] {
            let own = key(&text);
            assert_eq!(key(&own), own, "{text:?}");
            assert_eq!(key(&nfd(&text)), own, "{text:?}");
            assert_eq!(key(&nfc(&text)), own, "{text:?}");
            assert_eq!(near(&own), near(&text), "{text:?}");
        }
    }
}

proptest! {
    /// Goal: "the same code" is an equivalence: it follows from equal keys, however a code is spelled.
    #[test]
    fn composition_and_case_make_no_other_key(code in "\\PC{0,64}") {
        let own = key(&code);
        prop_assert_eq!(key(&own), own.clone());
        prop_assert_eq!(key(&nfd(&code)), own.clone());
        prop_assert_eq!(key(&exact(&code)), own);
    }
}
