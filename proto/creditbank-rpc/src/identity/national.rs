//! National numbers: how their standards have them written, and their check digits.
//!
//! | country | number | check |
//! |---|---|---|
//! | BE | rijksregisternummer (law of 8 August 1983) | 97 less the rest of the first nine digits by 97, from 2000 on behind a 2 |
//! | BR | CPF (Receita Federal) | two digits by 11 |
//! | CH | AHV number (EAN-13 with 756) | EAN-13 |
//! | CN | resident identity number | ISO 7064 MOD 11-2 (GB 11643-1999) |
//! | DK | CPR number | by 11; not guaranteed since 2007 |
//! | EE, LT | isikukood, asmens kodas | two rows of weights by 11 |
//! | ES | DNI and NIE (Real Decreto 1553/2005) | letter by 23 |
//! | FI | henkilötunnus | character by 31; the sign before the individual number is the century |
//! | FR | NIR | key: 97 less the rest of the number by 97; 2A counts as 19, 2B as 18 |
//! | IT | codice fiscale (D.M. 23 December 1976) | letter by 26 |
//! | NL | burgerservicenummer | weighted sum divisible by 11 |
//! | NO | fødselsnummer | two digits by 11 |
//! | PL | PESEL | weighted sum by 10 |
//! | SE | personnummer (SFS 1991:481) | Luhn over the last ten digits |
//! | TR | T.C. kimlik no | two digits by 10 |

use super::{digits, is_dash, without_separators};

/// The normal form of a national number in capital letters.
pub(super) fn normal(country: &str, value: &str) -> String {
    let bare = bare(country, value);
    match country {
        // A key that holds is made of the number and says nothing that it does not.
        "FR" if bare.len() == 15 && nir(&bare) == Some(true) => bare[..13].to_owned(),
        _ => bare,
    }
}

/// The number without separators, and with the zeros that belong before it: with all that there is to check.
pub(super) fn bare(country: &str, value: &str) -> String {
    // The sign is a part of the number: it says in which century its owner was born.
    if country == "FI" {
        let signed = value.chars().filter(|c| !c.is_whitespace() && *c != '.' && *c != '/');
        return signed.map(|c| if is_dash(c) { '-' } else { c }).collect();
    }
    let bare = without_separators(value);
    match country {
        "ES" if is_number_and_letter(&bare) => format!("{bare:0>9}"),
        "NL" if bare.len() == 8 && digits(&bare).is_some() => format!("0{bare}"),
        _ => bare,
    }
}

/// `1234567L`: a DNI, perhaps without its leading zeros.
fn is_number_and_letter(text: &str) -> bool {
    let (number, letter) = text.split_at_checked(text.len().saturating_sub(1)).unwrap_or_default();
    (1..=8).contains(&number.len()) && digits(number).is_some() && letter.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// What speaks against a number, as [`bare`] gives it.
pub(super) fn doubt(country: &str, value: &str) -> Option<String> {
    let (shape, check): (&str, Option<bool>) = match country {
        "BE" => ("11 digits", of(value, 11, belgian)),
        "BR" => ("11 digits", of(value, 11, brazilian)),
        "CH" => ("13 digits that begin with 756", of(value, 13, ean).filter(|_| value.starts_with("756"))),
        "CN" => ("17 digits and a digit or X", chinese(value)),
        "DK" => {
            let holds = of(value, 10, |digits| by(11, digits, &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) == 0);
            if holds == Some(false) {
                return Some("the check digit of a CPR number fails; it is not guaranteed since 2007".to_owned());
            }
            ("10 digits, the first of them perhaps 0", holds)
        }
        "EE" | "LT" => ("11 digits", of(value, 11, baltic)),
        "ES" => ("8 digits and a letter, or X, Y or Z, 7 digits and a letter", spanish(value)),
        "FI" => ("6 digits, a sign, 3 digits and a character", finnish(value)),
        "FR" => ("13 characters, or 15 with the key", nir(value)),
        "IT" => ("16 letters and digits", italian(value)),
        "NL" => ("9 digits", of(value, 9, dutch)),
        "NO" => ("11 digits", of(value, 11, norwegian)),
        "PL" => ("11 digits", of(value, 11, |digits| by(10, digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) == 0)),
        "SE" => ("12 digits: ten leave the century open", of(value, 12, |digits| luhn(&digits[2..]))),
        "TR" => ("11 digits", of(value, 11, turkish)),
        _ => return unknown_country(country),
    };
    match check {
        Some(true) => None,
        Some(false) => Some(format!("the check digit of a national number of {country} fails")),
        None => Some(format!("a national number of {country} has {shape}")),
    }
}

/// What speaks against the country of a number of which no more is known.
fn unknown_country(country: &str) -> Option<String> {
    if COUNTRIES.split_ascii_whitespace().any(|one| one == country) {
        return None;
    }
    let meant = match country {
        "UK" => ", which is no country there: the United Kingdom is GB",
        "EL" => ", which is no country there: Greece is GR",
        _ => ", which this is not",
    };
    Some(format!("a national number names its country by ISO 3166-1 alpha-2{meant}"))
}

/// ISO 3166-1 alpha-2, and XK, which is for users to assign and which most use for Kosovo.
const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH \
    ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT \
    HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS \
    LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI \
    NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG \
    SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG \
    UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// The check of a number of `len` digits; nothing where it is of another shape.
fn of(value: &str, len: usize, check: impl Fn(&[u32]) -> bool) -> Option<bool> {
    digits(value).filter(|digits| digits.len() == len).map(|digits| check(&digits))
}

/// The rest of the weighted sum.
fn by(modulus: u32, digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>() % modulus
}

fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 10 + u64::from(*digit))
}

