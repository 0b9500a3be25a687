//! A pickle: what it names, who wrote it, the tables in it, and whether it converts.

use std::{path::Path, sync::Arc};

use serde::Serialize;

use super::{
    Evidence, Inspection, Look, TableProfile, Unreadable, Verdict, profiles, structure, table, writer,
};
use crate::{
    columnar::{
        Attrs, OnBadRow, Sieve,
        profile::{Profiler, loaded_bytes},
    },
    file::{
        Error, annex,
        packed::Layers,
        pickle::{LOST_ATTRS, Options, chain, decoded, lost, table_of},
        spool::{Input, called, open_input},
    },
    pandas::{Found, Member, tables},
    pickle::{self, Graph, Names, UnknownGlobals},
};

/// What only pickles have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pickle {
    /// The protocol it announces; 0 where it announces none.
    pub protocol: u8,
    /// What it is packed in, the innermost first; empty if it is plain.
    pub packed: String,
    /// Bytes unpacked.
    pub unpacked_bytes: u64,
    /// Bytes behind the end, which belong to no value.
    pub trailing_bytes: u64,
    /// What the file shows of the programs that wrote it.
    pub writer: Vec<Evidence>,
    /// The names it holds, in the order of their first offset.
    pub globals: Vec<Met>,
}

/// A name in the pickle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Met {
    /// Module and name, as written.
    pub name: String,
    /// What it means; none for what is outside the closed list and means nothing.
    pub meaning: Option<&'static str>,
    /// How often it is named; none where that was not counted.
    pub count: Option<u64>,
    /// Where first.
    pub offset: u64,
}

pub(super) fn inspect(
    path: &Path,
    look: &Look,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Inspection, Error> {
    let temporary = look.options.temporary_folder.clone().unwrap_or_else(std::env::temp_dir);
    let input = open_input(path, &temporary, &look.options.limits.unpacking)?;
    let path = called(path);
    let mut inspection = Inspection {
        path: path.to_owned(),
        kind: "pickle",
        bytes: input.source_bytes(),
        pickle: None,
        tables: Vec::new(),
        unreadable: Vec::new(),
        verdict: Verdict::Safe,
    };
    let ground = Some(Arc::new(annex::Folder::new(&temporary)) as _);
    let graph = match input.graph(&look.options.limits, UnknownGlobals::Keep, ground) {
        Ok(graph) => graph,
        Err(error) => {
            let names = input.names(&look.options.limits);
            let is_pickle = names.protocol > 0 || !(names.met.is_empty() && names.foreign.is_empty());
            inspection.pickle = is_pickle.then(|| about(&names, &input));
            inspection.verdict = refused(&error);
            return Ok(inspection);
        }
    };
    let (met, foreign) = (graph.met().to_vec(), graph.foreign().to_vec());
    let about = about(&Names { protocol: graph.protocol(), met, foreign }, &input);
    inspection.pickle = Some(Pickle { trailing_bytes: graph.trailing_bytes(), ..about });
    match tables(&graph, &look.options.limits) {
        Ok(members) => Members::look(&mut inspection, members, &graph, look, progress),
        Err(error) => inspection.verdict = refused(&error),
    }
    Ok(inspection)
}

fn refused(error: &pickle::Error) -> Verdict {
    Verdict::Refused { reason: error.to_string(), offset: Some(error.offset()) }
}

fn about(names: &Names, input: &Input) -> Pickle {
    let known = names.met.iter().map(|met| Met {
        name: format!("{}.{}", met.row.module(), met.row.name()),
        meaning: Some(met.row.global().meaning()),
        count: Some(met.count),
        offset: met.offset,
    });
    let foreign = names.foreign.iter().map(|foreign| Met {
        name: format!("{}.{}", foreign.module, foreign.name),
        meaning: None,
        count: None,
        offset: foreign.offset,
    });
    let mut globals: Vec<Met> = known.chain(foreign).collect();
    globals.sort_by_key(|met| met.offset);
    Pickle {
        protocol: names.protocol,
        packed: Layers(input.layers()).to_string(),
        unpacked_bytes: input.len() as u64,
        trailing_bytes: 0,
        writer: writer::evidence(&names.met),
        globals,
    }
}

/// Looks at one member after the other and gathers what is lost.
struct Members<'a> {
    path: &'a Path,
    look: &'a Look,
    losses: Vec<String>,
    first_fault: Option<String>,
    /// Tables that `convert` refuses for their rows unless it is told what becomes of them.
    with_bad_rows: usize,
}

