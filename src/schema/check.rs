//! What the parts of a schema must mean together: one key, one vector, defaults that fit, names that are free.

use std::collections::HashMap;

use super::{
    Coerce, DefaultValue, Domain, Fault, KeyFormat, Kind, NullPolicy, Problem, builtin,
    error::Rule,
    nearest,
    parse::{At, Draft, DraftColumn},
};
use crate::limits::schema::{COLUMNS_MAX, NAME_BYTES_MAX};

/// Checks the draft and makes the domain of it; `None` if the domain could not even be put together.
pub(super) fn domain(draft: Draft, faults: &mut Vec<Fault>) -> Option<Domain> {
    too_many(&draft, faults)?;
    duplicate_fields(&draft.columns, faults);
    duplicate_sources(&draft.columns, faults);
    draft.columns.iter().for_each(|column| alone(column, faults));
    signs(&draft, faults);
    let key = key(&draft, faults);
    let vector = vector(&draft.columns, faults);
    let json = draft.json.map(|json| json.finish(&draft.columns, faults));
    let values = |names: Vec<At<String>>| names.into_iter().map(|name| name.value).collect();
    Some(Domain {
        key: key?,
        key_format: draft.key_format.value,
        vector: vector?,
        name: draft.name.value,
        aliases: values(draft.aliases),
        message: draft.message.value,
        chunk_field: draft.chunk_field.value,
        recognised_by: values(draft.recognised_by),
        columns: draft.columns.into_iter().map(DraftColumn::finish).collect(),
        json,
    })
}

/// A file may bear the name of a built-in domain, and then takes its place where the file is used: that is how other
/// source columns go over the published wire. It may not take any other name that already means something.
pub(super) fn names(draft: &Draft, faults: &mut Vec<Fault>) {
    for name in std::iter::once(&draft.name).chain(&draft.aliases) {
        let taken = |domain: &&Domain| domain.name != draft.name.value && domain.is_called(&name.value);
        if let Some(domain) = builtin().iter().find(taken) {
            fault(
                faults,
                name.line,
                Problem::Taken { name: name.value.clone(), builtin: domain.name.clone() },
            );
        }
    }
}

/// Whether a name looks as the rule wants it.
pub(super) fn follows(rule: Rule, name: &str) -> bool {
    match rule {
        Rule::Domain => {
            is_identifier(name)
                && name.len() <= NAME_BYTES_MAX
                && name.starts_with(|first: char| first.is_ascii_alphabetic())
        }
        Rule::Field => is_identifier(name),
        Rule::Message | Rule::Path => name.split('.').all(is_identifier),
        Rule::Source => !name.is_empty(),
    }
}

fn is_identifier(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.chars().all(allowed) && name.starts_with(|first: char| !first.is_ascii_digit())
}

fn too_many(draft: &Draft, faults: &mut Vec<Fault>) -> Option<()> {
    let columns = draft.columns.len();
    if columns <= COLUMNS_MAX {
        return Some(());
    }
    fault(faults, draft.columns[COLUMNS_MAX].field.line, Problem::TooManyColumns { columns });
    None
}

fn duplicate_fields(columns: &[DraftColumn], faults: &mut Vec<Fault>) {
    let mut seen = HashMap::new();
    for At { line, value } in columns.iter().map(|column| &column.field) {
        if let Some(first) = seen.get(value) {
            fault(faults, *line, Problem::DuplicateField { field: value.clone(), first: *first });
        } else {
            seen.insert(value, *line);
        }
    }
}

/// A source feeds one field only: a second use is nearly always a line that was copied and not changed.
fn duplicate_sources(columns: &[DraftColumn], faults: &mut Vec<Fault>) {
    let mut seen: HashMap<&str, (&str, usize)> = HashMap::new();
    for column in columns {
        for source in &column.sources {
            if let Some((field, first)) = seen.get(source.value.as_str()) {
                let (source_column, field, first) = (source.value.clone(), (*field).to_owned(), *first);
                fault(faults, source.line, Problem::DuplicateSource { source_column, field, first });
            } else {
                seen.insert(&source.value, (&column.field.value, source.line));
            }
        }
    }
}

