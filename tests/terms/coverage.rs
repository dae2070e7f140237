//! How far the calendars reach, as `mezhved calendar check` says it.

use crate::support::{calendars, day};
use mezhved::cli::calendar::{CheckArgs, check};
use mezhved::domain::calendar::Standing;
use serde_json::{Value, json};
use std::process::ExitCode;

fn words(args: &CheckArgs, today: &str) -> (String, ExitCode) {
    let mut out = Vec::new();
    let code = check(args, day(today), &mut out).unwrap();
    (String::from_utf8(out).unwrap(), code)
}

#[test]
fn each_year_of_a_territory_says_how_sure_it_is() {
    let standings = |region| {
        let years = calendars().coverage(region).unwrap().years;
        years.iter().map(|year| (year.year, year.standing)).collect::<Vec<_>>()
    };
    use Standing::{Decreed, NotPublished, ToBeChecked};
    let federal = [Decreed, Decreed, Decreed, Decreed, ToBeChecked, NotPublished];
    assert_eq!(standings(None), (2023..).zip(federal).collect::<Vec<_>>());
    assert_eq!(standings(Some("RU-MOW")), standings(None), "it adds nothing");
    let tatarstan = [Decreed, ToBeChecked, Decreed, Decreed, ToBeChecked, NotPublished];
    assert_eq!(standings(Some("RU-TA")), (2023..).zip(tatarstan).collect::<Vec<_>>());
    assert!(calendars().coverage(Some("RU-XX")).is_err());
}

#[test]
fn the_check_names_what_is_published_provisional_awaited_and_not_applied() {
    let (text, code) = words(&CheckArgs::default(), "2026-11-22");
    assert_eq!(code, ExitCode::SUCCESS);
    for part in [
        "Федеральный календарь, версия 2026.2.",
        "Опубликован по 31.12.2027 (пт): осталось 404 дн.",
        "Считается по 31.12.2028 (вс)",
        "2028: предварительно, не опубликован.",
        "Регионы со своими днями: 27.",
        "RU-TA Республика Татарстан: своих дней 16; без оговорок годы: 2023, 2025, 2026",
        "ждёт решения региона: Сагаалган",
        "Не применяются, пока у органов не указано муниципальное образование: 1.",
        "RU-BRY 29.04.2025 (вт): Радоница (город Брянск)",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    assert!(!text.contains("Внимание"));
}

#[test]
fn coverage_that_ends_within_sixty_days_is_an_exit_code() {
    let args = CheckArgs::default();
    assert_eq!(words(&args, "2027-11-01").1, ExitCode::SUCCESS, "60 days are left");
    let (text, code) = words(&args, "2027-11-02");
    assert_eq!(code, ExitCode::FAILURE);
    assert!(text.contains("Внимание: опубликованный календарь кончается через 59 дн."), "{text}");
    assert_eq!(words(&args, "2028-03-01").1, ExitCode::FAILURE, "it has ended");
}

#[test]
fn one_region_can_be_asked_for_and_programs_get_json() {
    let args = CheckArgs { region: Some("RU-KL".to_owned()), json: true };
    let (text, _) = words(&args, "2026-11-22");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["days_left"], &report["ends_soon"]), (&json!(404), &json!(false)));
    assert_eq!(report["federal"]["provisional_years"], json!([2027, 2028]));
    let regions = report["regions"].as_array().unwrap();
    assert_eq!(regions.len(), 1);
    assert_eq!(regions[0]["region"], json!(["RU-KL", "Республика Калмыкия"]));
    assert_eq!(regions[0]["provisional_years"], json!([2026, 2027, 2028]));
    assert_eq!(regions[0]["years"][3]["awaited"], json!(["Зул"]));
    assert_eq!(report["unapplied"], json!([]));
    let unknown = CheckArgs { region: Some("RU-XX".to_owned()), json: false };
    assert!(check(&unknown, day("2026-11-22"), &mut Vec::new()).unwrap_err().to_string().contains("ISO 3166-2"));
}
