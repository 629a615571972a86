//! The table of everything that the reader checks.
//!
//! A row's documentation is what `herald explain CODE` prints.

use herald_diagnostics::{Rule, Severity};

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $severity:ident, $title:literal,
        $docs:literal, bad: $bad:literal, good: $good:literal;)*) => {
        $(
            $(#[$doc])*
            #[doc = $title]
            pub static $name: Rule = Rule {
                code: $code,
                severity: Severity::$severity,
                title: $title,
                docs: $docs,
                bad: $bad,
                good: $good,
            };
        )*

        /// Every rule, by area.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    FILE_NOT_FOUND = "file.not_found", Error, "no such file or folder",
        "A path on the command line or in `herald.yaml` leads nowhere.",
        bad: "herald check contarct.yaml",
        good: "herald check contract.yaml";
    FILE_UNREADABLE = "file.unreadable", Error, "the file can't be read",
        "The operating system refused to open the file. Its own words are in the message.",
        bad: "chmod 000 contract.yaml && herald check contract.yaml",
        good: "chmod 644 contract.yaml && herald check contract.yaml";
    FILE_IS_A_FOLDER = "file.is_a_folder", Error, "a folder stands where a contract should be",
        "A glob matched a folder that is named like a file. A folder named on the command line \
         is searched for contracts instead.",
        bad: "mkdir contract.yaml && herald check '*.yaml'",
        good: "herald check contract.yaml/";
    FILE_NO_CONTRACTS = "file.no_contracts", Error, "nothing to read in a folder or glob",
        "A check that saw no data must not pass. Contracts are `.yaml` and `.yml` files; hidden \
         folders, `node_modules`, `target` and virtual environments are not searched.",
        bad: "herald check an-empty-folder/",
        good: "herald check contracts/";
    FILE_TOO_LARGE = "file.too_large", Error, "the file is too large to be a contract",
        "Contracts are written by people: the largest known one has 39 KB. Files above 4 MiB are \
         refused before they are read.",
        bad: "herald check backup.yaml   # 100 MB",
        good: "herald check contract.yaml";
    FILE_NOT_UTF8 = "file.not_utf8", Error, "the file is not UTF-8 text",
        "YAML files are read as UTF-8. The message names the first byte that is not.",
        bad: "name: caf\\xe9        # Latin-1",
        good: "name: caf\\xc3\\xa9    # UTF-8";

    YAML_SYNTAX = "yaml.syntax", Error, "the file is not YAML",
        "The YAML parser stopped. The place is where it noticed; the cause is there or just \
         before: an indentation, an open quote or bracket, a tab.",
        bad: "operations: [place, cancel",
        good: "operations: [place, cancel]";
    YAML_EMPTY = "yaml.empty", Error, "the file is empty",
        "A file without a value, or with comments only, says nothing about a node.",
        bad: "# to be written",
        good: "node_type: effect\nservice_name: orders\noperations: [place]";
    YAML_NOT_A_MAPPING = "yaml.not_a_mapping", Error, "a contract is a mapping",
        "At its top a contract has keys and values.",
        bad: "- node_type: effect\n- service_name: orders",
        good: "node_type: effect\nservice_name: orders\noperations: [place]";
    YAML_SEVERAL_DOCUMENTS = "yaml.several_documents", Error, "more than one document in a file",
        "One file is one contract. What follows a second `---` would be lost.",
        bad: "service_name: orders\n---\nservice_name: billing",
        good: "service_name: orders";
    YAML_DUPLICATE_KEY = "yaml.duplicate_key", Warning, "a key is repeated in a mapping",
        "YAML readers disagree about repeated keys. Herald takes the last value, as most do, and \
         the first one is lost. The diagnostic's subject is the key and the line of the repetition.",
        bad: "service_name: orders\nservice_name: billing",
        good: "service_name: billing";
    YAML_TOO_DEEP = "yaml.too_deep", Error, "values are nested too deeply",
        "Nesting is limited to 100 levels, so that no file can exhaust the stack.",
        bad: "a: [[[[[[[[[[ … ]]]]]]]]]]",
        good: "a: [b]";
    YAML_TOO_LARGE = "yaml.too_many_values", Error, "the file has too many values",
        "Aliases can make a short file mean a billion values. A million is the limit.",
        bad: "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n…",
        good: "a: [x, x]";
    YAML_RECURSIVE_ALIAS = "yaml.recursive_alias", Error, "an alias contains itself",
        "An alias inside its own anchor has no end.",
        bad: "operations: &all [place, *all]",
        good: "operations: [place]";

    CONTRACT_UNKNOWN_KEY = "contract.unknown_key", Error, "unknown key in a native contract",
        "The native format knows all its keys, so a word that is none of them is a typo, and what \
         it says would be silently ignored. ONEX contracts may have any keys.",
        bad: "node_type: effect\nservice_name: orders\noperatoins: [place]",
        good: "node_type: effect\nservice_name: orders\noperations: [place]";
    CONTRACT_WRONG_TYPE = "contract.wrong_type", Error, "a value has the wrong type",
        "The message says what was expected. Text that looks like a number or a boolean needs \
         quotes.",
        bad: "operations: place",
        good: "operations: [place]";
    CONTRACT_MISSING_KEY = "contract.missing_key", Error, "a required key is missing",
        "`herald schema contract` prints every key of the format, and which are required.",
        bad: "metrics:\n  - unit: ms",
        good: "metrics:\n  - name: latency\n    unit: ms";
    CONTRACT_NO_EVENTS = "contract.no_events", Error, "no operations and no events",
        "A native contract without operations and events announces nothing, so nothing can be \
         generated from it.",
        bad: "node_type: effect\nservice_name: orders\noperations: []",
        good: "node_type: effect\nservice_name: orders\noperations: [place]";

    NAME_MISSING = "identity.name_missing", Error, "the node has no name",
        "`service_name` (in ONEX contracts `name`, `contract_name` or `node_name`) is part of \
         topics, files and classes.",
        bad: "node_type: effect\noperations: [place]",
        good: "node_type: effect\nservice_name: orders\noperations: [place]";
    NAME_NOT_IDENTIFIER = "identity.name_not_identifier", Warning, "the node's name is no identifier",
        "Files and classes are named after the node: characters other than letters, digits and \
         `_` become `_` there.",
        bad: "name: MCP Handler",
        good: "name: mcp_handler";

    KIND_MISSING = "kind.node_type_missing", Warning, "`node_type` is missing",
        "Without a kind a node has only its declared events: event types of operations begin \
         with the kind. Where `descriptor.node_archetype` says the kind, that is taken.",
        bad: "name: node_orders\nio_operations: [{operation: place}]",
        good: "name: node_orders\nnode_type: effect\nio_operations: [{operation: place}]";
    KIND_UNKNOWN = "kind.unknown", Error, "unknown `node_type`",
        "The kinds are `effect`, `compute`, `reducer` and `orchestrator`. In an ONEX contract an \
         unknown kind is a warning, and its declared events are still published.",
        bad: "node_type: orchestratr",
        good: "node_type: orchestrator";

    OPERATION_DUPLICATE = "operations.duplicate", Error, "an operation is listed twice",
        "Each operation has three events; twice the same operation would be twice the same method.",
        bad: "operations: [place, cancel, place]",
        good: "operations: [place, cancel]";
    OPERATION_DUPLICATE_ROUTE = "operations.duplicate_routing_entry", Info, "an operation is routed more than once",
        "`handler_routing.handlers` lists an operation several times, for several handlers. For \
         events it is one operation.",
        bad: "handler_routing:\n  handlers:\n    - operation: project\n    - operation: project",
        good: "handler_routing:\n  handlers:\n    - operation: project";
    OPERATION_NOT_IDENTIFIER = "operations.not_identifier", Info, "an operation's name is no identifier",
        "Event types keep the name. In identifiers a run of characters outside `[A-Za-z0-9_]` \
         becomes one `_`.",
        bad: "name: node_sessions\nio_operations: [{operation: session.index.read}]",
        good: "name: node_sessions\nio_operations: [{operation: session_index_read}]";
    NAME_UNUSABLE = "names.unusable", Error, "a name can't be made an identifier",
        "Identifiers consist of ASCII letters, digits and `_`. A name without any letter or digit \
         leaves nothing to call.",
        bad: "operations: [\"***\"]",
        good: "operations: [star]";
    NAME_COLLISION = "names.collision", Error, "two names become one identifier",
        "Generated methods and constants are named after operations and events; case is not \
         enough to tell two apart, because constants are in uppercase.",
        bad: "operations: [order.place, order_place]",
        good: "operations: [order.place, order_replace]";
    NAME_KEYWORD = "names.python_keyword", Warning, "a name is a Python keyword",
        "Generated methods carry it inside a longer name and work, but fields and variables of \
         that name can't be written in Python.",
        bad: "operations: [import]",
        good: "operations: [import_orders]";
    OUTPUT_COLLISION = "names.output_collision", Warning, "two contracts generate the same file",
        "Generated files are named after the node. Two nodes of one name would overwrite each \
         other, so `herald generate` takes it for an error and generates neither.",
        bad: "# a/contract.yaml and b/contract.yaml:\nservice_name: orders",
        good: "# b/contract.yaml:\nservice_name: orders_archive";

    TOPIC_INVALID = "topic.invalid", Error, "Kafka does not take this topic name",
        "Kafka's rule: 1 to 249 characters of `[A-Za-z0-9._-]`, not `.` or `..`. Topics of \
         generated events consist of namespace, service, event type and version.",
        bad: "events:\n  - event_type: order.placed\n    topic: orders/placed",
        good: "events:\n  - event_type: order.placed\n    topic: orders.placed";
    TOPIC_TOO_LONG = "topic.too_long", Error, "the topic name is too long",
        "Kafka takes at most 249 characters.",
        bad: "service_name: a-name-of-two-hundred-and-fifty-characters…",
        good: "service_name: orders";
    TOPIC_COLLISION = "topic.collision", Error, "two topics differ only in `.` and `_`",
        "Kafka's metrics write both characters as `_`, so such topics collide; brokers warn of it \
         and some tools refuse it.",
        bad: "events:\n  - {event_type: a, topic: orders.placed}\n  - {event_type: b, topic: orders_placed}",
        good: "events:\n  - {event_type: a, topic: orders.placed}\n  - {event_type: b, topic: orders.changed}";
    EVENT_DUPLICATE = "events.duplicate", Error, "an event is declared twice",
        "Two declared events with the same event type would be the same method.",
        bad: "events:\n  - event_type: order.placed\n  - event_type: order.placed",
        good: "events:\n  - event_type: order.placed";
    EVENT_PARTITION_KEY = "events.partition_key", Error, "the partition key is no field of the payload",
        "`partition_key` names the field of the payload whose value decides the partition. A \
         private field can't be it: its value never leaves the process.",
        bad: "events:\n  - event_type: order.placed\n    partition_key: order\n    payload: {order_id: uuid}",
        good: "events:\n  - event_type: order.placed\n    partition_key: order_id\n    payload: {order_id: uuid}";

    EVENT_RESERVED_FIELD = "events.reserved_field", Warning, "a payload field has the name of metadata",
        "Publish methods take `metadata` that a caller adds to one event, and put it into the \
         payload under that name. A declared field `metadata` would be overwritten by it.",
        bad: "events:\n  - event_type: order.placed\n    payload: {metadata: object}",
        good: "events:\n  - event_type: order.placed\n    payload: {details: object}";

    TYPE_UNKNOWN = "types.not_understood", Warning, "a type is not understood",
        "The field is read as an open type: any value passes. Known are `string`, `integer`, \
         `number`, `boolean`, `uuid`, `datetime`, `date`, `decimal`, `bytes`, `object`, `any`, \
         `list[T]`, `map[T]`, `T | null`, their Python spellings, and names of definitions.",
        bad: "events:\n  - event_type: order.paid\n    payload: {total: floot}",
        good: "events:\n  - event_type: order.paid\n    payload: {total: float}";

    TYPE_NOT_DEFINED = "types.not_defined", Warning, "a type names no definition",
        "The field is read as an open type: any value passes. Names in `PascalCase` are those of \
         the contract's `definitions`; a model that only your code knows is named with its module.",
        bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {customer: Custmer}\ndefinitions:\n  Customer: {fields: {id: uuid}}",
        good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {customer: Customer, cart: shop.models.Cart}\ndefinitions:\n  Customer: {fields: {id: uuid}}";
    DEFINITION_NAME = "definitions.name", Error, "a definition has a name that no type can have",
        "Fields have definitions for their types by name. A name begins with an uppercase letter, \
         consists of ASCII letters, digits and `_`, and is no word for another type, as `Date` is.",
        bad: "node_type: effect\nservice_name: orders\noperations: [place]\ndefinitions:\n  customer: {fields: {id: uuid}}",
        good: "node_type: effect\nservice_name: orders\noperations: [place]\ndefinitions:\n  Customer: {fields: {id: uuid}}";
    DEFINITION_ENDLESS = "definitions.endless", Error, "a definition contains itself without end",
        "A definition may contain itself in a list, a map, or where it can be left out or be null. \
         Where it must be there, no value would ever be complete.",
        bad: "node_type: effect\nservice_name: orders\noperations: [place]\ndefinitions:\n  Category: {fields: {parent: Category}}",
        good: "node_type: effect\nservice_name: orders\noperations: [place]\ndefinitions:\n  Category: {fields: {parent: Category | null}}";
    FIELD_LIMIT = "fields.limit", Error, "a limit does not fit its type",
        "`minimum`, `maximum` and their exclusive forms are about numbers, `min_length`, \
         `max_length` and `pattern` about texts, `min_items` and `max_items` about lists. Limits of \
         a list's items stand in `items`.",
        bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {name: {type: string, maximum: 80}}",
        good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {name: {type: string, max_length: 80}}";
    FIELD_NO_VALUE = "fields.no_value", Error, "limits leave no value",
        "What has to be at least one and at most another number can be nothing when the first is \
         the greater one.",
        bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {count: {type: integer, minimum: 10, maximum: 1}}",
        good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {count: {type: integer, minimum: 1, maximum: 10}}";
    FIELD_PATTERN = "fields.pattern", Error, "a pattern of a field can't be used",
        "Patterns go into JSON Schema and into models of several languages, so they use what all \
         regular expressions read in the same way: characters, classes in brackets, groups, \
         repetitions, `^` and `$`. `\\d`, `\\w` and `\\s` are other characters in other languages. \
         No text may take a pattern longer than a few milliseconds: two repetitions that match the \
         same characters don't follow each other.",
        bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {zip: {type: string, pattern: '^\\d{5}$'}}",
        good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {zip: {type: string, pattern: '^[0-9]{5}$'}}";
    FIELD_DEFAULT = "fields.default", Error, "a default is no value of the field",
        "What stands in for a field that is left out has to be of its type, and within its limits. \
         `null` says that nothing stands in.",
        bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {count: {type: integer, default: one}}",
        good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {count: {type: integer, default: 1}}";
    FIELD_ENUM = "fields.enum", Warning, "a list of values does not fit",
        "`enum` lists the texts that a field may be, each once. Text that looks like a number or a \
         boolean needs quotes.",
        bad: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {size: {type: string, enum: [1, 2]}}",
        good: "node_type: effect\nservice_name: orders\nevents:\n  - event_type: order.paid\n    payload: {size: {type: string, enum: ['1', '2']}}";

    STATE_UNKNOWN = "fsm.unknown_state", Warning, "a transition names an unknown state",
        "Transitions go between the states of the list; `*` means any of them.",
        bad: "states:\n  names: [idle, running]\n  transitions: [{from: idle, to: runing}]",
        good: "states:\n  names: [idle, running]\n  transitions: [{from: idle, to: running}]";
    STATE_TERMINAL = "fsm.terminal_disagreement", Warning, "two lists of terminal states disagree",
        "`terminal_states` and the `is_terminal` of states name different states. Both are taken.",
        bad: "state_machine:\n  states: [{state_name: done}]\n  terminal_states: [done]",
        good: "state_machine:\n  states: [{state_name: done, is_terminal: true}]\n  terminal_states: [done]";

    VOLUME_RANGE = "volume.range", Error, "a range ends before it begins",
        "A range is the lowest and the highest of what is expected, such as `[20, 80]` requests in \
         a second. One number is enough where it is known.",
        bad: "node_type: effect\nservice_name: orders\noperations: [place]\nvolume: {requests_per_second: [80, 20]}",
        good: "node_type: effect\nservice_name: orders\noperations: [place]\nvolume: {requests_per_second: [20, 80]}";

    REDACT_PATTERN = "redact.invalid_pattern", Error, "a redaction pattern can't be used",
        "Patterns run in Rust and in Python, so they use what both know: no look-around, no \
         back-references, no flags (case never matters). They run on error messages, which \
         somebody else may have chosen, so no pattern may take longer than a few milliseconds: \
         each long repetition repeats one character or class, and ends at a character that it \
         can't match before the next one begins.",
        bad: "redact: [\"(?<=key=)\\\\w+\"]",
        good: "redact: [\"key=\\\\w+\"]";

    PUBLISHED_NONCONFORMING = "published.nonconforming_topic", Warning, "a topic breaks the ONEX rule",
        "The platform's topics are `onex.(cmd|evt|dlq|intent|snapshot).<producer>.<event-name>.vN`: \
         five segments in lowercase kebab-case. The topic is published all the same.",
        bad: "event_bus:\n  publish_topics: [onex.evt.orders.order_placed.v1]",
        good: "event_bus:\n  publish_topics: [onex.evt.orders.order-placed.v1]";
    PUBLISHED_WITHOUT_EVENT = "published.publish_topic_without_event", Info, "publish topics have no published event",
        "`published_events` describes some topics of `event_bus.publish_topics` but not all. The \
         diagnostic's subject is how many it leaves out; their event types are derived from the topic.",
        bad: "event_bus:\n  publish_topics: [onex.evt.a.b.v1, onex.evt.a.c.v1]\npublished_events:\n  - topic: onex.evt.a.b.v1",
        good: "event_bus:\n  publish_topics: [onex.evt.a.b.v1]\npublished_events:\n  - topic: onex.evt.a.b.v1";
    PUBLISHED_NOT_ON_BUS = "published.event_not_in_publish_topics", Warning, "a published event is not in `publish_topics`",
        "The platform subscribes and creates topics by `event_bus.publish_topics`; an event that \
         only `published_events` names may have no topic there.",
        bad: "published_events:\n  - topic: onex.evt.a.b.v1",
        good: "event_bus:\n  publish_topics: [onex.evt.a.b.v1]\npublished_events:\n  - topic: onex.evt.a.b.v1";
    TERMINAL_NOT_PUBLISHED = "published.terminal_not_published", Warning, "the terminal event is not published",
        "A terminal event only says which published event ends the work. It publishes nothing by \
         itself. The diagnostic's subject is the topic.",
        bad: "terminal_event: onex.evt.a.done.v1",
        good: "terminal_event: onex.evt.a.done.v1\nevent_bus:\n  publish_topics: [onex.evt.a.done.v1]";
    BUS_BOTH_WAYS = "bus.published_and_consumed", Info, "topics are both published and consumed",
        "Fine for a loop that is meant; otherwise the node answers itself. The diagnostic's subject \
         is how many topics.",
        bad: "event_bus:\n  publish_topics: [onex.evt.a.b.v1]\n  subscribe_topics: [onex.evt.a.b.v1]",
        good: "event_bus:\n  publish_topics: [onex.evt.a.b.v1]\n  subscribe_topics: [onex.evt.c.d.v1]";

    LINT_LIFECYCLE_DECLARED = "lint.lifecycle_declared_too", Info, "a declared event repeats a generated one",
        "Operations announce that they started, completed or failed. A declared event of the same \
         operation and stage tells consumers the same twice.",
        bad: "name: coding_agent\nnode_type: effect\nio_operations: [{operation: coding_agent.invoke}]\nevent_bus:\n  publish_topics: [onex.evt.a.coding-agent-invoke-completed.v1]",
        good: "name: coding_agent\nnode_type: effect\nio_operations: [{operation: coding_agent.invoke}]";

    CONFIG_INVALID = "config.invalid", Error, "`herald.yaml` has a value that can't be used",
        "The message says what was expected. `herald schema config` prints every key.",
        bad: "topic_pattern: \"{service}.{event_type}\"",
        good: "topic_pattern: \"{service_name}.{event_type}\"";
}

/// Whether a project may not set the rule's severity: what it finds could not be read, or would be
/// left out of what is generated.
pub fn has_fixed_severity(rule: &Rule) -> bool {
    let lost = [&YAML_DUPLICATE_KEY].iter().all(|mild| *mild != rule)
        && ["file.", "yaml.", "config.", "redact."]
            .iter()
            .any(|area| rule.code.starts_with(area));
    lost || [&NAME_UNUSABLE, &OUTPUT_COLLISION].contains(&rule)
}

/// The rule with this code.
pub fn by_code(code: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code == code)
}
