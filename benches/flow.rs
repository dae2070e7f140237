//! From the queue to the confirmed delivery: gateways as an operator runs them (one on SQLite; one and two on
//! PostgreSQL), beside floors that only consume, write the same bytes in one statement and one transaction per batch, and
//! publish confirmed; and beside a plain Python gateway, with a commit for each message and in batches. One run, one
//! broker, one database node, the same messages. Then the time from a message's instant to its receipt at 500/s.
//!
//! `cargo bench --bench flow [-- MESSAGES [ROUNDS [CASE]]]`; of the cases only those whose name begins with CASE, and then
//! no receipts. Promises: real private nodes, quorum queues, persistent messages,
//! full fsync on every side; the median of the rounds. Never: judges; it prints.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement may fail loudly and prints what it found"
)]

#[path = "flow/floor.rs"]
mod floor;
#[path = "flow/gateways.rs"]
mod gateways;
#[path = "flow/letters.rs"]
mod letters;
#[path = "flow/machine.rs"]
mod machine;
#[path = "flow/python.rs"]
mod python;
#[path = "flow/queues.rs"]
mod queues;
#[path = "../tests/support/mod.rs"]
mod support;

use floor::Sends;
use support::broker::Broker;
use support::postgres::Postgres;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Case {
    /// So many gateways on one store.
    Gateway {
        postgres: bool,
        processes: usize,
    },
    Floor {
        postgres: bool,
        sends: Sends,
    },
    /// The Python gateway, with at most so many messages in a commit.
    Python {
        batch: usize,
    },
}

const SAME: Sends = Sends::LetterAndReceipt { queues: letters::SCHOOLS };
const CASES: [Case; 9] = [
    Case::Gateway { postgres: false, processes: 1 },
    Case::Gateway { postgres: true, processes: 1 },
    Case::Gateway { postgres: true, processes: 2 },
    Case::Floor { postgres: false, sends: Sends::One },
    Case::Floor { postgres: false, sends: SAME },
    Case::Floor { postgres: true, sends: Sends::One },
    Case::Floor { postgres: true, sends: SAME },
    Case::Python { batch: 1 },
    Case::Python { batch: 256 },
];

impl Case {
    fn name(self) -> String {
        let store = |postgres| if postgres { "PostgreSQL" } else { "SQLite" };
        match self {
            Self::Gateway { postgres, processes: 1 } => format!("gateway, {}", store(postgres)),
            Self::Gateway { postgres, processes } => format!("{processes} gateways, {}", store(postgres)),
            Self::Floor { postgres, sends: Sends::One } => format!("floor, {}, one queue", store(postgres)),
            Self::Floor { postgres, .. } => format!("floor, {}, sends the same", store(postgres)),
            Self::Python { batch: 1 } => "Python, a commit each".to_owned(),
            Self::Python { batch } => format!("Python, batches of {batch}"),
        }
    }
}

/// What a round of a case gave.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Messages a second.
    rate: f64,
    /// What the gateways' own processes took of the processors for a message, in microseconds; of a floor it is not told.
    processor_us: f64,
}

/// The nodes of the run.
struct Nodes {
    broker: Broker,
    postgres: Postgres,
}

fn main() {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let number = |place: usize, or: usize| words.get(place).map_or(or, |word| word.parse().expect("a number"));
    let (messages, rounds, only) = (number(0, 10_000), number(1, 3), words.get(2));
    let nodes = Nodes { broker: Broker::start(), postgres: Postgres::start() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let with_postgres = gateways::serve_on_postgres();
    let cases = CASES.into_iter().filter(|case| with_postgres || !matches!(case, Case::Gateway { postgres: true, .. }));
    let cases: Vec<Case> =
        cases.filter(|case| only.is_none_or(|only| case.name().starts_with(only.as_str()))).collect();
    println!("{}", machine::described(&nodes.postgres));
    println!("{messages} messages from the queue to the confirmed delivery, each a letter to one of");
    println!("{} queues and a receipt to its sender; {rounds} rounds, each case in turn\n", letters::SCHOOLS);
    if !with_postgres {
        println!("not measured: gateways on PostgreSQL (this build does not serve from it)");
    }
    let mut measured: Vec<Vec<Figures>> = vec![Vec::new(); cases.len()];
    for round in 1..=rounds {
        for (case, all) in cases.iter().zip(&mut measured) {
            let figures = runtime.block_on(measure(*case, &nodes, messages));
            println!("round {round}: {:34} {:>8.0}/s", case.name(), figures.rate);
            all.push(figures);
        }
    }
    print(&cases, &measured);
    if only.is_none() {
        gateways::print_receipts(&nodes, with_postgres);
    }
}

async fn measure(case: Case, nodes: &Nodes, messages: usize) -> Figures {
    let vhost = nodes.broker.vhost();
    match case {
        Case::Gateway { postgres, processes } => {
            let database = postgres.then(|| nodes.postgres.database());
            gateways::rate(&vhost, (database.as_ref(), processes), messages).await
        }
        Case::Floor { postgres, sends } => {
            let database = postgres.then(|| nodes.postgres.database());
            let rate = floor::rate(&vhost, database.as_ref(), (messages, sends)).await;
            Figures { rate, processor_us: f64::NAN }
        }
        Case::Python { batch } => python::rate(&vhost, &nodes.postgres.database(), (messages, batch)).await,
    }
}

/// Medians, and what they are of the floors and of the peers: ratios within a round, because a machine has its days.
fn print(cases: &[Case], measured: &[Vec<Figures>]) {
    let of = |case: Case| cases.iter().position(|one| *one == case).map(|place| &measured[place]);
    let ratio = |own: &[Figures], other: Option<&Vec<Figures>>| {
        other.map(|other| median(own.iter().zip(other).map(|(own, other)| own.rate / other.rate).collect()))
    };
    let shown = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    let head = ["messages/s", "own us each", "of floor", "of same", "Python x1", "x256"];
    println!("\n{:34}{}", "median", head.map(|word| format!("{word:>12}")).concat());
    for (case, own) in cases.iter().zip(measured) {
        let rate = median(own.iter().map(|one| one.rate).collect());
        let processor_us = median(own.iter().map(|one| one.processor_us).collect());
        let spent = if processor_us.is_nan() { "-".to_owned() } else { format!("{processor_us:.0}") };
        print!("{:34}{rate:>12.0}{spent:>12}", case.name());
        if let Case::Gateway { postgres, .. } = *case {
            let floors = [Sends::One, SAME].map(|sends| ratio(own, of(Case::Floor { postgres, sends })));
            let peers = [1, 256].map(|batch| ratio(own, of(Case::Python { batch })));
            floors.into_iter().chain(peers).for_each(|value| print!("{:>12}", shown(value)));
        }
        println!();
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
