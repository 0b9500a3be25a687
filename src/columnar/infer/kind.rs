//! What values have in common: the kinds of a column's cells as a lattice, from nothing known to no type for both.

use std::collections::HashMap;

use arrow_schema::TimeUnit;

use super::Plain;
use crate::{
    columnar::{
        object::{DIGITS_MAX, Label, Value, rescaled},
        times::per_second,
    },
    limits::STRUCT_FIELDS_MAX,
    numpy::items::Number,
    pandas::Zone,
};

/// The kind of some values.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::columnar) enum Kind<'g> {
    /// Nothing but missing values.
    Missing,
    /// Nothing but NaN and missing values: floats, unless something else comes.
    Nan,
    Bool,
    Integer(Integer),
    Float(Plain),
    /// Python 2 `str`: text if all of it is ASCII, else bytes.
    OldText {
        ascii: bool,
    },
    Text,
    Bytes,
    Date,
    Time,
    Moment(Steps, Option<Zone>),
    /// Times on the clocks of a zone whose rules are not in the file.
    WallTime(String),
    Duration(Steps),
    /// Digits before and after the point; none if no decimal type holds them, and then they are text.
    Decimal(Option<(u32, u32)>),
    Uuid,
    Label(Label),
    Complex,
    Range,
    /// By its frequency.
    Period(String),
    Interval(&'g str, Box<Kind<'g>>),
    List(Box<List<'g>>),
    /// Dicts whose keys are text.
    Struct(Box<Fields<'g>>),
    /// Dicts of other or of many keys: kinds of keys and of values.
    Map(Box<(Kind<'g>, Kind<'g>)>),
    /// Values without a common type.
    Mixed(Box<Clash>),
}

/// Two values that have no type in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::columnar) struct Clash {
    /// Where in the cell; empty for the cell itself.
    pub(in crate::columnar) path: String,
    pub(in crate::columnar) first: String,
    pub(in crate::columnar) found: String,
}

impl Clash {
    pub(super) fn inside(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

/// Integers of any size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::columnar) struct Integer {
    pub(in crate::columnar) negative: bool,
    pub(in crate::columnar) size: Size,
    /// Whether a 64-bit float holds every one.
    exact: bool,
    /// The NumPy type that all have.
    pub(in crate::columnar) plain: Option<Plain>,
}

/// What holds an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::columnar) enum Size {
    /// 64 bits with a sign.
    Signed,
    /// 64 bits without.
    Unsigned,
    /// So many decimal digits.
    Digits(u32),
}

/// Steps of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::columnar) struct Steps {
    /// The finest unit that a value has.
    unit: TimeUnit,
    /// The coarsest unit that all values are whole steps of.
    whole: TimeUnit,
    /// The earliest and the latest, in seconds.
    span: (i64, i64),
}

/// Items in a row.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::columnar) struct List<'g> {
    pub(in crate::columnar) item: Kind<'g>,
    /// How many items each has, if all have the same number.
    pub(in crate::columnar) length: Option<usize>,
    /// Whether an item is missing.
    pub(in crate::columnar) missing: bool,
}

/// Kinds by name, in the order in which the names come first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::columnar) struct Fields<'g> {
    pub(in crate::columnar) list: Vec<(&'g str, Kind<'g>)>,
    index: HashMap<&'g str, usize>,
}

impl<'g> Kind<'g> {
    /// Python integers.
    pub(in crate::columnar) const INT: Self =
        Self::Integer(Integer { negative: true, size: Size::Signed, exact: false, plain: None });

