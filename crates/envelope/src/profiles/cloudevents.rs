//! Profiles `cloudevents` and `cloudevents-binary`: CloudEvents 1.0 in the two content modes of the
//! Kafka protocol binding 1.0.2.
//!
//! In structured mode the value is the event in the JSON event format. In binary mode the value is
//! the payload, and each attribute is a header with the prefix `ce_`. Fields that CloudEvents does
//! not define are extension attributes, whose names have only lowercase letters and digits.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Description, HeaderSink, Place, Received, Row};
use crate::envelope::{EVENT_VERSION, Envelope, Extra};
use crate::error::{Code, Error};
use crate::event::{Event, WriteJson};
use crate::field::Field;
use crate::headers::{self, HeaderSet};
use crate::json::{self as text, Json};
use crate::members::{self, Members};
use crate::topic::DEFAULT_PATTERN;
use crate::{id, key, time};

pub static STRUCTURED: Row = Row {
    name: "cloudevents",
    title: "CloudEvents 1.0 in structured mode: one JSON object with all attributes and the payload",
    by_headers: |received| received.has_content_type(STRUCTURED_TYPE_START),
    by_value: |value| {
        let name = Attribute::SpecVersion.name();
        super::starts_with_member(value, name) || members::has_member(value, name)
    },
    write: write_structured,
    headers: write_structured_headers,
    optional_headers: &[headers::TRACEPARENT],
    key: key::of_event,
    topic_pattern: DEFAULT_PATTERN,
    dead_letter_topic: super::suffixed_dead_letter_topic,
    parse: parse_structured,
    describe: describe_structured,
};

pub static BINARY: Row = Row {
    name: "cloudevents-binary",
    title: "CloudEvents 1.0 in binary mode: the payload alone; attributes are in headers",
    by_headers: |received| received.header(Attribute::SpecVersion.header()).is_some(),
    by_value: |_| false,
    write: super::write_payload,
    headers: write_binary_headers,
    optional_headers: &[headers::TRACEPARENT],
    key: key::of_event,
    topic_pattern: DEFAULT_PATTERN,
    dead_letter_topic: super::suffixed_dead_letter_topic,
    parse: parse_binary,
    describe: describe_binary,
};

const SPEC_VERSION: &str = "1.0";

/// Content type of the payload.
const DATA_CONTENT_TYPE: &str = "application/json";

/// Content type of the value in structured mode, and its part by which the mode is recognised.
const STRUCTURED_TYPE: &str = "application/cloudevents+json; charset=UTF-8";
const STRUCTURED_TYPE_START: &str = "application/cloudevents+json";

/// End of media types that are JSON.
const JSON_SUFFIX: &str = "+json";

/// Prefix of headers in binary mode.
const PREFIX: &str = "ce_";

struct AttributeRow {
    name: &'static str,
    /// Comma before the member, name in quotes, and colon.
    lead: &'static str,
    header: &'static str,
    /// JSON Schema of its text, beside `type`.
    format: Option<&'static str>,
    doc: &'static str,
}

macro_rules! attributes {
    ($($variant:ident $name:literal $format:expr, $doc:literal;)*) => {
        /// Attribute that this profile defines, or a member of the JSON event format.
        #[derive(Clone, Copy, PartialEq, Eq)]
        enum Attribute {
            $($variant,)*
        }

        static ATTRIBUTES: [AttributeRow; [$(Attribute::$variant),*].len()] = [$(AttributeRow {
            name: $name,
            lead: concat!(",\"", $name, "\":"),
            header: concat!("ce_", $name),
            format: $format,
            doc: $doc,
        }),*];

        static NAMES: [&str; ATTRIBUTES.len()] = [$($name),*];
    };
}

