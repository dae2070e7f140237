//! What may be shown, and to whom: participants see their own, people of the centre see all.
//!
//! Promises: what an actor may not see is answered like what does not exist. Never: changes anything.

use crate::domain::decision::Event;
use crate::domain::ids::{ExchangeId, MessageId, ObligationId, ParticipantCode};
use crate::domain::message::Format;
use crate::domain::participant::Participant;
use crate::flaw::{self, Flaw};
use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::content::{media_type, sha256_hex};
use crate::gateway::ports::reads::{DutyFilter, DutyRow, Figures, InboxPage, TallyAt};
use crate::gateway::rejection::Rejection;
use crate::gateway::view;
use crate::gateway::views::{BoardSummary, Chronology, Explanation, InboxLetter, ObligationView};
use chrono::{DateTime, Days, Utc};
use std::sync::{Arc, PoisonError};
use tokio::sync::watch;

/// Rows of one page at most, whatever was asked for.
pub const PAGE_MAX: usize = 200;

impl Gateway {
    /// Obligations by filter; the viewer is set from the actor.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn obligations(&self, filter: DutyFilter, by: &Actor) -> Result<Vec<ObligationView>, Rejection> {
        let limit = filter.limit.clamp(1, PAGE_MAX);
        self.listed(DutyFilter { limit, ..filter }, by).await
    }

    /// What is open, the most late first, so many at most, in one reading.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn most_urgent(&self, limit: usize, by: &Actor) -> Result<Vec<ObligationView>, Rejection> {
        self.listed(DutyFilter { open_only: true, limit, ..DutyFilter::default() }, by).await
    }

    async fn listed(&self, filter: DutyFilter, by: &Actor) -> Result<Vec<ObligationView>, Rejection> {
        let viewer = match by {
            Actor::Participant(code) => Some(code.clone()),
            Actor::Person { .. } => filter.viewer.clone(),
        };
        let rows = self.0.store.duties(DutyFilter { viewer, ..filter }).await?;
        let now = self.now();
        Ok(rows.iter().map(|row| view::obligation(&self.0, row, now)).collect())
    }

    /// One obligation.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see.
    pub async fn obligation(&self, id: ObligationId, by: &Actor) -> Result<ObligationView, Rejection> {
        let row = self.row_for(id, by).await?;
        Ok(view::obligation(&self.0, &row, self.now()))
    }

    pub(super) async fn row_for(&self, id: ObligationId, by: &Actor) -> Result<DutyRow, Rejection> {
        let row = self.0.store.duty(id).await?.ok_or_else(|| Rejection::not_found("obligation"))?;
        let obligation = &row.duty.obligation;
        match by {
            Actor::Participant(code) if *code != obligation.performer && *code != obligation.controller => {
                Err(Rejection::not_found("obligation"))
            }
            Actor::Participant(_) | Actor::Person { .. } => Ok(row),
        }
    }

    /// Why this date.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see.
    pub async fn explanation(&self, id: ObligationId, by: &Actor) -> Result<Explanation, Rejection> {
        let row = self.row_for(id, by).await?;
        Ok(view::explanation(&self.0, &row.duty.obligation))
    }

    /// The chronology of an exchange with its proofs.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see.
    pub async fn chronology(&self, id: ExchangeId, by: &Actor) -> Result<Chronology, Rejection> {
        let record = self.0.store.exchange(id).await?.ok_or_else(|| Rejection::not_found("exchange"))?;
        if let Actor::Participant(code) = by
            && !record.exchange.has_party(code)
        {
            return Err(Rejection::not_found("exchange"));
        }
        let mut shown = view::chronology(&self.0, &record, self.now());
        if let Actor::Participant(code) = by {
            view::only_of(&mut shown, code);
        }
        Ok(shown)
    }

    /// A message in the format asked for, whatever it came in; only for its sender and addressees. People of the
    /// centre read it where their centre is one of these.
    ///
    /// # Errors
    /// `not_found`, also for what the actor may not see.
    pub async fn message(&self, id: MessageId, into: Format, by: &Actor) -> Result<Vec<u8>, Rejection> {
        let stored = self.0.store.message(id).await?.ok_or_else(|| Rejection::not_found("message"))?;
        let is_party = |code: &ParticipantCode| stored.sender == *code || stored.recipients.contains(code);
        let may_see = match by {
            Actor::Participant(code) => is_party(code) || self.0.store.delivery(id, code).await?.is_some(),
            Actor::Person { .. } => self.own_centres().iter().any(is_party),
        };
        if !may_see && !flaw::is(Flaw::WallDown) {
            return Err(Rejection::not_found("message"));
        }
        self.disclose_message(&stored, by).await?;
        Ok(self.0.convert((&stored.content, stored.format), into)?.to_vec())
    }

    /// The centres whose people use this board.
    #[must_use]
    pub fn own_centres(&self) -> Vec<ParticipantCode> {
        let directory = self.0.directory();
        let mut centres: Vec<ParticipantCode> =
            directory.iter().filter(|one| one.is_centre()).map(|one| one.code.clone()).collect();
        centres.sort_unstable();
        centres
    }

    /// Whose letters an actor reads: its own, or those of the centres.
    pub(super) fn whose(&self, by: &Actor) -> Vec<ParticipantCode> {
        match by {
            Actor::Participant(code) => vec![code.clone()],
            Actor::Person { .. } => self.own_centres(),
        }
    }

    /// What waits for a participant. What a centre reads of its cases is written down first.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn inbox(&self, page: InboxPage) -> Result<Vec<InboxLetter>, Rejection> {
        let body = self.0.participant(&page.recipient).ok_or_else(|| Rejection::not_found("participant"))?;
        let limit = page.limit.clamp(1, PAGE_MAX);
        let (mut letters, reader) = (Vec::new(), Actor::Participant(page.recipient.clone()));
        for item in self.0.store.inbox(InboxPage { limit, ..page }).await? {
            // To others it was given when it went out; that line is there.
            if body.is_centre() {
                self.disclose_letter(&item.letter, &reader).await?;
            }
            let content = self.render(&item.letter, body.format)?;
            letters.push(InboxLetter {
                seq: item.seq,
                id: item.letter.message,
                exchange: item.letter.exchange,
                queued_at: item.letter.queued_at,
                content_type: media_type(body.format),
                content_sha256: sha256_hex(&content),
                content: String::from_utf8_lossy(&content).into_owned(),
            });
        }
        Ok(letters)
    }

    /// The first line and the buckets of the board, by the calendar and zone of the first centre.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn summary(&self) -> Result<BoardSummary, Rejection> {
        let now = self.now();
        let tally = self.0.store.tally(self.tally_at(now)).await?;
        Ok(BoardSummary {
            at: now,
            overdue: tally.overdue,
            overdue_bodies: tally.overdue_bodies,
            today: tally.today,
            soon: tally.soon,
            week: tally.week,
            later: tally.later,
            silent_bodies: tally.silent_bodies,
            prepared: tally.prepared,
            next_due_at: tally.next_due_at,
            sweep_age_ms: self.sweep_age_ms(),
            sweep_stale: self.sweep_age_ms().is_none_or(|age_ms| age_ms > self.0.sweep_age_max_s.saturating_mul(1000)),
            calendar_days_left: self.calendar_days_left(),
            calendar_ends_soon: self.calendar_ends_soon(),
        })
    }

    fn tally_at(&self, now: DateTime<Utc>) -> TallyAt {
        let centre = self.own_centres().first().and_then(|code| self.0.participant(code));
        let Some(centre) = centre else {
            let day = |days| now + chrono::TimeDelta::days(days);
            return TallyAt { now, today_until: day(1), soon_until: day(3), week_until: day(7) };
        };
        let today = centre.zone.date(now);
        let calendar = self.0.calendars.for_performer(centre.region.as_deref(), centre.week).ok();
        let third = calendar.and_then(|calendar| calendar.add_working_days(today, 3).ok());
        let week = today.checked_add_days(Days::new(7)).unwrap_or(today);
        let soon = third.unwrap_or(week);
        TallyAt {
            now,
            today_until: centre.zone.end_of(today),
            soon_until: centre.zone.end_of(soon),
            week_until: centre.zone.end_of(week.max(soon)),
        }
    }

    /// Status events after a sequence number that this actor may see; the first element is the sequence number.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn events_after(&self, seq: u64, limit: usize, by: &Actor) -> Result<Vec<(u64, Event)>, Rejection> {
        let events = self.0.store.events_after(seq, limit.clamp(1, PAGE_MAX)).await?;
        match by {
            Actor::Person { .. } => Ok(events),
            Actor::Participant(code) => {
                Ok(events.into_iter().filter(|(_, event)| event.participant.as_ref() == Some(code)).collect())
            }
        }
    }

    /// The number of the last event.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn last_event(&self) -> Result<u64, Rejection> {
        Ok(self.0.store.last_event().await?)
    }

    /// Rises (changes) after every commit of this process: the wake-up of live streams. Read the events after it.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// The participant of a code, as imported.
    #[must_use]
    pub fn participant(&self, code: &ParticipantCode) -> Option<Arc<Participant>> {
        self.0.participant(code)
    }

    /// Figures for metrics and health.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn figures(&self) -> Result<Figures, Rejection> {
        Ok(self.0.store.figures().await?)
    }

    /// Why the gateway is not ready; empty when it is.
    pub async fn unready_reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if let Err(fault) = self.0.store.last_event().await {
            reasons.push(format!("store: {fault}"));
        }
        match self.sweep_age_ms() {
            None => reasons.push("sweep: none yet".to_owned()),
            Some(age_ms) if age_ms > self.0.sweep_age_max_s * 1000 => {
                reasons.push(format!("sweep: the last one was {} s ago", age_ms / 1000));
            }
            Some(_) => {}
        }
        let conditions = self.0.conditions.read().unwrap_or_else(PoisonError::into_inner);
        reasons.extend(conditions.iter().filter_map(|condition| condition()));
        reasons
    }
}
