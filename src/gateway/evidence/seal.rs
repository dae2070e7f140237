//! The file of a pack: canonical JSON with the check sum of everything before it at its end.
//!
//! Promises: the same pack gives the same bytes (RFC 8785: keys sorted, no spaces; whole numbers only); one changed byte
//! is found. Never: a signature; a check sum says that the file is whole, not who made it.

use crate::gateway::content::sha256_hex;
use crate::gateway::evidence::pack::{FORMAT, VERSION};
use serde::Serialize;
use serde_json::Value;

/// What stands between the content and the sum.
const SUM_BEGINS: &str = ",\"sha256\":\"";
const SUM_ENDS: &str = "\"}";
const SUM_CHARS: usize = 64;

/// A pack that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Unsealable {
    #[error("it cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("it holds a fraction, which has no canonical form here")]
    Fraction,
    #[error("it is not a record, or is empty")]
    NotARecord,
}

/// Why a file is not a pack as it was given.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("it does not end with its check sum: it is no evidence file, or it was cut off or written anew")]
    NoSum,
    #[error("it was altered: it states the check sum {stated}, its content has {counted}")]
    Altered { stated: String, counted: String },
    #[error("its content is not the canonical JSON that the gateway writes")]
    NotCanonical,
    #[error("it is not of the format `{FORMAT}`, version {VERSION}; check it with the version of mezhved that made it")]
    OtherFormat,
}

/// The file of a pack.
///
/// # Errors
/// [`Unsealable`], which a pack of ours is not.
pub fn seal(pack: &impl Serialize) -> Result<String, Unsealable> {
    let content = canonical(&serde_json::to_value(pack)?)?;
    let open = content.strip_suffix('}').filter(|open| open.len() > 1).ok_or(Unsealable::NotARecord)?;
    Ok(format!("{open}{SUM_BEGINS}{}{SUM_ENDS}", sha256_hex(content.as_bytes())))
}

/// The content of a file and its check sum, if it is whole.
///
/// # Errors
/// [`Broken`]: the first thing that is wrong with it.
pub fn unseal(file: &[u8]) -> Result<(Value, String), Broken> {
    let text = std::str::from_utf8(file).map_err(|_| Broken::NoSum)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let before = text.strip_suffix(SUM_ENDS).ok_or(Broken::NoSum)?;
    let (before, stated) =
        before.len().checked_sub(SUM_CHARS).and_then(|at| before.split_at_checked(at)).ok_or(Broken::NoSum)?;
    let content = format!("{}}}", before.strip_suffix(SUM_BEGINS).ok_or(Broken::NoSum)?);
    let counted = sha256_hex(content.as_bytes());
    if counted != stated {
        return Err(Broken::Altered { stated: stated.to_owned(), counted });
    }
    // A key that stands twice would be read one way here and another way elsewhere; written anew it is not the same.
    let value: Value = serde_json::from_str(&content).map_err(|_| Broken::NotCanonical)?;
    if canonical(&value).ok().as_deref() != Some(content.as_str()) {
        return Err(Broken::NotCanonical);
    }
    if value["format"] != FORMAT || value["version"] != VERSION {
        return Err(Broken::OtherFormat);
    }
    Ok((value, counted))
}

/// The canonical JSON of a value.
fn canonical(value: &Value) -> Result<String, Unsealable> {
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut String) -> Result<(), Unsealable> {
    match value {
        Value::Number(number) if number.is_f64() => return Err(Unsealable::Fraction),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push_str(&value.to_string()),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                out.push(if place == 0 { '[' } else { ',' });
                write(item, out)?;
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            // RFC 8785 sorts by UTF-16 code units.
            fields.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            for (place, (key, field)) in fields.iter().enumerate() {
                out.push(if place == 0 { '{' } else { ',' });
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(field, out)?;
            }
            out.push_str(if fields.is_empty() { "{}" } else { "}" });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;
    use serde_json::json;

    fn sealed() -> String {
        seal(&json!({"version": 1, "format": FORMAT, "b": {"я": [], "a": [1, true, null]}, "a": "п\"\n"})).unwrap()
    }

    #[test]
    fn keys_are_sorted_and_the_sum_of_all_before_stands_at_the_end() {
        let content = r#"{"a":"п\"\n","b":{"a":[1,true,null],"я":[]},"format":"mezhved.evidence","version":1}"#;
        let sum = sha256_hex(content.as_bytes());
        assert_eq!(sealed(), format!("{},\"sha256\":\"{sum}\"}}", content.strip_suffix('}').unwrap()));
        assert_eq!(unseal(sealed().as_bytes()).unwrap().1, sum);
    }

    #[test]
    fn every_changed_byte_is_found() {
        let whole = sealed().into_bytes();
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            assert!(unseal(&changed).is_err(), "byte {place}");
        }
        for cut in 0..whole.len() {
            assert!(unseal(&whole[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_right_sum_over_a_key_that_stands_twice_or_another_format_is_no_pack() {
        let with_sum = |content: &str| {
            let sum = sha256_hex(content.as_bytes());
            format!("{},\"sha256\":\"{sum}\"}}", content.strip_suffix('}').unwrap())
        };
        let twice = r#"{"a":1,"a":2,"format":"mezhved.evidence","version":1}"#;
        assert_eq!(unseal(with_sum(twice).as_bytes()), Err(Broken::NotCanonical));
        let other = r#"{"format":"mezhved.evidence","version":2}"#;
        assert_eq!(unseal(with_sum(other).as_bytes()), Err(Broken::OtherFormat));
        assert!(matches!(seal(&json!({"share": 0.5})), Err(Unsealable::Fraction)));
    }
}
