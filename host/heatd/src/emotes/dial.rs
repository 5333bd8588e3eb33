//! A connection to a provider, encrypted or not.

use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

use hyper::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::config::provider::is_encrypted;

/// A socket, encrypted or not.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for S {}

/// Connects to the host of an address.
pub(super) async fn dial(
    address: &Uri,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<Box<dyn Socket>> {
    let host = address.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let encrypted = is_encrypted(address);
    let port = address.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    if !encrypted {
        return Ok(Box::new(stream));
    }
    let tls = tls.ok_or_else(|| Error::new(ErrorKind::Unsupported, "TLS is not set up"))?;
    let name = ServerName::try_from(host.to_owned()).map_err(Error::other)?;
    Ok(Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?))
}
