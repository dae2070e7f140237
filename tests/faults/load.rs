//! Participants at work beside a gateway that is being broken, and the checker's judgement at the end.
//!
//! Promises: the load ends with the value. Never: counts anything itself.

use crate::support::broker::Vhost;
use crate::support::gateway::{Installation, Serving, breakable, until};
use crate::support::python;
use serde_json::{Map, Value, json};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Child;

pub const PARTICIPANTS: &str = include_str!("../outside/participants.toml");
pub const CENTRE: &str = "centre-vymysel";
/// Who pulls its inbox.
pub const INBOX: &str = "police-test";
const PASSWORD: &str = "вымышленный пароль";
/// Those who write to the broker, and all who call the API.
const BY_QUEUE: [&str; 3] = ["centre-vymysel", "school-test-17", "school-test-18"];
const ALL: [&str; 4] = ["centre-vymysel", "school-test-17", "school-test-18", "police-test"];
/// Within a minute after the faults every message is done (reliability: invariant 3); a machine that is busy with other
/// things gets longer, as long as something moves.
const HEALED_WITHIN_S: u64 = 600;
/// What is wrong and does not change for so long will not heal: longer than a lease of 60 s, by which alone what a claim
/// took comes free whose answer was lost.
const STILL_S: u64 = 90;

/// Of one round.
const KILLS: u64 = 200;

/// A gateway's installation with its participants; they begin to work by [`Scene::begin`].
pub struct Scene {
    pub installed: Installation,
    ledger: PathBuf,
    setup: PathBuf,
    /// The centre's.
    key: String,
    peers: Option<Child>,
}

impl Scene {
    /// Participants that ask so often a second.
    pub fn new(vhost: &Vhost<'_>, per_second: u32) -> Self {
        Self::of(Installation::new(PARTICIPANTS, &vhost.gateway_url()), vhost, per_second)
    }

    /// The same with a gateway that reaches the broker by an address of its own.
    pub fn behind(url: &str, vhost: &Vhost<'_>, per_second: u32) -> Self {
        let mut installed = Installation::new(PARTICIPANTS, url);
        // So that it notices soon that nothing arrives.
        installed.set("AMQP__HEARTBEAT_S", "2");
        Self::of(installed, vhost, per_second)
    }

    /// The same with gateways on a database, by every door.
    pub fn on_database(url: &str, vhost: &Vhost<'_>, per_second: u32) -> Self {
        Self::by_every_door(Installation::on_database(PARTICIPANTS, &vhost.gateway_url(), url), vhost, per_second)
    }

    /// A gateway that can be broken, by every door; on a database, if one is given.
    pub fn breakable(url: Option<&str>, vhost: &Vhost<'_>, per_second: u32) -> Self {
        let (binary, amqp) = (breakable("mezhved-breakable"), vhost.gateway_url());
        let installed = match url {
            Some(url) => Installation::of_on_database(binary, PARTICIPANTS, (&amqp, url)),
            None => Installation::of(binary, PARTICIPANTS, &amqp),
        };
        Self::by_every_door(installed, vhost, per_second)
    }

    /// Also a clerk's desk, where papers that are overdue come in and climb, and what must be refused.
    fn by_every_door(mut installed: Installation, vhost: &Vhost<'_>, per_second: u32) -> Self {
        installed.set("ESCALATION__SWEEP_EVERY_S", "1");
        let password = installed.folder().join("password");
        fs::write(&password, PASSWORD).unwrap();
        let file = password.display().to_string();
        let person = ["--name", "Дело Производителева", "--role", "clerk", "--password-file", &file];
        installed.run(&[&["users", "create", "clerk"], &person[..]].concat());
        let mut scene = Self::of(installed, vhost, per_second);
        scene.say("desk", json!({ "login": "clerk", "password": PASSWORD }));
        scene
    }

    fn of(installed: Installation, vhost: &Vhost<'_>, per_second: u32) -> Self {
        let ledger = installed.folder().join("ledger");
        fs::create_dir(&ledger).unwrap();
        let amqp: Map<String, Value> =
            BY_QUEUE.map(|code| (code.to_owned(), vhost.participant(code).into())).into_iter().collect();
        let keys: Map<String, Value> =
            ALL.map(|code| (code.to_owned(), installed.key(code).into())).into_iter().collect();
        let setup = json!({
            "http": installed.url(), "amqp": amqp, "keys": keys, "ledger": ledger,
            "seed": seed(), "per_second": per_second, "requests_max": 3500,
        });
        let file = installed.folder().join("setup.json");
        fs::write(&file, setup.to_string()).unwrap();
        let key = setup["keys"][CENTRE].as_str().unwrap().to_owned();
        Self { installed, ledger, setup: file, key, peers: None }
    }

