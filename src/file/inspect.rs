//! What is in a file, without converting it: pickles, Parquet and Arrow files, data sets, folders of them.
//!
//! Everything is told as data that serialises to the object of `brine inspect --json`.

mod pickled;
mod writer;

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::Serialize;

use super::{
    Dataset, Error,
    arrow_ipc::ArrowSource,
    map::{Access, Contents},
    parquet::ParquetSource,
    pickle::Options,
};
use crate::columnar::profile::{ColumnProfile, Profiler};

pub use pickled::{Met, Pickle};
pub use writer::Evidence;

/// Rows of Parquet that are looked at together.
const BATCH_ROWS: usize = 8_192;

/// What a file or data set holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The file, or the manifest's folder and name.
    pub path: PathBuf,
    /// `pickle`, `parquet`, `arrow` or `dataset`.
    pub kind: &'static str,
    /// Bytes of the file, or of all files of the data set.
    pub bytes: u64,
    /// What only pickles have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pickle: Option<Pickle>,
    /// The tables in it.
    pub tables: Vec<TableProfile>,
    /// Members that are no table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
    /// Whether `brine convert` takes it.
    pub verdict: Verdict,
}

/// A member that is no table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Where it stands in the value.
    pub path: String,
    /// Why it is none.
    pub reason: String,
}

/// A table and its columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableProfile {
    /// Where it stands in the value; empty for the value itself.
    pub path: String,
    /// The domain whose types it gets or has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Rows.
    pub rows: u64,
    /// Columns; without values if only the structure was asked for.
    pub columns: Vec<Column>,
    /// What all columns take together; none if only the structure was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

/// Memory of a table, in pandas as `DataFrame.memory_usage(index=False, deep=True)` counts it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Memory {
    /// In pandas, with a text of its own in every row.
    pub pandas_object_bytes: u64,
    /// In pandas, with repeated text as categoricals.
    pub pandas_bytes: u64,
    /// In Arrow.
    pub arrow_bytes: u64,
    /// What the categoricals save, in percent of the objects; negative if they take more.
    pub pandas_saves_percent: f64,
    /// What Arrow saves, in percent of the objects.
    pub arrow_saves_percent: f64,
}

impl Memory {
    fn of(columns: &[Column]) -> Option<Self> {
        let profiles = || {
            columns.iter().filter_map(|column| match column {
                Column::Structure { .. } => None,
                Column::Profile(profile) => Some(profile),
            })
        };
        profiles().next()?;
        let objects = profiles().map(|column| column.pandas_object_bytes).sum();
        let categoricals = profiles().map(|column| column.pandas_bytes).sum();
        let arrow = profiles().map(|column| column.arrow_bytes).sum();
        Some(Self {
            pandas_object_bytes: objects,
            pandas_bytes: categoricals,
            arrow_bytes: arrow,
            pandas_saves_percent: saved_percent(objects, categoricals),
            arrow_saves_percent: saved_percent(objects, arrow),
        })
    }
}

/// What `less` saves of `more`, to two digits after the point.
fn saved_percent(more: u64, less: u64) -> f64 {
    let percent = 100.0 * (1.0 - less as f64 / more.max(1) as f64);
    (100.0 * percent).round() / 100.0
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Column {
    /// Name and type alone.
    Structure {
        /// Its name.
        name: String,
        /// Its Arrow type.
        #[serde(rename = "type")]
        data_type: String,
    },
    /// All that is known.
    Profile(Box<ColumnProfile>),
}

/// What `brine convert` would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Verdict {
    /// Everything is kept.
    Safe,
    /// It converts, but not everything is kept.
    Losses {
        /// What is not.
        losses: Vec<String>,
    },
    /// It is refused.
    Refused {
        /// Why, outermost first.
        reason: String,
        /// Where in the pickle, if a byte is at fault.
        #[serde(skip_serializing_if = "Option::is_none")]
        offset: Option<u64>,
    },
}

/// How to look.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Names and types only.
    pub structure: bool,
    /// How a pickle would be converted.
    pub options: Options,
}

