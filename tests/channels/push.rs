//! HTTPS push, against a receiver in another language and against hostile servers.

use crate::peer::{letter, participant};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mezhved::channel::push::{Policy, PushConfig, PushOutlet, Secrets};
use mezhved::clock::Clock;
use mezhved::domain::notice::Whom;
use mezhved::domain::participant::Participant;
use mezhved::gateway::ports::Outlet;
use mezhved::gateway::ports::notices::{TellFault, Teller, Telling};
use mezhved::gateway::ports::outlet::DeliveryFault;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SECRET: &[u8] = b"a secret of thirty-two bytes ok!";
const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/channels");

/// The Python receiver.
pub struct Receiver {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    pub port: u16,
}

impl Receiver {
    pub fn start(certificate: Option<&str>) -> Self {
        let mut child = Command::new("python3")
            .args([format!("{HERE}/receiver.py"), STANDARD.encode(SECRET)])
            .args(certificate.map(|name| format!("{HERE}/tls/{name}")))
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let port = lines.next().expect("a line").expect("read").parse().expect("a port");
        Self { child, lines, port }
    }

    pub fn next(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().expect("a line").expect("read")).expect("JSON")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn secrets(secrets: &'static [&'static [u8]]) -> Secrets {
    Arc::new(move |_| Box::pin(async move { Ok(secrets.iter().map(|secret| secret.to_vec()).collect()) }))
}

fn config(networks: &[&str]) -> PushConfig {
    let allow_networks = networks.iter().map(|network| network.parse().expect("a network")).collect();
    PushConfig { policy: Policy { allow_networks }, authorities_pem: None }
}

pub fn outlet() -> PushOutlet {
    PushOutlet::new(config(&["127.0.0.0/8"]), secrets(&[SECRET]), Clock::system()).expect("an outlet")
}

pub fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}/")
}

