//! How a row looks as a JSON object: the keys of the published Java server, in their order, and the column of each.

use super::{
    Fault, Problem, nearest,
    parse::{At, DraftColumn},
};

/// The objects that carry a domain's rows in the dialect `json-v1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonForm {
    /// The domain's name there.
    pub domain: String,
    /// The keys in their order.
    pub keys: Vec<JsonKey>,
}

/// One key of the objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonKey {
    /// The key.
    pub name: String,
    /// The field of the column that fills it; none: it is null in every row.
    pub column: Option<String>,
}

/// The table `json` of a document.
pub(super) struct DraftJson {
    pub(super) line: usize,
    pub(super) domain: At<String>,
    pub(super) keys: Vec<At<String>>,
    pub(super) columns: Vec<(At<String>, At<String>)>,
}

impl DraftJson {
    /// Gives each key its column; a column that no key takes is a fault.
    pub(super) fn finish(self, columns: &[DraftColumn], faults: &mut Vec<Fault>) -> JsonForm {
        let fields: Vec<&str> = columns.iter().map(|column| column.field.value.as_str()).collect();
        self.unknown(&fields, faults);
        let keys: Vec<_> = self.keys.iter().map(|key| self.key(&key.value, &fields)).collect();
        for field in fields {
            if !keys.iter().any(|key| key.column.as_deref() == Some(field)) {
                let problem = Problem::JsonLacks { field: field.to_owned() };
                faults.push(Fault { line: self.line, problem });
            }
        }
        JsonForm { domain: self.domain.value, keys }
    }

    fn key(&self, name: &str, fields: &[&str]) -> JsonKey {
        let named = self.columns.iter().find(|(key, _)| key.value == name);
        let column = named.map_or(name, |(_, column)| &column.value);
        let column = fields.contains(&column).then(|| column.to_owned());
        JsonKey { name: name.to_owned(), column }
    }

    fn unknown(&self, fields: &[&str], faults: &mut Vec<Fault>) {
        let keys: Vec<&str> = self.keys.iter().map(|key| key.value.as_str()).collect();
        for (At { line, value: key }, column) in &self.columns {
            if !keys.contains(&key.as_str()) {
                let hint = nearest(key, &keys).map(str::to_owned);
                let problem = Problem::UnknownJsonKey { key: key.clone(), hint };
                faults.push(Fault { line: *line, problem });
            } else if !fields.contains(&column.value.as_str()) {
                let hint = nearest(&column.value, fields).map(str::to_owned);
                let (key, column_name) = (key.clone(), column.value.clone());
                let problem = Problem::UnknownJsonColumn { key, column: column_name, hint };
                faults.push(Fault { line: column.line, problem });
            }
        }
    }
}
