//! A real PostgreSQL node for tests, run by the script `postgres` beside this file.
//!
//! Promises: a node of [`Postgres::start`] belongs to one test, which may stop and kill it; each [`Database`] starts
//! empty and is dropped with its value. Never: reaches the system's clusters. [`Postgres::shared`] must not be stopped
//! or killed: other tests are using it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/postgres");

/// A running node.
pub struct Postgres {
    dir: PathBuf,
    port: u16,
    password: String,
    shared: bool,
}

impl Postgres {
    /// A node of its own, which ends when the value is dropped, or when this process ends in any way. Takes about 2 s.
    pub fn start() -> Self {
        Self::start_as(false)
    }

    /// The node that all tests of one run share: the one `tests/run` started, else one for this process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var_os("MEZHVED_TEST_POSTGRES_DIR") {
            Some(dir) => Self::of(dir.into(), true),
            None => Self::start_as(true),
        })
    }

    // A static is never dropped: a shared node ends when its script sees that the owner is gone.
    fn start_as(shared: bool) -> Self {
        let dir = std::env::temp_dir().join(format!("mezhved-test-pg-{}-{}", std::process::id(), next()));
        run(&dir, "start", &[&std::process::id().to_string()], "");
        Self::of(dir, shared)
    }

    fn of(dir: PathBuf, shared: bool) -> Self {
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).expect("the node's folder has it");
        Self { port: read("port").trim().parse().expect("a port"), password: read("password"), dir, shared }
    }

    /// The port on 127.0.0.1; the same after a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A fresh empty database that is dropped with the value; it belongs to a user who is no superuser.
    pub fn database(&self) -> Database<'_> {
        let name = format!("t_{}_{}", std::process::id(), next());
        run(&self.dir, "create", &[&name], "");
        Database { node: self, name }
    }

    /// Kills all processes of the node with -9: what a power failure does.
    pub fn kill(&self) {
        self.refuse_if_shared();
        run(&self.dir, "kill", &[], "");
    }

    /// Ends the node at once in an orderly way: connections are cut, what they had not committed is rolled back.
    pub fn stop(&self) {
        self.refuse_if_shared();
        run(&self.dir, "stop-node", &[], "");
    }

    /// Starts the node again after [`Postgres::kill`] or [`Postgres::stop`]: the same port, the same data.
    pub fn restart(&self) {
        self.refuse_if_shared();
        run(&self.dir, "restart", &[], "");
    }

    fn refuse_if_shared(&self) {
        assert!(!self.shared, "other tests use the shared node: take Postgres::start() to stop, kill or restart one");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if !self.shared {
            run(&self.dir, "stop", &[], "");
        }
    }
}

/// A database of one test.
pub struct Database<'a> {
    node: &'a Postgres,
    name: String,
}

impl Database<'_> {
    /// Its address for the gateway.
    pub fn url(&self) -> String {
        let Postgres { port, password, .. } = self.node;
        format!("postgres://mezhved:{password}@127.0.0.1:{port}/{}", self.name)
    }

    /// The name, as it stands in the address.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL as the superuser; its rows, a line each, the columns parted by `|`.
    pub fn sql(&self, text: &str) -> String {
        self.try_sql(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    /// The same, or the words with which the server refuses it.
    pub fn try_sql(&self, text: &str) -> Result<String, String> {
        attempt(&self.node.dir, "sql", &[&self.name], text).map(|rows| rows.trim_end().to_owned())
    }

    /// What is done so to a table (`INSERT ON message`) fails for these rows from now on, as when the server cannot read a
    /// block of its disk; until `DROP TRIGGER damage`.
    pub fn damage(&self, on: &str, when: &str) {
        self.sql(
            "CREATE FUNCTION damage() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RAISE EXCEPTION ''could not read block 7'' USING ERRCODE = ''58030''; END'",
        );
        self.sql(&format!("CREATE TRIGGER damage BEFORE {on} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION damage()"));
    }

    /// How many rows refer by number to one that there is not; the tables have no keys for these references.
    pub fn orphans(&self) -> String {
        self.sql(
            "SELECT (SELECT count(*) FROM message m LEFT JOIN exchange x ON x.n = m.exchange WHERE x.n IS NULL)
                 + (SELECT count(*) FROM obligation o LEFT JOIN exchange x ON x.n = o.exchange WHERE x.n IS NULL)
                 + (SELECT count(*) FROM rung r LEFT JOIN obligation o ON o.n = r.obligation WHERE o.n IS NULL)
                 + (SELECT count(*) FROM outbox b LEFT JOIN exchange x ON x.n = b.exchange_n
                    WHERE b.exchange_n IS NOT NULL AND x.n IS NULL)
                 + (SELECT count(*) FROM event e LEFT JOIN exchange x ON x.n = e.exchange_n
                    WHERE e.exchange_n IS NOT NULL AND x.n IS NULL)
                 + (SELECT count(*) FROM event e LEFT JOIN obligation o ON o.n = e.obligation_n
                    WHERE e.obligation_n IS NOT NULL AND o.n IS NULL)",
        )
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // A test may end while its node is down; then the data goes with the node's folder.
        let _ = attempt(&self.node.dir, "drop", &[&self.name], "");
    }
}

fn next() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

fn run(dir: &Path, verb: &str, arguments: &[&str], input: &str) -> String {
    attempt(dir, verb, arguments, input).unwrap_or_else(|fault| panic!("postgres {verb}: {fault}"))
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
