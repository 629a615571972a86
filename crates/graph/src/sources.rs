//! Topics in source texts of programs.
//!
//! A literal counts as the name of a topic if the words around it tell so, or if it has the form of one of
//! the system. Everything else, such as the names of modules and settings, is left alone.

mod python;
mod token;
mod typescript;

use std::collections::HashSet;

use herald_catalog::checks::graph as rules;
use herald_catalog::topics::{TopicNames, split_version};
use herald_diagnostics::{Diagnostic, Location, SourceId, Span, did_you_mean};

use crate::Graph;
use token::{Kind, Literal, Token};

/// Language of a source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// TypeScript and JavaScript, also with JSX.
    TypeScript,
}

impl Language {
    /// Endings of the names of files.
    const ENDINGS: [(&str, Self); 9] = [
        ("py", Self::Python),
        ("ts", Self::TypeScript),
        ("tsx", Self::TypeScript),
        ("mts", Self::TypeScript),
        ("cts", Self::TypeScript),
        ("js", Self::TypeScript),
        ("jsx", Self::TypeScript),
        ("mjs", Self::TypeScript),
        ("cjs", Self::TypeScript),
    ];

    /// The language of a file with this ending, without the dot.
    pub fn of_ending(ending: &str) -> Option<Self> {
        let mut all = Self::ENDINGS.into_iter();
        all.find(|(known, _)| *known == ending)
            .map(|(_, language)| language)
    }
}

/// A literal that names a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TopicLiteral {
    /// The topic; without its namespace if that is a placeholder.
    name: String,
    has_namespace: bool,
    evidence: Evidence,
    start: usize,
    end: usize,
}

/// Evidence that a literal is the name of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// It is passed to a producer or consumer.
    Call,
    /// Its name: `topic="…"`, `ORDERS_TOPIC = "…"`.
    Name,
    /// Nothing but its form.
    Form,
}

/// The topics of a system, to which those of sources are compared.
#[derive(Debug)]
pub struct KnownTopics {
    names: TopicNames,
    all: HashSet<String>,
    /// Names of which the first part may be another namespace.
    short: HashSet<String>,
    /// First parts of topics.
    roots: HashSet<String>,
}

impl KnownTopics {
    /// The topics that nodes of a graph publish or consume.
    pub fn of(graph: &Graph<'_>) -> Self {
        let all: HashSet<String> = graph.topics.iter().map(|one| one.name.clone()).collect();
        let without_first = |name: &String| Some(name.split_once('.')?.1.to_owned());
        let first = |name: &String| Some(name.split_once('.')?.0.to_owned());
        Self {
            names: TopicNames::of(graph.nodes),
            short: all.iter().filter_map(without_first).collect(),
            roots: all.iter().filter_map(first).collect(),
            all,
        }
    }

    /// Reports the topics of a source text that no contract declares.
    pub fn undeclared(&self, text: &str, language: Language, source: SourceId) -> Vec<Diagnostic> {
        let found = literals(text, language).into_iter();
        let report = |literal: TopicLiteral| {
            let to_u32 = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
            let span = Span::new(to_u32(literal.start), to_u32(literal.end));
            let meant = self.similar(&literal.name);
            rules::topic_undeclared(&literal.name, meant.as_deref(), Location { source, span })
        };
        found
            .filter(|literal| self.is_of_system(literal) && !self.is_declared(literal))
            .map(report)
            .collect()
    }

    /// A topic of the system that differs in one part only, by a typo. Whole names would be similar because
    /// of the parts that all of them share.
    fn similar(&self, name: &str) -> Option<String> {
        let parts: Vec<_> = name.split('.').collect();
        let mut found: Vec<_> = (self.all.iter().chain(&self.short))
            .filter(|known| {
                let known: Vec<_> = known.split('.').collect();
                let pairs = || parts.iter().zip(&known).filter(|(one, other)| one != other);
                known.len() == parts.len()
                    && pairs().count() == 1
                    && pairs().all(|(one, other)| did_you_mean(one, [*other]).is_some())
            })
            .collect();
        found.sort_unstable();
        let whole = did_you_mean(name, found.into_iter().map(String::as_str));
        whole.map(str::to_owned)
    }

