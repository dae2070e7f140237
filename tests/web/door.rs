//! What a hostile or broken peer gets, byte by byte.
//!
//! Promises: each peer is a raw socket. Never: waits longer than the door's own patience, with some grace.

use crate::letters;
use crate::site::{Site, code};
use mezhved::web::{Patience, WebConfig};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const GRACE: Duration = Duration::from_secs(60);

async fn connect(site: &Site) -> TcpStream {
    TcpStream::connect(site.address).await.unwrap()
}

/// Everything until the other side closes.
async fn rest(peer: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let end = timeout(GRACE, peer.read_to_end(&mut answer)).await.expect("the connection must be closed");
    // A reset after the answer is no matter.
    let _ = end;
    String::from_utf8_lossy(&answer).into_owned()
}

fn head(key: &str, more: &str) -> String {
    format!(
        "POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n{more}\r\n\r\n"
    )
}

#[tokio::test]
async fn slow_headers_are_cut_off() {
    let site = Site::impatient().await;
    let mut peer = connect(&site).await;
    peer.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    rest(&mut peer).await;
}

#[tokio::test]
async fn idle_connection_is_closed_before_and_after_a_request() {
    let site = Site::impatient().await;
    let mut silent = connect(&site).await;
    let mut once = connect(&site).await;
    once.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(rest(&mut once).await.starts_with("HTTP/1.1 200"));
    assert_eq!(rest(&mut silent).await, "");
}

#[tokio::test]
async fn slow_body_gets_408_and_is_closed() {
    let site = Site::impatient().await;
    let key = site.key("centre").await;
    let mut peer = connect(&site).await;
    peer.write_all(head(&key, "Content-Length: 1000").as_bytes()).await.unwrap();
    peer.write_all(b"{").await.unwrap();
    let answer = rest(&mut peer).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body_timeout"), "{answer}");
}

