//! Mail against a real SMTP server: taken, refused, killed and back.

use crate::kit::{SCHOOL, Story, code, irkutsk, new_id, request};
use crate::support::python;
use mezhved::channel::mail::{MailConfig, MailOutlet, Security};
use mezhved::domain::notice::{Medium, Whom};
use mezhved::domain::participant::{Mailboxes, Participant};
use mezhved::gateway::notices::Posting;
use mezhved::gateway::ports::notices::{TellFault, Teller, Telling};
use mezhved::worker::notices::{Line, run};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/channels/tls");
/// Generous: the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(60);

/// The server, with what it has taken.
struct Sink {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Sink {
    fn start(log: PathBuf, port: u16, certificate: Option<&str>) -> Self {
        let (log_text, port_text) = (log.to_string_lossy().into_owned(), port.to_string());
        let mut arguments: Vec<String> = vec![log_text, port_text];
        arguments.extend(certificate.map(|name| format!("{TLS}/{name}")));
        let arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        let mut child = python::spawn_talking("smtp_sink.py", &arguments);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, port: line.trim().parse().expect("a port"), log }
    }

    fn taken(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Kills it hard; gives its port and log back.
    fn kill(mut self) -> (PathBuf, u16) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        (self.log.clone(), self.port)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log() -> PathBuf {
    std::env::temp_dir().join(format!("mezhved-mail-{}.jsonl", Uuid::new_v4()))
}

fn config(port: u16, security: Security) -> MailConfig {
    MailConfig {
        host: "127.0.0.1".into(),
        port,
        security,
        credentials: None,
        from: "mezhved@vymysel.example".into(),
        authorities_pem: Some(std::fs::read(format!("{TLS}/ca.pem")).unwrap()),
    }
}

/// A school whose executor has that address.
fn school(address: &str) -> Arc<Participant> {
    let record = serde_json::json!({
        "code": "school-test-17", "kind": "school", "title": "Школа", "zone": "Asia/Irkutsk", "format": "json",
        "mail": {"executor": address},
    });
    Arc::new(serde_json::from_value(record).unwrap())
}

fn telling(address: &str) -> Telling {
    Telling {
        id: Uuid::new_v4(),
        recipient: school(address),
        whom: Whom::Executor,
        queued_at: "2026-03-11T01:00:00Z".parse().unwrap(),
        subject: "Напоминание: № 1/2026 от 02.03.2026, срок 10.03.2026 (вт)".into(),
        content: "Срок ответа истёк.\nОткрыть: https://mezhved.example/obligations/1".into(),
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waited).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn a_mail_is_taken_by_a_real_server_with_its_words_and_an_id_of_its_own() {
    let sink = Sink::start(log(), 0, None);
    let outlet = MailOutlet::new(config(sink.port, Security::None)).unwrap();
    let notice = telling("socped@shkola17.example");
    outlet.tell(&notice).await.unwrap();
    outlet.tell(&notice).await.unwrap();
    let taken = sink.taken();
    assert_eq!(taken.len(), 2);
    for mail in &taken {
        assert_eq!(mail["id"], format!("<{}@vymysel.example>", notice.id), "constant over retries");
        assert_eq!(mail["to"], serde_json::json!(["socped@shkola17.example"]));
        assert_eq!(mail["subject"], notice.subject);
        assert_eq!(mail["automatic"], "auto-generated");
        assert!(mail["text"].as_str().unwrap().replace("\r\n", "\n").starts_with(&notice.content), "{mail}");
        assert!(mail["date"].as_str().unwrap().starts_with("Wed, 11 Mar 2026 01:00:00"), "{mail}");
    }
}

#[tokio::test]
async fn over_starttls_the_certificate_is_checked_and_without_it_nothing_is_sent() {
    let sink = Sink::start(log(), 0, Some("server.pem"));
    let trusting = MailOutlet::new(config(sink.port, Security::StartTls)).unwrap();
    trusting.tell(&telling("socped@shkola17.example")).await.unwrap();
    assert_eq!(sink.taken()[0]["tls"], true);
    let strangers = MailConfig { authorities_pem: None, ..config(sink.port, Security::StartTls) };
    let outcome = MailOutlet::new(strangers).unwrap().tell(&telling("socped@shkola17.example")).await;
    assert!(matches!(outcome, Err(TellFault::Down(_))), "{outcome:?}");
    let plain = Sink::start(log(), 0, None);
    let required = MailOutlet::new(config(plain.port, Security::StartTls)).unwrap();
    let outcome = required.tell(&telling("socped@shkola17.example")).await;
    assert!(matches!(outcome, Err(TellFault::Down(_))), "{outcome:?}");
    assert_eq!((sink.taken().len(), plain.taken().len()), (1, 0));
}

#[tokio::test]
async fn in_clear_nothing_leaves_this_machine() {
    let elsewhere = MailConfig { host: "mail.example".into(), ..config(25, Security::None) };
    assert!(MailOutlet::new(elsewhere).is_err());
}

#[tokio::test]
async fn what_the_server_refuses_for_good_is_told_apart_from_what_it_may_take_later() {
    let sink = Sink::start(log(), 0, None);
    let outlet = MailOutlet::new(config(sink.port, Security::None)).unwrap();
    let full = outlet.tell(&telling("full@shkola17.example")).await;
    assert!(matches!(full, Err(TellFault::Later(_))), "{full:?}");
    let gone = outlet.tell(&telling("gone@shkola17.example")).await;
    assert!(matches!(gone, Err(TellFault::Refused(_))), "{gone:?}");
    let (_, port) = sink.kill();
    let outlet = MailOutlet::new(config(port, Security::None)).unwrap();
    let down = outlet.tell(&telling("socped@shkola17.example")).await;
    assert!(matches!(down, Err(TellFault::Down(_))), "{down:?}");
}

/// The server takes each word of it and hangs up before it says 250: whether it has the mail is not known.
#[tokio::test]
async fn a_mail_on_which_the_server_hangs_up_is_counted_as_an_attempt_of_that_mail() {
    let sink = Sink::start(log(), 0, None);
    let outlet = MailOutlet::new(config(sink.port, Security::None)).unwrap();
    let dropped = outlet.tell(&telling("drop@shkola17.example")).await;
    assert!(matches!(dropped, Err(TellFault::Later(_))), "{dropped:?}");
    assert_eq!(sink.taken()[0]["dropped"], true);
    outlet.tell(&telling("socped@shkola17.example")).await.unwrap();
}

/// Records that were imported before such addresses were refused.
#[tokio::test]
async fn an_address_that_the_server_cannot_be_told_is_refused_and_nothing_is_down() {
    let sink = Sink::start(log(), 0, None);
    let outlet = MailOutlet::new(config(sink.port, Security::None)).unwrap();
    let refused = outlet.tell(&telling("иванов@школа.рф")).await;
    assert!(matches!(refused, Err(TellFault::Refused(_))), "{refused:?}");
}

/// What the program has logged.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_log_and_a_warning_have_the_servers_code_and_never_its_words() {
    let logged = Logged::default();
    let writer = logged.clone();
    let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(lines);
    let sink = Sink::start(log(), 0, None);
    let outlet = MailOutlet::new(config(sink.port, Security::None)).unwrap();
    let gone = outlet.tell(&telling("gone@shkola17.example")).await;
    assert!(gone.unwrap_err().to_string().contains("gone@shkola17.example"), "the quarantine has the words");
    // A server that names somebody as soon as it is called.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outlet = MailOutlet::new(config(listener.local_addr().unwrap().port(), Security::None)).unwrap();
    let greet = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"554 <gone@shkola17.example>: not today\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 64]).await;
    };
    let notice = telling("gone@shkola17.example");
    let (down, ()) = tokio::join!(outlet.tell(&notice), greet);
    let Err(TellFault::Down(reason)) = down else { panic!("{down:?}") };
    assert!(reason.contains("554") && !reason.contains('@'), "{reason}");
    let text = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("code=550") && text.contains("code=554"), "{text}");
    assert!(!text.contains('@') && !text.contains("no such user"), "{text}");
}

