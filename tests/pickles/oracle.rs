//! Plain values as another implementation writes them, in its two protocols, and as the reader reads them.

use std::collections::BTreeMap;

use brine::{
    limits::Limits,
    numpy::array::bytes_of,
    pickle::{self, Graph, Item, Node, NodeId},
};
use proptest::prelude::*;
use serde_pickle::{HashableValue, SerOptions, Value};

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        (-300_i64..300).prop_map(Value::I64),
        prop::num::f64::NORMAL.prop_map(Value::F64),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::List),
            prop::collection::vec(prop::num::f64::NORMAL.prop_map(Value::F64), 0..40).prop_map(Value::List),
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Tuple),
            prop::collection::btree_map(any::<String>().prop_map(HashableValue::String), inner, 0..6)
                .prop_map(Value::Dict),
        ]
    })
}

fn value(graph: &Graph<'_>, id: NodeId) -> Value {
    match graph.node(id) {
        Node::None => Value::None,
        Node::Bool(value) => Value::Bool(value),
        Node::Int(value) => Value::I64(value),
        Node::Float(value) => Value::F64(value),
        Node::BigInt { len, offset } => long(graph.span(offset, len)),
        Node::List { .. } | Node::FloatList { .. } => {
            let items = graph.list(id).unwrap();
            Value::List(items.items_from(0).map(|item| of_item(graph, item)).collect())
        }
        Node::Tuple { .. } => {
            Value::Tuple(graph.tuple(id).unwrap().iter().map(|id| value(graph, *id)).collect())
        }
        Node::Dict { .. } => {
            let entry =
                |(key, id)| (HashableValue::String(graph.text(key).unwrap().to_owned()), value(graph, id));
            Value::Dict(graph.dict(id).unwrap().map(entry).collect::<BTreeMap<_, _>>())
        }
        _ => graph.text(id).map_or_else(
            || Value::Bytes(bytes_of(graph, id).unwrap().into_owned()),
            |text| Value::String(text.to_owned()),
        ),
    }
}

fn of_item(graph: &Graph<'_>, item: Item) -> Value {
    match item {
        Item::Float(float) => Value::F64(float),
        Item::Node(id) => value(graph, id),
    }
}

/// Two's complement, little endian.
fn long(bytes: &[u8]) -> Value {
    let fill = if bytes.last().is_some_and(|last| *last >= 0x80) { 0xff } else { 0 };
    let mut wide = [fill; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    Value::I64(i64::from_le_bytes(wide))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_another_implementation_writes_is_read(written in values()) {
        for options in [SerOptions::new().proto_v2(), SerOptions::new()] {
            let bytes = serde_pickle::value_to_vec(&written, options).unwrap();
            let graph = pickle::load(&bytes, &Limits::default()).unwrap();
            prop_assert_eq!(value(&graph, graph.root()), written.clone());
            prop_assert_eq!(graph.trailing_bytes(), 0);
        }
    }
}
