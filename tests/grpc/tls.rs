//! Our clients over TLS: whom they believe, whom they do not, and what they show of themselves.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use brine::{
    client::{
        CredentialError, CredentialFiles, Misfit, Target,
        pull::{self, Error},
        push::{self, Backoff, Dialect},
    },
    file::Dataset,
    limits::wire::ChunkLimits,
    proto::embedding::embedding_stream_service_server::EmbeddingStreamServiceServer,
    schema,
    server::{Config, TlsFiles},
    service::{self, ingest::Ingest},
    store::ParquetStore,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Code, Request, Status,
    service::Routes,
    transport::{Certificate, Identity, Server, ServerTlsConfig},
};

use super::{
    scripted::{Script, Scripted},
    tables,
};

/// Who vouches for certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate of `name` that was good until the end of the year before `year`.
    fn issue(&self, name: &str, year: i32) -> Pair {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }
}

/// The headers of calls, as a server saw them.
type Tokens = Arc<Mutex<Vec<Option<String>>>>;

fn noting(tokens: &Tokens) -> impl FnMut(Request<()>) -> Result<Request<()>, Status> + Clone + use<> {
    let tokens = Arc::clone(tokens);
    move |request: Request<()>| {
        let token = request.metadata().get("authorization").map(|token| token.to_str().unwrap().to_owned());
        tokens.lock().unwrap().push(token);
        Ok(request)
    }
}

