//! Our pulling client, and servers of the original contract and of ours that break on purpose.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use brine::{
    client::{
        Target,
        pull::{self, Compression, Error, Failed, Options, Output, Progress, Report, Start},
        push::{Backoff, Sizes},
    },
    proto::embedding::SkillEmbeddingDicRow,
    schema,
    server::Config,
    service::{
        self,
        stream::{self, Tables},
    },
    store::Catalogue,
};
use tonic::{Code, codec::CompressionEncoding};

use super::{
    proxy::{Cut, Proxy},
    scripted::{Script, Serving, Spoil, serve},
    tables,
};

/// Notes what it is told.
#[derive(Default)]
struct Watching {
    chunks: Mutex<Vec<u64>>,
    said: Mutex<Vec<String>>,
}

impl Progress for Watching {
    fn unknown_checkpoint(&self, checkpoint: &str) {
        self.said.lock().unwrap().push(format!("unknown {checkpoint}"));
    }

    fn chunk(&self, received: &Sizes, _: &str) {
        self.chunks.lock().unwrap().push(received.rows);
    }

    fn failed(&self, failed: &Failed) {
        self.said.lock().unwrap().push(failed.to_string());
    }
}

/// A table of `rows` rows, and a server of it.
async fn serving(folder: &Path, domain: &str, rows: usize, script: Script) -> (PathBuf, Serving) {
    let dataset = tables::write_with(folder, domain, rows, 24);
    let server = serve(&dataset, script).await;
    (dataset, server)
}

fn old() -> Script {
    Script { is_old: true, ..Script::default() }
}

fn options(server: &Serving, domain: &str) -> Options {
    quick(server.url().parse().unwrap(), domain)
}

fn quick(target: Target, domain: &str) -> Options {
    let backoff = Backoff { min: Duration::from_millis(1), max: Duration::from_millis(5) };
    let domain = schema::find(domain).unwrap();
    Options { chunk_rows: 100, backoff, ..Options::new(target, domain) }
}

async fn pull(options: &Options) -> Result<Report, Error> {
    pull::pull(options, Arc::new(Watching::default())).await
}

fn behind(row: usize) -> Start {
    Start::Behind { checkpoint: id(row), strict: false }
}

fn id(row: usize) -> String {
    format!("00000000-0000-5000-8000-{row:012}")
}

