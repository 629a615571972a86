//! AsyncAPI: one document about all events that nodes publish and all topics that they consume.
//!
//! The specification is AsyncAPI 3.1.0 or 3.0.0, with the Kafka bindings 0.5.0. Payloads stay in JSON Schema
//! of the dialect that AsyncAPI reads by default, so definitions are in `components`.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use herald_catalog::category::{Part, PayloadField, PayloadType, PayloadValue, Stage};
use herald_catalog::example::Example;
use herald_catalog::fields::Field;
use herald_catalog::kind::Kind;
use herald_catalog::topics::{self, Published, TopicNames};
use herald_catalog::{Consumed, Event, Node};
use herald_envelope::{Description, Place, topic};
use serde_json::{Map, Value, json};

use crate::file::{GeneratedFile, MARKER, UsedNames};
use crate::json_schema::{Scope, View, object, scalar, whole_payload};
use crate::targets::{BuiltInTarget, Render, TargetError};

/// The row in the table of targets.
pub static TARGET: BuiltInTarget = BuiltInTarget {
    name: "asyncapi",
    title: "AsyncAPI document of all events",
    extension: "json",
    render: Render::PerCatalog(|nodes, _| render(nodes, "3.1.0", "asyncapi.json")),
};

/// Target of documents in version 3.0, which differ in the version only.
pub static TARGET_3_0: BuiltInTarget = BuiltInTarget {
    name: "asyncapi-3.0",
    title: "AsyncAPI document in version 3.0, for tools that don't read 3.1",
    extension: "json",
    render: Render::PerCatalog(|nodes, _| render(nodes, "3.0.0", "asyncapi-3.0.json")),
};

const KAFKA_BINDING_VERSION: &str = "0.5.0";
/// Version of the document where contracts have none, or different ones.
const DEFAULT_VERSION: &str = "1.0.0";

fn render(nodes: &[&Node], version: &str, path: &str) -> Result<Vec<GeneratedFile>, TargetError> {
    let (published, problems) = topics::published(nodes.iter().copied(), None);
    if !problems.is_empty() {
        return Err(TargetError::Conflicts(problems));
    }
    let mut document = Document::default();
    for node in nodes {
        document.add_envelope(node);
    }
    document.open_topics = open_topics(nodes);
    document.topic_names = TopicNames::of(nodes.iter().copied());
    for topic in &published {
        document.add_channel(&topic.name, Some(topic));
    }
    for node in nodes {
        document.add_definitions(node);
        for event in &node.events {
            document.add_event(node, event);
        }
    }
    // Only now are all events known that may be consumed.
    for node in nodes {
        for consumed in &node.consumed {
            document.add_consumed(node, consumed);
        }
    }
    let document = document.finish(nodes, version);
    Ok(vec![GeneratedFile {
        path: path.to_owned(),
        contents: format!("{document:#}\n"),
    }])
}

/// The document in the making.
#[derive(Default)]
struct Document {
    channels: Components,
    operations: Components,
    messages: Components,
    schemas: Components,
    /// Envelope profiles by their names.
    envelopes: BTreeMap<&'static str, Description>,
    /// See [`trait_name`].
    traits: BTreeMap<String, Value>,
    topic_names: TopicNames,
    /// See [`open_topics`].
    open_topics: HashMap<String, String>,
    /// Ids of channels by the names of their topics.
    channel_ids: BTreeMap<String, String>,
    /// Names of definitions among schemas, by node and definition.
    definition_names: HashMap<(String, String), String>,
}

impl Document {
    fn add_envelope(&mut self, node: &Node) {
        let description = node.profile().describe();
        self.traits
            .entry(trait_name(node))
            .or_insert_with(|| envelope_trait(&description, node));
        if !self.envelopes.contains_key(description.name) {
            self.schemas.names.add(description.name);
            self.envelopes.insert(description.name, description);
        }
    }

    /// Adds the channel of a topic that is new here. `name` has its namespace.
    fn add_channel(&mut self, name: &str, published: Option<&Published>) {
        let mut channel = Map::new();
        match self.open_topics.get(name) {
            Some(template) => {
                channel.insert("address".to_owned(), json!(template));
                channel.insert("title".to_owned(), json!(name));
                let namespace = json!({
                    "description": "Namespace of the deployment.",
                    "default": topic::DEFAULT_NAMESPACE,
                });
                channel.insert("parameters".to_owned(), json!({"namespace": namespace}));
            }
            None => {
                channel.insert("address".to_owned(), json!(name));
            }
        }
        channel.insert("messages".to_owned(), json!({}));
        if let Some(binding) = published.and_then(channel_binding) {
            channel.insert("bindings".to_owned(), json!({"kafka": binding}));
        }
        let id = self.channels.add(name, Value::Object(channel));
        self.channel_ids.insert(name.to_owned(), id);
    }

