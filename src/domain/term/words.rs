//! Terms and protocols in Russian words: «почему эта дата?» for the board, the command line and the evidence pack.
//!
//! Promises: every skipped day is named with its reason; dates read `21.11.2026 (сб)`, plural forms are right.
//! Never: says what the protocol does not.

use super::{ClosesAt, Left, Period, Protocol, Remark, Roll, StartsOn, Term, Unit, Week};
use chrono::{Datelike, NaiveDate, Weekday};

/// Working days that are listed one by one; longer terms give the number only.
const LISTED_DAYS_MAX: usize = 31;

/// A date as people read it: `21.11.2026 (сб)`.
#[must_use]
pub fn date_words(date: NaiveDate) -> String {
    let weekday = match date.weekday() {
        Weekday::Mon => "пн",
        Weekday::Tue => "вт",
        Weekday::Wed => "ср",
        Weekday::Thu => "чт",
        Weekday::Fri => "пт",
        Weekday::Sat => "сб",
        Weekday::Sun => "вс",
    };
    format!("{} ({weekday})", date.format("%d.%m.%Y"))
}

/// A number of working days: «1 рабочий день», «3 рабочих дня», «5 рабочих дней».
#[must_use]
pub fn days_words(working_days: u32) -> String {
    counted(working_days, ["рабочий день", "рабочих дня", "рабочих дней"])
}

/// A term: «5 рабочих дней», «незамедлительно (в тот же день, не более 24 часов)».
#[must_use]
pub fn term_words(term: &Term) -> String {
    let n = term.n;
    match term.unit {
        Unit::WorkingDay => days_words(n),
        Unit::CalendarDay => counted(n, ["календарный день", "календарных дня", "календарных дней"]),
        Unit::Week => counted(n, ["неделя", "недели", "недель"]),
        Unit::Month => counted(n, ["месяц", "месяца", "месяцев"]),
        Unit::Quarter => counted(n, ["квартал", "квартала", "кварталов"]),
        Unit::HalfYear => counted(n, ["полугодие", "полугодия", "полугодий"]),
        Unit::Year => counted(n, ["год", "года", "лет"]),
        Unit::Hour => counted(n, HOURS),
        Unit::AtOnce => {
            format!("незамедлительно (в тот же день, не более {})", counted(term.at_once_hours(), HOURS_GENITIVE))
        }
        Unit::FixedDates => "к установленной дате".to_owned(),
        Unit::PeriodEnd => {
            let period = match term.period.unwrap_or_default() {
                Period::Month => "месяца",
                Period::Quarter => "квартала",
                Period::HalfYear => "полугодия",
                Period::Year => "года",
            };
            if n > 1 {
                format!("к концу {period}, {n}-го по счёту")
            } else {
                format!("к концу {period}")
            }
        }
    }
}

const HOURS: [&str; 3] = ["час", "часа", "часов"];
const HOURS_GENITIVE: [&str; 3] = ["часа", "часов", "часов"];

/// A count with the form of its noun for 1, 2 and 5.
fn counted(n: u32, [one, few, many]: [&str; 3]) -> String {
    let form = match (n % 10, n % 100) {
        (_, 11..=14) => many,
        (1, _) => one,
        (2..=4, _) => few,
        _ => many,
    };
    format!("{n} {form}")
}

fn event_words(kind: StartsOn) -> &'static str {
    match kind {
        StartsOn::Registered => "регистрация",
        StartsOn::Received => "получение",
        StartsOn::Sent => "отправка",
        StartsOn::Signed => "подписание",
        StartsOn::Decided => "принятие решения",
        StartsOn::Known => "стало известно",
        StartsOn::PeriodEnd => "конец периода",
    }
}

impl Protocol {
    /// The explanation, a line at a time, beginning with the due date.
    #[must_use]
    pub fn explanation(&self) -> Vec<String> {
        let mut lines = vec![self.due_line(), self.event_line(), format!("Правило: {}.", term_words(&self.rule.term))];
        if self.rule.term.unit == Unit::WorkingDay {
            lines.push(self.counted_line());
        }
        if !self.excluded.is_empty() {
            let heading = if self.rule.term.unit == Unit::WorkingDay {
                "Не считаются"
            } else {
                "Перенос через"
            };
            lines.push(format!("{heading} ({}):", self.excluded.len()));
            lines.extend(self.excluded.iter().map(|day| format!("  {}: {}", date_words(day.date), day.why)));
        }
        lines.extend(self.roll_line());
        if !self.rule.term.is_instant() {
            lines.push(self.calendar_line());
        }
        if !self.calendar.sources.is_empty() {
            lines.push(format!("Основание календаря: {}.", self.calendar.sources.join("; ")));
        }
        if !self.rule.laws.is_empty() {
            lines.push(format!("Нормы: {}.", self.rule.laws.join(", ")));
        }
        if self.provisional {
            lines.push("Предварительно: источник календаря ещё не сверен с официальной публикацией.".to_owned());
        }
        lines.extend(self.remarks.iter().map(|remark| remark_words(*remark)));
        lines
    }