    /// The kind of a value that holds no others; `None` for those that do.
    pub(in crate::columnar) fn of_scalar(value: &Value<'g>) -> Option<Self> {
        Some(match value {
            Value::Missing => Self::Missing,
            Value::Nan => Self::Nan,
            Value::Bool(_) => Self::Bool,
            Value::Int(value) => Self::Integer(Integer::of(i128::from(*value), None)),
            Value::BigInt(number) => Self::Integer(Integer::of_big(number)),
            Value::Float(_) => Self::Float(Plain::FLOAT),
            Value::Scalar(plain, number) => match *number {
                Number::Int(value) => Self::Integer(Integer::of(i128::from(value), Some(*plain))),
                Number::Uint(value) => Self::Integer(Integer::of(i128::from(value), Some(*plain))),
                Number::Float(value) if value.is_nan() => Self::Float(*plain),
                Number::Float(_) => Self::Float(*plain),
                Number::Bool(_) => Self::Bool,
            },
            Value::Text(_) => Self::Text,
            Value::OldText(bytes) => Self::OldText { ascii: bytes.is_ascii() },
            Value::Bytes(_) => Self::Bytes,
            Value::Date(_) => Self::Date,
            Value::Time(_) => Self::Time,
            Value::Moment(moment) => Self::Moment(Steps::of(moment.value, moment.unit), moment.zone.clone()),
            Value::WallTime { zone, .. } => Self::WallTime(zone.clone()),
            Value::Duration(value, unit) => Self::Duration(Steps::of(*value, *unit)),
            Value::Decimal(number, _) => {
                Self::Decimal(number.as_ref().and_then(|it| digits(it.whole_digits(), it.scale())))
            }
            Value::Uuid(_) => Self::Uuid,
            Value::Label(label, _) => Self::Label(*label),
            Value::Complex(..) => Self::Complex,
            Value::Range(_) => Self::Range,
            Value::Period(_, frequency) => Self::Period(frequency.clone()),
            Value::Interval(..) | Value::Sequence(_) | Value::Dict(_) | Value::Other(_) => return None,
        })
    }

    /// Makes this the kind of both.
    pub(super) fn absorb(&mut self, other: Self) -> Result<(), Clash> {
        match (&mut *self, other) {
            (Self::Mixed(clash), _) => return Err((**clash).clone()),
            (_, Self::Mixed(clash)) => return Err(*clash),
            (Self::Missing, other) => *self = other,
            (_, Self::Missing)
            | (Self::Nan, Self::Nan)
            | (Self::Text, Self::OldText { ascii: true })
            | (Self::Bytes, Self::OldText { .. }) => {}
            (Self::Nan, Self::Integer(integer)) if integer.exact => *self = Self::Float(Plain::FLOAT),
            (Self::Integer(integer), Self::Nan) if integer.exact => *self = Self::Float(Plain::FLOAT),
            (Self::Nan, other) if !matches!(other, Self::Integer(_)) => *self = other,
            (this, Self::Nan) if !matches!(this, Self::Integer(_)) => {}
            (Self::Integer(a), Self::Integer(b)) => a.absorb(b),
            (Self::Integer(integer), Self::Float(_)) if integer.exact => *self = Self::Float(Plain::FLOAT),
            (Self::Float(plain), Self::Integer(integer)) if integer.exact => *plain = Plain::FLOAT,
            (Self::Float(a), Self::Float(b)) => a.bytes = a.bytes.max(b.bytes),
            (Self::OldText { ascii: a }, Self::OldText { ascii: b }) => *a &= b,
            (Self::OldText { ascii: true }, Self::Text) => *self = Self::Text,
            (Self::OldText { .. }, Self::Bytes) => *self = Self::Bytes,
            (Self::Moment(a, zone), Self::Moment(b, other)) if *zone == other && a.with(b).is_some() => {
                *a = a.with(b).unwrap_or(b);
            }
            (Self::Duration(a), Self::Duration(b)) if a.with(b).is_some() => *a = a.with(b).unwrap_or(b),
            (Self::Decimal(a), Self::Decimal(b)) => {
                *a = a.zip(b).and_then(|(a, b)| digits(a.0.max(b.0), a.1.max(b.1)));
            }
            (Self::Interval(closed, a), Self::Interval(other, b)) if *closed == other => {
                a.absorb(*b).map_err(|clash| clash.inside(".left"))?;
            }
            (Self::List(a), Self::List(b)) => a.absorb(*b)?,
            (Self::Struct(a), Self::Struct(b)) => {
                a.absorb(*b)?;
                if a.list.len() > STRUCT_FIELDS_MAX {
                    *self = a.to_map()?;
                }
            }
            (Self::Map(_), Self::Struct(b)) => {
                let map = b.to_map()?;
                self.absorb(map)?;
            }
            (Self::Struct(a), map @ Self::Map(_)) => {
                *self = a.to_map()?;
                self.absorb(map)?;
            }
            (Self::Map(a), Self::Map(b)) => {
                a.0.absorb(b.0).map_err(|clash| clash.inside(".keys()"))?;
                a.1.absorb(b.1).map_err(|clash| clash.inside(".values()"))?;
            }
            (this, other) if *this == other => {}
            (this, other) => return Err(this.clash(&other)),
        }
        Ok(())
    }

