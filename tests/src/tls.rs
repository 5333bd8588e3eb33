//! An authority and a server certificate of its own, for a server on this machine. Made by the `openssl` program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::processes;

/// What the certificate is valid for: every way in which a test may name this machine.
const NAMES: &str = "DNS:localhost,IP:127.0.0.1";

/// What else stands in it.
const USES: &str = "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n";

/// What `openssl ca` wants to be told; it alone makes certificates of the past.
const AUTHORITY: &str = "[ca]\ndefault_ca=own\n[own]\nnew_certs_dir=.\ndatabase=index.txt\nserial=authority.srl\ndefault_md=sha256\npolicy=any\n\
                         certificate=authority.pem\nprivate_key=authority-key.pem\n[any]\ncommonName=supplied\n";

/// Files in PEM form, in a folder that goes when this is dropped.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Makes a new authority and a certificate that it has signed.
    pub fn new() -> Result<Self> {
        Self::make(NAMES, None)
    }

    /// The same for a server of another name.
    pub fn of_another_name() -> Result<Self> {
        Self::make("DNS:elsewhere.example", None)
    }

    /// The same, and the certificate has expired.
    pub fn expired() -> Result<Self> {
        Self::make(NAMES, Some(("20200101000000Z", "20200201000000Z")))
    }

    fn make(names: &str, time: Option<(&str, &str)>) -> Result<Self> {
        let certificates = Self { folder: tempfile::tempdir()? };
        certificates.write(names, time).context("failed to make certificates")?;
        Ok(certificates)
    }

    /// What clients must trust.
    pub fn authority(&self) -> PathBuf {
        self.path("authority.pem")
    }

    /// What the server shows.
    pub fn server(&self) -> PathBuf {
        self.path("server.pem")
    }

    /// The server's private key.
    pub fn server_key(&self) -> PathBuf {
        self.path("server-key.pem")
    }

    fn write(&self, names: &str, time: Option<(&str, &str)>) -> Result<()> {
        fs::write(self.path("names.conf"), format!("subjectAltName={names}\n{USES}"))?;
        let new_key = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        let authority = "-x509 -days 30 -subj /CN=heat-tests-authority -keyout authority-key.pem -out authority.pem";
        self.openssl(&format!("{new_key} {authority}"))?;
        self.openssl(&format!(
            "{new_key} -subj /CN=localhost -keyout server-key.pem -out server.csr"
        ))?;
        if let Some((from, to)) = time {
            fs::write(self.path("ca.conf"), AUTHORITY)?;
            fs::write(self.path("index.txt"), "")?;
            return self.openssl(&format!(
                "ca -batch -notext -config ca.conf -create_serial -extfile names.conf -startdate {from} -enddate {to} -in server.csr -out server.pem"
            ));
        }
        self.openssl(
            "x509 -req -in server.csr -CA authority.pem -CAkey authority-key.pem -CAcreateserial -days 30 \
             -extfile names.conf -out server.pem",
        )
    }

    fn openssl(&self, arguments: &str) -> Result<()> {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments.split_whitespace()).current_dir(self.folder.path());
        processes::run(openssl, &[]).map(drop)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where all the files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_vouches_for_the_server() -> Result<()> {
        let certificates = Certificates::new()?;
        let mut verify = Command::new("openssl");
        verify.args(["verify", "-verify_ip", "127.0.0.1", "-CAfile"]);
        verify.arg(certificates.authority()).arg(certificates.server());
        assert!(String::from_utf8_lossy(&processes::run(verify, &[])?.stdout).contains("OK"));
        Ok(())
    }
}