fn to(url: &str) -> Arc<Participant> {
    participant("school-17", &format!(r#"{{"by":"push","url":"{url}"}}"#))
}

async fn push(outlet: &PushOutlet, url: &str) -> Result<(), DeliveryFault> {
    outlet.deliver(&letter(&to(url), "{}")).await
}

fn failure(outcome: Result<(), DeliveryFault>) -> (String, Option<Duration>) {
    match outcome {
        Err(DeliveryFault::Later { reason, retry_after }) => (reason, retry_after),
        other => panic!("not a failed attempt: {other:?}"),
    }
}

#[tokio::test]
async fn a_push_is_verified_by_a_receiver_of_another_make_and_keeps_its_id_over_retries() {
    let mut receiver = Receiver::start(None);
    let outlet = outlet();
    let letter = letter(&to(&format!("http://127.0.0.1:{}/200", receiver.port)), r#"{"текст":"да"}"#);
    for _ in 0..2 {
        outlet.deliver(&letter).await.expect("delivered");
        let got = receiver.next();
        assert_eq!(got["verified"], true, "{got}");
        assert_eq!(got["id"], letter.message.to_string());
        assert_eq!(got["content_type"], "application/json");
        assert_eq!(got["body"], r#"{"текст":"да"}"#);
        assert!((got["timestamp"].as_i64().expect("a number") - Clock::system().now().timestamp()).abs() < 5);
    }
}

#[tokio::test]
async fn while_a_secret_rotates_the_receiver_verifies_with_the_old_one() {
    let mut receiver = Receiver::start(None);
    let rotating = secrets(&[b"the new secret", SECRET]);
    let outlet = PushOutlet::new(config(&["127.0.0.1"]), rotating, Clock::system()).expect("an outlet");
    push(&outlet, &format!("http://127.0.0.1:{}/204", receiver.port)).await.expect("delivered");
    let got = receiver.next();
    assert_eq!((&got["verified"], &got["signatures"]), (&true.into(), &2.into()));
    let foreign = secrets(&[b"another secret"]);
    let outlet = PushOutlet::new(config(&["127.0.0.1"]), foreign, Clock::system()).expect("an outlet");
    push(&outlet, &format!("http://127.0.0.1:{}/200", receiver.port)).await.expect("delivered");
    assert_eq!(receiver.next()["verified"], false, "the receiver verifies anything");
}

#[tokio::test]
async fn an_alert_is_signed_like_a_letter_and_keeps_its_id_over_retries() {
    let mut receiver = Receiver::start(None);
    let mut centre = (*participant("centre", r#"{"by":"inbox"}"#)).clone();
    centre.alerts_url = Some(format!("http://127.0.0.1:{}/200", receiver.port));
    let alert = Telling {
        id: uuid::Uuid::new_v4(),
        recipient: Arc::new(centre),
        whom: Whom::Coordinator,
        queued_at: Clock::system().now(),
        subject: "alert.raised".into(),
        content: r#"{"specversion":"1.0","type":"mezhved.alert.raised"}"#.into(),
    };
    for _ in 0..2 {
        outlet().tell(&alert).await.expect("told");
        let got = receiver.next();
        assert_eq!((&got["verified"], &got["id"]), (&true.into(), &alert.id.to_string().into()));
        assert_eq!(
            (&got["content_type"], &got["body"]),
            (&"application/cloudevents+json".into(), &alert.content.clone().into())
        );
    }
    let inside = Arc::new(Participant { alerts_url: Some("http://169.254.1.1/".into()), ..(*alert.recipient).clone() });
    let outcome = outlet().tell(&Telling { recipient: inside, ..alert }).await;
    assert!(matches!(outcome, Err(TellFault::Later(_))), "{outcome:?}");
}

#[tokio::test]
async fn over_https_the_certificate_is_checked() {
    let mut receiver = Receiver::start(Some("server.pem"));
    let url = format!("https://127.0.0.1:{}/200", receiver.port);
    let (reason, _) = failure(push(&outlet(), &url).await);
    assert!(reason.contains("certificate"), "{reason}");
    let mut trusting = config(&["127.0.0.0/8"]);
    trusting.authorities_pem = Some(std::fs::read(format!("{HERE}/tls/ca.pem")).expect("the authority"));
    let outlet = PushOutlet::new(trusting, secrets(&[SECRET]), Clock::system()).expect("an outlet");
    push(&outlet, &url).await.expect("delivered");
    assert_eq!(receiver.next()["verified"], true);
}

#[tokio::test]
async fn what_is_not_2xx_is_a_failed_attempt_and_retry_after_is_heard() {
    let receiver = Receiver::start(None);
    let (outlet, base) = (outlet(), format!("http://127.0.0.1:{}", receiver.port));
    for status in [400, 404, 410, 500, 503] {
        let (reason, retry_after) = failure(push(&outlet, &format!("{base}/{status}")).await);
        assert_eq!((reason, retry_after), (format!("the endpoint answered {status}"), None));
    }
    let (_, retry_after) = failure(push(&outlet, &format!("{base}/503/120")).await);
    assert_eq!(retry_after, Some(Duration::from_secs(120)));
    let (_, retry_after) = failure(push(&outlet, &format!("{base}/429/Fri, 01 Jan 2100 00:00:00 GMT")).await);
    assert!(retry_after.expect("a date") > Duration::from_secs(3_600 * 24 * 365));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut target = Receiver::start(None);
    let receiver = Receiver::start(None);
    let inner = format!("http:||127.0.0.1:{}|200", target.port);
    for status in [301, 302, 307, 308] {
        let url = format!("http://127.0.0.1:{}/{status}/{inner}", receiver.port);
        let (reason, _) = failure(push(&outlet(), &url).await);
        assert!(reason.contains("redirect is not followed"), "{reason}");
    }
    push(&outlet(), &format!("http://127.0.0.1:{}/200", target.port)).await.expect("delivered");
    assert_eq!(target.next()["body"], "{}");
    let mut more = String::new();
    target.child.kill().expect("killed");
    while let Some(Ok(line)) = target.lines.next() {
        more.push_str(&line);
    }
    assert_eq!(more, "", "a redirect was followed");
}

#[tokio::test]
async fn an_address_inside_the_house_is_refused_at_the_door_of_the_client_too() {
    let receiver = Receiver::start(Some("server.pem"));
    let closed = PushOutlet::new(config(&[]), secrets(&[SECRET]), Clock::system()).expect("an outlet");
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost"] {
        let (reason, _) = failure(push(&closed, &format!("https://{host}:{}/200", receiver.port)).await);
        assert!(reason.contains("not public"), "{host}: {reason}");
    }
    // With some other network allowed, a name is judged only by what it resolves to.
    let other = PushOutlet::new(config(&["10.0.0.0/8"]), secrets(&[SECRET]), Clock::system()).expect("an outlet");
    let (reason, _) = failure(push(&other, &format!("https://localhost:{}/200", receiver.port)).await);
    assert!(reason.contains("not public"), "{reason}");
}

#[tokio::test]
async fn without_a_secret_nothing_is_sent() {
    let unsigned = PushOutlet::new(config(&["127.0.0.1"]), secrets(&[]), Clock::system()).expect("an outlet");
    let (reason, _) = failure(push(&unsigned, "http://127.0.0.1:9/").await);
    assert!(reason.contains("create one"), "{reason}");
}

/// A server that behaves as it is told after it has read the request; gives its port and what it has written.
pub async fn hostile<F, Fut>(behave: F) -> (u16, Arc<AtomicUsize>)
where
    F: Fn(TcpStream, Arc<AtomicUsize>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let (port, written) = (listener.local_addr().expect("an address").port(), Arc::<AtomicUsize>::default());
    let count = Arc::clone(&written);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let _ = stream.read(&mut request).await;
            tokio::spawn(behave(stream, Arc::clone(&count)));
        }
    });
    (port, written)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_never_answers_or_drips_is_a_failed_attempt_after_15_s() {
    let (silent, _) = hostile(|stream, _| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let (dripping, _) = hostile(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
    .await;
    let (heads, _) = hostile(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"x-a: b\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    })
    .await;
    let outlet = outlet();
    let timed = async |port: u16| {
        let begun = Instant::now();
        let (reason, _) = failure(push(&outlet, &format!("http://127.0.0.1:{port}/")).await);
        (reason, begun.elapsed())
    };
    let (silent, dripping, heads) = tokio::join!(timed(silent), timed(dripping), timed(heads));
    for (reason, took) in [silent, dripping, heads] {
        println!("{reason}: {took:?}");
        assert!(took >= Duration::from_secs(14) && took < Duration::from_secs(50), "{reason}: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_answers_with_a_gigabyte_is_cut_off_after_64_kib() {
    let (port, written) = hostile(|mut stream, written| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n").await;
        let block = vec![b'x'; 16 * 1024];
        while stream.write_all(&block).await.is_ok() {
            written.fetch_add(block.len(), Ordering::SeqCst);
        }
    })
    .await;
    let (reason, _) = failure(push(&outlet(), &format!("http://127.0.0.1:{port}/")).await);
    assert!(reason.contains("64 KiB"), "{reason}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let taken = written.load(Ordering::SeqCst);
    println!("the server got rid of {taken} bytes, socket buffers included");
    assert!(taken < 16 * 1024 * 1024, "{taken}");
}

#[tokio::test]
async fn a_closed_port_and_a_reset_connection_are_failed_attempts_that_do_not_repeat_the_address() {
    let (reset, _) = hostile(|stream, _| async move { drop(stream) }).await;
    for port in [reset, 1] {
        let (reason, _) = failure(push(&outlet(), &format!("http://127.0.0.1:{port}/token-in-the-path")).await);
        assert!(!reason.contains("token-in-the-path") && !reason.is_empty(), "{reason}");
    }
}
