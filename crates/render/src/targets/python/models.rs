//! Typed models of the inputs, results, payloads and definitions of a contract.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use herald_catalog::fields::{Definition, Field, Privacy, Type};
use herald_catalog::{Declared, Event, Node};
use serde::Serialize;

use crate::python::expr::{Expr, class, field};
use crate::python::names::{Names, attribute, class_name};
use crate::python::prose::{join, paragraphs, sanitize, wrap};
use crate::python::text::escape;
use crate::targets::python::defaults::default;
use crate::targets::python::enums::{self, Enumeration};
use crate::targets::python::options::Models;
use crate::targets::python::scope::Scope;
use crate::targets::python::types::annotation;

/// Indentation of the fields of a class.
const INDENT: usize = 4;

/// Names that can't be attributes of a model: annotations use them, or every pydantic model has them.
const RESERVED: [&str; 81] = [
    "I",
    "O",
    "l",
    "annotations",
    "Annotated",
    "Any",
    "Base64",
    "BaseModel",
    "ConfigDict",
    "Date",
    "DateTime",
    "Decimal",
    "DecimalText",
    "Field",
    "Final",
    "Integer",
    "Limits",
    "Literal",
    "Mapping",
    "Private",
    "StrEnum",
    "UUID",
    "Uuid",
    "b64decode",
    "bool",
    "construct",
    "copy",
    "dataclass",
    "date",
    "datetime",
    "dict",
    "field",
    "float",
    "from_json",
    "from_orm",
    "int",
    "json",
    "list",
    "model_computed_fields",
    "model_config",
    "model_construct",
    "model_copy",
    "model_dump",
    "model_dump_json",
    "model_extra",
    "model_fields",
    "model_fields_set",
    "model_json_schema",
    "model_parametrized_name",
    "model_post_init",
    "model_rebuild",
    "model_validate",
    "model_validate_json",
    "model_validate_strings",
    "mro",
    "object",
    "parse_file",
    "parse_obj",
    "parse_raw",
    "schema",
    "schema_json",
    "self",
    "str",
    "update_forward_refs",
    "validate",
    "cls",
    "tuple",
    "frozenset",
    "property",
    "classmethod",
    "type",
    "re",
    "parse",
    "OwnState",
    "Duration",
    "NumberEnum",
    "OneOf",
    "TextEnum",
    "UniqueItems",
    "read_duration",
    "timedelta",
];

/// A class as its template prints it.
#[derive(Debug, Serialize)]
pub(super) struct Model {
    name: String,
    /// Class statement.
    class: String,
    summary: String,
    fields: Vec<ModelField>,
}

impl Model {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// A field of a class, as statements.
#[derive(Debug, Serialize)]
struct ModelField {
    statement: String,
    doc: Option<String>,
}

/// Classes of a module, and their roles.
#[derive(Debug, Default)]
pub(super) struct ModelSet {
    /// Enumerations, in the order of the contract.
    pub(super) enums: Vec<Enumeration>,
    /// Classes in dependency order, unless they are recursive.
    pub(super) models: Vec<Model>,
    /// Class of the input, by the index of the operation.
    pub(super) inputs: HashMap<usize, String>,
    pub(super) results: HashMap<usize, String>,
    /// Class of the payload, by the index of the event.
    pub(super) payloads: HashMap<usize, String>,
    /// Classes that consumers receive, by the index of the event.
    pub(super) received: HashMap<usize, String>,
    /// Classes of the service's own code.
    pub(super) own: BTreeSet<String>,
}

/// Planned class.
struct Plan<'a> {
    name: String,
    summary: String,
    fields: Vec<&'a Field>,
    side: Side,
}

/// Side of the wire that a class describes. Consumers do not receive private values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Published,
    Received,
}

/// Class names of definitions.
type Classes<'a> = BTreeMap<(&'a str, Side), String>;

