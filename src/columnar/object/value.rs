//! What a Python object is as a value: the classes of the standard library, NumPy and pandas that hold data.

use std::borrow::Cow;

use crate::{
    columnar::times::days_from_civil,
    numpy::{Array, Data, Kind, Step, Unit, array::bytes_of, items::Number, items::number},
    pandas::{Scalar, Zone, scalar},
    pickle::{Global, Graph, Item, Node, NodeId},
};

/// A value of one cell, or inside of one.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::columnar) enum Value<'g> {
    Missing,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Cow<'g, [u8]>),
    Bytes(Cow<'g, [u8]>),
    /// Days since 1970.
    Date(i32),
    /// Microseconds since midnight.
    TimeOfDay(i64),
    /// Steps since 1970 in UTC.
    Time {
        value: i64,
        step: Step,
        zone: Option<Zone>,
    },
    Duration {
        value: i64,
        step: Step,
    },
    /// `digits · 10^-scale`.
    Decimal {
        digits: i128,
        scale: i32,
    },
    Complex(f64, f64),
    Uuid([u8; 16]),
    /// A list, a tuple, a set: see [`items`].
    List(NodeId),
    /// An array: see [`items`].
    Array(NodeId),
    /// A dict: see [`Graph::dict`].
    Dict(NodeId),
    /// Nothing that a column holds, by what it is.
    Other(&'static str),
}

const MICROS: Step = Step { unit: Unit::Micro, count: 1 };
const NANOS: Step = Step { unit: Unit::Nano, count: 1 };

impl<'g> Value<'g> {
    pub(in crate::columnar) fn of_item(graph: &'g Graph<'g>, item: Item) -> Self {
        match item {
            Item::Float(value) => Self::of_float(value),
            Item::Node(id) => Self::of_node(graph, id),
        }
    }

    /// NaN stands for a missing value among objects, as in pandas.
    fn of_float(value: f64) -> Self {
        if value.is_nan() { Self::Missing } else { Self::Float(value) }
    }

    pub(in crate::columnar) fn of_node(graph: &'g Graph<'g>, id: NodeId) -> Self {
        match graph.node(id) {
            Node::Int(value) => Self::Int(value.into()),
            Node::BigInt { len, offset } => big_int(graph.span(offset, len)).unwrap_or(Self::Other(BIG)),
            Node::DecimalInt { len, offset } => {
                decimal_int(graph.span(offset, len)).unwrap_or(Self::Other(BIG))
            }
            Node::Bytes { .. } | Node::ByteArray { .. } => {
                bytes_of(graph, id).map_or(Self::Other("bytes"), Self::Bytes)
            }
            Node::String { .. } | Node::DecodedString(_) => match (graph.text(id), graph.bytes(id)) {
                (Some(text), _) => Self::Text(Cow::Borrowed(text.as_bytes())),
                (None, Some(bytes)) => Self::Bytes(Cow::Borrowed(bytes)),
                _ => Self::Other("a Python 2 str"),
            },
            Node::List { .. }
            | Node::FloatList { .. }
            | Node::Tuple { .. }
            | Node::Set { .. }
            | Node::FrozenSet { .. } => Self::List(id),
            Node::Packed { .. } => Self::Array(id),
            Node::Dict { .. } => Self::Dict(id),
            Node::Reduce { callable, args, .. } => match graph.node(callable) {
                Node::Global(global) => Self::of_call(graph, id, global, args),
                _ => Self::Other("an object"),
            },
            Node::Object { class, .. } => match graph.node(class) {
                Node::Global(Global::Uuid) => uuid(graph, id).unwrap_or(Self::Other("a UUID")),
                Node::Global(global) => Self::Other(global.name()),
                _ => Self::Other("an object"),
            },
            _ => Self::of_scalar(scalar(graph, id)).unwrap_or(Self::Other(graph.node(id).kind())),
        }
    }

    fn of_scalar(scalar: Scalar<'g>) -> Option<Self> {
        Some(match scalar {
            Scalar::Missing => Self::Missing,
            Scalar::Number(number) => Self::of_number(number),
            Scalar::Text(text) => Self::Text(Cow::Borrowed(text)),
            Scalar::Time { value, step, zone } => Self::Time { value, step, zone },
            Scalar::Other => return None,
        })
    }

    fn of_number(number: Number) -> Self {
        match number {
            Number::Bool(value) => Self::Bool(value),
            Number::Int(value) => Self::Int(value.into()),
            Number::Uint(value) => Self::Int(value.into()),
            Number::Float(value) => Self::of_float(value),
        }
    }

    fn of_call(graph: &'g Graph<'g>, id: NodeId, global: Global, args: NodeId) -> Self {
        let args = graph.tuple(args).unwrap_or_default();
        let made = match global {
            Global::Date => date(graph, args),
            Global::Time => time_of_day(graph, args),
            Global::DateTime => date_time(graph, args),
            Global::TimeDelta => time_delta(graph, args),
            Global::Timedelta => timedelta(graph, args),
            Global::Decimal => text_arg(graph, args).and_then(decimal),
            Global::Complex => complex(graph, args),
            Global::Scalar => Self::of_scalar(scalar(graph, id)).or_else(|| numpy_scalar(graph, args)),
            Global::CodecsEncode | Global::Bytes | Global::ByteArray => bytes_of(graph, id).map(Self::Bytes),
            Global::Fraction => fraction(graph, args),
            Global::Ipv4 | Global::Ipv6 => address(graph, args),
            Global::Path => path(graph, args),
            Global::FromBuffer | Global::Reconstruct => Some(Self::Array(id)),
            Global::Reconstructor => match args.first().map(|class| graph.node(*class)) {
                Some(Node::Global(Global::Uuid)) => uuid(graph, id),
                _ => None,
            },
            global if global.is_dict_like() => Some(Self::Dict(id)),
            global if global.is_list_like() => Some(Self::List(id)),
            _ => Self::of_scalar(scalar(graph, id)),
        };
        made.unwrap_or(Self::Other(global.name()))
    }

    /// What it is, for messages.
    pub(in crate::columnar) fn kind(&self) -> &'static str {
        match self {
            Self::Missing => "a missing value",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an int",
            Self::Float(_) => "a float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "a date",
            Self::TimeOfDay(_) => "a time of day",
            Self::Time { .. } => "a time",
            Self::Duration { .. } => "a duration",
            Self::Decimal { .. } => "a decimal",
            Self::Complex(..) => "a complex number",
            Self::Uuid(_) => "a UUID",
            Self::List(_) => "a list",
            Self::Array(_) => "an array",
            Self::Dict(_) => "a dict",
            Self::Other(kind) => kind,
        }
    }
}

