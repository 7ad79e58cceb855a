//! TLS: certificates from PEM files, HTTP/2 only.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::ServeError;
use crate::directory::Tls;

fn at(path: &Path) -> impl Fn(String) -> ServeError {
    let path = path.display().to_string();
    move |why| ServeError::Certificates { path: path.clone(), why }
}

fn read(path: &Path) -> Result<Vec<u8>, ServeError> {
    std::fs::read(path).map_err(|error| ServeError::File { path: path.display().to_string(), error })
}

/// The certificates of a PEM file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    let found = found.map_err(|error| at(path)(error.to_string()))?;
    if found.is_empty() {
        return Err(at(path)("expected certificates in PEM, found none (are certificate and key swapped?)".to_owned()));
    }
    Ok(found)
}

/// Checks that a node can serve with these files.
pub fn check(tls: &Tls) -> Result<(), ServeError> {
    acceptor(tls).map(drop)
}

/// An acceptor for TLS connections with these files.
pub(super) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, ServeError> {
    let chain = certificates(&tls.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&read(&tls.key)?).map_err(|error| {
        let found = match error {
            pem::Error::NoItemsFound => "none".to_owned(),
            other => other.to_string(),
        };
        at(&tls.key)(format!("expected a private key in PEM, found {found} (are certificate and key swapped?)"))
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let config = config.map_err(|error| at(&tls.certificate)(error.to_string()))?;
    let config = match &tls.client_ca {
        None => config.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| at(path)(error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            config.with_client_cert_verifier(verifier.map_err(|error| at(path)(error.to_string()))?)
        }
    };
    let mut config = config.with_single_cert(chain, key).map_err(|error| {
        at(&tls.certificate)(match error {
            rustls::Error::InconsistentKeys(_) => {
                format!("its first certificate is not for the key in {}", tls.key.display())
            }
            other => other.to_string(),
        })
    })?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
