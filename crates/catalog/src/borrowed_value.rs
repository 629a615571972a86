//! JSON values that borrow their texts, for the validation of many events.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// JSON value. Texts without escapes are parts of the text that was parsed.
#[derive(Clone, Debug, PartialEq)]
pub enum BorrowedValue<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<BorrowedValue<'a>>),
    /// An object.
    Object(BorrowedObject<'a>),
}

/// JSON object: its members in order. One with a repeated name has all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BorrowedObject<'a>(Vec<(Cow<'a, str>, BorrowedValue<'a>)>);

impl BorrowedValue<'_> {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> BorrowedObject<'a> {
    /// The last member with a name, which is the one that most parsers keep.
    pub fn get(&self, name: &str) -> Option<&BorrowedValue<'a>> {
        let mut members = self.0.iter().rev();
        members.find_map(|(known, value)| (known == name).then_some(value))
    }

    /// The member with a name, which is probably the one at `index`.
    pub(crate) fn get_near(&self, index: usize, name: &str) -> Option<&BorrowedValue<'a>> {
        let near = self.0.get(index).filter(|(known, _)| known == name);
        near.map(|(_, value)| value).or_else(|| self.get(name))
    }

    /// All members.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &BorrowedValue<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> From<&'a Value> for BorrowedValue<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::Text(text.as_str().into()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(members.into()),
        }
    }
}

impl<'a> From<&'a Map<String, Value>> for BorrowedObject<'a> {
    fn from(members: &'a Map<String, Value>) -> Self {
        let members = members.iter();
        Self(
            members
                .map(|(name, value)| (name.as_str().into(), value.into()))
                .collect(),
        )
    }
}

impl From<&BorrowedValue<'_>> for Value {
    fn from(value: &BorrowedValue<'_>) -> Self {
        match value {
            BorrowedValue::Null => Self::Null,
            BorrowedValue::Bool(value) => Self::Bool(*value),
            BorrowedValue::Number(number) => Self::Number(number.clone()),
            BorrowedValue::Text(text) => Self::String(text.clone().into_owned()),
            BorrowedValue::List(items) => items.iter().map(Self::from).collect(),
            BorrowedValue::Object(members) => Self::Object(members.into()),
        }
    }
}

impl From<&BorrowedObject<'_>> for Map<String, Value> {
    fn from(members: &BorrowedObject<'_>) -> Self {
        let members = members.iter();
        members
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect()
    }
}

impl<'de> Deserialize<'de> for BorrowedValue<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

impl<'de> Deserialize<'de> for BorrowedObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnyObject)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = BorrowedValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(BorrowedValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(BorrowedValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(BorrowedValue::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(BorrowedValue::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        // JSON has no other numbers.
        Ok(Number::from_f64(value).map_or(BorrowedValue::Null, BorrowedValue::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(BorrowedValue::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(BorrowedValue::Text(text.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(BorrowedValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        AnyObject.visit_map(members).map(BorrowedValue::Object)
    }
}

struct AnyObject;

impl<'de> Visitor<'de> for AnyObject {
    type Value = BorrowedObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = Vec::with_capacity(8);
        while let Some(name) = members.next_key_seed(Name)? {
            object.push((name, members.next_value()?));
        }
        Ok(BorrowedObject(object))
    }
}

/// Name of a member, borrowed if it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(name.into())
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(name.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parses_what_the_owned_value_parses() {
        let text = r#"{"a": [1, -2, 3.5, true, null, "x\n"], "b": {"c\u0041": {}}}"#;
        let borrowed: BorrowedValue<'_> = serde_json::from_str(text).unwrap();
        let owned: Value = serde_json::from_str(text).unwrap();
        assert_eq!(borrowed, BorrowedValue::from(&owned));
    }

    #[test]
    fn the_last_of_repeated_members_counts() {
        let object: BorrowedObject<'_> = serde_json::from_str(r#"{"a": 1, "a": "b"}"#).unwrap();
        assert_eq!(object.len(), 2);
        assert_eq!(object.get("a"), Some(&BorrowedValue::from(&json!("b"))));
    }
}
