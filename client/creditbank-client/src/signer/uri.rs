//! `pkcs11:` URIs (RFC 7512), as far as a signing key needs them.

use std::fmt;
use std::path::PathBuf;

/// Where a key is behind PKCS#11. Never holds a PIN: that comes from a file or the environment.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Pkcs11Uri {
    pub(super) text: String,
    pub(super) token: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) object: Option<String>,
    pub(super) id: Option<Vec<u8>>,
    /// The library of the token's maker.
    pub(super) module: Option<PathBuf>,
    /// A file with the PIN.
    pub(super) pin_source: Option<PathBuf>,
    /// It came with a PIN in clear, and is refused when it is opened: whoever refuses it here repeats it.
    pub(super) shows_pin: bool,
}

impl fmt::Display for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|digits| hex::decode(digits).ok());
        bytes.extend(digits.ok_or_else(|| format!("{text:?}: expected two hexadecimal digits after %"))?);
        rest = &after[2..];
    }
    Ok(bytes)
}

fn decode_text(text: &str) -> Result<String, String> {
    String::from_utf8(decode(text)?).map_err(|_| format!("{text:?} is not UTF-8"))
}

/// `name=value` parts; each name once.
fn parts<'a>(
    text: &'a str,
    separator: char,
    mut set: impl FnMut(&'a str, &'a str) -> Result<(), String>,
) -> Result<(), String> {
    let mut seen: Vec<&str> = Vec::new();
    for part in text.split(separator).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("{part:?}: expected NAME=VALUE"))?;
        if seen.contains(&name) {
            return Err(format!("{name} stands twice"));
        }
        seen.push(name);
        set(name, value)?;
    }
    Ok(())
}

impl Pkcs11Uri {
    /// Reads `pkcs11:token=...;object=...?module-path=...&pin-source=file:/...`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("pkcs11:").ok_or("expected pkcs11: and what finds the key")?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self { text: text.to_owned(), ..Self::default() };
        parts(path, ';', |name, value| {
            match name {
                "token" => uri.token = Some(decode_text(value)?),
                "serial" => uri.serial = Some(decode_text(value)?),
                "object" => uri.object = Some(decode_text(value)?),
                "id" => uri.id = Some(decode(value)?),
                "type" if value == "private" => {}
                _ => return Err(format!("{name}: expected token, serial, object, id or type=private")),
            }
            Ok(())
        })?;
        parts(query, '&', |name, value| {
            match name {
                "module-path" => uri.module = Some(decode_text(value)?.into()),
                "pin-source" => {
                    let source = decode_text(value)?;
                    let path = source.strip_prefix("file:").unwrap_or(&source);
                    let path = path.strip_prefix("//").unwrap_or(path);
                    if !path.starts_with('/') {
                        return Err("pin-source: expected file:/PATH".to_owned());
                    }
                    uri.pin_source = Some(path.into());
                }
                "pin-value" => {
                    uri.text = uri.text.replace(&format!("pin-value={value}"), "pin-value=...");
                    uri.shows_pin = true;
                }
                _ => return Err(format!("{name}: expected module-path or pin-source")),
            }
            Ok(())
        })?;
        if uri.object.is_none() && uri.id.is_none() {
            return Err("expected object=LABEL or id=%HH of the key".to_owned());
        }
        Ok(uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what RFC 7512 says is read; misspelt names are refused, and no PIN is repeated.
    #[test]
    fn uris() {
        let text = "pkcs11:token=My%20token;object=unit;id=%01%aB;type=private?module-path=/usr/lib/p.so&pin-source=file:/run/pin";
        let uri = Pkcs11Uri::parse(text).expect("an URI");
        assert_eq!((uri.token.as_deref(), uri.object.as_deref()), (Some("My token"), Some("unit")));
        assert_eq!(uri.id, Some(vec![1, 0xab]));
        assert_eq!(uri.module, Some("/usr/lib/p.so".into()));
        assert_eq!(uri.pin_source, Some("/run/pin".into()));
        assert_eq!(uri.to_string(), text);
        for (odd, expected) in [
            ("pkcs11:", "object="),
            ("pkcs11:token=a", "object="),
            ("pkcs11:object=a;object=b", "twice"),
            ("pkcs11:objekt=a", "objekt"),
            ("pkcs11:object=%zz", "hexadecimal"),
            ("pkcs11:object=%e", "hexadecimal"),
            ("pkcs11:object=%ff", "UTF-8"),
            ("pkcs11:object=a?pin-source=pin", "file:/PATH"),
            ("pkcs11:object=a;type=cert", "type"),
            ("file", "pkcs11:"),
        ] {
            let error = Pkcs11Uri::parse(odd).err().unwrap_or_default();
            assert!(error.contains(expected), "{odd}: {error}");
        }
        let uri = Pkcs11Uri::parse("pkcs11:object=a?pin-value=98765").expect("refused when it is opened");
        assert_eq!((uri.to_string().as_str(), uri.shows_pin), ("pkcs11:object=a?pin-value=...", true));
    }
}