attributes! {
    SpecVersion "specversion" None, "Version of CloudEvents.";
    Id "id" None, "Id of the event, unique for its source.";
    Source "source" Some("uri-reference"), "Service and node that publish the event: `/SERVICE/NODE`.";
    Type "type" None, "Event type, such as `orchestrator.routing.started`.";
    Time "time" Some("date-time"), "Creation time of the event.";
    DataContentType "datacontenttype" None, "Content type of the payload.";
    EventVersion "eventversion" None, "Version of the payload.";
    SourceVersion "sourceversion" None, "Version of the service.";
    SourceInstance "sourceinstance" None, "Instance of the service, such as the name of a pod.";
    CorrelationId "correlationid" None, "Correlation id, which the events of one request share.";
    CausationId "causationid" None, "Id of the event that caused this one.";
    Environment "environment" None, "Environment of the service, such as `production`.";
    Region "region" None, "Region of the service.";
    PartitionKey "partitionkey" None, "Partition key that overrides the default key.";
    TraceParent "traceparent" None, "W3C Trace Context.";
    Metadata "metadata" None, "Metadata for observation and routing: a JSON object as text.";
    Data "data" None, "Payload of the event, as its type defines it.";
    DataBase64 "data_base64" None, "Binary payload, which Herald does not read.";
}

impl Attribute {
    fn row(self) -> &'static AttributeRow {
        &ATTRIBUTES[self as usize]
    }

    fn name(self) -> &'static str {
        self.row().name
    }

    fn header(self) -> &'static str {
        self.row().header
    }

    /// Returns whether this profile defines an attribute with this name.
    fn is_known(name: &str) -> bool {
        NAMES.contains(&name)
    }
}

/// Receiver of attributes.
trait AttributeSink {
    fn text(&mut self, attribute: Attribute, value: &str);
    /// Adds text that needs no escapes in JSON.
    fn plain(&mut self, attribute: Attribute, value: &[u8]);
    /// Adds an extension attribute that Herald does not define.
    fn extension(&mut self, name: &str, value: &Json<'_>);
    /// Adds a JSON object as text, unless it is empty.
    fn object(
        &mut self,
        attribute: Attribute,
        field: Field,
        value: &dyn WriteJson,
    ) -> Result<(), Error>;
}

fn write_attributes(event: &Event<'_>, sink: &mut impl AttributeSink) -> Result<(), Error> {
    super::check_event_type(event)?;
    let time = time::text(event.event_timestamp).ok_or_else(super::invalid_year)?;
    sink.plain(Attribute::SpecVersion, SPEC_VERSION.as_bytes());
    let foreign_id = (event.extra.iter())
        .find(|(name, _)| name == Attribute::Id.name())
        .and_then(|(_, value)| value.decode::<String>().ok());
    match &foreign_id {
        Some(id) => sink.text(Attribute::Id, id),
        None => sink.plain(Attribute::Id, &id::text(event.event_id)),
    }
    write_source(event, sink);
    sink.text(Attribute::Type, event.event_type);
    sink.plain(Attribute::Time, &time);
    sink.plain(Attribute::DataContentType, DATA_CONTENT_TYPE.as_bytes());
    if let Some(id) = event.correlation_id {
        sink.plain(Attribute::CorrelationId, &id::text(id));
    }
    for (attribute, value) in [
        (Attribute::EventVersion, Some(event.event_version)),
        (Attribute::SourceVersion, Some(event.source_version)),
        (Attribute::SourceInstance, event.source_instance),
        (Attribute::CausationId, event.causation_id),
        (Attribute::Environment, Some(event.environment)),
        (Attribute::Region, event.region),
        (Attribute::PartitionKey, event.partition_key),
    ] {
        // An attribute is not empty.
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            sink.text(attribute, value);
        }
    }
    if let Some(trace) = event.trace {
        sink.text(Attribute::TraceParent, trace.text().as_str());
    }
    sink.object(Attribute::Metadata, Field::Metadata, event.metadata)?;
    for (name, value) in event.extra {
        if foreign_id.is_some() && name == Attribute::Id.name() {
            continue;
        }
        check_extension(name, value, event)?;
        sink.extension(name, value);
    }
    Ok(())
}

/// Checks an extra field: the names and values of extension attributes are limited.
fn check_extension(name: &str, value: &Json<'_>, event: &Event<'_>) -> Result<(), Error> {
    // A correlation id that is not a UUID is an extra field.
    let is_own = name == Attribute::CorrelationId.name() && event.correlation_id.is_none();
    if Attribute::is_known(name) && !is_own {
        return Err(
            Error::new(Code::ReservedField, "an extra field can't have this name").in_field(name),
        );
    }
    let is_permitted = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() || !name.chars().all(is_permitted) {
        let message = "the name of an extension attribute has only lowercase letters and digits";
        return Err(Error::new(Code::InvalidExtension, message).in_field(name));
    }
    if value.get().starts_with(['{', '[']) || value.get() == "null" {
        let message = "an extension attribute is text, a number or a boolean";
        return Err(Error::new(Code::InvalidExtension, message).in_field(name));
    }
    Ok(())
}