    /// Adds the definitions of a node that its events may refer to.
    fn add_definitions(&mut self, node: &Node) {
        // All names first: definitions may refer to each other.
        for definition in &node.definitions {
            let name = format!("{}.{}", node.identity.slug, definition.ident);
            let name = self.schemas.add(&name, Value::Null);
            let key = (node.identity.slug.clone(), definition.name.clone());
            self.definition_names.insert(key, name);
        }
        for one in &node.scalars {
            let name = format!("{}.{}", node.identity.slug, one.name);
            let reference = |name: &str| name.to_owned();
            let scope = Scope {
                view: View::Wire,
                reference: &reference,
            };
            let name = self.schemas.add(&name, Value::Object(scalar(one, scope)));
            let key = (node.identity.slug.clone(), one.name.clone());
            self.definition_names.insert(key, name);
        }
        for definition in &node.definitions {
            let description = definition.description.as_deref();
            let schema = self.schema(node, &definition.name, description, &definition.fields);
            let key = (node.identity.slug.clone(), definition.name.clone());
            self.schemas.set(&self.definition_names[&key], schema);
        }
    }

    /// Adds the message of an event and the operation that sends it.
    fn add_event(&mut self, node: &Node, event: &Event) {
        let name = topic_name(node, event);
        let Some(channel) = self.channel_ids.get(&name).cloned() else {
            return;
        };
        let id = format!("{}.{}", node.identity.slug, event.ident);
        let payload = self.payload(node, event);
        let schema = self.schemas.add(&format!("{id}.payload"), payload);
        let mut message = Map::new();
        message.insert("name".to_owned(), json!(event.event_type));
        message.insert("title".to_owned(), json!(event.event_type));
        if let Some(description) = &event.description {
            message.insert("summary".to_owned(), json!(description));
        }
        let envelope = node.profile().describe();
        let traits = json!([reference("messageTraits", &trait_name(node))]);
        message.insert("traits".to_owned(), traits);
        if let Some(headers) = identity_headers(&envelope, event) {
            message.insert("headers".to_owned(), headers);
        }
        let payload = reference("schemas", &schema);
        let value = match envelope.payload {
            None => payload,
            Some(member) => {
                let mut properties = identity(&envelope, event, |place| match place {
                    Place::Member(name) => Some(name),
                    Place::Header(_) => None,
                });
                properties.insert(member.to_owned(), payload);
                json!({"allOf": [
                    reference("schemas", envelope.name),
                    {"type": "object", "properties": properties},
                ]})
            }
        };
        message.insert("payload".to_owned(), value);
        message.insert(
            "bindings".to_owned(),
            json!({"kafka": {
                "key": key_schema(event),
                "bindingVersion": KAFKA_BINDING_VERSION,
            }}),
        );
        if let Some(example) = example(node, event) {
            message.insert("examples".to_owned(), json!([example]));
        }
        let message = self.messages.add(&id, Value::Object(message));
        self.channels.set_message(&channel, &message);
        self.add_operation("send", node, event.ident.as_str(), &channel, Some(&message));
    }

    /// Adds the operation that receives from a topic.
    fn add_consumed(&mut self, node: &Node, consumed: &Consumed) {
        if topic::validate(&consumed.topic).is_err() {
            return;
        }
        let name = self.topic_names.resolve(&consumed.topic).next();
        let name = name.unwrap_or(&consumed.topic).to_owned();
        if !self.channel_ids.contains_key(&name) {
            self.add_channel(&name, None);
        }
        let channel = self.channel_ids[&name].clone();
        let message = (consumed.event_type.as_ref())
            .and_then(|event_type| self.message_of(&channel, event_type));
        self.add_operation("receive", node, &name, &channel, message.as_deref());
    }

    /// Returns the message of a channel with this event type.
    fn message_of(&self, channel: &str, event_type: &str) -> Option<String> {
        let messages = self.channels.get(channel)["messages"].as_object()?;
        let mut names = messages.keys();
        let has_type = |name: &&String| self.messages.get(name)["name"] == event_type;
        names.find(has_type).cloned()
    }

