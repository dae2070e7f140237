//! The report of a run: rates, percentiles, losses.
//!
//! Promises: every figure is the generator's own count; what could not be told is not called delivered. Never: judges a
//! rate.

use super::ledger::Tally;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// A run in numbers.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// `http` or `amqp`.
    pub door: &'static str,
    pub participants: usize,
    pub mix: String,
    pub rate_per_s: f64,
    pub seconds: f64,
    pub requests: Flow,
    pub answers: Flow,
    /// Confirmed by the broker, and no receipt came.
    pub receipts_missing: u64,
    /// Letters that came to one recipient more than once, under one id.
    pub duplicates: u64,
    /// Letters that are not of this run: reminders, leftovers of an earlier one.
    pub other_letters: u64,
    /// Inboxes that could not be read, and registrations that failed.
    pub fetches_failed: u64,
    pub generator: Generator,
    /// How long the rest took after the last message was due.
    pub drained_s: f64,
}

/// Messages of one sort.
#[derive(Debug, Default, Serialize)]
pub(super) struct Flow {
    pub sent: u64,
    pub sent_per_s: f64,
    pub accepted: u64,
    pub accepted_per_s: f64,
    /// By stable code.
    pub refused: BTreeMap<String, u64>,
    pub refused_per_s: f64,
    /// By reason; whether the gateway has these is not known.
    pub failed: BTreeMap<String, u64>,
    pub failed_per_s: f64,
    /// Seen at their recipient.
    pub delivered: u64,
    /// The gateway says that they wait for their recipient, or are there and not fetched.
    pub waiting: u64,
    /// Accepted, and nobody can say where they are.
    pub lost: u64,
    /// From the instant at which it was due to the receipt: 202, or the receipt letter.
    pub receipt_ms: Spread,
    /// From the same instant to the recipient: registered from the inbox, or read from the queue.
    pub delivery_ms: Spread,
}

/// A distribution, in milliseconds.
#[derive(Debug, Default, Serialize)]
pub(super) struct Spread {
    pub count: usize,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

/// How the generator itself kept up.
#[derive(Debug, Default, Serialize)]
pub(super) struct Generator {
    /// From the due instant to the moment of sending, without the waits for the bound.
    pub late_ms: Spread,
    /// Messages that had to wait because so many were in flight already.
    pub held: u64,
    pub in_flight_max: u32,
    /// Whether the stated rate was really offered.
    pub kept_up: bool,
}

impl Flow {
    /// What was counted, over so many seconds; places are judged apart.
    pub fn of(tally: Tally, (offering_s, receipting_s): (f64, f64)) -> Self {
        let rate = |count: u64, seconds: f64| count as f64 / seconds.max(f64::MIN_POSITIVE);
        let (refused, failed) = (tally.refused.values().sum(), tally.failed.values().sum());
        Self {
            sent: tally.sent,
            sent_per_s: rate(tally.sent, offering_s),
            accepted: tally.accepted,
            accepted_per_s: rate(tally.accepted, receipting_s),
            refused: tally.refused,
            refused_per_s: rate(refused, receipting_s),
            failed: tally.failed,
            failed_per_s: rate(failed, receipting_s),
            delivered: tally.delivered,
            waiting: 0,
            lost: 0,
            receipt_ms: Spread::of(tally.receipt_us),
            delivery_ms: Spread::of(tally.delivery_us),
        }
    }
}

impl Spread {
    /// Of microseconds.
    pub fn of(mut all_us: Vec<u32>) -> Self {
        all_us.sort_unstable();
        let at = |share: f64| {
            // Nearest rank: the smallest value that so many are not above.
            let rank = (share * all_us.len() as f64).ceil() as usize;
            all_us.get(rank.saturating_sub(1)).map_or(0.0, |us| f64::from(*us) / 1000.0)
        };
        Self { count: all_us.len(), p50: at(0.50), p95: at(0.95), p99: at(0.99), max: at(1.0) }
    }
}

impl Report {
    /// Whether everything that was accepted is where it should be, and every receipt came.
    pub fn nothing_lost(&self) -> bool {
        self.requests.lost == 0 && self.answers.lost == 0 && self.receipts_missing == 0
    }

