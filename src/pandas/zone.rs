//! Time zones, by name or by distance from UTC, whichever library wrote them.

use crate::{
    numpy::array::bytes_of,
    pickle::{Global, Graph, Node, NodeId},
};

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Zone {
    /// UTC.
    Utc,
    /// A name of the IANA data base.
    Named(String),
    /// Seconds east of UTC.
    Fixed(i32),
}

/// Where the files of zones stand on systems that have them.
const ZONE_FOLDERS: [&str; 4] =
    ["/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/usr/share/lib/zoneinfo/", "/etc/zoneinfo/"];

impl Zone {
    /// The zone that an object stands for; `None` if it is none that can be named.
    pub fn parse(graph: &Graph<'_>, id: NodeId) -> Option<Self> {
        if let Some(name) = graph.text(id) {
            return Some(Self::named(name));
        }
        let (Node::Reduce { callable: maker, args, .. } | Node::Object { class: maker, args, .. }) =
            graph.node(id)
        else {
            return None;
        };
        let args = graph.tuple(args)?;
        let global = match graph.node(maker) {
            Node::Global(Global::Reconstructor) => match graph.node(*args.first()?) {
                Node::Global(global) => global,
                _ => return None,
            },
            Node::Global(global) => global,
            // getattr(ZoneInfo, '_unpickle'), the one callable that is made with a text.
            Node::Reduce { .. } => Global::ZoneInfo,
            _ => return None,
        };
        match global {
            Global::PytzUtc | Global::DateutilUtc => Some(Self::Utc),
            Global::PytzZone | Global::ZoneInfo => graph.text(*args.first()?).map(Self::named),
            Global::PytzFixed => match graph.node(*args.first()?) {
                Node::Int(minutes) => Some(Self::Fixed(i32::try_from(minutes.checked_mul(60)?).ok()?)),
                _ => None,
            },
            Global::TimeZone => seconds(graph, *args.first()?).map(Self::fixed),
            Global::DateutilOffset => {
                // From dateutil 4 on the second argument.
                let said = graph.state(id).and_then(|state| graph.dict_value(state, "_offset"));
                seconds(graph, said.or(args.get(1).copied())?).map(Self::fixed)
            }
            Global::DateutilFile => of_file(graph, args),
            Global::DateutilUnpickle => of_parts(graph, args),
            _ => None,
        }
    }

    fn named(name: &str) -> Self {
        if matches!(name, "UTC" | "Etc/UTC") { Self::Utc } else { Self::Named(name.to_owned()) }
    }

    fn fixed(seconds: i32) -> Self {
        if seconds == 0 { Self::Utc } else { Self::Fixed(seconds) }
    }
}

/// As Arrow names zones.
impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Utc => f.write_str("UTC"),
            Self::Named(name) => f.write_str(name),
            Self::Fixed(seconds) => {
                let (sign, minutes) = (if *seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

/// Seconds of a `timedelta(days, seconds, microseconds)`: whole minutes, as Arrow names distances from UTC.
fn seconds(graph: &Graph<'_>, id: NodeId) -> Option<i32> {
    let Node::Reduce { callable, args, .. } = graph.node(id) else { return None };
    let &[days, seconds, micros] = graph.tuple(args)? else { return None };
    let int = |id| match graph.node(id) {
        Node::Int(value) => Some(value),
        _ => None,
    };
    let total = int(days)?.checked_mul(86_400)?.checked_add(int(seconds)?)?;
    let whole = int(micros)? == 0 && total % 60 == 0 && total.abs() < 86_400;
    let is_delta = graph.node(callable) == Node::Global(Global::TimeDelta);
    (whole && is_delta).then_some(total as i32)
}

/// `_unpickle(tzfile, name, path, transitions)` of dateutil from 4 on: the name, or what the path says if there is none.
fn of_parts(graph: &Graph<'_>, args: &[NodeId]) -> Option<Zone> {
    let &[class, name, path, _] = args else { return None };
    let is_file = graph.node(class) == Node::Global(Global::DateutilFile);
    let named = |id: NodeId| of_file(graph, &[id]);
    is_file.then(|| named(name).or_else(|| named(path))).flatten()
}

/// `tzfile(None, path)`: the zone's name is what follows the folder of zones.
fn of_file(graph: &Graph<'_>, args: &[NodeId]) -> Option<Zone> {
    let path = args.iter().rev().find_map(|arg| match graph.text(*arg) {
        Some(text) => Some(text.to_owned()),
        None => bytes_of(graph, *arg).and_then(|bytes| String::from_utf8(bytes.into_owned()).ok()),
    })?;
    let name = ZONE_FOLDERS.iter().find_map(|folder| path.strip_prefix(folder)).unwrap_or(&path);
    // A path that is not below a folder of zones names nothing outside the machine that wrote it.
    (!name.starts_with('/')).then(|| Zone::named(name))
}