    fn add_operation(
        &mut self,
        action: &str,
        node: &Node,
        subject: &str,
        channel: &str,
        message: Option<&str>,
    ) {
        let slug = &node.identity.slug;
        let mut operation = Map::new();
        operation.insert("action".to_owned(), json!(action));
        operation.insert("channel".to_owned(), pointer(&["channels", channel]));
        operation.insert("tags".to_owned(), json!([{"name": slug}]));
        if let Some(message) = message {
            let message = pointer(&["channels", channel, "messages", message]);
            operation.insert("messages".to_owned(), json!([message]));
        }
        let id = format!("{slug}.{action}.{subject}");
        self.operations.add(&id, Value::Object(operation));
    }

    /// Returns the schema of the payload of an event.
    fn payload(&self, node: &Node, event: &Event) -> Value {
        let title = &event.event_type;
        match (&event.declared, event.stage) {
            (Some(declared), _) => match &declared.json_schema {
                Some(schema) => {
                    let mut payload = Map::from_iter([("title".to_owned(), json!(title))]);
                    payload.extend(whole_payload(None, schema));
                    Value::Object(payload)
                }
                None => self.schema(node, title, None, &declared.payload),
            },
            (None, Some(stage)) => self.stage_schema(node, event, stage),
            (None, None) => json!({"type": "object"}),
        }
    }

    /// Returns the schema of an event that Herald defines, from the row of its stage.
    fn stage_schema(&self, node: &Node, event: &Event, stage: &Stage) -> Value {
        stage_payload(node, event, stage, &mut |title, fields| {
            self.schema(node, title, None, fields)
        })
    }

    /// Returns the schema of an object with these fields, as consumers see them.
    fn schema(
        &self,
        node: &Node,
        title: &str,
        description: Option<&str>,
        fields: &[Field],
    ) -> Value {
        let reference = |name: &str| {
            let key = (node.identity.slug.clone(), name.to_owned());
            let component = self.definition_names.get(&key);
            path(&["components", "schemas", component.map_or(name, |it| it)])
        };
        let scope = Scope {
            view: View::Wire,
            reference: &reference,
        };
        let mut schema = Map::new();
        schema.insert("title".to_owned(), json!(title));
        schema.extend(object(description, fields, scope));
        remove_references(&mut schema);
        Value::Object(schema)
    }

    fn finish(mut self, nodes: &[&Node], version: &str) -> Value {
        for (name, envelope) in self.envelopes {
            if let Some(Value::Object(mut schema)) = envelope.value {
                schema.shift_remove("$schema");
                self.schemas.members.insert(name.to_owned(), schema.into());
            }
        }
        json!({
            "asyncapi": version,
            "x-generator": MARKER,
            "info": info(nodes),
            "defaultContentType": "application/json",
            "channels": self.channels.members,
            "operations": self.operations.members,
            "components": {
                "messages": self.messages.members,
                "messageTraits": self.traits,
                "schemas": self.schemas.members,
            },
        })
    }
}

/// Named parts of the document. AsyncAPI takes only some characters in their names.
#[derive(Default)]
struct Components {
    members: Map<String, Value>,
    names: UsedNames,
}

impl Components {
    /// Adds a part, and returns its name: `wanted` in permitted characters, with a number behind it
    /// where another part has it.
    fn add(&mut self, wanted: &str, part: Value) -> String {
        let is_permitted = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let name = self.names.add(&wanted.replace(|c| !is_permitted(c), "_"));
        self.members.insert(name.clone(), part);
        name
    }

    fn set(&mut self, name: &str, part: Value) {
        self.members.insert(name.to_owned(), part);
    }

    fn get(&self, name: &str) -> &Value {
        self.members.get(name).unwrap_or(&Value::Null)
    }

    /// Adds a message to a channel.
    fn set_message(&mut self, channel: &str, message: &str) {
        if let Some(channel) = self.members.get_mut(channel) {
            channel["messages"][message] = reference("messages", message);
        }
    }
}

/// Returns the schema of an event that Herald defines, from the row of its stage. `object` returns the
/// schema of an object with a title and these fields.
pub(crate) fn stage_payload(
    node: &Node,
    event: &Event,
    stage: &Stage,
    object: &mut dyn FnMut(&str, &[Field]) -> Value,
) -> Value {
    let operation = event.operation.map(|index| &node.operations[index]);
    let mut properties = Map::new();
    for field in stage.payload {
        let mut schema = match field.value {
            PayloadValue::Operation => json!({"const": operation.map(|it| &it.name)}),
            PayloadValue::NodeType => json!({"const": node.kind.map(Kind::as_str)}),
            PayloadValue::Flag(flag) => json!({"const": flag}),
            PayloadValue::Summary(_, part) => {
                let fields = operation.map_or(&[][..], |operation| operation.fields_of(part));
                object(part_title(part), fields)
            }
            _ => value_schema(field.ty),
        };
        if let (Some(description), Value::Object(schema)) = (field.description, &mut schema) {
            schema.insert("description".to_owned(), json!(description));
        }
        properties.insert(field.name.to_owned(), schema);
    }
    properties.insert("metadata".to_owned(), json!({"type": "object"}));
    let required = stage.payload.iter().filter(|field| field.required);
    let required: Vec<_> = required.map(|field: &PayloadField| field.name).collect();
    json!({
        "title": event.event_type,
        "type": "object",
        "properties": properties,
        "required": required,
    })
}

