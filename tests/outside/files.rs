//! Large files through the real binary, by a client of our own over a plain socket.
//!
//! Promises: bytes are made and compared as they pass; nobody holds a file. Never: links the gateway's own code.

use crate::support::gateway::{Installation, Serving, until};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

pub const PARTICIPANTS: &str = include_str!("participants.toml");
pub const CENTRE: &str = "centre-vymysel";
pub const MIB: usize = 1024 * 1024;
const PIECE: usize = 64 * 1024;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// An artificial file of that size: no two pieces alike, the same for the same name.
#[derive(Clone, Copy)]
pub struct Artificial {
    pub name: u64,
    pub bytes: usize,
}

impl Artificial {
    /// Its pieces, one after another.
    pub fn pieces(self) -> impl Iterator<Item = Vec<u8>> {
        let mut state = self.name | 1;
        (0..self.bytes.div_ceil(PIECE)).map(move |no| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            let mut piece = state.to_le_bytes().repeat(PIECE / 8);
            piece.truncate(self.bytes - no * PIECE);
            piece
        })
    }

    pub fn sha256(self) -> String {
        hex(&self.pieces().fold(Sha256::new(), |digest, piece| digest.chain_update(piece)).finalize())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// One participant at the door.
pub struct Client {
    pub door: String,
    pub key: String,
}

impl Client {
    pub fn of(installed: &Installation, participant: &str) -> Self {
        Self { door: installed.url().replace("http://", ""), key: installed.key(participant) }
    }

    /// A request whose body has still to be sent.
    pub fn begin(&self, method: &str, sha256: &str, bytes: usize) -> TcpStream {
        let mut stream = TcpStream::connect(&self.door).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (door, key) = (&self.door, &self.key);
        let head = format!(
            "{method} /api/v1/attachments/{sha256} HTTP/1.1\r\nHost: {door}\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/zip\r\nContent-Length: {bytes}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    pub fn put(&self, file: Artificial) -> (u16, String) {
        let mut stream = self.begin("PUT", &file.sha256(), file.bytes);
        // Who is refused early is told why before everything is sent.
        let _ = file.pieces().try_for_each(|piece| stream.write_all(&piece));
        let (status, mut rest) = answer(stream);
        let mut body = String::new();
        rest.read_to_string(&mut body).unwrap();
        (status, body)
    }

    /// The status, and the digest and the size of what came.
    pub fn get(&self, sha256: &str) -> (u16, String, usize) {
        let (status, mut rest) = answer(self.begin("GET", sha256, 0));
        let (mut digest, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; PIECE]);
        loop {
            let read = rest.read(&mut buffer).unwrap();
            if read == 0 {
                return (status, hex(&digest.finalize()), bytes);
            }
            digest.update(&buffer[..read]);
            bytes += read;
        }
    }

    /// Puts a file and fetches it again.
    pub fn round_trip(&self, file: Artificial) {
        let (status, body) = self.put(file);
        assert_eq!(status, 201, "{body}");
        assert_eq!(self.get(&file.sha256()), (200, file.sha256(), file.bytes));
    }
}

/// The status, and a reader that stands at the body.
pub fn answer(stream: TcpStream) -> (u16, BufReader<TcpStream>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no status in {line:?}")).parse().unwrap();
    while line.trim() != "" {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
    (status, reader)
}

fn files(installed: &Installation) -> Vec<PathBuf> {
    let entries = |of: PathBuf| std::fs::read_dir(of).into_iter().flatten().map(|one| one.unwrap().path());
    entries(installed.folder().join("data/attachments")).flat_map(entries).collect()
}

/// As a large one passes, the process must not grow with it. `MEZHVED_ATTACHMENT_MIB` makes it larger.
#[test]
fn a_large_file_passes_in_and_out_in_little_memory() {
    let mib = std::env::var("MEZHVED_ATTACHMENT_MIB").map_or(200, |mib| mib.parse().unwrap());
    let mut installed = Installation::new(PARTICIPANTS, "");
    installed.set("ATTACHMENTS__BYTES_MAX", &(mib * MIB).to_string());
    let serving = installed.serve_ready();
    let client = Client::of(&installed, CENTRE);
    // Threads and pools are there before it counts.
    client.round_trip(Artificial { name: 1, bytes: 2 * MIB });
    let before = serving.peak_mib();
    client.round_trip(Artificial { name: 2, bytes: mib * MIB });
    let peak = serving.peak_mib();
    println!("{mib} MiB in and out: peak {peak} MiB, before {before}");
    assert!(peak < before + 32, "peak {peak} MiB, before {before}");
    assert_eq!(client.put(Artificial { name: 3, bytes: mib * MIB + 1 }).0, 413);
}

#[test]
fn a_gateway_that_is_killed_while_a_file_comes_leaves_nothing_of_it() {
    let installed = Installation::new(PARTICIPANTS, "");
    let (whole, broken) = (Artificial { name: 4, bytes: 3 * MIB }, Artificial { name: 5, bytes: 50 * MIB });
    let serving = installed.serve_ready();
    let client = Client::of(&installed, CENTRE);
    client.round_trip(whole);
    let mut stream = client.begin("PUT", &broken.sha256(), broken.bytes);
    broken.pieces().take(3 * MIB / PIECE).for_each(|piece| stream.write_all(&piece).unwrap());
    until("a part of it on the disk", || files(&installed).len() == 2);
    Serving::kill(serving);
    assert_eq!(files(&installed).len(), 2, "what was half written is still there");
    let _serving = installed.serve_ready();
    assert_eq!(files(&installed).len(), 1, "the next start removes it");
    assert_eq!(client.get(&whole.sha256()), (200, whole.sha256(), whole.bytes));
    assert_eq!(client.get(&broken.sha256()).0, 404);
    client.round_trip(broken);
}
