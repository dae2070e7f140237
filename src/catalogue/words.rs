//! The entries in Russian words: who sends to whom, which answer is owed, by when.
//!
//! Promises: the words follow from the entry alone, so that a page can be held to it. Never: judges; shortens a rule.

use crate::catalogue::{Action, Entry, Parties, Party, Role, TermEntry};
use crate::domain::participant::BodyKind;
use crate::domain::term::{Roll, StartsOn, Term, Unit, term_words};

/// A kind of body, as people call it (120-ФЗ ст. 4 and the parties around it).
#[must_use]
pub fn kind_words(kind: BodyKind) -> &'static str {
    match kind {
        BodyKind::SocialCentre => "центр помощи семье и детям",
        BodyKind::SocialProtection => "орган социальной защиты",
        BodyKind::Commission => "КДНиЗП",
        BodyKind::EducationAuthority => "орган управления образованием",
        BodyKind::School => "образовательная организация",
        BodyKind::Guardianship => "орган опеки и попечительства",
        BodyKind::Youth => "орган по делам молодёжи",
        BodyKind::HealthAuthority => "орган управления здравоохранением",
        BodyKind::HealthFacility => "медицинская организация",
        BodyKind::Employment => "служба занятости",
        BodyKind::Police => "орган внутренних дел",
        BodyKind::PenalInspection => "уголовно-исполнительная инспекция",
        BodyKind::CultureSport => "организация культуры, спорта, досуга",
        BodyKind::Prosecutor => "прокуратура",
        BodyKind::Court => "суд",
        BodyKind::Investigator => "следователь",
        BodyKind::Ombudsman => "уполномоченный по правам ребёнка",
        BodyKind::Ngo => "некоммерческая организация",
        BodyKind::RegisterKeeper => "ответственный за ведение БД СОП",
        BodyKind::Citizen => "гражданин",
    }
}

fn party_words(party: &Party) -> &'static str {
    match party {
        Party::Any => "любой участник",
        Party::Gateway => "шлюз",
        Party::Kind(kind) => kind_words(*kind),
    }
}

/// «центр помощи семье и детям → образовательная организация».
#[must_use]
pub fn parties_words(parties: &[Parties]) -> String {
    let side = |parties: &[Party]| parties.iter().map(party_words).collect::<Vec<_>>().join(", ");
    let one = |one: &Parties| format!("{} → {}", side(&one.from), side(&one.to));
    parties.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What a message of this role does in its exchange.
#[must_use]
pub fn role_words(role: Role) -> &'static str {
    match role {
        Role::Request => "запрос: начинает обмен",
        Role::Notice => "сообщение: начинает обмен",
        Role::Ruling => "решение: начинает обмен",
        Role::Reply => "ответ: отвечает на запрос",
        Role::Report => "отчёт: отвечает на то, что поручено",
        Role::Receipt => "квитанция",
        Role::Control(Action::InterimReply) => "управление: ничего не закрывает, ответ всё ещё нужен",
        Role::Control(Action::ExtensionRequest) => "управление: просит перенести срок, решает запросивший",
        Role::Control(Action::ExtensionDecision) => "управление: переносит срок или отказывает в переносе",
        Role::Control(Action::Redirection) => "управление: передаёт обязанность компетентному органу",
        Role::Control(Action::ReasonedRefusal) => "управление: закрывает обязанность, если запросивший согласен",
        Role::Control(Action::Withdrawal) => "управление: запрос отозван, ответ не нужен",
        Role::Control(Action::Return) => "управление: ответ неполон, обязанность снова открыта, срок прежний",
        Role::Control(Action::Release) => "управление: снято с контроля",
        Role::Control(Action::Reminder | Action::RepeatRequest | Action::Escalation) => {
            "управление: напоминает, срока не меняет"
        }
        Role::Control(Action::Executor | Action::ClarificationRequest | Action::Clarification) => {
            "управление: принимается к сведению"
        }
    }
}

