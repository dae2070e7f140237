//! The tests' programs in Python, run by the interpreter that `tests/run` prepares.
//!
//! Promises: what a program says is shown when it fails. Never: another Python than `MEZHVED_PYTHON`, or `.test/venv`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The folder of this repository.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs a program of `tests/python` to its end: what it printed. Fails if it ends with anything but 0.
pub fn run(program: &str, arguments: &[&OsStr]) -> String {
    let output = command(program, arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let (said, faults) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    assert!(output.status.success(), "{program}: {}\n{faults}", output.status);
    said.into_owned()
}

/// Starts a program that runs beside the test; its faults go to the test's own standard error.
pub fn spawn(program: &str, arguments: &[&OsStr]) -> Child {
    command(program, arguments).stdout(Stdio::null()).spawn().unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// The same for one whose output the test reads.
#[allow(dead_code, reason = "not every suite needs it")]
pub fn spawn_talking(program: &str, arguments: &[&OsStr]) -> Child {
    command(program, arguments).stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn command(program: &str, arguments: &[&OsStr]) -> Command {
    let mut command = Command::new(interpreter());
    let file = Path::new(ROOT).join("tests/python").join(program);
    command
        .arg(file)
        .args(arguments)
        .stdin(Stdio::null())
        .env("PYTHONUNBUFFERED", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn interpreter() -> PathBuf {
    let python = std::env::var_os("MEZHVED_PYTHON").map(PathBuf::from);
    let python = python.unwrap_or_else(|| Path::new(ROOT).join(".test/venv/bin/python"));
    assert!(python.exists(), "no {}: tests/run makes it (or set MEZHVED_PYTHON)", python.display());
    python
}
