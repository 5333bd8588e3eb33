//! A connection to the host of an address, encrypted or not.

use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

use hyper::Uri;
use tokio_rustls::rustls::ClientConfig;

use crate::config::provider::is_encrypted;
pub(crate) use crate::tls::Socket;
use crate::tls::connect;

/// Connects to the host of an address.
pub(crate) async fn dial(
    address: &Uri,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<Box<dyn Socket>> {
    let host = address.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let encrypted = is_encrypted(address);
    let port = address.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
    if encrypted && tls.is_none() {
        return Err(Error::new(ErrorKind::Unsupported, "TLS is not set up"));
    }
    connect(host, port, tls.filter(|_| encrypted)).await
}
