//! The binary: hands its arguments to the commands.

use clap::Parser;
use std::process::ExitCode;

#[derive(Parser)]
enum Command {
    Convert(mezhved::cli::convert::Args),
    Schemas(mezhved::cli::schemas::Args),
}

fn main() -> anyhow::Result<ExitCode> {
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    match Command::parse() {
        Command::Convert(args) => mezhved::cli::convert::run(&args, &mut std::io::stdin().lock(), &mut out, &mut err),
        Command::Schemas(args) => mezhved::cli::schemas::run(&args, &mut out),
    }
}