/// Longest source that needs no allocation.
const SHORT_SOURCE: usize = 128;

/// Writes the source: `/SERVICE/NODE` with percent-encoding, or the service alone if it is a URI and the
/// node is empty.
fn write_source(event: &Event<'_>, sink: &mut impl AttributeSink) {
    let (service, node) = (event.source_service, event.source_node_id);
    if node.is_empty() && !service.is_empty() && service.bytes().all(is_uri_byte) {
        return sink.plain(Attribute::Source, service.as_bytes());
    }
    let mut source = ShortText::default();
    if source.push_plain(service) && source.push_plain(node) {
        return sink.plain(Attribute::Source, &source.bytes[..source.length]);
    }
    let mut source = String::with_capacity(2 * (service.len() + node.len()));
    for part in [service, node] {
        source.push('/');
        for byte in part.bytes() {
            if is_unreserved(byte) {
                source.push(char::from(byte));
            } else {
                let _ = write!(source, "%{byte:02X}");
            }
        }
    }
    sink.plain(Attribute::Source, source.as_bytes());
}

/// Source of parts that are not encoded.
struct ShortText {
    bytes: [u8; SHORT_SOURCE],
    length: usize,
}

impl Default for ShortText {
    fn default() -> Self {
        Self {
            bytes: [b'/'; SHORT_SOURCE],
            length: 0,
        }
    }
}

impl ShortText {
    /// Appends a slash and the part, if there is space and it needs no encoding.
    fn push_plain(&mut self, part: &str) -> bool {
        let start = self.length + 1;
        let Some(space) = self.bytes.get_mut(start..start + part.len()) else {
            return false;
        };
        space.copy_from_slice(part.as_bytes());
        self.length = start + part.len();
        part.bytes().all(is_unreserved)
    }
}

/// Returns service and node of a source. Any other form is a service without a node.
fn source_parts(source: Cow<'_, str>) -> (Cow<'_, str>, Cow<'_, str>) {
    match source {
        Cow::Borrowed(text) => parts_of(text).unwrap_or((source, Cow::Borrowed(""))),
        Cow::Owned(text) => match parts_of(&text) {
            Some((service, node)) => (
                Cow::Owned(service.into_owned()),
                Cow::Owned(node.into_owned()),
            ),
            None => (Cow::Owned(text), Cow::Borrowed("")),
        },
    }
}

fn parts_of(source: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let (service, node) = source.strip_prefix('/')?.rsplit_once('/')?;
    (!service.contains('/')).then_some(())?;
    Some((decode(service)?, decode(node)?))
}

/// Decodes percent-encoding.
fn decode(part: &str) -> Option<Cow<'_, str>> {
    if !part.contains('%') {
        return Some(Cow::Borrowed(part));
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |digit: Option<u8>| char::from(digit?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Returns whether RFC 3986 never requires to encode this byte.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_uri_byte(byte: u8) -> bool {
    is_unreserved(byte) || b":/?#[]@!$&'()*+,;=%".contains(&byte)
}

/// Writer of the JSON event format.
struct Structured<'b>(&'b mut Vec<u8>);

impl AttributeSink for Structured<'_> {
    fn text(&mut self, attribute: Attribute, value: &str) {
        self.0.extend_from_slice(attribute.row().lead.as_bytes());
        text::write_text(value, self.0);
    }

    fn plain(&mut self, attribute: Attribute, value: &[u8]) {
        self.0.extend_from_slice(attribute.row().lead.as_bytes());
        self.0.push(b'"');
        self.0.extend_from_slice(value);
        self.0.push(b'"');
    }

    fn extension(&mut self, name: &str, value: &Json<'_>) {
        self.0.push(b',');
        text::write_member(name, value, self.0);
    }

    fn object(
        &mut self,
        attribute: Attribute,
        field: Field,
        value: &dyn WriteJson,
    ) -> Result<(), Error> {
        super::write_object_as_text(attribute.row().lead, field, value, self.0)
    }
}

