//! TLS for a new node: the operator's certificates, or a self-signed one for trials.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use creditbank_server::directory::Tls;
use creditbank_server::serve::ServerName;
use creditbank_store::Disk;
use rcgen::{CertificateParams, DnType, KeyPair};
use zeroize::Zeroizing;

use crate::failure::Usage;

/// Where the self-signed certificate is, in the node's directory.
pub(crate) const CERTIFICATE: &str = "keys/tls-cert.pem";
const KEY: &str = "keys/tls-key.pem";

/// `CERT,KEY`: two files that are there.
pub(crate) fn pair(text: &str) -> Result<(PathBuf, PathBuf), String> {
    let expected = || "expected two files with a comma between them, as chain.pem,key.pem".to_owned();
    let (certificate, key) = text.split_once(',').ok_or_else(expected)?;
    let file = |name: &str| {
        let path = std::path::absolute(name).map_err(|_| expected())?;
        if path.is_file() { Ok(path) } else { Err(format!("expected a file, found none: {}", path.display())) }
    };
    Ok((file(certificate)?, file(key)?))
}

/// The files of a self-signed certificate.
pub(crate) fn self_signed() -> Tls {
    Tls { certificate: CERTIFICATE.into(), key: KEY.into(), client_ca: None }
}

/// A self-signed certificate for a host name or address, and its key, in PEM.
pub(crate) fn sign_self(host: &str) -> anyhow::Result<(String, Zeroizing<String>)> {
    let wrong = |error: &dyn std::fmt::Display| {
        Usage(format!(
            "--tls-self-signed {host:?}: expected a host name or address, as node.example or 192.0.2.1: {error}"
        ))
    };
    // Clients compare it with the name that they call, so a name that cannot be called is of no use.
    ServerName::try_from(host).map_err(|error| wrong(&error))?;
    let mut params = CertificateParams::new(vec![host.to_owned()]).map_err(|error| wrong(&error))?;
    params.distinguished_name.push(DnType::CommonName, host);
    let key = KeyPair::generate().context("a key for TLS")?;
    let certificate = params.self_signed(&key).map_err(|error| wrong(&error))?;
    Ok((certificate.pem(), Zeroizing::new(key.serialize_pem())))
}

/// Writes both into the directory of a node.
pub(crate) fn write(disk: &dyn Disk, dir: &Path, certificate: &str, key: &str) -> anyhow::Result<()> {
    for (name, text) in [(KEY, key), (CERTIFICATE, certificate)] {
        let path = dir.join(name);
        disk.replace(&path, text.as_bytes()).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
