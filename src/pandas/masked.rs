//! NumPy arrays with a mask: `_mareconstruct(MaskedArray, ndarray, (0,), 'b')` with state
//! `(1, shape, dtype, is_fortran, data, mask, fill_value)`.

use super::error::ErrorKind;
use crate::{
    limits::Limits,
    numpy::{Array, Data, Dtype, Kind, array::bytes_of},
    pickle::{Graph, NodeId},
};

/// The data, and a mask of the same shape and order that is true where they are missing.
pub(super) fn arrays<'g>(
    graph: &'g Graph<'g>,
    id: NodeId,
    limits: &Limits,
) -> Result<(Array<'g>, Array<'g>), ErrorKind> {
    let state = graph.state(id).ok_or(ErrorKind::Missing("state"))?;
    let Some(&[_, _, _, _, _, mask, _]) = graph.tuple(state) else { return Err(ErrorKind::UnknownForm) };
    let data = Array::of_parts(graph, &graph.tuple(state).unwrap_or_default()[..5], limits)?;
    let bytes = bytes_of(graph, mask).ok_or(ErrorKind::UnknownForm)?;
    if bytes.len() != data.len() {
        return Err(ErrorKind::WrongRows { what: "the mask", wanted: data.len(), found: bytes.len() });
    }
    let dtype = Dtype { kind: Kind::Bool, itemsize: 1, big_endian: false };
    let mask = Array { dtype, data: Data::Bytes(bytes), shape: data.shape.clone(), fortran: data.fortran };
    Ok((data, mask))
}
