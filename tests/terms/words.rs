//! Terms as texts, and the explanation that people read.

use crate::support::{day, due, term};
use mezhved::domain::term::{Roll, Term, Unit, date_words, days_words, parse_roll, parse_week, term_words};

#[test]
fn short_texts_name_units() {
    let units = [
        ("5 wd", Unit::WorkingDay, 5),
        ("5wd", Unit::WorkingDay, 5),
        (" 30 CD ", Unit::CalendarDay, 30),
        ("1 month", Unit::Month, 1),
        ("48 h", Unit::Hour, 48),
        ("at once", Unit::AtOnce, 0),
        ("2 half-months", Unit::CalendarDay, 30),
        ("5 working_day", Unit::WorkingDay, 5),
        ("5 рабочих дней", Unit::WorkingDay, 5),
        ("10 дней", Unit::CalendarDay, 10),
        ("Незамедлительно", Unit::AtOnce, 0),
    ];
    for (text, unit, n) in units {
        let term: Term = text.parse().unwrap();
        assert_eq!((term.unit, term.n), (unit, n), "{text}");
    }
}

#[test]
fn what_is_no_term_is_refused_with_the_forms() {
    for text in ["", "5", "wd", "5 fortnights", "0 wd", "-5 wd", "5.5 wd", "99999999999 wd", "4294967295 half-months"] {
        let error = text.parse::<Term>().unwrap_err().to_string();
        assert!(error.contains("`5 wd`"), "{text}: {error}");
    }
    assert!(parse_roll("sideways").is_err() && parse_week("seven").is_err());
}

#[test]
fn all_names_of_a_roll_are_understood_in_text_and_in_json() {
    for (name, roll) in [
        ("next", Roll::NextWorking),
        ("next_working", Roll::NextWorking),
        ("previous", Roll::PreviousWorking),
        ("previous_working", Roll::PreviousWorking),
        ("prev_working", Roll::PreviousWorking),
        ("none", Roll::None),
    ] {
        assert_eq!(parse_roll(name).unwrap(), roll);
        assert_eq!(serde_json::from_str::<Roll>(&format!("\"{name}\"")).unwrap(), roll);
    }
    assert_eq!(serde_json::to_string(&Roll::PreviousWorking).unwrap(), "\"previous_working\"");
}

#[test]
fn russian_words_have_the_right_plural() {
    let words = [
        (1, "1 рабочий день"),
        (3, "3 рабочих дня"),
        (5, "5 рабочих дней"),
        (11, "11 рабочих дней"),
        (21, "21 рабочий день"),
        (112, "112 рабочих дней"),
        (0, "0 рабочих дней"),
    ];
    for (n, expected) in words {
        assert_eq!(days_words(n), expected);
    }
    assert_eq!(term_words(&term("at once", None)), "незамедлительно (в тот же день, не более 24 часов)");
    assert_eq!(term_words(&term("period end", None)), "к концу полугодия");
    assert_eq!(date_words(day("2026-11-21")), "21.11.2026 (сб)");
}

#[test]
fn the_explanation_names_every_skipped_day_and_every_counted_one() {
    let lines = due("2026-04-24", &term("10 wd", None), None).unwrap().protocol.explanation();
    let text = lines.join("\n");
    for part in [
        "Срок: 12.05.2026 (вт), до 24:00 (время Europe/Moscow).",
        "Событие: регистрация, 24.04.2026 (пт); срок течёт со следующего дня, 25.04.2026 (сб).",
        "Правило: 10 рабочих дней.",
        "1-й 27.04.2026 (пн)",
        "10-й 12.05.2026 (вт)",
        "Не считаются (8):",
        "  01.05.2026 (пт): Праздник Весны и Труда",
        "  11.05.2026 (пн): выходной, перенесён с 09.05.2026",
        "Календарь: ru, версия 2026.2, пятидневная неделя.",
        "№ 1466",
        "Нормы: ГК РФ ст. 191, ТК РФ ст. 112, ГК РФ ст. 194.",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    assert!(!text.contains("Предварительно"));
}

#[test]
fn the_explanation_of_a_roll_says_where_the_day_went() {
    let text =
        due("2025-12-10", &term("30 cd", Some(Roll::PreviousWorking)), None).unwrap().protocol.explanation().join("\n");
    assert!(text.contains("Последний день 09.01.2026 (пт) нерабочий: срок переходит на предшествующий"), "{text}");
    assert!(text.contains("Перенос через (10):"), "{text}");
    let hours = due("2026-05-08", &term("48 h", None), None).unwrap().protocol.explanation().join("\n");
    assert!(hours.contains("Срок: 10.05.2026 (вс), до 12:00") && !hours.contains("Календарь"), "{hours}");
    let at_once = due("2026-05-08", &term("at once", None), None).unwrap().protocol.explanation().join("\n");
    assert!(at_once.contains("до 24:00") && at_once.contains("предел (24 часа) задан политикой"), "{at_once}");
}
