//! Parts of a contract and what became of them, as the rules see them.

use std::collections::{HashMap, HashSet};

use herald_catalog::contract::TopicSettings;
use herald_catalog::fields::{Definition, Field, Limits, Type};
use herald_catalog::topics::namespace_of;
use herald_catalog::{Declared, Event, Node};
use herald_diagnostics::Location;
use serde_json::{Value, json};

use crate::candidates;
use crate::change::{Change, Witness};
use crate::wire::Typed;
use crate::{BreakingRule, Direction, Directions};

/// A node in both versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodePair<'a> {
    pub(crate) old: &'a Node,
    pub(crate) new: &'a Node,
}

/// An event in both versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventPair<'a> {
    pub(crate) node: NodePair<'a>,
    pub(crate) old: &'a Event,
    /// `None` if the event is gone.
    pub(crate) new: Option<&'a Event>,
}

/// A group of fields in both versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldsPair<'a> {
    pub(crate) node: NodePair<'a>,
    pub(crate) owner: &'a Owner,
    pub(crate) old: &'a [Field],
    pub(crate) new: &'a [Field],
}

/// The part of a contract that fields belong to.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    /// In messages: "the payload of `order.placed`".
    pub(crate) title: String,
    /// Whether its public fields are on the wire.
    pub(crate) is_published: bool,
    /// Whether no declared field means that any field may be there.
    pub(crate) is_open_when_empty: bool,
    pub(crate) old: Location,
    pub(crate) new: Location,
}

/// A field in both versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldPair<'a> {
    pub(crate) fields: FieldsPair<'a>,
    pub(crate) old: &'a Field,
    pub(crate) new: &'a Field,
    /// Whether its values are on the wire in both versions.
    pub(crate) is_published: bool,
}

/// A type in both versions, with the way to it.
#[derive(Clone, Debug)]
pub(crate) struct TypePair<'a> {
    pub(crate) field: FieldPair<'a>,
    pub(crate) path: Vec<Step>,
    pub(crate) old: Typed<'a>,
    pub(crate) new: Typed<'a>,
    /// The unions that the types are members of, or parts of members: others may take values
    /// that these reject.
    pub(crate) union: Option<Union<'a>>,
}

/// A union in both versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Union<'a> {
    pub(crate) old: Typed<'a>,
    pub(crate) new: Typed<'a>,
    /// Whether the types are its members, not parts of members.
    pub(crate) is_direct: bool,
}

/// Two definitions that fields of one name have for their type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DefinitionPair<'a> {
    pub(crate) old: &'a Definition,
    pub(crate) new: &'a Definition,
}

/// A step from an object to a value in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Field(String),
    /// An item of a list that has at least so many items, in the old and in the new version.
    Item {
        old: u32,
        new: u32,
    },
    Value,
}

impl EventPair<'_> {
    /// The old topic in the namespace that it usually has.
    pub(crate) fn old_topic(&self) -> String {
        self.old
            .topic
            .in_namespace(namespace_of(self.node.old, None))
    }

    /// The place of the event in the new contract.
    pub(crate) fn location(&self) -> Location {
        self.new.map_or(self.node.new.location, |new| new.location)
    }

    /// Parts that only declared events have, in both versions.
    pub(crate) fn declared(&self) -> Option<(&Declared, &Declared)> {
        Some((self.old.declared.as_ref()?, self.new?.declared.as_ref()?))
    }

    /// A setting of the event's topic in both versions.
    pub(crate) fn settings<T>(
        &self,
        setting: impl Fn(&TopicSettings) -> Option<T>,
    ) -> Option<(Option<T>, Option<T>)> {
        let (old, new) = self.declared()?;
        let of = |declared: &Declared| declared.settings.as_ref().and_then(&setting);
        Some((of(old), of(new)))
    }

    /// A key of Kafka's topic configuration in both versions.
    pub(crate) fn configured(&self, key: &str) -> Option<(Option<String>, Option<String>)> {
        self.settings(|settings| settings.config.get(key).cloned())
    }
}

impl Owner {
    /// The directions of a change that is seen on the wire and in the generated code.
    pub(crate) fn on_wire(&self, directions: Directions) -> Directions {
        if self.is_published {
            directions
        } else {
            directions.within(Directions::SOURCE)
        }
    }
}

impl<'a> FieldsPair<'a> {
    /// Fields that are gone, each with the new field that was renamed from it.
    pub(crate) fn renamed(&self) -> impl Iterator<Item = (&'a Field, &'a Field)> {
        let gone: HashMap<_, _> = only_in(self.old, self.new)
            .map(|before| (before.name.as_str(), before))
            .collect();
        only_in(self.new, self.old).filter_map(move |after| {
            let before = gone.get(after.renamed_from.as_deref()?)?;
            Some((*before, after))
        })
    }

