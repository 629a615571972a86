//! Descriptions of topics, for a producer that has to know them before it sends the first message.
//!
//! rdkafka has no functions for the rights of a client (KIP-430), nor for requests of administration
//! through a producer. A client of its own would cost threads and connections.

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::time::{Duration, Instant};

use rdkafka::bindings as ffi;
use rdkafka::client::{Client, ClientContext};
use rdkafka::metadata::MetadataBroker;

use super::transport::NO_TOPIC;

/// Property of a topic with the size of its largest batch.
const MAX_BATCH_BYTES: &CStr = c"max.message.bytes";

/// Errors of a topic that does not exist.
const ABSENT: [ffi::rd_kafka_resp_err_t; 2] = [
    ffi::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
    ffi::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
];

/// Error of a topic that this client may not see.
const DENIED: ffi::rd_kafka_resp_err_t =
    ffi::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;

/// Timeout of a request for metadata, before the next one.
const METADATA_INTERVAL: Duration = Duration::from_millis(500);

/// Time between two looks at whether the answer is still wanted.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Description of a topic by the cluster. Nothing is known of a topic that does not exist, and by
/// brokers before Kafka 2.3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicDescription {
    /// Whether the cluster has answered that the topic does not exist.
    pub is_absent: bool,
    /// Whether the cluster has answered that this client may not see the topic.
    pub is_denied: bool,
    /// Number of partitions.
    pub partitions: Option<usize>,
    /// Whether this client may write to it.
    pub may_write: Option<bool>,
    /// Size of the largest batch (`max.message.bytes`). Known only to clients with the right to
    /// describe configurations.
    pub max_batch_bytes: Option<usize>,
}

/// Asks the cluster about topics; waits for the answers while `is_wanted`, at most for `timeout`.
/// Topics without an answer are missing from the result.
pub(super) fn describe<C: ClientContext>(
    client: &Client<C>,
    topics: &[Box<str>],
    timeout: Duration,
    is_wanted: impl Fn() -> bool,
) -> HashMap<Box<str>, TopicDescription> {
    let names: Vec<CString> = topics
        .iter()
        .filter_map(|topic| CString::new(&**topic).ok())
        .collect();
    let mut descriptions = HashMap::new();
    let deadline = Instant::now() + timeout;
    let Some(broker) = find_broker(client, deadline, &is_wanted) else {
        return descriptions;
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let Some(mut answers) = Answers::ask(client.native_ptr(), broker, &names, left) else {
        return descriptions;
    };
    while answers.missing > 0 && is_wanted() && Instant::now() < deadline {
        answers.poll(&mut descriptions);
    }
    descriptions
}

/// Returns a broker that answers. Otherwise librdkafka waits for the controller, which may be down,
/// and which a development cluster does not have.
fn find_broker<C: ClientContext>(
    client: &Client<C>,
    deadline: Instant,
    is_wanted: impl Fn() -> bool,
) -> Option<i32> {
    while is_wanted() && Instant::now() < deadline {
        if let Ok(metadata) = client.fetch_metadata(Some(NO_TOPIC), METADATA_INTERVAL) {
            // -1 is the address of a bootstrap server.
            let answered = Some(metadata.orig_broker_id()).filter(|id| *id >= 0);
            return answered.or_else(|| metadata.brokers().first().map(MetadataBroker::id));
        }
    }
    None
}

/// Object of librdkafka that this module owns.
struct Owned<T> {
    pointer: *mut T,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// `None` if librdkafka could not create it.
    fn new(pointer: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        (!pointer.is_null()).then_some(Self { pointer, destroy })
    }
}

impl<T> Drop for Owned<T> {
    #[expect(unsafe_code, reason = "librdkafka is in C")]
    fn drop(&mut self) {
        // SAFETY: the pointer came from librdkafka, and only this drops it.
        unsafe { (self.destroy)(self.pointer) }
    }
}

/// Answers to both requests.
struct Answers {
    queue: Owned<ffi::rd_kafka_queue_t>,
    missing: usize,
}

#[expect(unsafe_code, reason = "librdkafka is in C")]
impl Answers {
    /// Sends the requests. librdkafka copies the names, and answers each request once, at the
    /// latest with an error after the timeout.
    fn ask(
        client: *mut ffi::rd_kafka_t,
        broker: i32,
        names: &[CString],
        timeout: Duration,
    ) -> Option<Self> {
        let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: the client outlives the calls, and so do the names. Options that can't be set
        // have their defaults.
        unsafe {
            let queue = Owned::new(ffi::rd_kafka_queue_new(client), ffi::rd_kafka_queue_destroy)?;
            let collection = Owned::new(
                ffi::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()),
                ffi::rd_kafka_TopicCollection_destroy,
            )?;
            let rights = options(
                client,
                ffi::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
                broker,
                timeout,
            )?;
            let error =
                ffi::rd_kafka_AdminOptions_set_include_authorized_operations(rights.pointer, 1);
            drop(Owned::new(error, ffi::rd_kafka_error_destroy));
            ffi::rd_kafka_DescribeTopics(client, collection.pointer, rights.pointer, queue.pointer);
            let mut answers = Self { queue, missing: 1 };

            let resources: Vec<_> = names.iter().filter_map(|name| resource(name)).collect();
            let mut pointers: Vec<_> = resources.iter().map(|owned| owned.pointer).collect();
            if let Some(configs) = options(
                client,
                ffi::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
                broker,
                timeout,
            ) {
                ffi::rd_kafka_DescribeConfigs(
                    client,
                    pointers.as_mut_ptr(),
                    pointers.len(),
                    configs.pointer,
                    answers.queue.pointer,
                );
                answers.missing += 1;
            }
            Some(answers)
        }
    }

    /// Waits a moment for an answer.
    fn poll(&mut self, descriptions: &mut HashMap<Box<str>, TopicDescription>) {
        // SAFETY: the event lives until the end of this function, and what it contains is copied.
        unsafe {
            let event = ffi::rd_kafka_queue_poll(self.queue.pointer, milliseconds(POLL_INTERVAL));
            let Some(event) = Owned::new(event, ffi::rd_kafka_event_destroy) else {
                return;
            };
            self.missing -= 1;
            match ffi::rd_kafka_event_type(event.pointer) {
                ffi::RD_KAFKA_EVENT_DESCRIBETOPICS_RESULT => read_topics(&event, descriptions),
                ffi::RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT => read_configs(&event, descriptions),
                _ => {}
            }
        }
    }
}