    /// Whether a literal without other evidence has the form of the topics of the system.
    fn is_of_system(&self, literal: &TopicLiteral) -> bool {
        let root = literal.name.split('.').next().unwrap_or_default();
        literal.evidence != Evidence::Form || literal.has_namespace && self.roots.contains(root)
    }

    fn is_declared(&self, literal: &TopicLiteral) -> bool {
        let is_known = |name: &str| {
            if !literal.has_namespace {
                return self.short.contains(name) || self.all.contains(name);
            }
            // Perhaps in another namespace than that of the contracts.
            let other = name.split_once('.').map(|(_, rest)| rest);
            self.all.contains(name)
                || self.names.has_without_namespace(name)
                || other.is_some_and(|rest| self.names.has_without_namespace(rest))
        };
        let own = ENDINGS_OF_OTHERS
            .iter()
            .find_map(|ending| literal.name.strip_suffix(ending));
        is_known(&literal.name) || own.is_some_and(is_known)
    }
}

/// Endings of topics that belong to another topic: those of dead letters and of retries.
const ENDINGS_OF_OTHERS: [&str; 6] = [".dlq", "-dlq", ".DLQ", ".dead-letter", ".retry", "-retry"];

/// The literals of a text that name topics.
fn literals(text: &str, language: Language) -> Vec<TopicLiteral> {
    let tokens = match language {
        Language::Python => python::tokens(text),
        Language::TypeScript => typescript::tokens(text),
    };
    let reader = Reader {
        tokens: &tokens,
        is_about_kafka: text.to_ascii_lowercase().contains("kafka"),
    };
    (0..tokens.len())
        .filter_map(|at| reader.topic(at))
        .collect()
}

struct Reader<'t> {
    tokens: &'t [Token<'t>],
    /// Whether the text mentions Kafka, without which `send` may be anything.
    is_about_kafka: bool,
}

impl<'t> Reader<'t> {
    /// The topic that the literal at a place names.
    fn topic(&self, at: usize) -> Option<TopicLiteral> {
        let token = &self.tokens[at];
        let (name, has_namespace) = match &token.kind {
            Kind::Text(Literal::Plain(text)) => (*text, true),
            Kind::Text(Literal::Prefixed(text)) => (text.strip_prefix('.')?, false),
            _ => return None,
        };
        if self.is_part(at) || !is_topic(name) {
            return None;
        }
        let is_versioned = split_version(name).is_some() && name.matches('.').count() >= 2;
        let evidence = match self.evidence(at, is_versioned) {
            Some(Evidence::Name) if !name.contains('.') => return None,
            Some(evidence) => evidence,
            None if is_versioned => Evidence::Form,
            None => return None,
        };
        Some(TopicLiteral {
            name: name.to_owned(),
            has_namespace,
            evidence,
            start: token.start,
            end: token.end,
        })
    }

    fn kind(&self, at: usize) -> Option<&'t Kind<'t>> {
        self.tokens.get(at).map(|token| &token.kind)
    }

    fn is_sign(&self, at: usize, signs: &[u8]) -> bool {
        matches!(self.kind(at), Some(Kind::Sign(sign)) if signs.contains(sign))
    }

