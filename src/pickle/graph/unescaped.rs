//! Bytes that protocols before 3 hold as text: decoded once for all that name the same text at the same time.
//!
//! A file of some KiB can name one text for each of 65,536 columns, and a panel is read item by item out of one block. What
//! stands here is at most as long as the texts, and so as the input.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::NodeId;

/// How often a text is decoded at most. A table is looked at, read and perhaps read again; then its bytes go.
const DECODED_MAX: u8 = 4;

/// The decoded bytes that somebody has, by their text.
#[derive(Debug, Default)]
pub struct Unescaped {
    texts: Mutex<HashMap<NodeId, Decoded>>,
    held: Mutex<Vec<Arc<Vec<u8>>>>,
}

/// A text that has been decoded.
#[derive(Debug)]
struct Decoded {
    // A weak reference to a vector keeps its header only, not the bytes.
    bytes: Weak<Vec<u8>>,
    times: u8,
}

impl Unescaped {
    /// The bytes of the text `id`: those that somebody has, else those that `decode` makes. What is decoded again and again
    /// is held, because a file can name one text for each of its tables.
    pub fn bytes(&self, id: NodeId, decode: impl FnOnce() -> Option<Vec<u8>>) -> Option<Arc<Vec<u8>>> {
        let mut texts = locked(&self.texts);
        let known = texts.get(&id);
        if let Some(bytes) = known.and_then(|known| known.bytes.upgrade()) {
            return Some(bytes);
        }
        let times = known.map_or(0, |known| known.times) + 1;
        let bytes = Arc::new(decode()?);
        if times == DECODED_MAX {
            self.hold(&bytes);
        }
        texts.insert(id, Decoded { bytes: Arc::downgrade(&bytes), times });
        Some(bytes)
    }

    /// Keeps bytes for as long as the graph: they are read piece by piece.
    pub fn hold(&self, bytes: &Arc<Vec<u8>>) {
        locked(&self.held).push(Arc::clone(bytes));
    }
}

/// Nothing is half changed where a panic passes.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_made_once_while_somebody_has_them_or_they_are_held() {
        let (unescaped, text) = (Unescaped::default(), NodeId(7));
        let first = unescaped.bytes(text, || Some(vec![1])).unwrap();
        let second = unescaped.bytes(text, || Some(vec![2])).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        drop((first, second));
        assert_eq!(*unescaped.bytes(text, || Some(vec![3])).unwrap(), [3], "nobody had them any more");
        let third = unescaped.bytes(text, || Some(vec![4])).unwrap();
        unescaped.hold(&third);
        drop(third);
        assert_eq!(*unescaped.bytes(text, || None).unwrap(), [4]);
        assert_eq!(unescaped.bytes(NodeId(8), || None), None);
    }

    #[test]
    fn a_text_is_decoded_a_few_times_at_most() {
        let (unescaped, mut decoded) = (Unescaped::default(), 0);
        for _ in 0..100 {
            let decode = || {
                decoded += 1;
                Some(vec![1])
            };
            assert_eq!(*unescaped.bytes(NodeId(7), decode).unwrap(), [1]);
        }
        assert_eq!(decoded, DECODED_MAX);
    }
}
