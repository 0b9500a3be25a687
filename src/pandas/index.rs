//! Indexes: the labels of columns and rows.
//!
//! `_new_Index(class, {data, name})` and its siblings for times, durations, periods and intervals; a range holds no data;
//! an index of several levels holds each level's values and codes into them. Before 0.15 an index was a NumPy array:
//! `_reconstruct(class, ..)` with state `(state of the array, (name, ..))`.

use std::sync::Arc;

use super::{
    error::{At as _, ErrorKind, Result},
    extension::{self, Block, Reading, named},
    frequency,
    label::Label,
    values::{Values, class_of},
    zone::Zone,
};
use crate::{
    numpy::Array,
    pickle::{Global, Graph, Item, Node, NodeId},
};

/// The labels along one axis, or one level of them.
#[derive(Debug, Clone)]
pub struct Index<'g> {
    /// Its name.
    pub name: Label,
    /// The name of its column in a file.
    pub column: String,
    /// The labels.
    pub values: Values<'g>,
    /// How many.
    pub len: usize,
    /// What pandas calls the type, where the values alone do not tell.
    pub dtype: Option<String>,
}

/// An index in the file: its class and the dict or the tuple of what it is made of.
struct Parts<'g> {
    class: Global,
    /// Keys to values, of `_new_Index` and its siblings.
    dict: Option<NodeId>,
    /// State of the array and own state, of the indexes that were arrays.
    array: Option<(NodeId, &'g [NodeId])>,
}

impl<'g> Parts<'g> {
    fn of(graph: &'g Graph<'g>, id: NodeId) -> Option<Self> {
        let Node::Reduce { callable, args, state } = graph.node(id) else { return None };
        let args = graph.tuple(args)?;
        let Node::Global(class) = graph.node(*args.first()?) else { return None };
        match graph.node(callable) {
            Node::Global(
                Global::NewIndex
                | Global::NewDatetimeIndex
                | Global::NewTimedeltaIndex
                | Global::NewPeriodIndex
                | Global::NewIntervalIndex,
            ) => Some(Self { class, dict: args.get(1).copied(), array: None }),
            Node::Global(Global::Reconstruct) => {
                let &[array, own] = graph.tuple(Graph::present(state)?)? else { return None };
                Some(Self { class, dict: None, array: Some((array, graph.tuple(own)?)) })
            }
            _ => None,
        }
    }

    /// The part of this key, or the item at this place of an array's own state.
    fn part(&self, graph: &Graph<'_>, key: &'static str, place: usize) -> Option<NodeId> {
        match (self.dict, self.array) {
            (Some(dict), _) => graph.dict_value(dict, key),
            (None, Some((_, own))) => own.get(place).copied(),
            (None, None) => None,
        }
    }

    fn name(&self, graph: &Graph<'_>) -> Label {
        self.part(graph, "name", 0).map_or(Label::None, |name| Label::of_node(graph, name))
    }
}

