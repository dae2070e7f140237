//! Trees as JSON and XML, by printers of the tests' own: nothing of the gateway's writers is used.
//!
//! Promises: several spellings of the same document. Never: an escape that is not needed, unless the spelling asks.

use crate::tree::Tree;
use std::fmt::Write as _;

/// How JSON is spelled.
#[derive(Debug, Clone, Copy)]
pub enum Json {
    Plain,
    /// Keys backwards, blanks between all tokens, every character beyond ASCII as an escape.
    Odd,
}

/// How XML is spelled.
#[derive(Debug, Clone, Copy)]
pub enum Xml {
    Plain,
    /// Indented, with comments and processing instructions.
    Indented,
    /// Texts in CDATA sections, where they can be.
    Cdata,
    /// Every character as a reference, a prefix for each namespace.
    References,
}

pub const SPELLINGS: [Xml; 4] = [Xml::Plain, Xml::Indented, Xml::Cdata, Xml::References];

pub fn json(tree: &Tree, spelling: Json) -> String {
    let mut out = String::new();
    json_value(tree, spelling, &mut out);
    out
}

fn json_value(tree: &Tree, spelling: Json, out: &mut String) {
    let gap = if matches!(spelling, Json::Odd) { "\r\n\t " } else { "" };
    match tree {
        Tree::Null => out.push_str("null"),
        Tree::Literal(literal) => out.push_str(literal),
        Tree::Text(text) => json_text(text, spelling, out),
        Tree::List(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(gap);
                json_value(item, spelling, out);
                out.push_str(gap);
            }
            out.push(']');
        }
        Tree::Record(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            if matches!(spelling, Json::Odd) {
                fields.reverse();
            }
            out.push('{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(gap);
                json_text(name, spelling, out);
                let _ = write!(out, "{gap}:{gap}");
                json_value(value, spelling, out);
            }
            out.push_str(gap);
            out.push('}');
        }
    }
}

fn json_text(text: &str, spelling: Json, out: &mut String) {
    out.push('"');
    for one in text.chars() {
        match one {
            '"' | '\\' => out.extend(['\\', one]),
            '\0'..='\u{1F}' => _ = write!(out, "\\u{:04X}", u32::from(one)),
            _ if matches!(spelling, Json::Odd) && !one.is_ascii_alphanumeric() => {
                one.encode_utf16(&mut [0; 2]).iter().for_each(|unit| _ = write!(out, "\\u{unit:04x}"));
            }
            _ => out.push(one),
        }
    }
    out.push('"');
}

/// A message as XML; the body's namespace is that of the type and version it states, or given.
pub fn xml(message: &Tree, spelling: Xml) -> String {
    let Tree::Record(fields) = message else { panic!("a message is a record") };
    let version = fields.iter().find_map(|(name, value)| match value {
        Tree::Literal(version) if name == "version" => Some(version.as_str()),
        _ => None,
    });
    // Anything else would be no namespace at all.
    let code = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let kind = message.text_of("type").filter(code).unwrap_or("none");
    let namespace = format!("urn:mezhved:{kind}:{}", version.filter(code).unwrap_or("1"));
    let prefixed = matches!(spelling, Xml::References);
    let mut out = String::new();
    if matches!(spelling, Xml::Indented) {
        out.push_str("<?xml version='1.0' encoding='utf-8' standalone=\"yes\" ?>\n<!-- ' -->\n<?робот <>&?>\n");
    }
    let (root, body) = if prefixed { ("э:", "т:") } else { ("", "") };
    let declared = if prefixed {
        format!(" xmlns:э='urn:mezhved:message:1'\n xmlns:т = \"{namespace}\" xmlns='urn:other'")
    } else {
        " xmlns=\"urn:mezhved:message:1\"".to_owned()
    };
    let _ = write!(out, "<{root}message{declared}>");
    for (name, value) in fields {
        if name == "body" {
            let declared = if prefixed { String::new() } else { format!(" xmlns=\"{namespace}\"") };
            element((&format!("{body}body"), &declared, body), value, spelling, &mut out);
        } else {
            element((&format!("{root}{name}"), "", root), value, spelling, &mut out);
        }
    }
    between(spelling, &mut out);
    let _ = write!(out, "</{root}message >");
    if matches!(spelling, Xml::Indented) {
        out.push_str("\r\n<?end?><!---->\t");
    }
    out
}

fn between(spelling: Xml, out: &mut String) {
    out.push_str(match spelling {
        Xml::Indented => "\r\n\t<!-- между -->  <?pi?>",
        Xml::References => "\n&#32;&#x0A;",
        Xml::Plain | Xml::Cdata => "",
    });
}

/// One element: its name with prefix, its declarations, and the prefix of what it holds.
fn element((name, declared, prefix): (&str, &str, &str), value: &Tree, spelling: Xml, out: &mut String) {
    between(spelling, out);
    let _ = write!(out, "<{name}{declared}>");
    match value {
        Tree::Text(text) => xml_text(text, spelling, out),
        Tree::Literal(literal) => out.push_str(literal),
        Tree::Null => {}
        // White space alone would be content to a canonicaliser that does not know the schema.
        Tree::List(items) if items.is_empty() => {}
        Tree::Record(fields) if fields.is_empty() => {}
        Tree::List(items) => {
            items.iter().for_each(|item| element((&format!("{prefix}item"), "", prefix), item, spelling, out));
            between(spelling, out);
        }
        Tree::Record(fields) => {
            fields
                .iter()
                .for_each(|(name, value)| element((&format!("{prefix}{name}"), "", prefix), value, spelling, out));
            between(spelling, out);
        }
    }
    let _ = write!(out, "</{name}>");
}

fn xml_text(text: &str, spelling: Xml, out: &mut String) {
    match spelling {
        Xml::Cdata if !text.contains("]]>") && !text.contains('\r') => _ = write!(out, "<![CDATA[{text}]]>"),
        Xml::References => text.chars().for_each(|one| _ = write!(out, "&#x{:06x};", u32::from(one))),
        Xml::Plain | Xml::Indented | Xml::Cdata => {
            for one in text.chars() {
                match one {
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '&' => out.push_str("&amp;"),
                    '\r' => out.push_str("&#xD;"),
                    _ => out.push(one),
                }
            }
        }
    }
}
