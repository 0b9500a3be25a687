//! The closed list of globals that make data.
//!
//! A pickle names classes and functions; here a name is two strings that are looked up in a table byte for byte. No
//! prefix, no attribute walk, no import: what is not in the table has no meaning and makes no value.

mod table;

pub use table::Global;

/// One row of the table: a global under the name it had in the versions that wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row(u16);

impl Row {
    /// The row of `module.name`, if there is one.
    pub fn find(module: &[u8], name: &[u8]) -> Option<Self> {
        let is_it = |row: &&(&str, &str, Global)| row.1.as_bytes() == name && row.0.as_bytes() == module;
        let (index, _) = table::TABLE.iter().enumerate().find(|(_, row)| is_it(row))?;
        Some(Self(index as u16))
    }

    /// Every row.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..table::TABLE.len() as u16).map(Self)
    }

    /// What it means.
    pub fn global(self) -> Global {
        table::TABLE[usize::from(self.0)].2
    }

    /// The module in the file.
    pub fn module(self) -> &'static str {
        table::TABLE[usize::from(self.0)].0
    }

    /// The name in the module.
    pub fn name(self) -> &'static str {
        table::TABLE[usize::from(self.0)].1
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Global {
    /// Whether calls make a dict: what SETITEMS gives them are their items.
    pub fn is_dict_like(self) -> bool {
        matches!(self, Self::OrderedDict | Self::DefaultDict | Self::Counter | Self::Dict)
    }

    /// Whether calls make a list: what APPENDS gives them are their items.
    pub fn is_list_like(self) -> bool {
        matches!(
            self,
            Self::Deque | Self::FrozenList | Self::List | Self::Set | Self::FrozenSet | Self::Tuple
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_pairs_are_found() {
        let find = |module: &str, name: &str| Row::find(module.as_bytes(), name.as_bytes()).map(Row::global);
        assert_eq!(find("numpy", "dtype"), Some(Global::Dtype));
        assert_eq!(find("pandas.core.frame", "DataFrame"), Some(Global::DataFrame));
        assert_eq!(Global::DataFrame.name(), "pandas.core.frame.DataFrame");
        for (module, name) in [
            ("os", "system"),
            ("numpy", "dtype "),
            ("numpy ", "dtype"),
            ("numpy", "dtype.__call__"),
            ("pandas", "read_pickle"),
            ("builtins", "eval"),
            ("builtins", "getattr "),
            ("", "numpy.dtype"),
        ] {
            assert_eq!(find(module, name), None, "{module}.{name}");
        }
    }

    #[test]
    fn no_name_stands_twice() {
        for row in Row::all() {
            assert_eq!(Row::find(row.module().as_bytes(), row.name().as_bytes()), Some(row), "{row:?}");
        }
    }
}
