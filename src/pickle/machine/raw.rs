//! Arrays of joblib. Their bytes are not in the pickle: they stand between two of its opcodes.
//!
//! The pickle holds a wrapper whose state says dtype, shape and order. Behind the BUILD that gives this state, and outside
//! all frames, come the bytes of the array, behind padding if the state says so; or, where its items are objects, a whole
//! pickle of its own, with a memo of its own (`joblib/numpy_pickle.py`, `NumpyArrayWrapper.read_array`). Here the
//! wrapper becomes the node that the array would be in any other pickle, so that no later layer knows the difference.

use super::{Bound, Machine, exceeded, index};
use crate::pickle::{
    decode::Decoder,
    error::ErrorKind,
    global::Global,
    graph::{Graph, Node, NodeId},
    memo::Memo,
};

const NESTED: Bound = Bound { what: "pickles inside each other", flag: Some("nested-pickles") };

/// Set in the flags of a dtype whose items hold references.
const HAS_OBJECTS: i64 = 1;

/// What a wrapper announces.
pub(in crate::pickle) struct Announced {
    wrapper: NodeId,
    padded: bool,
    items: Items,
}

enum Items {
    /// So many bytes.
    Bytes { count: u64, shape: NodeId, dtype: NodeId, fortran: NodeId },
    /// A pickle.
    Pickled,
}

/// A pickle that waits for the end of one inside it.
#[derive(Debug)]
pub(in crate::pickle) struct Around {
    wrapper: NodeId,
    memo: Memo,
    stack: Vec<NodeId>,
    marks: Vec<usize>,
}

impl<'a> Machine<'a> {
    /// Whether an object is a wrapper. Protocols 0 and 1 make it by a call.
    pub(super) fn is_wrapper(&self, object: NodeId) -> bool {
        let class = match self.graph.node(object) {
            Node::Object { class, .. } => class,
            Node::Reduce { callable, args, .. }
                if self.graph.node(callable) == Node::Global(Global::Reconstructor) =>
            {
                self.graph.tuple(args).and_then(|args| args.first().copied()).unwrap_or(NodeId::NONE)
            }
            _ => return false,
        };
        self.graph.node(class) == Node::Global(Global::JoblibArray)
    }

    /// What the state of a wrapper says.
    pub(super) fn announced(&self, wrapper: NodeId, state: NodeId) -> Result<Announced, ErrorKind> {
        let value = |key| self.graph.dict_value(state, key);
        let (Some(shape), Some(dtype), Some(order)) = (value("shape"), value("dtype"), value("order")) else {
            return Err(ErrorKind::Wrapper("shape, dtype and order"));
        };
        let padded = value("numpy_array_alignment_bytes").is_some_and(|bytes| bytes != NodeId::NONE);
        let fortran = match self.graph.text(order) {
            Some("C") => NodeId::FALSE,
            Some("F") => NodeId::TRUE,
            _ => return Err(ErrorKind::Wrapper("an order")),
        };
        let items = match self.item_bytes(dtype)? {
            Some(item_bytes) => {
                let count = self.items_of_shape(shape)?.checked_mul(item_bytes);
                Items::Bytes {
                    count: count.ok_or(ErrorKind::Wrapper("a possible shape"))?,
                    shape,
                    dtype,
                    fortran,
                }
            }
            None => Items::Pickled,
        };
        Ok(Announced { wrapper, padded, items })
    }

    /// Bytes of one item; none where items are objects or hold some.
    fn item_bytes(&self, dtype: NodeId) -> Result<Option<u64>, ErrorKind> {
        let unknown = ErrorKind::Wrapper("a dtype of known size");
        let Node::Reduce { callable, args, state } = self.graph.node(dtype) else { return Err(unknown) };
        let code = self.graph.tuple(args).and_then(|args| self.graph.text(*args.first()?));
        let (Node::Global(Global::Dtype), Some(code)) = (self.graph.node(callable), code) else {
            return Err(unknown);
        };
        let flags = Graph::present(state).and_then(|state| self.graph.tuple(state)?.get(7).copied());
        let flags = match flags.map(|flags| self.graph.node(flags)) {
            Some(Node::Int(flags)) => flags,
            _ => 0,
        };
        if code.starts_with('O') || flags & HAS_OBJECTS != 0 {
            return Ok(None);
        }
        size_of_code(code).map(Some).ok_or(unknown)
    }