    fn due_line(&self) -> String {
        let zone = self.event.zone;
        let until = match self.rule.term.closes_at {
            _ if self.rule.term.unit == Unit::AtOnce && self.due_at == zone.end_of(self.due_on) => "24:00".to_owned(),
            _ if self.rule.term.is_instant() => zone.local(self.due_at).format("%H:%M").to_string(),
            ClosesAt::EndOfDay => "24:00".to_owned(),
            ClosesAt::At(time) => time.format("%H:%M").to_string(),
        };
        format!("Срок: {}, до {until} (время {}).", date_words(self.due_on), zone.name())
    }

    fn event_line(&self) -> String {
        let event = format!("Событие: {}, {}", event_words(self.event.kind), date_words(self.event.local_on));
        if self.rule.term.is_instant() {
            return format!(
                "{event} в {}; срок течёт с этого момента.",
                self.event.zone.local(self.event.at).format("%H:%M")
            );
        }
        format!("{event}; срок течёт со следующего дня, {}.", date_words(self.first_on))
    }

    fn counted_line(&self) -> String {
        let is_counted = |date: &NaiveDate| self.excluded.binary_search_by_key(date, |day| day.date).is_err();
        let days: Vec<NaiveDate> =
            self.first_on.iter_days().take_while(|date| *date <= self.due_on).filter(is_counted).collect();
        if days.len() > LISTED_DAYS_MAX {
            let number = days_words(u32::try_from(days.len()).unwrap_or(u32::MAX));
            return format!("Считаются: {number}, последний {}.", date_words(self.due_on));
        }
        let listed: Vec<String> =
            days.iter().zip(1..).map(|(date, place)| format!("{place}-й {}", date_words(*date))).collect();
        format!("Считаются: {}.", listed.join(", "))
    }

    fn roll_line(&self) -> Option<String> {
        let from = date_words(self.raw_last_on);
        match (self.roll.rule, self.roll.applied) {
            (Roll::NextWorking, true) => {
                Some(format!("Последний день {from} нерабочий: срок переходит на следующий рабочий день."))
            }
            (Roll::PreviousWorking, true) => {
                Some(format!("Последний день {from} нерабочий: срок переходит на предшествующий рабочий день."))
            }
            (Roll::None, _) | (_, false) => None,
        }
    }

    fn calendar_line(&self) -> String {
        let week = match self.calendar.week {
            Week::FiveDay => "пятидневная неделя",
            Week::SixDay => "шестидневная неделя",
        };
        let region = self.calendar.region.as_ref().map(|region| format!(", регион {region}")).unwrap_or_default();
        format!("Календарь: {}, версия {}, {week}{region}.", self.calendar.name, self.calendar.version)
    }
}

fn remark_words(remark: Remark) -> String {
    match remark {
        Remark::AtOnceIsPolicy { hours } => {
            format!("Закон не называет числа часов: предел ({}) задан политикой.", counted(hours, HOURS))
        }
        Remark::DateStatedByDocument => "Дата названа в самом документе.".to_owned(),
        Remark::YearNotPublished { year } => format!(
            "Календарь на {year} год ещё не опубликован: учтены праздники и переносы по ТК РФ ст. 112; \
             дата может сдвинуться, когда его примут."
        ),
        Remark::DueBeforeTermBegins => "Дата раньше начала срока: нужно решение человека.".to_owned(),
        Remark::ClockStopped { stopped_on, resumed_on, left } => format!(
            "Срок был остановлен запросом уточнения {}, с уточнением {} течёт дальше; оставалось: {}.",
            date_words(stopped_on),
            date_words(resumed_on),
            left_words(left)
        ),
    }
}

/// What was left of a term: «2 рабочих дня».
fn left_words(left: Left) -> String {
    match left {
        Left::WorkingDays(n) => days_words(n),
        Left::CalendarDays(n) => counted(n, ["календарный день", "календарных дня", "календарных дней"]),
        Left::Seconds(seconds) => {
            let minutes = u32::try_from(seconds / 60).unwrap_or(u32::MAX);
            format!("{} {} мин", counted(minutes / 60, HOURS), minutes % 60)
        }
    }
}
