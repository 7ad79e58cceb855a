//! The tables of Unicode, in one version: what characters are, and how they compare.
//!
//! Whether a record is admitted depends on these tables, so their version belongs to the rules (RULES.md, "Text"). A test
//! compares a hash over all of them, so that a library with other tables is noticed before it judges anything.

use std::borrow::Cow;

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_normalizer::properties::{CanonicalCombiningClassMap, CanonicalCombiningClassMapBorrowed};
use icu_normalizer::{
    ComposingNormalizer, ComposingNormalizerBorrowed, DecomposingNormalizer, DecomposingNormalizerBorrowed,
};
use icu_properties::props::GeneralCategory;
use icu_properties::{CodePointMapData, CodePointMapDataBorrowed};

/// The version of Unicode whose tables the rules of this version use.
pub const UNICODE_VERSION: &str = "18.0.0";

/// SHA-256 over these tables, as RULES.md, "Text" writes them down, in hexadecimal.
pub const UNICODE_TABLES: &str = "8b44e222d6af72b3d9efbeef33b5a01d994f17670b2c358fd24ec4a902288927";

/// SHA-256 over all pairs of a small letter and its [`capital`], as PROTOCOL.md, section 14, writes them down: digests of
/// identities are stored, and stand on them.
pub const CAPITAL_LETTERS: &str = "a627a38fa2fd89aeb2bf2b283522ba9a76a0a79e60c51c4e8fb796c8efa6b092";

static CATEGORIES: CodePointMapDataBorrowed<'static, GeneralCategory> = CodePointMapData::<GeneralCategory>::new();
static CASES: CaseMapperBorrowed<'static> = CaseMapper::new();
static NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();
static NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfkc();
static NFD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizer::new_nfd();
static CLASSES: CanonicalCombiningClassMapBorrowed<'static> = CanonicalCombiningClassMap::new();

/// Normalization Form C.
pub fn nfc(text: &str) -> Cow<'_, str> {
    NFC.normalize(text)
}

/// Normalization Form KC.
pub fn nfkc(text: &str) -> Cow<'_, str> {
    NFKC.normalize(text)
}

/// Normalization Form D.
pub fn nfd(text: &str) -> Cow<'_, str> {
    NFD.normalize(text)
}

/// Full case folding (status C and F of `CaseFolding.txt`), the same in every language.
pub fn fold(text: &str) -> Cow<'_, str> {
    CASES.fold_string(text)
}

/// The capital letter of a small one: its simple upper case, where the simple lower case of that is the small letter again;
/// else the character itself. So `i` becomes `I`, while the Turkish dotless i and the German sharp s stay what they are.
pub fn capital(character: char) -> char {
    let capital = CASES.simple_uppercase(character);
    if CASES.simple_lowercase(capital) == character { capital } else { character }
}

/// The canonical combining class.
pub fn combining_class(character: char) -> u8 {
    CLASSES.get_u8(character)
}

/// The two letters of the General Category.
pub fn category(character: char) -> &'static str {
    use GeneralCategory as Is;
    match CATEGORIES.get(character) {
        Is::UppercaseLetter => "Lu",
        Is::LowercaseLetter => "Ll",
        Is::TitlecaseLetter => "Lt",
        Is::ModifierLetter => "Lm",
        Is::OtherLetter => "Lo",
        Is::NonspacingMark => "Mn",
        Is::SpacingMark => "Mc",
        Is::EnclosingMark => "Me",
        Is::DecimalNumber => "Nd",
        Is::LetterNumber => "Nl",
        Is::OtherNumber => "No",
        Is::SpaceSeparator => "Zs",
        Is::LineSeparator => "Zl",
        Is::ParagraphSeparator => "Zp",
        Is::Control => "Cc",
        Is::Format => "Cf",
        Is::PrivateUse => "Co",
        Is::Surrogate => "Cs",
        Is::DashPunctuation => "Pd",
        Is::OpenPunctuation => "Ps",
        Is::ClosePunctuation => "Pe",
        Is::ConnectorPunctuation => "Pc",
        Is::InitialPunctuation => "Pi",
        Is::FinalPunctuation => "Pf",
        Is::OtherPunctuation => "Po",
        Is::MathSymbol => "Sm",
        Is::CurrencySymbol => "Sc",
        Is::ModifierSymbol => "Sk",
        Is::OtherSymbol => "So",
        Is::Unassigned => "Cn",
    }
}
