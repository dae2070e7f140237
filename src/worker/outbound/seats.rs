//! Who may go next: a few letters at once to each recipient, a few more in front of the door, the rest go back.
//!
//! Promises: what a slow recipient holds of the hands is bounded by how slow it is. Never: reorders one recipient's
//! letters.

use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::decisions::Claimed;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// Letters in front of a door that is opened quickly.
const WAITING_MAX: usize = 128;
/// How much work in time may stand in front of one door: less than a lease lasts.
const WAITING_SPAN: Duration = Duration::from_secs(20);
/// How slow a recipient is thought to be before it is known.
const FIRST_GUESS: Duration = Duration::from_secs(1);
/// The shortest for which one is that is too large for now: it is read each time that it is claimed.
const LARGE_WAIT: Duration = Duration::from_secs(1);
/// The longest time for which a letter is given back.
const GIVE_BACK_MAX: Duration = Duration::from_secs(15);

/// A letter in hand, and how long it is ours.
#[derive(Debug)]
pub(super) struct Seated {
    pub letter: Claimed,
    pub leased_until: Instant,
}

/// The letters in hand, by recipient.
#[derive(Debug)]
pub(super) struct Seats {
    per_recipient_max: usize,
    /// Bytes of letters to one recipient, with which it gets no more.
    bytes_max: usize,
    by_recipient: HashMap<ParticipantCode, Seat>,
    in_hand: usize,
    /// Of their contents.
    bytes: usize,
}

#[derive(Debug)]
struct Seat {
    on_way: usize,
    waiting: VecDeque<Seated>,
    /// Of all its letters in hand.
    bytes: usize,
    /// What an attempt takes, on a sliding average.
    takes: Duration,
}

impl Seats {
    pub fn new(per_recipient_max: usize, bytes_max: usize) -> Self {
        Self { per_recipient_max, bytes_max, by_recipient: HashMap::new(), in_hand: 0, bytes: 0 }
    }

    /// How many letters are in hand.
    pub fn len(&self) -> usize {
        self.in_hand
    }

    /// Bytes of their contents.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes a letter in hand; or says for how long it must be given back, because its recipient is slow.
    pub fn offer(&mut self, letter: Claimed, leased_until: Instant) -> Option<(Claimed, Duration)> {
        let max = self.per_recipient_max;
        let seat = self.by_recipient.entry(letter.recipient.clone()).or_insert_with(Seat::empty);
        if seat.on_way + seat.waiting.len() >= max + seat.waiting_max(max) {
            return Some((letter, seat.clears_in(max)));
        }
        if seat.bytes >= seat.bytes_max(self.bytes_max) {
            return Some((letter, seat.clears_in(max).max(LARGE_WAIT)));
        }
        self.bytes += letter.content.len();
        seat.bytes += letter.content.len();
        seat.waiting.push_back(Seated { letter, leased_until });
        self.in_hand += 1;
        None
    }

    /// The letters that may go now; each must be given to [`Seats::left`] in the end.
    pub fn next(&mut self) -> Vec<Seated> {
        let mut going = Vec::new();
        for seat in self.by_recipient.values_mut() {
            while seat.on_way < self.per_recipient_max
                && let Some(seated) = seat.waiting.pop_front()
            {
                seat.on_way += 1;
                going.push(seated);
            }
        }
        going
    }

    /// A letter is no longer in hand; if it was tried, so long it took.
    pub fn left(&mut self, letter: &Claimed, took: Option<Duration>) {
        self.in_hand = self.in_hand.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(letter.content.len());
        if let Some(seat) = self.by_recipient.get_mut(&letter.recipient) {
            seat.on_way = seat.on_way.saturating_sub(1);
            seat.bytes = seat.bytes.saturating_sub(letter.content.len());
            if let Some(took) = took {
                seat.takes = (seat.takes * 3 + took) / 4;
            }
        }
    }

    /// Gives up all that was not begun.
    pub fn clear(&mut self) -> Vec<Claimed> {
        let waiting = self.by_recipient.values_mut().flat_map(|seat| seat.waiting.drain(..));
        let letters: Vec<Claimed> = waiting.map(|seated| seated.letter).collect();
        self.in_hand = self.in_hand.saturating_sub(letters.len());
        for letter in &letters {
            self.bytes = self.bytes.saturating_sub(letter.content.len());
            if let Some(seat) = self.by_recipient.get_mut(&letter.recipient) {
                seat.bytes = seat.bytes.saturating_sub(letter.content.len());
            }
        }
        letters
    }
}

impl Seat {
    fn empty() -> Self {
        Self { on_way: 0, waiting: VecDeque::new(), bytes: 0, takes: FIRST_GUESS }
    }

