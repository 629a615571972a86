//! `herald import asyncapi`: contracts from AsyncAPI documents.

use crate::support::Sandbox;

const VERSION_3: &str = "\
asyncapi: 3.0.0
info: {title: Lamp Shop, version: 1.2.0, description: 'Sells lamps.\n\nAnd bulbs.'}
channels:
  sold:
    address: shop.lamp.sold.v1
    messages:
      lampSold: {$ref: '#/components/messages/lampSold'}
    bindings:
      kafka: {partitions: 6, replicas: 3, topicConfiguration: {cleanup.policy: [delete, compact], retention.ms: 60000}}
  returned:
    address: shop.lamp.returned.v1
    messages:
      again: {$ref: '#/components/messages/lampSold'}
      note:
        summary: A note.
        payload: {schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: {type: record}}
  paid: {address: bank.paid.v1, messages: {paid: {payload: {type: object}}}}
  lights: {address: 'lights/{id}/on', messages: {on: {payload: {$ref: 'other.json#/on'}}}}
operations:
  sell: {action: send, channel: {$ref: '#/channels/sold'}, messages: [{$ref: '#/channels/sold/messages/lampSold'}]}
  takeBack: {action: send, channel: {$ref: '#/channels/returned'}}
  shine: {action: send, channel: {$ref: '#/channels/lights'}}
  getPaid: {action: receive, channel: {$ref: '#/channels/paid'}}
components:
  messages:
    lampSold:
      name: lamp.sold
      title: Lamp sold
      payload: {$ref: '#/components/schemas/Lamp'}
  schemas:
    Lamp:
      type: object
      required: [id]
      properties:
        id: {type: string, format: uuid}
        parts: {type: array, items: {$ref: '#/components/schemas/Lamp'}}
";

#[test]
fn version_3_becomes_a_contract_that_can_be_generated() {
    let sandbox = Sandbox::with(&[("asyncapi.yaml", VERSION_3)]);
    let run = sandbox
        .herald(&["import", "asyncapi", "asyncapi.yaml", "--out", "contracts"])
        .exits(0);
    for note in [
        "the payload of `note` is open: its schema has the format `application/vnd.apache.avro",
        "the payload of `on` is open: it refers to `other.json#/on`",
        "the topic of `lights` follows the topic pattern",
    ] {
        assert!(run.stderr.contains(note), "{note}\n{}", run.stderr);
    }
    assert_eq!(
        sandbox.read("contracts/lamp_shop.yaml"),
        "\
# Written by `herald import asyncapi`. Payloads are those of lamp_shop.asyncapi.json.
node_type: effect
service_name: lamp_shop
description: \"Sells lamps. And bulbs.\"
version: \"1.2.0\"
operations: []
include_state_events: false
include_metric_events: false
events:
  - event_type: lamp.sold
    topic: shop.lamp.sold.v1
    description: \"Lamp sold\"
    topic_settings:
      partitions: 6
      replication_factor: 3
      config:
        cleanup.policy: \"delete,compact\"
        retention.ms: \"60000\"
    payload:
      json_schema: \"lamp_shop.asyncapi.json#/components/messages/lampSold/payload\"
  - event_type: returned.lamp.sold
    topic: shop.lamp.returned.v1
    description: \"Lamp sold\"
    payload:
      json_schema: \"lamp_shop.asyncapi.json#/components/messages/lampSold/payload\"
  - event_type: note
    topic: shop.lamp.returned.v1
    description: \"A note.\"
  - event_type: \"on\"
consumes:
  - bank.paid.v1
"
    );
    let run = sandbox.herald(&["inspect", "contracts"]).exits(0);
    let published = &run.json()["contracts"][0]["published"];
    assert_eq!(
        published[0]["payload_fields"]["parts"]["type"],
        "list[Lamp]"
    );
    sandbox.herald(&["generate", "contracts"]).exits(0);
    let again = ["import", "asyncapi", "asyncapi.yaml", "--out", "contracts"];
    let run = sandbox.herald(&again).exits(2);
    assert!(
        run.stderr.contains("exists; nothing was written"),
        "{}",
        run.stderr
    );
}

#[test]
fn version_2_sends_what_others_subscribe_to() {
    let document = r##"{
      "asyncapi": "2.6.0",
      "info": {"title": "shop", "version": "next"},
      "channels": {
        "shop.changed.v1": {
          "subscribe": {"message": {"oneOf": [
            {"$ref": "#/components/messages/Made"},
            {"messageId": "gone", "payload": {"type": "object", "properties": {"id": {"type": "integer"}}}}
          ]}},
          "publish": {"message": {"$ref": "#/components/messages/Made"}}
        }
      },
      "components": {"messages": {"Made": {"payload": {"type": "object", "properties": {"id": {"type": "string"}}}}}}
    }"##;
    let sandbox = Sandbox::with(&[("asyncapi.json", document)]);
    sandbox
        .herald(&["import", "asyncapi", "asyncapi.json", "--service", "Kiosk"])
        .exits(0);
    let contract = sandbox.read("kiosk.yaml");
    for part in [
        "event_type: Made",
        "event_type: gone",
        "channels/shop.changed.v1/subscribe/message/oneOf/1/payload",
        "consumes:\n  - shop.changed.v1",
    ] {
        assert!(contract.contains(part), "{part}\n{contract}");
    }
    assert!(!contract.contains("version: next"), "{contract}");
    sandbox.herald(&["check", "kiosk.yaml"]).exits(0);
}

#[test]
fn refuses_what_is_no_document_and_writes_nothing() {
    for (document, code, message) in [
        ("a: 1", 2, "it has no key `asyncapi`"),
        ("asyncapi: 1.2.0", 2, "versions 2 and 3 are read"),
        (
            "asyncapi: 3.0.0\ninfo: {title: a}",
            2,
            "no message that the application sends",
        ),
        ("asyncapi: [", 2, "yaml.syntax"),
        (
            "asyncapi: 3.0.0\ninfo: {title: '../../x'}\nchannels: {a: {messages: {a: {$ref: '#/channels/a/messages/a'}}}}",
            2,
            "no message that the application sends",
        ),
        (
            "asyncapi: 3.0.0\ninfo: {title: '***'}\nchannels: {a: {messages: {m: {}}}}",
            2,
            "name the service with --service",
        ),
        (
            "asyncapi: 3.0.0\ninfo: {title: s}\nchannels: {a: {messages: {'***': {}}}}",
            1,
            "names.unusable",
        ),
        (
            "asyncapi: 2.6.0\ninfo: {title: s}\nchannels: {a: {subscribe: {message: {oneOf: [{$ref: '#/channels/a/subscribe/message'}, {$ref: '#/channels/a/subscribe/message'}]}}}}",
            2,
            "no message that the application sends",
        ),
    ] {
        let sandbox = Sandbox::with(&[("in/doc.yaml", document)]);
        let run = sandbox
            .herald(&["import", "asyncapi", "in/doc.yaml"])
            .exits(code);
        assert!(run.stderr.contains(message), "{document}\n{}", run.stderr);
        assert_eq!(sandbox.files(), ["in/doc.yaml"], "{document}");
    }
}
