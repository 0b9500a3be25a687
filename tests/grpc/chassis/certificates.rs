//! TLS with certificates of every kind, as a client meets it.

use std::{
    fs,
    future::Future,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use brine::server::{Config, TlsFiles};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    },
};
use tonic::transport::{Channel, Endpoint, Uri};

use super::{Server, call, connections::until_closed};

/// Somebody who signs.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn sign(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Identity { certificate, key: key.serialize_pem() }
    }

    fn good(&self, name: &str) -> Identity {
        self.sign(name, |_| {})
    }

    fn expired(&self, name: &str) -> Identity {
        self.sign(name, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }
}

/// Where the server reads its files.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new(server: &Identity) -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        files.write(server);
        files
    }

    fn write(&self, server: &Identity) {
        fs::write(self.path("server.pem"), &server.certificate).unwrap();
        fs::write(self.path("server.key"), &server.key).unwrap();
        fs::set_permissions(self.path("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn tls(&self) -> TlsFiles {
        TlsFiles { certificate: self.path("server.pem"), key: self.path("server.key"), ..TlsFiles::default() }
    }

    fn mutual(&self, authority: &Authority, names: &[&str]) -> TlsFiles {
        fs::write(self.path("ca.pem"), &authority.pem).unwrap();
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        TlsFiles { client_ca: Some(self.path("ca.pem")), client_names: names, ..self.tls() }
    }
}

async fn serving(tls: TlsFiles) -> Server {
    Server::start(|config| config.tls = Some(tls)).await
}

/// A client that trusts `authority` and expects `host`.
#[derive(Clone)]
struct Connector {
    tls: TlsConnector,
    host: ServerName<'static>,
}

impl Connector {
    fn new(authority: &Authority, host: &str, identity: Option<&Identity>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let mut config = match identity {
            Some(Identity { certificate, key }) => {
                let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self { tls: TlsConnector::from(Arc::new(config)), host: host.to_owned().try_into().unwrap() }
    }

    /// One call over a connection of its own.
    async fn echo(self, server: &Server) -> Result<(), String> {
        let channel = self.connect(server).await?;
        call(&channel, "Echo", &[]).await.map(drop).map_err(|status| chain(&status))
    }

    async fn connect(self, server: &Server) -> Result<Channel, String> {
        let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
        endpoint.connect_with_connector(self).await.map_err(|error| chain(&error))
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { tls, host } = self.clone();
        Box::pin(async move {
            let stream = TcpStream::connect(uri.authority().unwrap().as_str()).await?;
            Ok(TokioIo::new(tls.connect(host, stream).await?))
        })
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn calls_are_encrypted_and_the_server_proves_its_name() {
    let authority = Authority::new();
    let files = Files::new(&authority.good("embeddings.test"));
    let server = serving(files.tls()).await;
    Connector::new(&authority, "embeddings.test", None).echo(&server).await.unwrap();
    let said = Connector::new(&authority, "other.test", None).echo(&server).await.unwrap_err();
    assert!(said.contains("not valid for name"), "{said}");
    let stranger = Authority::new();
    let said = Connector::new(&stranger, "embeddings.test", None).echo(&server).await.unwrap_err();
    assert!(said.contains("invalid peer certificate"), "{said}");
}

#[tokio::test]
async fn a_server_whose_certificate_has_expired_is_not_trusted() {
    let authority = Authority::new();
    let files = Files::new(&authority.expired("embeddings.test"));
    let server = serving(files.tls()).await;
    let said = Connector::new(&authority, "embeddings.test", None).echo(&server).await.unwrap_err();
    assert!(said.contains("expired"), "{said}");
}

#[tokio::test]
async fn a_client_needs_a_certificate_with_a_name_on_the_list() {
    let authority = Authority::new();
    let files = Files::new(&authority.good("embeddings.test"));
    let server = serving(files.mutual(&authority, &["loader.test", "10.0.0.7"])).await;
    let come = |identity: Option<Identity>| {
        let connector = Connector::new(&authority, "embeddings.test", identity.as_ref());
        connector.echo(&server)
    };
    come(Some(authority.good("loader.test"))).await.unwrap();
    come(Some(authority.good("10.0.0.7"))).await.unwrap();
    assert!(come(None).await.is_err());
    assert!(come(Some(authority.good("other.test"))).await.is_err());
    assert!(come(Some(authority.expired("loader.test"))).await.is_err());
    assert!(come(Some(Authority::new().good("loader.test"))).await.is_err());
}

#[tokio::test]
async fn without_a_list_any_name_will_do() {
    let authority = Authority::new();
    let files = Files::new(&authority.good("embeddings.test"));
    let server = serving(files.mutual(&authority, &[])).await;
    let anybody = authority.good("anybody.test");
    Connector::new(&authority, "embeddings.test", Some(&anybody)).echo(&server).await.unwrap();
    assert!(Connector::new(&authority, "embeddings.test", None).echo(&server).await.is_err());
}

#[tokio::test]
async fn certificates_change_while_connections_last() {
    let (old, new) = (Authority::new(), Authority::new());
    let files = Files::new(&old.good("embeddings.test"));
    let server = serving(files.tls()).await;
    let before = Connector::new(&old, "embeddings.test", None);
    let lasting = before.clone().connect(&server).await.unwrap();
    call(&lasting, "Echo", &[]).await.unwrap();
    files.write(&new.good("embeddings.test"));
    server.reload.now().unwrap();
    Connector::new(&new, "embeddings.test", None).echo(&server).await.unwrap();
    assert!(before.echo(&server).await.is_err());
    call(&lasting, "Echo", &[]).await.unwrap();
    fs::write(files.path("server.pem"), "nothing").unwrap();
    assert!(server.reload.now().unwrap_err().to_string().contains("holds no certificate"));
    Connector::new(&new, "embeddings.test", None).echo(&server).await.unwrap();
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_is_cut() {
    let authority = Authority::new();
    let files = Files::new(&authority.good("embeddings.test"));
    let server = Server::start(|config| {
        config.tls = Some(files.tls());
        config.patience.handshake = Duration::from_millis(200);
    })
    .await;
    let mut slow = Vec::new();
    for _ in 0..40 {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        // The beginning of a greeting that never comes.
        socket.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
        slow.push(socket);
    }
    Connector::new(&authority, "embeddings.test", None).echo(&server).await.unwrap();
    for socket in slow {
        until_closed(socket).await;
    }
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    until_closed(plain).await;
}

#[tokio::test]
async fn files_that_do_not_fit_keep_the_server_from_starting() {
    let authority = Authority::new();
    let files = Files::new(&authority.good("embeddings.test"));
    let said = |tls: TlsFiles| async {
        let config = Config { tls: Some(tls), ..Config::new("127.0.0.1:0") };
        chain(&config.bind().await.unwrap_err())
    };
    let swapped = TlsFiles { certificate: files.path("server.key"), ..files.tls() };
    assert!(said(swapped).await.contains("holds no certificate"));
    let absent = TlsFiles { certificate: files.path("none.pem"), ..files.tls() };
    assert!(said(absent).await.contains("none.pem: cannot be read"));
    let named = TlsFiles { client_names: vec!["loader.test".to_owned()], ..files.tls() };
    assert!(said(named).await.contains("--tls-client-ca"));
    let strange = files.mutual(&authority, &["spiffe://loader"]);
    assert!(said(strange).await.contains("neither a host name nor an address"));
    fs::write(files.path("server.key"), authority.good("embeddings.test").key).unwrap();
    assert!(said(files.tls()).await.contains("keys may not be consistent"), "{}", said(files.tls()).await);
    open_to_all(&files.path("server.key"));
    assert!(said(files.tls()).await.contains("other users can read it"));
    let both = Config { tls: Some(files.tls()), insecure: true, ..Config::new("127.0.0.1:0") };
    assert!(chain(&both.bind().await.unwrap_err()).contains("--insecure"));
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}
