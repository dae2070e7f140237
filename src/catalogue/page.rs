//! The catalogue as pages in Markdown, one for each type and an index: for the programmer of a partner, in Russian.
//!
//! Promises: the same catalogue always gives the same text, so that the checked-in pages can be compared; nothing in
//! them was written by hand. Never: a rule that the entry or the schema does not have.

use crate::catalogue::plan::{Alphabet, Field, Plan, RecordPlan, Shape, TextPlan};
use crate::catalogue::words::{parties_words, role_words, term_line, term_whole};
use crate::catalogue::{Catalogue, Entry, Recurring, Release};
use crate::domain::rule::DutyParty;
use std::fmt::Write as _;

/// A page: the name of its file and its text.
pub type Page = (String, String);

const GENERATED: &str = "<!-- Создано командой `mezhved catalogue --pages docs/catalogue`; не править. -->\n";

/// Groups of the index: the first word of the codes, and what they are called.
const GROUPS: &[(&[&str], &str)] = &[
    (&["signal", "notice"], "Сигналы и сообщения"),
    (&["request", "reply"], "Запросы и ответы"),
    (&["report", "council"], "Отчёты и совет"),
    (&["ruling", "plan", "petition"], "Комиссия и план"),
    (&["supervision", "appeal"], "Надзор и обращения граждан"),
    (&["receipt", "control"], "Квитанции и управление"),
];

impl Catalogue {
    /// The pages of all types in their latest versions, and `README.md`, by name.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        let latest: Vec<&Entry> = self.entries.values().filter_map(|versions| versions.values().next_back()).collect();
        let mut pages: Vec<Page> =
            latest.iter().map(|entry| (format!("{}.md", entry.code), self.page(entry))).collect();
        pages.push(("README.md".to_owned(), index(&latest)));
        pages.sort();
        pages
    }

    /// The page of one type.
    #[must_use]
    pub fn page(&self, entry: &Entry) -> String {
        let mut out = format!("{GENERATED}\n# {}\n\n", entry.title_ru);
        let from = entry.version_from.format("%d.%m.%Y");
        let _ = writeln!(out, "`{}`, версия {}, действует с {from}. {}.\n", entry.code, entry.version, entry.title_en);
        out.push_str("| | |\n|---|---|\n");
        for (name, words) in self.rules(entry) {
            let _ = writeln!(out, "| {name} | {} |", words.replace('|', "\\|"));
        }
        out.push_str(
            "\n## Поля содержания\n\nКонверт — общий для всех видов: [INTEGRATION.md](../INTEGRATION.md).\n\n",
        );
        out.push_str("| поле | название | что это | нужно |\n|---|---|---|---|\n");
        fields(&entry.body, "", &mut out);
        for (title, language, example) in [("JSON", "json", &entry.example_json), ("XML", "xml", &entry.example_xml)] {
            if let Some(example) = example {
                let _ = writeln!(out, "\n## Пример, {title}\n\n```{language}\n{}\n```", example.trim_end());
            }
        }
        out
    }

    fn rules(&self, entry: &Entry) -> Vec<(&'static str, String)> {
        let mut rows = vec![("кто → кому", parties_words(&entry.parties)), ("роль", role_words(entry.role).to_owned())];
        rows.extend(entry.carries.as_ref().map(|field| {
            ("как что принимается", format!("как вид, названный в поле `{field}`: его стороны, роль, ответ и срок"))
        }));
        rows.extend(answer_rows(entry));
        rows.extend(entry.duties.iter().map(|duty| ("открывает обязанность", duty_words(duty))));
        rows.extend(entry.case.iter().map(|rule| ("что делает со случаем", rule.words())));
        let own = [
            ("отправить", &entry.sent_within),
            ("зарегистрировать", &entry.registered_within),
            ("перенаправить", &entry.redirected_within),
        ];
        rows.extend(own.into_iter().filter_map(|(name, term)| Some((name, term_whole(term.as_ref()?, None)))));
        let asks: Vec<String> = self
            .entries()
            .filter(|other| other.is_answered_by(&entry.code))
            .map(|other| link(other.code.as_str()))
            .collect();
        if !asks.is_empty() && asks.len() <= LINKS_MAX {
            rows.push(("отвечает на", asks.join(", ")));
        }
        if entry.special_category {
            rows.push(("особая категория", "содержит сведения специальной категории (152-ФЗ ст. 10)".to_owned()));
        }
        if entry.needs_consent {
            let words = "в конверте нужно согласие (`consent`) или основание обойтись без него (`no_consent_ground`)";
            rows.push(("согласие", words.to_owned()));
        }
        if !entry.law.is_empty() {
            rows.push(("нормы", entry.law.join(", ")));
        }
        rows.push(("источник", entry.source.clone()));
        for later in entry.all_editions().skip(1) {
            let from = later.version_from.format("%d.%m.%Y");
            let own = answer_rows(later).into_iter().map(|(name, words)| format!("{name}: {words}"));
            let words: Vec<String> = own.chain([format!("источник: {}", later.source)]).collect();
            rows.push(("другая редакция", format!("с {from}: {}", words.join("; "))));
        }
        rows
    }
}