#[tokio::test]
async fn dripping_body_gets_408_when_its_whole_time_is_over() {
    let site = Site::impatient().await;
    let key = site.key("centre").await;
    let mut peer = connect(&site).await;
    peer.write_all(head(&key, "Content-Length: 100000").as_bytes()).await.unwrap();
    let (mut reading, mut writing) = peer.into_split();
    let drip = tokio::spawn(async move {
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    });
    let mut answer = vec![0; 12];
    timeout(GRACE, reading.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
    drip.abort();
}

#[tokio::test]
async fn declared_size_over_the_limit_is_refused_unread() {
    let site = Site::new().await;
    let key = site.key("centre").await;
    let mut peer = connect(&site).await;
    peer.write_all(head(&key, "Content-Length: 1073741824").as_bytes()).await.unwrap();
    let answer = rest(&mut peer).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("limit_document_bytes"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"));
}

#[tokio::test]
async fn endless_chunks_are_refused_at_the_limit_with_flat_memory() {
    let site = Site::new().await;
    let key = site.key("centre").await;
    let before = resident_mib();
    let mut peer = connect(&site).await;
    peer.write_all(head(&key, "Transfer-Encoding: chunked").as_bytes()).await.unwrap();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    let (mut sent, mut answer) = (0_usize, String::new());
    // As much as it takes until the other side has had enough: it must be soon after 4 MiB.
    while sent < 64 * 1024 * 1024 && peer.write_all(&chunk).await.is_ok() {
        sent += 0x10000;
        let mut buffer = [0; 4096];
        if let Ok(read @ 1..) = peer.try_read(&mut buffer) {
            answer.push_str(&String::from_utf8_lossy(&buffer[..read]));
            break;
        }
    }
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer} after {sent}");
    assert!(resident_mib() < before + 48, "{} MiB, before {before}", resident_mib());
}

#[tokio::test]
async fn body_shorter_than_declared_is_incomplete() {
    let site = Site::new().await;
    let key = site.key("centre").await;
    let mut peer = connect(&site).await;
    peer.write_all(head(&key, "Content-Length: 100").as_bytes()).await.unwrap();
    peer.write_all(b"{}").await.unwrap();
    peer.shutdown().await.unwrap();
    let answer = rest(&mut peer).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn bytes_after_the_declared_body_are_no_part_of_it() {
    let site = Site::new().await;
    let key = site.key("centre").await;
    let letter = letters::request("school-1", "Запрос").to_string();
    let mut peer = connect(&site).await;
    let more = format!("Content-Length: {}\r\nConnection: close", letter.len());
    peer.write_all(head(&key, &more).as_bytes()).await.unwrap();
    peer.write_all(format!("{letter}GARBAGE").as_bytes()).await.unwrap();
    let answer = rest(&mut peer).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
}

#[tokio::test]
async fn length_and_chunks_together_are_not_believed() {
    let site = Site::new().await;
    let key = site.key("centre").await;
    let mut peer = connect(&site).await;
    peer.write_all(head(&key, "Content-Length: 5\r\nTransfer-Encoding: chunked").as_bytes()).await.unwrap();
    peer.write_all(b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = rest(&mut peer).await;
    assert!(!answer.contains("unknown_route"), "{answer}");
}

#[tokio::test]
async fn unknown_caller_is_refused_before_the_body_is_read() {
    let site = Site::new().await;
    let mut peer = connect(&site).await;
    let head = head("mz_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Content-Length: 4000000");
    peer.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut peer).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("unauthenticated"), "{answer}");
    assert!(answer.to_lowercase().contains("www-authenticate: bearer"));
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let site = Site::new().await;
    let mut peer = connect(&site).await;
    peer.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    for no in 0..3000 {
        if peer.write_all(format!("X-{no}: {}\r\n", "a".repeat(100)).as_bytes()).await.is_err() {
            return;
        }
    }
    let answer = rest(&mut peer).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn idle_connections_do_not_shut_out_work() {
    let site = Site::with(WebConfig { connections_max: 32, ..WebConfig::default() }).await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(connect(&site).await);
    }
    let answer = timeout(GRACE, site.client.get(site.url("/health/live")).send()).await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(rest(&mut idle[0]).await, "");
}

#[tokio::test]
async fn what_is_not_http_is_closed() {
    let site = Site::new().await;
    let mut peer = connect(&site).await;
    peer.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not HTTP\r\n\r\n").await.unwrap();
    let answer = rest(&mut peer).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn compressed_body_is_refused() {
    let site = Site::new().await;
    let key = site.key("centre").await;
    let request = site.client.post(site.url("/api/v1/messages")).bearer_auth(key);
    let request = request.header("content-type", "application/json").header("content-encoding", "gzip");
    let answer = request.body(vec![0x1f, 0x8b, 8, 0]).send().await.unwrap();
    assert_eq!(code(answer).await, (415, "encoding_unsupported".to_owned()));
}

#[tokio::test]
async fn other_charsets_and_media_types_are_refused() {
    let site = Site::new().await;
    let key = site.key("centre").await;
    let cases = [
        ("application/json; charset=windows-1251", "bad_encoding"),
        ("application/xml; charset=\"koi8-r\"", "bad_encoding"),
        ("text/plain", "unsupported_format"),
        ("", "unsupported_format"),
    ];
    for (content_type, expected) in cases {
        let request = site.client.post(site.url("/api/v1/messages")).bearer_auth(&key);
        let answer = request.header("content-type", content_type).body("{}").send().await.unwrap();
        assert_eq!(code(answer).await, (415, expected.to_owned()), "{content_type}");
    }
}

#[tokio::test]
async fn stop_lets_the_request_in_hand_end_and_closes_idle_ones() {
    let patience = Patience { stop: Duration::from_secs(3_600), ..Patience::default() };
    let mut site = Site::with(WebConfig { patience, ..WebConfig::default() }).await;
    let key = site.key("centre").await;
    let letter = letters::request("school-1", "Запрос").to_string();
    let (mut peer, mut idle) = (connect(&site).await, connect(&site).await);
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    peer.write_all(head(&key, &format!("Content-Length: {}", letter.len())).as_bytes()).await.unwrap();
    // The server has the request in hand once it answers somebody who came later.
    site.client.get(site.url("/health/live")).send().await.unwrap();
    let sent = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        peer.write_all(letter.as_bytes()).await.unwrap();
        rest(&mut peer).await
    };
    let both = async { tokio::join!(sent, site.stop()) };
    let (answer, ()) = timeout(GRACE, both).await.expect("the stop waits for the request, not for idle connections");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(TcpStream::connect(site.address).await.is_err());
}

/// Resident memory of this process.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
