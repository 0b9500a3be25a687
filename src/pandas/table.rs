//! The tables of a pickle: the value itself, or the members of dicts, lists and tuples, however deep, each with its path.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    blocks::Standing,
    error::{At as _, ErrorKind, Result},
    frame::{Frame, is_frame},
    holding::Holding,
    index::is_index,
    panel::{self, is_panel},
    plain::{Plain, name_of},
    series::is_series,
    values::{Values, class_of},
};
use crate::{
    limits::{Bound, Exceeded, Limits, raised_by},
    pickle::{self, Foreign, Global, Graph, Item, Node, NodeId},
};

/// How often one object is taken as a table: a file can name it any number of times.
const SAME_TABLE_MAX: u32 = 16;

/// A member of a pickle and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Keys and positions from the root, joined with dots; empty for the root itself.
    pub path: String,
    /// The table, or why there is none.
    pub found: Result<Found, String>,
}

/// A value that is a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The value.
    pub node: NodeId,
    /// What it is.
    pub form: Form,
}

/// What a table is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A frame.
    Frame,
    /// A series.
    Series,
    /// An index.
    Index,
    /// An array.
    Array,
    /// One item of a panel.
    Item(Standing),
    /// Rows, columns or vectors without pandas.
    Plain(Plain),
}

impl Found {
    /// Reads the table.
    pub fn parse<'g>(self, graph: &'g Graph<'g>, limits: &Limits) -> Result<Frame<'g>> {
        let frame = match self.form {
            Form::Frame => Frame::parse(graph, self.node, limits),
            Form::Series => Frame::of_series(graph, self.node, limits),
            Form::Index => Frame::of_index(graph, self.node, limits),
            Form::Array => Frame::of_array(graph, self.node, limits),
            Form::Item(standing) => Frame::of_panel(graph, self.node, standing, limits),
            Form::Plain(plain) => plain.parse(graph, self.node, limits),
        }?;
        let (wanted, limit) = (frame.rows as u64, limits.rows_max(graph.input().len()));
        if wanted > limit {
            let of = &Bound { what: "rows that no byte of the file stands for", flag: Some("cell-bytes") };
            return Err(ErrorKind::from(Exceeded { of, limit, wanted })).at("rows");
        }
        let wanted = wanted.saturating_mul(own_columns(&frame));
        if wanted > limit {
            let of = &Bound { what: "cells that several columns share", flag: Some("cell-bytes") };
            return Err(ErrorKind::from(Exceeded { of, limit, wanted })).at("columns");
        }
        Ok(frame)
    }
}

/// Columns whose cells stand in the file, a byte each at least, unless several columns name one list or array: a list of a
/// megabyte makes any number of columns then.
fn own_columns(frame: &Frame<'_>) -> u64 {
    use Values as V;
    let own = |values: &Values<'_>| {
        matches!(values, V::Numbers { .. } | V::Objects { .. } | V::Masked { .. } | V::Times { .. })
    };
    frame.columns.iter().filter(|column| own(&column.values)).count() as u64
}

/// Every member of a pickle that is a table, and those that are none with the reason.
///
/// A member that names something outside the closed list is none. Such a name anywhere else, or in a pickle that is no
/// container, is an error: nobody knows what the writer meant by it.
pub fn tables(graph: &Graph<'_>, limits: &Limits) -> Result<Vec<Member>, pickle::Error> {
    let mut walk = Walk {
        graph,
        limits,
        holding: Holding::new(graph),
        forms: HashMap::new(),
        members: Vec::new(),
        waiting: Vec::new(),
        around: Vec::new(),
    };
    walk.run();
    let mut members = walk.members;
    number_same_paths(&mut members);
    if graph.foreign().is_empty() {
        return Ok(members.into_iter().map(|(member, _)| member).collect());
    }
    Taint::new(graph).checked(members)
}

/// A member and the node it was found at.
type Seen = (Member, NodeId);

/// Looks for tables from the root on, without recursion.
struct Walk<'g> {
    graph: &'g Graph<'g>,
    limits: &'g Limits,
    holding: Holding<'g>,
    /// What each object is, and how often it was met.
    forms: HashMap<NodeId, (Option<Form>, u32)>,
    members: Vec<Seen>,
    waiting: Vec<Waiting>,
    /// The containers around the member that is looked at, the outermost first.
    around: Vec<NodeId>,
}

