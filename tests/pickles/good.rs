//! Every good fixture becomes a data set that holds, to the last bit, what pandas reads from the pickle.

use std::path::Path;

use arrow_array::{Array as _, ArrayRef, RecordBatch, cast::AsArray as _, types::Int32Type};
use arrow_schema::{DataType, Field};
use brine::{
    columnar::schema::SOURCE,
    file::{Dataset, pickle::convert},
    schema::{self, Coerce},
};
use serde_json::Value;

use super::{
    fixtures::{self, Fixture},
    truth,
};

#[test]
fn every_fixture_reads_as_pandas_reads_it() {
    let good: Vec<Fixture> = fixtures::all().into_iter().filter(|fixture| !fixture.is_bad()).collect();
    assert!(good.len() > 150, "only {} fixtures", good.len());
    let faults = fixtures::faults(&good, check);
    assert!(faults.is_empty(), "{} of {} fixtures:\n{}", faults.len(), good.len(), faults.join("\n"));
}

fn check(fixture: &Fixture) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let told = |error: &dyn std::error::Error| format!("{}: {}", fixture.name, chain(error));
    let report =
        convert(&fixture.path, folder.path(), &fixture.options(), &mut |_, _| ()).map_err(|e| told(&e))?;
    let [table] = report.tables.as_slice() else { return Err(format!("{}: not one table", fixture.name)) };
    let wanted = fixture.truth["domain"].as_str();
    if table.manifest.domain.as_deref() != wanted {
        return Err(format!("{}: taken as {:?}", fixture.name, table.manifest.domain));
    }
    let nested = fixture.truth["container"] == "dict";
    if table.name.ends_with(".data_frame") != nested {
        return Err(format!("{}: called {}", fixture.name, table.name));
    }
    compare(&fixture.truth, folder.path(), &table.name).map_err(|fault| format!("{}: {fault}", fixture.name))
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn compare(truth: &Value, folder: &Path, name: &str) -> Result<(), String> {
    let dataset = Dataset::open(folder.join(name)).map_err(|error| chain(&error))?;
    dataset.verify_digests().map_err(|error| chain(&error))?;
    let rows = truth["rows"].as_u64().unwrap();
    if dataset.rows() != rows {
        return Err(format!("{} rows instead of {rows}", dataset.rows()));
    }
    let batches: Vec<RecordBatch> = (0..dataset.batch_count()).map(|i| dataset.batch(i).unwrap()).collect();
    let columns = truth["columns"].as_array().unwrap();
    for (index, field) in dataset.schema().fields().iter().enumerate() {
        let source = field.metadata().get(SOURCE).unwrap_or(field.name());
        let column = columns.iter().find(|column| column["name"] == source.as_str());
        let column = column.ok_or_else(|| format!("column {source:?} is from nowhere"))?;
        let arrays: Vec<&ArrayRef> = batches.iter().map(|batch| batch.column(index)).collect();
        compare_column(column, field, &arrays, coercion(truth, field))?;
    }
    match truth["domain"].as_str() {
        Some(_) => Ok(()),
        None if dataset.schema().fields().len() == columns.len() => Ok(()),
        None => Err("columns are missing".to_owned()),
    }
}

fn coercion(truth: &Value, field: &Field) -> Coerce {
    let domain = truth["domain"].as_str().and_then(schema::find);
    let column = domain.and_then(|domain| domain.columns.iter().find(|column| column.field == *field.name()));
    column.map_or(Coerce::None, |column| column.coerce)
}

fn compare_column(column: &Value, field: &Field, arrays: &[&ArrayRef], coerce: Coerce) -> Result<(), String> {
    let cells = arrays.iter().flat_map(|array| (0..array.len()).map(|row| truth::cell(array, row)));
    for (row, (found, value)) in cells.zip(column["values"].as_array().unwrap()).enumerate() {
        let wanted = truth::expected(value, column, field.data_type(), coerce);
        if found != wanted {
            let (found, wanted) = (found.to_string(), wanted.to_string());
            return Err(format!("{}, row {row}: {found:.60} instead of {wanted:.60}", field.name()));
        }
    }
    let (Some(categories), DataType::Dictionary(_, _)) = (column["categories"].as_array(), field.data_type())
    else {
        return Ok(());
    };
    for array in arrays {
        let values = array.as_dictionary::<Int32Type>().values();
        let values: Vec<Value> = (0..values.len()).map(|row| truth::cell(values, row)).collect();
        if values != *categories {
            return Err(format!("{}: categories {values:?} instead of {categories:?}", field.name()));
        }
    }
    Ok(())
}
