//! A JSON mapping as CEL sees it, without copying: fields are converted when they are asked for, and keys come in
//! one order, so that the same state always gives the same value.

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as CelIterator, Sizer};
use cel::common::types::{CelInt, CelString, Kind, MAP_TYPE, Type};
use cel::common::value::{CowVal, Val};
use serde_json::{Map, Value};

use super::value::to_cel;

#[derive(Clone, Debug)]
pub(super) struct Object<'v> {
    fields: &'v Map<String, Value>,
    /// Sorted. CEL hands out references to keys, so they have to exist.
    keys: Vec<CelString<'v>>,
}

impl<'v> Object<'v> {
    pub(super) fn new(fields: &'v Map<String, Value>) -> Self {
        let mut keys: Vec<&str> = fields.keys().map(String::as_str).collect();
        keys.sort_unstable();
        Self {
            fields,
            keys: keys.into_iter().map(CelString::from).collect(),
        }
    }

    fn field(&self, key: &dyn Val) -> Option<&'v Value> {
        self.fields.get(key.downcast_ref::<CelString<'_>>()?.inner())
    }
}

impl Val for Object<'_> {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }

    fn as_iterable<'b, 'w>(&'b self) -> Option<&'b (dyn Iterable + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        let same_size = other
            .as_sizer()
            .is_some_and(|other| *other.size().inner() == *self.size().inner());
        let Some(other_fields) = other.as_indexer() else {
            return false;
        };
        let field_equals = |key: &CelString<'_>| {
            let own = self.field(key).map(to_cel);
            let theirs = other_fields.get(key).ok();
            matches!((own, theirs), (Some(own), Some(theirs)) if own.equals(&*theirs))
        };
        other.get_type().kind() == Kind::Map && same_size && self.keys.iter().all(field_equals)
    }

    fn clone_as_boxed<'w>(&self) -> Box<dyn Val + 'w>
    where
        Self: 'w,
    {
        Box::new(self.clone())
    }
}

impl Container for Object<'_> {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.field(key).is_some())
    }
}

impl Indexer for Object<'_> {
    fn get<'b, 'w>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        match self.field(key) {
            Some(value) => Ok(CowVal::Owned(to_cel(value))),
            None => {
                let key = key.downcast_ref::<CelString<'_>>();
                Err(ExecutionError::no_such_key(
                    key.map_or("a key that is no text", |key| key.inner()),
                ))
            }
        }
    }

    fn steal<'w>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'w>, ExecutionError>
    where
        Self: 'w,
    {
        Ok(self.get(key)?.into_owned())
    }
}

impl Sizer for Object<'_> {
    fn size(&self) -> CelInt {
        i64::try_from(self.keys.len()).unwrap_or(i64::MAX).into()
    }
}

impl Iterable for Object<'_> {
    fn iter<'b, 'w>(&'b self) -> Box<dyn CelIterator<'b, 'w> + 'b>
    where
        Self: 'w,
    {
        Box::new(Keys(self.keys.iter()))
    }
}

struct Keys<'b, 'v>(std::slice::Iter<'b, CelString<'v>>);

impl<'b, 'v: 'w, 'w> CelIterator<'b, 'w> for Keys<'b, 'v> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'w)> {
        self.0.next().map(|key| key as &(dyn Val + 'w))
    }
}
