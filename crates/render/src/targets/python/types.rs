//! Python annotations of the types of contracts.

use herald_catalog::fields::{Limits, Type};

use crate::python::expr::Expr;
use crate::python::text::{escape, regex_literal};
use crate::targets::python::options::Models;
use crate::targets::python::scope::Scope;

/// Returns the annotation of a type. `named` returns the class of a definition.
pub(super) fn annotation(
    ty: &Type,
    limits: &Limits,
    scope: &mut Scope,
    named: &dyn Fn(&str) -> Option<String>,
) -> Expr {
    let plain = match ty {
        Type::Any | Type::Model(_) => "object",
        Type::String => "str",
        Type::Integer => scope.uses("Integer"),
        Type::Number => "float",
        Type::Boolean => "bool",
        Type::Uuid => scope.uses("Uuid"),
        Type::DateTime => scope.uses("DateTime"),
        Type::Date => scope.uses("Date"),
        Type::Decimal => scope.uses("DecimalText"),
        Type::Bytes => scope.uses("Base64"),
        Type::Duration => scope.uses("Duration"),
        Type::Numbers(values) => {
            let is_whole = values.iter().all(|value| !value.is_f64());
            let plain = Expr::atom(if is_whole { "int" } else { "float" });
            let values = values.iter().map(|value| Expr::atom(value.to_string()));
            let one_of = Expr::call(scope.uses("OneOf"), values.collect());
            return Expr::generic(scope.uses("Annotated"), vec![plain, one_of]);
        }
        Type::Scalar(scalar) => {
            return match named(&scalar.name) {
                Some(class) => Expr::atom(class),
                None => annotation(&scalar.ty, &scalar.limits, scope, named),
            };
        }
        Type::Null => "None",
        Type::List(item) => {
            let of_items = limits.items.as_deref().cloned().unwrap_or_default();
            let item = annotation(item, &of_items, scope, named);
            let list = Expr::generic("list", vec![item]);
            let list = limited(list, list_limits(limits), scope);
            if limits.unique_items.is_none() {
                return list;
            }
            let unique = Expr::call(scope.uses("UniqueItems"), Vec::new());
            return match list {
                Expr::Bracket(open, mut items, close) if open == "Annotated[" => {
                    items.push(unique);
                    Expr::Bracket(open, items, close)
                }
                list => Expr::generic(scope.uses("Annotated"), vec![list, unique]),
            };
        }
        Type::Map(value) => {
            if **value == Type::Any {
                let mapping = scope.uses("Mapping");
                return Expr::generic(mapping, vec![Expr::atom("str"), Expr::atom("object")]);
            }
            let value = annotation(value, &Limits::default(), scope, named);
            return Expr::generic("dict", vec![Expr::atom("str"), value]);
        }
        Type::Enum(values) => {
            let mut texts: Vec<Expr> = Vec::with_capacity(values.len());
            for text in values.iter().map(|value| Expr::text(&escape(value))) {
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            return Expr::generic(scope.uses("Literal"), texts);
        }
        Type::Defined(name) => return Expr::atom(named(name).unwrap_or("object".to_owned())),
        Type::Union(members) => return union(members, limits, scope, named),
    };
    let limits = match ty {
        Type::Integer | Type::Number | Type::Decimal => number_limits(limits),
        Type::String => text_limits(limits),
        _ => Vec::new(),
    };
    limited(Expr::atom(plain), limits, scope)
}

/// Returns the annotation of a union, with null as the last member; limits apply to members of fitting
/// types.
fn union(
    members: &[Type],
    limits: &Limits,
    scope: &mut Scope,
    named: &dyn Fn(&str) -> Option<String>,
) -> Expr {
    let members = flat(members);
    let is_open = |member: &&Type| match member {
        Type::Any | Type::Model(_) => true,
        Type::Defined(name) => named(name).is_none(),
        _ => false,
    };
    // `object` includes all other types.
    if members.iter().any(is_open) {
        return Expr::atom("object");
    }
    let (null, others): (Vec<&Type>, Vec<&Type>) = members
        .into_iter()
        .partition(|member| **member == Type::Null);
    let mut annotations: Vec<Expr> = Vec::new();
    for member in others.into_iter().chain(null) {
        let annotation = annotation(member, limits, scope, named);
        if !annotations.contains(&annotation) {
            annotations.push(annotation);
        }
    }
    Expr::or(annotations)
}

/// Returns the members of a union, with nested unions flattened.
fn flat(members: &[Type]) -> Vec<&Type> {
    let members = members.iter().flat_map(|member| match member {
        Type::Union(members) => flat(members),
        other => vec![other],
    });
    members.collect()
}

/// Returns an annotation with its limits.
fn limited(ty: Expr, limits: Vec<Expr>, scope: &mut Scope) -> Expr {
    if limits.is_empty() {
        return ty;
    }
    let limits_name = match scope.models() {
        Models::Pydantic => scope.uses("Field"),
        Models::Dataclass => scope.uses("Limits"),
    };
    let annotated = scope.uses("Annotated");
    Expr::generic(annotated, vec![ty, Expr::call(limits_name, limits)])
}

fn number_limits(limits: &Limits) -> Vec<Expr> {
    let bounds = [
        ("ge", &limits.minimum),
        ("gt", &limits.exclusive_minimum),
        ("le", &limits.maximum),
        ("lt", &limits.exclusive_maximum),
        ("multiple_of", &limits.multiple_of),
    ];
    let bounds = bounds.into_iter().filter_map(|(name, bound)| {
        let bound = bound.as_ref()?.to_string();
        Some(Expr::keyword(name, Expr::atom(bound)))
    });
    bounds.collect()
}

fn text_limits(limits: &Limits) -> Vec<Expr> {
    let mut all = lengths(limits.min_length, limits.max_length);
    let pattern = limits.pattern.as_deref().map(regex_literal);
    all.extend(pattern.map(|pattern| Expr::keyword("pattern", Expr::Text(pattern))));
    all
}

fn list_limits(limits: &Limits) -> Vec<Expr> {
    lengths(limits.min_items, limits.max_items)
}

fn lengths(least: Option<u32>, most: Option<u32>) -> Vec<Expr> {
    let lengths = [("min_length", least), ("max_length", most)].into_iter();
    lengths
        .filter_map(|(name, length)| Some(Expr::keyword(name, Expr::atom(length?.to_string()))))
        .collect()
}