    fn name(&self, at: usize) -> Option<&'t str> {
        match self.kind(at) {
            Some(Kind::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether the literal is a part of a text that is put together.
    fn is_part(&self, at: usize) -> bool {
        let is_text = |at| matches!(self.kind(at), Some(Kind::Text(_)));
        let before = at.checked_sub(1);
        self.is_sign(at + 1, b"+%.")
            || is_text(at + 1)
            || before.is_some_and(|before| self.is_sign(before, b"+%") || is_text(before))
    }

    /// Returns the evidence in the words before a literal.
    fn evidence(&self, at: usize, is_versioned: bool) -> Option<Evidence> {
        let mut place = at.checked_sub(1)?;
        let mut is_first = true;
        // Back over the literals before it, to the bracket of a list or of arguments.
        while self.is_sign(place, b",") {
            is_first = false;
            place = place.checked_sub(1)?;
            match self.kind(place)? {
                Kind::Text(_) => place = place.checked_sub(1)?,
                // The next round sees the comma before a value that is none.
                _ => return None,
            }
        }
        let mut is_list = false;
        while self.is_sign(place, b"[{") || self.is_sign(place, b"(") && !self.is_call(place) {
            is_list = true;
            place = place.checked_sub(1)?;
        }
        if self.is_sign(place, b"(") {
            let callee = self.name(place.checked_sub(1)?)?;
            if self.is_kafka_call(place - 1, callee) && (is_first || is_list || takes_many(callee))
            {
                return Some(Evidence::Call);
            }
            // `getenv("ORDERS_TOPIC", "…")`, `Field("…")`.
            let names_topic = |at: usize| match self.kind(at) {
                Some(Kind::Text(Literal::Plain(text))) => is_topic_name(text),
                _ => false,
            };
            let is_value = !is_first && names_topic(place + 1);
            let is_named = || {
                let start = self.start_of_callee(place - 1);
                start.is_some_and(|start| self.is_named_topic(start))
            };
            return (is_versioned && (is_value || is_named())).then_some(Evidence::Name);
        }
        self.is_named_topic(place).then_some(Evidence::Name)
    }

    fn is_call(&self, bracket: usize) -> bool {
        const NOT_CALLED: [&str; 7] = ["in", "return", "and", "or", "not", "if", "else"];
        let before = bracket.checked_sub(1).and_then(|before| self.name(before));
        before.is_some_and(|name| !NOT_CALLED.contains(&name))
    }

    /// The place before the first name of `a.b.callee`.
    fn start_of_callee(&self, callee: usize) -> Option<usize> {
        let mut place = callee.checked_sub(1)?;
        while self.is_sign(place, b".") {
            place = place.checked_sub(2)?;
        }
        Some(place)
    }

    /// Whether the function at a place sends to a topic or reads one.
    fn is_kafka_call(&self, place: usize, callee: &str) -> bool {
        const CALLEES: [&str; 3] = ["AIOKafkaConsumer", "KafkaConsumer", "send_and_wait"];
        /// Calls that other objects have too.
        const AMBIGUOUS: [&str; 6] = [
            "subscriber",
            "publisher",
            "produce",
            "send",
            "subscribe",
            "publish",
        ];
        const RECEIVERS: [&str; 4] = ["producer", "consumer", "kafka", "broker"];
        if !self.is_about_kafka {
            return false;
        }
        if !AMBIGUOUS.contains(&callee) {
            return CALLEES.contains(&callee);
        }
        let receiver = (place.checked_sub(1))
            .filter(|dot| self.is_sign(*dot, b"."))
            .and_then(|dot| self.name(dot.checked_sub(1)?));
        receiver.is_some_and(|receiver| {
            let receiver = receiver.to_ascii_lowercase();
            RECEIVERS.iter().any(|known| receiver.contains(known))
        })
    }

    /// Whether the sign at a place gives a value to a name of a topic: `topic=`, `"topic":`,
    /// `ORDERS_TOPIC: Final =`.
    fn is_named_topic(&self, place: usize) -> bool {
        let Some(before) = place.checked_sub(1) else {
            return false;
        };
        if !self.is_sign(place, b"=:") || self.is_sign(before, b"=!<>") {
            return false;
        }
        let before = if self.is_sign(place, b"=") && self.is_sign(before, b":") {
            before.saturating_sub(1)
        } else {
            before
        };
        match self.kind(before) {
            Some(Kind::Name(name)) if self.is_sign(place, b"=") => {
                is_topic_name(self.annotated(before).unwrap_or(name))
            }
            Some(Kind::Name(name) | Kind::Text(Literal::Plain(name))) => is_topic_name(name),
            Some(Kind::Sign(b']' | b'>')) => self.annotated(before).is_some_and(is_topic_name),
            _ => false,
        }
    }

    /// The name in `name: Type[…] =`, whose type ends at a place.
    fn annotated(&self, end: usize) -> Option<&'t str> {
        const MAX_TYPE_TOKENS: usize = 12;
        let start = (end.saturating_sub(MAX_TYPE_TOKENS)..=end)
            .rev()
            .take_while(|at| {
                !matches!(self.kind(*at), Some(Kind::LineEnd)) && !self.is_sign(*at, b";={}(,")
            })
            .find(|at| self.is_sign(*at, b":"))?;
        self.name(start.checked_sub(1)?)
    }
}

/// Whether a function takes any number of topics.
fn takes_many(callee: &str) -> bool {
    matches!(callee, "AIOKafkaConsumer" | "KafkaConsumer" | "subscriber")
}

/// Whether Kafka would take a text as the name of a topic, and it is more than punctuation.
fn is_topic(text: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let has_parts = text.split('.').all(|part| !part.is_empty());
    text.len() <= 249 && text.bytes().all(is_legal) && has_parts
}

/// Whether a name is that of a topic or a list of topics: `topic`, `orders_topic`,
/// `TOPIC_ORDERS`, `deadLetterTopics`, but not `topic_prefix`.
fn is_topic_name(name: &str) -> bool {
    const OTHERS: [&str; 14] = [
        "prefix",
        "suffix",
        "pattern",
        "regex",
        "type",
        "key",
        "env",
        "variable",
        "class",
        "id",
        "arn",
        "separator",
        "config",
        "group",
    ];
    let words = words(name);
    let is_topic = |word: &String| word == "topic" || word == "topics";
    (words.first().is_some_and(is_topic) || words.last().is_some_and(is_topic))
        && !words.iter().any(|word| OTHERS.contains(&word.as_str()))
}

/// The words of `snake_case`, `camelCase` and `kebab-case` in lowercase.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let is_separator = !letter.is_alphanumeric();
        if is_separator || letter.is_uppercase() && was_lower {
            words.push(String::new());
        }
        was_lower = letter.is_lowercase() || letter.is_ascii_digit();
        if !is_separator && let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn names(text: &str, language: Language) -> Vec<(String, Evidence)> {
        let found = literals(text, language).into_iter();
        found.map(|one| (one.name, one.evidence)).collect()
    }

