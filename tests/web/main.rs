//! The HTTP door over a real listener: hostile peers, systems with keys, people with a browser.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod api;
mod attachments;
mod case_file;
mod cases;
mod desk;
mod door;
mod evidence;
mod letters;
mod pages;
mod papers;
mod people;
#[path = "../support/python.rs"]
#[expect(dead_code, reason = "other suites run programs beside a test")]
mod python;
mod quarantine;
mod site;
mod tables;
