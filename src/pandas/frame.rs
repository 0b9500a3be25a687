//! A frame: its columns put together from the blocks of its manager, its labels beside them.

use super::{
    blocks::{Blocks, Placed, is_manager},
    error::{At as _, Error, ErrorKind, Result},
    extension::{self, Reading, named},
    index::{Index, name_columns},
    label::{self, Label},
    plain,
    values::{Values, class_of},
};
use crate::{
    limits::{Budget, CELL_BYTES, Limits},
    numpy::Array,
    pickle::{Global, Graph, NodeId},
};

/// One column of a frame.
#[derive(Debug, Clone)]
pub struct Column<'g> {
    /// Its name in a file: its label as text, with a number where another column has that name.
    pub name: String,
    /// Its label.
    pub label: Label,
    /// Its values.
    pub values: Values<'g>,
    /// What pandas calls its type, where the values alone do not tell: `string`, `str`.
    pub dtype: Option<String>,
}

/// A frame that still borrows from the pickle.
#[derive(Debug, Clone)]
pub struct Frame<'g> {
    /// The graph it stands in.
    pub graph: &'g Graph<'g>,
    /// The columns, in their order.
    pub columns: Vec<Column<'g>>,
    /// The names of the levels of the columns' labels: one of most.
    pub column_levels: Vec<Label>,
    /// The labels of the rows, level by level: one of most.
    pub index: Vec<Index<'g>>,
    /// The number of rows.
    pub rows: usize,
    /// What the user noted beside the data: the dict `attrs`.
    pub attrs: Option<NodeId>,
}

/// Whether a node is a frame. An object of a class derived from one is none, whatever its state says it is: what else the
/// class does nobody here knows.
pub(super) fn is_frame(graph: &Graph<'_>, id: NodeId) -> bool {
    matches!(class_of(graph, id), Some(Global::DataFrame | Global::SparseDataFrame))
}

/// The manager of a frame or a panel: its whole state before 0.17, since then a part of it.
pub(super) fn manager_of(graph: &Graph<'_>, id: NodeId) -> Result<Blocks> {
    let state = graph.state(id).ok_or(ErrorKind::Missing("state")).at("state")?;
    let manager =
        if is_manager(graph, state) { state } else { named(graph, state, &["_mgr", "_data"]).at("state")? };
    Blocks::parse(graph, manager).at("_mgr")
}

/// The labels of columns and rows.
pub(super) struct Axes<'g> {
    pub(super) labels: Vec<Label>,
    column_levels: Vec<Label>,
    index: Vec<Index<'g>>,
    pub(super) rows: usize,
}

impl<'g> Axes<'g> {
    pub(super) fn parse(
        graph: &'g Graph<'g>,
        columns: NodeId,
        index: NodeId,
        reading: Reading<'_>,
    ) -> Result<Self> {
        let (labels, column_levels) = labels(graph, columns, reading)?;
        let index = Index::levels(graph, index, reading)?;
        let rows = index.first().map_or(0, |level| level.len);
        Ok(Self { labels, column_levels, index, rows })
    }

