//! What a column of objects is: the one kind that all its values have, however deep.

use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};

use super::value::{Value, items};
use crate::{
    columnar::{complex, times},
    limits::{Budget, Limits},
    pickle::Graph,
};

/// A kind of values.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::columnar) enum Kind {
    /// Nothing but missing values.
    Missing,
    Bool,
    /// Integers, by the least and the greatest.
    Int(i128, i128),
    Float,
    Text,
    Bytes,
    Date,
    TimeOfDay,
    Time {
        unit: TimeUnit,
        zone: Option<String>,
    },
    Duration(TimeUnit),
    /// Digits before and behind the point.
    Decimal {
        whole: i32,
        scale: i32,
    },
    Complex,
    Uuid,
    List(Box<Kind>),
    Struct(Vec<(String, Kind)>),
    /// Anything, as JSON.
    Json,
}

/// Why values have no kind together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::columnar) enum NoKind {
    /// The value is nothing that a column holds.
    Value(&'static str),
    /// Two kinds.
    Mixed,
    /// It takes too much to look at.
    TooMuch,
}

/// Nesting of lists and dicts in a column.
const DEPTH_MAX: usize = 32;
/// Digits of the widest decimal.
const DECIMAL_DIGITS_MAX: i32 = 38;
/// Integers up to here are exact as floats.
const EXACT: i128 = 1 << 53;

/// Looks at values, each paid for: a file can name one list any number of times.
pub(in crate::columnar) struct Look<'g, 'l> {
    pub(in crate::columnar) graph: &'g Graph<'g>,
    pub(in crate::columnar) limits: &'l Limits,
    pub(in crate::columnar) budget: Budget,
}

impl<'g> Look<'g, '_> {
    /// The kind of one value.
    pub(in crate::columnar) fn kind(&mut self, value: &Value<'g>) -> Result<Kind, NoKind> {
        self.within(value, DEPTH_MAX)
    }

    fn within(&mut self, value: &Value<'g>, depth: usize) -> Result<Kind, NoKind> {
        self.budget.spend(1).map_err(|_| NoKind::TooMuch)?;
        Ok(match value {
            Value::Missing => Kind::Missing,
            Value::Bool(_) => Kind::Bool,
            Value::Int(value) => Kind::Int(*value, *value),
            Value::Float(_) => Kind::Float,
            Value::Text(_) => Kind::Text,
            Value::Bytes(_) => Kind::Bytes,
            Value::Date(_) => Kind::Date,
            Value::TimeOfDay(_) => Kind::TimeOfDay,
            Value::Time { step, zone, .. } => {
                Kind::Time { unit: times::unit_of(*step), zone: zone.as_ref().map(ToString::to_string) }
            }
            Value::Duration { step, .. } => Kind::Duration(times::unit_of(*step)),
            Value::Decimal { digits, scale } => {
                let all = i32::try_from(digits.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1))
                    .unwrap_or(39);
                Kind::Decimal { whole: (all - scale).max(0), scale: (*scale).max(0) }
            }
            Value::Complex(..) => Kind::Complex,
            Value::Uuid(_) => Kind::Uuid,
            Value::List(_) | Value::Array(_) if depth > 0 => {
                let items = items(self.graph, value, self.limits).ok_or(NoKind::Value(value.kind()))?;
                Kind::List(Box::new(self.common(items.iter(), depth - 1)?))
            }
            Value::Dict(id) if depth > 0 => {
                let mut fields: Vec<(String, Kind)> = Vec::new();
                for (key, value) in self.graph.dict(*id).into_iter().flatten() {
                    let name = self.graph.text(key).ok_or(NoKind::Value("a dict whose keys are no text"))?;
                    let kind = self.within(&Value::of_node(self.graph, value), depth - 1)?;
                    match fields.iter_mut().find(|(known, _)| known == name) {
                        Some((_, known)) => *known = kind,
                        None => fields.push((name.to_owned(), kind)),
                    }
                    if fields.len() > FIELDS_MAX {
                        return Err(NoKind::TooMuch);
                    }
                }
                Kind::Struct(fields)
            }
            other => return Err(NoKind::Value(other.kind())),
        })
    }

    fn common<'v>(
        &mut self,
        values: impl Iterator<Item = &'v Value<'g>>,
        depth: usize,
    ) -> Result<Kind, NoKind>
    where
        'g: 'v,
    {
        let mut all = Kind::Missing;
        for value in values {
            let kind = self.within(value, depth)?;
            all = all.with(kind).ok_or(NoKind::Mixed)?;
        }
        Ok(all)
    }
}