    /// Something more that the participants are to know.
    fn say(&mut self, name: &str, value: Value) {
        let mut setup: Value = serde_json::from_slice(&fs::read(&self.setup).unwrap()).unwrap();
        setup[name] = value;
        fs::write(&self.setup, setup.to_string()).unwrap();
    }

    /// The participants begin; the gateway must have been ready once, so that the exchanges and queues stand.
    pub fn begin(&mut self) {
        self.peers = Some(python::spawn("load.py", &[self.setup.as_ref()]));
        self.progress();
    }

    /// Waits until the participants have asked so often more, whatever becomes of it.
    pub fn asked(&mut self, times: usize) {
        let sent =
            |scene: &Self| fs::read_to_string(scene.ledger.join("sent.jsonl")).unwrap_or_default().lines().count();
        let before = sent(self);
        until("more that is asked", || {
            self.still_at_work();
            sent(self) >= before + times
        });
    }

    /// Waits until the participants have got something new.
    pub fn progress(&mut self) {
        let before = self.received();
        until("something new at the participants", || {
            self.still_at_work();
            self.received() > before
        });
    }

    /// No new requests from here on; then everything must come to its end, and the ledgers must agree.
    pub fn judge(&mut self) {
        self.still_at_work();
        fs::write(self.ledger.join("stop"), "").unwrap();
        let still = number("MEZHVED_STILL_S", STILL_S).to_string();
        python::run("check.py", &[self.setup.as_ref(), HEALED_WITHIN_S.to_string().as_ref(), still.as_ref()]);
        self.still_at_work();
        fs::write(self.ledger.join("end"), "").unwrap();
        let ended = self.peers.take().unwrap().wait().unwrap();
        assert!(ended.success(), "load.py: {ended}");
    }

    /// A request of the test's own, in the ledgers like any other once it is receipted: status and answer.
    pub fn submit(&self, serving: &Serving) -> (u16, Value) {
        let id = uuid::Uuid::new_v4();
        let (status, answer) = serving.post("/api/v1/messages", &self.key, &request(id, INBOX).to_string());
        let answer: Value = serde_json::from_str(&answer).unwrap();
        if status < 300 {
            let sent = json!({
                "id": id, "from": CENTRE, "to": [INBOX], "type": "request.information", "in_reply_to": null,
                "via": "http", "attempt": 0
            });
            self.note("sent", &sent);
            self.note("confirmed", &json!({ "id": id, "via": "http", "number": answer["registration"]["number"] }));
        }
        (status, answer)
    }

    fn note(&self, kind: &str, fact: &Value) {
        let mut file = File::options().append(true).open(self.ledger.join(format!("{kind}.jsonl"))).unwrap();
        file.write_all(format!("{fact}\n").as_bytes()).unwrap();
    }

    /// Bytes of the ledger of what came.
    fn received(&self) -> u64 {
        fs::metadata(self.ledger.join("received.jsonl")).map_or(0, |file| file.len())
    }

    pub fn still_at_work(&mut self) {
        let ended = self.peers.as_mut().and_then(|peers| peers.try_wait().unwrap());
        assert!(ended.is_none(), "load.py has ended by itself: {ended:?}");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(mut peers) = self.peers.take() {
            let _ = peers.kill();
            let _ = peers.wait();
        }
    }
}

/// A request of the centre as of now.
pub fn request(id: uuid::Uuid, to: &str) -> Value {
    let created_at = mezhved::clock::Clock::system().now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    json!({
        "id": id, "type": "request.information", "version": 1, "from": CENTRE, "to": [to],
        "created_at": created_at, "summary": "Запрос",
        "body": {
            "persons": [{ "name": "Примеров Пример Примерович", "birth_date": "2014-03-09", "relation": "child" }],
            "questions": ["Состоит ли семья на учёте?"]
        }
    })
}

/// `MEZHVED_SEED`, else always the same.
pub fn seed() -> u64 {
    number("MEZHVED_SEED", 20_260_302)
}

/// `MEZHVED_KILLS` (200 where nothing is said) in rounds: how many of each, and its dice. A round has a scene of its own, and
/// no more kills than its participants have requests for.
pub fn rounds() -> impl Iterator<Item = (u64, Dice)> {
    let kills = number("MEZHVED_KILLS", KILLS);
    let counts = (0..kills.div_ceil(KILLS)).map(move |round| (round, KILLS.min(kills - round * KILLS)));
    counts.map(|(round, count)| (count, Dice(seed() + round)))
}

/// A number from the environment.
pub fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}: {text} is no number")))
}

/// Steele, Lea, Flood: SplitMix64. The same seed gives the same moments.
pub struct Dice(pub u64);

impl Dice {
    /// Below `bound`, evenly enough for moments in time.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