/// All that is owed about one late answer; the clerk's server hangs up on each mail to the school.
#[tokio::test]
async fn a_mail_that_never_goes_out_stops_no_other_and_after_seven_retries_a_person_sees_it() {
    let story = Story::at("2026-03-02 10:00").await;
    story.gateway.set_posting(Posting { mail: true, board_url: "https://mezhved.example".into() });
    let mut school = (*story.gateway.participant(&code(SCHOOL)).unwrap()).clone();
    school.mail = Mailboxes { executor: Some("drop@shkola17.example".into()), ..Mailboxes::default() };
    story.store.import_participants(vec![school]).await.unwrap();
    story.gateway.refresh_directory().await.unwrap();
    let mut urgent = request(new_id(), &[SCHOOL], "2026-03-02 09:00");
    urgent["support"] = serde_json::json!({"track": "difficult_situation", "level": "crisis"});
    story.submit(&urgent).await.unwrap();
    // The first working day of silence: the clerk and our coordinator are told.
    let late = irkutsk(&format!("{} 20:30", story.obligation().await.due_on.succ_opt().unwrap()));
    story.clock.set(late);
    story.sweep().await;
    let sink = Sink::start(log(), 0, None);
    let line = Line::new(Medium::Mail, Arc::new(MailOutlet::new(config(sink.port, Security::None)).unwrap()));
    let cancel = CancellationToken::new();
    let worker = tokio::spawn(run(story.gateway.clone(), line.clone(), cancel.clone()));
    let dropped = || sink.taken().iter().filter(|mail| mail["dropped"] == true).count() as u64;
    let others = || sink.taken().iter().filter(|mail| mail["dropped"] == false).count();
    until("another mail is out, and one is not", || others() > 0 && dropped() > 0).await;
    assert_eq!(line.down(), None, "the way out is not down");
    let unsent = dropped();
    // The gateway's own clock goes on by an hour at a time.
    let (mut hours, mut ticks) = (0, 0..DEADLINE.as_secs() * 5);
    while story.store.notice_figures().await.unwrap().undeliverable < unsent {
        ticks.next().expect("never: it is given up");
        hours += 1;
        story.clock.set(late + chrono::TimeDelta::hours(hours));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(dropped(), unsent * 8, "once and seven times again");
    let ids: BTreeSet<String> = sink.taken().iter().map(|mail| mail["id"].to_string()).collect();
    assert_eq!(ids.len(), others() + usize::try_from(unsent).unwrap(), "each other mail once");
    let given_up = story.gateway.undeliverable_notices(10).await.unwrap();
    assert!(given_up.iter().all(|one| one.recipient == code(SCHOOL) && one.attempts == 8), "{given_up:?}");
    assert!(hours >= 24, "{hours}");
    cancel.cancel();
    worker.await.unwrap();
}

/// The server is down when mails are decided on, comes, is killed under way, and comes again.
#[tokio::test]
async fn a_mail_server_that_is_killed_loses_nothing_and_each_mail_has_one_id() {
    let (path, port) = Sink::start(log(), 0, None).kill();
    let story = Story::at("2026-03-02 10:00").await;
    story.gateway.set_posting(Posting { mail: true, board_url: "https://mezhved.example".into() });
    let outlet = MailOutlet::new(config(port, Security::None)).unwrap();
    let line = Line::new(Medium::Mail, Arc::new(outlet));
    let cancel = CancellationToken::new();
    let worker = tokio::spawn(run(story.gateway.clone(), line.clone(), cancel.clone()));
    for _ in 0..12 {
        let mut urgent = request(new_id(), &[SCHOOL], "2026-03-02 09:00");
        urgent["support"] = serde_json::json!({"track": "difficult_situation", "level": "crisis"});
        story.submit(&urgent).await.unwrap();
    }
    story.set("2026-03-11 12:00");
    story.sweep().await;
    let owed = story.store.notice_figures().await.unwrap().waiting;
    assert!(owed >= 12, "{owed}");
    until("the worker sees that the server is down", || line.down().is_some()).await;
    let shown = story.obligations(SCHOOL).await;
    assert!(shown.iter().all(|one| one.rungs.iter().any(|rung| rung.state == "fired" || rung.state == "prepared")));
    let mut sink = Sink::start(path, port, None);
    story.set("2026-03-11 12:01");
    until("some mails came", || !sink.taken().is_empty()).await;
    let (path, port) = sink.kill();
    sink = Sink::start(path, port, None);
    // What was postponed, or broken off with the server, waits by the gateway's own clock.
    let mut ticks = 0..DEADLINE.as_secs() * 5;
    while story.store.notice_figures().await.unwrap().waiting > 0 {
        let tick = ticks.next().expect("never: everything has gone out");
        story.clock.set(irkutsk("2026-03-11 12:02") + chrono::TimeDelta::seconds(i64::try_from(tick).unwrap() * 10));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let taken = sink.taken();
    let ids: BTreeSet<&str> = taken.iter().map(|mail| mail["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len() as u64, owed, "one mail for each id");
    assert_eq!(line.down(), None);
    let figures = story.store.notice_figures().await.unwrap();
    assert_eq!((figures.waiting, figures.undeliverable), (0, 0));
    cancel.cancel();
    worker.await.unwrap();
}
