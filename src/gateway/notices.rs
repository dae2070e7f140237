//! The words of notices, and the verbs around them: lease, settle, send again.
//!
//! Promises: numbers, dates, titles and a link; official Russian. Never: a summary, a body, a name of a child or of a
//! family; sends.

use crate::domain::decision::{Event, EventKind};
use crate::domain::exchange::{Duty, Root};
use crate::domain::notice::{Medium, Notice, Occasion, Whom};
use crate::domain::term::{date_words, days_words};
use crate::gateway::act::Actor;
use crate::gateway::ports::notices::{
    ClaimedNotice, NoticeAttempt, NoticeClaim, NoticeFigures, NoticeRow, NoticeView, Telling,
};
use crate::gateway::ports::reads::DutyRow;
use crate::gateway::rejection::Rejection;
use crate::gateway::view;
use crate::gateway::views::ObligationView;
use crate::gateway::working_set::WorkingSet;
use crate::gateway::{Gateway, Inner};
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

/// Notices of a page at most.
const PAGE_MAX: usize = 200;
/// The last lines of every mail.
const CLOSING: &str = "Это извещение составлено автоматически. Сведений о детях и семьях в нём нет: они — в системе.";

/// What notices need to know of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Posting {
    /// Whether mail is set up; without it no mail is ever queued.
    pub mail: bool,
    /// Where people open the board, without the slash at the end; empty means no links.
    pub board_url: String,
}

impl Posting {
    /// The line that leads to an obligation.
    pub(super) fn link(&self, of: &ObligationView) -> Option<String> {
        (!self.board_url.is_empty()).then(|| format!("{}/obligations/{}", self.board_url, of.id))
    }
}

impl Gateway {
    /// Says how mail is set up; the first word stands. Until then no mail is queued.
    pub fn set_posting(&self, posting: Posting) {
        let _ = self.0.posting.set(posting);
    }

    /// Leases notices that are ready.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn claim_notices(&self, claim: NoticeClaim) -> Result<Vec<ClaimedNotice>, Rejection> {
        Ok(self.0.store.claim_notices(claim).await?)
    }

    /// A leased notice with whom it tells; `None` when that is no participant any more.
    #[must_use]
    pub fn telling(&self, claimed: &ClaimedNotice) -> Option<Telling> {
        Some(Telling {
            id: claimed.id,
            recipient: self.0.participant(&claimed.recipient)?,
            whom: claimed.whom,
            queued_at: claimed.queued_at,
            subject: claimed.subject.clone(),
            content: claimed.content.clone(),
        })
    }

    /// Writes down what became of leased notices.
    ///
    /// # Errors
    /// `Unavailable`; the leases run out and the notices go out again under the same ids.
    pub async fn settle_notices(&self, attempts: Vec<NoticeAttempt>, events: Vec<Event>) -> Result<(), Rejection> {
        self.0.store.settle_notices(attempts, events).await?;
        self.0.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Notices that were given up, the latest first.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn undeliverable_notices(&self, limit: usize) -> Result<Vec<NoticeView>, Rejection> {
        Ok(self.0.store.undeliverable_notices(limit.clamp(1, PAGE_MAX)).await?)
    }

    /// Lets a notice that was given up go out again, under its own id.
    ///
    /// # Errors
    /// `observer` when the actor may not decide; `not_found` when no such notice is given up.
    pub async fn notice_again(&self, id: Uuid, by: &Actor) -> Result<(), Rejection> {
        by.may_decide()?;
        if !self.0.store.notice_again(id, self.now()).await? {
            return Err(Rejection::not_found("notice"));
        }
        tracing::info!(%id, by = by.label(), "a notice that was given up goes out again");
        self.0.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    /// How many notices wait and how many were given up.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn notice_figures(&self) -> Result<NoticeFigures, Rejection> {
        Ok(self.0.store.notice_figures().await?)
    }

    /// Adds something that an operator should look at though the gateway is ready: it says what.
    pub fn add_warning(&self, warning: impl Fn() -> Option<String> + Send + Sync + 'static) {
        self.0.notes.write().unwrap_or_else(std::sync::PoisonError::into_inner).push(Box::new(warning));
    }
}

/// The event that says what became of a notice about an obligation.
#[must_use]
pub fn event_of(notice: &ClaimedNotice, (medium, sent): (Medium, bool), at: DateTime<Utc>) -> Event {
    Event {
        at,
        kind: if sent { EventKind::NoticeSent } else { EventKind::NoticeUndeliverable },
        exchange: notice.obligation.map(|(exchange, _)| exchange),
        obligation: notice.obligation.map(|(_, obligation)| obligation),
        message: None,
        participant: Some(notice.recipient.clone()),
        detail: Some(format!("{} {}", medium.code(), notice.whom.code())),
    }
}

impl Inner {
    pub(super) fn posting(&self) -> Posting {
        self.posting.get().cloned().unwrap_or_default()
    }
}

