//! Trees of public fields, by which payloads are filtered. `None` means a field with all its content.

use std::collections::BTreeMap;

use herald_catalog::Node;
use herald_catalog::fields::{Field, Privacy, Type};

use crate::python::expr::{Expr, assign_opened};
use crate::python::text::escape;
use crate::targets::python::models::{defined, has_private, shared};
use crate::targets::python::scope::Scope;

/// Public part of a field.
#[derive(Clone, PartialEq)]
enum Part {
    All,
    Tree(Expr),
    Nothing,
}

/// Trees of a node. Each definition with a private field has a variable, because definitions can be
/// recursive.
pub(super) struct PublicTrees<'a> {
    node: &'a Node,
    variables: BTreeMap<&'a str, String>,
}

impl<'a> PublicTrees<'a> {
    /// Creates the trees, and the statements that define the variables.
    pub(super) fn new(node: &'a Node, scope: &mut Scope) -> (Self, Vec<String>) {
        let mut trees = Self {
            node,
            variables: BTreeMap::new(),
        };
        let private = node.definitions.iter();
        let private = private.filter(|definition| has_private(node, &definition.fields));
        let private: Vec<_> = private.collect();
        for definition in &private {
            let name = format!("_PUBLIC_{}", definition.ident.to_ascii_uppercase());
            (trees.variables).insert(&definition.name, scope.names.give(name));
        }
        let (mut statements, mut later) = (Vec::new(), Vec::new());
        let mut known: Vec<&str> = Vec::new();
        for definition in &private {
            let variable = &trees.variables[definition.name.as_str()];
            let is_known = |field: &Field| {
                let mut names = defined(&field.ty).into_iter();
                names.all(|name| !trees.variables.contains_key(name) || known.contains(&name))
            };
            let fields = trees.entries(&definition.fields);
            let (now, after): (Vec<_>, Vec<_>) =
                fields.into_iter().partition(|(field, _)| is_known(field));
            scope.uses("Any");
            statements.push(assign_opened(
                &format!("{variable}: Final[dict[str, Any]]"),
                &tree(now),
            ));
            if !after.is_empty() {
                let update = Expr::call(&format!("{variable}.update"), vec![tree(after)]);
                later.push(update.fitted(0, 0, 0));
            }
            known.push(&definition.name);
        }
        if !later.is_empty() {
            statements.push(later.join("\n"));
        }
        (trees, statements)
    }

    /// Returns the tree of these fields.
    pub(super) fn of(&self, fields: &[Field]) -> Expr {
        tree(self.entries(fields))
    }

    fn entries<'f>(&self, fields: &'f [Field]) -> Vec<(&'f Field, Expr)> {
        let fields = shared(fields).into_iter();
        let entries = fields.filter_map(|field| match self.part(&field.ty) {
            Part::All => Some((field, Expr::atom("None"))),
            Part::Tree(tree) => Some((field, tree)),
            Part::Nothing => None,
        });
        entries.collect()
    }

    fn part(&self, ty: &Type) -> Part {
        match ty {
            Type::Defined(name) => match self.variables.get(name.as_str()) {
                Some(variable) => Part::Tree(Expr::atom(variable)),
                None => Part::All,
            },
            Type::List(item) => self.part(item),
            Type::Map(item) => match self.part(item) {
                Part::Tree(part) => Part::Tree(Expr::Bracket(
                    "{".to_owned(),
                    vec![Expr::entry("*", part)],
                    '}',
                )),
                other => other,
            },
            Type::Union(members) => self.union(members),
            _ => Part::All,
        }
    }

    /// Returns the public part of a union. A field that is private in one member is private in all,
    /// because a value does not tell which member it is.
    fn union(&self, members: &[Type]) -> Part {
        let parts = members.iter().map(|member| self.part(member));
        let mut parts: Vec<_> = parts.filter(|part| *part != Part::All).collect();
        parts.dedup();
        match parts.len() {
            0 => Part::All,
            1 => parts.swap_remove(0),
            _ => self.merged(members),
        }
    }

    fn merged(&self, members: &[Type]) -> Part {
        let mut merged: BTreeMap<&str, Part> = BTreeMap::new();
        for member in members {
            let Type::Defined(name) = member else {
                if defined(member).is_empty() {
                    continue;
                }
                return Part::Nothing;
            };
            let fields = self
                .node
                .definition(name)
                .map(|found| found.fields.as_slice());
            for field in fields.unwrap_or_default() {
                let part = match field.privacy {
                    Privacy::Public => self.part(&field.ty),
                    Privacy::Private => Part::Nothing,
                };
                let known = merged.entry(&field.name).or_insert_with(|| part.clone());
                if *known != part {
                    *known = Part::Nothing;
                }
            }
        }
        let entries = merged.into_iter().filter_map(|(name, part)| match part {
            Part::All => Some(Expr::entry(&escape(name), Expr::atom("None"))),
            Part::Tree(part) => Some(Expr::entry(&escape(name), part)),
            Part::Nothing => None,
        });
        Part::Tree(Expr::Bracket("{".to_owned(), entries.collect(), '}'))
    }
}

fn tree(entries: Vec<(&Field, Expr)>) -> Expr {
    let entries = entries.into_iter();
    let entries = entries.map(|(field, part)| Expr::entry(&escape(&field.name), part));
    Expr::Bracket("{".to_owned(), entries.collect(), '}')
}
