//! The words of the cases, in Russian: they are terms of the law and of the forms (S1, S3, S4).
//!
//! Promises: every code has its word. Never: a code where there is a word.

use crate::domain::case::consent::{ConsentKind, DataKind};
use crate::domain::case::disclosure::Ground;
use crate::domain::case::history::Standing;
use crate::domain::case::{By, PartRole, Stage, What};
use crate::domain::message::{Level, Track};

/// ТЖС or СОП (S4).
pub(in crate::web) fn track(track: Track) -> &'static str {
    match track {
        Track::DifficultSituation => "ТЖС — трудная жизненная ситуация",
        Track::DangerousPosition => "СОП — социально опасное положение",
    }
}

/// The levels of S3.
pub(in crate::web) fn level(level: Level) -> &'static str {
    match level {
        Level::Adaptation => "Адаптационный",
        Level::Basic => "Базовый (профилактический)",
        Level::Crisis => "Кризисный",
        Level::Emergency => "Экстренный",
    }
}

/// The nine stages of S1.
pub(in crate::web) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Referral => "Направление",
        Stage::PrimaryAssessment => "Первичная оценка",
        Stage::Decision => "Принятие решения",
        Stage::InDepthAssessment => "Глубинная оценка",
        Stage::DevelopmentPlan => "План развития семьи",
        Stage::PlanImplementation => "Реализация плана развития семьи",
        Stage::ProgressReview => "Обзор прогресса",
        Stage::Closing => "Закрытие случая",
        Stage::FollowUp => "Пост-сопровождение",
    }
}

pub(in crate::web) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Named => "Упомянут, не поставлен",
        Standing::Open => "На сопровождении",
        Standing::Closed => "Снят",
    }
}

pub(in crate::web) fn role(role: PartRole) -> &'static str {
    match role {
        PartRole::Lead => "Ответственный субъект",
        PartRole::CoPerformer => "Соисполнитель",
        PartRole::Exchange => "Участник обмена",
    }
}

pub(in crate::web) fn consent_kind(kind: ConsentKind) -> &'static str {
    match kind {
        ConsentKind::Processing => "На обработку и передачу (152-ФЗ ст. 9)",
        ConsentKind::Dissemination => "На распространение (152-ФЗ ст. 10.1)",
        ConsentKind::MedicalSecrecy => "На разглашение врачебной тайны (323-ФЗ ст. 13)",
    }
}

pub(in crate::web) fn consent_state(state: &str) -> &'static str {
    match state {
        "future" => "Ещё не действует",
        "in_force" => "Действует",
        "withdrawn" => "Отозвано",
        _ => "Срок истёк",
    }
}

/// The kinds of data, each with the name of its box in the form.
pub(in crate::web) const DATA: [(DataKind, &str, &str); 7] = [
    (DataKind::Identity, "data_identity", "Личность"),
    (DataKind::Family, "data_family", "Семья"),
    (DataKind::Education, "data_education", "Обучение"),
    (DataKind::Health, "data_health", "Здоровье"),
    (DataKind::Housing, "data_housing", "Жильё и быт"),
    (DataKind::Income, "data_income", "Доходы"),
    (DataKind::Offences, "data_offences", "Правонарушения"),
];

pub(in crate::web) fn data(kind: DataKind) -> &'static str {
    DATA.iter().find(|(one, ..)| *one == kind).map_or("", |(.., word)| word)
}

pub(in crate::web) fn by(by: &By) -> String {
    match by {
        By::Message { type_code, from, .. } => format!("сообщение {type_code} от {from}"),
        By::Staff(who) => format!("решение: {who}"),
    }
}

/// A ground of support's end or beginning: the eight of S4, those of the commission's ruling, or the words of a person.
pub(in crate::web) fn reason(code: &str) -> &str {
    match code {
        "programme_fulfilled" => "программа выполнена, ситуация нормализована",
        "off_register" => "снятие с учёта банка данных СОП",
        "parent_died" => "смерть родителя (законного представителя)",
        "children_of_age" | "of_age" => "совершеннолетие",
        "moved" => "переезд",
        "refused" => "отказ заявителя от сопровождения",
        "rights_deprived" => "лишение или ограничение родительских прав",
        "imprisoned" => "осуждение к лишению свободы",
        "corrected" => "причины и условия устранены",
        "died" => "смерть",
        "other" => "иное",
        words => words,
    }
}

/// A fact, in one line.
pub(in crate::web) fn what(fact: &What) -> String {
    let with = |head: &str, said: &Option<String>| match said {
        Some(said) => format!("{head}: {}", reason(said)),
        None => head.to_owned(),
    };
    match fact {
        What::Named => "Случай впервые назван в обмене".to_owned(),
        What::Opened { reason } => with("Постановка на сопровождение", reason),
        What::Track { track: to } => format!("Вид сопровождения: {}", track(*to)),
        What::Level { level: to } => format!("Уровень сопровождения: {}", level(*to)),
        What::Stage { stage: to } => format!("Этап: {}", stage(*to)),
        What::Joined { body, role: as_role } => format!("Участвует {body}: {}", role(*as_role)),
        What::Left { body } => format!("Больше не участвует {body}"),
        What::Closed { reason } => with("Снятие с сопровождения", reason),
    }
}

pub(in crate::web) fn disclosure(kind: &str) -> &'static str {
    match kind {
        "message" => "Сообщение направлено",
        "evidence" => "Выданы доказательства по обязательству",
        "case_file" => "Выдано личное дело, п. 5",
        "message_read" => "Прочитано сообщение",
        _ => "Прочитана запись о случае",
    }
}

pub(in crate::web) fn ground(ground: &Ground) -> String {
    match ground {
        Ground::Consent { reference, no: Some(no), .. } => format!("Согласие № {no} реестра: {reference}"),
        Ground::Consent { reference, no: None, .. } => format!("Согласие (в реестре нет): {reference}"),
        Ground::NoConsent { code, reason } => format!("Без согласия ({code}): {reason}"),
        Ground::Law { basis } => format!("По закону: {basis}"),
        Ground::Keeper => "Сотрудник или система центра, ведущего случай".to_owned(),
        Ground::Party => "Сторона обмена".to_owned(),
        Ground::Redirected => "Перенаправление по компетенции".to_owned(),
        Ground::Unstated => "Основание в сообщении не названо".to_owned(),
    }
}
