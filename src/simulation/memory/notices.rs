//! Notices: mails and webhooks owed, under way, sent, given up.
//!
//! Promises: one row for each id, and one digest for each person and day. Never: sends.

use super::Tables;
use crate::domain::delivery::notice_waits_until_max;
use crate::domain::ids::ParticipantCode;
use crate::domain::notice::Whom;
use crate::gateway::ports::notices::{
    ClaimedNotice, NoticeAttempt, NoticeClaim, NoticeFigures, NoticeResult, NoticeRow, NoticeView,
};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// How far a notice has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulation) enum NoticeStage {
    Waiting,
    Sending,
    Sent,
    Undeliverable,
    /// A digest that had nothing to say.
    Empty,
}

/// A row.
#[derive(Debug, Clone)]
pub(in crate::simulation) struct Notice {
    n: u64,
    pub row: NoticeRow,
    pub stage: NoticeStage,
    pub ready_at: Option<DateTime<Utc>>,
    attempts: u32,
    error: Option<String>,
}

impl Notice {
    pub(super) fn end_lease(&mut self) {
        if self.stage == NoticeStage::Sending {
            (self.stage, self.ready_at) = (NoticeStage::Waiting, Some(self.row.queued_at));
        }
    }

    fn settle(&mut self, result: &NoticeResult) {
        let (stage, counted, ready_at, error) = match result {
            NoticeResult::Sent => (NoticeStage::Sent, 1, None, None),
            NoticeResult::Retry { next_at, error } => (NoticeStage::Waiting, 1, Some(*next_at), Some(error)),
            NoticeResult::Postponed { next_at } => (NoticeStage::Waiting, 0, Some(*next_at), None),
            NoticeResult::Undeliverable { error } => (NoticeStage::Undeliverable, 1, None, Some(error)),
        };
        (self.stage, self.ready_at) = (stage, ready_at);
        self.attempts += counted;
        self.error = error.cloned().or(self.error.take());
    }
}

impl Tables {
    pub(super) fn queue_notice(&mut self, row: NoticeRow) {
        let same_digest = |one: &Notice| {
            row.day.is_some() && (&one.row.recipient, one.row.whom, one.row.day) == (&row.recipient, row.whom, row.day)
        };
        if self.notices.contains_key(&row.id) || self.notices.values().any(same_digest) {
            return;
        }
        self.last_notice += 1;
        let (stage, ready_at) = match row.words {
            Some(_) => (NoticeStage::Waiting, Some(row.ready_at)),
            None => (NoticeStage::Empty, None),
        };
        let notice = Notice { n: self.last_notice, stage, ready_at, attempts: 0, error: None, row };
        self.notices.insert(notice.row.id, notice);
    }

    pub(super) fn claim_notices(&mut self, claim: &NoticeClaim) -> Vec<ClaimedNotice> {
        let latest = notice_waits_until_max(claim.now);
        let is_ready = |one: &&Notice| {
            one.row.medium == claim.medium && one.ready_at.is_some_and(|at| at <= claim.now || at > latest)
        };
        let mut ready: Vec<_> =
            self.notices.values().filter(is_ready).map(|one| (one.ready_at, one.n, one.row.id)).collect();
        ready.sort();
        ready.truncate(claim.limit);
        let mut leased = Vec::with_capacity(ready.len());
        for (_, _, id) in ready {
            let Some(one) = self.notices.get_mut(&id) else { continue };
            (one.stage, one.ready_at) = (NoticeStage::Sending, Some(claim.lease_until));
            let obligation = one.row.obligation.and_then(|id| Some((self.obligations.get(&id).copied()?, id)));
            let (subject, content) = one.row.words.clone().unwrap_or_default();
            leased.push(ClaimedNotice {
                id,
                recipient: one.row.recipient.clone(),
                whom: one.row.whom,
                obligation,
                queued_at: one.row.queued_at,
                attempts: one.attempts,
                subject,
                content,
            });
        }
        leased
    }

    pub(super) fn settle_notices(&mut self, attempts: &[NoticeAttempt]) {
        for attempt in attempts {
            if let Some(one) = self.notices.get_mut(&attempt.id).filter(|one| one.stage != NoticeStage::Sent) {
                one.settle(&attempt.result);
            }
        }
    }

    pub(super) fn digests_since(&self, day: NaiveDate) -> Vec<(ParticipantCode, Whom, NaiveDate)> {
        let had = self.notices.values().filter_map(|one| Some((one, one.row.day?))).filter(|(_, on)| *on >= day);
        had.map(|(one, on)| (one.row.recipient.clone(), one.row.whom, on)).collect()
    }

    pub(super) fn undeliverable_notices(&self, limit: usize) -> Vec<NoticeView> {
        let mut rows: Vec<&Notice> =
            self.notices.values().filter(|one| one.stage == NoticeStage::Undeliverable).collect();
        rows.sort_by_key(|one| std::cmp::Reverse(one.n));
        let shown = rows.into_iter().take(limit).map(|one| NoticeView {
            id: one.row.id,
            medium: one.row.medium,
            recipient: one.row.recipient.clone(),
            whom: one.row.whom,
            subject: one.row.words.clone().unwrap_or_default().0,
            attempts: one.attempts,
            queued_at: one.row.queued_at,
            error: one.error.clone().unwrap_or_default(),
        });
        shown.collect()
    }

    pub(super) fn notice_again(&mut self, id: Uuid, now: DateTime<Utc>) -> bool {
        let given_up = self.notices.get_mut(&id).filter(|one| one.stage == NoticeStage::Undeliverable);
        let Some(one) = given_up else { return false };
        (one.stage, one.attempts, one.ready_at) = (NoticeStage::Waiting, 0, Some(now));
        true
    }

    pub(super) fn notice_figures(&self) -> NoticeFigures {
        let count = |wanted: fn(&Notice) -> bool| self.notices.values().filter(|one| wanted(one)).count() as u64;
        NoticeFigures {
            waiting: count(|one| one.ready_at.is_some()),
            undeliverable: count(|one| one.stage == NoticeStage::Undeliverable),
            oldest_ready_at: self.notices.values().filter_map(|one| one.ready_at).min(),
        }
    }
}