impl<'g> Index<'g> {
    /// The index that node `id` describes, level by level: one of most.
    pub(super) fn levels(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Vec<Self>> {
        let parts = Parts::of(graph, id).ok_or(ErrorKind::UnknownForm).at("index")?;
        if parts.class == Global::MultiIndex {
            return levels(graph, &parts, reading).map_err(|error| error.inside("index"));
        }
        Self::of_parts(graph, &parts, reading).map(|index| vec![index])
    }

    /// The same of an index that must have one level.
    pub(super) fn single(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Self> {
        let parts = Parts::of(graph, id).ok_or(ErrorKind::UnknownForm).at("index")?;
        Self::of_parts(graph, &parts, reading)
    }

    fn of_parts(graph: &'g Graph<'g>, parts: &Parts<'g>, reading: Reading<'_>) -> Result<Self> {
        let name = parts.name(graph);
        if parts.class == Global::RangeIndex {
            return range(graph, parts, name).at("index");
        }
        let block = values(graph, parts, reading).map_err(|error| error.inside("index"))?;
        let dtype = block.dtype.clone();
        let (values, len) = block.single().at("index.data")?;
        Ok(Self { name, column: String::new(), values, len, dtype })
    }

    /// A range from 0 on.
    pub(super) fn default_of(len: usize) -> Self {
        let values = Values::Range { start: 0, step: 1 };
        Self { name: Label::None, column: String::new(), values, len, dtype: None }
    }

    /// Whether this is the index of a frame that never got one: 0, 1, 2, …
    pub fn is_default(&self) -> bool {
        matches!(self.values, Values::Range { start: 0, step: 1 }) && self.name == Label::None
    }

    /// Every label.
    pub(super) fn labels(&self, graph: &Graph<'_>) -> Vec<Label> {
        (0..self.len).map(|row| Label::at(graph, &self.values, row)).collect()
    }
}

fn values<'g>(graph: &'g Graph<'g>, parts: &Parts<'g>, reading: Reading<'_>) -> Result<Block<'g>> {
    match parts.class {
        Global::IntervalIndex => {
            let side = |key: &'static str, place| {
                let id = parts.part(graph, key, place).ok_or(ErrorKind::Missing(key)).at(key)?;
                let index = Index::single(graph, id, reading.deeper().at(key)?)?;
                Ok((index.values, index.len))
            };
            let closed = parts.part(graph, "closed", 2).ok_or(ErrorKind::Missing("closed")).at("closed")?;
            extension::of_sides(graph, side("left", 0)?, side("right", 1)?, closed).at("values")
        }
        Global::PeriodIndex => {
            let data = data(graph, parts, reading)?;
            let numbers = match data.columns.as_slice() {
                [Values::Numbers { array, .. }] => Arc::clone(array),
                _ => return Ok(data),
            };
            let frequency = parts.part(graph, "freq", 1).and_then(|freq| frequency::of_offset(graph, freq));
            let frequency = frequency.ok_or(ErrorKind::UnknownFrequency).at("freq")?;
            extension::of_ordinals(Array::clone(&numbers), &frequency).at("data")
        }
        Global::DatetimeIndex => {
            let data = data(graph, parts, reading)?;
            let zone = match parts.part(graph, "tz", 2).filter(|zone| *zone != NodeId::NONE) {
                Some(zone) => Some(Zone::parse(graph, zone).ok_or(ErrorKind::UnknownZone).at("tz")?),
                None => None,
            };
            Ok(extension::in_zone(data, zone.as_ref()))
        }
        Global::Index | Global::TimedeltaIndex | Global::CategoricalIndex => data(graph, parts, reading),
        _ => Err(ErrorKind::UnknownForm).at("class"),
    }
}

fn data<'g>(graph: &'g Graph<'g>, parts: &Parts<'g>, reading: Reading<'_>) -> Result<Block<'g>> {
    if let Some((array, _)) = parts.array {
        return extension::of_array(Array::of_state(graph, array, reading.limits).at("data")?, reading)
            .at("data");
    }
    let data = parts.part(graph, "data", 0).ok_or(ErrorKind::Missing("data")).at("data")?;
    extension::parse(graph, data, reading.deeper().at("data")?)
}

fn levels<'g>(graph: &'g Graph<'g>, parts: &Parts<'g>, reading: Reading<'_>) -> Result<Vec<Index<'g>>> {
    let items = |key: &'static str, place| {
        let id = parts.part(graph, key, place).ok_or(ErrorKind::Missing(key))?;
        let items = graph.sequence(id).ok_or(ErrorKind::UnknownForm)?;
        Ok::<Vec<Item>, ErrorKind>(items.items_from(0).collect())
    };
    let (values, names) = (items("levels", 0).at("levels")?, items("names", 3).unwrap_or_default());
    let codes = items("codes", 1).or_else(|_| items("labels", 1)).at("codes")?;
    if values.len() != codes.len() || values.is_empty() || values.len() > reading.limits.array_dimensions_max
    {
        return Err(ErrorKind::UnknownForm).at("levels");
    }
    let mut levels: Vec<Index<'g>> = Vec::new();
    for (number, (level, codes)) in values.into_iter().zip(codes).enumerate() {
        let path = format!("levels[{number}]");
        let (Item::Node(level), Item::Node(codes)) = (level, codes) else {
            return Err(ErrorKind::UnknownForm).at(&path);
        };
        let inside = |error: super::Error| error.inside(&path);
        let level = Index::single(graph, level, reading.deeper().at(&path)?).map_err(inside)?;
        let codes = codes_of(graph, codes, reading).at(&path)?;
        extension::check_codes(&codes, level.len).at(&path)?;
        let len = codes.len();
        if levels.first().is_some_and(|first| first.len != len) {
            return Err(ErrorKind::WrongRows { what: "a level", wanted: levels[0].len, found: len })
                .at(&path);
        }
        let name = match names.get(number) {
            Some(Item::Node(name)) => Label::of_node(graph, *name),
            Some(Item::Float(name)) => Label::Float(*name),
            None => Label::None,
        };
        let (values, count) = (Box::new(level.values), level.len);
        let values = Values::Coded { codes: Arc::new(codes), values, count };
        levels.push(Index { name, column: String::new(), values, len, dtype: level.dtype });
    }
    Ok(levels)
}

