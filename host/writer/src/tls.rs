//! Encryption: whom to trust.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The configuration for a broker: trusts the given authority, or those of the system.
pub(crate) fn config(host: &str, ca: Option<&Path>) -> Result<ClientConfig> {
    ServerName::try_from(host)
        .with_context(|| format!("`{host}` is no name that a certificate can be for"))?;
    let roots = match ca {
        Some(path) => roots_in(path)?,
        None => system_roots()?,
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("failed to set up tls")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn roots_in(path: &Path) -> Result<RootCertStore> {
    let shown = path.display();
    let pem = fs::read(path).with_context(|| format!("failed to read {shown}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.with_context(|| format!("{shown} is no PEM file"))?;
        roots.add(certificate).with_context(|| format!("{shown} holds a broken certificate"))?;
    }
    if roots.is_empty() {
        bail!("{shown} holds no certificate; it must be a PEM file with `BEGIN CERTIFICATE`");
    }
    Ok(roots)
}

/// A few certificates of a system are always odd; those that can be read are enough.
fn system_roots() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        bail!("this system has no certificate authorities; name one with `ca`");
    }
    Ok(roots)
}
