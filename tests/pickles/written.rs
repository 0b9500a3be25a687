//! Frames written by hand in opcodes that can be read, for files that no pandas writes.

/// A frame of these blocks, these columns and an index 0, 1, … `stop`.
pub(super) fn frame(blocks: &[u8], columns: &str, stop: &str) -> Vec<u8> {
    let head = "ccopy_reg\n_reconstructor\n(cpandas.core.frame\nDataFrame\nc__builtin__\nobject\nNtR(dV_mgr\n\
                cpandas.core.internals.managers\nBlockManager\n((";
    let axes = format!("t(l{columns}a{}atRsb.", range(stop));
    [head.as_bytes(), blocks, axes.as_bytes()].concat()
}

/// The index 0, 1, … `stop`.
pub(super) fn range(stop: &str) -> String {
    let parts = format!("(dVstart\nI0\nsVstop\nI{stop}\nsVstep\nI1\ns");
    format!("cpandas.core.indexes.base\n_new_Index\n(cpandas.core.indexes.range\nRangeIndex\n{parts}tR")
}

/// A block of one column.
pub(super) fn block(values: &[u8]) -> Vec<u8> {
    let place = "c__builtin__\nslice\n(I0\nI1\nI1\ntRI2\ntR";
    [b"cpandas._libs.internals\n_unpickle_block\n(", values, place.as_bytes()].concat()
}

/// An array of one column and `rows` objects, written as the items of a list.
pub(super) fn objects(rows: usize, items: &[u8]) -> Vec<u8> {
    let head = format!(
        "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR(I1\n(I1\nI{rows}\nt\
         cnumpy\ndtype\n(VO8\nI00\nI01\ntRI00\n]("
    );
    [head.as_bytes(), items, b"etb"].concat()
}
