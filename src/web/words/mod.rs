//! The words of the pages, in Russian and in English.
//!
//! Promises: both languages have every word (the compiler counts them); Russian comes first. Never: words of a letter or
//! of the law, which exist in Russian only.

pub(super) mod cases;
pub(super) mod desk;
mod en;
pub(super) mod evidence;
mod ru;

use crate::web::dates::{counted, plural};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lang {
    Ru,
    En,
}

impl Lang {
    /// The language of a code, if we speak it.
    pub(super) fn of(code: &str) -> Option<Self> {
        match code {
            "ru" => Some(Self::Ru),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// As in `lang="…"`.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The other one, for the switch.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Ru => Self::En,
            Self::En => Self::Ru,
        }
    }

    /// Its words.
    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::Ru => &ru::WORDS,
            Self::En => &en::WORDS,
        }
    }

    /// «5 рабочих дней».
    pub(super) fn working_days(self, count: u32) -> String {
        counted(u64::from(count), self, self.words().working_days)
    }

    /// «Просрочено 7 (у 3 органов)», or without the bracket where nothing is.
    pub(super) fn overdue_words(self, count: u64, bodies: u64) -> String {
        let words = self.words();
        if count == 0 {
            return words.nothing_overdue.to_owned();
        }
        format!("{} {count} ({} {})", words.overdue_count, words.at_bodies, counted(bodies, self, words.of_bodies))
    }

    /// «молчат 2 органа».
    pub(super) fn silent_words(self, count: u64) -> String {
        let words = self.words();
        format!("{} {}", plural(count, self, words.silent), counted(count, self, words.bodies))
    }

    /// «Опубликованный календарь кончается через 59 дн. …»; when it has ended, says so.
    pub(super) fn calendar_ends(self, days_left: i64) -> String {
        let words = self.words();
        if days_left < 0 {
            return words.calendar_ended.to_owned();
        }
        words.calendar_ends.replace("{}", &days_left.to_string())
    }
}