/// Serves `routes` as `pair`, to those for whom `vouching` vouches.
async fn serve(routes: Routes, pair: &Pair, vouching: Option<&Authority>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tls = ServerTlsConfig::new().identity(Identity::from_pem(&pair.certificate, &pair.key));
    let tls = match vouching {
        Some(authority) => tls.client_ca_root(Certificate::from_pem(authority.pem())),
        None => tls,
    };
    let mut server = Server::builder().tls_config(tls).unwrap();
    tokio::spawn(server.add_routes(routes).serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// The rows of one table, and the tokens of those who asked for them.
fn rows(folder: &Path) -> (Routes, Tokens) {
    let dataset = Dataset::open(tables::write_with(folder, "recruit", 350, 24)).unwrap();
    let (tokens, scripted) = (Tokens::default(), Scripted::new(&dataset, Script::default()));
    let service = EmbeddingStreamServiceServer::with_interceptor(scripted, noting(&tokens));
    (Routes::new(service), tokens)
}

fn secret(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

const QUICK: Backoff = Backoff { min: Duration::from_millis(1), max: Duration::from_millis(5) };

async fn pull(address: SocketAddr, files: &CredentialFiles) -> Result<pull::Report, Error> {
    let target: Target = format!("https://localhost:{}", address.port()).parse().unwrap();
    let target = target.with_credentials(files).unwrap();
    let options =
        pull::Options { backoff: QUICK, ..pull::Options::new(target, schema::find("recruit").unwrap()) };
    pull::pull(&options, Arc::new(pull::Silent)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_the_authority_vouches_for_is_believed_and_gets_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, (routes, tokens)) = (Authority::new("ours"), rows(folder.path()));
    let address = serve(routes, &authority.issue("localhost", 3000), None).await;
    let ca = Some(secret(folder.path(), "ca", &authority.pem()));
    let files = CredentialFiles { ca, ..CredentialFiles::default() };
    assert_eq!(pull(address, &files).await.unwrap().received.rows, 350);
    let token = Some(secret(folder.path(), "token", "t0ken\n"));
    assert_eq!(pull(address, &CredentialFiles { token, ..files }).await.unwrap().received.rows, 350);
    assert_eq!(*tokens.lock().unwrap(), [None, Some("Bearer t0ken".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_believed_is_told_nothing_and_not_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, other) = (Authority::new("ours"), Authority::new("theirs"));
    let ca = Some(secret(folder.path(), "ca", &authority.pem()));
    let token = Some(secret(folder.path(), "token", "t0ken"));
    let files = CredentialFiles { ca, token, ..CredentialFiles::default() };
    let cases = [
        (other.issue("localhost", 3000), "UnknownIssuer"),
        (authority.issue("elsewhere.example", 3000), "not valid for name"),
        (authority.issue("localhost", 2001), "expired"),
        (Pair { certificate: other.pem(), key: other.0.key().serialize_pem() }, "CA:TRUE"),
    ];
    for (pair, said) in cases {
        let (routes, tokens) = rows(folder.path());
        let address = serve(routes, &pair, None).await;
        let error = pull(address, &files).await.unwrap_err();
        let Error::Remote { failed, attempts } = &error else { panic!("{error:?}") };
        assert_eq!((failed.code, *attempts), (Code::Unavailable, 1), "{said}: {error}");
        assert!(matches!(failed.misfit, Some(Misfit::Certificate { .. })), "{said}: {error}");
        assert!(failed.details.contains(said), "{said}: {error}");
        assert!(tokens.lock().unwrap().is_empty(), "{said}");
    }
    // Without the file the system's authorities count, and none of them knows this server.
    let (routes, _) = rows(folder.path());
    let address = serve(routes, &authority.issue("localhost", 3000), None).await;
    assert!(pull(address, &CredentialFiles { ca: None, ..files }).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_authority_is_no_servers_and_the_remedy_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let files =
        CredentialFiles { ca: Some(secret(folder.path(), "ca", &certificate)), ..CredentialFiles::default() };
    let address = serve(rows(folder.path()).0, &Pair { certificate, key: key.serialize_pem() }, None).await;
    let error = pull(address, &files).await.unwrap_err().to_string();
    let told = "an authority (CA:TRUE), which cannot be a server's: make it with basicConstraints=CA:FALSE";
    assert!(error.ends_with(told), "{error}");
    let target: Target = format!("https://localhost:{}", address.port()).parse().unwrap();
    let target = target.with_credentials(&files).unwrap();
    let dataset = folder.path().join("recruit");
    for dialect in [Dialect::Session, Dialect::TypedV1] {
        let options = push::Options { dialect, ..push::Options::new(&dataset, target.clone()) };
        let error = push::push(&options, Arc::new(push::Silent)).await.unwrap_err();
        let push::Error::Remote { failed, attempts: 1 } = &error else { panic!("{error:?}") };
        assert!(failed.is_unreachable() && error.to_string().ends_with(told), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_to_know_its_clients_is_shown_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, (routes, _)) = (Authority::new("ours"), rows(folder.path()));
    let address = serve(routes, &authority.issue("localhost", 3000), Some(&authority)).await;
    let ca = Some(secret(folder.path(), "ca", &authority.pem()));
    let show = |name: &str, pair: &Pair| {
        let certificate = secret(folder.path(), &format!("{name}.pem"), &pair.certificate);
        Some((certificate, secret(folder.path(), &format!("{name}.key"), &pair.key)))
    };
    let identity = show("client", &authority.issue("client", 3000));
    let known = CredentialFiles { ca: ca.clone(), identity, token: None };
    assert_eq!(pull(address, &known).await.unwrap().received.rows, 350);
    for identity in [None, show("stranger", &Authority::new("theirs").issue("client", 3000))] {
        let unknown = CredentialFiles { ca: ca.clone(), identity, token: None };
        let error = pull(address, &unknown).await.unwrap_err();
        assert!(matches!(error, Error::Remote { .. }), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_pushed_over_tls() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = tables::write_with(from.path(), "recruit", 1_150, 384);
    let authority = Authority::new("ours");
    let ingest = Ingest::new(Arc::new(ParquetStore::open(to.path()).unwrap()), ChunkLimits::default());
    let pair = authority.issue("127.0.0.1", 3000);
    let token = Some(secret(from.path(), "token", "t0ken-of-more-than-sixteen"));
    let tls = TlsFiles {
        certificate: secret(from.path(), "certificate", &pair.certificate),
        key: secret(from.path(), "key", &pair.key),
        ..TlsFiles::default()
    };
    let config = Config { tls: Some(tls), token_file: token.clone(), ..Config::new("127.0.0.1:0") };
    let bound = config.bind().await.unwrap();
    let address = bound.address();
    tokio::spawn(bound.run(service::batch_server(&ingest), std::future::pending()));
    let ca = Some(secret(from.path(), "ca", &authority.pem()));
    let target: Target = format!("https://{address}").parse().unwrap();
    let files = CredentialFiles { ca, token, identity: None };
    let target = target.with_credentials(&files).unwrap();
    for dialect in [Dialect::Session, Dialect::TypedV1] {
        let options =
            push::Options { dialect, backoff: QUICK, ..push::Options::new(&dataset, target.clone()) };
        push::push(&options, Arc::new(push::Silent)).await.unwrap();
        let stored = tables::manifest(&to.path().join("recruit"));
        assert_eq!(stored.fingerprint, tables::manifest(&dataset).fingerprint, "{dialect}");
    }
}

#[test]
fn secrets_are_sent_where_nobody_listens() {
    let folder = tempfile::tempdir().unwrap();
    let token = CredentialFiles {
        token: Some(secret(folder.path(), "token", "t0ken")),
        ..CredentialFiles::default()
    };
    let with = |url: &str, files: &CredentialFiles| url.parse::<Target>().unwrap().with_credentials(files);
    for url in [
        "http://localhost:1",
        "http://127.0.0.1:1",
        "http://127.9.9.9:1",
        "http://[::1]:1",
        "https://a.example",
    ] {
        let target = with(url, &token).unwrap();
        assert!(!format!("{target:?} {target}").contains("t0ken"), "{target:?}");
    }
    for url in ["http://a.example", "http://10.0.0.1:1", "http://localhost.example:1"] {
        assert!(matches!(with(url, &token), Err(CredentialError::TokenInClear { .. })), "{url}");
    }
    let ca = CredentialFiles { ca: Some(folder.path().join("ca")), ..CredentialFiles::default() };
    assert!(matches!(with("http://localhost:1", &ca), Err(CredentialError::NotEncrypted { .. })));
    assert!(matches!(with("https://localhost:1", &ca), Err(CredentialError::File { .. })));
}
