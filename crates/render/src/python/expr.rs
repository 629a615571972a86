//! Python expressions, formatted like `ruff format`: on one line if they fit, otherwise one item per
//! line with a trailing comma, which makes ruff keep them that way ("magic trailing comma").

use crate::python::layout::WIDTH;

/// Python expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    /// Name or number, which can't be broken.
    Atom(String),
    /// A string with its quotes.
    Text(String),
    /// `list[…]`, `Field(…)`, `{…}`: opening text, items, closing bracket.
    Bracket(String, Vec<Expr>, char),
    /// `name=…` or `"key": …`: prefix and value.
    Named(String, Box<Expr>),
    /// `A | B`, with two or more members.
    Or(Vec<Expr>),
}

impl Expr {
    pub(crate) fn atom(text: impl Into<String>) -> Self {
        Self::Atom(text.into())
    }

    /// Creates a string from its escaped text.
    pub(crate) fn text(escaped: &str) -> Self {
        Self::Text(format!("\"{escaped}\""))
    }

    /// `name[items]`.
    pub(crate) fn generic(name: &str, items: Vec<Self>) -> Self {
        Self::Bracket(format!("{name}["), items, ']')
    }

    /// `name(items)`.
    pub(crate) fn call(name: &str, items: Vec<Self>) -> Self {
        Self::Bracket(format!("{name}("), items, ')')
    }

    /// `name=value`.
    pub(crate) fn keyword(name: &str, value: Self) -> Self {
        Self::Named(format!("{name}="), Box::new(value))
    }

    /// `"key": value`, from the escaped text of the key.
    pub(crate) fn entry(key: &str, value: Self) -> Self {
        Self::Named(format!("\"{key}\": "), Box::new(value))
    }

    /// Creates `A | B`; a single member is returned as it is.
    pub(crate) fn or(members: Vec<Self>) -> Self {
        let members = members.into_iter().flat_map(|member| match member {
            Self::Or(members) => members,
            other => vec![other],
        });
        let mut members: Vec<_> = members.collect();
        match members.len() {
            1 => members.swap_remove(0),
            _ => Self::Or(members),
        }
    }

    /// Whether it has brackets around one item, in which no comma keeps it broken.
    fn has_one_item(&self) -> bool {
        matches!(self, Self::Bracket(_, items, ']') if items.len() == 1)
    }

    /// Formats on one line.
    pub(crate) fn flat(&self) -> String {
        match self {
            Self::Atom(text) | Self::Text(text) => text.clone(),
            Self::Bracket(open, items, close) => {
                let items: Vec<_> = items.iter().map(Self::flat).collect();
                // A tuple of one needs its comma.
                let comma = if open == "(" && items.len() == 1 {
                    ","
                } else {
                    ""
                };
                format!("{open}{}{comma}{close}", items.join(", "))
            }
            Self::Named(name, value) => format!("{name}{}", value.flat()),
            Self::Or(members) => {
                let members: Vec<_> = members.iter().map(Self::flat).collect();
                members.join(" | ")
            }
        }
    }

    /// Formats on a line with `used` columns before and `after` columns behind it, broken if it does not
    /// fit.
    pub(crate) fn fitted(&self, indent: usize, used: usize, after: usize) -> String {
        let flat = self.flat();
        if used + flat.len() + after <= WIDTH {
            flat
        } else {
            self.broken(indent)
        }
    }

    /// Formats on several lines, of which the first begins at `indent`.
    fn broken(&self, indent: usize) -> String {
        match self {
            Self::Atom(text) | Self::Text(text) => text.clone(),
            Self::Bracket(open, items, close) if items.is_empty() => format!("{open}{close}"),
            Self::Bracket(open, items, close) => {
                let inner = indent + 4;
                // `list[T,]` would be a tuple of parameters.
                let comma = if *close == ']' && items.len() == 1 && open != "[" {
                    ""
                } else {
                    ","
                };
                let items = items.iter().map(|item| {
                    let item = item.fitted(inner, inner, comma.len());
                    format!("{:inner$}{item}{comma}\n", "")
                });
                format!("{open}\n{}{:indent$}{close}", items.collect::<String>(), "")
            }
            Self::Named(name, value) => {
                let text = value.fitted(indent, indent + name.chars().count(), 1);
                format!("{name}{text}")
            }
            Self::Or(members) => {
                let mut members = members.iter().enumerate();
                let first = members.next().map(|(_, m)| m.fitted(indent, indent, 0));
                let rest = members.map(|(_, m)| {
                    let text = m.fitted(indent, indent + 2, 0);
                    format!("\n{:indent$}| {text}", "")
                });
                first.into_iter().chain(rest).collect()
            }
        }
    }