fn write_structured(event: &Event<'_>, buffer: &mut Vec<u8>) -> Result<(), Error> {
    let start = buffer.len();
    write_attributes(event, &mut Structured(buffer))?;
    // The lead of the first attribute begins with a comma.
    buffer[start] = b'{';
    buffer.extend_from_slice(Attribute::Data.row().lead.as_bytes());
    super::write_object(Field::Payload, event.payload, buffer)?;
    buffer.push(b'}');
    Ok(())
}

/// The content type is always written: receivers recognise the mode by it.
#[expect(
    clippy::unnecessary_wraps,
    reason = "headers of other profiles can fail"
)]
fn write_structured_headers(
    event: &Event<'_>,
    set: HeaderSet,
    sink: &mut HeaderSink<'_>,
) -> Result<(), Error> {
    sink(headers::CONTENT_TYPE.into(), STRUCTURED_TYPE.as_bytes());
    if set.contains(headers::TRACEPARENT) {
        super::write_trace(event, sink);
    }
    Ok(())
}

/// Writer of headers.
struct Binary<'s, 'h>(&'s mut HeaderSink<'h>);

impl AttributeSink for Binary<'_, '_> {
    fn text(&mut self, attribute: Attribute, value: &str) {
        self.plain(attribute, value.as_bytes());
    }

    fn plain(&mut self, attribute: Attribute, value: &[u8]) {
        // The content type of the payload is that of the record.
        let name = match attribute {
            Attribute::DataContentType => headers::CONTENT_TYPE,
            _ => attribute.header(),
        };
        (self.0)(name.into(), value);
    }

    fn extension(&mut self, name: &str, value: &Json<'_>) {
        let text = value.decode::<String>();
        let text = text.unwrap_or_else(|_| value.get().to_owned());
        (self.0)(format!("{PREFIX}{name}").into(), text.as_bytes());
    }

    fn object(
        &mut self,
        attribute: Attribute,
        field: Field,
        value: &dyn WriteJson,
    ) -> Result<(), Error> {
        if let Some(mut object) = super::object_text(field, value)? {
            for byte in object.iter_mut().filter(|byte| **byte < b' ') {
                *byte = b' ';
            }
            (self.0)(attribute.header().into(), &object);
        }
        Ok(())
    }
}

/// All headers are written: each is the only place of its attribute.
fn write_binary_headers(
    event: &Event<'_>,
    set: HeaderSet,
    sink: &mut HeaderSink<'_>,
) -> Result<(), Error> {
    write_attributes(event, &mut Binary(sink))?;
    if set.contains(headers::TRACEPARENT) {
        super::write_trace(event, sink);
    }
    Ok(())
}

/// Source of attributes that are read.
trait Attributes<'a> {
    fn text(&self, attribute: Attribute) -> Result<Option<Cow<'a, str>>, Error>;
    fn error(&self, attribute: Attribute, code: Code, message: &str) -> Error;

    fn required(&self, attribute: Attribute) -> Result<Cow<'a, str>, Error> {
        let text = self.text(attribute)?;
        let text = text.ok_or_else(|| self.error(attribute, Code::MissingField, "is missing"))?;
        if text.is_empty() {
            return Err(self.error(attribute, Code::EmptyText, "must not be empty"));
        }
        Ok(text)
    }
}

impl<'a> Attributes<'a> for Members<'a> {
    fn text(&self, attribute: Attribute) -> Result<Option<Cow<'a, str>>, Error> {
        self.optional(attribute as usize, Members::text)
    }

    fn error(&self, attribute: Attribute, code: Code, message: &str) -> Error {
        self.error_of(attribute as usize, code, message)
    }
}

impl<'a> Attributes<'a> for Received<'_, 'a> {
    fn text(&self, attribute: Attribute) -> Result<Option<Cow<'a, str>>, Error> {
        let name = match attribute {
            Attribute::DataContentType => headers::CONTENT_TYPE,
            _ => attribute.header(),
        };
        Ok(Received::text(self, name)?.map(Cow::Borrowed))
    }

    fn error(&self, attribute: Attribute, code: Code, message: &str) -> Error {
        Error::new(code, message).in_field(attribute.header())
    }
}

