//! What a pull did, in words and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    cli::figures::{bytes, count, rate},
    client::pull::{Report, Row, Start},
};

/// Characters of a text that people are shown.
const SHOWN: usize = 120;

pub(super) fn report_json(report: &Report) -> Value {
    json!({
        "domain": report.domain,
        "rows": report.received.rows,
        "chunks": report.received.chunks,
        "bytes": report.received.bytes,
        "largest_message_bytes": report.received.largest,
        "seconds": report.elapsed.as_secs_f64(),
        "first_chunk_seconds": report.time_to_first_chunk.map(|time| time.as_secs_f64()),
        "attempts": report.attempts,
        "first": report.first.as_ref().map(row_json),
        "last": report.last.as_ref().map(row_json),
        "dimension": report.dimension,
        "checkpoint": report.checkpoint,
        "checkpoint_unknown": report.checkpoint_unknown,
        "total_rows": report.total_rows,
        "fingerprint": report.fingerprint,
        "verified": report.verified,
        "repeated_ids": report.repeated_ids,
        "dataset": report.written.as_ref().map(|written| &written.dataset),
        "dataset_fingerprint": report.written.as_ref().map(|written| &written.fingerprint),
    })
}

fn row_json(row: &Row) -> Value {
    Value::Object(row.fields.iter().cloned().collect())
}

pub(super) fn report_text(report: &Report, start: &Start) -> String {
    let received = &report.received;
    if received.rows == 0 {
        return nothing(report, start);
    }
    let mut text = format!(
        "Total chunks received: {}\nTotal rows received: {}\n{} in {:.3} s ({})\n",
        count(received.chunks),
        count(received.rows),
        bytes(received.bytes),
        report.elapsed.as_secs_f64(),
        rate(received.bytes, report.elapsed),
    );
    let rows = [("First row", &report.first), ("Last row", &report.last)];
    for (title, row) in rows {
        row.as_ref().map_or(Ok(()), |row| row_text(title, row, &mut text)).unwrap_or_default();
    }
    if report.repeated_ids > 0 {
        let _ = writeln!(text, "rows with an id that an earlier row has: {}", count(report.repeated_ids));
    }
    if let Some(written) = &report.written {
        let _ = writeln!(text, "written: {}", written.dataset.display());
    }
    text += checked(report);
    text
}

fn nothing(report: &Report, start: &Start) -> String {
    match start {
        _ if report.checkpoint_unknown => "the table has no rows".to_owned(),
        Start::First => "the table has no rows".to_owned(),
        Start::Row(row) => format!("nothing new: the table ends before row {}", count(*row)),
        Start::Behind { checkpoint, .. } => format!("nothing new: no row stands behind {checkpoint}"),
    }
}

fn row_text(title: &str, row: &Row, text: &mut String) -> std::fmt::Result {
    writeln!(text, "{title}:")?;
    row.fields.iter().try_for_each(|(name, value)| writeln!(text, "  {name}: {}", shown(value)))
}

/// A value on one line. A stranger's text moves no cursor.
fn shown(value: &Value) -> String {
    let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut characters = plain.chars();
    let mut text: String = characters
        .by_ref()
        .take(SHOWN)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if characters.next().is_some() {
        text.push('…');
    }
    text
}

fn checked(report: &Report) -> &'static str {
    match (report.verified, report.total_rows) {
        (true, Some(total_rows)) if total_rows == report.received.rows => {
            "verified: places and digests of all rows, and the fingerprint of the table"
        }
        (true, _) => "verified: places and digests of the rows received, which are a part of the table",
        (false, _) => "checked: dimensions and ids; this server says nothing of what its rows add up to",
    }
}