    /// Formats on several lines as the right side of a statement.
    fn broken_out(&self, indent: usize) -> String {
        match self {
            Self::Or(_) => {
                let inner = indent + 4;
                {
                    let text = self.fitted(inner, inner, 0);
                    format!("(\n{:inner$}{text}\n{:indent$})", "", "")
                }
            }
            _ => self.broken(indent),
        }
    }
}

/// Formats `target = value` at an indentation.
pub(crate) fn assign(indent: usize, target: &str, value: &Expr) -> String {
    let begin = format!("{target} = ");
    begin.clone() + &value_behind(indent, indent + begin.len(), value)
}

/// Formats `name: annotation` or `name: annotation = value` at an indentation.
pub(crate) fn field(indent: usize, name: &str, annotation: &Expr, value: Option<&Expr>) -> String {
    let begin = format!("{name}: ");
    let flat = annotation.flat();
    let used = indent + begin.len() + flat.len();
    let Some(value) = value else {
        let annotation = if used <= WIDTH {
            flat
        } else {
            annotation.broken_out(indent)
        };
        return begin + &annotation;
    };
    if used + 3 + value.flat().len() <= WIDTH {
        return format!("{begin}{flat} = {}", value.flat());
    }
    let inner = indent + 4;
    if used + " = (".len() <= WIDTH {
        match value {
            Expr::Bracket(open, items, _)
                if !items.is_empty() && used + 3 + open.len() <= WIDTH =>
            {
                return format!("{begin}{flat} = {}", value.broken(indent));
            }
            Expr::Atom(text) | Expr::Text(text)
                if inner + text.len() > WIDTH && !annotation.has_one_item() => {}
            _ => {
                let value = value.fitted(inner, inner, 0);
                return format!("{begin}{flat} = (\n{:inner$}{value}\n{:indent$})", "", "");
            }
        }
    }
    let annotation = annotation.broken_out(indent);
    let last = annotation.rsplit('\n').next().map_or(0, str::len);
    let used = if annotation.contains('\n') {
        last
    } else {
        used
    };
    format!(
        "{begin}{annotation} = {}",
        value_behind(indent, used + 3, value)
    )
}

/// Formats `class Name(Base):` at the beginning of a line.
pub(crate) fn class(name: &str, base: &str) -> String {
    let flat = format!("class {name}({base}):");
    if flat.len() <= WIDTH {
        flat
    } else {
        format!("class {name}(\n    {base}\n):")
    }
}

fn value_behind(indent: usize, used: usize, value: &Expr) -> String {
    let flat = value.flat();
    if used + flat.len() <= WIDTH {
        return flat;
    }
    broken_behind(indent, used, value)
}

fn broken_behind(indent: usize, used: usize, value: &Expr) -> String {
    let inner = indent + 4;
    let in_brackets = |text: &str| format!("(\n{:inner$}{text}\n{:indent$})", "", "");
    match value {
        Expr::Atom(text) | Expr::Text(text) if inner + text.len() <= WIDTH => in_brackets(text),
        Expr::Bracket(open, ..) if used + open.len() > WIDTH && used < WIDTH => {
            let text = value.broken(inner);
            // ruff adds parentheses only if then everything fits.
            if text
                .lines()
                .skip(1)
                .all(|line| line.chars().count() <= WIDTH)
            {
                in_brackets(&text)
            } else {
                value.broken(indent)
            }
        }
        _ => value.broken_out(indent),
    }
}