impl WorkingSet<'_> {
    /// Writes a notice that the core has decided on, with its words.
    pub(super) fn notify(&mut self, notice: &Notice) {
        let posting = self.inner.posting();
        if notice.medium == Medium::Mail && !posting.mail {
            return;
        }
        let found =
            self.loaded.exchanges.values().find_map(|one| Some((one.duty(notice.obligation)?, one.root.clone()?)));
        let Some((duty, root)) = found else { return };
        let told = Told { inner: self.inner, duty, root, now: self.ctx.now };
        let words = match notice.medium {
            Medium::Mail => told.mail(notice, &posting),
            Medium::Webhook => told.webhook(notice),
        };
        self.changes.notices.push(NoticeRow {
            id: notice.id,
            medium: notice.medium,
            recipient: notice.recipient.clone(),
            whom: notice.whom,
            obligation: Some(notice.obligation),
            day: None,
            queued_at: self.ctx.now,
            ready_at: notice.not_before,
            words: Some(words),
        });
    }
}

/// What a notice is about.
struct Told<'t> {
    inner: &'t Inner,
    duty: &'t Duty,
    root: Root,
    now: DateTime<Utc>,
}

impl Told<'_> {
    fn shown(&self) -> ObligationView {
        let row = DutyRow { duty: self.duty.clone(), root: Some(self.root.clone()), last_event: None };
        view::obligation(self.inner, &row, self.now)
    }

    fn mail(&self, notice: &Notice, posting: &Posting) -> (String, String) {
        let shown = self.shown();
        let title = shown.rungs.iter().find(|rung| rung.no == notice.rung).map(|rung| rung.title.clone());
        let title = title.unwrap_or_default();
        let reference = reference(self.inner, &shown, Some(&self.root));
        let subject = format!("{title}: {reference}, срок {}", date_words(shown.due_on));
        let mut lines = vec![opening(notice, &title), String::new()];
        lines.extend(facts(self.inner, &shown, Some(&self.root)));
        lines.extend(posting.link(&shown).map(|link| format!("Открыть: {link}")));
        lines.extend([String::new(), CLOSING.to_owned()]);
        (subject, lines.join("\n"))
    }

    /// A thin status event (CloudEvents 1.0), of the same types as the live stream's.
    fn webhook(&self, notice: &Notice) -> (String, String) {
        let kind = match notice.occasion {
            Occasion::Resolved => EventKind::AlertResolved,
            Occasion::Fired | Occasion::Prepared | Occasion::Sent => EventKind::AlertRaised,
        };
        let obligation = &self.duty.obligation;
        let event = json!({
            "specversion": "1.0",
            "id": notice.id,
            "source": "urn:mezhved:gateway",
            "type": format!("mezhved.{}", kind.code()),
            "subject": obligation.id,
            "time": self.now,
            "datacontenttype": "application/json",
            "data": {
                "exchange": obligation.exchange, "obligation": obligation.id, "rung": notice.rung,
                "participant": obligation.performer, "due_on": obligation.due_on(),
                "prepared": notice.occasion == Occasion::Prepared,
            },
        });
        (kind.code(), event.to_string())
    }
}

fn opening(notice: &Notice, title: &str) -> String {
    match notice.occasion {
        Occasion::Fired | Occasion::Resolved => format!("{title}."),
        Occasion::Prepared => format!("Подготовлено письмо, оно ждёт Вашего решения: {title}."),
        Occasion::Sent if notice.whom == Whom::Addressee => {
            format!("В Ваш адрес направлено письмо: {title}. Оно ждёт регистрации в системе.")
        }
        Occasion::Sent => format!("В адрес Вашей организации направлено письмо: {title}."),
    }
}

/// «№ 1/2026 от 02.03.2026, пункт 2», by the asker's register.
pub(super) fn reference(inner: &Inner, shown: &ObligationView, root: Option<&Root>) -> String {
    let Some(root) = root else { return "документ без номера".to_owned() };
    let on = inner.date_at(&shown.controller.code, root.registered_at).format("%d.%m.%Y");
    let item = shown.item.as_ref().map(|item| format!(", пункт {item}")).unwrap_or_default();
    format!("№ {} от {on}{item}", root.number)
}

/// The facts of an obligation, a line each.
fn facts(inner: &Inner, shown: &ObligationView, root: Option<&Root>) -> Vec<String> {
    let mut lines = vec![
        format!("Документ: {}, {}.", shown.request_title, reference(inner, shown, root)),
        format!("Ожидается: {}.", shown.awaited_title),
        format!("Ответ даёт: {}.", shown.performer.title),
        format!("Ответа ждёт: {}.", shown.controller.title),
    ];
    let late = match shown.late_by_working_days {
        0 => String::new(),
        late => format!(", просрочка {}", days_words(late)),
    };
    lines.push(format!("Срок ответа: {}{late}.", date_words(shown.due_on)));
    lines
}
