//! Which programs wrote a pickle, as far as the names in it show. Names changed with versions; each line says by which.

use serde::Serialize;

use crate::pickle::Met;

/// Something that a name gives away about the writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What it shows.
    pub shows: &'static str,
    /// The name that shows it.
    pub by: String,
    /// Where it stands first.
    pub offset: u64,
}

/// Module, name (or any, if empty), and what they show.
const SIGNS: [(&str, &str, &str); 13] = [
    ("pandas", "DataFrame", "pandas 3.0 or later"),
    ("pandas", "Series", "pandas 3.0 or later"),
    ("pandas._libs.internals", "_unpickle_block", "pandas 1.4 or later"),
    ("pandas.core.internals.blocks", "new_block", "pandas 1.3"),
    ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked", "pandas 1.3 or later"),
    ("pandas.core.internals.managers", "", "pandas 0.24 or later"),
    ("pandas.core.internals", "BlockManager", "pandas 0.23 or earlier"),
    ("pandas.core.index", "", "pandas 0.17 or earlier"),
    ("pandas.indexes.base", "", "pandas 0.18 or 0.19"),
    ("numpy._core.multiarray", "", "NumPy 2 or later"),
    ("numpy._core.numeric", "", "NumPy 2 or later"),
    ("numpy.core.multiarray", "", "NumPy 1"),
    ("numpy.core.numeric", "", "NumPy 1"),
];

/// What the names met show, each thing once.
pub(super) fn evidence(met: &[Met]) -> Vec<Evidence> {
    let mut found: Vec<Evidence> = Vec::new();
    for met in met {
        let (module, name) = (met.row.module(), met.row.name());
        let sign = SIGNS.iter().find(|sign| sign.0 == module && (sign.1.is_empty() || sign.1 == name));
        let Some((_, _, shows)) = sign else { continue };
        if found.iter().all(|evidence| evidence.shows != *shows) {
            found.push(Evidence { shows, by: format!("{module}.{name}"), offset: met.offset });
        }
    }
    found
}
