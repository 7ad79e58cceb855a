//! Keys in a token (a smart card, an HSM) behind PKCS#11: the private key never leaves it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use creditbank_protocol::hash::Preimage;
use creditbank_protocol::key::verify;
use creditbank_protocol::pb::Purpose;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::uri::Pkcs11Uri;
use super::{Signer, derive};
use crate::ClientError;

/// The library of the token's maker, where the URI names none.
pub(super) const MODULE_VARIABLE: &str = "CREDITBANK_PKCS11_MODULE";
/// The PIN, where the URI names no file with it.
pub(super) const PIN_VARIABLE: &str = "CREDITBANK_PKCS11_PIN";
/// What is signed for the unit's secret: no message of the protocol begins so.
const SECRET_TAG: &str = "creditbank/v1/unit-secret";
/// 1.3.101.112, Ed25519 (RFC 8410).
const ED25519_OID: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];

/// A key in a token.
pub(super) struct TokenKey {
    purpose: Purpose,
    public_key: [u8; 32],
    private: ObjectHandle,
    session: Mutex<Session>,
    shown: String,
}

/// Finds tokens and keys by one URI.
struct Finder<'a>(&'a Pkcs11Uri);

impl Finder<'_> {
    fn wrong(&self, what: impl std::fmt::Display) -> ClientError {
        ClientError::Local(format!("{}: {what}", self.0))
    }

    fn failed(&self, doing: &str) -> impl Fn(Error) -> ClientError + '_ {
        let doing = doing.to_owned();
        move |error| self.wrong(format!("{doing}: {error}"))
    }

    fn session(&self, writing: bool) -> Result<Session, ClientError> {
        // Everybody on the machine can read the arguments of a command.
        if self.0.shows_pin {
            let what = "pin-value shows the PIN to everybody on this machine: use pin-source=file:/PATH, or";
            return Err(self.wrong(format!("{what} {PIN_VARIABLE}")));
        }
        let module = self.0.module.clone().or_else(|| std::env::var_os(MODULE_VARIABLE).map(PathBuf::from));
        let module = module.ok_or_else(|| {
            self.wrong(format!("name the token's library: ?module-path=/PATH.so, or {MODULE_VARIABLE}"))
        })?;
        let context = Pkcs11::new(&module).map_err(self.failed(&format!("the library {}", module.display())))?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // Another key of this process is behind the same library.
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(self.failed("the library does not start")(error)),
        }
        let slot = self.slot(&context)?;
        let opened = if writing { context.open_rw_session(slot) } else { context.open_ro_session(slot) };
        let session = opened.map_err(self.failed("no session with the token"))?;
        match session.login(UserType::User, Some(&self.pin()?)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => Err(self.failed("the token does not take the PIN")(error)),
        }
    }

    fn slot(&self, context: &Pkcs11) -> Result<Slot, ClientError> {
        let mut found = Vec::new();
        let mut others = Vec::new();
        for slot in context.get_slots_with_token().map_err(self.failed("the tokens"))? {
            let Ok(token) = context.get_token_info(slot) else { continue };
            let fits =
                |expected: &Option<String>, found: &str| expected.as_ref().is_none_or(|text| text == found.trim_end());
            if fits(&self.0.token, token.label())
                && fits(&self.0.serial, token.serial_number())
                && token.token_initialized()
            {
                found.push(slot);
            } else {
                others.push(token.label().trim_end().to_owned());
            }
        }
        match found[..] {
            [slot] => Ok(slot),
            [] => Err(self.wrong(format!("no such token; there are {others:?}"))),
            _ => Err(self.wrong(format!("{} tokens fit: name one by token= or serial=", found.len()))),
        }
    }

    fn pin(&self) -> Result<AuthPin, ClientError> {
        let Some(path) = &self.0.pin_source else {
            let pin = std::env::var(PIN_VARIABLE);
            let missing = || format!("the PIN: name a file with it (&pin-source=file:/PATH), or set {PIN_VARIABLE}");
            return pin.map(AuthPin::from).map_err(|_| self.wrong(missing()));
        };
        let at = |error| ClientError::File { path: path.display().to_string(), error };
        let mode = std::fs::metadata(path).map_err(at)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let what = format!("{} has mode {mode:o}: a PIN must be its owner's alone (chmod 600)", path.display());
            return Err(ClientError::Local(what));
        }
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(at)?);
        Ok(AuthPin::from(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn template(&self, class: ObjectClass) -> Vec<Attribute> {
        let mut template = vec![Attribute::Class(class), Attribute::KeyType(KeyType::EC_EDWARDS)];
        template.extend(self.0.object.iter().map(|label| Attribute::Label(label.as_bytes().to_vec())));
        template.extend(self.0.id.iter().map(|id| Attribute::Id(id.clone())));
        template
    }

    fn find(&self, session: &Session, class: ObjectClass, what: &str) -> Result<ObjectHandle, ClientError> {
        let found = session.find_objects(&self.template(class)).map_err(self.failed(what))?;
        match found[..] {
            [key] => Ok(key),
            [] => Err(self.wrong(format!("the token has no such {what} for Ed25519"))),
            _ => Err(self.wrong(format!("{} such {what}s: name one by object= and id=", found.len()))),
        }
    }

    fn public_key(&self, session: &Session) -> Result<[u8; 32], ClientError> {
        let key = self.find(session, ObjectClass::PUBLIC_KEY, "public key")?;
        let read = session.get_attributes(key, &[AttributeType::EcPoint]).map_err(self.failed("the public key"))?;
        let point = read.into_iter().find_map(|attribute| match attribute {
            Attribute::EcPoint(point) => Some(point),
            _ => None,
        });
        let point = point.unwrap_or_default();
        // Some tokens wrap the 32 bytes into an octet string (DER), some do not.
        let bytes = if point.len() == 34 { point.strip_prefix(&[0x04, 0x20]) } else { Some(&point[..]) };
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.ok_or_else(|| self.wrong(format!("the public key has {} bytes, expected 32", point.len())))
    }
}

impl TokenKey {
    pub(super) fn open(uri: &Pkcs11Uri, purpose: Purpose) -> Result<Self, ClientError> {
        let finder = Finder(uri);
        let session = finder.session(false)?;
        let private = finder.find(&session, ObjectClass::PRIVATE_KEY, "private key")?;
        let public_key = finder.public_key(&session)?;
        Ok(Self { purpose, public_key, private, session: Mutex::new(session), shown: uri.to_string() })
    }

    /// Makes a key pair in the token. The private key cannot be read out of it.
    pub(super) fn generate(uri: &Pkcs11Uri, purpose: Purpose) -> Result<Self, ClientError> {
        let finder = Finder(uri);
        let session = finder.session(true)?;
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            let found = session.find_objects(&finder.template(class)).map_err(finder.failed("the token"))?;
            if !found.is_empty() {
                return Err(
                    finder.wrong("the token has such a key, and it is not replaced: choose another object= or id=")
                );
            }
        }
        let named = || {
            let label = uri.object.iter().map(|label| Attribute::Label(label.as_bytes().to_vec()));
            let id = uri.id.iter().map(|id| Attribute::Id(id.clone()));
            label.chain(id).chain([Attribute::Token(true)])
        };
        let public: Vec<_> = named()
            .chain([Attribute::Private(false), Attribute::Verify(true), Attribute::EcParams(ED25519_OID.to_vec())])
            .collect();
        let private: Vec<_> = named()
            .chain([
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Sign(true),
            ])
            .collect();
        session
            .generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private)
            .map_err(finder.failed("the token makes no Ed25519 key"))?;
        drop(session);
        Self::open(uri, purpose)
    }
}

