//! A proxy that stands between a client and a server, understands where one unit of their protocol ends and the next
//! begins, and fails as networks fail, at exactly that unit.
//!
//! Promises: what is passed on is passed on unchanged and in its order; a cut is a reset on both sides (RST), and the
//! unit that it happened at was not passed on. Never: answers for either side.

pub mod amqp;
pub mod postgres;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

/// A drop now and then: a frame of a kilobyte takes a tenth of a second.
const BETWEEN_DROPS: Duration = Duration::from_micros(100);

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// A frame or a message, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// By the protocol's own word: `basic.ack`, `CommandComplete COMMIT`.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Cuts what has come into units; keeps what is not whole yet.
pub type Cutter = Box<dyn FnMut(Side, &mut Vec<u8>) -> Vec<Unit> + Send>;

/// A proxy in front of one server, for any number of connections.
pub struct Proxy {
    at: SocketAddr,
    shared: Arc<Shared>,
    /// Ends with the value, and with it every connection.
    _runtime: Runtime,
}

struct Shared {
    upstream: SocketAddr,
    cutter: fn() -> Cutter,
    weather: Mutex<Weather>,
    reset: Notify,
}

/// What the network does now.
#[derive(Default)]
struct Weather {
    /// The unit at which the connection is cut, once.
    cut_at: Option<(Side, String)>,
    /// Nothing that these send arrives; nobody is told.
    dark: Vec<Side>,
    /// One byte at a time.
    drips: bool,
}

impl Proxy {
    /// A proxy on a port of its own before one of this machine, in fair weather.
    pub fn before(port: u16, cutter: fn() -> Cutter) -> Self {
        let upstream = SocketAddr::from(([127, 0, 0, 1], port));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let at = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { upstream, cutter, weather: Mutex::default(), reset: Notify::new() });
        runtime.spawn(accept(listener, Arc::clone(&shared)));
        Self { at, shared, _runtime: runtime }
    }

    /// The address of what is behind it, by way of the proxy.
    pub fn url(&self, direct: &str) -> String {
        direct.replace(&format!(":{}/", self.shared.upstream.port()), &format!(":{}/", self.at.port()))
    }

    /// Cuts the connection on which that side next sends a unit whose name begins so, before it is passed on.
    pub fn cut_at(&self, side: Side, name: &str) {
        self.weather().cut_at = Some((side, name.to_owned()));
    }

    /// Whether the cut is still to come.
    pub fn is_to_cut(&self) -> bool {
        self.weather().cut_at.is_some()
    }

    /// From now on nothing arrives of what these sides send. Connections stay open, and new ones are accepted.
    pub fn darken(&self, sides: &[Side]) {
        self.weather().dark = sides.to_vec();
    }

    /// From now on everything arrives a byte at a time.
    pub fn drip(&self) {
        self.weather().drips = true;
    }

    /// Fair weather again. What was swallowed is lost: such connections are of no use any more, and are reset.
    pub fn clear(&self) {
        let was_dark = !self.weather().dark.is_empty();
        *self.weather() = Weather::default();
        if was_dark {
            self.reset();
        }
    }

    /// Resets every connection.
    pub fn reset(&self) {
        self.shared.reset.notify_waiters();
    }

    fn weather(&self) -> MutexGuard<'_, Weather> {
        self.shared.weather.lock().unwrap()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(shared.upstream).await else { return };
            for stream in [&client, &server] {
                stream.set_nodelay(true).unwrap();
                // What is dropped is reset, not ended in order.
                stream.set_zero_linger().unwrap();
            }
            let cutter = Mutex::new((shared.cutter)());
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            // Whichever ends first takes the other along.
            tokio::select! {
                () = shared.reset.notified() => {}
                () = carry((Side::Client, from_client, to_server), &shared, &cutter) => {}
                () = carry((Side::Server, from_server, to_client), &shared, &cutter) => {}
            }
        });
    }
}

/// Until that side ends, or a cut.
async fn carry(
    (side, mut from, mut to): (Side, OwnedReadHalf, OwnedWriteHalf),
    shared: &Shared,
    cutter: &Mutex<Cutter>,
) {
    let (mut buffer, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let Ok(length @ 1..) = from.read(&mut chunk).await else { return };
        buffer.extend_from_slice(&chunk[..length]);
        let units = (cutter.lock().unwrap())(side, &mut buffer);
        for unit in units {
            match shared.fate(side, &unit) {
                Fate::Lost => {}
                Fate::Cut => return,
                Fate::Passed { step } => {
                    for bytes in unit.bytes.chunks(step) {
                        if to.write_all(bytes).await.is_err() {
                            return;
                        }
                        if step == 1 {
                            tokio::time::sleep(BETWEEN_DROPS).await;
                        }
                    }
                }
            }
        }
    }
}

/// What becomes of a unit.
enum Fate {
    Passed { step: usize },
    Lost,
    Cut,
}

impl Shared {
    fn fate(&self, side: Side, unit: &Unit) -> Fate {
        let mut weather = self.weather.lock().unwrap();
        if weather.dark.contains(&side) {
            return Fate::Lost;
        }
        if weather.cut_at.as_ref().is_some_and(|(at, name)| *at == side && unit.name.starts_with(name)) {
            weather.cut_at = None;
            return Fate::Cut;
        }
        Fate::Passed { step: if weather.drips { 1 } else { usize::MAX } }
    }
}
