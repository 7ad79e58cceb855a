//! The node's secrets beside its signing keys, in one file.

use std::path::Path;

use creditbank_store::Disk;
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use super::{DirectoryError, read_secret};
use crate::clock::{Entropy, random};
use crate::private::PrivateKeys;

const NAMES: [&str; 4] = ["master", "pepper", "alias", "link"];

/// Four secrets of 32 bytes.
#[derive(ZeroizeOnDrop)]
pub(crate) struct Secrets {
    pub(crate) master: [u8; 32],
    pepper: [u8; 32],
    alias: [u8; 32],
    link: [u8; 32],
}

impl Secrets {
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        Self { master: random(entropy), pepper: random(entropy), alias: random(entropy), link: random(entropy) }
    }

    pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<Self, DirectoryError> {
        let mut text = read_secret(disk, path)?;
        let mut values = text.lines().zip(NAMES).map(|(line, name)| {
            let value = line.strip_prefix(name)?.strip_prefix(' ')?;
            <[u8; 32]>::try_from(hex::decode(value).ok()?).ok()
        });
        let mut next = || values.next().flatten();
        let secrets = (|| Some(Self { master: next()?, pepper: next()?, alias: next()?, link: next()? }))();
        let complete = text.lines().count() == NAMES.len();
        text.zeroize();
        secrets.filter(|_| complete).ok_or_else(|| DirectoryError::Secrets(path.display().to_string()))
    }

    pub(crate) fn to_text(&self) -> String {
        let values = [&self.master, &self.pepper, &self.alias, &self.link];
        let lines = NAMES.iter().zip(values).map(|(name, value)| [name, " ", &hex::encode(value), "\n"].concat());
        lines.collect()
    }

    pub(crate) fn private(&self) -> PrivateKeys {
        PrivateKeys::new(&self.pepper, &self.alias, &self.link)
    }
}
