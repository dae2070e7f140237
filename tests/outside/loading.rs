//! `mezhved load` against the real gateway: its figures, its exit code, and that it sees a loss.

use crate::support::broker::Broker;
use crate::support::gateway::{Installation, Serving, binary};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const NOBODY: &str = "participants = []";
const SCHOOL: &str = "load-school-test-17";

fn prepared(amqp_url: &str, count: &str, more: &[&str]) -> (Installation, String) {
    let installed = Installation::new(NOBODY, amqp_url);
    let keys = installed.folder().join("keys.toml").display().to_string();
    let call = ["load", "prepare", "--participants", count, "--keys", &keys];
    installed.run(&[&call[..], more].concat());
    (installed, keys)
}

/// Two hundred requests in four seconds; the report, and whether the exit code was 0.
fn driven(installed: &Installation, keys: &str, more: &[&str]) -> (Value, bool) {
    let url = installed.url();
    let call = ["load", "run", "--json", "--keys", keys, "--rate", "50", "--seconds", "4", "--poll-ms", "50"];
    let output = installed.attempt(&[&call[..], &["--url", &url], more].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|fault| panic!("{fault}: {said}"));
    (report, output.status.success())
}

fn counted(report: &Value, of: &str) -> u64 {
    report.pointer(of).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {of} in {report:#}"))
}

fn all_arrived(report: &Value) {
    for (of, expected) in [("/requests/sent", 200), ("/requests/accepted", 200), ("/requests/delivered", 200)] {
        assert_eq!(counted(report, of), expected, "{of} in {report:#}");
    }
    let answers = counted(report, "/answers/sent");
    assert!((120..=200).contains(&answers), "nine tenths of 200 are answered, and not {answers}: {report:#}");
    assert_eq!(counted(report, "/answers/delivered"), answers, "{report:#}");
    for none in ["/requests/lost", "/requests/waiting", "/answers/lost", "/receipts_missing", "/duplicates"] {
        assert_eq!(counted(report, none), 0, "{none} in {report:#}");
    }
    assert_eq!(counted(report, "/requests/receipt_ms/count"), 200);
    let rate = report["requests"]["sent_per_s"].as_f64().unwrap();
    assert!((40.0..=55.0).contains(&rate), "50 a second were asked for: {report:#}");
    assert!(report["requests"]["delivery_ms"]["p99"].as_f64() > Some(0.0), "{report:#}");
}

fn stop(serving: Serving) {
    let (ended, _) = serving.terminate();
    assert!(ended.success(), "{ended}");
}

#[test]
fn load_over_http_arrives_whole_and_its_figures_are_counted() {
    let (installed, keys) = prepared("", "20", &[]);
    let serving = installed.serve_ready();
    let (report, no_loss) = driven(&installed, &keys, &[]);
    all_arrived(&report);
    assert!(no_loss);
    stop(serving);
}

/// As a person sees it, at a terminal: `script` gives one.
#[test]
fn at_a_terminal_a_bar_shows_how_far_the_load_is_and_a_table_follows() {
    let (installed, keys) = prepared("", "10", &[]);
    let serving = installed.serve_ready();
    let (binary, url) = (binary().display().to_string(), installed.url());
    let call = format!("{binary} load run --keys {keys} --rate 20 --seconds 6 --url {url}");
    let shown = Command::new("script").args(["-qefc", &call, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    for expected in ["120", "█", "ещё", "p99", "Ничего не потеряно."] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
    // Without one, a line now and then.
    let told = installed.attempt(&["load", "run", "--keys", &keys, "--rate", "20", "--seconds", "6", "--url", &url]);
    let (table, lines) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success() && table.contains("p99") && !table.contains('█'), "{table}");
    assert!(lines.contains(" с: "), "{lines}");
    stop(serving);
}

#[test]
fn load_over_the_broker_arrives_whole_and_every_message_has_its_receipt() {
    let broker = Broker::shared();
    let vhost = broker.vhost();
    let host = format!("amqp://127.0.0.1:{}/{}", broker.port(), vhost.name());
    let (installed, keys) = prepared(&vhost.gateway_url(), "6", &["--amqp", &host]);
    vhost.admit(keys.as_ref());
    let serving = installed.serve_ready();
    let (report, no_loss) = driven(&installed, &keys, &["--amqp"]);
    all_arrived(&report);
    assert!(no_loss);
    stop(serving);
}

#[test]
fn letters_that_nobody_fetches_wait_and_letters_that_were_dropped_are_lost() {
    let (installed, keys) = prepared("", "3", &[]);
    let serving = installed.serve_ready();
    let (report, no_loss) = driven(&installed, &keys, &["--silent", SCHOOL]);
    let waiting = counted(&report, "/requests/waiting");
    assert!(waiting > 50, "about half of the letters are the school's: {report:#}");
    assert_eq!((waiting + counted(&report, "/requests/delivered"), counted(&report, "/requests/lost")), (200, 0));
    assert!(no_loss, "what waits is not lost");
    // From here on the store forgets what is for that school.
    let store = rusqlite::Connection::open(installed.folder().join("data/mezhved.db")).unwrap();
    let forget = format!(
        "CREATE TRIGGER forget AFTER INSERT ON outbox WHEN new.recipient = '{SCHOOL}' \
         BEGIN DELETE FROM outbox WHERE seq = new.seq; END"
    );
    store.execute_batch(&forget).unwrap();
    drop(store);
    let (report, no_loss) = driven(&installed, &keys, &["--drain-s", "1"]);
    let lost = counted(&report, "/requests/lost");
    assert!(lost > 50, "{report:#}");
    assert_eq!(lost + counted(&report, "/requests/delivered"), 200, "{report:#}");
    assert!(!no_loss, "a loss shows in the exit code");
    assert!(counted(&report, "/other_letters") >= waiting, "the first run's letters are fetched in the second");
    stop(serving);
}

#[test]
fn load_is_never_prepared_in_a_store_with_other_participants_nor_over_a_key_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let (installed, keys) = prepared("", "4", &[]);
    let (again, other) = (&["load", "prepare", "--keys", &keys][..], installed.folder().join("other.toml"));
    assert!(!installed.attempt(again).status.success(), "the key file is there");
    assert_eq!(fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
    let elsewhere: PathBuf = installed.folder().join("participants.toml");
    fs::write(&elsewhere, include_str!("participants.toml")).unwrap();
    installed.run(&["participants", "import", &elsewhere.display().to_string()]);
    let refused = installed.attempt(&["load", "prepare", "--keys", &other.display().to_string()]);
    assert!(!refused.status.success() && !other.exists());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("is no body of a load test"), "{said}");
}
