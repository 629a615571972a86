//! AsyncAPI documents of versions 2 and 3: messages and channels of an application.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Map, Value};

/// References that are followed one after the other.
const MAX_REFERENCES: usize = 32;
/// Maximum number of messages that are read.
const MAX_EVENTS: usize = 2_000;
/// Maximum number of characters of a description.
const MAX_DESCRIPTION: usize = 1_000;

/// Parts of a document that contracts have.
pub(super) struct Document {
    pub title: String,
    pub version: Option<String>,
    pub description: Option<String>,
    pub events: Vec<Message>,
    pub consumed: BTreeSet<String>,
}

/// A message that the application sends.
pub(super) struct Message {
    pub event_type: String,
    pub topic: Option<String>,
    pub description: Option<String>,
    pub settings: Settings,
    /// Place of the payload's schema in the document, as fragment of a URI.
    pub payload: Option<String>,
}

/// Kafka binding of a channel.
#[derive(Clone, Default)]
pub(super) struct Settings {
    pub partitions: Option<u64>,
    pub replicas: Option<u64>,
    pub config: BTreeMap<String, String>,
}

/// A value and its place: the names on the way to it.
#[derive(Clone)]
struct Place<'a> {
    path: Vec<String>,
    value: &'a Value,
}

impl<'a> Place<'a> {
    fn then(&self, name: &str) -> Option<Self> {
        let value = match self.value {
            Value::Object(members) => members.get(name)?,
            Value::Array(items) => items.get(name.parse::<usize>().ok()?)?,
            _ => return None,
        };
        let mut path = self.path.clone();
        path.push(name.to_owned());
        Some(Self { path, value })
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.value
            .get(key)?
            .as_str()
            .filter(|text| !text.trim().is_empty())
    }

    /// Members of an object, or items of a list.
    fn children(&self) -> Vec<(String, Self)> {
        let names: Vec<String> = match self.value {
            Value::Object(members) => members.keys().cloned().collect(),
            Value::Array(items) => (0..items.len()).map(|index| index.to_string()).collect(),
            _ => Vec::new(),
        };
        let children = names.into_iter();
        children
            .filter_map(|name| Some((name.clone(), self.then(&name)?)))
            .collect()
    }

    fn fragment(&self) -> String {
        let escaped = self.path.iter().map(|name| {
            let name = name.replace('~', "~0").replace('/', "~1");
            format!("/{}", name.replace('%', "%25"))
        });
        format!("#{}", escaped.collect::<String>())
    }
}

/// Reader of one document.
struct Reader<'a, 'n> {
    root: Place<'a>,
    notes: &'n mut Vec<String>,
    document: Document,
}

impl Document {
    /// Reads a document. What can't be read is left out with a note.
    ///
    /// # Errors
    /// The reason why it is not a document that can be read.
    pub(super) fn read(root: &Value, notes: &mut Vec<String>) -> Result<Self, String> {
        let version = root.get("asyncapi").and_then(Value::as_str);
        let version = version.ok_or("it has no key `asyncapi`, which names the version")?;
        let info = root.get("info");
        let text = |key: &str| info.and_then(|info| info.get(key)?.as_str());
        let mut reader = Reader {
            root: Place {
                path: Vec::new(),
                value: root,
            },
            notes,
            document: Self {
                title: text("title").unwrap_or_default().to_owned(),
                version: text("version")
                    .filter(|version| is_version(version))
                    .map(str::to_owned),
                description: text("description").and_then(one_line),
                events: Vec::new(),
                consumed: BTreeSet::new(),
            },
        };
        match version.split('.').next() {
            Some("2") => reader.version_2(),
            Some("3") => reader.version_3(),
            _ => {
                return Err(format!(
                    "it has version `{version}`; versions 2 and 3 are read"
                ));
            }
        }
        Ok(reader.document)
    }
}

