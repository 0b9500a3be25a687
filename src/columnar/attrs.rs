//! `DataFrame.attrs` as JSON: what a user noted beside the data, as pandas itself keeps it in a Parquet file.
//!
//! JSON holds texts, numbers, booleans, `None`, lists and dicts whose keys are texts; a tuple is a list there, as
//! Python's `json` makes it. What is none of these is left out, one entry of `attrs` at a time, and named.

use crate::{
    limits::{ATTRS_BYTES_MAX, Bound, Budget, COLUMN_NESTING_MAX},
    pandas::Frame,
    pickle::{Graph, Item, Node, NodeId},
};

/// What becomes of the attributes of one frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attrs {
    /// The entries, as a JSON object; none if there is nothing to keep.
    pub json: Option<String>,
    /// The entries that are left out, with the reason.
    pub lost: Vec<String>,
}

/// How many entries that are left out are named.
const LOST_SHOWN_MAX: usize = 20;

/// The bound on what is written.
const ATTRS_BYTES: Bound = Bound { what: "bytes of attrs", flag: None };

/// Why an entry is left out.
type Unfit = String;

impl Attrs {
    /// Those of `frame`.
    pub fn of(frame: &Frame<'_>) -> Self {
        let mut attrs = Self::default();
        let Some(id) = frame.attrs.filter(|id| *id != NodeId::NONE) else { return attrs };
        let graph = frame.graph;
        let Some(entries) = graph.dict(id) else {
            attrs.lost.push(format!("they are {}, not a dict", graph.node(id).kind()));
            return attrs;
        };
        let budget = Budget::new(&ATTRS_BYTES, ATTRS_BYTES_MAX as u64);
        let mut json = Writer { graph, text: "{".to_owned(), budget };
        let mut more = 0;
        for (key, value) in entries {
            let before = json.text.len();
            if let Err(unfit) = json.entry(before > 1, key, value) {
                json.text.truncate(before);
                if attrs.lost.len() < LOST_SHOWN_MAX {
                    let name = graph.text(key).map_or_else(|| graph.node(key).kind().to_owned(), quoted);
                    attrs.lost.push(format!("{name}: {unfit}"));
                } else {
                    more += 1;
                }
            }
        }
        attrs.lost.extend((more > 0).then(|| format!("{more} more")));
        json.text.push('}');
        attrs.json = (json.text.len() > "{}".len()).then_some(json.text);
        attrs
    }
}

/// A key, cut where it is long.
fn quoted(key: &str) -> String {
    const CHARS_MAX: usize = 40;
    let shown: String = key.chars().take(CHARS_MAX).collect();
    let more = if shown.len() < key.len() { "…" } else { "" };
    format!("{shown:?}{more}")
}

/// Writes JSON, of no more than a bounded length and depth: a file can name one value any number of times.
struct Writer<'g> {
    graph: &'g Graph<'g>,
    text: String,
    /// Bytes written, those too of entries that were left out after all.
    budget: Budget,
}

impl Writer<'_> {
    fn spend(&mut self, bytes: usize) -> Result<(), Unfit> {
        let spent = self.budget.spend(bytes as u64);
        spent.map_err(|_| format!("all of them together are more than {ATTRS_BYTES_MAX} bytes"))
    }

    fn put(&mut self, json: &str) -> Result<(), Unfit> {
        self.spend(json.len())?;
        self.text.push_str(json);
        Ok(())
    }

    fn entry(&mut self, comma: bool, key: NodeId, value: NodeId) -> Result<(), Unfit> {
        if comma {
            self.put(",")?;
        }
        if !self.text(key)? {
            return Err("its key is no text".to_owned());
        }
        self.put(":")?;
        self.value(value, COLUMN_NESTING_MAX)
    }

    fn value(&mut self, id: NodeId, depth: usize) -> Result<(), Unfit> {
        let graph = self.graph;
        let deeper =
            depth.checked_sub(1).ok_or_else(|| format!("nested deeper than {COLUMN_NESTING_MAX} levels"))?;
        match graph.node(id) {
            Node::None => self.put("null")?,
            Node::Bool(value) => self.put(if value { "true" } else { "false" })?,
            Node::Int(value) => self.put(&value.to_string())?,
            Node::BigInt { .. } | Node::DecimalInt { .. } => {
                return Err("an int of more than 64 bits".to_owned());
            }
            Node::Float(value) => self.float(value)?,
            Node::List { .. } | Node::FloatList { .. } | Node::Tuple { .. } => self.list(id, deeper)?,
            Node::Dict { .. } => self.dict(id, deeper)?,
            node => {
                if !self.text(id)? {
                    return Err(node.kind().to_owned());
                }
            }
        }
        Ok(())
    }

    fn float(&mut self, value: f64) -> Result<(), Unfit> {
        if !value.is_finite() {
            return Err("a float that is no number".to_owned());
        }
        self.put(&format!("{value:?}"))
    }

    /// Writes a text; false if it is none.
    fn text(&mut self, id: NodeId) -> Result<bool, Unfit> {
        let graph = self.graph;
        // Paid for before it is looked at: a file can name one long text as the key or value of every entry.
        let bytes = graph.text_bytes(id).or_else(|| graph.bytes(id)).map_or(0, <[u8]>::len);
        self.spend(bytes)?;
        let Some(text) = graph.text(id) else { return Ok(false) };
        let json = serde_json::Value::from(text).to_string();
        self.spend(json.len().saturating_sub(bytes))?;
        self.text.push_str(&json);
        Ok(true)
    }

    fn list(&mut self, id: NodeId, depth: usize) -> Result<(), Unfit> {
        self.put("[")?;
        let list = self.graph.sequence(id);
        for (place, item) in list.iter().flat_map(|list| list.items_from(0)).enumerate() {
            if place > 0 {
                self.put(",")?;
            }
            match item {
                Item::Node(id) => self.value(id, depth)?,
                Item::Float(value) => self.float(value)?,
            }
        }
        self.put("]")
    }

    fn dict(&mut self, id: NodeId, depth: usize) -> Result<(), Unfit> {
        self.put("{")?;
        let entries = self.graph.dict(id);
        for (place, (key, value)) in entries.into_iter().flatten().enumerate() {
            if place > 0 {
                self.put(",")?;
            }
            if !self.text(key)? {
                return Err("a key that is no text".to_owned());
            }
            self.put(":")?;
            self.value(value, depth)?;
        }
        self.put("}")
    }
}
