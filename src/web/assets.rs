//! The style, the small program and the sign of the pages: ours, embedded, cached for ever under their digest.
//!
//! Promises: an address changes when its content does. Never: serves a file of the machine.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

const STYLE: &str = include_str!("assets/mezhved.css");
const SCRIPT: &str = include_str!("assets/mezhved.js");
const SIGN: &str = include_str!("assets/mezhved.svg");

/// Where the style is, with its digest.
pub(super) fn style_address() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| format!("/assets/mezhved.css?v={}", version(STYLE)))
}

/// Where the program is, with its digest.
pub(super) fn script_address() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| format!("/assets/mezhved.js?v={}", version(SCRIPT)))
}

fn version(content: &str) -> String {
    Sha256::digest(content.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// `GET /assets/mezhved.css`
pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

/// `GET /assets/mezhved.js`
pub(super) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

/// `GET /assets/mezhved.svg`
pub(super) async fn sign() -> Response {
    asset("image/svg+xml", SIGN)
}

fn asset(media_type: &'static str, content: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, content).into_response()
}
