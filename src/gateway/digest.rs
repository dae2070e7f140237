//! The digest of the morning: what is due soon, what is overdue, what waits for a decision, in one mail a day.
//!
//! Promises: one for each person and working day, at the opening hour of its body, also over restarts (the row is the
//! timer); none on days off, none when there is nothing to say. Never: a second one because the first failed to go out.

use crate::domain::ids::{ObligationId, ParticipantCode};
use crate::domain::notice::{Medium, Whom, digest_day, digest_id};
use crate::domain::obligation::State;
use crate::domain::participant::{BodyKind, Participant};
use crate::domain::term::{date_words, days_words};
use crate::gateway::committer::Job;
use crate::gateway::notices::reference;
use crate::gateway::ports::decisions::Direction;
use crate::gateway::ports::notices::NoticeRow;
use crate::gateway::ports::reads::{DutyFilter, DutyRow};
use crate::gateway::rejection::Rejection;
use crate::gateway::{Gateway, view};
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::HashSet;
use uuid::Uuid;

/// «Soon» is so many working days ahead, as on the board: our default.
const SOON_WORKING_DAYS: i32 = 3;
/// Lines of one part at most; the board has all.
const LINES_MAX: usize = 50;

/// What a person is told of.
#[derive(Clone, Copy)]
enum Part {
    Prepared,
    OwedToUs,
    OwedByUs,
}

/// Who gets one, and of what: our default. A person who has two duties at one address gets the first.
fn readers(body: &Participant) -> &'static [(Whom, &'static [Part])] {
    match body.kind {
        BodyKind::SocialCentre => &[
            (Whom::Coordinator, &[Part::Prepared, Part::OwedToUs, Part::OwedByUs]),
            (Whom::Director, &[Part::Prepared, Part::OwedByUs]),
            (Whom::Executor, &[Part::OwedByUs]),
        ],
        // One for the body: who prepares answers, else the registry.
        _ => &[(Whom::Executor, &[Part::OwedByUs]), (Whom::Registry, &[Part::OwedByUs])],
    }
}

impl Gateway {
    /// Writes the digests that are due now: how many had something to say.
    ///
    /// # Errors
    /// `Unavailable`; the next round does what is left.
    pub async fn digest_once(&self) -> Result<usize, Rejection> {
        if !self.0.posting().mail {
            return Ok(0);
        }
        let now = self.now();
        let since = now.date_naive().checked_sub_days(Days::new(1)).unwrap_or_default();
        let done: HashSet<(ParticipantCode, Whom, NaiveDate)> =
            self.0.store.digests_since(since).await?.into_iter().collect();
        let mut rows = Vec::new();
        for body in self.directory().iter() {
            let Ok(calendar) = self.0.calendars.for_performer(body.region.as_deref(), body.week) else { continue };
            let Some(day) = digest_day(body, &calendar, now) else { continue };
            let soon = calendar.add_working_days(day, SOON_WORKING_DAYS).unwrap_or(day);
            for (whom, parts) in mailed(body) {
                if done.contains(&(body.code.clone(), whom, day)) {
                    continue;
                }
                let words = self.words_of(body, parts, (day, body.zone.end_of(soon), now)).await?;
                rows.push(NoticeRow {
                    id: digest_id(&body.code, whom, day),
                    medium: Medium::Mail,
                    recipient: body.code.clone(),
                    whom,
                    obligation: None,
                    day: Some(day),
                    queued_at: now,
                    ready_at: now,
                    words,
                });
            }
        }
        let told = rows.iter().filter(|row| row.words.is_some()).count();
        if !rows.is_empty() {
            self.0.ask(|answer| Job::Notify { rows, answer }).await?;
        }
        Ok(told)
    }

