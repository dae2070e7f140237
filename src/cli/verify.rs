//! `mezhved verify`: whether an evidence file is what a gateway has written, to the byte.
//!
//! Promises: says what it has checked and what it cannot; exit code 0 when the file is whole, 1 when it is not, 2 when
//! it cannot be read. Never: calls a check sum a signature.

use crate::gateway::evidence::seal::unseal;
use crate::limits::EVIDENCE_BYTES_MAX;
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `mezhved verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Файл доказательств, как его выдал шлюз; `-` для стандартного ввода
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// What a check sum cannot say.
const NOT_CHECKED: &str = "not checked: who made the file, and whether what it says is true; it bears no electronic \
     signature. Whoever can write a file can count its sum: ask the gateway for the same evidence and compare.";

/// Runs the command.
///
/// # Errors
/// An output that cannot be written.
pub fn run(
    args: &Args,
    input: &mut dyn Read,
    (out, err): (&mut dyn Write, &mut dyn Write),
) -> anyhow::Result<ExitCode> {
    let name = args.file.display();
    let bytes = match bytes(&args.file, input) {
        Ok(bytes) if bytes.len() as u64 <= EVIDENCE_BYTES_MAX => bytes,
        Ok(_) => {
            writeln!(err, "{name}: cannot be read: it is larger than {EVIDENCE_BYTES_MAX} bytes")?;
            return Ok(ExitCode::from(2));
        }
        Err(error) => {
            writeln!(err, "{name}: cannot be read: {error}")?;
            return Ok(ExitCode::from(2));
        }
    };
    match unseal(&bytes) {
        Ok((content, sum)) => {
            writeln!(out, "whole: SHA-256 {sum} is that of everything before it; the JSON is canonical, no key twice")?;
            writeln!(out, "{}", about(&content))?;
            writeln!(out, "{NOT_CHECKED}")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => {
            writeln!(err, "{name}: not as a gateway has given it: {broken}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn bytes(file: &Path, input: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let max = EVIDENCE_BYTES_MAX + 1;
    if file == Path::new("-") {
        input.take(max).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(max).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What it is the evidence of.
fn about(content: &Value) -> String {
    let text = |pointer: &str| content.pointer(pointer).and_then(Value::as_str).unwrap_or("–");
    format!(
        "holds: obligation {}, {} → {}, request № {} of {}, due on {}, state {}; made at {} for {}{}",
        text("/obligation/id"),
        text("/obligation/performer/code"),
        text("/obligation/controller/code"),
        text("/request/registered_number"),
        text("/request/registered_on"),
        text("/obligation/due_on"),
        text("/obligation/state"),
        text("/made_at"),
        text("/given_to"),
        if content["certificate"].is_null() { "" } else { "; certifies that no answer has come" },
    )
}