    fn items_of_shape(&self, shape: NodeId) -> Result<u64, ErrorKind> {
        let sizes = self.graph.tuple(shape).filter(|sizes| sizes.len() <= self.limits.array_dimensions_max);
        let sizes = sizes.ok_or(ErrorKind::Wrapper("a shape"))?.iter();
        let count = sizes.map(|size| match self.graph.node(*size) {
            Node::Int(size) => u64::try_from(size).ok(),
            _ => None,
        });
        let count = count.reduce(|count, size| count?.checked_mul(size?)).unwrap_or(Some(1));
        count.ok_or(ErrorKind::Wrapper("a possible shape"))
    }

    /// Takes what was announced out of the input.
    pub(super) fn raw(&mut self, announced: &Announced, decoder: &mut Decoder<'a>) -> Result<(), ErrorKind> {
        let start = decoder.end();
        match announced.items {
            Items::Pickled => {
                decoder.leave_frame()?;
                self.descend(announced.wrapper)
            }
            Items::Bytes { count, shape, dtype, fortran } => {
                if announced.padded {
                    let padding = decoder.take_raw(1)?;
                    decoder.take_raw(u64::from(padding[0]))?;
                }
                let bytes = decoder.take_raw(count)?;
                self.note_raw(start, decoder.end())?;
                let array = self.array(shape, dtype, fortran, bytes)?;
                self.set(announced.wrapper, array);
                Ok(())
            }
        }
    }

    fn note_raw(&mut self, start: u64, end: u64) -> Result<(), ErrorKind> {
        if start < end {
            self.budget.spend(size_of::<std::ops::Range<u64>>() as u64)?;
            self.graph.raw.push(start..end);
        }
        Ok(())
    }

    /// `_reconstruct(ndarray, (0,), b"b")` with the state `(1, shape, dtype, fortran, bytes)`.
    fn array(
        &mut self,
        shape: NodeId,
        dtype: NodeId,
        fortran: NodeId,
        bytes: &'a [u8],
    ) -> Result<Node, ErrorKind> {
        let callable = self.store(Node::Global(Global::Reconstruct))?;
        let class = self.store(Node::Global(Global::NdArray))?;
        let args = self.store_tuple(&[class])?;
        let version = self.store(Node::Int(1))?;
        let bytes = self.span(bytes, |len, offset| Node::Bytes { len, offset })?;
        let bytes = self.store(bytes)?;
        let state = self.store_tuple(&[version, shape, dtype, fortran, bytes])?;
        Ok(Node::Reduce { callable, args, state })
    }

    fn store_tuple(&mut self, items: &[NodeId]) -> Result<NodeId, ErrorKind> {
        self.budget.spend(size_of_val(items) as u64)?;
        let items = self.graph.children.extend(items)?;
        self.store(Node::Tuple { start: index(items.start)?, len: items.len() as u32 })
    }

    // === pickles in pickles ===

    /// Puts everything aside that belongs to the pickle around; nodes and budget are shared.
    fn descend(&mut self, wrapper: NodeId) -> Result<(), ErrorKind> {
        if self.around.len() >= self.limits.nested_pickles_max {
            return Err(exceeded(&NESTED, self.limits.nested_pickles_max));
        }
        let around = self.put_aside(wrapper);
        self.around.push(around);
        Ok(())
    }

    /// The state of the pickle that is being read; the machine is then as new.
    pub(in crate::pickle) fn put_aside(&mut self, wrapper: NodeId) -> Around {
        self.open_floats = None;
        Around {
            wrapper,
            memo: std::mem::take(&mut self.memo),
            stack: std::mem::take(&mut self.stack),
            marks: std::mem::take(&mut self.marks),
        }
    }

    /// Goes on with a pickle that was put aside. Returns the wrapper in it that waits for a value.
    pub(in crate::pickle) fn take_up(&mut self, around: Around) -> NodeId {
        let Around { wrapper, memo, stack, marks } = around;
        self.open_floats = None;
        (self.memo, self.stack, self.marks) = (memo, stack, marks);
        wrapper
    }

    /// After STOP: goes on with the pickle around, where the wrapper is now the value that was read. True if there is none.
    pub(super) fn end(&mut self, decoder: &Decoder<'a>) -> Result<bool, ErrorKind> {
        let Some(around) = self.around.pop() else { return Ok(true) };
        decoder.leave_frame()?;
        let wrapper = self.take_up(around);
        self.set(wrapper, self.graph.node(self.graph.root));
        Ok(false)
    }
}

