//! The stable codes as the sources define them: by the shapes in which a code can be written down.
//!
//! Promises: every shape finds something, or the test says that the shape is no longer in use. Never: a list of codes.

use crate::pages::{pattern, sources};
use std::collections::{BTreeMap, BTreeSet};

/// In which files which shape holds a code: files by their path, or by a word that they hold. A group named `kind` tells
/// the status.
const SHAPES: &[(&str, &str)] = &[
    ("RejectionKind::", r#"RejectionKind::(?P<kind>\w+),\s*"(?P<code>[a-z0-9_]+)""#),
    ("StatusCode::", r#"StatusCode::(?P<kind>[A-Z_]+),\s*"(?P<code>[a-z0-9_]+)""#),
    ("Problem::forbidden(", r#"Problem::(?P<kind>forbidden)\(\s*"(?P<code>[a-z0-9_]+)""#),
    (" code: \"", r#"\bcode: "(?P<code>[a-z0-9_]+)""#),
    ("src/gateway/arrival.rs", r#"\bfault\(\s*"(?P<code>[a-z0-9_]+)""#),
    ("src/gateway/desk/checks.rs", DESK_FAULT),
    ("desk::checks::fault", DESK_FAULT),
    ("DeadLetter(\"", r#"DeadLetter\(\s*"(?P<code>[a-z0-9_]+)""#),
    ("src/channel/amqp/admission.rs", r#"Err\("(?P<code>[a-z0-9_]+)"\)"#),
    ("src/format/fault.rs", r#"\("(?P<code>[a-z0-9_]+)", ""#),
    ("src/format/fault.rs", r#"const [A-Z_]+: &str = "(?P<code>[a-z0-9_]+)""#),
    ("src/catalogue/scalar.rs", r#"Self::\w+(?:\(.*\))? => "(?P<code>[a-z0-9_]+)","#),
    ("src/domain/decision.rs", r#"=> "(?P<code>[a-z0-9_]+)","#),
    ("src/domain/term/fault.rs", r#"=> "(?P<code>[a-z0-9_]+)","#),
    ("src/cli/due/question.rs", r#"=> "(?P<code>[a-z0-9_]+)","#),
];

/// A fault of a field of the desk: where, then what.
const DESK_FAULT: &str = r#"\bfault\(\s*(?:&format!\("[^"]*"\)|"[^"]*"|path),\s*"(?P<code>[a-z0-9_]+)""#;

/// Each code with the HTTP statuses that its places name.
pub fn defined() -> BTreeMap<String, BTreeSet<u16>> {
    let mut codes: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    let sources = sources();
    for (file, shape) in SHAPES {
        let shape = pattern(shape);
        let mut found = 0;
        for (_, text) in sources.iter().filter(|(path, text)| path == file || text.contains(file)) {
            for hit in shape.captures_iter(text) {
                let statuses = codes.entry(hit["code"].to_owned()).or_default();
                statuses.extend(hit.name("kind").map(|kind| status(kind.as_str())));
                found += 1;
            }
        }
        assert!(found > 0, "no code has the shape {shape} in `{file}` any more: mend the shape");
    }
    codes
}

/// The status of a kind of rejection (src/web/problem.rs) or of its name.
fn status(kind: &str) -> u16 {
    match kind {
        "Malformed" | "BAD_REQUEST" => 400,
        "UNAUTHORIZED" => 401,
        "Forbidden" | "forbidden" => 403,
        "NotFound" | "NOT_FOUND" => 404,
        "METHOD_NOT_ALLOWED" => 405,
        "NOT_ACCEPTABLE" => 406,
        "REQUEST_TIMEOUT" => 408,
        "Conflict" => 409,
        "TooLarge" | "PAYLOAD_TOO_LARGE" => 413,
        "UnsupportedFormat" | "UNSUPPORTED_MEDIA_TYPE" => 415,
        "RangeNotSatisfiable" => 416,
        "Invalid" | "UNPROCESSABLE_ENTITY" => 422,
        "INTERNAL_SERVER_ERROR" => 500,
        "Unavailable" | "SERVICE_UNAVAILABLE" => 503,
        other => panic!("say here which status `{other}` is"),
    }
}