fn read<'a>(
    attributes: &impl Attributes<'a>,
    received: &Received<'_, 'a>,
    payload: Json<'a>,
    mut extra: Vec<Extra<'a>>,
) -> Result<Envelope<'a>, Error> {
    let own = |attribute| attributes.text(attribute);
    if attributes.required(Attribute::SpecVersion)? != SPEC_VERSION {
        return Err(attributes.error(
            Attribute::SpecVersion,
            Code::UnsupportedVersion,
            "this reader knows version 1.0",
        ));
    }
    let source = attributes.required(Attribute::Source)?;
    let id = attributes.required(Attribute::Id)?;
    let event_id = id::read(&id).unwrap_or_else(|| {
        extra.push((Attribute::Id.name().into(), text::of_text(&id)));
        derived_id(&source, &id)
    });
    let event_timestamp = match (own(Attribute::Time)?, received.timestamp) {
        (Some(text), _) => time::read(&text).ok_or_else(|| {
            attributes.error(Attribute::Time, Code::InvalidTimestamp, time::EXPECTED)
        })?,
        (None, Some(time)) => time,
        (None, None) => {
            let message = "is missing, and the time of the record is unknown";
            return Err(attributes.error(Attribute::Time, Code::MissingField, message));
        }
    };
    let mut correlation_id = None;
    if let Some(text) = own(Attribute::CorrelationId)? {
        correlation_id = id::read(&text);
        if correlation_id.is_none() {
            extra.push((Attribute::CorrelationId.name().into(), text::of_text(&text)));
        }
    }
    let metadata = match own(Attribute::Metadata)? {
        Some(text) => super::object_of_text(text).ok_or_else(|| {
            let message = "must be a JSON object as text";
            attributes.error(Attribute::Metadata, Code::WrongType, message)
        })?,
        None => super::empty_object(),
    };
    let (source_service, source_node_id) = source_parts(source);
    Ok(Envelope {
        event_id,
        event_type: attributes.required(Attribute::Type)?,
        event_version: own(Attribute::EventVersion)?.unwrap_or(EVENT_VERSION.into()),
        event_timestamp,
        source_node_id,
        source_service,
        source_version: own(Attribute::SourceVersion)?.unwrap_or_default(),
        source_instance: own(Attribute::SourceInstance)?,
        correlation_id,
        causation_id: own(Attribute::CausationId)?,
        environment: own(Attribute::Environment)?.unwrap_or_default(),
        region: own(Attribute::Region)?,
        partition_key: own(Attribute::PartitionKey)?,
        payload,
        metadata,
        extra,
        trace: own(Attribute::TraceParent)?.and_then(|text| text.parse().ok()),
    })
}

/// Returns an id of an event whose own is not a UUID: version 5, so that it is the same whenever it is
/// read. Source and id together are unique.
fn derived_id(source: &str, id: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{source}\n{id}").as_bytes())
}

fn parse_structured<'a>(received: &Received<'_, 'a>) -> Result<Envelope<'a>, Error> {
    let mut members = Members::of_bytes(received.value, &NAMES)?;
    check_content_type(&members)?;
    if members.has(Attribute::DataBase64 as usize) {
        let message = "a binary payload can't be read; the payload must be a JSON object in `data`";
        return Err(members.error_of(Attribute::DataBase64 as usize, Code::WrongType, message));
    }
    let payload = match members.optional(Attribute::Data as usize, Members::object)? {
        Some(payload) => payload,
        None => super::empty_object(),
    };
    let extra = std::mem::take(&mut members.extra);
    read(&members, received, payload, extra)
}

fn parse_binary<'a>(received: &Received<'_, 'a>) -> Result<Envelope<'a>, Error> {
    check_content_type(received)?;
    let payload = if received.value.is_empty() {
        super::empty_object()
    } else {
        super::object_of(received.value, Field::Payload)?
    };
    let mut extra = Vec::new();
    for (name, value) in received.headers {
        let attribute = name.strip_prefix(PREFIX);
        if let Some(attribute) = attribute.filter(|name| !Attribute::is_known(name)) {
            let value = std::str::from_utf8(value)
                .map_err(|_| Error::new(Code::NotUtf8, "not UTF-8").in_field(*name))?;
            extra.push((Cow::Borrowed(attribute), text::of_text(value)));
        }
    }
    read(received, received, payload, extra)
}

