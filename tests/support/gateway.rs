//! The real binary as an operator runs it: a folder of its own, participants and keys by its own commands, `serve` with
//! settings from the environment, signals by its own pid.
//!
//! Promises: waits are polls with a deadline; what it started ends with it, and its folder goes too, unless the test
//! fails (then its path is printed). Never: looks into the store; signals a process that it did not start.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a machine with two busy cores.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// What is installed on one machine: a store, a configuration, and the binary. Nothing runs yet.
pub struct Installation {
    folder: PathBuf,
    binary: PathBuf,
    http: SocketAddr,
    settings: Vec<(String, String)>,
}

/// A running `mezhved serve`.
pub struct Serving {
    child: Child,
    http: SocketAddr,
    begun: Instant,
}

/// The binary under test: the one that cargo built, or that of `MEZHVED_BIN`.
pub fn binary() -> PathBuf {
    std::env::var_os("MEZHVED_BIN").map_or_else(|| env!("CARGO_BIN_EXE_mezhved").into(), PathBuf::from)
}

/// The binary that dies or errs where it is told to: `tests/run` builds it, with what else has flaws in it.
pub fn breakable(program: &str) -> PathBuf {
    let folder = std::env::var_os("MEZHVED_BREAKABLE").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".test/breakable"));
    let program = folder.join(program);
    assert!(program.exists(), "no {}: tests/run builds it", program.display());
    program
}

/// Polls until something is so; fails after a minute with what was awaited.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(POLL);
    }
}

impl Installation {
    /// A fresh one with these participants, reached over that broker.
    pub fn new(participants_toml: &str, amqp_url: &str) -> Self {
        Self::of(binary(), participants_toml, amqp_url)
    }

    /// The same of another binary.
    pub fn of(binary: PathBuf, participants_toml: &str, amqp_url: &str) -> Self {
        Self::made(binary, participants_toml, (amqp_url, None))
    }

    /// A fresh one on an empty database.
    pub fn on_database(participants_toml: &str, amqp_url: &str, store_url: &str) -> Self {
        Self::of_on_database(binary(), participants_toml, (amqp_url, store_url))
    }

    /// The same of another binary.
    pub fn of_on_database(binary: PathBuf, participants_toml: &str, (amqp_url, store_url): (&str, &str)) -> Self {
        Self::made(binary, participants_toml, (amqp_url, Some(store_url)))
    }

    fn made(binary: PathBuf, participants_toml: &str, (amqp_url, store_url): (&str, Option<&str>)) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("mezhved-gateway-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let http = free_port(number);
        let (url, participants) = (folder.join("amqp-url"), folder.join("participants.toml"));
        fs::write(&url, amqp_url).unwrap();
        fs::write(&participants, participants_toml).unwrap();
        let settings = [
            ("STORE__PATH", folder.join("data/mezhved.db").display().to_string()),
            ("HTTP__LISTEN", http.to_string()),
            ("AMQP__URL_FILE", url.display().to_string()),
        ];
        let settings = settings.map(|(key, value)| (format!("MEZHVED__{key}"), value)).into();
        let mut installed = Self { folder, binary, http, settings };
        if let Some(store_url) = store_url {
            let file = installed.folder.join("store-url");
            fs::write(&file, store_url).unwrap();
            installed.set("STORE__URL_FILE", &file.display().to_string());
        }
        installed.run(&["participants", "import", &participants.display().to_string()]);
        installed
    }

