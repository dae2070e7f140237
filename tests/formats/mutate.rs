//! Messages made wrong, each in one place: what a careless or hostile sender would do.
//!
//! Promises: always the same mutations. Never: a document that is not well-formed; that is `well_formedness`'s subject.

use crate::tree::Tree;

/// A small generator of numbers (SplitMix64): the same on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &'a [&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// Which format a mutation can be told in, and whether both must judge alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Both,
    JsonOnly,
    XmlOnly,
}

/// Texts that some rule forbids somewhere.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\t",
    "x",
    "X",
    "0",
    "-",
    "_",
    "2026-02-29",
    "2024-02-29",
    "2026-02-30",
    "1899-12-31",
    "2100-01-01",
    "1900-02-29",
    "2026-1-1",
    "2026-02-28Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T23:59:60Z",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00+14:00",
    "2026-01-01T00:00:00-13:59",
    "2026-01-01T00:00:00.0000000001Z",
    "2026-01-01t00:00:00z",
    "2026-02-29T00:00:00Z",
    "2000-02-29T00:00:00.5Z",
    "ABCDEF00-0000-4000-8000-000000000000",
    "5e4d0a10-7c3b-4f6e-9a51-000000000001",
    "5e4d0a107c3b4f6e9a51000000000001",
    "school-17",
    "-school",
    "School",
    "a..b",
    "a.b.",
    "a.b",
    "ы",
    "a@b",
    "@",
    "a@@b",
    "a b@c",
    "text/plain",
    "text",
    "1.2.3.4.5",
    "0001",
    "12345",
    "normal",
    "Normal",
    "normal ",
    "👍",
    "\u{7F}",
    "\u{85}",
    "a\u{9F}b",
    "a\nb",
    "a\tb",
];

/// Literals beside the integers and booleans of the schemas.
const LITERALS: &[&str] = &[
    "true",
    "false",
    "0",
    "1",
    "-1",
    "-0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1099511627777",
    "123456789012345678901234567890",
];
const JSON_LITERALS: &[&str] = &["1.0", "1e2", "1E+1", "0.5", "1e-1", "10e-1", "-0.0", "1.5e1", "1e300"];
const XML_LITERALS: &[&str] =
    &["+5", "007", " 7 ", "\n1\t", "", "1.0", "1e2", "0x1", " true ", "TRUE", "1 1", "+-1", "--1", "٣"];

/// Mutates one place of a message.
pub fn mutate(message: &mut Tree, dice: &mut Dice) -> Told {
    let place = dice.below(message.count());
    let target = message.nth(place).unwrap();
    match target {
        Tree::Text(text) => {
            if let Some(tree) = text_or_kind(text, dice) {
                *target = tree;
                return Told::Both;
            }
            // XSD reads dates without the white space around them; in JSON it makes them no dates.
            let padded = text.trim().len() < text.len() && text.trim().starts_with(|one: char| one.is_ascii_digit());
            if padded { Told::JsonOnly } else { Told::Both }
        }
        Tree::Literal(literal) => {
            let (told, from) =
                [(Told::Both, LITERALS), (Told::JsonOnly, JSON_LITERALS), (Told::XmlOnly, XML_LITERALS)][dice.below(3)];
            *literal = dice.pick(from).to_owned();
            told
        }
        Tree::List(items) => list(items, dice),
        Tree::Record(fields) => record(fields, dice),
        Tree::Null => Told::JsonOnly,
    }
}

/// Changes a text, or gives what shall stand in its place.
fn text_or_kind(text: &mut String, dice: &mut Dice) -> Option<Tree> {
    match dice.below(12) {
        0 => return Some(Tree::Record(vec![("x".into(), Tree::Text("y".into()))])),
        1 => return Some(Tree::List(vec![Tree::Text(text.clone())])),
        2 => text.push_str(dice.pick(&["\n", "\t", " ", "\u{7F}", "\u{85}", "a", "1", "-", "👍"])),
        3 => text.insert_str(0, dice.pick(&["\n", " ", "a", "0", "\u{FEFF}"])),
        4 => drop(text.pop()),
        5 => *text = text.to_uppercase(),
        6 => *text = text.repeat(40),
        7 => *text = "ж".repeat([63, 65, 129, 201, 301, 501, 2001, 5001, 20_001][dice.below(9)]),
        _ => *text = dice.pick(TEXTS).to_owned(),
    }
    None
}

fn list(items: &mut Vec<Tree>, dice: &mut Dice) -> Told {
    match dice.below(4) {
        0 => items.clear(),
        1 => items.extend(items.clone()),
        2 => {
            let more = items.first().cloned().unwrap_or(Tree::Text("x".into()));
            items.resize([6, 31, 51, 65, 101, 1001][dice.below(6)], more);
        }
        _ => items.push(Tree::Record(vec![])),
    }
    Told::Both
}

fn record(fields: &mut Vec<(String, Tree)>, dice: &mut Dice) -> Told {
    if fields.is_empty() {
        fields.push(("unknown".into(), Tree::Text(String::new())));
        return Told::Both;
    }
    let place = dice.below(fields.len());
    match dice.below(6) {
        0 | 1 => drop(fields.remove(place)),
        2 => fields.insert(place, ("unknown".into(), Tree::Text("x".into()))),
        3 => fields[place].0.push('x'),
        4 => {
            fields[place].1 = Tree::Null;
            return Told::JsonOnly;
        }
        _ => {
            let moved = fields.remove(place);
            fields.insert(dice.below(fields.len() + 1), moved);
            return Told::XmlOnly;
        }
    }
    Told::Both
}
