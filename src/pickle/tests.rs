//! Programs for the machine: what they build, and what is refused.

use super::*;

fn load(bytes: &[u8]) -> Graph<'_> {
    super::load(bytes, &Limits::default()).unwrap()
}

fn fault(bytes: &[u8]) -> ErrorKind {
    super::load(bytes, &Limits::default()).unwrap_err().kind().clone()
}

fn floats(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| [&b"G"[..], &value.to_be_bytes()].concat()).collect()
}

fn items(graph: &Graph<'_>, id: NodeId) -> Vec<Item> {
    graph.list(id).unwrap().items_from(0).collect()
}

#[test]
fn a_list_of_floats_is_one_node_whatever_stands_between_them() {
    let batch = |values: &[f64]| [b"(".to_vec(), floats(values), b"e".to_vec()].concat();
    let frame = [&b"\x95"[..], &1_u64.to_le_bytes()].concat();
    let two_batches = [b"]".to_vec(), batch(&[1.0, 2.0]), batch(&[3.0, 4.0]), b".".to_vec()].concat();
    let graph = load(&two_batches);
    assert!(matches!(graph.node(graph.root()), Node::FloatList { count: 4, .. }));
    assert_eq!(items(&graph, graph.root()), [1.0, 2.0, 3.0, 4.0].map(Item::Float));

    let split =
        [b"](".to_vec(), floats(&[1.0, 2.0]), frame, b"N0".to_vec(), floats(&[3.0, 4.0]), b"e.".to_vec()]
            .concat();
    let graph = load(&split);
    assert_eq!(items(&graph, graph.root()), [1.0, 2.0, 3.0, 4.0].map(Item::Float));
}

#[test]
fn runs_of_floats_stand_among_other_items_and_can_be_taken_apart() {
    let mixed = [b"](K\x07".to_vec(), floats(&[1.0, 2.0, 3.0]), b"Ne.".to_vec()].concat();
    let graph = load(&mixed);
    let list = graph.list(graph.root()).unwrap();
    assert_eq!(list.len(), 5);
    for start in 0..5 {
        assert_eq!(list.items_from(start).count(), 5 - start, "from {start}");
    }
    assert_eq!(list.items_from(2).next(), Some(Item::Float(2.0)));
    let pair = [floats(&[1.0, 2.0]), b"\x86.".to_vec()].concat();
    let graph = load(&pair);
    let tuple = graph.tuple(graph.root()).unwrap();
    assert_eq!(
        tuple.iter().map(|id| graph.node(*id)).collect::<Vec<_>>(),
        [Node::Float(1.0), Node::Float(2.0)]
    );
    let popped = [b"(".to_vec(), floats(&[1.0, 2.0, 3.0]), b"0l.".to_vec()].concat();
    let graph = load(&popped);
    assert_eq!(items(&graph, graph.root()), [1.0, 2.0].map(Item::Float));
}

#[test]
fn a_list_that_starts_with_floats_may_go_on_with_anything() {
    let program =
        [b"](".to_vec(), floats(&[1.0, 2.0]), b"eK\x01a(".to_vec(), floats(&[5.0]), b"K\x02e.".to_vec()]
            .concat();
    let graph = load(&program);
    let list = graph.list(graph.root()).unwrap();
    assert_eq!(list.len(), 5);
    let found = list.items_from(0).map(|item| match item {
        Item::Float(value) => Node::Float(value),
        Item::Node(id) => graph.node(id),
    });
    let found: Vec<_> = found.collect();
    assert_eq!(found, [Node::Float(1.0), Node::Float(2.0), Node::Int(1), Node::Float(5.0), Node::Int(2)]);
}

#[test]
fn the_memo_holds_references_and_memoize_takes_the_number_of_filled_slots() {
    let graph = load(b"]q\x05\x94h\x05K\x01a00h\x01.");
    assert_eq!(graph.list(graph.root()).unwrap().len(), 1, "slot 1 and slot 5 are the same list");
    assert_eq!(fault(b"h\x00."), ErrorKind::UnsetMemo(0));
    assert_eq!(fault(b"Nr\xff\xff\xff\x7f."), ErrorKind::MemoTooSparse(0x7fff_ffff));
}

/// A row of protocol 5 and one of protocol 4, as NumPy writes them.
fn array_rows(first: &[u8], row: impl Fn(u8) -> Vec<u8>, rows: u8) -> Vec<u8> {
    let rows: Vec<u8> = (0..rows).flat_map(row).collect();
    [first, b"](", &rows, b"e."].concat()
}

#[test]
fn array_rows_fold_into_one_node_each_and_their_pieces_come_back() {
    let prelude = b"cnumpy.core.numeric\n_frombuffer\n\x940\x8c\x05dtype\x940U\x01C\x940";
    let row = |i: u8| {
        let payload = [&b"\x96\x04\0\0\0\0\0\0\0"[..], &[i; 4]].concat();
        [b"h\x00(".to_vec(), payload, b"\x94h\x01K\x01\x85\x94h\x02t\x94R\x94".to_vec()].concat()
    };
    let bytes = array_rows(prelude, row, 3);
    let graph = load(&bytes);
    for (i, item) in items(&graph, graph.root()).into_iter().enumerate() {
        let Item::Node(id) = item else { panic!("a node") };
        let Node::Packed { template, count, offset } = graph.node(id) else { panic!("{:?}", graph.node(id)) };
        assert_eq!((count, graph.span(offset, 4)), (1, &[i as u8; 4][..]));
        assert!(matches!(graph.packed(template), Template::Call { bytes: 4, mutable: true, .. }));
    }
    // Slots 3, 4, 5 are payload, shape and arguments of row 0, slot 6 the array itself.
    for (slot, kind) in [(3, "bytes"), (4, "a tuple"), (5, "a tuple"), (6, "an array")] {
        let fetched = [&bytes[..bytes.len() - 1], &[b'0', b'h', slot, b'.']].concat();
        let graph = load(&fetched);
        assert_eq!(graph.node(graph.root()).kind(), kind, "slot {slot}");
    }
}

