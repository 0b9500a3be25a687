//! What a command printed, without what changes from run to run.

use std::path::Path;

use arrow_array::{RecordBatch, cast::AsArray as _, types::UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// Text with folders as names, times and rates as `…`; an object with the values of such keys as `…`.
pub(super) fn plain(printed: &[u8], folder: &Path) -> String {
    let text = String::from_utf8_lossy(printed);
    let root = env!("CARGO_MANIFEST_DIR");
    let text = text.replace(&folder.display().to_string(), "FOLDER").replace(root, "ROOT");
    if let Ok(mut object) = serde_json::from_str::<Value>(&text) {
        blur(&mut object);
        return serde_json::to_string_pretty(&object).unwrap() + "\n";
    }
    text.lines().map(|line| timeless(line) + "\n").collect()
}

/// `… in 0.02 s (3.1 GB/s)` without its figures, and the files without their sizes, which the writing libraries decide.
fn timeless(line: &str) -> String {
    if let Some(files) = line.strip_prefix("  files: ") {
        let part = |file: &str| format!("{} …", file.split(' ').next().unwrap_or_default());
        return format!("  files: {}", files.split(", ").map(part).collect::<Vec<_>>().join(", "));
    }
    match line.rsplit_once(" in ") {
        Some((before, after)) if after.contains(" s (") && after.ends_with("/s)") => {
            format!("{before} in … s (…/s)")
        }
        _ => line.to_owned(),
    }
}

/// Times, and what depends on the versions of the libraries that write the files.
fn blur(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                match key.as_str() {
                    "seconds" | "disk_seconds" | "blake3" => *value = "…".into(),
                    "size" if value.is_u64() => *value = "…".into(),
                    _ => blur(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(blur),
        _ => {}
    }
}

/// The rows that were put aside, a line each.
pub(super) fn rejected(folder: &Path) -> String {
    let Ok(entries) = std::fs::read_dir(folder) else { return String::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.to_string_lossy().ends_with(".rejected.parquet"))
        .map(|path| rows(&path))
        .collect()
}

fn rows(path: &Path) -> String {
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.map(|batch| lines(&batch.unwrap())).collect()
}

fn lines(batch: &RecordBatch) -> String {
    let row = batch["row"].as_primitive::<UInt64Type>();
    let text = |name: &str, at: usize| batch[name].as_string::<i32>().value(at).to_owned();
    let line = |at: usize| format!("{}\t{}\t{}\n", row.value(at), text("column", at), text("reason", at));
    (0..batch.num_rows()).map(line).collect()
}