/// Types that a page names as those it answers; the receipts answer all, which says nothing.
const LINKS_MAX: usize = 8;

fn link(code: &str) -> String {
    format!("[`{code}`]({code}.md)")
}

/// A duty: what, who to whom, how often or by when, until when.
fn duty_words(duty: &Recurring) -> String {
    let named = duty.named_in.as_deref().unwrap_or_default();
    let who = match duty.owes {
        DutyParty::Addressees => "каждый адресат".to_owned(),
        DutyParty::Commission => "комиссия отправителя".to_owned(),
        DutyParty::Named => format!("кто назван в поле `{named}`"),
        DutyParty::Sender | DutyParty::RegisterKeeper | DutyParty::Itself => "отправитель".to_owned(),
    };
    let whom = match duty.to {
        DutyParty::Addressees => "адресатам",
        DutyParty::Sender => "отправителю",
        DutyParty::Commission => "комиссии отправителя",
        DutyParty::RegisterKeeper => "ответственному за ведение БД СОП, названному в его записи",
        DutyParty::Named => "кто назван",
        DutyParty::Itself => "себе (остаётся в деле)",
    };
    let stated = duty.rhythm_in.as_ref().map(|field| format!(" или как указано в `{field}`"));
    let how = match (duty.rhythm, duty.apart, &duty.term) {
        (Some(rhythm), ..) => format!("{}{}", rhythm.rhythm_words(), stated.unwrap_or_default()),
        (None, Some(apart), _) => apart.apart_words().to_owned(),
        (None, None, Some(term)) => term_whole(term, None),
        (None, None, None) => String::new(),
    };
    let ends: Vec<String> = duty.ends.iter().map(|code| link(code.as_str())).collect();
    let until = match ends.is_empty() {
        true => String::new(),
        false => format!(", до {} в ответ на это сообщение или по тому же делу", ends.join(" или ")),
    };
    let when = duty.when.as_ref().map(|when| format!(", если `{}` — `{}`", when.field, when.is)).unwrap_or_default();
    let told = duty.rhythm_in.as_ref().filter(|_| duty.when.is_some());
    let told = told.map(|field| format!(" или заполнено `{field}`")).unwrap_or_default();
    let source = duty.source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default();
    format!("{}: {who} — {whom}, {how}{until}{when}{told}{source}", link(duty.answer.as_str()))
}

fn answer_rows(entry: &Entry) -> Vec<(&'static str, String)> {
    let Some(answer) = &entry.answer else { return vec![("обязательный ответ", "нет".to_owned())] };
    let types: Vec<String> = answer.types.iter().map(|code| link(code.as_str())).collect();
    if !answer.mandatory {
        return vec![("обязательный ответ", format!("нет; подтверждает {}", types.join(", ")))];
    }
    let each = answer.each.as_ref().map(|each| format!(", по одному на каждую строку `{}`", each.items));
    let mut rows = vec![("обязательный ответ", format!("{}{}", types.join(" или "), each.unwrap_or_default()))];
    let ends = answer.each.as_ref().and_then(|each| Some(format!("{}[].{}", each.items, each.ends.as_deref()?)));
    let term = entry.term.as_ref().map(|term| term_whole(term, ends.as_deref())).or_else(|| term_line(entry));
    rows.extend(term.map(|term| ("срок", term)));
    rows.extend(
        entry.extension_max_days.map(|days| ("продление", format!("не более {days} календарных дней в сумме"))),
    );
    if let 1.. = entry.suspensions_max() {
        let times = entry.suspensions_max();
        let question = link("control.clarification-request");
        rows.push(("остановка срока", format!("запросом уточнения ({question}) до ответа на него, не чаще: {times}")));
    }
    let release = match answer.release {
        Release::Automatic => "сразу, как ответ получен; запросивший может вернуть его на доработку",
        Release::Controller => "решением запросившего",
    };
    rows.push(("снятие с контроля", release.to_owned()));
    rows
}

