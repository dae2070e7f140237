//! The same files in a bucket: a server of another maker that speaks S3, in a process of its own.
//!
//! Promises: the gateway is the real binary; the server may be killed. Never: a real cloud.

use crate::files::{Artificial, CENTRE, Client, MIB, PARTICIPANTS, answer};
use crate::support::gateway::{Installation, until};
use crate::support::python;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;

/// A running server.
struct Bucket {
    child: Child,
    port: u16,
}

impl Bucket {
    /// On that port; 0 takes a free one.
    fn start(port: u16) -> Self {
        let mut child = python::spawn_talking("bucket.py", &[port.to_string().as_ref()]);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, port: line.trim().parse().unwrap() }
    }

    /// What it answers to a list of the bucket, or of the uploads that have not ended.
    fn list(&self, query: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "GET /files?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }

    fn kill(mut self) -> u16 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.port
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn installed(port: u16) -> Installation {
    let mut installed = Installation::new(PARTICIPANTS, "");
    let secret = installed.folder().join("secret-key");
    std::fs::write(&secret, "test").unwrap();
    installed.set("ATTACHMENTS__URL", "s3://files/region-38");
    installed.set("ATTACHMENTS__ENDPOINT", &format!("http://127.0.0.1:{port}"));
    installed.set("ATTACHMENTS__ACCESS_KEY", "test");
    installed.set("ATTACHMENTS__SECRET_KEY_FILE", &secret.display().to_string());
    installed
}

#[test]
fn files_of_one_part_and_of_several_are_kept_in_a_bucket_and_what_breaks_off_is_not() {
    let bucket = Bucket::start(0);
    let installed = installed(bucket.port);
    let serving = installed.serve_ready();
    let client = Client::of(&installed, CENTRE);
    for bytes in [0, 1, MIB, 5 * MIB, 12 * MIB + 7] {
        let file = Artificial { name: 10, bytes };
        client.round_trip(file);
        assert!(bucket.list("list-type=2").contains(&file.sha256()), "{bytes}");
        assert_eq!(client.put(file).0, 200, "the same again");
    }
    let file = Artificial { name: 11, bytes: 40 * MIB };
    let mut stream = client.begin("PUT", &file.sha256(), file.bytes);
    file.pieces().take(160).for_each(|piece| stream.write_all(&piece).unwrap());
    until("an upload that has begun", || bucket.list("uploads").contains("<Upload>"));
    drop(stream);
    until("its end", || !bucket.list("uploads").contains("<Upload>"));
    let wrong = Artificial { name: 12, bytes: 6 * MIB };
    let mut stream = client.begin("PUT", &file.sha256(), wrong.bytes);
    wrong.pieces().for_each(|piece| stream.write_all(&piece).unwrap());
    assert_eq!(answer(stream).0, 422, "another content");
    until("its end", || !bucket.list("uploads").contains("<Upload>"));
    assert!(!bucket.list("list-type=2").contains(&file.sha256()));
    assert_eq!(serving.figure("mezhved_attachments_up"), Some(1.0));
}

#[test]
fn a_bucket_that_dies_while_a_file_comes_costs_that_file_only() {
    let bucket = Bucket::start(0);
    let installed = installed(bucket.port);
    let _serving = installed.serve_ready();
    let client = Client::of(&installed, CENTRE);
    let file = Artificial { name: 13, bytes: 12 * MIB };
    let mut stream = client.begin("PUT", &file.sha256(), file.bytes);
    let mut pieces = file.pieces();
    pieces.by_ref().take(100).for_each(|piece| stream.write_all(&piece).unwrap());
    until("an upload that has begun", || bucket.list("uploads").contains("<Upload>"));
    let port = bucket.kill();
    let _ = pieces.try_for_each(|piece| stream.write_all(&piece));
    assert_eq!(answer(stream).0, 503);
    assert_eq!(client.get(&file.sha256()).0, 404, "nothing says that it was taken");
    let bucket = Bucket::start(port);
    client.round_trip(file);
    assert!(!bucket.list("uploads").contains("<Upload>"));
}

#[test]
fn a_bucket_that_is_not_there_is_a_warning_and_messages_go_on() {
    let port = Bucket::start(0).kill();
    let installed = installed(port);
    let serving = installed.serve_ready();
    until("the figure", || serving.figure("mezhved_attachments_up") == Some(0.0));
    let client = Client::of(&installed, CENTRE);
    assert_eq!(client.put(Artificial { name: 14, bytes: 10 }).0, 503);
    let mut health = TcpStream::connect(&client.door).unwrap();
    write!(health, "GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut said = String::new();
    health.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 200") && said.contains("attachments: "), "{said}");
}
