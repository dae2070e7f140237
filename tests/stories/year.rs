//! `mezhved year`: a small centre's year, as an operator asks for it.

use serde_json::Value;
use std::process::Command;

fn year(more: &[&str]) -> Vec<u8> {
    let out =
        Command::new(env!("CARGO_BIN_EXE_mezhved")).args(["year", "--families", "4"]).args(more).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

#[test]
fn a_year_of_a_centre_accounts_for_every_message_and_comes_out_alike_from_the_same_seed() {
    let report: Value = serde_json::from_slice(&year(&["--json"])).unwrap();
    assert_eq!(report["conservation_gap"], 0);
    assert_eq!(report["bodies"], 60);
    assert_eq!(report["refused"], serde_json::json!({}), "every letter of the year is one that the gateway takes");
    let many = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    assert!(many("/messages") > 60, "{report}");
    assert!(many("/written_by_gateway") > 0 && many("/rungs/0") > 0, "{report}");
    let side = |name: &str| -> u64 {
        ["in_time", "late", "open", "otherwise"].iter().map(|state| many(&format!("/{name}/{state}"))).sum()
    };
    for name in ["owed_to_centre", "owed_by_centre", "owed_among_others"] {
        assert_eq!(side(name), many(&format!("/{name}/opened")), "{name}");
    }
    assert_eq!(report, serde_json::from_slice::<Value>(&year(&["--json"])).unwrap());
    assert_ne!(report, serde_json::from_slice::<Value>(&year(&["--json", "--seed", "2"])).unwrap());
}