    fn clash(&self, other: &Self) -> Clash {
        let is_float = |kind: &Self| matches!(kind, Self::Float(_) | Self::Nan);
        let words = |kind: &Self, other: &Self| match kind {
            Self::Integer(_) if is_float(other) => "an int that no float holds".to_owned(),
            _ => kind.in_words(),
        };
        Clash { path: String::new(), first: words(self, other), found: words(other, self) }
    }

    /// What it is, for messages.
    pub(in crate::columnar) fn in_words(&self) -> String {
        let word = match self {
            Self::Missing => crate::columnar::error::Reason::MISSING,
            Self::Nan => "NaN",
            Self::Bool => "a bool",
            Self::Integer(_) => "an int",
            Self::Float(_) => "a float",
            Self::OldText { ascii: true } | Self::Text => "text",
            Self::OldText { ascii: false } => "a Python 2 str that is not ASCII",
            Self::Bytes => "bytes",
            Self::Date => "a date",
            Self::Time => "a time of day",
            Self::Moment(_, None) => "a datetime without a zone",
            Self::Moment(_, Some(zone)) => return format!("a datetime in the zone {zone}"),
            Self::WallTime(zone) => {
                return format!(
                    "a datetime of the standard library in the zone {zone}, whose rules are not in the file"
                );
            }
            Self::Duration(_) => "a timedelta",
            Self::Decimal(_) => "a Decimal",
            Self::Uuid => "a UUID",
            Self::Label(label) => label.in_words(),
            Self::Complex => "a complex number",
            Self::Range => "a range",
            Self::Period(frequency) => return format!("a Period of frequency {frequency}"),
            Self::Interval(closed, _) => return format!("an Interval closed on: {closed}"),
            Self::List(list) if matches!(list.item, Self::Missing) => "a list",
            Self::List(list) => return format!("a list of {}", list.item.in_words()),
            Self::Struct(_) => "a dict of text keys",
            Self::Map(_) => "a dict",
            Self::Mixed(_) => "values of several kinds",
        };
        word.to_owned()
    }

    /// Whether no value takes more room than another.
    pub(super) fn is_of_one_width(&self) -> bool {
        matches!(
            self,
            Self::Bool | Self::Float(_) | Self::Date | Self::Time | Self::Moment(..) | Self::Duration(_)
        ) || matches!(self, Self::Integer(integer) if !matches!(integer.size, Size::Digits(_)))
    }

    /// How many columns without nesting it takes.
    pub(super) fn leaves(&self) -> u64 {
        match self {
            Self::List(list) => list.item.leaves(),
            Self::Struct(fields) => fields.list.iter().map(|(_, kind)| kind.leaves()).sum::<u64>().max(1),
            Self::Map(map) => map.0.leaves() + map.1.leaves(),
            Self::Interval(_, side) => 2 * side.leaves(),
            Self::Complex => 2,
            Self::Range => 3,
            _ => 1,
        }
    }
}

fn digits(whole: u32, scale: u32) -> Option<(u32, u32)> {
    (whole.checked_add(scale)? <= DIGITS_MAX).then_some((whole, scale))
}

impl Integer {
    fn of(value: i128, plain: Option<Plain>) -> Self {
        let size = if i64::try_from(value).is_ok() { Size::Signed } else { Size::Unsigned };
        Self { negative: value < 0, size, exact: value as f64 as i128 == value, plain }
    }

    fn of_big(number: &crate::columnar::object::Decimal) -> Self {
        let digits = Size::Digits(number.whole_digits());
        match number.to_i128(0) {
            Some(value) if u64::try_from(value).is_ok() => Self::of(value, None),
            _ => Self { negative: number.is_negative(), size: digits, exact: false, plain: None },
        }
    }