impl Signer for TokenKey {
    fn purpose(&self) -> Purpose {
        self.purpose
    }

    fn public_key(&self) -> [u8; 32] {
        self.public_key
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], ClientError> {
        let wrong = |what: &dyn std::fmt::Display| ClientError::Local(format!("{}: {what}", self.shown));
        let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let signed = session.sign(&mechanism, self.private, message);
        drop(session);
        let signature = signed.map_err(|error| wrong(&format!("the token does not sign: {error}")))?;
        // A token that is misconfigured, as for a prehash, would make blocks that every node refuses.
        verify(&self.public_key, message, &signature)
            .map_err(|error| wrong(&format!("the token's answer: {error}")))?;
        signature.try_into().map_err(|_| wrong(&"the token's signature is not 64 bytes"))
    }

    /// Ed25519 signatures are the same at every call (RFC 8032), and only the token can make them: one over a message that is
    /// used for nothing else serves as the secret. A token that adds randomness cannot be used so, and is found out.
    fn secret(&self) -> Result<[u8; 32], ClientError> {
        let message = Preimage::new(SECRET_TAG).fixed(&self.public_key);
        let (first, second) = (self.sign(message.as_bytes())?, self.sign(message.as_bytes())?);
        if first != second {
            let what = "the token's signatures differ from call to call, so that a repeat would not be the same record";
            return Err(ClientError::Local(format!("{}: {what}", self.shown)));
        }
        let key = std::array::from_fn(|i| first[32 + i]);
        Ok(derive(&key, &[b"creditbank unit secret", &first]))
    }
}