#[test]
fn arrays_with_state_fold_too() {
    let prelude =
        b"cnumpy.core.multiarray\n_reconstruct\n\x940cnumpy\nndarray\n\x940C\x01b\x940\x8c\x05dtype\x940";
    let row = |i: u8| {
        let state = [&b"(K\x01K\x02\x85\x94h\x03\x89B\x02\0\0\0"[..], &[i; 2], &b"\x94t\x94b"[..]].concat();
        [b"h\x00h\x01K\x00\x85\x94h\x02\x87\x94R\x94".to_vec(), state].concat()
    };
    let bytes = array_rows(prelude, row, 3);
    let graph = load(&bytes);
    for (i, item) in items(&graph, graph.root()).into_iter().enumerate() {
        let Item::Node(id) = item else { panic!("a node") };
        let Node::Packed { count, offset, .. } = graph.node(id) else { panic!("{:?}", graph.node(id)) };
        assert_eq!((count, graph.span(offset, 2)), (2, &[i as u8; 2][..]));
    }
}

/// A fold takes the nodes of an array away, so it must not happen while something but the memo names one of them.
#[test]
fn an_array_that_is_named_twice_before_its_state_does_not_fold() {
    let names =
        b"cnumpy.core.multiarray\n_reconstruct\n\x940cnumpy\nndarray\n\x940C\x01b\x940\x8c\x05dtype\x940";
    let called = b"](h\x00h\x01K\x00\x85h\x02\x87R\x94";
    let state = b"(K\x01K\x02\x85h\x03\x89C\x02abtb";
    for again in [&b"2"[..], b"h\x04"] {
        let bytes = [&names[..], called, again, state, b"e."].concat();
        let graph = load(&bytes);
        let found = items(&graph, graph.root());
        let [Item::Node(first), Item::Node(second)] = found[..] else { panic!("{found:?}") };
        assert_eq!(first, second);
        assert!(matches!(graph.node(first), Node::Reduce { .. }), "{:?}", graph.node(first));
    }
}

#[test]
fn nothing_outside_the_closed_list_is_named_called_or_fetched() {
    let unknown = |bytes: &[u8], name: &str| {
        assert!(
            matches!(fault(bytes), ErrorKind::UnknownGlobal { name: found, .. } if found == name),
            "{bytes:?}"
        );
    };
    unknown(b"cos\nsystem\n(S'true'\ntR.", "system");
    unknown(b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "system");
    unknown(b"(S'true'\nios\nsystem\n.", "system");
    assert!(matches!(fault(b"K\x01Pid\n."), ErrorKind::Outside("PERSID")));
    assert!(matches!(fault(b"\x82\x01."), ErrorKind::Outside("EXT1")));
    assert!(matches!(fault(b"\x97."), ErrorKind::Outside("NEXT_BUFFER")));
    assert!(matches!(fault(b"(cnumpy\ndtype\no."), ErrorKind::WrongType { .. }));
    assert!(matches!(fault(b"K\x01)R."), ErrorKind::WrongType { .. }));
    assert!(matches!(fault(b"K\x01K\x02\x93."), ErrorKind::WrongType { .. }));
    assert!(matches!(fault(b"K\x01}b."), ErrorKind::WrongType { .. }));
}

#[test]
fn malformed_programs_are_refused() {
    assert_eq!(fault(b""), ErrorKind::Empty);
    assert_eq!(fault(b"\x7fELF"), ErrorKind::NotAPickle(0x7f));
    for other in [&b"PAR1\n"[..], b"PAR1\x15\x04", b"ARROW1\0\0", b"\x89HDF\r\n", b"SQLite format 3\0"] {
        assert!(matches!(fault(other), ErrorKind::OtherFormat(_)), "{other:?}");
    }
    assert_eq!(fault(b"\x80\x06N."), ErrorKind::UnknownProtocol(6));
    assert_eq!(fault(b"."), ErrorKind::StackUnderflow);
    assert_eq!(fault(b"(."), ErrorKind::StackUnderflow);
    assert_eq!(fault(b"]e."), ErrorKind::NoMark);
    assert_eq!(fault(b"}(Nu."), ErrorKind::OddItems);
    assert_eq!(fault(b"K\x01(Ne."), ErrorKind::WrongType { wanted: "a list", found: "an int" });
    assert_eq!(fault(b"NN."), ErrorKind::NotConsumed { values: 1, marks: 0 });
    assert!(matches!(fault(&b"(".repeat(100_000)), ErrorKind::Limit(_)));
}

#[test]
fn every_shorter_prefix_is_an_error() {
    let program = [&b"\x80\x04]("[..], &floats(&[1.0, 2.0]), b"e}(\x8c\x01aK\x01u\x86\x94."].concat();
    load(&program);
    for length in 0..program.len() {
        assert!(super::load(&program[..length], &Limits::default()).is_err(), "the first {length} bytes");
    }
}
