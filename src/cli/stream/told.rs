//! What a push did, in words and as JSON.

use std::fmt::Write as _;

use serde_json::json;

use crate::{
    cli::figures::{bytes, count, rate},
    client::push::{Guarantee, Nulls, Report, SessionReport, Sizes},
};

pub(super) fn report_json(report: &Report) -> serde_json::Value {
    json!({
        "domain": report.domain,
        "dialect": report.dialect.name(),
        "rows": report.sent.rows,
        "bytes": report.sent.bytes,
        "chunks": report.sent.chunks,
        "largest_message_bytes": report.sent.largest,
        "seconds": report.elapsed.as_secs_f64(),
        "send_seconds": report.send.as_secs_f64(),
        "attempts": report.attempts,
        "guarantee": report.guarantee.name(),
        "nulls_sent_as_empty": nulls_json(&report.nulls),
        "fields_sent_empty": report.unfilled,
        "fingerprint": report.fingerprint,
        "message": report.message,
        "session": report.session.as_ref().map(session_json),
    })
}

fn session_json(session: &SessionReport) -> serde_json::Value {
    json!({
        "id": session.id,
        "first_row": session.first_row,
        "rows": session.rows,
        "rows_there_before": session.resumed_at,
        "version": session.version,
    })
}

pub(super) fn nulls_json(nulls: &[Nulls]) -> serde_json::Value {
    nulls.iter().map(|Nulls { column, cells }| (column.clone(), json!(cells))).collect()
}

pub(super) fn report_text(report: &Report) -> String {
    let Sizes { rows, chunks, bytes: size, .. } = report.sent;
    let mut text = format!(
        "sent {} rows of {} in {} chunks of {}, {} in {:.3} s ({})\n",
        count(rows),
        report.domain,
        count(chunks),
        report.dialect,
        bytes(size),
        report.send.as_secs_f64(),
        rate(size, report.send),
    );
    if let Some(there) = report.session.as_ref().map(|session| session.resumed_at).filter(|rows| *rows > 0) {
        let _ = writeln!(text, "{} rows were there already and were not sent again", count(there));
    }
    let _ = writeln!(text, "server: {}", report.message);
    let _ = write!(text, "{}", guarantee(report));
    nulls_text(&report.nulls, &mut text);
    unfilled_text(&report.unfilled, &mut text);
    text
}

fn guarantee(report: &Report) -> String {
    let attempts = report.attempts;
    let is_kept = report.session.as_ref().is_none_or(|session| session.version > 0);
    match (report.guarantee, attempts) {
        (Guarantee::ExactlyOnce, _) if !is_kept => {
            "guarantee: every row was counted exactly once; this server keeps none".to_owned()
        }
        (Guarantee::ExactlyOnce, _) => {
            "guarantee: exactly once, by row position, in the storage of this server".to_owned()
        }
        (Guarantee::AtLeastOnce, 1) => {
            "guarantee: at least once; this stream was sent once and its counts agree".to_owned()
        }
        (Guarantee::AtLeastOnce, _) => format!(
            "guarantee: at least once; attempt {attempts} succeeded, so a server that does not upsert by key may hold rows twice"
        ),
    }
}

pub(super) fn unfilled_text(unfilled: &[String], text: &mut String) {
    if !unfilled.is_empty() {
        let _ = write!(text, "\nfields that the data set lacks, sent empty: {}", unfilled.join(", "));
    }
}

pub(super) fn nulls_text(nulls: &[Nulls], text: &mut String) {
    for Nulls { column, cells } in nulls {
        let _ = write!(text, "\nnull cells sent as empty: {} in {column}", count(*cells));
    }
}
