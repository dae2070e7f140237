//! The binary as the tests break it: the gateway with its fail points and flaws compiled in.
//!
//! Promises: does what `mezhved` does, until its environment names a fail point or a flaw. Never: built by default.

use std::process::ExitCode;

fn main() -> ExitCode {
    mezhved::cli::run()
}
