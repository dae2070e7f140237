//! `mezhved due`: one question from the arguments, and a stream of them.

use clap::Parser;
use mezhved::cli::due::{DueArgs, run};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    due: DueArgs,
}

fn lines(input: &[u8]) -> (Vec<Value>, ExitCode) {
    let mut output = Vec::new();
    let code = run(&DueArgs::default(), input, &mut output).unwrap();
    let text = String::from_utf8(output).unwrap();
    (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), code)
}

fn answer(question: &str) -> Value {
    lines(question.as_bytes()).0.remove(0)
}

fn ask(arguments: &[&str]) -> anyhow::Result<String> {
    let cli = Cli::try_parse_from([&["due"], arguments].concat())?;
    let mut output = Vec::new();
    run(&cli.due, std::io::empty(), &mut output)?;
    Ok(String::from_utf8(output)?)
}

#[test]
fn a_question_on_a_line_gets_the_date_and_the_skipped_days() {
    let found = answer(r#"{"event": "2026-04-30", "unit": "working_day", "n": 1, "roll": "none", "region": null}"#);
    assert_eq!(
        found,
        json!({"due": "2026-05-04", "skipped": [
            {"date": "2026-05-01", "why": "Праздник Весны и Труда"},
            {"date": "2026-05-02", "why": "выходной день, суббота"},
            {"date": "2026-05-03", "why": "выходной день, воскресенье"},
        ]})
    );
    let rolled = answer(r#"{"event":"2025-12-10","unit":"calendar_day","n":30,"roll":"prev_working"}"#);
    assert_eq!(rolled["due"], "2025-12-30");
    let skipped = rolled["skipped"].as_array().unwrap();
    assert_eq!(
        (skipped.len(), &skipped[0]["date"], &skipped[9]["date"]),
        (10, &json!("2025-12-31"), &json!("2026-01-09"))
    );
}

#[test]
fn the_vectors_as_lines_all_agree_with_their_own_due_dates() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("deadline_vectors.json")).unwrap();
    let input: String = vectors.iter().map(|vector| format!("{vector}\n")).collect();
    let (answers, code) = lines(input.as_bytes());
    assert_eq!(code, ExitCode::SUCCESS);
    for (vector, answer) in vectors.iter().zip(&answers) {
        assert_eq!(vector["due"], answer["due"], "{vector} gave {answer}");
    }
    assert_eq!(answers.len(), vectors.len());
}

