//! The items of a list, one by one.

use super::{FloatBytes, Graph, Item, Node, NodeId, Segment};

/// Walks the items of a list from some position on.
///
/// A loop over a column takes every one of its cells from here, so it is one small state and no chain of adapters.
#[derive(Debug, Clone)]
pub struct Items<'g, 'v> {
    graph: &'g Graph<'g>,
    segments: std::slice::Iter<'v, (u32, Segment)>,
    /// Of the segment that is being walked.
    entries: std::slice::Iter<'g, NodeId>,
    /// Whether an entry of that segment is a run of several floats.
    has_runs: bool,
    run: Option<FloatBytes<'g>>,
}

impl<'g, 'v> Items<'g, 'v> {
    /// The items of `segments`.
    pub(super) fn of_segments(graph: &'g Graph<'g>, segments: &'v [(u32, Segment)]) -> Self {
        Self { graph, segments: segments.iter(), entries: [].iter(), has_runs: false, run: None }
    }

    /// The items of a list that is nothing but floats.
    pub(super) fn of_floats(graph: &'g Graph<'g>, floats: FloatBytes<'g>) -> Self {
        Self { run: Some(floats), ..Self::of_segments(graph, &[]) }
    }

    /// Goes on `count` items further on: at once where entries are items, else item by item.
    pub(super) fn skip_items(&mut self, mut count: usize) {
        while count > 0 && self.run.is_none() && (self.entries.len() > 0 || self.next_segment()) {
            if self.has_runs {
                break;
            }
            let skipped = count.min(self.entries.len());
            self.entries = self.entries.as_slice()[skipped..].iter();
            count -= skipped;
        }
        if count > 0 {
            self.nth(count - 1);
        }
    }

    fn next_segment(&mut self) -> bool {
        let Some((_, segment)) = self.segments.next() else { return false };
        self.entries = self.graph.entries(*segment).iter();
        self.has_runs = segment.len != segment.values;
        true
    }
}

impl Iterator for Items<'_, '_> {
    type Item = Item;

    #[inline]
    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(run) = &mut self.run {
                if let Some(bytes) = run.next() {
                    return Some(Item::Float(f64::from_be_bytes(bytes)));
                }
                self.run = None;
            }
            match self.entries.next() {
                None if self.next_segment() => {}
                None => return None,
                Some(id) => match self.graph.node(*id) {
                    Node::FloatRun { count, offset } => {
                        self.run = Some(FloatBytes::new(self.graph.input, offset, count));
                    }
                    _ => return Some(Item::Node(*id)),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{limits::Limits, pickle};

    #[test]
    fn items_are_the_same_from_any_position() {
        // Floats among other values, in batches that do not lie together: 1.0, then 2.0 twice and None, then a text.
        let float = |bits: u8| [b'G', 0x3f, bits, 0, 0, 0, 0, 0, 0];
        let floats = |count: usize| float(0xf0).repeat(count);
        let batches =
            [floats(1), [floats(2), b"N".to_vec()].concat(), [b"V\n", &floats(3)[..], b"NN"].concat()];
        let mut bytes = b"]".to_vec();
        for batch in &batches {
            // A list between two batches takes the place behind the first.
            bytes.extend(
                [b"(", &batch[..], b"]NaE"]
                    .concat()
                    .iter()
                    .map(|byte| if *byte == b'E' { b'e' } else { *byte }),
            );
        }
        bytes.push(b'.');
        let graph = pickle::load(&bytes, &Limits::default()).unwrap();
        let list = graph.list(graph.root()).unwrap();
        let all: Vec<_> = list.items_from(0).collect();
        assert_eq!(all.len(), list.len());
        assert_eq!(all.len(), 1 + 1 + 3 + 1 + 6 + 1);
        for start in 0..=all.len() {
            let from: Vec<_> = list.items_from(start).collect();
            assert_eq!(from, all[start..], "from {start}");
        }
    }

    #[test]
    fn a_list_of_floats_is_walked_from_any_position() {
        let bytes = [&b"](G?\xf0\0\0\0\0\0\0G@\0\0\0\0\0\0\0G@\x08\0\0\0\0\0\0e."[..]].concat();
        let graph = pickle::load(&bytes, &Limits::default()).unwrap();
        let list = graph.list(graph.root()).unwrap();
        let from = |start| list.items_from(start).collect::<Vec<_>>();
        let floats = [1.0, 2.0, 3.0].map(pickle::Item::Float);
        (0..=3).for_each(|start| assert_eq!(from(start), floats[start..]));
    }
}
