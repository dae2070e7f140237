//! `mezhved convert`: reads messages in either format, checks them strictly, prints them in the other.
//!
//! Promises: exit code 0 when every document is a message, 1 when one is not, 2 when a file cannot be read; refusals
//! name place and remedy. Never: prints what a document holds unless the document is good.

use crate::catalogue::Catalogue;
use crate::domain::message::Format;
use crate::format::{self, Fault, Malformed};
use crate::limits;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `mezhved convert`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The format to print; without it, the other than the one that was read
    #[arg(long, value_name = "FORMAT")]
    pub to: Option<To>,
    /// Print one line of JSON for each file: {"file", "ok", "message"} or {"file", "ok", "code", "faults"}
    #[arg(long)]
    pub json_lines: bool,
    /// A folder of message types, <type>/<version>/, beside the built-in ones
    #[arg(long, value_name = "DIR")]
    pub catalogue: Option<PathBuf>,
    /// Documents; `-` or none for standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// A format, as the command line spells it.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum To {
    Json,
    Xml,
}

impl From<To> for Format {
    fn from(to: To) -> Self {
        match to {
            To::Json => Self::Json,
            To::Xml => Self::Xml,
        }
    }
}

/// How the worst document fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Good,
    Refused,
    Unreadable,
}

/// One document, converted or not.
enum Converted {
    Message(Format, Vec<u8>),
    Refused(Malformed),
    Unreadable(io::Error),
}

/// Runs the command.
///
/// # Errors
/// A faulty catalogue, or an output that cannot be written.
pub fn run(args: &Args, input: &mut dyn Read, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let catalogue = match &args.catalogue {
        Some(folder) => Arc::new(Catalogue::load(folder)?),
        None => Arc::clone(Catalogue::builtin()),
    };
    let standard = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &standard } else { args.files.as_slice() };
    let mut worst = Outcome::Good;
    for file in files {
        let converted = convert(file, args.to.map(Format::from), input, &catalogue);
        worst = worst.max(match &converted {
            Converted::Message(..) => Outcome::Good,
            Converted::Refused(_) => Outcome::Refused,
            Converted::Unreadable(_) => Outcome::Unreadable,
        });
        if args.json_lines {
            print_line(file, &converted, out)?;
        } else {
            print(file, &converted, out, err)?;
        }
    }
    out.flush()?;
    Ok(ExitCode::from(worst as u8))
}

fn convert(file: &Path, to: Option<Format>, input: &mut dyn Read, catalogue: &Catalogue) -> Converted {
    let bytes = match bytes(file, input) {
        Ok(bytes) => bytes,
        Err(error) => return Converted::Unreadable(error),
    };
    let from = guess(file, &bytes);
    let to = to.unwrap_or(match from {
        Format::Json => Format::Xml,
        Format::Xml => Format::Json,
    });
    match format::read(&bytes, from, catalogue) {
        Ok(message) => match format::write(&message, to, catalogue) {
            Ok(bytes) => Converted::Message(to, bytes),
            Err(error) => Converted::Unreadable(io::Error::other(error)),
        },
        Err(malformed) => Converted::Refused(malformed),
    }
}

/// The document, and one byte more than the limit at most: the reader says what is too large.
fn bytes(file: &Path, input: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let max = limits::DOCUMENT_BYTES_MAX as u64 + 1;
    if file == Path::new("-") {
        input.take(max).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(max).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The format by the file's name, else by its first character: only markup begins with `<`.
fn guess(file: &Path, bytes: &[u8]) -> Format {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("xml") => return Format::Xml,
        Some("json") => return Format::Json,
        _ => {}
    }
    let marks: [&[u8]; 3] = [&[0xEF, 0xBB, 0xBF], &[0xFE, 0xFF], &[0xFF, 0xFE]];
    let rest = marks.iter().find_map(|mark| bytes.strip_prefix(*mark)).unwrap_or(bytes);
    let first = rest.iter().find(|byte| !byte.is_ascii_whitespace() && **byte != 0);
    if first == Some(&b'<') { Format::Xml } else { Format::Json }
}

fn print(file: &Path, converted: &Converted, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    match converted {
        Converted::Message(_, bytes) => {
            out.write_all(bytes)?;
            out.write_all(b"\n")
        }
        Converted::Refused(malformed) => {
            let place = match (malformed.line, malformed.column) {
                (Some(line), Some(column)) => format!("{line}:{column}:"),
                _ => String::new(),
            };
            writeln!(err, "{}:{place} refused: {}", file.display(), malformed.code)?;
            malformed.faults.iter().try_for_each(|fault| {
                let path = if fault.path.is_empty() { "/" } else { &fault.path };
                writeln!(err, "  {path}: {} [{}]", fault.message, fault.code)
            })
        }
        Converted::Unreadable(error) => writeln!(err, "{}: cannot be read: {error}", file.display()),
    }
}

/// A refusal as a line of `--json-lines`.
#[derive(serde::Serialize)]
struct RefusedLine<'l> {
    file: &'l str,
    ok: bool,
    code: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    faults: &'l [Fault],
}

fn print_line(file: &Path, converted: &Converted, out: &mut dyn Write) -> anyhow::Result<()> {
    let file = file.to_string_lossy();
    match converted {
        Converted::Message(format, bytes) => {
            write!(out, "{{\"file\":{},\"ok\":true,\"message\":", serde_json::to_string(&file)?)?;
            match format {
                // Our own JSON is one line already.
                Format::Json => out.write_all(bytes)?,
                Format::Xml => serde_json::to_writer(&mut *out, std::str::from_utf8(bytes)?)?,
            }
            out.write_all(b"}")?;
        }
        Converted::Refused(Malformed { code, line, column, faults }) => {
            serde_json::to_writer(
                &mut *out,
                &RefusedLine { file: &file, ok: false, code, line: *line, column: *column, faults },
            )?;
        }
        Converted::Unreadable(error) => {
            let faults = [Fault { path: String::new(), code: "unreadable", message: error.to_string() }];
            serde_json::to_writer(
                &mut *out,
                &RefusedLine { file: &file, ok: false, code: "unreadable", line: None, column: None, faults: &faults },
            )?;
        }
    }
    out.write_all(b"\n")?;
    Ok(())
}