/// What can be said of a column without the others.
fn alone(column: &DraftColumn, faults: &mut Vec<Fault>) {
    let (field, kind) = (column.field.value.clone(), column.kind);
    if column.coerce.value != Coerce::None && !kind.is_integer() {
        let coerce = column.coerce.value.name();
        fault(faults, column.coerce.line, Problem::CoerceKind { coerce, field: field.clone(), kind });
    }
    if !column.dimensions.value.is_empty() && kind != Kind::Vector {
        fault(faults, column.dimensions.line, Problem::DimensionsKind { field: field.clone(), kind });
    }
    if let Some(problem) = null_problem(field, kind, &column.null.value) {
        fault(faults, column.null.line, problem);
    }
}

fn null_problem(field: String, kind: Kind, null: &NullPolicy) -> Option<Problem> {
    match (null, kind) {
        (NullPolicy::Refuse, _) => None,
        (_, Kind::Vector) => Some(Problem::NeverNull { field, role: "vector" }),
        (NullPolicy::Empty, Kind::Int32 | Kind::Int64) => Some(Problem::EmptyInteger { field }),
        (NullPolicy::Empty, _) => None,
        (NullPolicy::Default(value), _) if fits(value, kind) => None,
        (NullPolicy::Default(_), _) => Some(Problem::DefaultKind { field, kind, expected: default_of(kind) }),
    }
}

fn fits(value: &DefaultValue, kind: Kind) -> bool {
    match (value, kind) {
        (DefaultValue::Text(_), Kind::Text | Kind::Category) | (DefaultValue::Int(_), Kind::Int64) => true,
        (DefaultValue::Int(value), Kind::Int32) => i32::try_from(*value).is_ok(),
        _ => false,
    }
}

fn default_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Category => "a text",
        Kind::Int32 => "an integer of 32 bits",
        Kind::Int64 => "an integer",
        Kind::TextList | Kind::Vector => "left out",
    }
}

fn signs(draft: &Draft, faults: &mut Vec<Fault>) {
    for sign in &draft.recognised_by {
        let known = |column: &DraftColumn| column.sources.iter().any(|source| source.value == sign.value);
        if !draft.columns.iter().any(known) {
            fault(faults, sign.line, Problem::UnknownSign { name: sign.value.clone() });
        }
    }
}

fn key(draft: &Draft, faults: &mut Vec<Fault>) -> Option<usize> {
    let At { line, value: key } = &draft.key;
    let Some(index) = draft.columns.iter().position(|column| column.field.value == *key) else {
        let fields: Vec<&str> = draft.columns.iter().map(|column| column.field.value.as_str()).collect();
        let hint = nearest(key, &fields).map(str::to_owned);
        fault(faults, *line, Problem::UnknownKeyColumn { key: key.clone(), hint });
        return None;
    };
    let column = &draft.columns[index];
    if !matches!(column.kind, Kind::Text | Kind::Int32 | Kind::Int64) {
        fault(faults, *line, Problem::KeyKind { field: key.clone(), kind: column.kind });
    } else if column.null.value != NullPolicy::Refuse {
        fault(faults, column.null.line, Problem::NeverNull { field: key.clone(), role: "key" });
    } else if draft.key_format.value == KeyFormat::Uuid && column.kind != Kind::Text {
        let (field, kind) = (key.clone(), column.kind);
        fault(faults, draft.key_format.line, Problem::KeyFormatKind { field, kind });
    }
    Some(index)
}

fn vector(columns: &[DraftColumn], faults: &mut Vec<Fault>) -> Option<usize> {
    let mut vectors = columns.iter().enumerate().filter(|(_, column)| column.kind == Kind::Vector);
    let Some((index, first)) = vectors.next() else {
        fault(faults, 1, Problem::NoVector);
        return None;
    };
    for (_, second) in vectors {
        let problem = Problem::SecondVector { field: second.field.value.clone(), first: first.field.line };
        fault(faults, second.field.line, problem);
    }
    Some(index)
}

fn fault(faults: &mut Vec<Fault>, line: usize, problem: Problem) {
    faults.push(Fault { line, problem });
}