/// Creates the models of a node, and allocates their names.
pub(super) fn models(node: &Node, scope: &mut Scope) -> ModelSet {
    let mut set = ModelSet::default();
    let mut classes = Classes::new();
    let mut plans = Vec::new();
    let written = written_definitions(node);
    let is_written = |name: &str| written.as_ref().is_none_or(|names| names.contains(name));
    set.enums = enumerations(node, &is_written, scope, &mut classes);
    for definition in &node.definitions {
        if !is_written(&definition.name) {
            continue;
        }
        let name = class_name(&definition.name, "Model");
        let name = scope.names.give_or(name, "Model");
        classes.insert((&definition.name, Side::Published), name.clone());
        plans.push(Plan {
            summary: definition_summary(definition),
            fields: definition.fields.iter().collect(),
            side: Side::Published,
            name,
        });
    }
    let has_events = |index: usize| {
        let mut events = node.events.iter();
        events.any(|event| event.operation == Some(index))
    };
    for (index, operation) in node.operations.iter().enumerate() {
        let name = class_name(&operation.ident, "Operation");
        let of = sanitize(&operation.name);
        for (what, fields, class, names) in [
            (
                "Input",
                &operation.input,
                &operation.input_class,
                &mut set.inputs,
            ),
            (
                "Result",
                &operation.result,
                &operation.result_class,
                &mut set.results,
            ),
        ] {
            if fields.is_empty() || !has_events(index) {
                continue;
            }
            if let Some(class) = class {
                let name = scope.own_class(class);
                set.own.insert(name.clone());
                names.insert(index, name);
                continue;
            }
            let name = scope.names.give_or(format!("{name}{what}"), "Model");
            names.insert(index, name.clone());
            plans.push(Plan {
                summary: described(&format!("{what} of the operation `{of}`."), None),
                fields: fields.iter().collect(),
                side: Side::Published,
                name,
            });
        }
    }
    for (index, event, declared) in typed_events(node) {
        if let Some(class) = &declared.class {
            let name = scope.own_class(class);
            set.own.insert(name.clone());
            set.received.insert(index, name.clone());
            set.payloads.insert(index, name);
            continue;
        }
        let name = payload_name(event, scope);
        plans.push(Plan {
            name: name.clone(),
            summary: payload_summary(event),
            fields: declared.payload.iter().collect(),
            side: Side::Published,
        });
        if has_private(node, &declared.payload) {
            let of = sanitize(&event.event_type);
            let part = format!("Part of `{of}` that consumers receive.");
            let received = scope.names.give_or(format!("Received{name}"), "Payload");
            plan_received(node, &declared.payload, scope, &mut classes, &mut plans);
            set.received.insert(index, received.clone());
            plans.push(Plan {
                name: received,
                summary: described(&part, None),
                fields: shared(&declared.payload),
                side: Side::Received,
            });
        } else {
            set.received.insert(index, name.clone());
        }
        set.payloads.insert(index, name);
    }
    let plans = sorted(plans, &classes, scope);
    set.models = plans
        .into_iter()
        .map(|plan| model(&plan, &classes, scope))
        .collect();
    set
}

/// Creates the models of the payloads that consumers receive, and allocates their names.
pub(super) fn received_models(node: &Node, scope: &mut Scope) -> ModelSet {
    let mut set = ModelSet::default();
    let mut classes = Classes::new();
    let mut plans = Vec::new();
    set.enums = enumerations(node, &|_| true, scope, &mut classes);
    let mut used = BTreeSet::new();
    let payloads = node
        .events
        .iter()
        .filter_map(|event| event.declared.as_ref());
    let mut open: Vec<&[Field]> = payloads.map(|it| it.payload.as_slice()).collect();
    while let Some(fields) = open.pop() {
        for name in shared(fields)
            .into_iter()
            .flat_map(|field| defined(&field.ty))
        {
            if used.insert(name) {
                open.extend(node.definition(name).map(|found| found.fields.as_slice()));
            }
        }
    }
    let definitions = node.definitions.iter();
    for definition in definitions.filter(|it| used.contains(it.name.as_str())) {
        let name = class_name(&definition.name, "Model");
        let name = scope.names.give_or(name, "Model");
        classes.insert((&definition.name, Side::Received), name.clone());
        plans.push(Plan {
            summary: definition_summary(definition),
            fields: shared(&definition.fields),
            side: Side::Received,
            name,
        });
    }
    for (index, event, declared) in typed_events(node) {
        let name = payload_name(event, scope);
        set.received.insert(index, name.clone());
        plans.push(Plan {
            summary: payload_summary(event),
            fields: shared(&declared.payload),
            side: Side::Received,
            name,
        });
    }
    let plans = sorted(plans, &classes, scope);
    set.models = plans
        .into_iter()
        .map(|plan| model(&plan, &classes, scope))
        .collect();
    set
}

