//! Logs as they were written, cut, changed, and by others.

use super::*;

fn rows(first: u64, end: u64) -> Record {
    let end = At { rows: end, digest: u128::from(end) << 100 };
    Record::Rows(Segment { file: format!("rows-{first}"), first, end, bytes: 9, sum: Sum::Xxh3(7) })
}

fn text(records: &[Record]) -> String {
    let lines = records.iter().map(|record| line(record, Path::new("x")).unwrap());
    String::from_utf8(lines.collect::<Vec<_>>().concat()).unwrap()
}

#[test]
fn every_shorter_log_is_the_records_that_are_whole() {
    let records = [rows(0, 5), Record::Shown(Shown { rows: 5, version: 2 }), Record::Aborted];
    let text = text(&records);
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    for length in 0..=text.len() {
        let (read, bytes) = parse(&text.as_bytes()[..length], Path::new("x")).unwrap();
        let whole = ends.iter().filter(|end| **end <= length).count();
        assert_eq!(read, records[..whole], "{length}");
        assert_eq!(bytes as usize, if whole == 0 { 0 } else { ends[whole - 1] });
    }
}

#[test]
fn a_changed_byte_before_the_last_line_is_damage() {
    let text = text(&[rows(0, 5), rows(5, 8)]);
    let first = text.find('\n').unwrap();
    for at in 0..first {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        assert!(parse(&bytes, Path::new("x")).is_err(), "{at}");
    }
}

#[test]
fn a_last_line_of_any_bytes_is_one_that_was_never_whole() {
    let text = text(&[rows(0, 5)]);
    for torn in [[0_u8; 9], [0xff; 9], *b"0123 {\"a\""] {
        let bytes = [text.as_bytes(), &torn].concat();
        assert_eq!(parse(&bytes, Path::new("x")).unwrap(), (vec![rows(0, 5)], text.len() as u64));
    }
}

#[test]
fn a_whole_line_that_nobody_knows_is_not_passed_over() {
    let whole = text(&[rows(0, 5)]);
    let json = r#"{"rewritten":{"as":7}}"#;
    let unknown = format!("{whole}{} {json}\n", digest_of(json));
    let error = parse(unknown.as_bytes(), Path::new("x")).unwrap_err().to_string();
    assert!(error.contains("line 2 was written by another version"), "{error}");
}

#[test]
fn segments_of_either_digest_are_known() {
    let json = |sum: &str| {
        let end = format!(r#""end":{{"rows":5,"digest":"{}"}}"#, "0".repeat(32));
        format!(r#"{{"rows":{{"file":"r","first":0,{end},"bytes":9,{sum}}}}}"#)
    };
    for (sum, expected) in [
        (format!(r#""xxh3":"{:032x}""#, 7), Sum::Xxh3(7)),
        (r#""blake3":"ab""#.to_owned(), Sum::Blake3("ab".to_owned())),
    ] {
        let Record::Rows(segment) = record(&json(&sum), Path::new("x"), 1).unwrap() else { panic!("{sum}") };
        assert_eq!(segment.sum, expected);
    }
}

#[test]
fn epochs_have_one_name() {
    assert_eq!(
        ["log-7", "log-07", "log-", "rows-7", "log-+7"].map(epoch_of),
        [Some(7), None, None, None, None]
    );
}

#[test]
fn an_epoch_has_one_writer_and_a_torn_line_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Opened {
        epoch: 3,
        session: String::new(),
        domain: "recruit".to_owned(),
        dimension: 4,
        file_name: String::new(),
        fingerprint: String::new(),
        total_rows: 8,
        first_row: 0,
        committed_mode: false,
        start: At::default(),
        segments: Vec::new(),
        shown: Shown::default(),
    };
    let mut log = Log::create(folder.path(), &opened).unwrap();
    assert!(Log::create(folder.path(), &opened).is_err());
    log.append(&rows(0, 5)).unwrap();
    log.file.take().unwrap().write_all(b"0123 {").unwrap();
    let (records, whole) = read(folder.path(), 3).unwrap();
    assert_eq!(records, [Record::Opened(opened), rows(0, 5)]);
    Log::resume(folder.path(), 3, whole).append(&Record::Aborted).unwrap();
    assert_eq!(read(folder.path(), 3).unwrap().0.last(), Some(&Record::Aborted));
}
