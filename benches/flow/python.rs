//! The peer: a plain Python gateway (benches/peers/gateway.py) that does the same work, in an environment of its own.

use crate::support::broker::Vhost;
use crate::support::gateway::binary;
use crate::support::postgres::Database;
use crate::{Figures, letters, queues};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");
const VENV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.test/peers");
const SCHEMAS_FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.test/peers-schemas");
const IN_QUEUE: &str = "peer.in";
const PREFIX: &str = "peer.out.";

/// From the first delivery to the last acknowledgement, by its own watch.
pub async fn rate(vhost: &Vhost<'_>, database: &Database<'_>, (messages, batch): (usize, usize)) -> Figures {
    let url = vhost.gateway_url();
    let channel = queues::channel(&url).await;
    let out = |code: &str| format!("{PREFIX}{code}");
    let all = (0..letters::SCHOOLS).map(|school| out(&letters::school(school)));
    queues::declare(&channel, all.chain([out(letters::SENDER), IN_QUEUE.to_owned()])).await;
    queues::publish(&url, ("", IN_QUEUE), messages).await;
    let schema = schemas().join("message.xsd");
    let numbers = [messages, batch].map(|number| number.to_string());
    let mut command = Command::new(interpreter());
    command.arg(Path::new(PEERS).join("gateway.py")).stdin(Stdio::null()).stderr(Stdio::inherit());
    command.args(["--amqp", &url, "--database", &database.url(), "--queue", IN_QUEUE, "--prefix", PREFIX]);
    command.args(["--messages", &numbers[0], "--batch", &numbers[1]]).arg("--schema").arg(schema);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "gateway.py: {}", output.status);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [messages, seconds, processor_s] =
        ["messages", "seconds", "processor_seconds"].map(|name| said[name].as_f64().unwrap());
    Figures { rate: messages / seconds, processor_us: processor_s * 1e6 / messages }
}

/// The interpreter of the environment, which is made again when its list changes.
fn interpreter() -> &'static Path {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    INTERPRETER.get_or_init(|| {
        let (list, installed) = (Path::new(PEERS).join("requirements.txt"), Path::new(VENV).join("installed.txt"));
        let (python, wanted) = (Path::new(VENV).join("bin/python"), std::fs::read_to_string(&list).unwrap());
        if std::fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
            return python;
        }
        let _ = std::fs::remove_dir_all(VENV);
        run(Command::new("python3").args(["-m", "venv", VENV]));
        run(Command::new(&python)
            .args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input", "-r"])
            .arg(&list));
        std::fs::write(installed, wanted).unwrap();
        python
    })
}

/// The catalogue's XSDs, exported by the binary.
fn schemas() -> &'static Path {
    static SCHEMAS: OnceLock<PathBuf> = OnceLock::new();
    SCHEMAS.get_or_init(|| {
        let folder = PathBuf::from(SCHEMAS_FOLDER);
        run(Command::new(binary()).args(["schemas", "export"]).arg(&folder).stdout(Stdio::null()));
        folder
    })
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|fault| panic!("{command:?}: {fault}"));
    assert!(status.success(), "{command:?}: {status}");
}