const BIG: &str = "an int of more than 128 bits";

/// The items of a list or an array of one dimension; `None` for an array of more.
pub(in crate::columnar) fn items<'g>(
    graph: &'g Graph<'g>,
    value: &Value<'g>,
    limits: &crate::limits::Limits,
) -> Option<Vec<Value<'g>>> {
    match value {
        Value::List(id) => {
            // Inside a list NaN is a number, unless it stands among other things.
            let view = graph.sequence(*id)?;
            Some(view.items_from(0).map(|item| inner(graph, item)).collect())
        }
        Value::Array(id) => {
            let array = Array::parse(graph, *id, limits).ok()?;
            let [count] = *array.shape.as_slice() else { return None };
            match &array.data {
                Data::Objects(view) => Some(view.items_from(0).map(|item| inner(graph, item)).collect()),
                Data::Bytes(_) => (0..count).map(|row| array_item(&array, row)).collect(),
            }
        }
        _ => None,
    }
}

fn inner<'g>(graph: &'g Graph<'g>, item: Item) -> Value<'g> {
    match item {
        Item::Float(value) => Value::Float(value),
        Item::Node(id) => match graph.node(id) {
            Node::Float(value) => Value::Float(value),
            _ => Value::of_node(graph, id),
        },
    }
}

fn array_item<'g>(array: &Array<'g>, row: usize) -> Option<Value<'g>> {
    Some(match array.dtype.kind {
        Kind::Datetime(step) => match array.steps(0, row)? {
            i64::MIN => Value::Missing,
            value => Value::Time { value, step, zone: None },
        },
        Kind::Timedelta(step) => match array.steps(0, row)? {
            i64::MIN => Value::Missing,
            value => Value::Duration { value, step },
        },
        Kind::Text => Value::Text(Cow::Owned(array.text(0, row)?.into_bytes())),
        Kind::Raw => Value::Bytes(Cow::Owned(array.item_bytes(0, row)?.to_vec())),
        _ => match array.number(0, row)? {
            Number::Float(value) => Value::Float(value),
            number => Value::of_number(number),
        },
    })
}

/// Two's complement, little endian.
fn big_int<'g>(bytes: &[u8]) -> Option<Value<'g>> {
    let fill = if bytes.last().is_some_and(|last| *last >= 0x80) { 0xff } else { 0 };
    if bytes.len() > 16 && bytes[16..].iter().any(|byte| *byte != fill) {
        return None;
    }
    let mut wide = [fill; 16];
    let count = bytes.len().min(16);
    wide[..count].copy_from_slice(&bytes[..count]);
    let value = i128::from_le_bytes(wide);
    ((value < 0) == (fill == 0xff)).then_some(Value::Int(value))
}