#[test]
fn regions_weeks_zones_and_instants_are_heard() {
    let dues = [
        (r#"{"event":"2026-03-18","unit":"working_day","n":3,"region":"RU-TA"}"#, "2026-03-24"),
        (r#"{"event":"2026-03-18","unit":"working_day","n":3,"region":"RU\u002dTA"}"#, "2026-03-24"),
        (r#"{"event":"2026-03-18","unit":"working_day","n":3,"region":"RU-MOW"}"#, "2026-03-23"),
        (r#"{"event":"2026-03-13","unit":"working_day","n":1,"week":"six"}"#, "2026-03-14"),
        (r#"{"event":"2026-03-18","term":"5 wd"}"#, "2026-03-25"),
        (r#"{"event":"2026-03-02T20:00:00Z","unit":"working_day","n":1,"zone":"Asia/Irkutsk"}"#, "2026-03-04"),
        (r#"{"event":"2026-03-02T20:00:00+03:00","unit":"working_day","n":1}"#, "2026-03-03"),
        (r#"{"event":"2026-10-01","unit":"period_end"}"#, "2026-12-30"),
        (r#"{"event":"2026-10-01","unit":"fixed_dates","stated_on":"2026-10-20"}"#, "2026-10-20"),
        (r#"{"event":"2026-05-08","unit":"hour","n":48}"#, "2026-05-10"),
    ];
    for (question, due) in dues {
        assert_eq!(answer(question)["due"], due, "{question}");
    }
    let hours = answer(r#"{"event":"2026-05-08T14:30:00+08:00","unit":"hour","n":48}"#);
    assert_eq!(hours["due_at"], "2026-05-10T14:30:00+08:00");
    assert_eq!(answer(r#"{"event":"2027-03-01","term":"5 wd"}"#)["provisional"], true);
}

#[test]
fn a_bad_line_is_named_on_its_line_and_the_others_go_on() {
    let bad = [
        ("nonsense", "bad_line"),
        ("", "bad_line"),
        (r#"{"event":"2026-04-30","unit":"working_day","n":1,"reguon":"RU-TA"}"#, "bad_line"),
        (r#"{"event":"2026-04-30","unit":"working_day","n":1,"n":2}"#, "bad_line"),
        (r#"{"event":"2026-04-30"}"#, "bad_line"),
        (r#"{"event":"2026-02-30","unit":"working_day","n":1}"#, "bad_event"),
        (r#"{"event":"2026-04-30","unit":"working_day"}"#, "bad_term"),
        (r#"{"event":"2026-04-30","unit":"working_day","n":1,"region":"RU-XX"}"#, "unknown_region"),
        (r#"{"event":"2026-04-30","unit":"hour","n":1,"zone":"Asia/Angarsk"}"#, "unknown_zone"),
        (r#"{"event":"2031-04-30","unit":"working_day","n":1}"#, "calendar_not_covered"),
        (r#"{"event":"2026-04-30","unit":"working_day","n":1,"due":"2026-05-01"}"#, "due_differs"),
        (r#"{"event":"2026-04-30","unit":"fixed_dates"}"#, "no_date"),
    ];
    let good = r#"{"event":"2026-04-30","unit":"working_day","n":1}"#;
    let input: String = bad.iter().map(|(line, _)| format!("{line}\n{good}\n")).collect();
    let (answers, code) = lines(input.as_bytes());
    assert_eq!(code, ExitCode::FAILURE);
    assert_eq!(answers.len(), bad.len() * 2);
    for ((line, expected), pair) in bad.iter().zip(answers.chunks(2)) {
        assert_eq!(pair[0]["error"]["code"], *expected, "{line} gave {}", pair[0]);
        assert!(!pair[0]["error"]["message"].as_str().unwrap().is_empty());
        assert_eq!(pair[1]["due"], "2026-05-04");
    }
}

#[test]
fn a_line_without_an_end_is_refused_once_and_skipped() {
    let good = r#"{"event":"2026-04-30","unit":"working_day","n":1}"#;
    let input = format!("{good}\n{}\n{good}", "x".repeat(1_000_000));
    let (answers, code) = lines(input.as_bytes());
    assert_eq!(code, ExitCode::FAILURE);
    assert_eq!(answers.len(), 3, "{answers:?}");
    assert_eq!(answers[1]["error"]["code"], "line_too_long");
    assert_eq!((&answers[0]["due"], &answers[2]["due"]), (&json!("2026-05-04"), &json!("2026-05-04")));
    assert_eq!(lines("y".repeat(1_000_000).as_bytes()).0.len(), 1);
}

#[test]
fn many_lines_keep_their_order_across_blocks() {
    let question = |n: usize| {
        format!("{{\"event\":\"2024-01-01\",\"unit\":\"calendar_day\",\"n\":{},\"roll\":\"none\"}}\r\n", n % 1000 + 1)
    };
    let input: String = (0..20_000).map(question).collect();
    let (answers, code) = lines(input.as_bytes());
    assert_eq!((answers.len(), code), (20_000, ExitCode::SUCCESS));
    let first: chrono::NaiveDate = "2024-01-01".parse().unwrap();
    for (n, answer) in answers.iter().enumerate() {
        let expected = first + chrono::Days::new(n as u64 % 1000 + 1);
        assert_eq!(answer["due"], expected.to_string());
    }
}

#[test]
fn arguments_are_answered_in_russian_with_the_reasons() {
    let text = ask(&["--from", "2026-03-18", "--term", "3 wd", "--region", "RU-TA"]).unwrap();
    assert!(text.starts_with("Срок: 24.03.2026 (вт), до 24:00"), "{text}");
    assert!(text.contains("20.03.2026 (пт): Ураза-байрам (Республика Татарстан)"), "{text}");
    let text = ask(&["--from", "10.12.2025", "--term", "30 cd", "--roll", "previous"]).unwrap();
    assert!(text.starts_with("Срок: 30.12.2025 (вт)"), "{text}");
    let text = ask(&["--from", "2026-03-13", "--term", "1 wd", "--week", "six"]).unwrap();
    assert!(text.starts_with("Срок: 14.03.2026 (сб)") && text.contains("шестидневная"), "{text}");
}

#[test]
fn wrong_arguments_say_what_to_write() {
    let wrong: [(&[&str], &str); 6] = [
        (&["--from", "2026-03-18"], "--term"),
        (&["--from", "18 марта", "--term", "3 wd"], "2025-12-26"),
        (&["--from", "2026-03-18", "--term", "soon"], "`5 wd`"),
        (&["--from", "2026-03-18", "--term", "3 wd", "--roll", "up"], "`next`"),
        (&["--from", "2026-03-18", "--term", "3 wd", "--region", "TA"], "`RU-TA`"),
        (&["--from", "2031-03-18", "--term", "3 wd"], "2023 to 2028"),
    ];
    for (arguments, remedy) in wrong {
        let error = format!("{:#}", ask(arguments).unwrap_err());
        assert!(error.contains(remedy), "{arguments:?}: {error}");
    }
}
