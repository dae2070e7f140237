//! The HTTP door: API for systems, board and journal for people, health and figures for operators.
//!
//! Promises: who calls is known before a byte of a body is read; every error of the API is an RFC 9457 problem; every
//! input is bounded. Never: decides anything of the subject (the verbs of the gateway do), writes SQL.

mod api;
mod assets;
mod board;
mod body;
mod caller;
mod connection;
mod cookies;
mod csv;
mod dates;
mod documents;
mod figures;
mod health;
mod limits;
mod login;
mod negotiate;
mod observe;
mod page;
mod params;
mod problem;
mod routes;
pub mod secrets;
mod server;
mod state;
mod stream;
mod table;
mod text;
mod throttle;
mod transfers;
mod upload;
mod words;

pub use limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
pub use server::{Patience, serve};
pub use state::{WebConfig, WebParts, WebState};