    /// Fields that are gone, without those that were renamed.
    pub(crate) fn removed(&self) -> impl Iterator<Item = &'a Field> {
        let renamed: HashSet<_> = self.renamed().map(|(before, _)| &before.name).collect();
        only_in(self.old, self.new).filter(move |before| !renamed.contains(&before.name))
    }

    /// New fields, without those that were renamed.
    pub(crate) fn added(&self) -> impl Iterator<Item = &'a Field> {
        let renamed: HashSet<_> = self.renamed().map(|(_, after)| &after.name).collect();
        only_in(self.new, self.old).filter(move |after| !renamed.contains(&after.name))
    }
}

/// Fields whose names no other field has.
pub(crate) fn only_in<'a>(
    fields: &'a [Field],
    others: &'a [Field],
) -> impl Iterator<Item = &'a Field> {
    let names: HashSet<_> = others.iter().map(|field| &field.name).collect();
    fields
        .iter()
        .filter(move |field| !names.contains(&field.name))
}

/// Fields of both versions.
pub(crate) fn same_fields<'a>(
    old: &'a [Field],
    new: &'a [Field],
) -> impl Iterator<Item = (&'a Field, &'a Field)> {
    let by_name: HashMap<_, _> = new.iter().map(|field| (&field.name, field)).collect();
    old.iter()
        .filter_map(move |before| Some((before, *by_name.get(&before.name)?)))
}

impl FieldsPair<'_> {
    /// A new event that lacks a field which the old version requires.
    pub(crate) fn new_without_field(&self) -> Option<Witness> {
        let definitions = &self.node.new.definitions;
        self.published(
            candidates::least_object(self.new, definitions),
            Directions::CONSUMER,
        )
    }

    /// An old event that lacks a field which the new version requires.
    pub(crate) fn old_without_field(&self) -> Option<Witness> {
        let definitions = &self.node.old.definitions;
        self.published(
            candidates::least_object(self.old, definitions),
            Directions::PRODUCER,
        )
    }

    fn published(&self, value: Option<Value>, breaks: Directions) -> Option<Witness> {
        let value = value.filter(|_| self.owner.is_published)?;
        Some(Witness { value, breaks })
    }
}

impl FieldPair<'_> {
    /// The field in messages: "`total` in the payload of `order.placed`".
    pub(crate) fn subject(&self) -> String {
        format!("`{}` in {}", self.new.name, self.fields.owner.title)
    }

    /// The directions of a change that is seen on the wire and in the generated code.
    pub(crate) fn on_wire(&self, directions: Directions) -> Directions {
        if self.is_published {
            directions
        } else {
            directions.within(Directions::SOURCE)
        }
    }
}