/// Creates the enumerations of a node.
fn enumerations<'a>(
    node: &'a Node,
    is_written: &dyn Fn(&str) -> bool,
    scope: &mut Scope,
    classes: &mut Classes<'a>,
) -> Vec<Enumeration> {
    let mut enumerations = Vec::new();
    for scalar in node
        .scalars
        .iter()
        .filter(|scalar| is_written(&scalar.name))
    {
        if let Some(base) = enums::base(scalar) {
            let name = class_name(&scalar.name, "Enum");
            let name = scope.names.give_or(name, "Enum");
            for side in [Side::Published, Side::Received] {
                classes.insert((&scalar.name, side), name.clone());
            }
            let base = scope.uses(base);
            enumerations.push(Enumeration::new(scalar, &name, base));
        }
    }
    enumerations
}

/// Returns the names of the definitions that become classes: not those that only classes of the
/// service's own code use. `None` stands for all.
fn written_definitions(node: &Node) -> Option<BTreeSet<&str>> {
    node.python_classes().next()?;
    let parts = |are_own: bool| {
        let of_operations = node.operations.iter().flat_map(|operation| {
            [
                (&operation.input, &operation.input_class),
                (&operation.result, &operation.result_class),
            ]
        });
        let of_events = node
            .declared()
            .map(|(_, event)| (&event.payload, &event.class));
        let parts = of_operations.chain(of_events);
        let parts = parts.filter(move |(_, class)| class.is_some() == are_own);
        reached(node, parts.map(|(fields, _)| fields.as_slice()).collect())
    };
    let (own, others) = (parts(true), parts(false));
    let names = node
        .definitions
        .iter()
        .map(|definition| definition.name.as_str());
    let names = names.chain(node.scalars.iter().map(|scalar| scalar.name.as_str()));
    Some(
        names
            .filter(|name| others.contains(name) || !own.contains(name))
            .collect(),
    )
}

/// Returns the names of the definitions that fields use, directly or not.
fn reached<'a>(node: &'a Node, mut open: Vec<&'a [Field]>) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    while let Some(fields) = open.pop() {
        let mut types: Vec<&Type> = fields.iter().map(|field| &field.ty).collect();
        while let Some(ty) = types.pop() {
            match ty {
                Type::List(item) | Type::Map(item) => types.push(item),
                Type::Union(members) => types.extend(members),
                Type::Scalar(scalar) => _ = names.insert(scalar.name.as_str()),
                Type::Defined(name) if names.insert(name) => {
                    open.extend(node.definition(name).map(|found| found.fields.as_slice()));
                }
                _ => {}
            }
        }
    }
    names
}

/// The declared events whose payload has fields, with their index.
fn typed_events(node: &Node) -> impl Iterator<Item = (usize, &Event, &Declared)> {
    let declared = node.events.iter().enumerate();
    let declared =
        declared.filter_map(|(index, event)| Some((index, event, event.declared.as_ref()?)));
    declared.filter(|(_, _, declared)| !declared.payload.is_empty())
}

/// Gives the model of a payload its name.
fn payload_name(event: &Event, scope: &mut Scope) -> String {
    let name = class_name(&event.ident, "Event");
    scope.names.give_or(name, "Payload")
}

fn payload_summary(event: &Event) -> String {
    let sentence = format!("Payload of `{}`.", sanitize(&event.event_type));
    described(&sentence, event.description.as_ref())
}

fn definition_summary(definition: &Definition) -> String {
    let name = sanitize(&definition.name);
    let sentence = format!("`{name}`, as the contract defines it.");
    described(&sentence, definition.description.as_ref())
}

/// Plans the received classes of the definitions that these fields use.
fn plan_received<'a>(
    node: &'a Node,
    fields: &'a [Field],
    scope: &mut Scope,
    classes: &mut Classes<'a>,
    plans: &mut Vec<Plan<'a>>,
) {
    for definition in shared(fields)
        .into_iter()
        .flat_map(|field| defined(&field.ty))
        .filter_map(|name| node.definition(name))
    {
        let key = (definition.name.as_str(), Side::Received);
        if classes.contains_key(&key) {
            continue;
        }
        let published = classes[&(definition.name.as_str(), Side::Published)].clone();
        if !has_private(node, &definition.fields) {
            classes.insert(key, published);
            continue;
        }
        let name = scope.names.give_or(format!("Received{published}"), "Model");
        classes.insert(key, name.clone());
        let of = sanitize(&definition.name);
        plans.push(Plan {
            name,
            summary: described(&format!("Part of `{of}` that consumers receive."), None),
            fields: shared(&definition.fields),
            side: Side::Received,
        });
        plan_received(node, &definition.fields, scope, classes, plans);
    }
}