/// A row for each field, the fields of records and of lists below it.
fn fields(record: &RecordPlan, path: &str, out: &mut String) {
    for (place, field) in record.fields.iter().enumerate() {
        let path = format!("{path}{}", field.name);
        let title = field.title.as_deref().unwrap_or("–");
        let needed = if record.is_required(place) { "да" } else { "–" };
        let _ = writeln!(out, "| `{path}` | {title} | {} | {needed} |", value_words(field));
        inner(&field.plan, &path, out);
    }
}

fn inner(plan: &Plan, path: &str, out: &mut String) {
    match plan {
        Plan::Record(record) => fields(record, &format!("{path}."), out),
        Plan::List(list) => inner(&list.item, &format!("{path}[]"), out),
        Plan::Text(_) | Plan::Integer(_) | Plan::Boolean => {}
    }
}

fn value_words(field: &Field) -> String {
    let words = plan_words(&field.plan);
    match &field.note {
        Some(note) => format!("{words}: {}", note.replace('|', "\\|")),
        None => match &*field.plan {
            Plan::Text(TextPlan { shape: Shape::OneOf(codes), .. }) => format!("{words}: {}", codes.join(", ")),
            _ => words,
        },
    }
}

fn plan_words(plan: &Plan) -> String {
    match plan {
        Plan::Record(_) => "запись".to_owned(),
        Plan::Boolean => "да или нет".to_owned(),
        Plan::Integer(integer) => format!("целое число от {} до {}", integer.min, integer.max),
        Plan::List(list) => {
            let unique = if list.unique { ", без повторов" } else { "" };
            format!("список, от {} до {}{unique}; каждый — {}", list.items_min, list.items_max, plan_words(&list.item))
        }
        Plan::Text(text) => text_words(text),
    }
}

fn text_words(text: &TextPlan) -> String {
    let kind = match &text.shape {
        Shape::OneOf(_) => return "код".to_owned(),
        Shape::Date => return "дата, `ГГГГ-ММ-ДД`".to_owned(),
        Shape::DateTime => return "момент с часовым поясом".to_owned(),
        Shape::Uuid => return "UUID".to_owned(),
        Shape::Pattern(pattern) => format!("строка вида `{}`", pattern.as_str().replace('|', "\\|")),
        Shape::Free if text.alphabet == Alphabet::Lines => "текст".to_owned(),
        Shape::Free => "строка".to_owned(),
    };
    format!("{kind}, до {} знаков", text.chars_max)
}

fn index(entries: &[&Entry]) -> String {
    let mut out = format!("{GENERATED}\n# Каталог видов сообщений\n\nВидов: {}. ", entries.len());
    out.push_str("На странице каждого — кто кому его посылает, поля, ответ и срок, нормы и оба примера.\n");
    out.push_str("Срок считается со следующего дня (ГК ст. 191) по календарю того, кто обязан.\n");
    let prefix = |entry: &Entry| entry.code.as_str().split('.').next().unwrap_or_default().to_owned();
    let known = |entry: &&&Entry| GROUPS.iter().any(|(words, _)| words.contains(&prefix(entry).as_str()));
    for (words, title) in GROUPS {
        let of_group = entries.iter().filter(|entry| words.contains(&prefix(entry).as_str()));
        group(title, of_group.copied(), &mut out);
    }
    group("Прочие", entries.iter().filter(|entry| !known(entry)).copied(), &mut out);
    out
}

fn group<'e>(title: &str, entries: impl Iterator<Item = &'e Entry>, out: &mut String) {
    let mut entries = entries.peekable();
    if entries.peek().is_none() {
        return;
    }
    let _ = write!(
        out,
        "\n## {title}\n\n| вид | название | кто → кому | обязательный ответ | срок |\n|---|---|---|---|---|\n"
    );
    for entry in entries {
        let types = entry.answer.iter().filter(|answer| answer.mandatory).flat_map(|answer| &answer.types);
        let types: Vec<String> = types.map(|code| format!("`{code}`")).collect();
        let answer = if types.is_empty() { "–".to_owned() } else { types.join(", ") };
        let (parties, term) = (parties_words(&entry.parties), term_line(entry).unwrap_or_else(|| "–".to_owned()));
        let _ = writeln!(out, "| {} | {} | {parties} | {answer} | {term} |", link(entry.code.as_str()), entry.title_ru);
    }
}