impl TypePair<'_> {
    /// The value in messages: "`lines[].price` in the payload of `order.placed`".
    pub(crate) fn subject(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            match step {
                Step::Field(name) => path.push_str(name),
                Step::Item { .. } => path.push_str("[]"),
                Step::Value => path.push_str("[*]"),
            }
        }
        format!("`{path}` in {}", self.field.fields.owner.title)
    }

    /// A change of this type, at the places of its field.
    pub(crate) fn change(
        &self,
        rule: &'static BreakingRule,
        breaks: Directions,
        message: String,
    ) -> Change {
        let breaks = self.field.on_wire(breaks);
        let (old, new) = self.cores();
        Change::new(rule, breaks, message)
            .old(self.field.old.location, old.ty.to_string())
            .new_at(self.field.new.location, new.ty.to_string())
    }

    /// Both types without null.
    pub(crate) fn cores(&self) -> (Typed<'_>, Typed<'_>) {
        (
            self.old.with(without_null(self.old.ty)).without_name(),
            self.new.with(without_null(self.new.ty)).without_name(),
        )
    }

    /// The verdict about some limits alone, between types of the same form.
    pub(crate) fn limited(&self, directions: Directions, kept: fn(&Limits) -> Limits) -> Verdict {
        let (old, new) = self.cores();
        let (old_kept, new_kept) = (kept(old.limits), kept(new.limits));
        // A reader of the writer's own type, so that nothing but the limits can differ.
        let old_reader = Typed {
            limits: &old_kept,
            ..new
        };
        let new_reader = Typed {
            limits: &new_kept,
            ..old
        };
        self.verdict((old, old_reader), (new, new_reader), directions)
    }

    /// Returns the directions that break between two types, with a witness.
    ///
    /// Each side is given as it writes and as it reads.
    fn verdict(
        &self,
        (old, old_reader): (Typed<'_>, Typed<'_>),
        (new, new_reader): (Typed<'_>, Typed<'_>),
        directions: Directions,
    ) -> Verdict {
        // Another member of a union may take what this one rejects.
        let members = self.union.filter(|union| union.is_direct);
        let consumers = directions.contains(Direction::Consumer)
            && !new.is_within(old_reader)
            && members.is_none_or(|union| !new.is_within(union.old));
        let producers = directions.contains(Direction::Producer)
            && !old.is_within(new_reader)
            && members.is_none_or(|union| !old.is_within(union.new));
        let found = |is_broken: bool, writer, reader, breaks| {
            let is_hidden = self.union.is_some_and(|union| !union.is_direct);
            let readers: Vec<_> = match members {
                Some(union) if breaks == Directions::CONSUMER => vec![reader, union.old],
                Some(union) => vec![reader, union.new],
                None => vec![reader],
            };
            let value = (is_broken && !is_hidden)
                .then(|| candidates::witness_for_all(writer, &readers))
                .flatten();
            self.wrapped(value?, breaks)
        };
        let witness = found(consumers, new, old_reader, Directions::CONSUMER)
            .or_else(|| found(producers, old, new_reader, Directions::PRODUCER));
        Verdict {
            breaks: Directions::CONSUMER
                .when(consumers)
                .and(Directions::PRODUCER.when(producers)),
            witness,
        }
    }

    /// The verdict about the types but for null, which has rules of its own: readers take it.
    pub(crate) fn verdict_but_null(&self) -> Verdict {
        let (old, new) = (self.old, self.new);
        let (old_type, new_type) = (old.ty.clone().or_null(), new.ty.clone().or_null());
        let (old_reader, new_reader) = (old.with(&old_type), new.with(&new_type));
        self.verdict((old, old_reader), (new, new_reader), Directions::ALL)
    }

    /// Whether this is the type of a field that may be left out from now on, which allows null.
    pub(crate) fn is_loosened_field(&self) -> bool {
        let (old, new) = (self.field.old, self.field.new);
        let lost_default = old.default.is_some() && new.default.is_none();
        let is_loosened =
            (old.required && !new.required) || (lost_default && old.required == new.required);
        self.path.len() == 1 && is_loosened
    }

    /// Whether this is the type of a field that may not be left out any more, or has a default
    /// from now on, which forbids null.
    pub(crate) fn is_tightened_field(&self) -> bool {
        let (old, new) = (self.field.old, self.field.new);
        let has_default = old.default.is_none() && new.default.is_some();
        let is_tightened =
            (!old.required && new.required) || (has_default && old.required == new.required);
        self.path.len() == 1 && is_tightened
    }

    /// The smallest object with this value at the end of the path; `None` where a list on the way
    /// needs more items than anybody wants to read.
    pub(crate) fn wrapped(&self, value: Value, breaks: Directions) -> Option<Witness> {
        let is_new = breaks.contains(Direction::Consumer);
        let value = self.path.iter().rev().try_fold(value, |value, step| {
            Some(match step {
                Step::Field(name) => json!({name.as_str(): value}),
                Step::Item { old, new } => {
                    let items = if is_new { *new } else { *old };
                    let items = Some(items.max(1)).filter(|items| *items <= MAX_ITEMS)?;
                    Value::Array(vec![value; items as usize])
                }
                Step::Value => json!({"key": value}),
            })
        })?;
        Some(Witness { value, breaks })
    }
}

/// The directions that break, and a value that shows one of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) breaks: Directions,
    pub(crate) witness: Option<Witness>,
}

/// The only member of a union that is not null; any other type itself.
pub(crate) fn without_null(ty: &Type) -> &Type {
    let Type::Union(members) = ty else {
        return ty;
    };
    let mut rest = members.iter().filter(|member| **member != Type::Null);
    match (rest.next(), rest.next()) {
        (Some(only), None) => only,
        _ => ty,
    }
}

/// Whether the type names null as one of its values. Types of anything do not.
pub(crate) fn names_null(ty: &Type) -> bool {
    match ty {
        Type::Null => true,
        Type::Union(members) => members.contains(&Type::Null),
        _ => false,
    }
}

/// Whether two types have the same form, so that a difference is inside of them or in limits.
pub(crate) fn have_same_form(one: &Type, other: &Type) -> bool {
    match (one, other) {
        (Type::Model(_) | Type::Any, Type::Model(_) | Type::Any) => true,
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

/// Longer lists are not shown.
const MAX_ITEMS: u32 = 50;
