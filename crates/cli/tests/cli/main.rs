//! The command line, run as a user runs it.

mod commands;
mod corpus;
mod generate;
mod publish;
mod spool;
mod spools;
mod support;
