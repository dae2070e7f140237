//! One row of a table in PostgreSQL's text format, parted into what every copy shares and what each copy has of its own:
//! ids, and the numbers that rows refer to each other by.

use std::collections::HashMap;
use uuid::Uuid;

/// The text of an id is so long, and so is it in hexadecimal digits of a `bytea`.
const ID_CHARS: usize = 36;
const HEX_CHARS: usize = 2 * ID_CHARS;

/// A row that can be written again with other ids.
pub struct Line(Vec<Piece>);

enum Piece {
    Same(String),
    Id(Uuid),
    /// An id inside a `bytea`, which the text format writes in hexadecimal digits.
    HexId(Uuid),
    /// A number that grows by so much with each copy.
    Number {
        first: i64,
        step: i64,
    },
}

impl Line {
    /// Parts a row. `steps` says by column which numbers grow, and by how much; `ids` are those to be replaced.
    pub fn part(row: &str, ids: &HashMap<Uuid, ()>, steps: &HashMap<usize, i64>) -> Self {
        let mut pieces = Vec::new();
        for (column, text) in row.split('\t').enumerate() {
            if column > 0 {
                pieces.push(Piece::Same("\t".to_owned()));
            }
            match (steps.get(&column), text.parse()) {
                (Some(step), Ok(first)) => pieces.push(Piece::Number { first, step: *step }),
                _ => part_text(text, ids, &mut pieces),
            }
        }
        Self(pieces)
    }

    /// Writes a copy: the first is number 1.
    pub fn write(&self, copy: i64, out: &mut String) {
        for piece in &self.0 {
            match piece {
                Piece::Same(text) => out.push_str(text),
                Piece::Id(id) => out.push_str(of_copy(*id, copy).hyphenated().encode_lower(&mut [0; ID_CHARS])),
                Piece::HexId(id) => {
                    for byte in of_copy(*id, copy).hyphenated().encode_lower(&mut [0; ID_CHARS]).bytes() {
                        for half in [byte >> 4, byte & 15] {
                            out.push(char::from_digit(u32::from(half), 16).unwrap());
                        }
                    }
                }
                Piece::Number { first, step } => out.push_str(&(first + copy * step).to_string()),
            }
        }
        out.push('\n');
    }
}

/// The same id gives in one copy always the same other id, whatever table it stands in. Version and variant stay.
fn of_copy(id: Uuid, copy: i64) -> Uuid {
    let mixed = (u128::from(copy.unsigned_abs()) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    Uuid::from_u128(id.as_u128() ^ (mixed & 0xFFFF_FFFF_FFFF_0FFF_3FFF_FFFF_FFFF_FFFF))
}

fn part_text(text: &str, ids: &HashMap<Uuid, ()>, pieces: &mut Vec<Piece>) {
    let is_bytes = text.starts_with(r"\\x");
    let (mut same, mut at) = (0, 0);
    while at < text.len() {
        let found = if is_bytes { hex_id(text, at, ids) } else { plain_id(text, at, ids) };
        match found {
            Some((piece, length)) => {
                pieces.push(Piece::Same(text[same..at].to_owned()));
                pieces.push(piece);
                at += length;
                same = at;
            }
            None => at += 1,
        }
    }
    pieces.push(Piece::Same(text[same..].to_owned()));
}

fn plain_id(text: &str, at: usize, ids: &HashMap<Uuid, ()>) -> Option<(Piece, usize)> {
    let id = Uuid::try_parse(text.get(at..at + ID_CHARS)?).ok()?;
    ids.contains_key(&id).then_some((Piece::Id(id), ID_CHARS))
}

fn hex_id(text: &str, at: usize, ids: &HashMap<Uuid, ()>) -> Option<(Piece, usize)> {
    let digits = text.get(at..at + HEX_CHARS)?.as_bytes();
    // The ninth character of an id is a hyphen: most places are ruled out by one look.
    if &digits[16..18] != b"2d" {
        return None;
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    let id = Uuid::try_parse(std::str::from_utf8(&bytes?).ok()?).ok()?;
    ids.contains_key(&id).then_some((Piece::HexId(id), HEX_CHARS))
}