fn milliseconds(time: Duration) -> c_int {
    c_int::try_from(time.as_millis()).unwrap_or(c_int::MAX)
}

/// # Safety
/// The client must exist.
#[expect(unsafe_code, reason = "librdkafka is in C")]
unsafe fn options(
    client: *mut ffi::rd_kafka_t,
    operation: ffi::rd_kafka_admin_op_t,
    broker: i32,
    timeout: Duration,
) -> Option<Owned<ffi::rd_kafka_AdminOptions_t>> {
    // SAFETY: no text of an error is asked for.
    unsafe {
        let options = Owned::new(
            ffi::rd_kafka_AdminOptions_new(client, operation),
            ffi::rd_kafka_AdminOptions_destroy,
        )?;
        ffi::rd_kafka_AdminOptions_set_request_timeout(
            options.pointer,
            milliseconds(timeout),
            ptr::null_mut(),
            0,
        );
        ffi::rd_kafka_AdminOptions_set_broker(options.pointer, broker, ptr::null_mut(), 0);
        Some(options)
    }
}

/// Returns the request for the limit of a topic.
#[expect(unsafe_code, reason = "librdkafka is in C")]
fn resource(name: &CStr) -> Option<Owned<ffi::rd_kafka_ConfigResource_t>> {
    let kind = ffi::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC;
    // SAFETY: librdkafka copies the texts. The value has no meaning in this request, but must not
    // be missing.
    unsafe {
        let resource = Owned::new(
            ffi::rd_kafka_ConfigResource_new(kind, name.as_ptr()),
            ffi::rd_kafka_ConfigResource_destroy,
        )?;
        ffi::rd_kafka_ConfigResource_set_config(
            resource.pointer,
            MAX_BATCH_BYTES.as_ptr(),
            c"".as_ptr(),
        );
        Some(resource)
    }
}

