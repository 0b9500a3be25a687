//! The receipt of a run: one JSON file that says what is acknowledged, for whoever schedules many of them.

use std::{io::Write as _, path::Path};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{
    super::{progress::Standing, report::Failure},
    told,
};
use crate::{
    client::push::{Options, Report},
    file::AtomicFile,
};

/// Version of the receipt's form.
const FORMAT: u32 = 1;

/// Writes the receipt, whole or not at all.
pub(super) fn write(
    path: &Path,
    options: &Options,
    report: Option<&Report>,
    standing: Option<Standing>,
    error: Option<String>,
) -> Result<(), Failure> {
    let mut object = match report {
        Some(report) => told::report_json(report),
        None => json!({}),
    };
    object["format"] = FORMAT.into();
    object["tool_version"] = env!("CARGO_PKG_VERSION").into();
    object["dataset"] = options.dataset.display().to_string().into();
    object["target"] = options.target.to_string().into();
    object["complete"] = report.is_some().into();
    object["rows_acknowledged"] = acknowledged(report, standing);
    object["run"] = options.session.salt.as_str().into();
    object["error"] = error.into();
    save(path, &object).with_context(|| format!("write the receipt {}", path.display()))?;
    Ok(())
}

/// Ranges of rows of the data set that the server has for certain: all or none of a stream without positions.
fn acknowledged(report: Option<&Report>, standing: Option<Standing>) -> Value {
    let range = |first: u64, rows: u64| if rows == 0 { json!([]) } else { json!([[first, first + rows]]) };
    match (report, standing) {
        (Some(Report { session: Some(session), .. }), _) => range(session.first_row, session.rows),
        (Some(report), _) => range(report.first_row, report.sent.rows),
        (None, Some(Standing { first_row, acknowledged, .. })) => range(first_row, acknowledged),
        (None, None) => json!([]),
    }
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