/// Returns the public fields, whose values are published.
fn shared(fields: &[Field]) -> Vec<&Field> {
    let fields = fields.iter();
    fields
        .filter(|field| field.privacy == Privacy::Public)
        .collect()
}

/// Returns whether the fields contain a private one, at any depth.
fn has_private(node: &Node, fields: &[Field]) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&[Field]> = vec![fields];
    while let Some(fields) = open.pop() {
        for field in fields {
            if field.privacy == Privacy::Private {
                return true;
            }
            for name in defined(&field.ty) {
                if seen.insert(name) {
                    open.extend(node.definition(name).map(|found| found.fields.as_slice()));
                }
            }
        }
    }
    false
}

/// Returns the definitions that a type uses.
fn defined(ty: &Type) -> Vec<&str> {
    match ty {
        Type::Defined(name) => vec![name],
        Type::List(item) | Type::Map(item) => defined(item),
        Type::Union(members) => members.iter().flat_map(defined).collect(),
        _ => Vec::new(),
    }
}

/// Sorts classes in dependency order (depth-first). Classes that depend on each other need deferred
/// annotations, `from __future__ import annotations`.
fn sorted<'a>(plans: Vec<Plan<'a>>, classes: &Classes<'a>, scope: &mut Scope) -> Vec<Plan<'a>> {
    let needs: Vec<Vec<usize>> = (plans.iter())
        .map(|plan| {
            let names = plan.fields.iter().flat_map(|field| defined(&field.ty));
            let names = names.filter_map(|name| classes.get(&(name, plan.side)));
            let places = names.filter_map(|name| plans.iter().position(|p| p.name == *name));
            places.collect()
        })
        .collect();
    let mut order = Vec::with_capacity(plans.len());
    // 0: not visited, 1: on the current path, 2: done.
    let mut states = vec![0_u8; plans.len()];
    for start in 0..plans.len() {
        let mut path = vec![(start, 0)];
        while let Some((plan, next)) = path.pop() {
            if states[plan] == 2 {
                continue;
            }
            states[plan] = 1;
            if let Some(&needed) = needs[plan].get(next) {
                path.push((plan, next + 1));
                match states[needed] {
                    0 => path.push((needed, 0)),
                    1 => _ = scope.uses("annotations"),
                    _ => {}
                }
            } else {
                states[plan] = 2;
                order.push(plan);
            }
        }
    }
    let mut plans: Vec<_> = plans.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|at| plans[at].take())
        .collect()
}

fn model(plan: &Plan<'_>, classes: &Classes<'_>, scope: &mut Scope) -> Model {
    let base = match scope.models() {
        Models::Pydantic => scope.uses("EventModel"),
        Models::Dataclass => {
            scope.uses("dataclass");
            scope.uses("EventDataclass")
        }
    };
    let class_names: Vec<_> = classes.values().map(String::as_str).collect();
    let reserved = [&RESERVED[..], &class_names].concat();
    let mut attributes = Names::new([]);
    let named = |name: &str| classes.get(&(name, plan.side)).cloned();
    let mut fields = Vec::with_capacity(plan.fields.len());
    for field in &plan.fields {
        let attribute = attributes.give(attribute(&field.name, &reserved));
        fields.push(model_field(field, &attribute, scope, &named));
    }
    Model {
        fields,
        class: class(&plan.name, base),
        name: plan.name.clone(),
        summary: plan.summary.clone(),
    }
}