fn belgian(digits: &[u32]) -> bool {
    let (first, check) = (number(&digits[..9]), number(&digits[9..]));
    [first, first + 2_000_000_000].into_iter().any(|first| 97 - first % 97 == check)
}

fn brazilian(digits: &[u32]) -> bool {
    let check = |rest: u32| if rest < 2 { 0 } else { 11 - rest };
    check(by(11, &digits[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2])) == digits[9]
        && check(by(11, &digits[..10], &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) == digits[10]
}

fn ean(digits: &[u32]) -> bool {
    by(10, digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) == 0
}

fn chinese(value: &str) -> Option<bool> {
    let (first, last) = value.split_at_checked(17).filter(|(_, last)| last.len() == 1)?;
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let rest = by(11, &digits(first)?, &weights) as usize;
    Some("10X98765432".as_bytes().get(rest) == last.as_bytes().first())
}

fn baltic(digits: &[u32]) -> bool {
    let first = by(11, digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]);
    let second = by(11, digits, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]);
    digits[10] == if first < 10 { first } else { second % 10 }
}

fn spanish(value: &str) -> Option<bool> {
    let (first, letter) = value.split_at_checked(8).filter(|(_, letter)| letter.len() == 1)?;
    let first = match first.as_bytes().first()? {
        b'X' => format!("0{}", &first[1..]),
        b'Y' => format!("1{}", &first[1..]),
        b'Z' => format!("2{}", &first[1..]),
        _ => first.to_owned(),
    };
    let rest = usize::try_from(number(&digits(&first)?) % 23).ok()?;
    Some("TRWAGMYFPDXBNJZSQVHLCKE".as_bytes().get(rest) == letter.as_bytes().first())
}

fn finnish(value: &str) -> Option<bool> {
    if value.len() != 11 || !value.is_ascii() || !"+-YXWVUABCDEF".contains(&value[6..7]) {
        return None;
    }
    let all = digits(&[&value[..6], &value[7..10]].concat())?;
    let rest = usize::try_from(number(&all) % 31).ok()?;
    Some("0123456789ABCDEFHJKLMNPRSTUVWXY".as_bytes().get(rest) == value.as_bytes().get(10))
}

/// Whether the key of a NIR holds; without a key there is nothing to check.
fn nir(value: &str) -> Option<bool> {
    if !matches!(value.len(), 13 | 15) || !value.is_ascii() {
        return None;
    }
    let corsican = |text: &str| match &text[5..7] {
        "2A" => format!("{}19{}", &text[..5], &text[7..]),
        "2B" => format!("{}18{}", &text[..5], &text[7..]),
        _ => text.to_owned(),
    };
    let all = digits(&corsican(value))?;
    Some(all.len() == 13 || 97 - number(&all[..13]) % 97 == number(&all[13..]))
}

