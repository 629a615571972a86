//! Enumerations of a module: named types of single values that are lists of texts or integers.

use herald_catalog::fields::{Scalar, Type};
use herald_catalog::ident::ident;
use serde::Serialize;
use serde_json::Value;

use crate::python::expr::{Expr, assign, class};
use crate::python::names::Names;
use crate::python::prose::sanitize;
use crate::targets::python::defaults::json;
use crate::targets::python::models::described;

/// Allocator of names of members: in uppercase, that `A` to `Z` begins.
pub(super) struct MemberNames {
    names: Names,
    /// Beginning of names that no such character begins.
    prefix: &'static str,
}

impl MemberNames {
    pub(super) fn new(prefix: &'static str) -> Self {
        Self {
            names: Names::new([]),
            prefix,
        }
    }

    /// Allocates the name of a member from an identifier.
    pub(super) fn give(&mut self, ident: &str) -> String {
        // Names of methods of `str` and `int` are in lowercase.
        let name = ident.trim_matches('_').to_ascii_uppercase();
        let is_name = name.starts_with(|c: char| c.is_ascii_uppercase());
        self.names.give(if is_name {
            name
        } else {
            format!("{}_{name}", self.prefix)
        })
    }
}

/// An enumeration as its template prints it.
#[derive(Debug, Serialize)]
pub(super) struct Enumeration {
    #[serde(skip)]
    pub(super) name: String,
    class: String,
    summary: String,
    /// `PAID = "paid"`.
    members: Vec<String>,
}

impl Enumeration {
    /// Returns the enumeration of a named type; `name` is its class.
    pub(super) fn new(scalar: &Scalar, name: &str, base: &str) -> Self {
        let sentence = format!("`{}`, as the contract defines it.", sanitize(&scalar.name));
        let members = members(scalar).into_iter();
        Self {
            name: name.to_owned(),
            class: class(name, base),
            summary: described(&sentence, scalar.description.as_ref()),
            members: members
                .map(|(value, member)| assign(4, &member, &json(&value)))
                .collect(),
        }
    }

    /// Returns an enumeration of texts: names and escaped values of its members.
    pub(super) fn of_texts(
        name: &str,
        base: &str,
        sentence: &str,
        more: Option<&String>,
        members: &[(String, String)],
    ) -> Self {
        let members = members.iter();
        Self {
            name: name.to_owned(),
            class: class(name, base),
            summary: described(sentence, more),
            members: members
                .map(|(member, value)| assign(4, member, &Expr::text(value)))
                .collect(),
        }
    }
}

/// Returns the base class of a named type that becomes a class.
pub(super) fn base(scalar: &Scalar) -> Option<&'static str> {
    match &scalar.ty {
        Type::Enum(_) => Some("TextEnum"),
        Type::Numbers(values) if values.iter().all(|value| !value.is_f64()) => Some("NumberEnum"),
        _ => None,
    }
}

/// Returns the values of an enumeration with the names of their members.
pub(super) fn members(scalar: &Scalar) -> Vec<(Value, String)> {
    let mut names = MemberNames::new("VALUE");
    let member = |value: Value| {
        let name = match &value {
            Value::String(text) => ident(text),
            number => ident(&number.to_string().replace('-', "_minus_")),
        };
        let name = names.give(&name);
        (value, name)
    };
    match &scalar.ty {
        Type::Enum(texts) => texts
            .iter()
            .map(|text| Value::from(text.as_str()))
            .map(member)
            .collect(),
        Type::Numbers(numbers) => numbers
            .iter()
            .cloned()
            .map(Value::Number)
            .map(member)
            .collect(),
        _ => Vec::new(),
    }
}
