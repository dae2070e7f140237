//! The binary: hands its arguments to the commands.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// A message is read, mapped and written in thousands of small pieces, on several threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    mezhved::cli::run()
}
