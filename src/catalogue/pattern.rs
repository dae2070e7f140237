//! The patterns a schema may use: the subset of regular expressions that means the same in ECMA-262 (JSON Schema),
//! XSD, Rust, Python, Java and Go.
//!
//! Promises: an accepted pattern has one meaning everywhere. Never: `\d`, `\w`, `\s`, `.`, look-around, lazy or
//! possessive repetition, back-references, named or non-capturing groups, class arithmetic.

use regex::Regex;

/// Why a pattern is refused, and what to write instead.
pub type Remedy = String;

/// The pattern, compiled, if it keeps to the subset. It must be anchored as `^…$`.
///
/// # Errors
/// The remedy, in plain English.
pub fn compile(pattern: &str) -> Result<Regex, Remedy> {
    let inner = inner(pattern).ok_or("anchor the pattern at both ends: ^…$")?;
    check(inner)?;
    Regex::new(pattern).map_err(|error| format!("the pattern does not compile: {error}"))
}

/// The pattern without its anchors: XSD patterns are anchored by themselves.
#[must_use]
pub fn inner(pattern: &str) -> Option<&str> {
    pattern.strip_prefix('^')?.strip_suffix('$')
}

fn check(inner: &str) -> Result<(), Remedy> {
    let mut rest = inner.chars();
    let mut groups = 0_usize;
    let mut repeatable = false;
    while let Some(one) = rest.next() {
        let was_repeatable = std::mem::replace(&mut repeatable, true);
        match one {
            '[' => class(&mut rest)?,
            '\\' => escape(rest.next(), ".*+?()[]{}|\\^")?,
            '(' if rest.as_str().starts_with('?') => return Err("write plain groups (…) only, no (?…)".into()),
            '(' => {
                groups += 1;
                repeatable = false;
            }
            ')' => groups = groups.checked_sub(1).ok_or("a `)` has no `(`")?,
            '|' if groups == 0 => return Err("put alternatives into a group: ^(a|b)$".into()),
            '|' => repeatable = false,
            '*' | '+' | '?' | '{' if !was_repeatable => {
                return Err(format!(
                    "`{one}` has nothing to repeat; lazy and possessive repetition differ between engines"
                ));
            }
            '*' | '+' | '?' => repeatable = false,
            '{' => {
                counts(&mut rest)?;
                repeatable = false;
            }
            '.' => return Err("`.` differs between engines; write a class of characters".into()),
            '^' | '$' => return Err(format!("`{one}` stands only at the ends; inside write it in a class: [{one}]")),
            ']' | '}' => return Err(format!("escape `{one}`")),
            '\0'..='\u{1F}' => return Err("a control character has no place in a pattern".into()),
            _ => {}
        }
    }
    if groups == 0 { Ok(()) } else { Err("a `(` has no `)`".into()) }
}

fn class(rest: &mut std::str::Chars<'_>) -> Result<(), Remedy> {
    if rest.as_str().starts_with('^') {
        rest.next();
    }
    let mut members = 0_usize;
    let mut range_open = false;
    loop {
        match rest.next() {
            None => return Err("a `[` has no `]`".into()),
            Some(']') if members == 0 || range_open => {
                return Err("a class is empty or ends in `-`; escape it: \\-".into());
            }
            Some(']') => return Ok(()),
            Some('-') if members == 0 || range_open => return Err("escape `-` at the edge of a class: \\-".into()),
            Some('-') => range_open = true,
            Some('[' | '^' | '&' | '~') => return Err("escape `[` and `^` in a class; leave `&` and `~` out".into()),
            Some('\\') => {
                escape(rest.next(), "\\-[]^")?;
                (members, range_open) = (members + 1, false);
            }
            Some('\0'..='\u{1F}') => return Err("a control character has no place in a pattern".into()),
            Some(_) => (members, range_open) = (members + 1, false),
        }
    }
}

fn escape(escaped: Option<char>, allowed: &str) -> Result<(), Remedy> {
    match escaped {
        Some(one) if allowed.contains(one) => Ok(()),
        Some(one) => {
            Err(format!("`\\{one}` differs between engines; write the characters themselves, as [0-9] or [a-z]"))
        }
        None => Err("the pattern ends in a backslash".into()),
    }
}

/// `{n}`, `{n,}` or `{n,m}`, the brace already read.
fn counts(rest: &mut std::str::Chars<'_>) -> Result<(), Remedy> {
    let (counts, after) = rest.as_str().split_once('}').ok_or("a `{` has no `}`")?;
    let (low, high) = counts.split_once(',').unwrap_or((counts, counts));
    let number = |text: &str| text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    if low.is_empty() || !number(low) || !number(high) {
        return Err("write repetition as {n}, {n,} or {n,m}".into());
    }
    *rest = after.chars();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::compile;

    #[test]
    fn patterns_that_mean_the_same_everywhere_are_taken() {
        for pattern in
            ["^[a-z][a-z0-9_\\-]*(\\.[a-z0-9_\\-]+)+$", "^(a|b){2,3}$", "^[^@ ]+@[^@ ]+$", "^[А-Яа-яЁё]{1,}$", "^$"]
        {
            assert!(compile(pattern).is_ok(), "{pattern}: {:?}", compile(pattern));
        }
    }

    #[test]
    fn patterns_that_engines_read_differently_are_refused() {
        for pattern in [
            "a",
            "^a",
            "^\\d+$",
            "^\\w$",
            "^.$",
            "^(?:a)$",
            "^(?=a)$",
            "^a|b$",
            "^a*?$",
            "^a++$",
            "^a{,3}$",
            "^[a-z&&b]$",
            "^[]a]$",
            "^[a-]$",
            "^[-a]$",
            "^a$b$",
            "^(a$",
            "^a)$",
            "^[a$",
            "^*a$",
            "^\\$",
            "^\\u0041$",
            "^[[a]]$",
            "^a{2}{3}$",
            "^(|*)$",
        ] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
