//! The protocol that a pickle is written in is of no consequence to what it says.

use std::collections::BTreeMap;

use brine::file::pickle::convert;

use super::fixtures;

#[test]
fn a_table_has_one_fingerprint_in_every_protocol() {
    let mut groups: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for fixture in fixtures::all().into_iter().filter(|fixture| fixture.name.contains("_small.")) {
        let (case, rest) = fixture.name.split_once(".p").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let report = convert(&fixture.path, folder.path(), &fixture.options(), &mut |_, _| ()).unwrap();
        let fingerprint = report.tables[0].manifest.fingerprint.clone();
        groups.entry(format!("{case} {}", &rest[1..])).or_default().push((fixture.name, fingerprint));
    }
    assert!(groups.len() >= 20, "{} tables", groups.len());
    for (table, found) in &groups {
        assert_eq!(found.len(), 4, "{table}");
        assert!(found.iter().all(|(_, fingerprint)| *fingerprint == found[0].1), "{found:?}");
    }
}
