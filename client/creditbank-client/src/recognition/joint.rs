//! Awards that several institutions confer: the text that one of them sends, and that each of the others signs.
//!
//! What is signed is the award's core: everything that it says, without mandate and signatures. Whoever signs reads it from the
//! very bytes. It holds personal data: mode 0600.

use std::fs;
use std::path::Path;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::canonical::{decode, encode};
use creditbank_protocol::key::{KeyId, verify};
use creditbank_protocol::mandate::{core, joint_message};
use creditbank_protocol::once::SALT_LEN;
use creditbank_protocol::pb::{Award, CoSignature, Kind};
use serde::{Deserialize, Serialize};

use crate::secret::random;
use crate::{ClientError, Signer, validity};

/// Most bytes of a file that is read: an award is smaller.
const LEN_MAX: u64 = 4 << 20;

/// An award on its way between those who confer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JointAward {
    /// The log.
    pub origin: String,
    /// Who seals it.
    pub institution: u64,
    /// In hexadecimal: what everybody signs.
    pub core: String,
    /// Those who have.
    pub signatures: Vec<Signed>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Whose.
    pub institution: u64,
    /// 32 bytes in hexadecimal: a key of one of its units.
    pub public_key: String,
    /// 64 bytes in hexadecimal.
    pub signature: String,
    /// Last minute of the signature, since 1970. Signed.
    pub until_minute: u64,
    /// 16 random bytes in hexadecimal. Signed.
    pub salt: String,
}

fn wrong(what: impl std::fmt::Display) -> ClientError {
    ClientError::Local(format!("joint award: {what}"))
}

fn bytes<const LEN: usize>(text: &str, what: &str) -> Result<[u8; LEN], ClientError> {
    let read = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    read.ok_or_else(|| wrong(format_args!("{what}: expected {LEN} bytes in hexadecimal")))
}

impl JointAward {
    /// The text of an award that is complete but for mandate and signatures.
    pub fn of(origin: &str, institution: InstitutionId, award: &Award) -> Result<Self, ClientError> {
        let core = core(Kind::Award, &encode(award).map_err(wrong)?).map_err(wrong)?;
        Ok(Self {
            origin: origin.to_owned(),
            institution: institution.0,
            core: hex::encode(core),
            signatures: Vec::new(),
        })
    }

    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        let at = |error| ClientError::File { path: path.display().to_string(), error };
        if fs::metadata(path).map_err(at)?.len() > LEN_MAX {
            return Err(wrong("expected a file of at most 4 MiB"));
        }
        serde_json::from_str(&fs::read_to_string(path).map_err(at)?).map_err(wrong)
    }

    fn core(&self) -> Result<Vec<u8>, ClientError> {
        hex::decode(&self.core).map_err(|_| wrong("core: expected hexadecimal"))
    }

    /// The award that is signed, without mandate and signatures.
    pub fn award(&self) -> Result<Award, ClientError> {
        let core = self.core()?;
        let award: Award = decode(&core).map_err(wrong)?;
        if award.mandate.is_some() || !award.cosignatures.is_empty() {
            return Err(wrong("expected an award without mandate and signatures"));
        }
        Ok(award)
    }

    /// Adds the signature of an institution until a minute, by a key of one of its units; one that it has given
    /// before is
    /// replaced.
    pub fn sign(&mut self, institution: InstitutionId, key: &dyn Signer, until_minute: u64) -> Result<(), ClientError> {
        if institution.0 == self.institution {
            return Err(wrong(format_args!("institution {institution} seals the award and does not sign it before")));
        }
        let salt = random::<SALT_LEN>()?;
        let bare = CoSignature { institution: institution.0, until_minute, salt: salt.to_vec(), ..Default::default() };
        let message = joint_message(&self.origin, self.institution.into(), &self.core()?, &bare);
        let signed = Signed {
            institution: institution.0,
            public_key: hex::encode(key.public_key()),
            signature: hex::encode(key.sign(message.as_bytes())?),
            until_minute,
            salt: hex::encode(salt),
        };
        self.signatures.retain(|one| one.institution != institution.0);
        self.signatures.push(signed);
        self.signatures.sort_by_key(|one| one.institution);
        Ok(())
    }

    /// The award with all signatures, each of which is right and has not ended.
    pub fn signed(&self) -> Result<Award, ClientError> {
        let (award, core) = (self.award()?, self.core()?);
        let mut cosignatures = Vec::new();
        for one in &self.signatures {
            let key = bytes::<32>(&one.public_key, "public_key")?;
            let signature = bytes::<64>(&one.signature, "signature")?;
            let of = one.institution;
            let bare = CoSignature {
                institution: of,
                key_id: KeyId::of(&key).0.to_vec(),
                signature: signature.to_vec(),
                salt: bytes::<SALT_LEN>(&one.salt, "salt")?.to_vec(),
                until_minute: one.until_minute,
            };
            let message = joint_message(&self.origin, self.institution.into(), &core, &bare);
            verify(&key, message.as_bytes(), &signature)
                .map_err(|_| wrong(format_args!("the signature of institution {of} is not over this award")))?;
            if validity::is_over(one.until_minute) {
                let ended = validity::shown(one.until_minute);
                let text = "has ended at";
                return Err(wrong(format_args!(
                    "the signature of institution {of} {text} {ended}: ask it to sign again"
                )));
            }
            cosignatures.push(bare);
        }
        cosignatures.sort_by_key(|one| one.institution);
        Ok(Award { cosignatures, ..award })
    }
}

#[cfg(test)]
mod tests {
    use creditbank_protocol::key_file::KeyFile;
    use creditbank_protocol::pb::Purpose;
    use ed25519_dalek::SigningKey;

    use super::*;

    /// Goal: signatures are over the award without its mandate, in the order of the institutions, and of an altered award none holds.
    #[test]
    fn an_altered_award_is_not_signed() {
        let key = |seed| KeyFile { purpose: Purpose::Unit, key: SigningKey::from_bytes(&[seed; 32]) };
        let award = Award { learner: vec![7; 16], classification: "first class".to_owned(), ..Default::default() };
        let mut joint = JointAward::of("o.example", 1.into(), &award).expect("a text");
        let until = validity::last_minute(7);
        joint.sign(3.into(), &key(3), until).expect("signed");
        joint.sign(2.into(), &key(9), 0).expect("signed");
        assert!(joint.signed().expect_err("it has ended").to_string().contains("ask it to sign again"));
        joint.sign(2.into(), &key(2), until).expect("signed again");
        assert!(joint.sign(1.into(), &key(1), until).is_err(), "whoever seals");
        let signed = joint.signed().expect("both hold");
        assert_eq!(signed.cosignatures.iter().map(|one| one.institution).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(Award { cosignatures: Vec::new(), ..signed }, award);
        let other = Award { classification: "second class".to_owned(), ..award };
        let altered = JointAward { core: JointAward::of("o.example", 1.into(), &other).expect("a text").core, ..joint };
        assert!(altered.signed().expect_err("altered").to_string().contains("institution 2"));
    }
}