fn decimal_int<'g>(text: &[u8]) -> Option<Value<'g>> {
    std::str::from_utf8(text).ok()?.parse().ok().map(Value::Int)
}

fn int(graph: &Graph<'_>, id: NodeId) -> Option<i64> {
    match graph.node(id) {
        Node::Int(value) => Some(value),
        _ => None,
    }
}

fn text_arg<'g>(graph: &'g Graph<'g>, args: &[NodeId]) -> Option<&'g str> {
    graph.text(*args.first()?)
}

/// Fixed bytes of an argument, whatever form they have.
fn bytes_arg<const COUNT: usize>(graph: &Graph<'_>, args: &[NodeId]) -> Option<[u8; COUNT]> {
    let bytes = bytes_of(graph, *args.first()?)?;
    <[u8; COUNT]>::try_from(bytes.as_ref()).ok()
}

/// Year, month and day, if there is such a day.
fn days(year: u16, month: u8, day: u8) -> Option<i128> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        2 => 28 + u8::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let fits = (1..=9_999).contains(&year) && (1..=length).contains(&day);
    fits.then(|| days_from_civil(year.into(), month.into(), day.into()))
}

fn date<'g>(graph: &Graph<'_>, args: &[NodeId]) -> Option<Value<'g>> {
    let [high, low, month, day] = bytes_arg(graph, args)?;
    days(u16::from_be_bytes([high, low]), month, day).map(|days| Value::Date(days as i32))
}

fn micros_of_day(hour: u8, minute: u8, second: u8, micros: [u8; 3]) -> Option<i64> {
    let micros = i64::from(u32::from_be_bytes([0, micros[0], micros[1], micros[2]]));
    let fits = hour < 24 && minute < 60 && second < 60 && micros < 1_000_000;
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    fits.then_some(seconds * 1_000_000 + micros)
}

/// The first bit of the first byte says which of two equal times is meant at the end of summer; it stands for nothing here.
fn time_of_day<'g>(graph: &Graph<'_>, args: &[NodeId]) -> Option<Value<'g>> {
    let [hour, minute, second, a, b, c] = bytes_arg(graph, args)?;
    let plain = args.len() == 1;
    plain.then(|| micros_of_day(hour & 0x7f, minute, second, [a, b, c]).map(Value::TimeOfDay))?
}

/// `datetime(10 bytes[, zone])`: with a zone the clock of that place, so only fixed distances can be made UTC here.
fn date_time<'g>(graph: &Graph<'_>, args: &[NodeId]) -> Option<Value<'g>> {
    let [high, low, month, day, hour, minute, second, a, b, c] = bytes_arg(graph, args)?;
    let days = days(u16::from_be_bytes([high, low]), month & 0x7f, day)?;
    let micros = days * 86_400_000_000 + i128::from(micros_of_day(hour, minute, second, [a, b, c])?);
    let zone = match args.get(1) {
        None => None,
        Some(zone) => Some(Zone::parse(graph, *zone)?),
    };
    let offset = match &zone {
        None | Some(Zone::Utc) => 0,
        Some(Zone::Fixed(seconds)) => i128::from(*seconds) * 1_000_000,
        // pytz writes which of its distances it meant; the rules of a named zone are not known here.
        Some(Zone::Named(_)) => pytz_offset(graph, *args.get(1)?)? * 1_000_000,
    };
    Some(Value::Time { value: i64::try_from(micros - offset).ok()?, step: MICROS, zone })
}

/// The distance from UTC in seconds of `pytz._p(zone, distance, summer, name)`.
fn pytz_offset(graph: &Graph<'_>, zone: NodeId) -> Option<i128> {
    let Node::Reduce { callable, args, .. } = graph.node(zone) else { return None };
    let is_pytz = graph.node(callable) == Node::Global(Global::PytzZone);
    is_pytz.then(|| int(graph, *graph.tuple(args)?.get(1)?).map(i128::from))?
}

fn time_delta<'g>(graph: &Graph<'_>, args: &[NodeId]) -> Option<Value<'g>> {
    let &[days, seconds, micros] = args else { return None };
    let seconds = i128::from(int(graph, days)?) * 86_400 + i128::from(int(graph, seconds)?);
    let micros = seconds * 1_000_000 + i128::from(int(graph, micros)?);
    Some(Value::Duration { value: i64::try_from(micros).ok()?, step: MICROS })
}

/// `Timedelta(value)` in nanoseconds, or `_timedelta_unpickle(value, reso)`.
fn timedelta<'g>(graph: &Graph<'_>, args: &[NodeId]) -> Option<Value<'g>> {
    let value = int(graph, *args.first()?)?;
    let unit = match args.get(1).map(|reso| graph.node(*reso)) {
        None | Some(Node::Int(10)) => NANOS.unit,
        Some(Node::Int(9)) => Unit::Micro,
        Some(Node::Int(8)) => Unit::Milli,
        Some(Node::Int(7)) => Unit::Second,
        _ => return None,
    };
    Some(Value::Duration { value, step: Step { unit, count: 1 } })
}