impl<'a> Reader<'a, '_> {
    /// In version 2, the operations of a channel are those of others: they subscribe to what the
    /// application sends.
    fn version_2(&mut self) {
        for (name, channel) in self.members("channels") {
            let Some(channel) = self.followed(channel) else {
                continue;
            };
            let topic = topic(&channel, &name);
            if let Some(operation) = channel.then("subscribe") {
                let messages = operation.then("message").map(|it| vec![(name.clone(), it)]);
                self.send(
                    &name,
                    &channel,
                    topic.as_deref(),
                    messages.unwrap_or_default(),
                );
            }
            if channel.then("publish").is_some() {
                self.receive(&name, topic);
            }
        }
    }

    fn version_3(&mut self) {
        let operations = self.members("operations");
        if operations.is_empty() {
            for (name, channel) in self.members("channels") {
                self.channel_3(&name, channel, "send", Vec::new());
            }
        }
        for (_, operation) in operations {
            let Some(operation) = self.followed(operation) else {
                continue;
            };
            let action = operation.text("action").unwrap_or_default();
            let Some(channel) = operation.then("channel") else {
                continue;
            };
            let name = channel.text("$ref").and_then(|it| it.rsplit('/').next());
            let name = name
                .unwrap_or_default()
                .replace("~1", "/")
                .replace("~0", "~");
            let messages = operation
                .then("messages")
                .map(|it| it.children())
                .unwrap_or_default();
            self.channel_3(&name, channel, action, messages);
        }
    }

    /// Reads a channel of version 3. Without messages, all of it are meant.
    fn channel_3(
        &mut self,
        name: &str,
        channel: Place<'a>,
        action: &str,
        messages: Vec<(String, Place<'a>)>,
    ) {
        let Some(channel) = self.followed(channel) else {
            return;
        };
        let address = channel.text("address").unwrap_or(name).to_owned();
        let topic = topic(&channel, &address);
        if action == "receive" {
            self.receive(name, topic);
            return;
        }
        let messages = if messages.is_empty() {
            channel
                .then("messages")
                .map(|it| it.children())
                .unwrap_or_default()
        } else {
            messages
        };
        self.send(name, &channel, topic.as_deref(), messages);
    }

    fn receive(&mut self, channel: &str, topic: Option<String>) {
        match topic {
            Some(topic) => _ = self.document.consumed.insert(topic),
            None => self.notes.push(format!(
                "the channel `{channel}` is not consumed: its address is not the name of a topic"
            )),
        }
    }

    fn send(
        &mut self,
        channel_name: &str,
        channel: &Place<'a>,
        topic: Option<&str>,
        messages: Vec<(String, Place<'a>)>,
    ) {
        if topic.is_none() && !messages.is_empty() {
            self.notes.push(format!(
                "the topic of `{channel_name}` follows the topic pattern: its address is not the name of a topic"
            ));
        }
        let settings = settings(channel);
        let mut seen = HashSet::new();
        let mut open = messages;
        open.reverse();
        while let Some((key, message)) = open.pop() {
            let Some(message) = self.followed(message) else {
                continue;
            };
            if !seen.insert(message.fragment()) || self.document.events.len() >= MAX_EVENTS {
                continue;
            }
            // Version 2 has several messages in one place.
            if let Some(choices) = message.then("oneOf") {
                let mut choices = choices.children();
                choices.reverse();
                open.extend(choices);
                continue;
            }
            let is_component = message
                .path
                .first()
                .is_some_and(|name| name == "components");
            let given = message.text("name").or_else(|| message.text("messageId"));
            let component = message.path.last().filter(|_| is_component);
            let name = given.or(component.map(String::as_str)).unwrap_or(&key);
            // Without a topic of its own, the event type is a part of it.
            let name = if given.is_none() || topic.is_none() {
                name.replace(|c| !is_in_topics(c), "_")
            } else {
                name.to_owned()
            };
            let event_type = self.event_type(&name, channel_name, topic);
            let Some(event_type) = event_type else {
                continue;
            };
            let about = ["summary", "description", "title"].into_iter();
            let description = about.filter_map(|key| message.text(key)).find_map(one_line);
            let payload = self.payload(&message, &event_type);
            self.document.events.push(Message {
                event_type,
                topic: topic.map(str::to_owned),
                description,
                settings: settings.clone(),
                payload,
            });
        }
    }

    /// Returns the event type of a message: its name, with that of the channel where several channels
    /// have it. `None` if it is there already.
    fn event_type(&self, name: &str, channel: &str, topic: Option<&str>) -> Option<String> {
        let known = |name: &str| self.document.events.iter().find(|it| it.event_type == name);
        match known(name) {
            None => Some(name.to_owned()),
            Some(event) if event.topic.as_deref() == topic => None,
            Some(_) => {
                let longer = format!("{channel}.{name}");
                known(&longer).is_none().then_some(longer)
            }
        }
    }

    /// Returns the place of the schema of a message's payload.
    fn payload(&mut self, message: &Place<'a>, event_type: &str) -> Option<String> {
        let payload = message.then("payload")?;
        let (format, schema) = match payload.then("schema") {
            Some(schema) if payload.text("schemaFormat").is_some() => {
                (payload.text("schemaFormat"), schema)
            }
            _ => (message.text("schemaFormat"), payload),
        };
        let is_json_schema = |format: &str| {
            format.contains("schema+json")
                || format.contains("schema+yaml")
                || format.contains("aai.asyncapi")
        };
        if let Some(format) = format.filter(|format| !is_json_schema(format)) {
            self.notes.push(format!(
                "the payload of `{event_type}` is open: its schema has the format `{format}`"
            ));
            return None;
        }
        Some(schema.fragment())
    }

    fn members(&self, key: &str) -> Vec<(String, Place<'a>)> {
        self.root
            .then(key)
            .map(|it| it.children())
            .unwrap_or_default()
    }

    /// Follows references within the document.
    fn followed(&mut self, mut place: Place<'a>) -> Option<Place<'a>> {
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = place.text("$ref") else {
                return Some(place);
            };
            let target = reference.strip_prefix("#/").and_then(|path| {
                path.split('/').try_fold(self.root.clone(), |place, name| {
                    place.then(&name.replace("~1", "/").replace("~0", "~"))
                })
            });
            let Some(target) = target else {
                self.notes.push(format!(
                    "`{reference}` is left out: there is nothing in this document"
                ));
                return None;
            };
            place = target;
        }
        self.notes.push(format!(
            "`{}` is left out: it leads to itself",
            place.fragment()
        ));
        None
    }
}

/// Returns the topic of a channel; `None` if its address is not the name of one.
fn topic(channel: &Place<'_>, address: &str) -> Option<String> {
    let bound = kafka(channel).and_then(|binding| binding.get("topic")?.as_str());
    let topic = bound.unwrap_or(address);
    (!topic.is_empty() && topic.chars().all(is_in_topics)).then(|| topic.to_owned())
}

fn is_in_topics(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

/// Returns the Kafka binding of a channel.
fn kafka<'a>(channel: &Place<'a>) -> Option<&'a Map<String, Value>> {
    channel.value.get("bindings")?.get("kafka")?.as_object()
}

fn settings(channel: &Place<'_>) -> Settings {
    let Some(binding) = kafka(channel) else {
        return Settings::default();
    };
    let number = |key: &str| {
        binding
            .get(key)
            .and_then(Value::as_u64)
            .filter(|it| *it > 0)
    };
    let config = binding.get("topicConfiguration").and_then(Value::as_object);
    let config = config.into_iter().flatten().filter_map(|(key, value)| {
        let text = match value {
            Value::Array(items) => {
                let items: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
                items?.join(",")
            }
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return None,
        };
        Some((key.clone(), text))
    });
    Settings {
        partitions: number("partitions"),
        replicas: number("replicas"),
        config: config.collect(),
    }
}

/// A text of several lines as one, cut where it is long.
fn one_line(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().take(MAX_DESCRIPTION).collect();
    (!line.is_empty()).then_some(line)
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() <= 3 && parts.iter().all(|part| part.parse::<u32>().is_ok())
}
