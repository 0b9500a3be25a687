//! The `pandas` metadata of tables with a domain and without one: under which names and types pandas finds the columns again.

use brine::{
    columnar::{Attrs, Mixed, Table, Vectors, pandas_metadata},
    limits::Limits,
    pandas::tables,
    pickle,
    schema::builtin,
};
use serde_json::Value;

/// `(name, field_name, numpy_type)` of each column, as a domain and as the cells are.
fn described(bytes: &[u8]) -> [Vec<(Value, Value, Value)>; 2] {
    let limits = Limits::default();
    let graph = pickle::load(bytes, &limits).unwrap();
    let member = tables(&graph, &limits).unwrap().pop().unwrap();
    let frame = member.found.unwrap().parse(&graph, &limits).unwrap();
    let of_domain = Table::of_domain(&frame, &builtin()[0], &limits).unwrap();
    let inferred = Table::inferred(&frame, Vectors::AsIs, Mixed::Refuse, &limits).unwrap();
    [of_domain, inferred].map(|table| {
        let metadata: Value =
            serde_json::from_str(&pandas_metadata(&frame, &table, &Attrs::default())).unwrap();
        let columns = metadata["columns"].as_array().unwrap().iter();
        columns
            .map(|told| (told["name"].clone(), told["field_name"].clone(), told["numpy_type"].clone()))
            .collect()
    })
}

#[test]
fn a_domain_names_and_types_its_columns_for_pandas_too() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pickles/recruit.f32.p2.pandas3.0.6.pkl");
    let [of_domain, inferred] = described(&std::fs::read(path).unwrap());
    assert!(of_domain.iter().all(|(name, field, _)| name == field), "{of_domain:?}");
    let years = of_domain.iter().find(|(name, ..)| name == "exp_years").unwrap();
    assert_eq!(years.2, "int32");
    let years = inferred.iter().find(|(name, ..)| name == "Exp Years").unwrap();
    assert_eq!(years.2, "str", "the text of pandas 3 comes back as it was");
}
