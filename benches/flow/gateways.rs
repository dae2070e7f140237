//! Gateways as an operator runs them: processes of the release binary, on one broker and one store.

use crate::support::broker::Vhost;
use crate::support::gateway::binary;
use crate::support::postgres::Database;
use crate::{Figures, Nodes, letters, queues};
use serde_json::Value;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(300);
/// The figure begins when so many of a hundred are through: a start is not part of it.
const BEGINS_AT_PERCENT: usize = 5;
/// In which Linux counts the processors' time.
const TICKS_PER_S: f64 = 100.0;
/// The load at which the time to a receipt is told.
const CALM_PER_S: &str = "500";
const CALM_S: &str = "20";
/// Participants of that load over the broker: each is made known to it by a command of a second.
const PEERS_BY_BROKER: &str = "12";

/// What is installed for a case.
struct Installed {
    folder: PathBuf,
    settings: Vec<(String, String)>,
}

/// Running gateways, which end with the value.
struct Serving(Vec<Child>);

impl Installed {
    fn new(amqp: &str, database: Option<&Database<'_>>) -> Self {
        let folder = std::env::temp_dir().join(format!("mezhved-flow-{}-{}", std::process::id(), free_port()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut settings = vec![
            ("AMQP__URL".to_owned(), amqp.to_owned()),
            ("STORE__PATH".to_owned(), folder.join("mezhved.db").display().to_string()),
        ];
        settings.extend(database.map(|database| ("STORE__URL".to_owned(), database.url())));
        Self { folder, settings }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        let settings = self.settings.iter().map(|(key, value)| (format!("MEZHVED__{key}"), value));
        command.args(arguments).current_dir(&self.folder).envs(settings).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        self.command(arguments).output().unwrap()
    }

    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts that many; returns when all are ready, with the address of the first.
    fn serve(&self, processes: usize) -> (Serving, String) {
        let mut addresses = Vec::new();
        let serving = (0..processes).map(|_| {
            let address = format!("127.0.0.1:{}", free_port());
            let mut serve = self.command(&["serve"]);
            serve.env("MEZHVED__HTTP__LISTEN", &address).env("MEZHVED__LOG__LEVEL", "warn");
            addresses.push(address);
            serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        });
        (Serving(serving.collect()), addresses[0].clone())
    }

    fn ready(&self, address: &str) {
        let begun = Instant::now();
        while !self.command(&["health"]).env("MEZHVED__HTTP__LISTEN", address).output().unwrap().status.success() {
            assert!(begun.elapsed() < PATIENCE, "the gateway does not become ready");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // An orderly stop, by the pid that we started.
            let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether this build serves from PostgreSQL: its configuration has the key.
pub fn serve_on_postgres() -> bool {
    let mut installed = Installed::new("", None);
    installed.settings.push(("STORE__URL".to_owned(), "postgres://nobody@127.0.0.1/nothing".to_owned()));
    installed.run(&["check-config"]).status.success()
}

/// What the processors have spent on these processes by now, in seconds.
fn spent(serving: &Serving) -> f64 {
    let of = |child: &Child| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        // The name may hold blanks; after it, user and system time are the twelfth and the thirteenth.
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
        fields.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS_PER_S
    };
    serving.0.iter().map(of).sum()
}

/// Messages a second, and the processors' time. The queue is filled with the gateways down; counted is what lies in the
/// queues of the recipients.
pub async fn rate(
    vhost: &Vhost<'_>,
    (database, processes): (Option<&Database<'_>>, usize),
    messages: usize,
) -> Figures {
    vhost.participant(letters::SENDER);
    let installed = Installed::new(&vhost.gateway_url(), database);
    let file = installed.folder.join("participants.toml");
    std::fs::write(&file, letters::participants()).unwrap();
    installed.done(&["participants", "import", &file.display().to_string()]);
    let out = |code: &str| format!("mezhved.out.{code}");
    let receipts = [out(letters::SENDER)];
    let all: Vec<String> =
        (0..letters::SCHOOLS).map(|school| out(&letters::school(school))).chain(receipts.clone()).collect();
    let (serving, address) = installed.serve(1);
    installed.ready(&address);
    drop(serving);
    queues::publish(&vhost.url(letters::SENDER), ("mezhved.in", "request.information"), messages).await;
    let channel = queues::channel(&vhost.gateway_url()).await;
    let (serving, _) = installed.serve(processes);
    let begins = messages * BEGINS_AT_PERCENT / 100;
    let deadline = Instant::now() + PATIENCE;
    let mut began = None;
    loop {
        assert!(Instant::now() < deadline, "it takes more than five minutes");
        // The cheap look first: two hundred queues are asked only when it matters.
        let receipted = queues::lying(&channel, &receipts).await;
        if began.is_none() && receipted >= begins {
            let (at, before) = (Instant::now(), spent(&serving));
            began = Some((at, queues::lying(&channel, &all).await, before));
        }
        if let Some((at, through, before)) = began
            && receipted >= messages
            && queues::lying(&channel, &all).await >= 2 * messages
        {
            let messages = (2 * messages - through) as f64 / 2.0;
            let processor_us = (spent(&serving) - before) * 1e6 / messages;
            return Figures { rate: messages / at.elapsed().as_secs_f64(), processor_us };
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The time from a message's instant to its receipt, at a rate that a region never reaches: over HTTP, and over the broker,
/// where the receipt is a letter.
pub fn print_receipts(nodes: &Nodes, with_postgres: bool) {
    println!("\nfrom a message's instant to its receipt at {CALM_PER_S}/s for {CALM_S} s, no answers");
    for postgres in [false, true].into_iter().filter(|postgres| with_postgres || !postgres) {
        for by_broker in [false, true] {
            receipts(nodes, (postgres, by_broker));
        }
    }
}

fn receipts(nodes: &Nodes, (postgres, by_broker): (bool, bool)) {
    let database = postgres.then(|| nodes.postgres.database());
    let vhost = by_broker.then(|| nodes.broker.vhost());
    let installed = Installed::new(&vhost.as_ref().map(Vhost::gateway_url).unwrap_or_default(), database.as_ref());
    let mut prepare = vec!["load", "prepare", "--keys", "keys.toml"];
    let host = vhost.as_ref().map(|vhost| format!("amqp://127.0.0.1:{}/{}", nodes.broker.port(), vhost.name()));
    let peers = host.iter().flat_map(|host| ["--participants", PEERS_BY_BROKER, "--amqp", host]);
    prepare.extend(peers);
    installed.done(&prepare);
    vhost.iter().for_each(|vhost| vhost.admit(&installed.folder.join("keys.toml")));
    let (_serving, address) = installed.serve(1);
    installed.ready(&address);
    let url = format!("http://{address}");
    let call = ["load", "run", "--json", "--keys", "keys.toml", "--rate", CALM_PER_S, "--seconds", CALM_S];
    let door: &[&str] = if by_broker { &["--amqp"] } else { &[] };
    let output = installed.run(&[&call[..], &["--answered", "0", "--url", &url], door].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [p50, p99, max] = ["p50", "p99", "max"].map(|of| report["requests"]["receipt_ms"][of].as_f64().unwrap());
    let late = report["generator"]["late_ms"]["p99"].as_f64().unwrap();
    let lost = report["requests"]["lost"].as_u64().unwrap() + report["answers"]["lost"].as_u64().unwrap();
    let store = if postgres { "PostgreSQL" } else { "SQLite" };
    let door = if by_broker { "broker" } else { "HTTP" };
    println!(
        "{store:11}{door:7} p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms (the load's own p99 {late:.1} ms); lost {lost}"
    );
}
