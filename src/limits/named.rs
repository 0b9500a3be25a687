//! The bounds that a user may move, by the names that errors tell and `--limit` takes.

use super::Limits;

/// A bound that can be set.
struct Named {
    name: &'static str,
    set: fn(&mut Limits, u64),
}

/// Saturates where a bound is smaller than 64 bits: more than that is no bound.
fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

const NAMED: &[Named] = &[
    Named { name: "array-dimensions", set: |limits, value| limits.array_dimensions_max = size(value) },
    Named { name: "cell-bytes", set: |limits, value| limits.cell_bytes_floor = value },
    Named { name: "column-bytes", set: |limits, value| limits.column_bytes_floor = value },
    Named { name: "columns", set: |limits, value| limits.columns_max = size(value) },
    Named { name: "graph-bytes", set: |limits, value| limits.graph_bytes_floor = value },
    Named { name: "int-digits", set: |limits, value| limits.int_digits_max = size(value) },
    Named { name: "layers", set: |limits, value| limits.unpacking.layers_max = size(value) },
    Named { name: "line-bytes", set: |limits, value| limits.line_bytes_max = size(value) },
    Named { name: "members", set: |limits, value| limits.members_max = size(value) },
    Named { name: "nested-pickles", set: |limits, value| limits.nested_pickles_max = size(value) },
    Named { name: "nesting", set: |limits, value| limits.nesting_max = size(value) },
    Named { name: "object-bytes", set: |limits, value| limits.object_bytes_max = value },
    Named { name: "open-marks", set: |limits, value| limits.mark_depth_max = size(value) },
    Named { name: "stack-values", set: |limits, value| limits.stack_depth_max = size(value) },
    Named { name: "table-heap-bytes", set: |limits, value| limits.table_heap_bytes = size(value) },
    Named { name: "unpacked-bytes", set: |limits, value| limits.unpacking.bytes_max = value },
    Named { name: "unpacked-ratio", set: |limits, value| limits.unpacking.ratio = value },
    Named { name: "vector-dimension", set: |limits, value| limits.vector_dimension_max = size(value) },
];

/// A name that is no bound's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no limit {name:?}; there are {}", Limits::names().collect::<Vec<_>>().join(", "))]
pub struct NoSuchLimit {
    name: String,
}

impl Limits {
    /// The names of the bounds that can be set.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|named| named.name)
    }

    /// Sets the bound of this name.
    pub fn set(&mut self, name: &str, value: u64) -> Result<(), NoSuchLimit> {
        let named = NAMED.iter().find(|named| named.name == name);
        let named = named.ok_or_else(|| NoSuchLimit { name: name.to_owned() })?;
        (named.set)(self, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_sets_a_bound_of_its_own() {
        let mut seen = vec![format!("{:?}", Limits::default())];
        for name in Limits::names() {
            let mut limits = Limits::default();
            limits.set(name, 77).unwrap();
            let told = format!("{limits:?}");
            assert!(!seen.contains(&told), "{name} sets what another sets, or nothing");
            seen.push(told);
        }
        let error = Limits::default().set("rows", 1).unwrap_err();
        assert!(error.to_string().contains("graph-bytes"), "{error}");
    }
}
