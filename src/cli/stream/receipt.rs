//! The receipt of a run: one JSON file that says what is acknowledged, for whoever schedules many of them.

use std::{io::Write as _, ops::Range, path::Path};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::super::report::Failure;
use crate::{client::Target, file::AtomicFile};

/// Version of the receipt's form.
const FORMAT: u32 = 1;

/// What every receipt says.
pub(super) struct Receipt<'a> {
    pub(super) dataset: &'a Path,
    pub(super) target: &'a Target,
    /// Everything that was to be sent was, and is acknowledged.
    pub(super) is_complete: bool,
    /// Rows of the data set that the server has for certain.
    pub(super) acknowledged: Range<u64>,
    pub(super) error: Option<String>,
}

/// Writes the receipt, whole or not at all, beside what else is `said` of the run.
pub(super) fn write(path: &Path, said: Value, receipt: Receipt<'_>) -> Result<(), Failure> {
    let Receipt { dataset, target, is_complete, acknowledged, error } = receipt;
    let mut object = said;
    object["format"] = FORMAT.into();
    object["tool_version"] = env!("CARGO_PKG_VERSION").into();
    object["dataset"] = dataset.display().to_string().into();
    object["target"] = target.to_string().into();
    object["complete"] = is_complete.into();
    object["rows_acknowledged"] = ranges(acknowledged);
    object["error"] = error.into();
    save(path, &object).with_context(|| format!("write the receipt {}", path.display()))?;
    Ok(())
}

fn ranges(rows: Range<u64>) -> Value {
    if rows.is_empty() { json!([]) } else { json!([[rows.start, rows.end]]) }
}

fn save(path: &Path, object: &Value) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().and_then(|name| name.to_str()).context("the path names no file")?;
    let mut file = AtomicFile::create(folder, name)?;
    serde_json::to_writer_pretty(&mut file, object)?;
    file.write_all(b"\n")?;
    let _named = file.commit()?;
    Ok(())
}