/// Keys of the dicts of one column.
const FIELDS_MAX: usize = 1_000;

impl Kind {
    /// The kind of values of both, if there is one that changes none of them.
    pub(in crate::columnar) fn with(self, other: Self) -> Option<Self> {
        use Kind as K;
        Some(match (self, other) {
            (K::Missing, kind) | (kind, K::Missing) => kind,
            (K::Int(a, b), K::Int(c, d)) => K::Int(a.min(c), b.max(d)),
            (K::Int(a, b), K::Float) | (K::Float, K::Int(a, b)) => {
                (a >= -EXACT && b <= EXACT).then_some(K::Float)?
            }
            (K::Time { unit: a, zone }, K::Time { unit: b, zone: other }) if zone == other => {
                K::Time { unit: a.max(b), zone }
            }
            (K::Duration(a), K::Duration(b)) => K::Duration(a.max(b)),
            (K::Decimal { whole: a, scale: b }, K::Decimal { whole: c, scale: d }) => {
                K::Decimal { whole: a.max(c), scale: b.max(d) }
            }
            (K::List(a), K::List(b)) => K::List(Box::new(a.with(*b)?)),
            (K::Struct(a), K::Struct(b)) => K::Struct(union(a, b)?),
            (a, b) => (a == b).then_some(a)?,
        })
    }

    /// Whether there is an Arrow type that holds all values of the kind.
    pub(in crate::columnar) fn fits(&self) -> bool {
        match self {
            Self::Int(least, greatest) => {
                let digits = |value: &i128| value.unsigned_abs() < 10_u128.pow(38);
                digits(least) && digits(greatest)
            }
            Self::Decimal { whole, scale } => whole + scale <= DECIMAL_DIGITS_MAX,
            Self::List(item) => item.fits(),
            Self::Struct(fields) => !fields.is_empty() && fields.iter().all(|(_, kind)| kind.fits()),
            _ => true,
        }
    }

    pub(in crate::columnar) fn data_type(&self) -> DataType {
        match self {
            Self::Missing => DataType::Null,
            Self::Bool => DataType::Boolean,
            Self::Int(least, greatest) => integer(*least, *greatest),
            Self::Float => DataType::Float64,
            Self::Text | Self::Json => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::TimeOfDay => DataType::Time64(TimeUnit::Microsecond),
            Self::Time { unit, zone } => DataType::Timestamp(*unit, zone.as_deref().map(Into::into)),
            Self::Duration(unit) => DataType::Duration(*unit),
            Self::Decimal { whole, scale } => {
                DataType::Decimal128((whole + scale).clamp(1, DECIMAL_DIGITS_MAX) as u8, *scale as i8)
            }
            Self::Complex => DataType::Struct(complex::parts()),
            Self::Uuid => DataType::FixedSizeBinary(16),
            Self::List(item) => DataType::List(item_field(item)),
            Self::Struct(fields) => {
                let field = |(name, kind): &(String, Self)| Field::new(name, kind.data_type(), true);
                DataType::Struct(fields.iter().map(field).collect())
            }
        }
    }
}

pub(super) fn item_field(item: &Kind) -> Arc<Field> {
    Arc::new(Field::new("item", item.data_type(), true))
}

fn integer(least: i128, greatest: i128) -> DataType {
    if least >= i64::MIN.into() && greatest <= i64::MAX.into() {
        DataType::Int64
    } else if least >= 0 && greatest <= u64::MAX.into() {
        DataType::UInt64
    } else {
        DataType::Decimal128(38, 0)
    }
}

fn union(mut a: Vec<(String, Kind)>, b: Vec<(String, Kind)>) -> Option<Vec<(String, Kind)>> {
    for (name, kind) in b {
        match a.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = std::mem::replace(known, Kind::Missing).with(kind)?,
            None => a.push((name, kind)),
        }
    }
    (a.len() <= FIELDS_MAX).then_some(a)
}
