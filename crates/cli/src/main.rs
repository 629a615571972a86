//! The command `herald`.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(herald_cli::run(env::args_os()))
}