    /// The report as people read it.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { door, participants, mix, rate_per_s, seconds, generator, .. } = self;
        writeln!(out, "Нагрузка: {door}, участников {participants}, {rate_per_s}/с в течение {seconds} с, {mix}\n")?;
        let head = ["послано", "принято", "отказано", "сбоев", "дошло", "ждёт", "потеряно"];
        writeln!(out, "{:10}{}", "", head.map(|word| format!("{word:>11}")).concat())?;
        for (name, flow) in [("запросы", &self.requests), ("  в с", &self.requests), ("ответы", &self.answers)]
        {
            flow.line(name, out)?;
        }
        writeln!(out, "\n{:36}{:>9}{:>9}{:>9}{:>9}", "мс от назначенного мгновения", "p50", "p95", "p99", "max")?;
        self.requests.receipt_ms.line("до квитанции", out)?;
        self.requests.delivery_ms.line("до адресата", out)?;
        self.answers.receipt_ms.line("ответ: до квитанции", out)?;
        self.answers.delivery_ms.line("ответ: до адресата", out)?;
        generator.late_ms.line("опоздание самой нагрузки", out)?;
        writeln!(out)?;
        for (code, many) in self.requests.refused.iter().chain(&self.answers.refused) {
            writeln!(out, "Отказано, {code}: {many}")?;
        }
        for (why, many) in self.requests.failed.iter().chain(&self.answers.failed) {
            writeln!(out, "Сбой, {why}: {many}")?;
        }
        writeln!(out, "Дважды под одним номером: {}", self.duplicates)?;
        writeln!(out, "Подтверждено брокером без квитанции: {}", self.receipts_missing)?;
        writeln!(out, "Писем не этого испытания: {}", self.other_letters)?;
        writeln!(out, "Остаток разошёлся за {:.1} с", self.drained_s)?;
        if !generator.kept_up {
            writeln!(out, "Нагрузка сама не успевала: ждало предела «в пути» {} сообщений.", generator.held)?;
        }
        writeln!(out, "{}", if self.nothing_lost() { "Ничего не потеряно." } else { "ЕСТЬ ПОТЕРИ." })
    }
}

impl Flow {
    fn line(&self, name: &str, out: &mut impl Write) -> io::Result<()> {
        let sum = |of: &BTreeMap<String, u64>| of.values().sum::<u64>();
        if name == "  в с" {
            let rates = [self.sent_per_s, self.accepted_per_s, self.refused_per_s, self.failed_per_s];
            return writeln!(out, "{name:10}{}", rates.map(|rate| format!("{rate:>11.1}")).concat());
        }
        let (refused, failed) = (sum(&self.refused), sum(&self.failed));
        let counts = [self.sent, self.accepted, refused, failed, self.delivered, self.waiting, self.lost];
        writeln!(out, "{name:10}{}", counts.map(|many| format!("{many:>11}")).concat())
    }
}

impl Spread {
    fn line(&self, name: &str, out: &mut impl Write) -> io::Result<()> {
        let Self { p50, p95, p99, max, .. } = self;
        writeln!(out, "{name:36}{p50:>9.1}{p95:>9.1}{p99:>9.1}{max:>9.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let spread = Spread::of((1..=1000).rev().map(|ms| ms * 1000).collect());
        assert_eq!((spread.p50, spread.p95, spread.p99, spread.max), (500.0, 950.0, 990.0, 1000.0));
        let none = Spread::of(Vec::new());
        assert_eq!((none.count, none.p99), (0, 0.0));
        assert_eq!(Spread::of(vec![7000]).p50, 7.0);
    }
}