/// Returns the name of an event's topic, with its namespace.
fn topic_name(node: &Node, event: &Event) -> String {
    event.topic.in_namespace(topics::namespace_of(node, None))
}

/// Returns the templates of the topics whose namespace no contract sets, by their names.
fn open_topics(nodes: &[&Node]) -> HashMap<String, String> {
    let open = nodes.iter().filter(|node| node.namespace.is_none());
    let events = open.flat_map(|node| node.events.iter().map(move |event| (node, event)));
    events
        .filter(|(_, event)| event.topic.is_namespaced())
        .map(|(node, event)| (topic_name(node, event), event.topic.as_template()))
        .collect()
}

fn channel_binding(topic: &Published) -> Option<Value> {
    let mut binding = Map::new();
    if let Some(partitions) = topic.partitions {
        binding.insert("partitions".to_owned(), json!(partitions));
    }
    if let Some(replicas) = topic.replication_factor {
        binding.insert("replicas".to_owned(), json!(replicas));
    }
    if !topic.config.is_empty() {
        let config = topic.config.iter();
        let config: Map<_, _> = config
            .map(|(key, value)| (key.clone(), config_value(key, value)))
            .collect();
        binding.insert("topicConfiguration".to_owned(), json!(config));
    }
    if binding.is_empty() {
        return None;
    }
    binding.insert("bindingVersion".to_owned(), json!(KAFKA_BINDING_VERSION));
    Some(Value::Object(binding))
}

/// Returns a topic configuration in the type that the binding has for it.
fn config_value(key: &str, value: &str) -> Value {
    match key {
        "cleanup.policy" => value.split(',').map(str::trim).collect(),
        "retention.ms" | "retention.bytes" | "delete.retention.ms" | "max.message.bytes" => value
            .parse::<i64>()
            .map_or_else(|_| json!(value), |number| json!(number)),
        _ => json!(value),
    }
}

/// Returns the schema of the record's key.
fn key_schema(event: &Event) -> Value {
    let declared = event.declared.as_ref();
    let description = match declared.and_then(|declared| declared.partition_key.as_ref()) {
        Some(field) => format!("Value of `{field}` in the payload."),
        None => "The correlation id, else the id of the publishing node.".to_owned(),
    };
    json!({"type": "string", "description": description})
}

/// Returns an example whose payload is valid, where one was found.
fn example(node: &Node, event: &Event) -> Option<Value> {
    let example = Example::minimal(node, event)?;
    let profile = node.profile();
    let written = example.envelope.as_event();
    let mut bytes = Vec::new();
    profile.write(&written, &mut bytes).ok()?;
    let value: Value = serde_json::from_slice(&bytes).ok()?;
    let mut example = json!({"name": event.event_type, "payload": value});
    // Where the value is the envelope, headers repeat it.
    if profile.describe().value.is_none() {
        let mut headers = Map::new();
        let put = &mut |name: Cow<'static, str>, value: &[u8]| {
            let text = String::from_utf8_lossy(value).into_owned();
            headers.insert(name.into_owned(), text.into());
        };
        let set = node.optional_headers();
        profile.headers(&written, set, put).ok()?;
        example["headers"] = headers.into();
    }
    (!has_reference(&example)).then_some(example)
}

/// Returns the schemas of event type and version, by the names at their places.
pub(crate) fn identity(
    envelope: &Description,
    event: &Event,
    name_at: fn(Place) -> Option<&'static str>,
) -> Map<String, Value> {
    let fields = [
        (envelope.event_type, json!({"const": event.event_type})),
        (
            envelope.event_version,
            (envelope.version_schema)(event.version),
        ),
    ];
    let fields = fields.into_iter();
    fields
        .filter_map(|(place, schema)| Some((name_at(place)?.to_owned(), schema)))
        .collect()
}

/// Returns the schema of the headers with event type and version, if they are there.
fn identity_headers(envelope: &Description, event: &Event) -> Option<Value> {
    let properties = identity(envelope, event, |place| match place {
        Place::Header(name) => Some(name),
        Place::Member(_) => None,
    });
    (!properties.is_empty()).then(|| json!({"type": "object", "properties": properties}))
}