/// `f8` is 8 bytes, `U5` five code points of 4 bytes each.
fn size_of_code(code: &str) -> Option<u64> {
    let (letter, digits) = code.split_at_checked(1)?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let size: u64 = digits.parse().ok().filter(|_| plain)?;
    match letter {
        "b" | "i" | "u" | "f" | "c" | "S" | "V" | "M" | "m" => Some(size),
        "U" => size.checked_mul(4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limits::Limits,
        numpy::{Array, Data},
        pickle::load,
    };

    /// A wrapper with this dtype and state, and what comes after its BUILD.
    fn wrapped(dtype: &str, shape: &[u8], alignment: bool, after: &[u8]) -> Vec<u8> {
        let text = |text: &str| [b"\x8c", &[text.len() as u8][..], text.as_bytes()].concat();
        let item = |key: &str, value: &[u8]| [&text(key)[..], value].concat();
        let dtype = [b"cnumpy\ndtype\n", &text(dtype)[..], b"\x89\x88\x87R"].concat();
        let aligned = if alignment { item("numpy_array_alignment_bytes", b"K\x10") } else { Vec::new() };
        [
            b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(".to_vec(),
            item("shape", shape),
            item("dtype", &dtype),
            item("order", &text("C")),
            aligned,
            b"ub".to_vec(),
            after.to_vec(),
        ]
        .concat()
    }

    fn fault(bytes: &[u8]) -> ErrorKind {
        load(bytes, &Limits::default()).unwrap_err().kind().clone()
    }

    #[test]
    fn the_bytes_of_an_array_are_those_of_the_input() {
        let bytes = wrapped("u2", b"K\x03\x85", true, b"\x02\xff\xffabcdef.");
        let graph = load(&bytes, &Limits::default()).unwrap();
        let array = Array::parse(&graph, graph.root(), &Limits::default()).unwrap();
        let Data::Bytes(crate::numpy::Octets::Lent(data)) = array.data else { panic!("{array:?}") };
        assert_eq!((array.shape, data), (vec![3], &b"abcdef"[..]));
        assert_eq!(data.as_ptr_range().end, bytes[bytes.len() - 1..].as_ptr());
        let end = bytes.len() as u64 - 1;
        assert_eq!(graph.raw().first(), Some(&(end - 9..end)));
    }

    #[test]
    fn an_array_of_objects_is_a_pickle_with_a_memo_of_its_own() {
        let bytes = wrapped("O8", b"K\x02\x85", true, b"\x80\x05N\x94h\x00\x86..");
        let graph = load(&bytes, &Limits::default()).unwrap();
        assert_eq!(graph.tuple(graph.root()), Some(&[NodeId::NONE, NodeId::NONE][..]));
        assert_eq!(graph.protocol(), 4, "the protocol of the pickle inside is its own");
        let outer_slot = wrapped("O8", b")", false, b"\x80\x05N.\x940h\x00.");
        assert!(load(&outer_slot, &Limits::default()).is_ok());
        let no_slot = [b"\x80\x04N\x94", &wrapped("O8", b")", false, b"\x80\x05h\x00..")[2..], b"."].concat();
        assert_eq!(fault(&no_slot), ErrorKind::UnsetMemo(0));
    }

    #[test]
    fn claims_are_checked_before_anything_is_taken() {
        let huge = b"\x8a\x08\0\0\0\0\0\0\0\x10\x85";
        assert!(matches!(fault(&wrapped("u1", huge, false, b"abc.")), ErrorKind::CutShort(_)));
        let shape = ErrorKind::Wrapper("a possible shape");
        assert_eq!(fault(&wrapped("f8", b"J\xff\xff\xff\xff\x85", false, b".")), shape);
        let square = b"\x8a\x08\0\0\0\0\0\0\0\x10\x8a\x08\0\0\0\0\0\0\0\x10\x86";
        assert_eq!(fault(&wrapped("u1", square, false, b".")), shape);
        for code in ["T16", "f", "f-8", "", "f99999999999999999999"] {
            let unknown = ErrorKind::Wrapper("a dtype of known size");
            assert_eq!(fault(&wrapped(code, b"K\x03\x85", false, b"abc.")), unknown, "{code}");
        }
    }

    #[test]
    fn pickles_inside_each_other_end_at_the_limit() {
        let mut nested = b"\x80\x04N.".to_vec();
        for _ in 0..2 {
            nested = wrapped("O8", b")", false, &[&nested[..], b"."].concat());
        }
        assert!(load(&nested, &Limits::default()).is_ok());
        nested = wrapped("O8", b")", false, &[&nested[..], b"."].concat());
        assert!(matches!(fault(&nested), ErrorKind::Limit(_)));
    }
}
