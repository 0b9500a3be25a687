//! Small data sets of the three domains, with awkward values.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{
    Array as _, ArrayRef, DictionaryArray, FixedSizeListArray, Float32Array, Int32Array, ListArray,
    RecordBatch, StringArray,
    builder::{ListBuilder, StringBuilder},
};
use arrow_schema::{DataType, Field};
use brine::{
    columnar::schema::of_domain,
    file::{Dataset, DatasetOptions, DatasetWriter, Manifest, SourceInfo},
    schema,
};

/// Writes `rows` rows of `domain` into `folder`, with vectors of the domain's usual dimension.
pub(super) fn write(folder: &Path, domain: &str, rows: usize) -> PathBuf {
    write_with(folder, domain, rows, if domain == "recruit" { 384 } else { 768 })
}

pub(super) fn write_with(folder: &Path, domain: &str, rows: usize, dimension: usize) -> PathBuf {
    write_times(folder, domain, rows, dimension, 1)
}

/// The same rows twice in one data set, keys and all.
pub(super) fn write_twice(folder: &Path, domain: &str, rows: usize) -> PathBuf {
    write_times(folder, domain, rows, 384, 2)
}

/// Rows in batches of `batch_rows`.
pub(super) fn write_in_batches(folder: &Path, domain: &str, rows: usize, batch_rows: usize) -> PathBuf {
    let options = DatasetOptions { batch_rows, ..DatasetOptions::default() };
    write_by(folder, domain, (rows, 1), 384, options)
}

fn write_times(folder: &Path, domain: &str, rows: usize, dimension: usize, times: usize) -> PathBuf {
    write_by(folder, domain, (rows, times), dimension, DatasetOptions::default())
}

fn write_by(
    folder: &Path,
    domain: &str,
    (rows, times): (usize, usize),
    dimension: usize,
    options: DatasetOptions,
) -> PathBuf {
    let schema = of_domain(schema::find(domain).unwrap(), dimension);
    let source = SourceInfo { file_name: format!("{domain}.pkl"), size: 1, blake3: None };
    let options = DatasetOptions { overwrite: true, source: Some(source), ..options };
    let mut writer = DatasetWriter::create(folder, domain, Arc::clone(&schema), options).unwrap();
    let columns = schema.fields().iter().map(|field| column(field, rows)).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    (0..times).for_each(|_| writer.write(&batch).unwrap());
    writer.finish().unwrap();
    folder.join(domain)
}

pub(super) fn manifest(dataset: &Path) -> Manifest {
    Dataset::open(dataset).unwrap().manifest().clone()
}

pub(super) fn nulls(dataset: &Path, column: &str) -> usize {
    let dataset = Dataset::open(dataset).unwrap();
    let batches = (0..dataset.batch_count()).map(|index| dataset.batch(index).unwrap());
    batches.map(|batch| batch.column_by_name(column).unwrap().null_count()).sum()
}

fn column(field: &Field, rows: usize) -> ArrayRef {
    let is_null = |row: usize| field.is_nullable() && row.is_multiple_of(19);
    match field.data_type() {
        DataType::Utf8 => {
            Arc::new(StringArray::from_iter_values((0..rows).map(|row| text(field.name(), row))))
        }
        DataType::Int32 => {
            Arc::new((0..rows).map(|row| Some(i32::try_from(row % 11).unwrap())).collect::<Int32Array>())
        }
        DataType::Dictionary(..) => {
            let values = StringArray::from(vec!["Ünternehmen", "日本", "Basic"]);
            let keys: Int32Array =
                (0..rows).map(|row| (!is_null(row)).then_some(i32::try_from(row % 3).unwrap())).collect();
            Arc::new(DictionaryArray::new(keys, Arc::new(values)))
        }
        DataType::FixedSizeList(item, dimension) => {
            let floats =
                (0..rows * usize::try_from(*dimension).unwrap()).map(|index| (index % 1_009) as f32 / 7.0);
            let floats: ArrayRef = Arc::new(Float32Array::from_iter_values(floats));
            Arc::new(FixedSizeListArray::new(Arc::clone(item), *dimension, floats, None))
        }
        DataType::List(item) => Arc::new(lists(item, rows)),
        other => unreachable!("{other}"),
    }
}

/// The text of a cell.
pub(super) fn text(column: &str, row: usize) -> String {
    match column {
        "id" | "candidate_id" => format!("00000000-0000-5000-8000-{row:012}"),
        "skill" => format!("skill {row}"),
        _ => "résumé ".repeat(row % 7 + 1),
    }
}

fn lists(item: &Arc<Field>, rows: usize) -> ListArray {
    let mut builder = ListBuilder::new(StringBuilder::new()).with_field(Arc::clone(item));
    for row in 0..rows {
        (0..row % 4).for_each(|skill| builder.values().append_value(format!("skill {skill}")));
        builder.append(true);
    }
    builder.finish()
}
