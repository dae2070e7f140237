//! AMQP 0-9-1, cut into frames.
//!
//! Promises: a frame is named by its method (`basic.publish`), or by its kind. Never: reads what a frame carries.

use super::{Cutter, Side, Unit};

/// `AMQP` and the version: the first that a client says, and no frame.
const GREETING_BYTES: usize = 8;
/// Type, channel, size; and the end mark.
const HEAD_BYTES: usize = 7;

/// A cutter of one connection.
pub fn cutter() -> Cutter {
    let mut greeted = false;
    Box::new(move |side, buffer| {
        let mut units = Vec::new();
        if side == Side::Client && !greeted {
            if buffer.len() < GREETING_BYTES {
                return units;
            }
            greeted = true;
            units.push(Unit { name: "greeting".to_owned(), bytes: buffer.drain(..GREETING_BYTES).collect() });
        }
        while let Some(length) = whole(buffer) {
            let bytes: Vec<u8> = buffer.drain(..length).collect();
            units.push(Unit { name: name(&bytes), bytes });
        }
        units
    })
}

/// The length of the frame that the buffer begins with, once all of it is here.
fn whole(buffer: &[u8]) -> Option<usize> {
    let size = u32::from_be_bytes(buffer.get(3..HEAD_BYTES)?.try_into().unwrap());
    let length = HEAD_BYTES + usize::try_from(size).unwrap() + 1;
    (buffer.len() >= length).then_some(length)
}

fn name(frame: &[u8]) -> String {
    let number = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    let method = match frame[0] {
        1 => (number(HEAD_BYTES), number(HEAD_BYTES + 2)),
        2 => return "header".to_owned(),
        3 => return "body".to_owned(),
        _ => return "heartbeat".to_owned(),
    };
    let known = match method {
        (60, 40) => "basic.publish",
        (60, 50) => "basic.return",
        (60, 60) => "basic.deliver",
        (60, 80) => "basic.ack",
        (60, 120) => "basic.nack",
        (class, method) => return format!("{class}.{method}"),
    };
    known.to_owned()
}

#[test]
fn frames_are_found_whole_however_they_come() {
    let frame = |kind: u8, payload: &[u8]| {
        let size = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&[kind, 0, 1], &size[..], payload, &[0xce]].concat()
    };
    let ack = frame(1, &[0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 7, 0]);
    let said = [b"AMQP\0\0\x09\x01".to_vec(), ack.clone(), frame(8, b""), frame(3, b"\xce\xce")].concat();
    let (mut cut, mut buffer, mut units) = (cutter(), Vec::new(), Vec::new());
    for byte in &said {
        buffer.push(*byte);
        units.extend(cut(Side::Client, &mut buffer));
    }
    let names: Vec<&str> = units.iter().map(|unit| unit.name.as_str()).collect();
    assert_eq!(names, ["greeting", "basic.ack", "heartbeat", "body"]);
    assert_eq!(units.iter().flat_map(|unit| unit.bytes.clone()).collect::<Vec<u8>>(), said);
    let mut answer = ack;
    assert_eq!(cutter()(Side::Server, &mut answer)[0].name, "basic.ack", "the server greets nobody");
}