/// Digits, point and exponent; not a number stands for a missing one.
fn decimal<'g>(text: &str) -> Option<Value<'g>> {
    let unsigned = text.trim_start_matches(['+', '-']);
    if unsigned.eq_ignore_ascii_case("nan") || unsigned.eq_ignore_ascii_case("snan") {
        return Some(Value::Missing);
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{part}");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: i128 = digits.parse().ok()?;
    let scale = i32::try_from(part.len()).ok()?.checked_sub(exponent)?;
    Some(Value::Decimal { digits: if text.starts_with('-') { -digits } else { digits }, scale })
}

fn complex<'g>(graph: &Graph<'_>, args: &[NodeId]) -> Option<Value<'g>> {
    let &[re, im] = args else { return None };
    let float = |id| match graph.node(id) {
        Node::Float(value) => Some(value),
        _ => None,
    };
    Some(Value::Complex(float(re)?, float(im)?))
}

/// A NumPy scalar that is no number: text, bytes, a duration, a complex number.
fn numpy_scalar<'g>(graph: &'g Graph<'g>, args: &[NodeId]) -> Option<Value<'g>> {
    let &[dtype, payload] = args else { return None };
    let dtype = crate::numpy::Dtype::parse(graph, dtype).ok()?;
    let bytes = bytes_of(graph, payload)?;
    if bytes.len() != dtype.itemsize {
        return None;
    }
    if dtype.kind == Kind::Complex {
        let half = dtype.itemsize / 2;
        let part = crate::numpy::Dtype { kind: Kind::Float, itemsize: half, ..dtype };
        let float = |bytes: &[u8]| match number(part, bytes) {
            Some(Number::Float(value)) => Some(value),
            _ => None,
        };
        return Some(Value::Complex(float(&bytes[..half])?, float(&bytes[half..])?));
    }
    let array = Array { dtype, shape: vec![1], fortran: false, data: Data::Bytes(bytes) };
    array_item(&array, 0)
}

/// `Fraction('1/3')`, or `Fraction(1, 3)`.
fn fraction<'g>(graph: &'g Graph<'g>, args: &[NodeId]) -> Option<Value<'g>> {
    match args {
        [text] => graph.text(*text).map(|text| Value::Text(Cow::Borrowed(text.as_bytes()))),
        [above, below] => {
            let text = format!("{}/{}", int(graph, *above)?, int(graph, *below)?);
            Some(Value::Text(Cow::Owned(text.into_bytes())))
        }
        _ => None,
    }
}

fn address<'g>(graph: &'g Graph<'g>, args: &[NodeId]) -> Option<Value<'g>> {
    if let Some(text) = text_arg(graph, args) {
        return Some(Value::Text(Cow::Borrowed(text.as_bytes())));
    }
    let Value::Int(value) = Value::of_node(graph, *args.first()?) else { return None };
    let text = match u32::try_from(value) {
        Ok(four) => core::net::Ipv4Addr::from_bits(four).to_string(),
        Err(_) => core::net::Ipv6Addr::from_bits(u128::try_from(value).ok()?).to_string(),
    };
    Some(Value::Text(Cow::Owned(text.into_bytes())))
}

fn path<'g>(graph: &'g Graph<'g>, args: &[NodeId]) -> Option<Value<'g>> {
    let parts: Vec<&str> = args.iter().map(|part| graph.text(*part)).collect::<Option<_>>()?;
    let joined = match parts.as_slice() {
        ["/", rest @ ..] => format!("/{}", rest.join("/")),
        parts => parts.join("/"),
    };
    Some(Value::Text(Cow::Owned(joined.into_bytes())))
}

/// `UUID` with state `{int: …}`.
fn uuid<'g>(graph: &'g Graph<'g>, id: NodeId) -> Option<Value<'g>> {
    let number = graph.dict_value(graph.state(id)?, "int")?;
    let Node::BigInt { len, offset } = graph.node(number) else {
        let Value::Int(value) = Value::of_node(graph, number) else { return None };
        return u128::try_from(value).ok().map(|value| Value::Uuid(value.to_be_bytes()));
    };
    let bytes = graph.span(offset, len);
    // A number above the signed range has a seventeenth byte of zero.
    let mut little = [0; 16];
    let count = bytes.len().min(16);
    little[..count].copy_from_slice(&bytes[..count]);
    let fits = bytes.len() <= 16 || bytes[16..].iter().all(|byte| *byte == 0);
    fits.then(|| Value::Uuid(u128::from_le_bytes(little).to_be_bytes()))
}
