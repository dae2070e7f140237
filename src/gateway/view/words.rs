//! Events in Russian, for the board and the chronology.
//!
//! Promises: a sentence for every kind of event. Never: personal data (events carry none).

use crate::domain::decision::{Event, EventKind};
use crate::domain::ids::TypeCode;
use crate::domain::obligation::Fact;
use crate::domain::term::date_words;
use crate::gateway::Inner;
use crate::gateway::ports::scans::{HandChannel, HandWay};

/// What happened, in one line.
pub(super) fn event(inner: &Inner, event: &Event) -> String {
    let detail = event.detail.as_deref().unwrap_or_default();
    let who = event.participant.as_ref().map(|code| super::party(inner, code).title).unwrap_or_default();
    let title = || TypeCode::new(detail).map_or_else(|_| detail.to_owned(), |code| inner.title_of(&code));
    match event.kind {
        EventKind::MessageRegistered => format!("Зарегистрировано: {} — {who}", title()),
        EventKind::MessageParked => format!("Ответ пришёл раньше запроса и ждёт его — {who}"),
        EventKind::MessageConflict => format!("Тот же номер с другим содержанием — {who}"),
        EventKind::MessageRefused => format!("Отказано в приёме ({detail}) — {who}"),
        EventKind::MessageQuarantined => format!("В карантине ({detail}) — {who}"),
        EventKind::Delivered => format!("Доставлено — {who}"),
        EventKind::DeliveryRegistered => format!("Зарегистрировано получателем {detail} — {who}"),
        EventKind::DeliveryRejected => format!("Получатель отказал в регистрации — {who}"),
        EventKind::Undeliverable => format!("Не доставлено нами — {who}"),
        EventKind::MessageByHand => format!("{} — {who}", by_hand(detail)),
        EventKind::HandledManually => format!("Вручено {} — {who}", handed(detail)),
        EventKind::DeliveryQueuedAgain => format!("Отправляется заново по решению сотрудника — {who}"),
        EventKind::NoticeSent => format!("Извещение отправлено ({detail}) — {who}"),
        EventKind::NoticeUndeliverable => format!("Извещение не доставлено нами ({detail}) — {who}"),
        EventKind::ObligationOpened => format!("Поставлено на контроль, срок {} — {who}", date(detail)),
        EventKind::ObligationChanged => format!("{} — {who}", state(detail)),
        EventKind::ObligationClosed => format!("Снято с контроля: {} — {who}", state(detail).to_lowercase()),
        EventKind::DueMoved => format!("Принят новый календарь, срок {} — {who}", date(detail)),
        EventKind::RungFired => format!("{} — {who}", rung(inner, detail)),
        EventKind::RungSkipped => format!("{}: пропущено из-за перерыва в работе шлюза", rung(inner, detail)),
        EventKind::RungPrepared => format!("{}: письмо подготовлено, ждёт решения", rung(inner, detail)),
        EventKind::RungHeld => format!("{}: отложено, наше письмо ещё не доставлено", rung(inner, detail)),
        EventKind::RungApproved => format!("{}: отправлено по решению", rung(inner, detail)),
        EventKind::RungDeclined => format!("{}: решено не отправлять", rung(inner, detail)),
        EventKind::AlertRaised => format!("Предупреждение: {}", rung(inner, detail).to_lowercase()),
        EventKind::AlertAcknowledged => format!("Взято на контроль: {detail}"),
        EventKind::AlertLapsed => "Время, взятое на контроль, истекло".to_owned(),
        EventKind::AlertResolved => "Предупреждение снято".to_owned(),
        EventKind::EvidenceDisclosed => format!("Выданы документы об обязательстве: {detail}"),
        EventKind::CaseChanged => format!("Случай {detail}: новая запись"),
        EventKind::CaseClosed => format!("Случай {detail} закрыт"),
        EventKind::ForeignReply => format!("Сообщение от того, кто здесь ничего не должен ({detail}) — {who}"),
    }
}

/// «Зарегистрировано вручную: на бумаге, поступило или вручено 06.03.2026 15:00».
fn by_hand(detail: &str) -> String {
    let (channel, at) = detail.split_once(' ').unwrap_or((detail, ""));
    let words = [HandChannel::Paper, HandChannel::Mail, HandChannel::Phone].into_iter();
    let words = words.filter(|one| one.code() == channel).map(HandChannel::words).next().unwrap_or(channel);
    let at = chrono::DateTime::parse_from_rfc3339(at);
    let at = at.map(|at| format!(", поступило или вручено {}", at.format("%d.%m.%Y %H:%M"))).unwrap_or_default();
    format!("Зарегистрировано сотрудником: {words}{at}")
}

fn handed(code: &str) -> &str {
    let ways = [HandWay::Hand, HandWay::Post, HandWay::Mail, HandWay::Phone].into_iter();
    ways.filter(|one| one.code() == code).map(HandWay::words).next().unwrap_or(code)
}

fn date(iso: &str) -> String {
    iso.parse().map_or_else(|_| iso.to_owned(), date_words)
}

/// How the adoption of a calendar moved the due date, with the protocol of the new count.
pub(super) fn calendar_move(fact: &Fact) -> Vec<String> {
    let Fact::DueMoved { at, from, from_version, due, by, reason } = fact else { return Vec::new() };
    let version = &due.protocol.calendar.version;
    let mut lines = vec![format!(
        "Принят новый календарь: версия {version} вместо {from_version}, срок перенесён с {} на {} решением {by} от {}: {reason}.",
        date_words(*from),
        date_words(due.on),
        date_words(due.protocol.event.zone.date(*at)),
    )];
    lines.extend(due.protocol.explanation());
    lines
}

fn rung(inner: &Inner, no: &str) -> String {
    let policy = no.parse().ok().and_then(|no| inner.ladders.outward.policy(no));
    policy.map_or_else(|| format!("Ступень {no}"), |policy| policy.title_ru.clone())
}

fn state(code: &str) -> &'static str {
    match code {
        "running" => "Ответ ожидается",
        "suspended" => "Запрошено уточнение, срок остановлен",
        "answered" => "Ответ получен, у контролирующего",
        "fulfilled" => "Исполнено в срок",
        "fulfilled_late" => "Исполнено с опозданием",
        "refused" => "Мотивированный отказ принят",
        "redirected" => "Перенаправлено по компетенции",
        "withdrawn" => "Запрос отозван",
        "void" => "Открыто ошибочно",
        _ => "Изменено",
    }
}
