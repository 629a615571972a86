//! The command line, run as a user runs it.

mod commands;
mod corpus;
mod generate;
mod support;