impl Members<'_> {
    fn look(
        inspection: &mut Inspection,
        members: Vec<Member>,
        graph: &Graph<'_>,
        look: &Look,
        progress: &mut dyn FnMut(u64, u64),
    ) {
        let path = inspection.path.clone();
        let mut all = Members { path: &path, look, losses: Vec::new(), first_fault: None, with_bad_rows: 0 };
        for Member { path, found } in members {
            let table = match found {
                Ok(found) => all.table(&path, found, graph, progress),
                Err(reason) => Err(reason),
            };
            match table {
                Ok(table) => inspection.tables.push(table),
                Err(reason) => {
                    all.first_fault.get_or_insert_with(|| reason.clone());
                    inspection.unreadable.push(Unreadable { path, reason });
                }
            }
        }
        inspection.verdict = all.verdict(inspection);
    }

    fn verdict(mut self, inspection: &Inspection) -> Verdict {
        if inspection.tables.len() == self.with_bad_rows {
            let reason = self.first_fault.unwrap_or_else(|| "it holds no table".to_owned());
            return Verdict::Refused { reason, offset: None };
        }
        if !inspection.unreadable.is_empty() {
            self.losses.push(format!("{} of its members are left out", inspection.unreadable.len()));
        }
        if self.losses.is_empty() { Verdict::Safe } else { Verdict::Losses { losses: self.losses } }
    }

    fn table(
        &mut self,
        member: &str,
        found: Found,
        graph: &Graph<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<TableProfile, String> {
        let options = &self.look.options;
        let frame = found.parse(graph, &options.limits).map_err(|source| {
            chain(&Error::Pandas { path: self.path.to_owned(), member: member.to_owned(), source })
        })?;
        let columnar = |source| {
            chain(&Error::Columnar { path: self.path.to_owned(), member: member.to_owned(), source })
        };
        let converted = table_of(&frame, options).map_err(columnar)?;
        let rows = converted.rows() as u64;
        let schema = converted.schema();
        if !converted.ignored().is_empty() {
            self.lose(member, &format!("not in the domain, left out: {}", converted.ignored().join(", ")));
        }
        let lost = lost(Attrs::of(&frame), options.dataset.only);
        if !lost.is_empty() {
            self.lose(member, &format!("{LOST_ATTRS}: {}", lost.join(", ")));
        }
        if self.look.structure {
            return Ok(table(schema, member.to_owned(), rows, structure(schema)));
        }
        let mut profiler = Profiler::new(schema);
        let mut sieve = Sieve::new(schema, OnBadRow::Skip, None);
        let (mut done, mut first_bad) = (0, None);
        for (first, batch) in decoded(&converted) {
            let batch = batch.map_err(columnar)?;
            done += batch.batch.num_rows() as u64;
            first_bad = first_bad.or_else(|| batch.bad.first().map(ToString::to_string));
            let sifted = sieve.sift(first, batch).map_err(columnar)?;
            first_bad = first_bad.or_else(|| sifted.bad.first().map(ToString::to_string));
            profiler.add(&sifted.batch);
            progress(done, rows);
        }
        if sieve.bad_rows() > 0 {
            self.bad_rows(member, sieve.bad_rows(), first_bad.as_deref().unwrap_or_default());
        }
        if converted.rounded() > 0 {
            self.lose(member, &format!("{} vector elements are rounded to 32 bits", converted.rounded()));
        }
        let mut columns = profiler.finish();
        // Rows that are left out are still objects in the file.
        if sieve.bad_rows() == 0 {
            let loaded = loaded_bytes(&frame, &converted, &options.limits);
            for (column, bytes) in columns.iter_mut().zip(loaded) {
                if let Some(bytes) = bytes {
                    column.loaded_as(bytes);
                }
            }
        }
        Ok(table(schema, member.to_owned(), rows, profiles(columns)))
    }

    fn bad_rows(&mut self, member: &str, rows: u64, first: &str) {
        let what =
            format!("bad rows, which --on-bad-row skip or quarantine leaves out: {rows}; the first: {first}");
        self.with_bad_rows += 1;
        self.first_fault.get_or_insert_with(|| what.clone());
        self.lose(member, &what);
    }

    fn lose(&mut self, member: &str, what: &str) {
        let place = if member.is_empty() { String::new() } else { format!("{member}: ") };
        self.losses.push(format!("{place}{what}"));
    }
}

/// How a pickle is looked at unless it is said otherwise.
impl From<Options> for Look {
    fn from(options: Options) -> Self {
        Self { structure: false, options }
    }
}