    async fn words_of(
        &self,
        body: &Participant,
        parts: &[Part],
        (day, soon_until, now): (NaiveDate, DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Option<(String, String)>, Rejection> {
        let (mut said, mut text) = (Vec::new(), Vec::new());
        for part in parts {
            for (title, filter) in filters(body, *part, (now, soon_until)) {
                let (first, count) = self.counted(filter).await?;
                if count == 0 {
                    continue;
                }
                said.push(format!("{}: {count}", title.to_lowercase()));
                text.push(format!("{title}: {count}"));
                text.extend(first.iter().flat_map(|row| self.lines(row, (*part, now))));
                text.extend(
                    (count > first.len()).then(|| format!("  … и ещё {}; все — в системе", count - first.len())),
                );
                text.push(String::new());
            }
        }
        if said.is_empty() {
            return Ok(None);
        }
        text.insert(0, format!("Сводка на {} — {}\n", date_words(day), body.title));
        text.push("Сводка составлена автоматически. Сведений о детях и семьях в ней нет: они — в системе.".to_owned());
        Ok(Some((format!("Сводка на {}: {}", date_words(day), said.join(", ")), text.join("\n"))))
    }

    /// The first rows of all that there are, and how many these are: read page by page to the end.
    async fn counted(&self, mut filter: DutyFilter) -> Result<(Vec<DutyRow>, usize), Rejection> {
        let (mut first, mut count) = (Vec::new(), 0);
        loop {
            let mut page = self.0.store.duties(filter.clone()).await?;
            let is_last = page.len() < filter.limit;
            count += page.len();
            filter.after = page.last().map(|row| (row.duty.obligation.due_at(), row.duty.obligation.id));
            page.truncate(LINES_MAX - first.len());
            first.append(&mut page);
            if is_last {
                return Ok((first, count));
            }
        }
    }

    fn lines(&self, row: &DutyRow, (part, now): (Part, DateTime<Utc>)) -> Vec<String> {
        let shown = view::obligation(&self.0, row, now);
        let other = if matches!(part, Part::OwedByUs) { &shown.controller } else { &shown.performer };
        let late = match (shown.overdue, shown.late_by_working_days) {
            (false, _) | (true, 0) => String::new(),
            (true, late) => format!(", просрочка {}", days_words(late)),
        };
        let (awaited, on) = (&shown.awaited_title, date_words(shown.due_on));
        let mut lines = vec![
            format!("— {}: {awaited}, срок {on}{late}", reference(&self.0, &shown, row.root.as_ref())),
            format!("  {}", other.title),
        ];
        lines.extend(self.0.posting().link(&shown).map(|link| format!("  {link}")));
        lines
    }
}

/// The duties of a body that have a mailbox, each mailbox once; a body that is not ours has one reader.
fn mailed(body: &Participant) -> Vec<(Whom, &'static [Part])> {
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    for (whom, parts) in readers(body) {
        if body.mail_of(*whom).is_some_and(|address| seen.insert(address)) {
            found.push((*whom, *parts));
        }
    }
    if !body.is_centre() {
        found.truncate(1);
    }
    found
}

/// What a part is made of, title by title. Each is a question of its own: much that is late hides nothing that is soon.
fn filters(
    body: &Participant,
    part: Part,
    (now, soon_until): (DateTime<Utc>, DateTime<Utc>),
) -> Vec<(&'static str, DutyFilter)> {
    let (direction, titles) = match part {
        Part::Prepared => (Direction::Incoming, None),
        Part::OwedToUs => (Direction::Incoming, Some(("Нам не ответили в срок", "Нам скоро должны ответить"))),
        Part::OwedByUs => (Direction::Outgoing, Some(("Не отвечено в срок", "Скоро срок ответа"))),
    };
    let all = DutyFilter {
        viewer: Some(body.code.clone()),
        direction: Some(direction),
        state: Some(State::Running),
        limit: crate::gateway::show::PAGE_MAX,
        ..DutyFilter::default()
    };
    let Some((overdue, soon)) = titles else {
        return vec![("Писем ждут решения", DutyFilter { prepared: true, ..all })];
    };
    // No id is before the nil one: from this instant on.
    let after = Some((now, ObligationId(Uuid::nil())));
    vec![
        (overdue, DutyFilter { due_before: Some(now), ..all.clone() }),
        (soon, DutyFilter { due_before: Some(soon_until), after, ..all }),
    ]
}
