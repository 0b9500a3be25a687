//! What every subcommand that connects to a server has in common: encryption and tokens.

use std::path::PathBuf;

use super::report::{Exit, Failure};
use crate::client::{CredentialFiles, Target};

/// How a server is believed, and how it believes us.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct Connect {
    /// Believe servers that these certificates (PEM) vouch for, in place of the system's
    #[arg(long, value_name = "FILE", env = "BRINE_TLS_CA")]
    tls_ca: Option<PathBuf>,
    /// Show the server this certificate (PEM)
    #[arg(long, value_name = "FILE", env = "BRINE_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", env = "BRINE_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Send the token of this file with each call; other users must not be able to read it
    #[arg(long, value_name = "FILE", env = "BRINE_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

impl Connect {
    /// `target`, spoken to as the options say.
    pub(super) fn to(&self, target: Target) -> Result<Target, Failure> {
        let files = CredentialFiles {
            ca: self.tls_ca.clone(),
            identity: self.tls_cert.clone().zip(self.tls_key.clone()),
            token: self.token_file.clone(),
        };
        if files == CredentialFiles::default() {
            return Ok(target);
        }
        target.with_credentials(&files).map_err(|error| Failure::new(Exit::Usage, error))
    }
}