    fn waiting_max(&self, at_once: usize) -> usize {
        let rounds = WAITING_SPAN.as_millis() / self.takes.as_millis().max(1);
        usize::try_from(rounds).unwrap_or(WAITING_MAX).saturating_mul(at_once).min(WAITING_MAX)
    }

    /// Who is slow holds an eighth, so that many who are leave room for the others.
    fn bytes_max(&self, quick: usize) -> usize {
        if self.takes > FIRST_GUESS { quick / 8 } else { quick }
    }

    fn clears_in(&self, at_once: usize) -> Duration {
        let rounds = u32::try_from(self.waiting.len() / at_once.max(1) + 1).unwrap_or(u32::MAX);
        self.takes.saturating_mul(rounds).min(GIVE_BACK_MAX)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;
    use crate::domain::ids::MessageId;
    use crate::domain::message::Format;
    use bytes::Bytes;
    use chrono::DateTime;
    use uuid::Uuid;

    const BYTES_MAX: usize = 1000;

    fn letter(to: &str) -> Claimed {
        Claimed {
            message: MessageId(Uuid::new_v4()),
            recipient: ParticipantCode::new(to).unwrap(),
            exchange: None,
            format: Format::Json,
            content: Bytes::new(),
            attempts: 0,
            queued_at: DateTime::UNIX_EPOCH,
            read: None,
        }
    }

    fn offer(seats: &mut Seats, to: &str, count: usize) -> usize {
        let until = Instant::now() + Duration::from_secs(60);
        (0..count).filter(|_| seats.offer(letter(to), until).is_some()).count()
    }

    #[test]
    fn a_few_go_at_once_to_each_recipient_and_the_others_follow_in_their_order() {
        let mut seats = Seats::new(4, BYTES_MAX);
        assert_eq!(offer(&mut seats, "a", 10) + offer(&mut seats, "b", 2), 0);
        let first = seats.next();
        assert_eq!(first.iter().filter(|seated| seated.letter.recipient.as_str() == "a").count(), 4);
        assert_eq!(first.len(), 6);
        assert!(seats.next().is_empty());
        seats.left(&letter("a"), Some(Duration::from_millis(5)));
        assert_eq!(seats.next().len(), 1);
        assert_eq!(seats.len(), 11);
    }

    #[test]
    fn a_recipient_that_turns_out_to_be_slow_holds_little_in_hand_and_the_rest_is_given_back_for_long() {
        let mut seats = Seats::new(4, BYTES_MAX);
        let slow = letter("slow");
        assert_eq!(offer(&mut seats, "slow", 20), 0);
        for _ in 0..5 {
            let going = seats.next().len();
            (0..going).for_each(|_| seats.left(&slow, Some(Duration::from_secs(15))));
        }
        assert_eq!(seats.len(), 0);
        let given_back = offer(&mut seats, "slow", 256);
        assert_eq!(given_back, 256 - 8, "four on their way, four before the door");
        let (_, wait) = seats.offer(letter("slow"), Instant::now()).unwrap();
        assert_eq!(wait, Duration::from_secs(15));
        assert_eq!(offer(&mut seats, "quick", 84), 0, "what is not known to be slow is taken for some seconds of work");
    }

    #[test]
    fn the_bytes_in_hand_are_those_of_the_letters_in_hand() {
        let mut seats = Seats::new(1, BYTES_MAX);
        let of = |bytes: usize| Claimed { content: Bytes::from(vec![0; bytes]), ..letter("a") };
        let until = Instant::now() + Duration::from_secs(60);
        assert!(seats.offer(of(100), until).is_none() && seats.offer(of(10), until).is_none());
        assert_eq!(seats.bytes(), 110);
        let going = seats.next();
        seats.left(&going[0].letter, None);
        assert_eq!(seats.bytes(), 10);
        seats.clear();
        assert_eq!(seats.bytes(), 0);
        let large = |to: &str| Claimed { content: Bytes::from(vec![0; BYTES_MAX]), ..letter(to) };
        assert!(seats.offer(large("a"), until).is_none(), "one is always taken");
        assert!(seats.offer(letter("a"), until).is_some(), "more to the same one is given back");
        assert!(seats.offer(large("b"), until).is_none(), "and to another one taken");
        let going = seats.next();
        going.iter().for_each(|seated| seats.left(&seated.letter, None));
        assert!(seats.offer(large("a"), until).is_none());
    }

    #[test]
    fn what_was_not_begun_can_be_given_up() {
        let mut seats = Seats::new(4, BYTES_MAX);
        offer(&mut seats, "a", 10);
        assert_eq!(seats.next().len(), 4);
        assert_eq!(seats.clear().len(), 6);
        assert_eq!(seats.len(), 4);
    }
}