    #[track_caller]
    fn finds(text: &str, language: Language, evidence: Evidence) {
        let found = names(text, language);
        assert!(!found.is_empty(), "{text}");
        assert!(
            found.iter().all(|one| one.1 == evidence),
            "{text}: {found:?}"
        );
    }

    #[test]
    fn names_and_calls_tell_topics_in_python() {
        use Evidence::{Call, Form, Name};
        use Language::Python;
        for text in [
            "topic = 'orders.placed'",
            "ORDERS_TOPIC: Final[str] = 'orders.placed'",
            "TOPIC_ORDERS: str = 'orders.placed'",
            "f(topic='orders.placed')",
            "{'topic': 'orders.placed'}",
            "topics = ['orders.placed', \"orders.lost\"]",
            "class A:\n    input_topic: str = Field('orders.placed.v1', description='x')",
            "topic = os.getenv('ORDERS', 'orders.placed.v1')",
            "x = os.environ.get('ORDERS_TOPIC', 'orders.placed.v1')",
            "if (topic := 'orders.placed'): pass",
            "topic = f'{env}.orders.placed'",
        ] {
            finds(text, Python, Name);
        }
        for text in [
            "import aiokafka\nAIOKafkaConsumer('orders', 'lost', group_id=g)",
            "from kafka import KafkaProducer\nproducer.send('orders', b'x')",
            "from aiokafka import x\nawait self._producer.send_and_wait('orders', v)",
            "import confluent_kafka\nconsumer.subscribe(['orders', 'lost'])",
            "from faststream.kafka import KafkaBroker\n@broker.subscriber('orders')",
        ] {
            finds(text, Python, Call);
        }
        finds("x('shop.orders.v1')", Python, Form);
    }

    #[test]
    fn names_and_calls_tell_topics_in_typescript() {
        use Evidence::{Call, Form, Name};
        use Language::TypeScript;
        for text in [
            "await producer.send({ topic: 'orders.placed', messages })",
            "export const ORDERS_TOPIC = 'orders.placed'",
            "const ordersTopic: string = `orders.placed`;",
            "const topics: readonly string[] = ['orders.placed', 'orders.lost']",
            "const topic = process.env.get('ORDERS', 'orders.placed.v1')",
            "const t = { topic: `${env}.orders.placed` }",
        ] {
            finds(text, TypeScript, Name);
        }
        finds(
            "import { Kafka } from 'kafkajs'\nkafkaClient.subscribe('orders')",
            TypeScript,
            Call,
        );
        finds("x('shop.orders.v1')", TypeScript, Form);
    }