/// # Safety
/// The event must be a result of `DescribeTopics`.
#[expect(unsafe_code, reason = "librdkafka is in C")]
unsafe fn read_topics(
    event: &Owned<ffi::rd_kafka_event_t>,
    descriptions: &mut HashMap<Box<str>, TopicDescription>,
) {
    // SAFETY: all pointers lead into the event. A result without topics, or a topic with an error,
    // has counts of 0.
    unsafe {
        let mut count = 0;
        let result = ffi::rd_kafka_event_DescribeTopics_result(event.pointer);
        let topics = ffi::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        for topic in slice(topics, count) {
            let Some(name) = text(ffi::rd_kafka_TopicDescription_name(*topic)) else {
                continue;
            };
            let error = ffi::rd_kafka_TopicDescription_error(*topic);
            let error = (!error.is_null()).then(|| ffi::rd_kafka_error_code(error));
            let mut partitions = 0;
            ffi::rd_kafka_TopicDescription_partitions(*topic, &raw mut partitions);
            let mut count = 0;
            let operations =
                ffi::rd_kafka_TopicDescription_authorized_operations(*topic, &raw mut count);
            // As numbers: a later librdkafka may have more operations than the enumeration.
            let mut operations = slice(operations.cast::<u32>(), count).iter();
            let write = ffi::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_WRITE as u32;
            let description = descriptions.entry(name.into()).or_default();
            description.is_absent = error.is_some_and(|error| ABSENT.contains(&error));
            description.is_denied = error == Some(DENIED);
            description.partitions = Some(partitions).filter(|count| *count > 0);
            description.may_write = (count > 0).then(|| operations.any(|one| *one == write));
        }
    }
}

/// # Safety
/// The event must be a result of `DescribeConfigs`.
#[expect(unsafe_code, reason = "librdkafka is in C")]
unsafe fn read_configs(
    event: &Owned<ffi::rd_kafka_event_t>,
    descriptions: &mut HashMap<Box<str>, TopicDescription>,
) {
    // SAFETY: all pointers lead into the event. Without the right there are no entries.
    unsafe {
        let mut count = 0;
        let result = ffi::rd_kafka_event_DescribeConfigs_result(event.pointer);
        let resources = ffi::rd_kafka_DescribeConfigs_result_resources(result, &raw mut count);
        for resource in slice(resources, count) {
            let mut count = 0;
            let entries = ffi::rd_kafka_ConfigResource_configs(*resource, &raw mut count);
            let limit = slice(entries, count).iter().find_map(|entry| {
                let name = text(ffi::rd_kafka_ConfigEntry_name(*entry))?;
                let value = text(ffi::rd_kafka_ConfigEntry_value(*entry))?;
                (name.as_bytes() == MAX_BATCH_BYTES.to_bytes())
                    .then(|| value.parse().ok())
                    .flatten()
            });
            if let Some(name) = text(ffi::rd_kafka_ConfigResource_name(*resource)) {
                descriptions.entry(name.into()).or_default().max_batch_bytes = limit;
            }
        }
    }
}

/// # Safety
/// `first` must lead to `count` elements that exist as long as they are used, or be null.
#[expect(unsafe_code, reason = "librdkafka is in C")]
unsafe fn slice<'a, T>(first: *const T, count: usize) -> &'a [T] {
    if first.is_null() {
        return &[];
    }
    // SAFETY: see above.
    unsafe { std::slice::from_raw_parts(first, count) }
}

/// # Safety
/// The text must exist as long as it is used, or be null.
#[expect(unsafe_code, reason = "librdkafka is in C")]
unsafe fn text<'a>(text: *const c_char) -> Option<&'a str> {
    // SAFETY: see above.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_str().ok())?
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::kafka::{DevCluster, KafkaOptions};
    use crate::transport::{Connector, DeliveryCallback, IgnoreEvents, RecordMetadata};
    use crate::{Failure, Message};

    struct Report(std::sync::mpsc::Sender<()>);

    impl DeliveryCallback for Report {
        fn on_delivery(self: Arc<Self>, outcome: Result<RecordMetadata, Failure>) {
            outcome.unwrap();
            self.0.send(()).unwrap();
        }
    }

    /// A development cluster has no controller, and does not tell limits.
    #[test]
    fn cluster_without_descriptions_does_not_delay_the_first_message() {
        let cluster = DevCluster::start(1).unwrap();
        let options = KafkaOptions::new(cluster.bootstrap_servers());
        let transport = options.connect(Arc::new(IgnoreEvents), None).unwrap();
        let (reported, reports) = std::sync::mpsc::channel();
        // The first one also waits for the id of the producer.
        for topic in ["first", "second"] {
            let began = Instant::now();
            let message = Message::new(topic, Some(b"k"), b"{}".to_vec()).unwrap();
            let report = Arc::new(Report(reported.clone()));
            transport.send(&message, report).unwrap();
            reports.recv().unwrap();
            assert!(began.elapsed() < Duration::from_millis(1500), "{topic}");
        }
    }
}
