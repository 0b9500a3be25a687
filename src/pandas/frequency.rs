//! Frequencies of periods, as the text that pandas of today writes for them.

use crate::pickle::{Global, Graph, Node, NodeId};

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// The frequency of a `PeriodDtype`: `PeriodDtype('period[M]')`, `PeriodDtype(offset)`, or an object with `{freq: offset}`.
pub(super) fn of_dtype(graph: &Graph<'_>, dtype: NodeId) -> Option<String> {
    let of_node = |id| match graph.text(id) {
        Some(text) => {
            let inner = text.strip_prefix("period[").and_then(|text| text.strip_suffix(']'));
            Some(inner.unwrap_or(text).to_owned())
        }
        None => of_offset(graph, id),
    };
    if let Some(state) = graph.state(dtype)
        && let Some(frequency) = graph.dict_value(state, "freq").or_else(|| graph.dict_value(state, "_freq"))
    {
        return of_node(frequency);
    }
    let Node::Reduce { args, .. } = graph.node(dtype) else { return None };
    of_node(*graph.tuple(args)?.first()?)
}

/// The text of an offset object: what it counts, how many, and where its years, quarters and weeks end.
pub fn of_offset(graph: &Graph<'_>, id: NodeId) -> Option<String> {
    if let Some(text) = graph.text(id) {
        return Some(text.to_owned());
    }
    let (Node::Reduce { callable: maker, args, .. } | Node::Object { class: maker, args, .. }) =
        graph.node(id)
    else {
        return None;
    };
    let args = graph.tuple(args)?;
    let Node::Global(maker) = graph.node(maker) else { return None };
    let class = match maker {
        Global::Reconstructor => match graph.node(*args.first()?) {
            Node::Global(class) => class,
            _ => return None,
        },
        class => class,
    };
    let given = |key: &str, place: usize| {
        let from_state = graph.state(id).and_then(|state| graph.dict_value(state, key));
        let from_args = (maker == class).then(|| args.get(place).copied()).flatten();
        match from_state.or(from_args).map(|id| graph.node(id)) {
            Some(Node::Int(value)) => Some(value),
            _ => None,
        }
    };
    let month = |key, place| {
        let month = given(key, place).unwrap_or(12);
        MONTHS.get(usize::try_from(month).ok()?.checked_sub(1)?).copied()
    };
    let base = match class {
        Global::Day => "D".to_owned(),
        Global::Hour => "h".to_owned(),
        Global::Minute => "min".to_owned(),
        Global::Second => "s".to_owned(),
        Global::Milli => "ms".to_owned(),
        Global::Micro => "us".to_owned(),
        Global::Nano => "ns".to_owned(),
        Global::BusinessDay => "B".to_owned(),
        Global::MonthEnd => "M".to_owned(),
        Global::Week => {
            let day = usize::try_from(given("weekday", 2).unwrap_or(6)).ok()?;
            format!("W-{}", WEEKDAYS.get(day)?)
        }
        Global::QuarterEnd => format!("Q-{}", month("startingMonth", 2)?),
        Global::YearEnd => format!("Y-{}", month("month", 2)?),
        _ => return None,
    };
    Some(match given("n", 0) {
        None | Some(1) => base,
        Some(count) => format!("{count}{base}"),
    })
}
