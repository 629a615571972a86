//! Limit of the text that templates of a project can make of one value.
//!
//! minijinja's fuel pays for strings and slots of lists when they are created. A list of many
//! references to one long string costs little fuel, but its text can have any size, and the filters
//! that make it (`join`, `string`, `pprint`, …) charge for it only afterwards or not at all
//! (minijinja 3.1). So the size is counted here before the text is made.

use minijinja::value::{Kwargs, Rest, ValueIter, ValueKind, ValueOrKwargs, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};

/// Bytes that the text of one value may have, and one template may print.
pub(crate) const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;

/// Depth of nested lists and maps. Formatting is recursive, so a deeper one could overflow the stack.
const MAX_DEPTH: usize = 64;

/// Bytes that are counted for brackets, quotes and commas around an item.
const ITEM_BYTES: usize = 4;

/// Replaces the filters that make text of lists and maps by ones that check its size first.
pub(crate) fn add_to(environment: &mut Environment<'_>) {
    let join = Value::from_function(filters::join);
    environment.add_filter(
        "join",
        move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
            let args = args.into_values();
            check_join(&args)?;
            join.call(state, &args)
        },
    );
    for (name, original) in [
        ("string", Value::from_function(filters::string)),
        ("pprint", Value::from_function(filters::pprint)),
        ("format", Value::from_function(filters::format)),
    ] {
        environment.add_filter(
            name,
            move |state: &mut State<'_, '_>, args: Rest<ValueOrKwargs>| {
                let args = args.into_values();
                args.iter().try_for_each(check)?;
                original.call(state, &args)
            },
        );
    }
    environment.add_filter("json", |value: Value| {
        check(&value)?;
        crate::filters::json(&value)
    });
    // It returns the text of all variables, of any size.
    environment.remove_global("debug");
}

/// Fails if the text of a value is longer than [`MAX_TEXT_BYTES`].
pub(crate) fn check(value: &Value) -> Result<(), Error> {
    let mut left = MAX_TEXT_BYTES;
    count(value, 0, &mut left)
}

/// Fails if the joined text of a list is too long. With `attribute`, only that of each item counts.
fn check_join(args: &[Value]) -> Result<(), Error> {
    let (items, joiner, attribute, kwargs): (Value, Option<Value>, Option<Value>, Kwargs) =
        from_args(args)?;
    let keyword = |name: &str| kwargs.get::<Option<Value>>(name).ok().flatten();
    let joiner = joiner.or_else(|| keyword("d"));
    let attribute = attribute.or_else(|| keyword("attribute"));
    let between = joiner.as_ref().and_then(Value::as_str).map_or(0, str::len);
    let mut left = MAX_TEXT_BYTES;
    // What can't be iterated over is an error of `join` itself.
    let Ok(items) = known_items(&items) else {
        return Ok(());
    };
    for item in items.into_iter().flatten() {
        take(&mut left, between)?;
        let text = match attribute.as_ref().and_then(Value::as_str) {
            Some(path) => path
                .split('.')
                .try_fold(item, |value, name| value.get_attr(name))
                .unwrap_or_default(),
            None => item,
        };
        count(&text, 0, &mut left)?;
    }
    Ok(())
}

/// The items of a list or iterable whose length is known. Others can be read only once.
fn known_items(value: &Value) -> Result<Option<ValueIter>, Error> {
    if value.len().is_none() {
        return Ok(None);
    }
    value.try_iter().map(Some)
}

fn count(value: &Value, depth: usize, left: &mut usize) -> Result<(), Error> {
    if let Some(text) = value.as_str() {
        return take(left, text.len());
    }
    let kind = value.kind();
    if !matches!(kind, ValueKind::Seq | ValueKind::Map | ValueKind::Iterable) {
        return Ok(());
    }
    if depth == MAX_DEPTH {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("lists are nested more than {MAX_DEPTH} levels deep"),
        ));
    }
    let Ok(Some(items)) = known_items(value) else {
        return Ok(());
    };
    for item in items {
        take(left, ITEM_BYTES)?;
        count(&item, depth + 1, left)?;
        if kind == ValueKind::Map {
            let value = value.get_item(&item).unwrap_or_default();
            count(&value, depth + 1, left)?;
        }
    }
    Ok(())
}

fn take(left: &mut usize, bytes: usize) -> Result<(), Error> {
    match left.checked_sub(bytes) {
        Some(rest) => {
            *left = rest;
            Ok(())
        }
        None => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!(
                "the text of the value is longer than {} MB",
                MAX_TEXT_BYTES / 1024 / 1024
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str) -> Result<String, Error> {
        let mut environment = Environment::new();
        add_to(&mut environment);
        environment.set_fuel(Some(1_000_000));
        environment.render_str(template, ())
    }

    #[test]
    fn rejects_text_that_is_too_long() {
        let long = "(['x' * 100000] * 1000)";
        for filter in ["join", "join('')", "join(d='')", "string", "pprint", "json"] {
            let template = format!("{{{{ {long} | {filter} | length }}}}");
            let error = render(&template).expect_err(filter);
            assert!(error.to_string().contains("longer than 16 MB"), "{error}");
        }
        for template in [
            format!("{{{{ '%s' | format({long}) | length }}}}"),
            "{% set a = ['x' * 100000] %}{% set b = [a, a, a, a, a, a, a, a, a, a, a, a, a] %}\
             {{ ([b] * 1000) | string | length }}"
                .to_owned(),
        ] {
            let error = render(&template).expect_err(&template);
            assert!(error.to_string().contains("longer than 16 MB"), "{error}");
        }
    }

    #[test]
    fn rejects_deeply_nested_lists() {
        let template = "{% set ns = namespace(l=[]) %}\
            {% for i in range(100) %}{% set ns.l = [ns.l] %}{% endfor %}\
            {{ ns.l | string | length }}";
        let error = render(template).unwrap_err();
        assert!(error.to_string().contains("64 levels deep"), "{error}");
    }

    #[test]
    fn filters_work_as_before() {
        for (template, text) in [
            ("{{ ['a', 'b'] | join }}", "ab"),
            ("{{ ['a', 'b'] | join(', ') }}", "a, b"),
            ("{{ ['a', 1, none] | join(d='-') }}", "a-1-None"),
            ("{{ [{'n': 'a'}, {'n': 'b'}] | join(',', 'n') }}", "a,b"),
            ("{{ [{'n': 'a'}] | join(attribute='n') }}", "a"),
            ("{{ range(3) | join(',') }}", "0,1,2"),
            ("{{ 7 | string }}", "7"),
            ("{{ '%s-%d' | format('a', 7) }}", "a-7"),
        ] {
            assert_eq!(render(template).expect(template), text, "{template}");
        }
        assert!(render("{{ 1 | join }}").is_err());
    }
}
