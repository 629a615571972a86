//! The command line, run as a user runs it.

mod breaking;
mod breaking_exceptions;
mod catalog_page;
mod commands;
mod corpus;
#[cfg(target_os = "linux")]
mod devices;
mod generate;
mod graph;
mod import;
mod import_asyncapi;
mod infer;
mod lint;
mod lock;
mod new;
mod profiles;
mod publish;
mod registry;
mod review;
mod runtime_connection;
mod runtime_dev;
mod runtime_doctor;
mod runtime_listen;
mod runtime_topics;
mod runtime_verify;
mod spool;
mod spools;
mod support;
mod templates;
mod verify;
mod volume;