    /// Sets a key of the configuration: `("LOG__LEVEL", "debug")`.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.push((format!("MEZHVED__{key}"), value.to_owned()));
    }

    /// Sets a variable of the environment, for a binary that can be broken: `("MEZHVED_FLAW", "NoFsync")`.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Moves the store to another folder; nothing must be serving.
    pub fn move_store(&mut self, folder: &Path) {
        for file in fs::read_dir(self.folder.join("data")).unwrap() {
            let file = file.unwrap().path();
            fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
        }
        self.set_variable("MEZHVED__STORE__PATH", &folder.join("mezhved.db").display().to_string());
    }

    /// Takes a variable back.
    pub fn unset_variable(&mut self, name: &str) {
        self.settings.retain(|(known, _)| known != name);
    }

    /// The folder, for files of the test's own.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the door is, whenever it is open.
    pub fn url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Runs a command of the binary to its end, however it ends.
    pub fn attempt(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command of the binary to its end: its standard output.
    pub fn run(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.attempt(arguments);
        assert!(status.success(), "mezhved {arguments:?}: {status}\n{}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }

    /// A new key of a participant.
    pub fn key(&self, participant: &str) -> String {
        self.run(&["keys", "create", participant]).trim().to_owned()
    }

    /// Starts `serve`, without waiting for anything.
    pub fn serve(&self) -> Serving {
        let log = File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let begun = Instant::now();
        let child = self.command().arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Serving { child, http: self.http, begun }
    }

    /// Starts `serve` and waits until it is ready.
    pub fn serve_ready(&self) -> Serving {
        let mut serving = self.serve();
        serving.ready();
        serving
    }

    /// Starts another `serve` of the same installation with a door of its own, without waiting for anything.
    pub fn serve_beside(&self) -> Serving {
        let http = free_port(500);
        let log = File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        let begun = Instant::now();
        let mut command = self.command();
        command.env("MEZHVED__HTTP__LISTEN", http.to_string()).arg("serve");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Serving { child, http, begun }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).envs(self.settings.iter().map(|(key, value)| (key, value)));
        command
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the gateway's folder is kept: {}", self.folder.display());
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Serving {
    /// Waits until `/health/ready` says so; how long that took since the start.
    pub fn ready(&mut self) -> Duration {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(ended) = self.child.try_wait().unwrap() {
                panic!("`mezhved serve` ended by itself: {ended}");
            }
            match get(self.http, "/health/ready") {
                Some((200, _)) => return self.begun.elapsed(),
                answer => assert!(Instant::now() < deadline, "not ready within {PATIENCE:?}: {answer:?}"),
            }
            std::thread::sleep(POLL);
        }
    }

    /// Whether `/health/ready` says so now.
    pub fn is_ready(&self) -> bool {
        matches!(get(self.http, "/health/ready"), Some((200, _)))
    }

    /// One of the figures of `/metrics`, with its labels as the page writes them; none if it is not there.
    pub fn figure(&self, name: &str) -> Option<f64> {
        let (status, page) = get(self.http, "/metrics").expect("/metrics answers");
        assert_eq!(status, 200, "{page}");
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
        page.lines().find_map(value)
    }

    /// Posts JSON with a key: status and body.
    pub fn post(&self, path: &str, key: &str, json: &str) -> (u16, String) {
        self.try_post(path, key, json).unwrap()
    }

    /// The same; none if the gateway gives no answer.
    pub fn try_post(&self, path: &str, key: &str, json: &str) -> Option<(u16, String)> {
        let headers = format!(
            "Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            json.len()
        );
        call(self.http, &format!("POST {path}"), &format!("{headers}Connection: close\r\n\r\n{json}"))
    }

    /// Follows the live stream of a participant's events from now on; returns once the stream stands.
    pub fn events(&self, key: &str) -> impl Iterator<Item = String> + use<> {
        let mut stream = TcpStream::connect_timeout(&self.http, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\n\r\n", self.http)
            .unwrap();
        let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
        assert!(lines.by_ref().any(|line| line.starts_with(": mezhved")), "the stream stands");
        lines
    }

    /// The most memory that it has had at once, in MiB (`VmHWM`).
    pub fn peak_mib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// kill -9, and it is gone.
    pub fn kill(mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "`mezhved serve` had ended by itself before the kill");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended by itself: how. None if it has not within the deadline.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait().unwrap() {
                None if Instant::now() < deadline => std::thread::sleep(POLL),
                ended => return ended,
            }
        }
    }

    /// Ends it in order, so that the broker knows at once that nobody consumes: to one that was killed it may still hand
    /// out what is sent next, which counts as a delivery too.
    pub fn stand_down(self) {
        let (ended, _) = self.terminate();
        assert!(ended.success(), "{ended}");
    }

    /// SIGTERM, and how it ended and how long that took.
    pub fn terminate(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        // The standard library sends no signal but -9.
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "SIGTERM: {sent}");
        let mut ended = None;
        until("the end after SIGTERM", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        (ended.unwrap(), begun.elapsed())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn get(at: SocketAddr, path: &str) -> Option<(u16, String)> {
    call(at, &format!("GET {path}"), "Connection: close\r\n\r\n")
}

/// Status and body; none when nobody answers.
fn call(at: SocketAddr, what: &str, rest: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&at, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "{what} HTTP/1.1\r\nHost: {at}\r\n{rest}").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// Below the ports that the kernel hands to clients, and below those of the test brokers: nobody takes it while the
/// gateway is down. The pid and the number spread gateways that begin at the same moment.
fn free_port(number: u32) -> SocketAddr {
    let start = (std::process::id() % 500) * 16 + number;
    let ports = (0..8000).map(|step| 12_000 + (start + step) % 8000);
    let addresses = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).unwrap())));
    let mut free = addresses.filter(|address| TcpListener::bind(address).is_ok());
    free.next().expect("a free port between 12000 and 20000")
}
