//! The node's secrets beside its signing keys, in one file.
//!
//! ```text
//! creditbank-secrets-v1
//! master HEX
//! pepper HEX
//! alias HEX
//! link HEX
//! mac HEX
//! ```
//! `mac` is HMAC-SHA256 of everything before its line, under a key that follows from the master key. A wrong pepper,
//! alias or link secret would lead to empty or other accounts without any error.

use std::path::Path;

use creditbank_store::Disk;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use super::{DirectoryError, read_secret};
use crate::clock::{Entropy, random};
use crate::private::PrivateKeys;

const HEAD: &str = "creditbank-secrets-v1";
const NAMES: [&str; 4] = ["master", "pepper", "alias", "link"];
/// Input for the key of the MAC, in addition to the master key.
const MAC_TAG: &[u8] = b"credit/secrets-file/v1";

/// Four secrets of 32 bytes.
#[derive(ZeroizeOnDrop)]
pub(crate) struct Secrets {
    pub(crate) master: [u8; 32],
    pepper: [u8; 32],
    alias: [u8; 32],
    link: [u8; 32],
}

type HmacSha256 = Hmac<Sha256>;

fn keyed(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// The MAC of a file's contents under its master key, ready to be compared.
fn mac(master: &[u8; 32], content: &str) -> HmacSha256 {
    let key = keyed(master).chain_update(MAC_TAG).finalize().into_bytes();
    keyed(&key).chain_update(content.as_bytes())
}

impl Secrets {
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        Self { master: random(entropy), pepper: random(entropy), alias: random(entropy), link: random(entropy) }
    }

    /// Reads the file, and refuses it if any bit has changed.
    pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<Self, DirectoryError> {
        let mut text = read_secret(disk, path)?;
        let shown = path.display().to_string();
        let read = Self::parse(&text);
        text.zeroize();
        match read {
            Some((secrets, true)) => Ok(secrets),
            Some((_, false)) => Err(DirectoryError::SecretsMac(shown)),
            None => Err(DirectoryError::Secrets(shown)),
        }
    }

    /// The secrets, and whether the MAC matches; `None` if the text has another form.
    fn parse(text: &str) -> Option<(Self, bool)> {
        let (content, line) = text.split_at(text.trim_end_matches('\n').rfind('\n')? + 1);
        let found = hex::decode(line.strip_prefix("mac ")?.strip_suffix('\n')?).ok()?;
        let mut lines = content.lines();
        if lines.next()? != HEAD {
            return None;
        }
        let mut next = NAMES.into_iter().zip(&mut lines).map(|(name, line)| {
            let value = line.strip_prefix(name)?.strip_prefix(' ')?;
            <[u8; 32]>::try_from(hex::decode(value).ok()?).ok()
        });
        let mut value = || next.next().flatten();
        let secrets = Self { master: value()?, pepper: value()?, alias: value()?, link: value()? };
        if lines.next().is_some() {
            return None;
        }
        let holds = mac(&secrets.master, content).verify_slice(&found).is_ok();
        Some((secrets, holds))
    }

    pub(crate) fn to_text(&self) -> String {
        let values = [&self.master, &self.pepper, &self.alias, &self.link];
        let lines = NAMES.iter().zip(values).map(|(name, value)| [name, " ", &hex::encode(value), "\n"].concat());
        let content: String = std::iter::once([HEAD, "\n"].concat()).chain(lines).collect();
        let mac = mac(&self.master, &content).finalize().into_bytes();
        format!("{content}mac {}\n", hex::encode(mac))
    }

    pub(crate) fn private(&self) -> PrivateKeys {
        PrivateKeys::new(&self.pepper, &self.alias, &self.link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the text reads back, and no bit of it can change.
    #[test]
    fn a_flipped_bit_is_found() {
        let secrets = Secrets { master: [1; 32], pepper: [2; 32], alias: [3; 32], link: [4; 32] };
        let text = secrets.to_text();
        let (read, holds) = Secrets::parse(&text).expect("what was written");
        assert!(holds && read.to_text() == text);
        let bytes = text.as_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let read = std::str::from_utf8(&flipped).ok().and_then(Secrets::parse);
            // Hexadecimal digits in the other case mean the same, but the MAC is over the text.
            let is_same = read.is_some_and(|(read, holds)| holds && read.to_text() != text);
            assert!(!is_same, "bit {bit}");
        }
        assert!(Secrets::parse(&text.replace("link", "lint")).is_none());
        assert!(Secrets::parse("").is_none() && Secrets::parse("\n").is_none());
    }
}