fn check_content_type<'a>(attributes: &impl Attributes<'a>) -> Result<(), Error> {
    let Some(content_type) = attributes.text(Attribute::DataContentType)? else {
        return Ok(());
    };
    let media_type = content_type.split(';').next().unwrap_or_default();
    let media_type = media_type.trim().as_bytes();
    let start = media_type.len().saturating_sub(JSON_SUFFIX.len());
    let is_json = [DATA_CONTENT_TYPE.as_bytes(), b"text/json"]
        .iter()
        .any(|known| media_type.eq_ignore_ascii_case(known))
        || media_type[start..].eq_ignore_ascii_case(JSON_SUFFIX.as_bytes());
    if is_json {
        return Ok(());
    }
    Err(attributes.error(
        Attribute::DataContentType,
        Code::WrongType,
        "the payload must be JSON",
    ))
}

fn describe_structured() -> Description {
    Description {
        name: "CloudEvent",
        content_type: STRUCTURED_TYPE,
        value: Some(schema()),
        headers: json!({
            "type": "object",
            "properties": {
                headers::CONTENT_TYPE: {"const": STRUCTURED_TYPE},
                headers::TRACEPARENT: super::trace_schema(),
            },
        }),
        payload: Some(Attribute::Data.name()),
        event_type: Place::Member(Attribute::Type.name()),
        event_version: Place::Member(Attribute::EventVersion.name()),
        correlation_id: Place::Member(Attribute::CorrelationId.name()),
        version_schema: super::version_text_schema,
    }
}

fn describe_binary() -> Description {
    let mut properties = Map::new();
    properties.insert(
        headers::CONTENT_TYPE.to_owned(),
        json!({"const": DATA_CONTENT_TYPE}),
    );
    for row in attribute_rows().filter(|row| row.name != Attribute::DataContentType.name()) {
        properties.insert(row.header.to_owned(), attribute_schema(row));
    }
    properties.insert(headers::TRACEPARENT.to_owned(), super::trace_schema());
    let required: Vec<_> = REQUIRED.iter().map(|it| it.header()).collect();
    Description {
        name: "CloudEventHeaders",
        content_type: DATA_CONTENT_TYPE,
        value: None,
        headers: json!({"type": "object", "properties": properties, "required": required}),
        payload: None,
        event_type: Place::Header(Attribute::Type.header()),
        event_version: Place::Header(Attribute::EventVersion.header()),
        correlation_id: Place::Header(Attribute::CorrelationId.header()),
        version_schema: super::version_text_schema,
    }
}

/// Attributes that every event has.
const REQUIRED: [Attribute; 4] = [
    Attribute::SpecVersion,
    Attribute::Id,
    Attribute::Source,
    Attribute::Type,
];

/// Returns the attributes without the members that have the payload.
fn attribute_rows() -> impl Iterator<Item = &'static AttributeRow> {
    ATTRIBUTES.iter().take(Attribute::Data as usize)
}

fn attribute_schema(row: &AttributeRow) -> Value {
    let mut schema = Map::new();
    schema.insert("description".to_owned(), json!(row.doc));
    schema.insert("type".to_owned(), json!("string"));
    if row.name == Attribute::SpecVersion.name() {
        schema.insert("const".to_owned(), json!(SPEC_VERSION));
    } else if REQUIRED.iter().any(|it| it.name() == row.name) {
        schema.insert("minLength".to_owned(), json!(1));
    }
    if let Some(format) = row.format {
        schema.insert("format".to_owned(), json!(format));
    }
    Value::Object(schema)
}

/// Returns the JSON Schema of the value in structured mode.
fn schema() -> Value {
    let mut properties: Map<_, _> = attribute_rows()
        .map(|row| (row.name.to_owned(), attribute_schema(row)))
        .collect();
    let data = json!({"description": Attribute::Data.row().doc, "type": "object"});
    properties.insert(Attribute::Data.name().to_owned(), data);
    let required: Vec<_> = REQUIRED.iter().map(|it| it.name()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "CloudEvent",
        "description": "A CloudEvent with a JSON object as its data. Other attributes are kept.",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": true,
    })
}