#[tokio::test(flavor = "multi_thread")]
async fn three_domains_are_pulled_and_written_as_they_were() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for domain in ["recruit", "candidate", "skill_embedding_dic"] {
        let (dataset, server) = serving(from.path(), domain, 2_345, Script::default()).await;
        let output = Output { folder: to.path().to_owned(), name: domain.to_owned(), overwrite: false };
        let options = Options { output: Some(output), ..options(&server, domain) };
        let report = pull(&options).await.unwrap();
        let (sent, kept) = (tables::manifest(&dataset), tables::manifest(&to.path().join(domain)));
        assert_eq!(
            (sent.d, sent.k, sent.rows, sent.schema),
            (kept.d, kept.k, kept.rows, kept.schema),
            "{domain}"
        );
        assert_eq!(sent.fingerprint, kept.fingerprint, "{domain}");
        assert_eq!(report.fingerprint.as_deref(), Some(sent.fingerprint.as_str()));
        assert_eq!((report.total_rows, report.verified, report.dimension), (Some(2_345), true, Some(24)));
        assert_eq!((report.received.rows, report.received.chunks, report.attempts), (2_345, 24, 1));
        let again = pull(&options).await.unwrap_err();
        assert!(matches!(again, Error::File(_)), "{again}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_original_contract_is_pulled_by_counting() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (dataset, server) = serving(from.path(), "recruit", 1_150, old()).await;
    let output = Output { folder: to.path().to_owned(), name: "copy".to_owned(), overwrite: false };
    let report = pull(&Options { output: Some(output), ..options(&server, "recruit") }).await.unwrap();
    assert_eq!((report.received.rows, report.received.chunks), (1_150, 12));
    assert_eq!((report.verified, report.total_rows), (false, None));
    let copy = tables::manifest(&to.path().join("copy"));
    assert_eq!(copy.fingerprint, tables::manifest(&dataset).fingerprint);
    assert_eq!(report.checkpoint, Some(id(1_149)));
    let row = |row: pull::Row| row.fields.iter().map(|(_, value)| value.to_string()).collect::<Vec<_>>();
    assert_eq!(row(report.first.unwrap())[1..], ["null", "0", "null", "null", "24"]);
    let last = format!("{:?}", id(1_149));
    assert_eq!(
        row(report.last.unwrap()),
        [&last, "\"Ünternehmen\"", "5", "\"Ünternehmen\"", "\"Ünternehmen\"", "24"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_are_of_the_size_asked_for_and_refused_by_the_server() {
    let from = tempfile::tempdir().unwrap();
    let (_, server) = serving(from.path(), "recruit", 1_150, old()).await;
    for (chunk_rows, chunks) in [(0, 4), (100, 12), (300, 4), (1_000, 2)] {
        let report = pull(&Options { chunk_rows, ..options(&server, "recruit") }).await.unwrap();
        assert_eq!((report.received.rows, report.received.chunks), (1_150, chunks), "{chunk_rows}");
    }
    for chunk_rows in [-1, 99, 1_001] {
        let error = pull(&Options { chunk_rows, ..options(&server, "recruit") }).await.unwrap_err();
        let text = format!(
            "RPC failed: INVALID_ARGUMENT - Invalid chunk_size: {chunk_rows}. Must be between 100 and 1000"
        );
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(server.requests().len(), 4 + 3, "a refusal is final");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_anywhere_goes_on_without_gap_or_double() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (name, is_old) in [("ours", false), ("old", true)] {
        for breaks in [vec![0], vec![1], vec![3, 0, 5], vec![11], vec![12], vec![1; 11]] {
            let script = Script { is_old, breaks: breaks.clone(), ..Script::default() };
            let (dataset, server) = serving(from.path(), "recruit", 1_150, script).await;
            let output = Output { folder: to.path().to_owned(), name: name.to_owned(), overwrite: true };
            let report = pull(&Options { output: Some(output), ..options(&server, "recruit") }).await;
            let report = report.unwrap_or_else(|error| panic!("{name} {breaks:?}: {error}"));
            assert_eq!((report.received.rows, report.repeated_ids), (1_150, 0), "{name} {breaks:?}");
            let copy = tables::manifest(&to.path().join(name)).fingerprint;
            assert_eq!(copy, tables::manifest(&dataset).fingerprint, "{name} {breaks:?}");
            // A server of ours that lost only the end of its stream need not be asked again.
            let has_all = !is_old && breaks == [12];
            let attempts = if has_all { 1 } else { breaks.len() as u32 + 1 };
            assert_eq!(report.attempts, attempts, "{name} {breaks:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_anywhere_loses_and_doubles_nothing() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for is_old in [false, true] {
        let (dataset, server) =
            serving(from.path(), "recruit", 1_150, Script { is_old, ..Script::default() }).await;
        for bytes in [1, 30, 100, 1_000, 20_000, 100_000, 190_000] {
            let proxy =
                Proxy::new(server.address, vec![Cut::Received(bytes), Cut::Received(bytes / 2)]).await;
            let output = Output { folder: to.path().to_owned(), name: "r".to_owned(), overwrite: true };
            let target = proxy.url().parse().unwrap();
            let options = Options { target, output: Some(output), ..options(&server, "recruit") };
            let report = pull(&options).await.unwrap_or_else(|error| panic!("{is_old} {bytes}: {error}"));
            assert_eq!((report.received.rows, report.repeated_ids), (1_150, 0), "{is_old} {bytes}");
            let copy = tables::manifest(&to.path().join("r")).fingerprint;
            assert_eq!(copy, tables::manifest(&dataset).fingerprint, "{is_old} {bytes}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ours_is_asked_for_a_row_of_the_same_table_and_an_old_one_for_what_is_behind_an_id() {
    let from = tempfile::tempdir().unwrap();
    for is_old in [false, true] {
        let script = Script { is_old, breaks: vec![3], ..Script::default() };
        let (dataset, server) = serving(from.path(), "recruit", 1_150, script).await;
        pull(&options(&server, "recruit")).await.unwrap();
        let requests = server.requests();
        assert_eq!((requests[0].domain.as_str(), requests[0].start_row), ("recruit", 0));
        let second = &requests[1];
        if is_old {
            assert_eq!((second.last_processed_uuid.clone(), second.start_row), (id(299), 0));
        } else {
            assert_eq!((second.last_processed_uuid.as_str(), second.start_row), ("", 300));
            assert_eq!(second.expected_fingerprint, tables::manifest(&dataset).fingerprint);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_ten_thousand_rows_and_the_rows_behind_them_are_all_rows() {
    let from = tempfile::tempdir().unwrap();
    for is_old in [false, true] {
        let script = Script {
            is_old,
            breaks: vec![100],
            status: Some((Code::Cancelled, "enough")),
            ..Script::default()
        };
        let (_, server) = serving(from.path(), "recruit", 14_000, script).await;
        let watching = Arc::new(Watching::default());
        let first = pull::pull(&options(&server, "recruit"), Arc::<Watching>::clone(&watching)).await;
        assert!(matches!(first.unwrap_err(), Error::Remote { attempts: 1, .. }));
        assert_eq!(watching.chunks.lock().unwrap().last(), Some(&10_000));
        let rest = pull(&Options { start: behind(9_999), ..options(&server, "recruit") }).await.unwrap();
        assert_eq!(rest.received.rows, 4_000);
        assert_eq!(rest.first.unwrap().fields[0].1, id(10_000));
        assert_eq!(rest.checkpoint, Some(id(13_999)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_begins_where_it_is_told() {
    let from = tempfile::tempdir().unwrap();
    let (_, server) = serving(from.path(), "recruit", 1_150, Script::default()).await;
    let cases = [(Start::Row(1_000), 150), (Start::Row(1_150), 0), (behind(0), 1_149), (behind(1_149), 0)];
    for (start, rows) in cases {
        let report = pull(&Options { start: start.clone(), ..options(&server, "recruit") }).await.unwrap();
        assert_eq!((report.received.rows, report.total_rows), (rows, Some(1_150)), "{start:?}");
    }
    let (_, server) = serving(from.path(), "recruit", 1_150, old()).await;
    let refused = pull(&Options { start: Start::Row(1_000), ..options(&server, "recruit") }).await;
    assert!(matches!(refused, Err(Error::Unsupported { option: "--start-row" })), "{refused:?}");
    let start = Start::Behind { checkpoint: "nobody".to_owned(), strict: true };
    let refused = pull(&Options { start, ..options(&server, "recruit") }).await;
    assert!(matches!(refused, Err(Error::Unsupported { option: "--strict-checkpoint" })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_is_no_failure_and_leaves_what_is_there() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let output = Output { folder: to.path().to_owned(), name: "copy".to_owned(), overwrite: true };
    for script in [Script::default(), old()] {
        let (_, server) = serving(from.path(), "recruit", 500, script).await;
        let all = Options { output: Some(output.clone()), ..options(&server, "recruit") };
        let written = pull(&all).await.unwrap().written;
        let report = pull(&Options { start: behind(499), ..all }).await.unwrap();
        assert_eq!((report.received.rows, report.written), (0, None));
        assert_eq!(report.checkpoint, Some(id(499)), "where to go on the next time");
        let stays = tables::manifest(&to.path().join("copy")).fingerprint;
        assert_eq!(stays, written.unwrap().fingerprint);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_checkpoint_is_told_and_refused_where_that_is_wanted() {
    let from = tempfile::tempdir().unwrap();
    let (_, server) = serving(from.path(), "recruit", 500, Script::default()).await;
    let start = |strict| Start::Behind { checkpoint: "nobody".to_owned(), strict };
    let watching = Arc::new(Watching::default());
    let lenient = Options { start: start(false), ..options(&server, "recruit") };
    let report = pull::pull(&lenient, Arc::<Watching>::clone(&watching)).await.unwrap();
    assert_eq!((report.received.rows, report.checkpoint_unknown), (500, true));
    let known = pull(&Options { start: behind(7), ..options(&server, "recruit") }).await.unwrap();
    assert!(!known.checkpoint_unknown);
    assert_eq!(*watching.said.lock().unwrap(), ["unknown nobody"]);
    let strict = pull(&Options { start: start(true), ..options(&server, "recruit") }).await.unwrap_err();
    assert_eq!(strict.to_string(), "RPC failed: FAILED_PRECONDITION - no such row");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_server_that_begins_again_is_noticed() {
    let from = tempfile::tempdir().unwrap();
    let script = Script { breaks: vec![3], ignores_checkpoints: true, ..old() };
    let (_, server) = serving(from.path(), "recruit", 1_150, script).await;
    let error = pull(&options(&server, "recruit")).await.unwrap_err();
    assert!(matches!(&error, Error::Restarted { checkpoint } if *checkpoint == id(299)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_come_twice_are_a_fault_of_a_server_without_places_only() {
    let from = tempfile::tempdir().unwrap();
    let dataset = tables::write_twice(from.path(), "recruit", 200);
    let server = serve(&dataset, old()).await;
    let error = pull(&options(&server, "recruit")).await.unwrap_err();
    assert!(matches!(error, Error::RepeatedIds { rows: 200, .. }), "{error}");
    let server = serve(&dataset, Script { breaks: vec![4], ..old() }).await;
    let error = pull(&options(&server, "recruit")).await.unwrap_err();
    assert!(matches!(&error, Error::Ambiguous { id, .. } if *id == self::id(199)), "{error}");
    let server = serve(&dataset, Script { breaks: vec![3], ..Script::default() }).await;
    let report = pull(&options(&server, "recruit")).await.unwrap();
    assert_eq!((report.received.rows, report.repeated_ids, report.verified), (400, 200, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn spoiled_chunks_are_refused_and_leave_nothing() {
    let cases: [(&str, Spoil); 10] = [
        ("vector of 23 elements, expected 24", |chunk| chunk.rows[7].vector.truncate(23)),
        ("row 107: \"\" is no id", |chunk| chunk.rows[7].id.clear()),
        ("row 107: \"7\" is no id", |chunk| "7".clone_into(&mut chunk.rows[7].id)),
        ("do not add up", |chunk| chunk.rows[7].exp_years += 1),
        ("do not add up", |chunk| chunk.rows.swap(1, 2)),
        ("says it has 100 rows and has 99", |chunk| drop(chunk.rows.pop())),
        ("begins with row 101, expected was row 100", |chunk| chunk.header.as_mut().unwrap().first_row += 1),
        ("or the other way round", |chunk| chunk.header = None),
        ("table changed", |chunk| chunk.total_rows = 7),
        ("are not the recruit rows", |chunk| chunk.skill_rows.push(SkillEmbeddingDicRow::default())),
    ];
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (said, spoil) in cases {
        let script = Script { spoil: Some((1, spoil)), ..Script::default() };
        let (_, server) = serving(from.path(), "recruit", 1_150, script).await;
        let output = Output { folder: to.path().to_owned(), name: "r".to_owned(), overwrite: false };
        let options = Options { output: Some(output), ..options(&server, "recruit") };
        let error = pull(&options).await.unwrap_err();
        let chain: Vec<String> =
            std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
                .map(ToString::to_string)
                .collect();
        assert!(chain.join(": ").contains(said), "{said}: {chain:?}");
        assert_eq!(std::fs::read_dir(to.path()).unwrap().count(), 0, "{said}");
        assert_eq!(server.requests().len(), 1, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_old_server_sends_wrong_is_noticed_as_far_as_it_can_be() {
    let from = tempfile::tempdir().unwrap();
    let cases: [(&str, Spoil); 4] = [
        ("vector of 23 elements, expected 24", |chunk| chunk.rows[7].vector.truncate(23)),
        ("row 7: \"\" is no id", |chunk| chunk.rows[7].id.clear()),
        ("the first row has no vector", |chunk| chunk.rows[0].vector.clear()),
        ("1 rows have an id that an earlier row has, such as rows 3 and 7", |chunk| {
            chunk.rows[7].id = chunk.rows[3].id.clone();
        }),
    ];
    for (said, spoil) in cases {
        let (_, server) =
            serving(from.path(), "recruit", 350, Script { spoil: Some((0, spoil)), ..old() }).await;
        let error = pull(&options(&server, "recruit")).await.unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(format!("{error}: {source}").contains(said), "{said}: {error}: {source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_domain_are_refused() {
    let from = tempfile::tempdir().unwrap();
    let (_, server) = serving(from.path(), "recruit", 350, old()).await;
    let error = pull(&options(&server, "candidate")).await.unwrap_err();
    assert!(matches!(&error, Error::OtherDomain { found, .. } if found == "rows"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_changed_is_not_gone_on_with() {
    let from = tempfile::tempdir().unwrap();
    let script = Script { breaks: vec![3], fingerprint: Some("rows-v1:00"), ..Script::default() };
    let (_, server) = serving(from.path(), "recruit", 1_150, script).await;
    let error = pull(&options(&server, "recruit")).await.unwrap_err();
    assert!(matches!(error, Error::Changed), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_rows_are_those_of_the_fingerprint() {
    let from = tempfile::tempdir().unwrap();
    let script = Script { fingerprint: Some("rows-v1:00"), ..Script::default() };
    let (dataset, server) = serving(from.path(), "recruit", 350, script).await;
    let error = pull(&options(&server, "recruit")).await.unwrap_err();
    let sent = tables::manifest(&dataset).fingerprint;
    assert!(matches!(&error, Error::Fingerprint { found, .. } if *found == sent), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ends_early_is_taken_up_again_and_not_for_ever() {
    let from = tempfile::tempdir().unwrap();
    let (_, server) =
        serving(from.path(), "recruit", 1_150, Script { withholds: 1, ..Script::default() }).await;
    let error = pull(&options(&server, "recruit")).await.unwrap_err();
    let text = "RPC failed: UNAVAILABLE - the stream ended before row 1100 of 1150";
    assert_eq!(error.to_string(), text);
    assert_eq!(server.requests().len(), 1 + 2, "two attempts without any row");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_table_is_pulled_and_makes_no_data_set() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for is_old in [false, true] {
        let (_, server) = serving(from.path(), "recruit", 0, Script { is_old, ..Script::default() }).await;
        let report = pull(&options(&server, "recruit")).await.unwrap();
        assert_eq!((report.received.rows, report.first, report.checkpoint), (0, None, None));
        let output = Output { folder: to.path().to_owned(), name: "r".to_owned(), overwrite: false };
        let error = pull(&Options { output: Some(output), ..options(&server, "recruit") }).await.unwrap_err();
        assert!(matches!(error, Error::NoRows), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_given_up_after_three_attempts() {
    let from = tempfile::tempdir().unwrap();
    let script = Script { pause: Duration::from_mins(1), ..Script::default() };
    let (_, server) = serving(from.path(), "recruit", 350, script).await;
    let silence = Duration::from_millis(50);
    let error = pull(&Options { silence, ..options(&server, "recruit") }).await.unwrap_err();
    assert_eq!(error.to_string(), "RPC failed: DEADLINE_EXCEEDED - the server was silent for 0.05 s");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn packed_chunks_are_asked_for_and_bounded() {
    let from = tempfile::tempdir().unwrap();
    for (compression, encoding) in
        [(Compression::Gzip, CompressionEncoding::Gzip), (Compression::Zstd, CompressionEncoding::Zstd)]
    {
        let script = Script { packs: Some(encoding), ..Script::default() };
        let (_, server) = serving(from.path(), "recruit", 350, script).await;
        let plain = pull(&options(&server, "recruit")).await.unwrap();
        assert_eq!(server.received_packed(), [false], "not asked for");
        let packed = Options { compression: Some(compression), ..options(&server, "recruit") };
        let packed = pull(&packed).await.unwrap();
        assert_eq!(server.received_packed(), [false, true], "{compression:?}");
        assert_eq!((packed.received, packed.last), (plain.received, plain.last));
    }
    let bomb: Spoil = |chunk| chunk.rows[0].company_name = " ".repeat(65 << 20);
    let script = Script { packs: Some(CompressionEncoding::Zstd), spoil: Some((0, bomb)), ..old() };
    let (_, server) = serving(from.path(), "recruit", 350, script).await;
    let compression = Some(Compression::Zstd);
    let error = pull(&Options { compression, ..options(&server, "recruit") }).await.unwrap_err();
    assert!(
        matches!(&error, Error::Remote { failed, .. } if failed.code == Code::ResourceExhausted),
        "{error}"
    );
}

/// The server that `brine serve` runs.
async fn real(folder: &Path) -> SocketAddr {
    let catalogue = Arc::new(Catalogue::open(&[folder.to_owned()]).unwrap());
    let routes = service::serving(&Tables::new(catalogue, stream::Options::default()));
    let bound = Config::new("127.0.0.1:0").bind().await.unwrap();
    let address = bound.address();
    tokio::spawn(async move { bound.run(routes, std::future::pending()).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_server_is_pulled_and_verified_wherever_its_way_breaks() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let domains = ["recruit", "candidate", "skill_embedding_dic"];
    let datasets = domains.map(|domain| tables::write_with(from.path(), domain, 1_150, 24));
    let address = real(from.path()).await;
    for (domain, dataset) in domains.into_iter().zip(&datasets) {
        for cuts in [vec![], vec![Cut::Received(40_000), Cut::Received(10)]] {
            let cut = cuts.len();
            let proxy = Proxy::new(address, cuts).await;
            let options = Options {
                target: proxy.url().parse().unwrap(),
                output: Some(Output {
                    folder: to.path().to_owned(),
                    name: domain.to_owned(),
                    overwrite: true,
                }),
                ..quick(proxy.url().parse().unwrap(), domain)
            };
            let report = pull(&options).await.unwrap_or_else(|error| panic!("{domain} {cut}: {error}"));
            assert_eq!((report.received.rows, report.verified), (1_150, true), "{domain}");
            // A connection that goes before anything was asked is replaced without a word.
            assert_eq!(report.attempts > 1, cut > 0, "{domain}");
            let (sent, kept) = (tables::manifest(dataset), tables::manifest(&to.path().join(domain)));
            assert_eq!(sent.fingerprint, kept.fingerprint, "{domain}");
        }
    }
    let target: Target = format!("http://{address}").parse().unwrap();
    let rows = async |start, compression| {
        let options = Options { start, compression, ..quick(target.clone(), "recruit") };
        pull(&options).await.map(|report| report.received.rows)
    };
    assert_eq!(rows(behind(0), None).await.unwrap(), 1_149);
    assert_eq!(rows(Start::Row(1_000), Some(Compression::Gzip)).await.unwrap(), 150);
    assert_eq!(rows(Start::First, Some(Compression::Zstd)).await.unwrap(), 1_150);
    let nobody = |strict| Start::Behind { checkpoint: id(999_999), strict };
    assert!(rows(nobody(true), None).await.is_err());
    assert_eq!(rows(nobody(false), None).await.unwrap(), 1_150);
}