/// Removes what AsyncAPI's parser 3.6.6 takes for a reference without being one: a property with the
/// name `$ref`, and defaults that [have](has_reference) such a member.
fn remove_references(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name != "$ref");
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.shift_remove("$ref");
        for property in properties.values_mut().filter_map(Value::as_object_mut) {
            if property.get("default").is_some_and(has_reference) {
                property.shift_remove("default");
            }
        }
    }
}

/// Returns whether a value has a member `$ref`. Parsers take it for a reference wherever it is,
/// and open the file or the address in it.
fn has_reference(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.contains_key("$ref") || members.values().any(has_reference)
        }
        Value::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

/// Returns the schema of a value in the payload of an event that Herald defines.
fn value_schema(ty: PayloadType) -> Value {
    match ty {
        PayloadType::Text => json!({"type": "string"}),
        PayloadType::Uuid => json!({"type": "string", "format": "uuid"}),
        PayloadType::Timestamp => json!({"type": "string", "format": "date-time"}),
        PayloadType::Number => json!({"type": "number"}),
        PayloadType::Boolean => json!({"type": "boolean"}),
        PayloadType::Object => json!({"type": "object"}),
    }
}

fn part_title(part: Part) -> &'static str {
    match part {
        Part::Input => "Input",
        Part::Result => "Result",
        Part::Payload => "Payload",
    }
}

/// Returns the name of the trait that the messages of a node have: that of its envelope profile, with
/// the optional headers if some are left out.
fn trait_name(node: &Node) -> String {
    let profile = node.profile();
    let (name, written) = (profile.describe().name, node.optional_headers());
    if written == profile.optional_headers() {
        return name.to_owned();
    }
    let written: Vec<_> = written.names().collect();
    match written.as_slice() {
        [] => format!("{name}.no_optional_headers"),
        written => format!("{name}.{}", written.join(".")),
    }
}

/// Returns the parts of a message that all events of an envelope profile have in common: the headers
/// that a node writes, and the correlation id.
fn envelope_trait(envelope: &Description, node: &Node) -> Value {
    let (optional, written) = (node.profile().optional_headers(), node.optional_headers());
    let mut headers = envelope.headers.clone();
    if let Some(properties) = headers["properties"].as_object_mut() {
        properties.retain(|name, _| !optional.contains(name) || written.contains(name));
    }
    let location = match envelope.correlation_id {
        Place::Member(name) => format!("$message.payload#/{name}"),
        Place::Header(name) => format!("$message.header#/{name}"),
    };
    json!({
        "contentType": envelope.content_type,
        "headers": headers,
        "correlationId": {
            "description": "The same for all events of one request.",
            "location": location,
        },
    })
}

/// Returns title, version and tags of the document.
fn info(nodes: &[&Node]) -> Value {
    let mut info = Map::new();
    let services: HashSet<_> = nodes.iter().map(|node| &node.service_name).collect();
    let title = match nodes {
        [node] => node.identity.name.as_ref().unwrap_or(&node.service_name),
        [node, ..] if services.len() == 1 => &node.service_name,
        _ => "Events",
    };
    info.insert("title".to_owned(), json!(title));
    let versions = nodes.iter().map(|node| &node.identity.contract_version);
    let versions: HashSet<_> = versions
        .map(|version| version.as_ref().map_or(DEFAULT_VERSION, |it| &it.text))
        .collect();
    let shared = versions.iter().next().filter(|_| versions.len() == 1);
    let version = shared.copied().unwrap_or(DEFAULT_VERSION);
    info.insert("version".to_owned(), json!(version));
    if let [node] = nodes
        && let Some(description) = &node.description
    {
        info.insert("description".to_owned(), json!(description));
    }
    let tag = |node: &&Node| match &node.description {
        Some(description) => json!({"name": node.identity.slug, "description": description}),
        None => json!({"name": node.identity.slug}),
    };
    info.insert("tags".to_owned(), nodes.iter().map(tag).collect());
    Value::Object(info)
}

/// Returns a reference to a component.
fn reference(kind: &str, name: &str) -> Value {
    pointer(&["components", kind, name])
}

/// Returns a reference to a part of this document.
fn pointer(parts: &[&str]) -> Value {
    json!({"$ref": path(parts)})
}

/// Returns the path of a part of this document. Names of parts need no escapes.
fn path(parts: &[&str]) -> String {
    format!("#/{}", parts.join("/"))
}