/// A member that is still to be looked at.
struct Waiting {
    path: String,
    id: NodeId,
    /// Containers around it.
    depth: usize,
    /// Which item of the panel `id` it is.
    item: Option<Standing>,
}

impl Walk<'_> {
    fn run(&mut self) {
        self.waiting.push(Waiting { path: String::new(), id: self.graph.root(), depth: 0, item: None });
        let mut seen = 0;
        while let Some(Waiting { path, id, depth, item }) = self.waiting.pop() {
            seen += 1;
            self.around.truncate(depth);
            if seen > self.limits.members_max {
                let left = self.waiting.len() + 1;
                return self.refuse(
                    path,
                    id,
                    format!(
                        "it and {left} more are beyond the limit of {} members{}",
                        seen - 1,
                        raised_by("members")
                    ),
                );
            }
            match item {
                Some(standing) => self.found(path, id, Form::Item(standing)),
                None => self.visit(path, id),
            }
        }
    }

    fn found(&mut self, path: String, node: NodeId, form: Form) {
        self.members.push((Member { path, found: Ok(Found { node, form }) }, node));
    }

    fn refuse(&mut self, path: String, id: NodeId, reason: String) {
        self.members.push((Member { path, found: Err(reason) }, id));
    }

    fn visit(&mut self, path: String, id: NodeId) {
        if let Some(place) = self.around.iter().position(|outer| *outer == id) {
            let up = self.around.len() - place;
            return self.refuse(
                path,
                id,
                format!("it is the container {up} above, which stands inside itself"),
            );
        }
        let (graph, limits, holding) = (self.graph, self.limits, &mut self.holding);
        let (form, times) = self.forms.entry(id).or_insert_with(|| (form_of(graph, id, limits, holding), 0));
        *times += 1;
        match *form {
            Some(_) if *times > SAME_TABLE_MAX => self.refuse_often(path, id),
            Some(form) => self.found(path, id, form),
            None if is_panel(graph, id) && *times > SAME_TABLE_MAX => self.refuse_often(path, id),
            None if is_panel(graph, id) => self.open_panel(&path, id),
            None => self.open(path, id),
        }
    }

    fn refuse_often(&mut self, path: String, id: NodeId) {
        self.refuse(path, id, format!("the same table stands here more than {SAME_TABLE_MAX} times"));
    }

    /// What is no table may hold some.
    fn open(&mut self, path: String, id: NodeId) {
        let depth = self.around.len();
        let children = children(self.graph, id, self.limits.members_max);
        match children {
            _ if depth >= self.limits.nesting_max => {
                self.refuse(
                    path,
                    id,
                    format!("it is nested deeper than {depth} levels{}", raised_by("nesting")),
                );
            }
            Ok(children) => {
                self.around.push(id);
                let inner = children.into_iter().rev().map(|(name, child)| Waiting {
                    path: joined(&path, &name),
                    id: child,
                    depth: depth + 1,
                    item: None,
                });
                self.waiting.extend(inner);
            }
            Err(reason) => self.refuse(path, id, reason),
        }
    }

    /// Each item of a panel is a table.
    fn open_panel(&mut self, path: &str, id: NodeId) {
        let depth = self.around.len();
        let items = match panel::items(self.graph, id, self.limits) {
            Ok(items) if items.is_empty() => {
                return self.refuse(path.to_owned(), id, "it is an empty panel".to_owned());
            }
            Ok(items) => items,
            Err(error) => return self.refuse(path.to_owned(), id, error.to_string()),
        };
        for (name, item) in items.into_iter().rev() {
            let path = joined(path, &name);
            match item {
                Some(_) => self.waiting.push(Waiting { path, id, depth, item }),
                None => self.refuse(path, id, "it is an item of a panel without a name".to_owned()),
            }
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn form_of<'g>(graph: &'g Graph<'g>, id: NodeId, limits: &Limits, holding: &mut Holding<'g>) -> Option<Form> {
    if is_frame(graph, id) {
        return Some(Form::Frame);
    }
    if is_series(graph, id) {
        return Some(Form::Series);
    }
    if is_index(graph, id) {
        return Some(Form::Index);
    }
    if is_array(graph, id) {
        return Some(Form::Array);
    }
    Plain::of(graph, id, limits, holding).map(Form::Plain)
}

fn is_array(graph: &Graph<'_>, id: NodeId) -> bool {
    use Global as G;
    matches!(
        class_of(graph, id),
        Some(
            G::FromBuffer
                | G::Reconstruct
                | G::MaskedReconstruct
                | G::Categorical
                | G::DatetimeArray
                | G::TimedeltaArray
                | G::PeriodArray
                | G::IntervalArray
                | G::SparseArray
                | G::StringArray
                | G::ArrowStringArray
                | G::ArrowExtensionArray
                | G::ArrowArray
                | G::ArrowChunks
                | G::MaskedArray
                | G::NumpyExtensionArray
        )
    )
}

/// The members of a container, or why it is none: at most one more than `max`.
fn children(graph: &Graph<'_>, id: NodeId, max: usize) -> Result<Vec<(String, NodeId)>, String> {
    if let Some(entries) = graph.dict(id) {
        let entries: Vec<_> =
            entries.take(max + 1).map(|(key, value)| (name_of_key(graph, key), value)).collect();
        return if entries.is_empty() { Err("it is an empty dict".to_owned()) } else { Ok(entries) };
    }
    let Some(list) = graph.sequence(id).filter(|_| is_ordered(graph, id)) else {
        return Err(reason(graph, id));
    };
    let items: Vec<Item> = list.items_from(0).take(max + 1).collect();
    let inner = |item: &Item| match item {
        Item::Node(id) if may_hold_tables(graph, *id) => Some(*id),
        _ => None,
    };
    if items.iter().all(|item| inner(item).is_none()) {
        return Err(format!(
            "it is {} of {} single values, which is no table",
            graph.node(id).kind(),
            list.len()
        ));
    }
    if let Some(class) = common_class(graph, &items) {
        return Err(format!(
            "it is {} of objects of {class}: no class of a program is known here; make dicts or a frame of them",
            graph.node(id).kind()
        ));
    }
    let named = items.into_iter().enumerate().map(|(position, item)| match item {
        Item::Node(id) => (position.to_string(), id),
        Item::Float(_) => (position.to_string(), NodeId::NONE),
    });
    Ok(named.collect())
}

/// Parts of a tuple, and letters of each, that stand in a path: tuples can name one long text again and again.
const TUPLE_PARTS: usize = 8;
const PART_LETTERS: usize = 32;

/// A key of a container as a part of a path; tuples as Python writes them, as far as they are short.
fn name_of_key(graph: &Graph<'_>, key: NodeId) -> String {
    let plain = |key| name_of(graph, key).unwrap_or_else(|_| graph.node(key).kind().to_owned());
    let Some(parts) = graph.tuple(key) else { return plain(key) };
    let parts = parts.iter().take(TUPLE_PARTS).map(|part| match graph.text(*part) {
        Some(text) => format!("'{}'", text.chars().take(PART_LETTERS).collect::<String>()),
        None => plain(*part),
    });
    format!("({})", parts.collect::<Vec<_>>().join(", "))
}

/// Keys that differ can read the same: the path of a later one is numbered.
fn number_same_paths(members: &mut [Seen]) {
    let own: HashSet<String> = members.iter().map(|(member, _)| member.path.clone()).collect();
    let mut times: HashMap<String, u32> = HashMap::new();
    for (member, _) in members {
        let times = times.entry(member.path.clone()).or_default();
        *times += 1;
        if *times > 1 {
            let mut numbered = format!("{}-{times}", member.path);
            while own.contains(&numbered) {
                *times += 1;
                numbered = format!("{}-{times}", member.path);
            }
            member.path = numbered;
        }
    }
}

fn is_ordered(graph: &Graph<'_>, id: NodeId) -> bool {
    matches!(graph.node(id), Node::List { .. } | Node::FloatList { .. } | Node::Tuple { .. })
}

fn may_hold_tables(graph: &Graph<'_>, id: NodeId) -> bool {
    use Node as N;
    let node = graph.node(id);
    is_ordered(graph, id)
        || matches!(node, N::Dict { .. } | N::Reduce { .. } | N::Object { .. } | N::Packed { .. })
}

/// The class outside the closed list that all items are objects of.
fn common_class(graph: &Graph<'_>, items: &[Item]) -> Option<String> {
    let class = |item: &Item| match item {
        Item::Node(id) => foreign_class(graph, *id),
        Item::Float(_) => None,
    };
    let first = class(items.first()?)?;
    let same = items.iter().all(|item| class(item) == Some(first));
    same.then(|| named(first))
}

/// The class or function outside the closed list that made an object.
fn foreign_class<'g>(graph: &'g Graph<'_>, id: NodeId) -> Option<&'g Foreign> {
    let foreign = |id| match graph.node(id) {
        Node::Foreign(place) => graph.foreign().get(place as usize),
        _ => None,
    };
    match graph.node(id) {
        Node::Object { class, .. } => foreign(class),
        Node::Reduce { callable, args, .. } => foreign(callable).or_else(|| {
            // Protocols 0 and 1 name the class as an argument.
            (graph.node(callable) == Node::Global(Global::Reconstructor)).then_some(())?;
            foreign(*graph.tuple(args)?.first()?)
        }),
        _ => None,
    }
}

fn named(foreign: &Foreign) -> String {
    format!("{}.{} (named at byte {:#x})", foreign.module, foreign.name, foreign.offset)
}

/// Why a value that is no container is no table.
fn reason(graph: &Graph<'_>, id: NodeId) -> String {
    if let Some(class) = foreign_class(graph, id) {
        let class = named(class);
        return format!(
            "it is an object of {class}, which is none of those that make data; nothing was imported or run"
        );
    }
    match class_of(graph, id) {
        Some(class) => format!("it is {}, which is no table", class.name()),
        None => format!("it is {}, and a single value is no table", graph.node(id).kind()),
    }
}

/// Which members name something outside the closed list.
struct Taint<'g> {
    graph: &'g Graph<'g>,
    /// Of each node, the last member that reached it.
    stamps: Vec<u32>,
    /// Nodes that may still be looked at: members can share what they are made of.
    steps: usize,
}