    fn absorb(&mut self, other: Self) {
        self.negative |= other.negative;
        self.size = self.size.max(other.size);
        self.exact &= other.exact;
        self.plain = self.plain.filter(|plain| other.plain == Some(*plain));
    }
}

impl Steps {
    fn of(value: i64, unit: TimeUnit) -> Self {
        let coarser = [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond];
        let whole = coarser
            .into_iter()
            .find(|to| per_second(*to) < per_second(unit) && rescaled(value, unit, *to).is_some());
        let second = value.div_euclid(per_second(unit));
        Self { unit, whole: whole.unwrap_or(unit), span: (second, second) }
    }

    /// The steps of both, if one unit holds all.
    fn with(self, other: Self) -> Option<Self> {
        let finer = |a: TimeUnit, b: TimeUnit| if per_second(a) >= per_second(b) { a } else { b };
        let span = (self.span.0.min(other.span.0), self.span.1.max(other.span.1));
        let both = Self { unit: finer(self.unit, other.unit), whole: finer(self.whole, other.whole), span };
        (both.fits(both.unit) || both.fits(both.whole)).then_some(both)
    }

    fn fits(self, unit: TimeUnit) -> bool {
        let fits =
            |second: i64| second.checked_add(1).and_then(|it| it.checked_mul(per_second(unit))).is_some();
        fits(self.span.0) && fits(self.span.1)
    }

    /// The finest unit of the values, or the coarsest that is exact where that one does not reach. Seconds become
    /// milliseconds where they can: Parquet has no seconds, and readers then see integers.
    pub(in crate::columnar) fn unit(self) -> TimeUnit {
        let wanted = if self.unit == TimeUnit::Second { TimeUnit::Millisecond } else { self.unit };
        if self.fits(wanted) { wanted } else { self.whole }
    }
}

impl List<'_> {
    fn absorb(&mut self, other: Self) -> Result<(), Clash> {
        self.length = self.length.filter(|length| other.length == Some(*length));
        self.missing |= other.missing;
        self.item.absorb(other.item).map_err(|clash| clash.inside("[]"))
    }

    /// The number of items, where all have the same and are numbers: then they lie in rows of one length.
    pub(in crate::columnar) fn fixed(&self) -> Option<usize> {
        let numbers = match &self.item {
            Kind::Float(_) => true,
            Kind::Integer(integer) => integer.size == Size::Signed || integer.plain.is_some(),
            _ => false,
        };
        self.length.filter(|length| numbers && !self.missing && *length > 0)
    }
}

/// Below this many fields, looking through them is faster than hashing.
const FIELDS_INDEXED: usize = 16;

impl<'g> Fields<'g> {
    fn position(&mut self, name: &str, hint: usize) -> Option<usize> {
        if self.list.get(hint).is_some_and(|(field, _)| *field == name) {
            return Some(hint);
        }
        if self.list.len() <= FIELDS_INDEXED {
            return self.list.iter().position(|(field, _)| *field == name);
        }
        for (position, (field, _)) in self.list.iter().enumerate().skip(self.index.len()) {
            self.index.insert(field, position);
        }
        self.index.get(name).copied()
    }

    /// Sets the kind of a field: the later value of a key wins, as in Python.
    pub(super) fn set(&mut self, name: &'g str, kind: Kind<'g>) {
        match self.position(name, self.list.len()) {
            Some(at) => self.list[at].1 = kind,
            None => self.list.push((name, kind)),
        }
    }

    fn absorb(&mut self, other: Self) -> Result<(), Clash> {
        for (hint, (name, kind)) in other.list.into_iter().enumerate() {
            match self.position(name, hint) {
                Some(at) => {
                    self.list[at].1.absorb(kind).map_err(|clash| clash.inside(&format!("[{name:?}]")))?;
                }
                None => self.list.push((name, kind)),
            }
        }
        Ok(())
    }

    /// The dict as one of any keys, whose values must be of one kind.
    pub(super) fn to_map(&self) -> Result<Kind<'g>, Clash> {
        let mut values = Kind::Missing;
        for (_, kind) in &self.list {
            values.absorb(kind.clone()).map_err(|clash| clash.inside(".values()"))?;
        }
        Ok(Kind::Map(Box::new((Kind::Text, values))))
    }
}
