//! The protocol of PostgreSQL (version 3), cut into messages.
//!
//! Promises: a message is named by its letter and, where it says what is done, by its first words: `Query COMMIT`,
//! `CommandComplete COMMIT`. Never: understands what went through TLS.

use super::{Cutter, Side, Unit};

/// The codes by which a client asks for TLS or GSS before it begins; one byte answers.
const ASKS_FOR_ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];

/// A cutter of one connection.
pub fn cutter() -> Cutter {
    let (mut begun, mut asked) = (false, false);
    Box::new(move |side, buffer| {
        let mut units = Vec::new();
        while let Some((name, length)) = next(side, buffer, (begun, asked)) {
            match (side, name.as_str()) {
                (Side::Client, "EncryptionRequest") => asked = true,
                (Side::Server, "EncryptionAnswer") => asked = false,
                (Side::Client, "Startup") => begun = true,
                _ => {}
            }
            units.push(Unit { name, bytes: buffer.drain(..length).collect() });
        }
        units
    })
}

/// Name and length of the message that the buffer begins with, once all of it is here.
fn next(side: Side, buffer: &[u8], (begun, asked): (bool, bool)) -> Option<(String, usize)> {
    if side == Side::Server && asked && !buffer.is_empty() {
        return Some(("EncryptionAnswer".to_owned(), 1));
    }
    let number = |at: usize| Some(u32::from_be_bytes(buffer.get(at..at + 4)?.try_into().unwrap()));
    let size = |at: usize| Some(usize::try_from(number(at)?).unwrap());
    if side == Side::Client && !begun {
        let is_ask = ASKS_FOR_ENCRYPTION.contains(&number(4)?);
        let name = if is_ask { "EncryptionRequest" } else { "Startup" };
        return Some((name.to_owned(), size(0)?)).filter(|(_, length)| buffer.len() >= *length);
    }
    let length = 1 + size(1)?;
    let message = buffer.get(..length)?;
    Some((name(side, message), length))
}

fn name(side: Side, message: &[u8]) -> String {
    let text = |at: usize| {
        let text = message.get(at..).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(text).trim().to_owned()
    };
    match (side, message[0]) {
        (Side::Client, b'Q') => format!("Query {}", text(5)),
        // The name of the statement comes first, then its text.
        (Side::Client, b'P') => {
            let named = message[5..].iter().position(|byte| *byte == 0).unwrap_or_default();
            format!("Parse {}", text(5 + named + 1))
        }
        (Side::Server, b'C') => format!("CommandComplete {}", text(5)),
        (Side::Server, b'Z') => "ReadyForQuery".to_owned(),
        (_, letter) => char::from(letter).to_string(),
    }
}

#[test]
fn messages_are_found_whole_however_they_come() {
    let message = |letter: &[u8], text: &[u8]| {
        let size = u32::try_from(text.len() + 4).unwrap().to_be_bytes();
        [letter, &size[..], text].concat()
    };
    let client = [
        message(b"", &80_877_103_u32.to_be_bytes()),
        message(b"", b"\0\x03\0\0user\0x\0\0"),
        message(b"P", b"s1\0INSERT INTO t VALUES ($1)\0\0\0"),
        message(b"Q", b"COMMIT\0"),
    ];
    let server = [b"N".to_vec(), message(b"R", b"\0\0\0\0"), message(b"C", b"COMMIT\0"), message(b"Z", b"I")];
    let (mut cut, mut names) = (cutter(), Vec::new());
    for (side, said) in [
        (Side::Client, client[0].clone()),
        (Side::Server, server[0].clone()),
        (Side::Client, client[1..].concat()),
        (Side::Server, server[1..].concat()),
    ] {
        let (mut buffer, mut passed) = (Vec::new(), Vec::new());
        for byte in &said {
            buffer.push(*byte);
            for unit in cut(side, &mut buffer) {
                passed.extend(unit.bytes);
                names.push(unit.name);
            }
        }
        assert_eq!(passed, said);
    }
    let client =
        ["EncryptionRequest", "EncryptionAnswer", "Startup", "Parse INSERT INTO t VALUES ($1)", "Query COMMIT"];
    assert_eq!(names[..5], client);
    assert_eq!(names[5..], ["R", "CommandComplete COMMIT", "ReadyForQuery"]);
}
