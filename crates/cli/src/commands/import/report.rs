//! Messages of `herald import`: classes that could not be imported, and changes of schemas.

use std::collections::{BTreeMap, BTreeSet};

use herald_catalog::checks::payload::import_failed;
use herald_catalog::imported::ImportedClasses;
use herald_catalog::load::Loaded;
use herald_diagnostics::Diagnostic;
use herald_diagnostics::render::visible_line;
use serde_json::Value;

use super::interpreter::Interpreter;
use super::process::Ended;
use super::{ClassAnswer, Imported, classes};
use crate::terminal;

/// Maximum number of places that are shown of a changed schema.
const MAX_PLACES: usize = 5;

/// Reports classes without a schema, each at the first contract that refers to it, and prints what
/// their code raised.
pub fn failed(
    failed: &BTreeMap<String, ClassAnswer>,
    interpreter: &Interpreter,
    version: &str,
    loaded: &mut Loaded,
) {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for class in classes(loaded) {
        let name = class.to_string();
        let Some(answer) = failed.get(&name).filter(|_| seen.insert(name.clone())) else {
            continue;
        };
        let (message, help) = sentence(&name, answer, interpreter, version);
        found.push(import_failed(&message, &help, class.location));
        if !answer.traceback.is_empty() {
            terminal::status(&format!("{}:", visible_line(&name)));
            for line in answer.traceback.lines() {
                terminal::status(&format!("  {}", visible_line(line)));
            }
        }
    }
    loaded.diagnostics.retain(Diagnostic::is_error);
    loaded.diagnostics.append(&mut found);
    herald_diagnostics::sort(&mut loaded.diagnostics);
}

fn sentence(
    name: &str,
    answer: &ClassAnswer,
    interpreter: &Interpreter,
    version: &str,
) -> (String, String) {
    let (module, class) = name.split_once(':').unwrap_or((name, ""));
    let what = answer.message.as_str();
    let python = format!(
        "`{}` (Python {version}, found by {})",
        interpreter.path.display(),
        interpreter.found_by
    );
    let kind = answer.error.as_deref().unwrap_or_default();
    match kind {
        "no_module" => (
            format!("there is no Python module `{what}`"),
            format!("install the project for {python}, or name its interpreter with --python"),
        ),
        "no_class" => (
            format!("the module `{module}` has no `{class}`"),
            match what {
                "" => "write the name of a class in the module".to_owned(),
                similar => format!("did you mean `{similar}`?"),
            },
        ),
        "no_model" => (
            format!("`{name}` is not a model, but a value of type `{what}`"),
            "name a pydantic model, a msgspec Struct, a dataclass or a TypedDict".to_owned(),
        ),
        "no_library" => (
            format!("`{name}` needs pydantic or msgspec to print its schema"),
            format!("install one of them for {python}; attrs classes need msgspec"),
        ),
        "pydantic_1" => (
            format!("`{name}` is a model of pydantic 1"),
            "use pydantic 2, which prints schemas of draft 2020-12".to_owned(),
        ),
        _ => (
            format!("importing `{name}` raised {what}"),
            match answer.traceback.as_str() {
                "" => "change the class, or declare the fields in the contract".to_owned(),
                _ => "fix the code; its traceback is above".to_owned(),
            },
        ),
    }
}

/// Reports an interpreter that ended without an answer, at the first contract that needs it.
pub fn no_answer(ended: &Ended, interpreter: &Interpreter, timeout: u64, loaded: &mut Loaded) {
    for line in ended
        .output
        .lines()
        .rev()
        .take(30)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
    {
        terminal::status(&format!("  {}", visible_line(line)));
    }
    let python = interpreter.path.display();
    let (message, help) = if ended.was_stopped {
        (
            format!("importing took more than {timeout} seconds, and was stopped"),
            "modules must not do their work when they are imported; --timeout gives more time"
                .to_owned(),
        )
    } else {
        (
            format!("`{python}` ended without an answer: {}", ended.status),
            "its output is above; modules must not end the process when they are imported"
                .to_owned(),
        )
    };
    let place = classes(loaded).next().map(|class| class.location);
    loaded.diagnostics.retain(Diagnostic::is_error);
    let diagnostic = place.map(|place| import_failed(&message, &help, place));
    loaded.diagnostics.extend(diagnostic);
}

/// Returns notes about times of new or changed classes that may have no time zone.
pub fn local_times(imported: &Imported, earlier: &ImportedClasses) -> Vec<String> {
    let all = imported.may_be_local.iter();
    let changed = all.filter(|(name, _)| earlier.get(name) != imported.classes.get(name));
    changed
        .map(|(name, place)| {
            format!(
                "`{place}` of {name} may be a time without a time zone, which its type `datetime` has; \
                 declare it as pydantic.AwareDatetime, or as pydantic.NaiveDatetime to publish local \
                 times as text"
            )
        })
        .collect()
}

/// Returns what differs between two files of imported classes, one line each.
pub fn changes(old: &ImportedClasses, new: &ImportedClasses) -> Vec<String> {
    let names: BTreeSet<&str> = old.iter().chain(new.iter()).map(|(name, _)| name).collect();
    let mut changes = Vec::new();
    for name in names {
        match (old.get(name), new.get(name)) {
            (None, Some(_)) => changes.push(format!("added {name}")),
            (Some(_), None) => changes.push(format!("removed {name}")),
            (Some(old), Some(new)) if old != new => {
                let mut places = Vec::new();
                differences(old, new, &mut String::from("#"), &mut places);
                let more = places.len().saturating_sub(MAX_PLACES);
                places.truncate(MAX_PLACES);
                let more = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                changes.push(format!("changed {name}: {}{more}", places.join(", ")));
            }
            _ => {}
        }
    }
    changes
}

/// Collects the places where two schemas differ.
fn differences(old: &Value, new: &Value, place: &mut String, found: &mut Vec<String>) {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        if old != new {
            found.push(place.clone());
        }
        return;
    };
    let names = old
        .keys()
        .chain(new.keys().filter(|name| !old.contains_key(*name)));
    for name in names {
        let length = place.len();
        place.push('/');
        place.push_str(&name.replace('~', "~0").replace('/', "~1"));
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => differences(old, new, place, found),
            _ => found.push(place.clone()),
        }
        place.truncate(length);
    }
}

/// Returns the lines of a text.
pub fn text(changes: &[String]) -> String {
    changes
        .iter()
        .map(|change| visible_line(change) + "\n")
        .collect()
}
