//! ROR ids of institutions: `https://ror.org/052gg0110` and `052GG0110` are one.

/// The digits of Crockford's base 32.
const BASE_32: &str = "0123456789abcdefghjkmnpqrstvwxyz";

/// The id without its address, in small letters; nothing where the text is no ROR id.
pub fn normal(text: &str) -> Option<String> {
    let small = text.trim().to_ascii_lowercase();
    let bare = small.trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("ror.org/");
    let (id, check) = bare.split_at_checked(7)?;
    let is_one = id.starts_with('0')
        && id.chars().all(|c| BASE_32.contains(c))
        && check.len() == 2
        && check.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| bare.to_owned())
}

/// Whether the check digits of a normal id hold (ISO 7064 MOD 97-10).
pub fn checks(id: &str) -> bool {
    let Some((id, check)) = id.split_at_checked(7) else { return false };
    let number = id.chars().try_fold(0u64, |number, c| Some(number * 32 + BASE_32.find(c)? as u64));
    number.is_some_and(|number| format!("{:02}", 98 - number * 100 % 97) == check)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: spellings of one ROR id are one, and a typing error is noticed.
    #[test]
    fn spellings() {
        for text in ["https://ror.org/052gg0110", "ror.org/052GG0110", " 052gg0110"] {
            assert_eq!(normal(text).as_deref(), Some("052gg0110"));
        }
        for good in ["052gg0110", "05mzfcs16"] {
            assert!(checks(good), "{good}");
        }
        assert!(!checks("052gg0111") && !checks("052gg0") && !checks("\u{e9}"));
        assert_eq!(normal("152gg0110"), None);
        assert_eq!(normal("oxford"), None);
    }
}
