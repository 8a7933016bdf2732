//! JSON ↔ CEL. Whole numbers stay whole numbers on both ways.

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelNull, CelString, CelUInt, Kind};
use cel::common::value::Val;
use serde_json::{Map, Number, Value};

use super::object::Object;

/// A JSON value as CEL sees it; texts and mappings are borrowed.
pub(super) fn to_cel<'v>(value: &'v Value) -> Box<dyn Val + 'v> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::Number(number) => number_to_cel(number),
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Array(items) => Box::new(CelList::from(items.iter().map(to_cel).collect::<Vec<_>>())),
        Value::Object(fields) => Box::new(Object::new(fields)),
    }
}

fn number_to_cel<'v>(number: &Number) -> Box<dyn Val + 'v> {
    if let Some(number) = number.as_i64() {
        Box::new(CelInt::from(number))
    } else if let Some(number) = number.as_u64() {
        Box::new(CelUInt::from(number))
    } else {
        Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN)))
    }
}

/// Why a CEL value is no JSON value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoValue {
    TooLarge,
    /// A type that JSON does not have.
    Type(String),
}

/// A CEL value as JSON. `budget` is what it may weigh ([`weight`]); what it weighs is subtracted.
pub(super) fn to_json(value: &dyn Val, budget: &mut usize) -> Result<Value, NoValue> {
    spend(budget, NODE)?;
    match value.get_type().kind() {
        Kind::NullType => Some(Value::Null),
        Kind::Boolean => value
            .downcast_ref::<CelBool>()
            .map(|value| Value::Bool(*value.inner())),
        Kind::Int => value
            .downcast_ref::<CelInt>()
            .map(|number| Value::from(*number.inner())),
        Kind::UInt => value
            .downcast_ref::<CelUInt>()
            .map(|number| Value::from(*number.inner())),
        Kind::Double => {
            let number = value.downcast_ref::<CelDouble>().map(|number| *number.inner());
            number.and_then(Number::from_f64).map(Value::Number)
        }
        Kind::String => match value.downcast_ref::<CelString<'_>>() {
            Some(text) => {
                spend(budget, text.inner().len())?;
                Some(Value::String(text.inner().to_owned()))
            }
            None => None,
        },
        Kind::List => return list_to_json(value, budget),
        Kind::Map => return map_to_json(value, budget),
        _ => None,
    }
    .ok_or_else(|| NoValue::Type(value.get_type().name().to_owned()))
}

fn list_to_json(list: &dyn Val, budget: &mut usize) -> Result<Value, NoValue> {
    let mut items = Vec::new();
    let mut iterator = list
        .as_iterable()
        .ok_or_else(|| NoValue::Type("list".to_owned()))?
        .iter();
    while let Some(item) = iterator.next() {
        items.push(to_json(item, budget)?);
    }
    Ok(Value::Array(items))
}

fn map_to_json(map: &dyn Val, budget: &mut usize) -> Result<Value, NoValue> {
    let no_value = || NoValue::Type("map".to_owned());
    let mut fields = Map::new();
    let indexer = map.as_indexer().ok_or_else(no_value)?;
    let mut keys = map.as_iterable().ok_or_else(no_value)?.iter();
    while let Some(key) = keys.next() {
        let name = key
            .downcast_ref::<CelString<'_>>()
            .ok_or_else(no_value)?
            .inner()
            .to_owned();
        let value = indexer.get(key).map_err(|_| no_value())?;
        spend(budget, name.len())?;
        fields.insert(name, to_json(&*value, budget)?);
    }
    Ok(Value::Object(fields))
}

fn spend(budget: &mut usize, weight: usize) -> Result<(), NoValue> {
    *budget = budget.checked_sub(weight).ok_or(NoValue::TooLarge)?;
    Ok(())
}

/// What every value weighs, whatever it is.
const NODE: usize = 16;

/// Roughly the bytes that a value needs.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => NODE,
        Value::String(text) => NODE + text.len(),
        Value::Array(items) => NODE + items.iter().map(weight).sum::<usize>(),
        Value::Object(fields) => {
            NODE + fields
                .iter()
                .map(|(key, value)| key.len() + weight(value))
                .sum::<usize>()
        }
    }
}