/// How often the whole graph may be walked before a file with foreign names is refused.
const WALKS_MAX: usize = 16;

impl<'g> Taint<'g> {
    fn new(graph: &'g Graph<'g>) -> Self {
        let nodes = graph.node_count();
        Self { graph, stamps: vec![u32::MAX; nodes], steps: nodes.saturating_mul(WALKS_MAX) }
    }

    /// Turns members with foreign names into refused ones.
    fn checked(mut self, members: Vec<Seen>) -> Result<Vec<Member>, pickle::Error> {
        let mut accounted = BTreeSet::new();
        let mut checked = Vec::with_capacity(members.len());
        for (stamp, (mut member, id)) in (0..).zip(members) {
            let found = self.foreign_in(id, stamp).ok_or_else(|| self.graph.foreign()[0].error())?;
            let is_value = member.found.is_ok() || !is_ordered(self.graph, id);
            if member.path.is_empty() && is_value && !found.is_empty() {
                return Err(self.graph.foreign()[0].error());
            }
            if let (Some(first), Ok(_)) = (found.first(), &member.found) {
                let first = named(&self.graph.foreign()[*first as usize]);
                member.found = Err(format!(
                    "it holds {first}, which is none of those that make data; nothing was imported or run"
                ));
            }
            accounted.extend(found);
            checked.push(member);
        }
        let first_lost = (0..).zip(self.graph.foreign()).find(|(place, _)| !accounted.contains(place));
        first_lost.map_or(Ok(checked), |(_, foreign)| Err(foreign.error()))
    }

    /// The foreign names that a value is made of; `None` if that takes too long to say.
    fn foreign_in(&mut self, root: NodeId, stamp: u32) -> Option<BTreeSet<u32>> {
        let mut waiting = vec![root];
        let mut found = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            let Some(last) = self.stamps.get_mut(id.index()) else { continue };
            if std::mem::replace(last, stamp) == stamp {
                continue;
            }
            self.steps = self.steps.checked_sub(1)?;
            if let Node::Foreign(place) = self.graph.node(id) {
                found.insert(place);
            }
            self.graph.references(id, &mut waiting);
        }
        Some(found)
    }
}
