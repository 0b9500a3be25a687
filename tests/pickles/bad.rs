//! Every bad fixture is refused for the reason that its JSON file names, and leaves nothing behind.

use brine::{
    columnar::{self, Reason},
    file::{
        Error,
        packed::{Fault, Unread},
        pickle::{Choice, Options, convert},
    },
    pickle::ErrorKind,
};

use super::fixtures::{self, Fixture};

#[test]
fn every_bad_fixture_is_refused_for_its_reason_and_leaves_nothing() {
    let bad: Vec<Fixture> = fixtures::all().into_iter().filter(Fixture::is_bad).collect();
    assert!(bad.len() > 40, "only {} fixtures", bad.len());
    let faults = fixtures::faults(&bad, check);
    assert!(faults.is_empty(), "{} of {} fixtures:\n{}", faults.len(), bad.len(), faults.join("\n"));
}

fn check(fixture: &Fixture) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let error = convert(&fixture.path, folder.path(), &options(fixture), &mut |_, _| ());
    let error = error.err().ok_or_else(|| format!("{} is read", fixture.name))?;
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let found = told(&error);
    let expect = &fixture.truth["expect"];
    let same = |key: &str, found: Option<String>| {
        expect.get(key).is_none_or(|wanted| {
            Some(wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned)) == found
        })
    };
    if !left.is_empty() {
        return Err(format!("{}: leaves {left:?}", fixture.name));
    }
    if !(same("error", Some(found.error.to_owned()))
        && same("row", found.row)
        && same("column", found.column)
        && same("global", found.global))
    {
        return Err(format!("{}: {expect} is expected, {error:?} is told", fixture.name));
    }
    Ok(())
}

/// A table that lacks a column is no domain's until somebody says so.
fn options(fixture: &Fixture) -> Options {
    let domain = fixture.truth["domain"].as_str().and_then(brine::schema::find);
    let choice = domain.map_or(Choice::Matching, |domain| Choice::Domain(domain.clone().into()));
    Options { choice, ..Options::default() }
}

#[derive(Default)]
struct Told {
    error: &'static str,
    row: Option<String>,
    column: Option<String>,
    global: Option<String>,
}

/// The error in the words of the fixtures.
fn told(error: &Error) -> Told {
    match error {
        Error::Pickle { source, .. } => match source.kind() {
            ErrorKind::UnknownGlobal { module, name } => {
                Told { error: "global", global: Some(format!("{module}.{name}")), ..Told::default() }
            }
            kind => Told { error: of_pickle(kind), ..Told::default() },
        },
        Error::Columnar { source, .. } => of_table(source),
        Error::Packed { source: Unread { what: Fault::CutShort { .. }, .. }, .. } => {
            Told { error: "truncated", ..Told::default() }
        }
        _ => Told::default(),
    }
}

fn of_pickle(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotAPickle(_) | ErrorKind::OtherFormat(_) | ErrorKind::Empty => "not-a-pickle",
        ErrorKind::CutShort(_) | ErrorKind::FrameBeyondEnd { .. } => "truncated",
        ErrorKind::UnknownProtocol(_) => "protocol",
        ErrorKind::UnsetMemo(_) => "memo",
        ErrorKind::StackUnderflow => "stack",
        ErrorKind::Outside(_) => "persistent",
        _ => "another",
    }
}

fn of_table(error: &columnar::Error) -> Told {
    match error {
        columnar::Error::MissingColumns { missing, .. } => {
            let column = missing.first().and_then(|missing| missing.sources.first().cloned());
            Told { error: "missing-column", column, ..Told::default() }
        }
        columnar::Error::NoDimension { column, .. } => {
            Told { error: "dimension", column: Some(column.clone()), ..Told::default() }
        }
        columnar::Error::BadRow { bad } => Told {
            error: of_reason(&bad.reason),
            row: Some(bad.row.to_string()),
            column: Some(bad.column.clone()),
            global: None,
        },
        _ => Told { error: "another", ..Told::default() },
    }
}

fn of_reason(reason: &Reason) -> &'static str {
    match reason {
        Reason::Null | Reason::NoVector => "null",
        Reason::Dimension { .. } => "ragged",
        Reason::Element { found: Reason::NAN, .. } => "nan",
        Reason::Element { found: Reason::INFINITE, .. } => "inf",
        Reason::Element { found: Reason::MISSING, .. } => "null",
        Reason::WrongType { .. } | Reason::NotJson | Reason::Element { .. } => "type",
        Reason::EmptyKey => "empty",
        Reason::NotUuid(_) => "not-a-uuid",
        Reason::DuplicateKey { .. } => "duplicate",
        Reason::Coerce(_) => "years",
        _ => "another",
    }
}
