//! The payload classes of `herald.runtime`, printed from the table of stages.

use std::fmt::Write;

use herald_catalog::category::{PayloadField, PayloadType, Stage, stages};

const HEADER: &str = "\"\"\"Payloads of lifecycle, state and metric events for consumers.

Printed from the table of stages, by `HERALD_BLESS=1 cargo test -p herald-render`.
\"\"\"

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from herald.runtime._reader import Reader
";

/// Returns the text of `herald/runtime/_payloads.py`.
pub fn payload_classes() -> String {
    let mut module = HEADER.to_owned();
    for stage in stages() {
        class(&mut module, stage);
    }
    module
}

fn class(out: &mut String, stage: &Stage) {
    let _ = write!(
        out,
        "\n\n@dataclass(frozen=True, slots=True)\nclass {}:\n    \"\"\"{}\"\"\"\n\n",
        stage.received_class, stage.received_summary
    );
    for field in stage.payload {
        let _ = writeln!(out, "    {}: {}", field.name, annotation(field));
        if let Some(description) = field.description {
            let _ = writeln!(out, "    \"\"\"{description}\"\"\"");
        }
    }
    out.push_str(
        "    metadata: Mapping[str, Any]
    extra: Mapping[str, Any]
    \"\"\"Unknown fields of the payload.\"\"\"

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        \"\"\"Parses the payload of an envelope; raises `EnvelopeError`.\"\"\"
        fields = Reader(payload, \"payload.\")
        return cls(
",
    );
    for field in stage.payload {
        let reader = reader(field.ty);
        let _ = if field.required {
            writeln!(out, "            fields.{reader}(\"{}\"),", field.name)
        } else {
            let name = field.name;
            writeln!(
                out,
                "            fields.optional(\"{name}\", fields.{reader}),"
            )
        };
    }
    out.push_str(
        "            fields.optional(\"metadata\", fields.mapping) or {},
            fields.extra,
        )
",
    );
}

fn annotation(field: &PayloadField) -> String {
    let annotation = match field.ty {
        PayloadType::Text => "str",
        PayloadType::Uuid => "UUID",
        PayloadType::Timestamp => "datetime",
        PayloadType::Number => "float",
        PayloadType::Boolean => "bool",
        PayloadType::Object => "Mapping[str, Any]",
    };
    if field.required {
        annotation.to_owned()
    } else {
        format!("{annotation} | None")
    }
}

/// Returns the method of `Reader` that reads a value of this type.
fn reader(ty: PayloadType) -> &'static str {
    match ty {
        PayloadType::Text => "text",
        PayloadType::Uuid => "uuid",
        PayloadType::Timestamp => "time",
        PayloadType::Number => "number",
        PayloadType::Boolean => "flag",
        PayloadType::Object => "mapping",
    }
}
