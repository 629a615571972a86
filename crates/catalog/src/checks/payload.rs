//! `payload.*`: payloads that are defined outside of the contract. Reported by the field reader.

use herald_diagnostics::{Diagnostic, Location, Rule, Severity};

use crate::imported::IMPORTED_FILE;
use crate::text::quote;
use crate::yaml::Yaml;

pub(super) static RULES: &[&Rule] = &[&UNREADABLE, &NOT_IMPORTED, &IMPORT_FAILED, &NOT_EXPRESSED];

pub(super) static UNREADABLE: Rule = Rule {
    code: "payload.unreadable",
    severity: Severity::Error,
    title: "the schema of a payload can't be read",
    docs: "`{json_schema: FILE#/$defs/NAME}` names a JSON Schema (draft 2020-12) in a `.json` file \
           below the folder of the project, relative to the contract. References within the file are \
           followed; those to other files and addresses are not. The message contains the reason.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {json_schema: 'https://example.com/order.json#/$defs/OrderPaid'}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {order_id: uuid}",
};

/// A class without an entry in the file of imported classes.
pub static NOT_IMPORTED: Rule = Rule {
    code: "payload.not_imported",
    severity: Severity::Error,
    title: "the Python class of a payload was not imported",
    docs: "`{python: \"MODULE:CLASS\"}` names a class of your code. `herald import` runs your Python \
           once, and writes the schema of each class to `herald.lock.json`, from which all other \
           commands read it.",
    bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {python: 'shop.events:OrderPaid'}",
    good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {order_id: uuid}",
};

static IMPORT_FAILED: Rule = Rule {
    code: "payload.import_failed",
    severity: Severity::Error,
    title: "a Python class could not be imported",
    docs: "`herald import` runs the interpreter of the project. The message contains what it answered: a \
           module or class that does not exist, a class that is not a model, or an exception that the \
           code raised.",
    bad: "herald import   # without the project's virtual environment",
    good: "uv sync && herald import",
};

static NOT_EXPRESSED: Rule = Rule {
    code: "payload.not_expressed",
    severity: Severity::Info,
    title: "a part of a payload's schema has no type in contracts",
    docs: "A schema may say more than the types of contracts, with `prefixItems`, `not` or \
           `patternProperties` for instance. Values are validated by the schema itself, and generated \
           schemas repeat it; generated models have the nearest type.",
    bad: "# schemas/order.json: {\"properties\": {\"size\": {\"prefixItems\": [{\"type\": \"integer\"}, {\"type\": \"string\"}]}}}",
    good: "# schemas/order.json: {\"properties\": {\"size\": {\"items\": {\"type\": \"integer\"}}}}",
};

/// Reports a schema that can't be read.
pub(crate) fn unreadable(reference: &str, problem: &str, yaml: &Yaml) -> Diagnostic {
    Diagnostic::new(
        &UNREADABLE,
        format!("the schema {} can't be read: {problem}", quote(reference)),
    )
    .at(yaml.location)
    .help("write it as `FILE.json#/$defs/NAME`, with a path relative to the contract")
}

/// Reports a text that is not a module and a class.
pub(crate) fn not_a_class(reference: &str, yaml: &Yaml) -> Diagnostic {
    let what = quote(reference);
    let diagnostic = Diagnostic::new(&UNREADABLE, format!("{what} does not name a Python class"));
    let help = match reference.rsplit_once('.') {
        Some((module, class)) if !reference.contains(':') => {
            format!(
                "write module and class with a colon: {}",
                quote(&format!("{module}:{class}"))
            )
        }
        _ => "write module and class, such as `shop.events:OrderPaid`".to_owned(),
    };
    diagnostic.at(yaml.location).help(help)
}

/// Reports a class that could not be imported.
pub fn import_failed(message: &str, help: &str, location: Location) -> Diagnostic {
    Diagnostic::new(&IMPORT_FAILED, message)
        .at(location)
        .help(help)
}

/// Reports a class without an entry in the file of imported classes. `problem` is the reason why
/// the file can't be used.
pub(crate) fn not_imported(class: &str, problem: Option<&str>, yaml: &Yaml) -> Diagnostic {
    let class = quote(class);
    let message = match problem {
        None => format!("the Python class {class} was not imported"),
        Some(problem) => format!("{class} can't be read from `{IMPORTED_FILE}`: {problem}"),
    };
    Diagnostic::new(&NOT_IMPORTED, message)
        .at(yaml.location)
        .help(format!("run `herald import`, and commit `{IMPORTED_FILE}`"))
}

/// Reports a class whose schema can't be used.
pub(crate) fn unusable_class(class: &str, problem: &str, location: Location) -> Diagnostic {
    let class = quote(class);
    Diagnostic::new(
        &NOT_IMPORTED,
        format!("the schema of {class} can't be used: {problem}"),
    )
    .at(location)
    .help("change the class, or declare the fields in the contract")
}

/// Reports a part of a schema that is kept as it is.
pub(crate) fn not_expressed(place: &str, what: &str, ty: &str, location: Location) -> Diagnostic {
    Diagnostic::new(
        &NOT_EXPRESSED,
        format!("{}: contracts have no type for {what}", quote(place)),
    )
    .at(location)
    .help(format!(
        "values are validated by the schema itself; generated models have the type {}",
        quote(ty)
    ))
}

/// Reports how many parts of a schema are kept besides those that were reported.
pub(crate) fn more_not_expressed(document: &str, more: usize, location: Location) -> Diagnostic {
    Diagnostic::new(
        &NOT_EXPRESSED,
        format!(
            "{more} more parts of {} have no type in contracts",
            quote(document)
        ),
    )
    .at(location)
    .help("values are validated by the schema itself")
}