/// Codes are an array, which in old versions has a class of its own.
fn codes_of<'g>(graph: &'g Graph<'g>, id: NodeId, reading: Reading<'_>) -> Result<Array<'g>, ErrorKind> {
    if let Some(&[array, _]) = graph.state(id).and_then(|state| graph.tuple(state)) {
        return Ok(Array::of_state(graph, array, reading.limits)?);
    }
    Ok(Array::shared(graph, id, reading.limits)?)
}

fn range<'g>(graph: &'g Graph<'g>, parts: &Parts<'g>, name: Label) -> Result<Index<'g>, ErrorKind> {
    let dict = parts.dict.ok_or(ErrorKind::UnknownForm)?;
    let part = |key| match graph.node(named(graph, dict, &[key])?) {
        Node::Int(value) => Ok(value),
        _ => Err(ErrorKind::Missing(key)),
    };
    let (start, stop, step) = (part("start")?, part("stop")?, part("step")?);
    let span = i128::from(stop) - i128::from(start);
    let len = match step {
        0 => return Err(ErrorKind::UnknownForm),
        1.. => (span + i128::from(step) - 1) / i128::from(step),
        _ => (span + i128::from(step) + 1) / i128::from(step),
    };
    let len = usize::try_from(len.max(0)).map_err(|_| ErrorKind::UnknownForm)?;
    Ok(Index { name, column: String::new(), values: Values::Range { start, step }, len, dtype: None })
}

/// Names the columns that levels become in a file as pandas does: by the level's name if no column has it, else by number.
pub(super) fn name_columns(levels: &mut [Index<'_>], columns: &[String]) {
    for place in 0..levels.len() {
        let name = levels[place].name.to_string();
        let before = levels[..place].iter().any(|level| level.column == name);
        let usable = levels[place].name != Label::None && !before && !columns.contains(&name);
        levels[place].column = if usable { name } else { numbered(place, &levels[..place], columns) };
    }
}

/// The first name of this form, from the level's own number on, that neither a column nor a level before has.
fn numbered(place: usize, before: &[Index<'_>], columns: &[String]) -> String {
    let is_free = |name: &String| !columns.contains(name) && before.iter().all(|level| level.column != *name);
    let mut names = (place..).map(|number| format!("__index_level_{number}__"));
    names.find(is_free).expect("there are more numbers than columns")
}

/// Whether a node is an index.
pub(super) fn is_index(graph: &Graph<'_>, id: NodeId) -> bool {
    let is_new = matches!(
        class_of(graph, id),
        Some(
            Global::NewIndex
                | Global::NewDatetimeIndex
                | Global::NewTimedeltaIndex
                | Global::NewPeriodIndex
                | Global::NewIntervalIndex
        )
    );
    let is_other = || super::series::is_series(graph, id) || super::sparse::is_array_of_old(graph, id);
    is_new || (extension::is_object_of_old(graph, id) && !is_other())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level<'g>(name: Label) -> Index<'g> {
        let values = Values::Range { start: 0, step: 1 };
        Index { name, column: String::new(), values, len: 2, dtype: None }
    }

    #[test]
    fn no_level_takes_the_name_of_a_column_or_of_another_level() {
        let columns = ["__index_level_0__".to_owned(), "taken".to_owned()];
        let named = |name: &str| level(Label::Text(name.to_owned()));
        let mut levels = [level(Label::None), level(Label::None), named("taken"), named("day"), named("day")];
        name_columns(&mut levels, &columns);
        let names: Vec<&str> = levels.iter().map(|level| level.column.as_str()).collect();
        let number = |number| format!("__index_level_{number}__");
        assert_eq!(names, [&number(1), &number(2), &number(3), "day", &number(4)]);
    }
}
