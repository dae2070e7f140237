//! A real RabbitMQ node for tests, run by the script `broker` beside this file.
//!
//! Promises: a node of [`Broker::start`] belongs to one test, which may stop and kill it; each [`Vhost`] starts empty.
//! Never: reaches the system's broker. [`Broker::shared`] must not be stopped or killed: other tests are using it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/broker");

/// The user that the gateway itself connects as.
pub const GATEWAY: &str = "mezhved";

/// A running node.
pub struct Broker {
    dir: PathBuf,
    port: u16,
    shared: bool,
}

impl Broker {
    /// A node of its own, which ends when the value is dropped, or when this process ends in any way. Takes about 5 s.
    pub fn start() -> Self {
        Self::start_as(false)
    }

    /// The node that all tests of one run share: the one `tests/run` started, else one for this process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var_os("MEZHVED_TEST_BROKER_DIR") {
            Some(dir) => Self { port: port_of(dir.as_ref()), dir: dir.into(), shared: true },
            None => Self::start_as(true),
        })
    }

    // A static is never dropped: a shared node ends when its script sees that the owner is gone.
    fn start_as(shared: bool) -> Self {
        let dir = std::env::temp_dir().join(format!("mezhved-test-{}-{}", std::process::id(), next()));
        run(&dir, "start", &[&std::process::id().to_string()], "");
        Self { port: port_of(&dir), dir, shared }
    }

    /// The AMQP port on 127.0.0.1; the same after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder by which other processes find the node.
    pub fn folder(&self) -> &Path {
        &self.dir
    }

    /// A fresh virtual host that is deleted when dropped, with the gateway's user in it.
    pub fn vhost(&self) -> Vhost<'_> {
        let name = format!("t-{}-{}", std::process::id(), next());
        run(&self.dir, "vhost", &[&name], "");
        let vhost = Vhost { broker: self, name };
        vhost.user(GATEWAY, &Rights { configure: ".*", write: ".*", read: ".*" });
        vhost
    }

    /// Kills the node with -9: what a power failure does.
    pub fn kill(&self) {
        self.refuse_if_shared();
        run(&self.dir, "kill", &[], "");
    }

    /// Ends the node in an orderly way.
    pub fn stop(&self) {
        self.refuse_if_shared();
        run(&self.dir, "stop-node", &[], "");
    }

    /// Starts the node again after [`Broker::kill`] or [`Broker::stop`]: the same port, the same data.
    pub fn restart(&self) {
        self.refuse_if_shared();
        run(&self.dir, "restart", &[], "");
    }

    /// Runs an Erlang expression (with its full stop) in the node: its value, as Erlang writes it.
    pub fn eval(&self, expression: &str) -> String {
        run(&self.dir, "eval", &[], expression).trim().to_owned()
    }

    fn refuse_if_shared(&self) {
        assert!(!self.shared, "other tests use the shared node: take Broker::start() to stop, kill or restart one");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if !self.shared {
            run(&self.dir, "stop", &[], "");
        }
    }
}

/// What a user may do in a virtual host: RabbitMQ's three regular expressions over names of queues and exchanges.
pub struct Rights<'a> {
    pub configure: &'a str,
    pub write: &'a str,
    pub read: &'a str,
}

/// A virtual host of one test.
pub struct Vhost<'a> {
    broker: &'a Broker,
    name: String,
}

impl Vhost<'_> {
    /// The address for a user of this virtual host.
    pub fn url(&self, user: &str) -> String {
        format!("amqp://{user}:{}@127.0.0.1:{}/{}", password(user), self.broker.port, self.name)
    }

    /// The address for the gateway itself, which may do everything here.
    pub fn gateway_url(&self) -> String {
        self.url(GATEWAY)
    }

    /// Makes a user with these rights; gives its address. Users of one name share their password over all hosts.
    pub fn user(&self, user: &str, rights: &Rights<'_>) -> String {
        let Rights { configure, write, read } = *rights;
        run(&self.broker.dir, "user", &[user, &password(user), &self.name, configure, write, read], "");
        self.url(user)
    }

    /// Makes the user of a participant, with what it may do in production: write to `mezhved.in`, read its own queue.
    pub fn participant(&self, code: &str) -> String {
        let read = format!(r"^mezhved\.out\.{}$", code.replace('.', r"\."));
        self.user(code, &Rights { configure: "^$", write: r"^mezhved\.in$", read: &read })
    }

    /// Makes users of the participants of a key file of `mezhved load`, and writes their addresses into it: this broker
    /// gives passwords of its own.
    pub fn admit(&self, keys: &Path) {
        let mut file: toml::Table = toml::from_str(&std::fs::read_to_string(keys).unwrap()).unwrap();
        for peer in file["peers"].as_array_mut().unwrap() {
            let url = self.participant(peer["body"]["code"].as_str().unwrap());
            peer.as_table_mut().unwrap().insert("amqp".to_owned(), url.into());
        }
        std::fs::write(keys, toml::to_string(&file).unwrap()).unwrap();
    }

    /// The name, as it stands in the address.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Vhost<'_> {
    fn drop(&mut self) {
        // A test may end while its node is down; then the data goes with the node's folder.
        let expression = format!(r#"rabbit_vhost:delete(<<"{}">>, <<"tests">>)."#, self.name);
        let _ = attempt(&self.broker.dir, "eval", &[], &expression);
    }
}

fn password(user: &str) -> String {
    format!("secret-of-{user}")
}

fn next() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

fn port_of(dir: &Path) -> u16 {
    let text = std::fs::read_to_string(dir.join("port")).expect("the node's folder has its port");
    text.trim().parse().expect("a port")
}

fn run(dir: &Path, verb: &str, arguments: &[&str], input: &str) -> String {
    attempt(dir, verb, arguments, input).unwrap_or_else(|fault| panic!("broker {verb}: {fault}"))
}

// The node outlives the script, so it must not hold the script's pipes: the script gives it files of its own.
fn attempt(dir: &Path, verb: &str, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut script = Command::new(SCRIPT)
        .args([verb.as_ref(), dir.as_os_str()])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{SCRIPT}: {error}"))?;
    let mut stdin = script.stdin.take().expect("piped");
    // A verb that reads no input may have closed it already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = script.wait_with_output().map_err(|error| error.to_string())?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
