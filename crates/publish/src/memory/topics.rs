//! Topics, their partitions, and the stored messages.

use std::collections::HashMap;

use herald_envelope::key;

use super::StoredMessage;
use crate::failure::{Failure, FailureCode, FailureKind};
use crate::message::Message;
use crate::transport::RecordMetadata;

pub(super) struct Topics {
    by_name: HashMap<String, Topic>,
    /// Messages of all topics, in the order of writing.
    written: Vec<StoredMessage>,
    /// Number of partitions of a topic that is created by writing to it.
    auto_created: Option<u32>,
    pub(super) max_message_bytes: usize,
}

struct Topic {
    /// The offset of the next message of each partition.
    ends: Vec<i64>,
    /// Partition of the next message without a key.
    turn: u32,
}

impl Topic {
    fn new(partitions: u32) -> Self {
        Self {
            ends: vec![0; partitions as usize],
            turn: 0,
        }
    }

    fn partition_of(&mut self, key: Option<&[u8]>) -> u32 {
        let partitions = u32::try_from(self.ends.len()).expect("made of as many");
        if let Some(key) = key {
            return key::partition(key, partitions);
        }
        self.turn = (self.turn + 1) % partitions;
        self.turn
    }
}

impl Topics {
    pub(super) fn new(max_message_bytes: usize) -> Self {
        Self {
            by_name: HashMap::new(),
            written: Vec::new(),
            auto_created: None,
            max_message_bytes,
        }
    }

    pub(super) fn create_with(&mut self, partitions: u32) {
        self.auto_created = Some(partitions);
    }

    pub(super) fn create(&mut self, name: &str, partitions: u32) {
        self.by_name
            .entry(name.to_owned())
            .or_insert_with(|| Topic::new(partitions));
    }

    pub(super) fn written(&self) -> &[StoredMessage] {
        &self.written
    }

    pub(super) fn write(&mut self, message: &Message) -> Result<RecordMetadata, Failure> {
        let refuse = |code, detail| Err(Failure::new(FailureKind::Permanent, code, detail));
        let (name, bytes) = (message.topic(), message.weight());
        if bytes > self.max_message_bytes {
            let most = self.max_message_bytes;
            let detail = format!("{name}: the message has {bytes} bytes, {most} are allowed");
            return refuse(FailureCode::TooLarge, detail);
        }
        if !self.by_name.contains_key(name) {
            match self.auto_created {
                Some(partitions) => self.create(name, partitions),
                None => {
                    return refuse(
                        FailureCode::UnknownTopic,
                        format!("there is no topic {name}"),
                    );
                }
            }
        }
        let topic = self.by_name.get_mut(name).expect("it is there or was made");
        let partition = topic.partition_of(message.key());
        let end = &mut topic.ends[partition as usize];
        let metadata = RecordMetadata {
            partition: i32::try_from(partition).expect("less than there are"),
            offset: *end,
        };
        *end += 1;
        self.written.push(StoredMessage {
            metadata,
            message: message.clone(),
        });
        Ok(metadata)
    }
}