/// Looks into a file, a data set, or every data set of a folder. `progress` hears of rows done and rows in all.
pub fn inspect(
    path: &Path,
    look: &Look,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<Inspection>, Error> {
    if path.is_dir() {
        let names = Dataset::list(path)?;
        if names.is_empty() {
            return Err(Error::NoDataset { path: path.to_owned() });
        }
        return names.iter().map(|name| dataset(&path.join(name), look, progress)).collect();
    }
    if !path.exists() && super::spool::called(path) == path {
        let found = dataset(path, look, progress).map_err(|error| match error {
            Error::NoDataset { path } => Error::NotFound { path },
            error => error,
        })?;
        return Ok(vec![found]);
    }
    let one = match magic(path) {
        Some("parquet") => parquet(path, look, progress),
        Some("arrow") => arrow(path, look, progress),
        _ => pickled::inspect(path, look, progress),
    };
    Ok(vec![one?])
}

/// What the first bytes of a plain file say.
fn magic(path: &Path) -> Option<&'static str> {
    use std::io::Read as _;
    let mut first = [0; 6];
    let file =
        std::fs::File::open(path).ok().filter(|file| file.metadata().is_ok_and(|about| about.is_file()))?;
    let read = file.take(6).read(&mut first).ok()?;
    match &first[..read] {
        [b'P', b'A', b'R', b'1', ..] => Some("parquet"),
        b"ARROW1" => Some("arrow"),
        _ => None,
    }
}

fn parquet(path: &Path, look: &Look, progress: &mut dyn FnMut(u64, u64)) -> Result<Inspection, Error> {
    let source = ParquetSource::open(Contents::open(path, Access::Map)?)?;
    let bytes = source.contents().len() as u64;
    let batches = || source.batches(BATCH_ROWS, None);
    let table = profile(source.schema(), source.rows(), batches, look, progress)?;
    Ok(columnar(path, "parquet", bytes, table))
}

fn arrow(path: &Path, look: &Look, progress: &mut dyn FnMut(u64, u64)) -> Result<Inspection, Error> {
    let source = ArrowSource::open(Contents::open(path, Access::Map)?)?;
    let bytes = source.contents().len() as u64;
    let table = profile(source.schema(), source.rows(), || Ok(source.batches()), look, progress)?;
    Ok(columnar(path, "arrow", bytes, table))
}

fn dataset(path: &Path, look: &Look, progress: &mut dyn FnMut(u64, u64)) -> Result<Inspection, Error> {
    let dataset = Dataset::open(path)?;
    let files = &dataset.manifest().files;
    let bytes = [&files.parquet, &files.arrow, &files.ids].into_iter().flatten().map(|info| info.size).sum();
    let (schema, rows) = (dataset.schema(), dataset.rows());
    let table = if files.arrow.is_some() {
        let source = dataset.arrow()?;
        profile(schema, rows, || Ok(source.batches()), look, progress)?
    } else {
        let source = dataset.parquet()?;
        profile(schema, rows, || source.batches(BATCH_ROWS, None), look, progress)?
    };
    Ok(columnar(&dataset.folder().join(dataset.name()), "dataset", bytes, table))
}

fn columnar(path: &Path, kind: &'static str, bytes: u64, table: TableProfile) -> Inspection {
    let (tables, unreadable) = (vec![table], Vec::new());
    Inspection {
        path: path.to_owned(),
        kind,
        bytes,
        pickle: None,
        tables,
        unreadable,
        verdict: Verdict::Safe,
    }
}

fn profile<B: Iterator<Item = Result<RecordBatch, Error>>>(
    schema: &Schema,
    rows: u64,
    batches: impl FnOnce() -> Result<B, Error>,
    look: &Look,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<TableProfile, Error> {
    if look.structure {
        return Ok(table(schema, String::new(), rows, structure(schema)));
    }
    let mut profiler = Profiler::new(schema);
    let mut done = 0;
    for batch in batches()? {
        let batch = batch?;
        profiler.add(&batch);
        done += batch.num_rows() as u64;
        progress(done, rows);
    }
    Ok(table(schema, String::new(), rows, profiles(profiler.finish())))
}

fn table(schema: &Schema, path: String, rows: u64, columns: Vec<Column>) -> TableProfile {
    let domain = schema.metadata().get(crate::columnar::schema::DOMAIN).cloned();
    let memory = Memory::of(&columns);
    TableProfile { path, domain, rows, columns, memory }
}

fn profiles(columns: Vec<ColumnProfile>) -> Vec<Column> {
    columns.into_iter().map(|column| Column::Profile(Box::new(column))).collect()
}

fn structure(schema: &Schema) -> Vec<Column> {
    let column = |field: &std::sync::Arc<arrow_schema::Field>| Column::Structure {
        name: field.name().clone(),
        data_type: field.data_type().to_string(),
    };
    schema.fields().iter().map(column).collect()
}