    /// The frame of these values, one for each label.
    pub(super) fn frame(self, graph: &'g Graph<'g>, values: Vec<Placed<'g>>) -> Result<Frame<'g>> {
        let Self { labels, column_levels, mut index, rows } = self;
        // Rows that no byte of the file stands for are only a number, and it may be any.
        if values.is_empty() && rows > graph.input().len() {
            return Err(ErrorKind::WrongRows { what: "a frame without columns", wanted: 0, found: rows })
                .at("rows");
        }
        let names = label::names(&labels);
        name_columns(&mut index, &names);
        let columns = names.into_iter().zip(labels).zip(values);
        let columns = columns.map(|((name, label), (values, dtype))| Column { name, label, values, dtype });
        Ok(Frame { graph, columns: columns.collect(), column_levels, index, rows, attrs: None })
    }
}

impl<'g> Frame<'g> {
    /// The frame that node `id` describes.
    pub fn parse(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self> {
        let reading = Reading::new(limits);
        let inside = |error: Error| error.inside("frame");
        if let Some(frame) = super::sparse::frame(graph, id, reading).map_err(inside)? {
            return Ok(frame);
        }
        let manager = manager_of(graph, id).map_err(inside)?;
        let &[columns, index] = manager.axes.as_slice() else {
            return Err(ErrorKind::UnknownForm).at("frame._mgr.axes");
        };
        let axes = Axes::parse(graph, columns, index, reading).map_err(inside)?;
        let values = manager.columns(graph, &axes.labels, axes.rows, reading).map_err(inside)?;
        let frame = axes.frame(graph, values).map_err(inside)?;
        Ok(Self { attrs: graph.state(id).and_then(|state| graph.dict_value(state, "attrs")), ..frame })
    }

    /// An index alone: its labels as columns.
    pub fn of_index(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self> {
        let levels = Index::levels(graph, id, Reading::new(limits))?;
        let rows = levels.first().map_or(0, |level| level.len);
        let unnamed = |place: usize, label: &Label| match label {
            Label::None => Label::Int(place as i128),
            label => label.clone(),
        };
        let labels: Vec<Label> =
            levels.iter().enumerate().map(|(place, level)| unnamed(place, &level.name)).collect();
        if rows > graph.input().len()
            && levels.iter().all(|level| matches!(level.values, Values::Range { .. }))
        {
            return Err(ErrorKind::WrongRows { what: "an index without data", wanted: 0, found: rows })
                .at("index");
        }
        let columns = label::names(&labels).into_iter().zip(labels).zip(levels);
        let columns = columns.map(|((name, label), level)| Column {
            name,
            label,
            values: level.values,
            dtype: level.dtype,
        });
        Ok(Self {
            graph,
            columns: columns.collect(),
            column_levels: vec![Label::None],
            index: vec![Index::default_of(rows)],
            rows,
            attrs: None,
        })
    }

    /// An array alone: a matrix of floats is a column of vectors, records have a column for each field, and other arrays
    /// of two dimensions a column for each of theirs, as a frame made from them would.
    pub fn of_array(graph: &'g Graph<'g>, id: NodeId, limits: &Limits) -> Result<Self> {
        let reading = Reading::new(limits);
        if let Some(frame) = super::masked::frame(graph, id, limits).at("array")? {
            return Ok(frame);
        }
        if let Some(frame) = super::record::frame(graph, id, limits).at("array")? {
            return Ok(frame);
        }
        if let Some(Global::FromBuffer | Global::Reconstruct) = class_of(graph, id)
            && let Ok(array) = Array::parse(graph, id, limits)
            && let [rows, items] = *array.shape.as_slice()
        {
            return matrix(graph, array, rows, items, reading).at("array");
        }
        let block = extension::parse(graph, id, reading)?;
        Ok(Self::numbered(graph, block.columns, block.rows))
    }

    /// A frame of columns without names, all of `rows` values: it calls them 0, 1, ….
    pub(super) fn numbered(graph: &'g Graph<'g>, columns: Vec<Values<'g>>, rows: usize) -> Self {
        let columns = columns.into_iter().enumerate();
        let columns = columns.map(|(place, values)| (place.to_string(), values)).collect();
        Self::plain(graph, columns, rows)
    }

    /// A frame of columns that plain Python holds, all of `rows` values.
    pub(super) fn plain(graph: &'g Graph<'g>, columns: Vec<(String, Values<'g>)>, rows: usize) -> Self {
        let column = |(name, values): (String, Values<'g>)| {
            let label = Label::Text(name.clone());
            Column { name, label, values, dtype: None }
        };
        let columns = columns.into_iter().map(column).collect();
        let (column_levels, index) = (vec![Label::None], vec![Index::default_of(rows)]);
        Self { graph, columns, column_levels, index, rows, attrs: None }
    }

    /// Whether the rows never got labels.
    pub fn has_default_index(&self) -> bool {
        matches!(self.index.as_slice(), [index] if index.is_default())
    }
}

/// An array of shape (rows, items), which is the other way round than in a block.
fn matrix<'g>(
    graph: &'g Graph<'g>,
    array: Array<'g>,
    rows: usize,
    items: usize,
    reading: Reading<'_>,
) -> Result<Frame<'g>, ErrorKind> {
    if plain::is_matrix(&array) {
        let values = Values::Vectors(std::sync::Arc::new(array));
        return Ok(Frame::plain(graph, vec![(plain::VECTOR.to_owned(), values)], rows));
    }
    let array = match array.data {
        crate::numpy::Data::Objects(_) => {
            return super::record::object_rows(graph, array, rows, items, reading.limits);
        }
        crate::numpy::Data::Bytes(_) => Array { shape: vec![items, rows], fortran: !array.fortran, ..array },
    };
    Ok(Frame::numbered(graph, extension::of_array(array, reading)?.columns, rows))
}

/// The labels of the columns, those of several levels as tuples, and the names of the levels.
pub(super) fn labels<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    reading: Reading<'_>,
) -> Result<(Vec<Label>, Vec<Label>)> {
    let levels = Index::levels(graph, id, reading)?;
    let count = levels.first().map_or(0, |level| level.len);
    if count > reading.limits.columns_max {
        return Err(ErrorKind::TooManyColumns(count)).at("columns");
    }
    let names = levels.iter().map(|level| level.name.clone()).collect();
    let level_labels = |row| levels.iter().map(|level| Label::at(graph, &level.values, row)).collect();
    let label = |row| match levels.as_slice() {
        [level] => Label::at(graph, &level.values, row),
        _ => Label::Tuple(level_labels(row)),
    };
    // A file can name one long text as the label of every column.
    let mut budget = Budget::new(&CELL_BYTES, reading.limits.cell_bytes_max(graph.input().len()));
    let paid = |label: Label| budget.spend(label.bytes() as u64).map(|()| label);
    let labels = (0..count).map(label).map(paid).collect::<Result<_, _>>();
    Ok((labels.map_err(ErrorKind::from).at("columns")?, names))
}