/// The term of the mandatory answer in a line, for tables; `None` where no answer is mandatory.
#[must_use]
pub fn term_line(entry: &Entry) -> Option<String> {
    let answer = entry.answer.as_ref().filter(|answer| answer.mandatory)?;
    let each = answer.each.as_ref();
    if let Some((each, due)) = each.and_then(|each| Some((each, each.due.as_deref()?))) {
        return Some(format!("дата в поле `{}[].{due}`", each.items));
    }
    let term = entry.term.as_ref()?;
    let from = each.and_then(|each| Some(format!("{}[].{}", each.items, each.ends.as_deref()?)));
    Some(term_and_its_cases(term, from.as_deref(), length))
}

/// The same with the event that it runs from and what becomes of a last day that is not worked.
#[must_use]
pub fn term_whole(term: &TermEntry, from: Option<&str>) -> String {
    term_and_its_cases(term, from, |one, from| {
        let Ok(term) = one.term() else { return length(one, from) };
        let begins = match from {
            Some(_) => String::new(),
            None => format!(" {}{}", begins_words(&term), dated_words(one)),
        };
        format!("{}{begins}{}", length(one, from), roll_words(&term))
    })
}

fn term_and_its_cases(
    term: &TermEntry,
    from: Option<&str>,
    say: impl Fn(&TermEntry, Option<&str>) -> String,
) -> String {
    let mut words = vec![match (&term.stated_in, term.days_before) {
        (Some(field), Some(1)) => format!("накануне даты в поле `{field}`, нерабочий день — на предшествующий рабочий"),
        (Some(field), Some(days)) => format!("за {days} дн. до даты в поле `{field}`"),
        (Some(field), None) => format!("дата в поле `{field}`, если она названа; иначе {}", say(term, from)),
        (None, _) => say(term, from),
    }];
    if let Some(field) = &term.chosen_by {
        words.extend(term.cases.iter().map(|(case, term)| format!("`{case}` в поле `{field}` — {}", say(term, None))));
    }
    let levels = [("кризисный уровень", &term.urgent), ("экстренный уровень", &term.emergency)];
    let level = |(level, term): (&str, &Option<Box<TermEntry>>)| {
        term.as_deref().map(|term| format!("{level} — {}", length(term, None)))
    };
    words.extend(levels.into_iter().filter_map(level));
    words.join("; ")
}

/// «5 рабочих дней», with the field that it runs from. A word that the domain does not know was refused at the start.
fn length(term: &TermEntry, from: Option<&str>) -> String {
    let words = term.term().map_or_else(|_| format!("{} {}", term.n, term.unit), |term| term_words(&term));
    from.map_or_else(|| words.clone(), |field| format!("{words} после даты в поле `{field}`"))
}

fn begins_words(term: &Term) -> &'static str {
    match term.starts_on {
        StartsOn::Registered => "после регистрации",
        StartsOn::Received => "после получения",
        StartsOn::Sent => "после отправки",
        StartsOn::Signed => "после дня, которым документ подписан",
        StartsOn::Decided => "после дня, которым принято решение",
        StartsOn::Known => "с того дня, когда стало известно",
        StartsOn::PeriodEnd => "после окончания периода",
    }
}

fn dated_words(term: &TermEntry) -> String {
    term.known_in.as_ref().map(|field| format!(" (поле `{field}`)")).unwrap_or_default()
}

fn roll_words(term: &Term) -> &'static str {
    let rolls = !matches!(term.unit, Unit::WorkingDay | Unit::Hour | Unit::AtOnce);
    match term.effective_roll() {
        Roll::NextWorking if rolls => "; нерабочий последний день — на следующий рабочий",
        Roll::PreviousWorking if rolls => "; нерабочий последний день — на предшествующий рабочий",
        Roll::NextWorking | Roll::PreviousWorking | Roll::None => "",
    }
}