fn model_field(
    of: &Field,
    attribute: &str,
    scope: &mut Scope,
    named: &dyn Fn(&str) -> Option<String>,
) -> ModelField {
    let mut ty = annotation(&of.ty, &of.limits, scope, named);
    let mut value = None;
    if !of.required {
        let mut used = Vec::new();
        let models = scope.models();
        let given =
            (of.default.as_ref()).and_then(|it| default(&of.ty, it, models, &mut used, named));
        if given.is_some() {
            for name in used {
                scope.uses(name);
            }
        }
        if given.is_none() || of.may_be_null() {
            ty = annotation(&of.ty.clone().or_null(), &of.limits, scope, named);
        }
        value = given.or(Some((Expr::atom("None"), false)));
    }
    let alias = (attribute != of.name).then(|| Expr::text(&escape(&of.name)));
    let (ty, value) = match scope.models() {
        Models::Pydantic => of_pydantic(ty, value, alias, scope),
        Models::Dataclass => (ty, of_dataclass(value, alias, scope)),
    };
    let ty = match of.privacy {
        Privacy::Public => ty,
        Privacy::Private => Expr::generic(scope.uses("Private"), vec![ty]),
    };
    ModelField {
        statement: field(INDENT, attribute, &ty, value.as_ref()),
        doc: field_doc(of),
    }
}

/// Converts a field for pydantic. The alias is in the annotation: as a default (`= Field(alias=…)`),
/// type checkers take it for the name of the constructor's argument.
fn of_pydantic(
    ty: Expr,
    value: Option<(Expr, bool)>,
    alias: Option<Expr>,
    scope: &mut Scope,
) -> (Expr, Option<Expr>) {
    let value = value.map(|(value, is_mutable)| {
        if is_mutable {
            Expr::call(scope.uses("Field"), vec![factory(value)])
        } else {
            value
        }
    });
    let Some(alias) = alias else {
        return (ty, value);
    };
    let alias = Expr::call(scope.uses("Field"), vec![Expr::keyword("alias", alias)]);
    let annotated = scope.uses("Annotated");
    (Expr::generic(annotated, vec![ty, alias]), value)
}

fn of_dataclass(
    value: Option<(Expr, bool)>,
    alias: Option<Expr>,
    scope: &mut Scope,
) -> Option<Expr> {
    let alias = alias.map(|alias| {
        let alias = Expr::Bracket("{".to_owned(), vec![Expr::entry("alias", alias)], '}');
        Expr::keyword("metadata", alias)
    });
    let value = match (value, &alias) {
        (Some((value, true)), _) => Some(factory(value)),
        (Some((value, false)), Some(_)) => Some(Expr::keyword("default", value)),
        (Some((value, false)), None) => return Some(value),
        (None, _) => None,
    };
    let arguments: Vec<_> = value.into_iter().chain(alias).collect();
    (!arguments.is_empty()).then(|| Expr::call(scope.uses("field"), arguments))
}

/// Returns the `default_factory` argument for a mutable default.
fn factory(value: Expr) -> Expr {
    let name = "default_factory";
    match &value {
        Expr::Bracket(open, items, _) if items.is_empty() && open == "[" => {
            Expr::keyword(name, Expr::atom("list"))
        }
        Expr::Bracket(open, items, _) if items.is_empty() && open == "{" => {
            Expr::keyword(name, Expr::atom("dict"))
        }
        _ => Expr::Named(format!("{name}=lambda: "), Box::new(value)),
    }
}

/// Formats the docstring of a class.
pub(super) fn described(sentence: &str, description: Option<&String>) -> String {
    let mut parts = vec![wrap(sentence, INDENT + 6, INDENT)];
    parts.extend(
        description
            .into_iter()
            .flat_map(|it| paragraphs(it, INDENT)),
    );
    closed(join(&parts, INDENT), INDENT)
}

/// Returns the docstring of a field.
fn field_doc(field: &Field) -> Option<String> {
    let text = (field.description.as_deref()).map_or_else(String::new, sanitize);
    let text = wrap(&text, INDENT + 6, INDENT);
    (!text.is_empty()).then(|| closed(text, INDENT))
}

/// Completes the text of a docstring for its closing quotes: a line break, or an escaped quote.
pub(super) fn closed(text: String, indent: usize) -> String {
    let text = match text.strip_prefix('"') {
        Some(rest) => format!("\\x22{rest}"),
        None => text,
    };
    if text.contains('\n') {
        format!("{text}\n{:indent$}", "")
    } else if let Some(rest) = text.strip_suffix('"') {
        format!("{rest}\\x22")
    } else {
        text
    }
}
