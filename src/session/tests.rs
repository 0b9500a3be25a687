//! Sessions step by step: what is taken, refused, made durable, published.

use super::*;

fn hello(total_rows: u64) -> Hello {
    let session = SessionId::derive("rows-v1:ab", "recruit", "here", Mode::Pending, "");
    Hello { session, fingerprint: "rows-v1:ab".to_owned(), total_rows, first_row: 0, mode: Mode::Pending }
}

fn chunk(first_row: u64, row_count: u64) -> ChunkRange {
    ChunkRange { first_row, row_count, digest: u128::from(row_count) }
}

fn found(chunk: ChunkRange) -> Position {
    Position { rows: chunk.row_count, digest: chunk.digest }
}

fn opened(total_rows: u64) -> Session {
    Session::open(None, hello(total_rows)).unwrap()
}

fn taken(session: &mut Session, epoch: u64, first_row: u64, row_count: u64) -> Result<Admission, Refusal> {
    let chunk = chunk(first_row, row_count);
    session.take(epoch, chunk, found(chunk))
}

#[test]
fn rows_are_taken_in_order_and_only_once() {
    let mut session = opened(10);
    assert_eq!(taken(&mut session, 1, 0, 4), Ok(Admission::Next));
    assert_eq!(taken(&mut session, 1, 0, 4), Ok(Admission::Duplicate));
    assert_eq!(taken(&mut session, 1, 2, 4), Err(Refusal::OffsetGap { expected_row: 4 }));
    assert_eq!(taken(&mut session, 1, 5, 1), Err(Refusal::OffsetGap { expected_row: 4 }));
    assert_eq!(taken(&mut session, 1, 4, 7), Err(Refusal::BeyondEnd));
    assert_eq!(taken(&mut session, 1, u64::MAX, 2), Err(Refusal::BeyondEnd));
    assert_eq!((session.taken().rows, session.durable().rows), (4, 0));
}

#[test]
fn a_corrupt_chunk_changes_nothing() {
    let mut session = opened(10);
    let chunk = chunk(0, 4);
    for wrong in [Position { rows: 3, digest: 4 }, Position { rows: 4, digest: 5 }] {
        assert_eq!(session.take(1, chunk, wrong), Err(Refusal::ChunkCorrupt { first_row: 0 }));
    }
    assert_eq!(session.taken(), Position::default());
}

#[test]
fn opening_again_fences_and_goes_back_to_what_is_durable() {
    let mut session = opened(10);
    taken(&mut session, 1, 0, 4).unwrap();
    session.secure(1, session.taken()).unwrap();
    taken(&mut session, 1, 4, 4).unwrap();
    let mut session = Session::open(Some(session), hello(10)).unwrap();
    assert_eq!((session.epoch(), session.taken().rows), (2, 4));
    assert_eq!(taken(&mut session, 1, 4, 4), Err(Refusal::Fenced { epoch: 2 }));
    assert_eq!(session.secure(1, Position { rows: 8, digest: 8 }), Err(Refusal::Fenced { epoch: 2 }));
    assert_eq!(taken(&mut session, 3, 4, 4), Err(Refusal::SessionUnknown));
    assert_eq!(taken(&mut session, 2, 4, 4), Ok(Admission::Next));
}

#[test]
fn only_what_is_taken_becomes_durable_and_it_never_falls() {
    let mut session = opened(10);
    taken(&mut session, 1, 0, 4).unwrap();
    assert!(session.secure(1, Position { rows: 5, digest: 0 }).is_err());
    session.secure(1, session.taken()).unwrap();
    assert!(session.secure(1, Position::default()).is_err());
    assert_eq!(session.durable().rows, 4);
}

#[test]
fn a_commit_needs_every_row_and_the_announced_digest() {
    let mut session = opened(4);
    let commit =
        |session: &Session, epoch| {
            session.commit(epoch, &hello(4), |at| {
                if at.digest == 4 { "rows-v1:ab".to_owned() } else { String::new() }
            })
        };
    assert_eq!(commit(&session, 1), Err(Refusal::Incomplete { committed_rows: 0 }));
    taken(&mut session, 1, 0, 4).unwrap();
    assert_eq!(commit(&session, 1), Err(Refusal::Incomplete { committed_rows: 0 }), "not durable yet");
    session.secure(1, session.taken()).unwrap();
    assert_eq!(session.commit(1, &hello(4), |_| "other".to_owned()), Err(Refusal::FingerprintMismatch));
    assert_eq!(session.commit(1, &hello(5), |_| String::new()), Err(Refusal::FingerprintMismatch));
    assert_eq!(commit(&session, 1), Ok(Commit::Publish));
    session.finalize(7);
    assert_eq!(commit(&session, 9), Ok(Commit::Done { version: 7 }), "whatever the epoch");
}

#[test]
fn what_is_finalized_never_changes() {
    let mut session = opened(0);
    session.finalize(3);
    session.finalize(4);
    assert_eq!(session.abort(1), Err(Refusal::SessionFinalized));
    assert_eq!(taken(&mut session, 1, 0, 0), Err(Refusal::SessionFinalized));
    let again = Session::open(Some(session.clone()), hello(0)).unwrap();
    assert_eq!(again, session);
    assert_eq!(again.phase(), Phase::Finalized { version: 3 });
}

#[test]
fn an_aborted_session_begins_anew() {
    let mut session = opened(4);
    taken(&mut session, 1, 0, 4).unwrap();
    session.abort(1).unwrap();
    assert_eq!(taken(&mut session, 1, 0, 4), Err(Refusal::SessionUnknown));
    let session = Session::open(Some(session), hello(4)).unwrap();
    assert_eq!((session.epoch(), session.durable().rows), (2, 0));
}

#[test]
fn other_rows_are_another_session() {
    let session = opened(4);
    assert_eq!(Session::open(Some(session), hello(5)), Err(Refusal::FingerprintMismatch));
    let id = |salt: &str| SessionId::derive("f", "d", "t", Mode::Pending, salt);
    assert_ne!(id(""), id("again"));
    assert_ne!(id(""), SessionId::derive("f", "dt", "", Mode::Pending, ""));
    assert_eq!(id("").to_string().parse(), Ok(id("")));
    assert!(
        "+1".parse::<SessionId>().is_err() && id("").to_string().to_uppercase().parse::<SessionId>().is_err()
    );
}
