//! Ids of rows: which keys conversion takes, and those that it makes for tables without one.

use std::{fmt::Write as _, path::Path};

use arrow_array::cast::AsArray as _;
use brine::{
    columnar::{Error as Unfit, OnBadRow, Reason},
    digest::RowHasher,
    file::{
        Dataset, Error, Generate,
        pickle::{Choice, Options, TableReport, convert},
    },
    identifier, schema,
};

/// A row: the names of its columns, and texts; an empty name is a vector of 384 elements that are this number.
type Row<'a> = &'a [(&'a str, &'a str)];

/// A pickle of protocol 0: a list of dicts.
fn pickle(rows: &[Row<'_>]) -> Vec<u8> {
    let mut text = "(l".to_owned();
    for row in rows {
        text += "(d";
        for (name, value) in *row {
            if name.is_empty() {
                write!(text, "Vjob_post_vectors\n(l{}s", format!("F{value}\na").repeat(384)).unwrap();
            } else {
                write!(text, "V{name}\nV{value}\ns").unwrap();
            }
        }
        text += "a";
    }
    (text + ".").into_bytes()
}

fn converted(folder: &Path, name: &str, rows: &[Row<'_>], options: &Options) -> Result<TableReport, Error> {
    let input = folder.join(format!("{name}.pkl"));
    std::fs::write(&input, pickle(rows)).unwrap();
    let mut report = convert(&input, folder, options, &mut |_, _| ())?;
    Ok(report.tables.remove(0))
}

fn with(choice: Choice, generate_ids: Option<Generate>) -> Options {
    Options { choice, generate_ids, ..Options::default() }
}

fn domain(name: &str) -> Choice {
    Choice::Domain(schema::find(name).unwrap().clone().into())
}

fn unfit(report: Result<TableReport, Error>) -> Unfit {
    match report.unwrap_err() {
        Error::Columnar { source, .. } => source,
        error => panic!("{error}"),
    }
}

fn ids(folder: &Path, name: &str) -> Vec<String> {
    let dataset = Dataset::open(folder.join(name)).unwrap();
    let key = dataset.schema().index_of(dataset.manifest().key.as_ref().unwrap()).unwrap();
    let batches = dataset.arrow().unwrap().batches().map(Result::unwrap);
    let texts = |column: &dyn arrow_array::Array| {
        column.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect::<Vec<_>>()
    };
    batches.flat_map(|batch| texts(batch.column(key))).collect()
}

fn posting<'a>(id: &'a str, company: &'a str) -> [(&'a str, &'a str); 6] {
    let rest = [("Exp Years", "2y"), ("English Level", "upper"), ("Primary Keyword", "QA"), ("", "0.5")];
    [("id", id), ("Company Name", company), rest[0], rest[1], rest[2], rest[3]]
}

#[test]
fn a_key_of_recruit_is_a_uuid_of_any_version_and_a_skill_is_any_text() {
    let folder = tempfile::tempdir().unwrap();
    let versions = (1..=8).map(|version| format!("c0ca96e7-85df-{version}0df-a64e-d934cd02a170"));
    let others = ["00000000-0000-0000-0000-000000000000", "C0CA96E7-85DF-40DF-A64E-D934CD02A17F"];
    let good: Vec<String> = versions.chain(others.map(str::to_owned)).collect();
    let rows: Vec<_> = good.iter().map(|id| posting(id, "A")).collect();
    let rows: Vec<Row<'_>> = rows.iter().map(<[_; 6]>::as_slice).collect();
    converted(folder.path(), "good", &rows, &with(Choice::Matching, None)).unwrap();
    assert_eq!(ids(folder.path(), "good"), good);

    let short = "c0ca96e785df50dfa64ed934cd02a170";
    let bad = unfit(converted(
        folder.path(),
        "bad",
        &[&posting(&good[0], "A"), &posting(short, "B")],
        &with(Choice::Matching, None),
    ));
    let Unfit::BadRow { bad } = bad else { panic!("{bad}") };
    assert_eq!((bad.row, bad.column.as_str()), (1, "id"));
    assert_eq!(bad.reason, Reason::NotUuid(short.to_owned()));

    let skill: Row<'_> = &[("name", "C++"), ("category", "Dev"), ("skill_vector", "[1, 2]")];
    let any = schema::parse(
        &std::fs::read_to_string("schemas/skill_embedding_dic.toml")
            .unwrap()
            .replace("[768, 384, 1536]", "[2]"),
        "skills.toml",
    );
    let choice = Choice::Domain(any.unwrap().into());
    converted(folder.path(), "skills", &[skill], &with(choice, None)).unwrap();
    assert_eq!(ids(folder.path(), "skills"), ["C++"]);
}

#[test]
fn a_uuid_in_capitals_is_the_same_key() {
    let folder = tempfile::tempdir().unwrap();
    let id = "c0ca96e7-85df-50df-a64e-d934cd02a170";
    let capitals = id.to_uppercase();
    let rows: [Row<'_>; 2] = [&posting(id, "A"), &posting(&capitals, "B")];
    let error = unfit(converted(folder.path(), "r", &rows, &with(Choice::Matching, None)));
    let Unfit::BadRow { bad } = error else { panic!("{error}") };
    assert_eq!(bad.reason, Reason::DuplicateKey { key: capitals, first: 0 });
}

#[test]
fn version_5_is_the_documented_name_of_the_row_and_a_domain_without_its_id_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (&posting("", "A")[1..], &posting("", "B")[1..]);
    let options = || with(Choice::Matching, Some(Generate::V5));
    let report = converted(folder.path(), "jobs", &[a, b, a, a], &options()).unwrap();
    assert_eq!(report.manifest.domain.as_deref(), Some("recruit"));
    assert_eq!((report.manifest.key.as_deref(), report.made_ids), (Some("id"), Some(("id".to_owned(), 5))));

    let dataset = Dataset::open(folder.path().join("jobs")).unwrap();
    let others: Vec<usize> = (1..6).collect();
    let batch = dataset.batch(0).unwrap().project(&others).unwrap();
    let mut names: Vec<String> = Vec::new();
    let hasher = RowHasher::new(&batch.schema()).unwrap();
    hasher.hash(&batch, 0, |_, content| names.push(format!("{content:032x}"))).unwrap();
    assert!(names[0] == names[2] && names[0] != names[1]);
    names[2] += ":2";
    names[3] += ":3";
    let wanted: Vec<String> = names.iter().map(|name| identifier::of_name(name).to_string()).collect();
    assert_eq!(ids(folder.path(), "jobs"), wanted);

    // Another file, another order, and a bad row among them.
    let lame: Row<'_> = &[("Company Name", "C"), ("Exp Years", "long")];
    let bad = [lame, &posting("", "C")[3..]].concat();
    let options = Options { on_bad_row: OnBadRow::Skip, ..options() };
    converted(folder.path(), "more", &[b, &bad, a, a], &options).unwrap();
    assert_eq!(ids(folder.path(), "more"), [1, 0, 2].map(|row: usize| wanted[row].clone()));
}

#[test]
fn version_7_rises_over_all_batches() {
    let folder = tempfile::tempdir().unwrap();
    let row: Row<'_> = &[("name", "x")];
    let rows = vec![row; 20_000];
    converted(folder.path(), "many", &rows, &with(Choice::Inferred, Some(Generate::V7))).unwrap();
    let made = ids(folder.path(), "many");
    assert!(made.len() == rows.len() && made.is_sorted_by(|one, two| one < two));
    assert!(made.iter().all(|id| identifier::parse(id).unwrap().get_version_num() == 7));
}

#[test]
fn a_table_with_a_key_is_refused_and_so_is_a_key_that_is_no_uuid() {
    let folder = tempfile::tempdir().unwrap();
    let v5 = |choice| with(choice, Some(Generate::V5));
    let posting = posting("c0ca96e7-85df-50df-a64e-d934cd02a170", "A");
    for choice in [Choice::Matching, Choice::Inferred, domain("recruit")] {
        let error = unfit(converted(folder.path(), "r", &[&posting], &v5(choice)));
        assert!(matches!(&error, Unfit::HasKey { column } if column == "id"), "{error}");
    }
    let row: Row<'_> = &[("category", "Dev"), ("skill_vector", "[1, 2]")];
    let error = unfit(converted(folder.path(), "s", &[row], &v5(domain("skill_dic"))));
    assert!(matches!(&error, Unfit::KeyIsNoUuid { key, .. } if key == "skill"), "{error}");
    assert!(
        std::fs::read_dir(folder.path())
            .unwrap()
            .all(|entry| { entry.unwrap().path().extension().is_some_and(|extension| extension == "pkl") })
    );
}
