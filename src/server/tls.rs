//! TLS: certificates from files, clients that show theirs, and a change of both while connections last.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        CertificateError, DigitallySignedStruct, DistinguishedName, Error as RustlsError, RootCertStore,
        ServerConfig, SignatureScheme,
        client::{danger::HandshakeSignatureValid, verify_server_name},
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
        server::{
            ParsedCertificate, WebPkiClientVerifier,
            danger::{ClientCertVerified, ClientCertVerifier},
        },
    },
};

use super::{
    Error, TlsFiles,
    tokens::{content, secret},
};

/// What a connection is greeted with.
#[derive(Debug)]
pub(super) struct Tls {
    files: TlsFiles,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files.
    pub(super) fn open(files: &TlsFiles) -> Result<Self, Error> {
        Ok(Self { files: files.clone(), config: RwLock::new(read(files)?) })
    }

    /// Reads the files again, for connections from now on. If that fails, nothing changes.
    pub(super) fn reload(&self) -> Result<(), Error> {
        let config = read(&self.files)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// An acceptor with what holds now.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, Error> {
    let TlsFiles { certificate, key, client_ca, client_names } = files;
    // Named and not looked up: a second provider in the process would make the look-up panic.
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder =
        builder.with_safe_default_protocol_versions().map_err(|source| unfit(certificate, source))?;
    let builder = match client_ca {
        Some(path) => builder.with_client_cert_verifier(verifier(path, client_names, provider)?),
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(certificates(certificate)?, private_key(key)?);
    let mut config = config.map_err(|source| unfit(certificate, source))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

fn unfit(path: &Path, source: RustlsError) -> Error {
    Error::Tls { path: path.to_owned(), source }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let (pem, _) = content(path)?;
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match parsed {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(Error::Content {
            path: path.to_owned(),
            what: "holds no certificate (PEM is expected)".to_owned(),
        }),
        Err(error) => Err(Error::Content { path: path.to_owned(), what: error.to_string() }),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let wrong =
        |error| Error::Content { path: path.to_owned(), what: format!("holds no private key: {error}") };
    PrivateKeyDer::from_pem_slice(&secret(path)?).map_err(wrong)
}

/// Whose certificates are good: signed by one of `path`, and with one of `names` if there are any.
fn verifier(
    path: &Path,
    names: &[String],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|source| unfit(path, source))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let wrong = |error: tokio_rustls::rustls::server::VerifierBuilderError| Error::Content {
        path: path.to_owned(),
        what: error.to_string(),
    };
    let names: Result<Vec<_>, _> = names.iter().map(|name| client_name(name)).collect();
    Ok(Arc::new(Named { names: names?, signed: verifier.map_err(wrong)? }))
}

fn client_name(name: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(name.to_owned()).map_err(|_| Error::ClientName(name.to_owned()))
}

/// Permits only certificates that hold one of a list of names, and leaves all else to who verifies signatures.
#[derive(Debug)]
struct Named {
    names: Vec<ServerName<'static>>,
    signed: Arc<dyn ClientCertVerifier>,
}

impl ClientCertVerifier for Named {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.signed.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, RustlsError> {
        let verified = self.signed.verify_client_cert(end_entity, intermediates, now)?;
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let listed = |name| verify_server_name(&certificate, name).is_ok();
        if self.names.is_empty() || self.names.iter().any(listed) {
            return Ok(verified);
        }
        Err(RustlsError::InvalidCertificate(CertificateError::NotValidForName))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        self.signed.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, RustlsError> {
        self.signed.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}