/// Every word of the pages. Fields in the order of the pages.
pub(super) struct Words {
    pub board: &'static str,
    pub journal: &'static str,
    pub cases: &'static str,
    pub desk: &'static str,
    pub quarantine: &'static str,
    pub log_out: &'static str,
    pub log_in: &'static str,
    pub skip: &'static str,
    pub other_language: &'static str,
    pub print: &'static str,
    pub printed_letter: &'static str,
    pub notices: &'static str,
    // login
    pub login_title: &'static str,
    pub login_lead: &'static str,
    pub login_name: &'static str,
    pub password: &'static str,
    pub login_failed: &'static str,
    pub login_wait: &'static str,
    pub cookie_lost: &'static str,
    // first line and buckets
    pub nothing_overdue: &'static str,
    pub overdue_count: &'static str,
    pub at_bodies: &'static str,
    pub of_bodies: [&'static str; 3],
    pub due_today_at: &'static str,
    pub silent: [&'static str; 3],
    pub bodies: [&'static str; 3],
    pub owed_to_us: &'static str,
    pub owed_by_us: &'static str,
    pub owed_others: &'static str,
    pub all: &'static str,
    pub overdue: &'static str,
    pub today: &'static str,
    pub soon: &'static str,
    pub week: &'static str,
    pub later: &'static str,
    pub prepared: &'static str,
    pub answered: &'static str,
    pub next_due: &'static str,
    pub checked: &'static str,
    pub no_open: &'static str,
    pub bucket_empty: &'static str,
    pub stale: &'static str,
    pub sweep_stale: &'static str,
    /// With `{}` for the days.
    pub calendar_ends: &'static str,
    pub calendar_ended: &'static str,
    pub provisional: &'static str,
    pub truncated: &'static str,
    pub more: &'static str,
    pub back_to_start: &'static str,
    // table
    pub col_case: &'static str,
    pub col_from: &'static str,
    pub col_to: &'static str,
    pub col_due: &'static str,
    pub col_last: &'static str,
    pub col_actions: &'static str,
    pub case: &'static str,
    pub no_case: &'static str,
    pub case_number: &'static str,
    pub on_request: &'static str,
    pub why: &'static str,
    pub late_by: &'static str,
    pub late_less_than_day: &'static str,
    pub left: &'static str,
    pub left_today: &'static str,
    pub working_days: [&'static str; 3],
    pub no_phone: &'static str,
    pub open_it: &'static str,
    pub alert: &'static str,
    // alerts and rungs
    pub alert_open: &'static str,
    pub alert_taken: &'static str,
    pub until: &'static str,
    pub take: &'static str,
    pub take_until: &'static str,
    pub reason: &'static str,
    pub reason_hint: &'static str,
    pub confirm_take: &'static str,
    pub prepared_letter: &'static str,
    pub addressee: &'static str,
    pub no_addressee: &'static str,
    pub preview: &'static str,
    pub preview_lead: &'static str,
    pub send: &'static str,
    pub do_not_send: &'static str,
    pub done: &'static str,
    // obligation
    pub obligation: &'static str,
    pub owes: &'static str,
    pub owed: &'static str,
    pub request: &'static str,
    pub answer: &'static str,
    pub item: &'static str,
    pub state: &'static str,
    pub due: &'static str,
    pub opened: &'static str,
    pub answered_at: &'static str,
    pub closed_at: &'static str,
    pub chronology: &'static str,
    pub ladder: &'static str,
    pub deliveries: &'static str,
    pub decisions: &'static str,
    pub release: &'static str,
    pub release_hint: &'static str,
    pub send_back: &'static str,
    pub extend: &'static str,
    pub extend_to: &'static str,
    pub withdraw: &'static str,
    pub void: &'static str,
    pub void_second: &'static str,
    pub needs_decision: &'static str,
    pub counterparty: &'static str,
    pub attempts: &'static str,
    pub number: &'static str,
    pub executor: &'static str,
    pub head: &'static str,
    // explanation
    pub why_title: &'static str,
    pub zone: &'static str,
    pub lenient: &'static str,
    pub frozen: &'static str,
    // journal
    pub section_six: &'static str,
    pub of_participant: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    pub show: &'static str,
    pub incoming: &'static str,
    pub outgoing: &'static str,
    pub date: &'static str,
    pub annex: &'static str,
    pub content: &'static str,
    pub journal_empty: &'static str,
    pub choose_participant: &'static str,
    pub lines: [&'static str; 3],
    pub details: &'static str,
    // quarantine
    pub quarantine_lead: &'static str,
    pub undeliverable: &'static str,
    pub not_taken: &'static str,
    pub send_again: &'static str,
    // errors
    pub error_title: &'static str,
    pub error_back: &'static str,
    pub error_code: &'static str,
    pub error_not_found: &'static str,
    pub error_forbidden: &'static str,
    pub error_conflict: &'static str,
    pub error_unavailable: &'static str,
    pub error_other: &'static str,
}

impl Words {
    /// The name of an obligation's state by its code.
    pub(super) fn obligation_state(&self, lang: Lang, code: &str) -> &'static str {
        named(code, lang, &STATES)
    }

    /// The name of a rung's state by its code.
    pub(super) fn rung_state(&self, lang: Lang, code: &str) -> &'static str {
        named(code, lang, &RUNG_STATES)
    }

    /// The name of a delivery's state by its code.
    pub(super) fn delivery_state(&self, lang: Lang, code: &str) -> &'static str {
        named(code, lang, &DELIVERY_STATES)
    }
}

/// Code, Russian, English.
type Named = (&'static str, &'static str, &'static str);

fn named(code: &str, lang: Lang, table: &[Named]) -> &'static str {
    let row = table.iter().find(|(known, ..)| *known == code);
    row.map_or("—", |(_, ru, en)| if lang == Lang::Ru { ru } else { en })
}

const STATES: [Named; 9] = [
    ("running", "ждём ответа", "awaiting the answer"),
    ("suspended", "запрошено уточнение, срок остановлен", "clarification asked, the clock stands"),
    ("answered", "ответ получен, на контроле", "answered, under control"),
    ("fulfilled", "исполнено в срок", "fulfilled in time"),
    ("fulfilled_late", "исполнено с нарушением срока", "fulfilled late"),
    ("refused", "мотивированный отказ принят", "refused with reasons"),
    ("redirected", "перенаправлено", "redirected"),
    ("withdrawn", "запрос отозван", "withdrawn"),
    ("void", "открыто по ошибке", "opened in error"),
];

const RUNG_STATES: [Named; 7] = [
    ("planned", "запланировано", "planned"),
    ("fired", "выполнено", "done"),
    ("skipped", "пропущено шлюзом", "skipped by the gateway"),
    ("prepared", "ждёт решения", "waits for a decision"),
    ("approved", "отправлено", "sent"),
    ("declined", "решено не отправлять", "decided against"),
    ("cancelled", "не понадобилось", "not needed"),
];

const DELIVERY_STATES: [Named; 8] = [
    ("queued", "в очереди", "queued"),
    ("sending", "отправляется", "being sent"),
    ("waiting_retry", "ждёт повторной попытки", "waiting for a retry"),
    ("delivered", "доставлено", "delivered"),
    ("registered", "зарегистрировано адресатом", "registered by the addressee"),
    ("handled_manually", "вручено сотрудником", "handed over by people"),
    ("rejected", "отказано в регистрации", "registration refused"),
    ("undeliverable", "не доставлено", "undeliverable"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_has_the_right_plural_forms() {
        assert_eq!(Lang::Ru.overdue_words(7, 3), "Просрочено 7 (у 3\u{a0}органов)");
        assert_eq!(Lang::Ru.overdue_words(1, 1), "Просрочено 1 (у 1\u{a0}органа)");
        assert_eq!(Lang::Ru.overdue_words(30, 21), "Просрочено 30 (у 21\u{a0}органа)");
        assert_eq!(Lang::Ru.overdue_words(0, 0), "Просрочек нет");
        assert_eq!(Lang::Ru.silent_words(1), "молчит 1\u{a0}орган");
        assert_eq!(Lang::Ru.silent_words(2), "молчат 2\u{a0}органа");
        assert_eq!(Lang::Ru.silent_words(5), "молчат 5\u{a0}органов");
        assert_eq!(Lang::Ru.silent_words(21), "молчит 21\u{a0}орган");
        assert!(Lang::Ru.calendar_ends(59).contains("через 59 дн."));
        assert_eq!(Lang::Ru.calendar_ends(-1), Lang::Ru.words().calendar_ended);
        assert_eq!(Lang::Ru.working_days(3), "3\u{a0}рабочих дня");
    }
}