fn italian(value: &str) -> Option<bool> {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    if value.len() != 16 || !value.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        return None;
    }
    // A digit counts as the letter of the same position in the alphabet.
    let place = |byte: u8| u32::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' });
    let value = value.as_bytes();
    let sum: u32 = value[..15]
        .iter()
        .enumerate()
        .map(|(at, byte)| if at % 2 == 0 { ODD[place(*byte) as usize] } else { place(*byte) })
        .sum();
    Some(value[15].is_ascii_uppercase() && sum % 26 == place(value[15]))
}

fn dutch(digits: &[u32]) -> bool {
    (by(11, &digits[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) + 11 - digits[8]).is_multiple_of(11)
}

fn norwegian(digits: &[u32]) -> bool {
    by(11, digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) == 0 && by(11, digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) == 0
}

fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(at, digit)| if at % 2 == 1 { doubled(*digit) } else { *digit }).sum();
    sum.is_multiple_of(10)
}

fn turkish(digits: &[u32]) -> bool {
    let odd: u32 = [0, 2, 4, 6, 8].iter().map(|at| digits[*at]).sum();
    let even: u32 = [1, 3, 5, 7].iter().map(|at| digits[*at]).sum();
    digits[0] != 0 && (odd * 7 + 100 - even) % 10 == digits[9] && digits[..10].iter().sum::<u32>() % 10 == digits[10]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a published example of each number passes, the same with one digit changed is doubted, and so is another shape.
    #[test]
    fn check_digits() {
        for (country, good, bad) in [
            ("BE", "85073003328", "85073003329"),
            ("BR", "11144477735", "11144477734"),
            ("CH", "7569217076985", "7569217076984"),
            ("CN", "11010519491231002X", "110105194912310021"),
            ("DK", "0707614285", "0707614284"),
            ("EE", "37605030299", "37605030298"),
            ("ES", "12345678Z", "12345678A"),
            ("ES", "X1234567L", "X1234567A"),
            ("FI", "131052-308T", "131052-308U"),
            ("FR", "255081416802538", "255081416802539"),
            ("IT", "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
            ("NL", "111222333", "111222334"),
            ("NO", "01010750160", "01010750161"),
            ("PL", "44051401359", "44051401358"),
            ("SE", "198112189876", "198112189875"),
            ("TR", "10000000146", "10000000147"),
        ] {
            assert_eq!(doubt(country, good), None, "{country}");
            let said = doubt(country, bad).unwrap_or_default();
            assert!(said.contains("check digit") && !said.contains(bad), "{country}: {said}");
        }
        for (country, odd) in
            [("SE", "8112189876"), ("FR", "123"), ("CN", "\u{5f20}"), ("IT", "X"), ("ES", "\u{e9}\u{e9}\u{e9}\u{e9}L")]
        {
            assert!(doubt(country, odd).is_some_and(|said| said.contains("has")), "{country}");
        }
        for odd in ["707614285", "07076142850", "070761428A"] {
            assert!(doubt("DK", odd).is_some_and(|said| said.contains("10 digits") && !said.contains(odd)), "{odd}");
        }
        assert_eq!(doubt("US", "078051120"), None, "a number without a check");
        assert_eq!(doubt("XK", "1234567890"), None, "a number without a check");
    }

    /// Goal: who names no country by its code is told which one was meant.
    #[test]
    fn countries_are_those_of_the_standard() {
        for (country, says) in
            [("UK", "is GB"), ("EL", "is GR"), ("XX", "3166"), ("", "3166"), ("DNK", "3166"), ("D", "3166")]
        {
            assert!(doubt(country, "123456").is_some_and(|said| said.contains(says)), "{country}");
        }
        assert_eq!(COUNTRIES.split_ascii_whitespace().count(), 250);
        assert_eq!(doubt("GB", "123456"), None);
    }
}
