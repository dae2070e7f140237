//! The two formats: golden documents, round trips of everything the schemas allow, verdicts compared with other
//! programs' validators, hostile documents, types added at run time, and `mezhved convert`.
//!
//! Promises: each oracle is a program of somebody else. Never: skips; without the Python of `tests/run` or without
//! xmllint these tests fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod added_types;
mod catalogue_command;
mod catalogue_faults;
mod convert;
mod entries;
mod generate;
mod goldens;
mod mutate;
mod not_well_formed;
mod print;
#[path = "../support/python.rs"]
#[expect(dead_code, reason = "shared with the tests that start programs in the background")]
mod python;
mod refusals;
mod round_trips;
mod tree;
mod verdicts;
mod well_formedness;

/// A fresh folder for one test, removed when the value is dropped.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("mezhved-formats-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> std::path::PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
