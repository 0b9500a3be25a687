//! Pickles that no writer makes: each is small, and following it blindly would not end, or fill the memory.

use brine::{
    columnar::{Mixed, Table, Vectors},
    limits::Limits,
    pandas::Frame,
    pickle,
};

use super::{
    chain,
    written::{block, frame, objects, range},
};

fn without_columns(rows: &str) -> Vec<u8> {
    frame(b"", &range("0"), rows)
}

#[test]
fn rows_without_a_byte_are_not_counted_through() {
    assert_eq!(chain::run(&without_columns("5")), Ok(5));
    let error = chain::run(&without_columns("9223372036854775807")).unwrap_err();
    assert!(error.contains("without columns"), "{error}");
}

/// A column whose categories are the column itself.
#[test]
fn categories_that_are_their_own_categories_end() {
    let index =
        "cpandas.core.indexes.base\n_new_Index\n(cpandas.core.indexes.base\nIndex\n(dVdata\ng0\nsVname\nNstR";
    let dtype =
        format!("cpandas.core.dtypes.dtypes\nCategoricalDtype\n(tR(dVcategories\n{index}sVordered\nI00\nsb");
    let codes = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR(I1\n(I1\ntcnumpy\ndtype\n(Vi1\nI00\nI01\ntRI00\nc_codecs\nencode\n(V\\u0000\nVlatin1\ntRtb";
    let categorical = format!(
        "ccopy_reg\n_reconstructor\n(cpandas.core.arrays.categorical\nCategorical\nc__builtin__\nobject\nNtRp0\n({dtype}{codes}tb"
    );
    let whole = frame(&block(categorical.as_bytes()), &range("1"), "1");
    let error = chain::run(&whole).unwrap_err();
    assert!(error.contains("categories"), "{error}");
}

/// 3 GB of text in 2 MB: one text that many rows name.
#[test]
fn a_text_that_many_rows_share_is_converted_in_pieces() {
    const ROWS: usize = 3_000;
    let text = [&b"X"[..], &1_000_000_u32.to_le_bytes(), &[b'x'; 1_000_000], b"q\x01"].concat();
    let items = [text, b"h\x01".repeat(ROWS - 1)].concat();
    let pickle = frame(&block(&objects(ROWS, &items)), &range("1"), &ROWS.to_string());
    let limits = Limits::default();
    let graph = pickle::load(&pickle, &limits).unwrap();
    let frame = Frame::parse(&graph, graph.root(), &limits).unwrap();
    let table = Table::inferred(&frame, Vectors::AsIs, Mixed::Refuse, &limits).unwrap();
    let rows = table.fitting(0..ROWS, 16 << 20);
    assert!((1..=16).contains(&rows.len()), "{rows:?}");
    assert_eq!(table.convert(rows.clone()).unwrap().batch.num_rows(), rows.len());
    assert_eq!(table.fitting(5..ROWS, 1), 5..6, "a row at least");
}

#[test]
fn a_claimed_length_takes_no_memory() {
    for opcode in [0x8e_u8, 0x8d, 0x96] {
        let claim = [&[0x80, 5, opcode][..], &(1_u64 << 40).to_le_bytes(), b"abc."].concat();
        assert!(pickle::load(&claim, &Limits::default()).is_err());
    }
}