    /// Places of literals in files, one file a line, as a parser of the language prints them.
    fn places(output: &[u8]) -> Vec<(String, Vec<(usize, usize)>)> {
        let lines = String::from_utf8_lossy(output);
        let places: Vec<_> = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("a path and places"))
            .collect();
        assert!(!places.is_empty(), "no file was read");
        places
    }

    #[track_caller]
    fn compare(file: &str, text: &str, language: Language, expected: &[(usize, usize)]) {
        let tokens = match language {
            Language::Python => python::tokens(text),
            Language::TypeScript => typescript::tokens(text),
        };
        let found: Vec<_> = tokens
            .iter()
            .filter(|token| matches!(token.kind, Kind::Text(_) | Kind::Sign(b'b')))
            .map(|token| (token.start, token.end))
            .collect();
        let first = found.iter().zip(expected).find(|(one, other)| one != other);
        if let Some((one, other)) = first {
            panic!(
                "{file}: {:?}, expected {:?}",
                &text[one.0..one.1],
                &text[other.0..other.1]
            );
        }
        assert_eq!(found.len(), expected.len(), "{file}");
    }

    #[test]
    fn finds_the_literals_that_python_finds_in_its_own_library() {
        let python = std::env::var("HERALD_PYTHON").unwrap_or("python3".to_owned());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sources/python_strings.py");
        let Ok(output) = Command::new(&python).arg(script).output() else {
            eprintln!("skipped: there is no Python");
            return;
        };
        assert!(output.status.success(), "{output:?}");
        let files = places(&output.stdout);
        assert!(files.len() > 100, "{}", files.len());
        for (file, expected) in files {
            let text = fs::read_to_string(&file).expect("Python has read it");
            compare(&file, &text, Language::Python, &expected);
        }
    }

    #[test]
    fn finds_the_literals_that_the_compiler_of_typescript_finds_in_itself() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../.tools/node/node_modules/typescript/lib");
        if !folder.is_dir() {
            eprintln!("skipped: `make .tools/node/.stamp` installs the compiler of TypeScript");
            return;
        }
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/sources/typescript_strings.cjs"
        );
        let files = [
            "_tsserver.js",
            "_typingsInstaller.js",
            "lib.dom.d.ts",
            "typescript.d.ts",
            "_tsc.js",
        ];
        let output = Command::new("node")
            .arg(script)
            .arg(folder.join("typescript.js"))
            .args(files.map(|file| folder.join(file)))
            .output()
            .expect("node is installed with it");
        assert!(output.status.success(), "{output:?}");
        for (file, expected) in places(&output.stdout) {
            let text = fs::read_to_string(&file).expect("the compiler has read it");
            compare(&file, &text, Language::TypeScript, &expected);
        }
    }

    #[test]
    fn other_texts_are_no_topics() {
        for text in [
            "import shop.models.v1",
            "# topic = 'orders.placed'",
            "\"\"\"topic = 'orders.placed'\"\"\"",
            "topic_prefix = 'onex.evt'",
            "topic = 'orders'",
            "topic = prefix + '.orders.placed'",
            "topic = 'orders.placed.' + name",
            "topic = 'orders.{}'.format(x)",
            "topic = f'orders.{name}.v1'",
            "topic = 'Orders of today'",
            "if topic == 'orders.placed': pass",
            "logger = getLogger('shop.models')",
            "x = 'shop.models.Cart'",
            "topic = make('a.b')",
            "socket.send('orders')",
            "version = '1.2.v3x'",
            "topic = 'orders..placed'",
        ] {
            assert_eq!(names(text, Language::Python), [], "{text}");
        }
        for text in [
            "// topic: 'orders.placed'",
            "const topic = `orders.${name}.v1`",
            "if (topic === 'orders.placed') {}",
            "import a from 'shop.models'",
            "subject.publish('orders')",
        ] {
            assert_eq!(names(text, Language::TypeScript), [], "{text}");
        }
    }
}
