//! The guard on the guard: a gateway with each promise broken in turn, and the check that catches it.
//!
//! Promises: every flaw of `src/flaw.rs` has its check (the compiler holds that); each check passes on the same build
//! without the flaw, so that what it catches is the flaw. Never: takes a check's failure to start for a catch.

use crate::support::broker::Broker;
use crate::support::gateway::breakable;
use mezhved::flaw::Flaw;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Where a check stands: the program it is part of, its name, and, for crashes, the fail points that it takes.
#[derive(Clone, Copy, PartialEq)]
struct Check {
    program: &'static str,
    name: &'static str,
    points: &'static str,
}

/// The present program: the checks that break the whole gateway.
const FAULTS: &str = "faults";
/// What is wrong and does not change for so long will not heal.
const STILL_S: &str = "8";

const fn story(name: &'static str) -> Check {
    Check { program: "stories", name, points: "" }
}

const fn channel(name: &'static str) -> Check {
    Check { program: "channels", name, points: "" }
}

const fn crash(points: &'static str) -> Check {
    let name = "fail_points::a_crash_at_every_named_step_loses_nothing_and_doubles_nothing";
    Check { program: FAULTS, name, points }
}

/// One check that is quick, for each.
fn check_of(flaw: Flaw) -> Check {
    match flaw {
        Flaw::AcknowledgedBeforeCommit => channel("amqp_in::nothing_is_acknowledged_before_it_is_taken"),
        // One crash may strike where nothing is at stake; so many do not.
        Flaw::ReceiptBeforeCommit => crash("before-commit,before-commit,before-commit,before-commit,before-commit"),
        Flaw::OutboxOutsideTransaction => crash("after-commit,after-commit,after-commit,after-commit"),
        Flaw::LeaseNeverEnds => crash("after-claim,after-claim,after-claim"),
        Flaw::NoFsync => Check { program: FAULTS, name: "synced::every_receipt_waits_for_the_disk", points: "" },
        Flaw::SentBeforeConfirmed => {
            channel("amqp_out::a_queue_that_comes_with_the_directory_or_was_deleted_is_declared_when_it_is_needed")
        }
        Flaw::ForeignReturnTaken => channel("amqp_out::returns_belong_to_their_own_letters_when_many_are_under_way"),
        Flaw::NoDeduplication => story("exchange::the_same_message_again_gets_the_original_outcome_and_has_one_effect"),
        Flaw::ConflictSwallowed => story("exchange::the_same_id_with_other_content_is_a_conflict_that_keeps_both"),
        Flaw::DaysOfUtc => story("registers::a_new_year_in_irkutsk_begins_a_new_register"),
        Flaw::RungInMemory => story("escalation::silence_climbs_the_ladder_one_rung_at_a_time_and_an_answer_stops_it"),
        Flaw::AnsweredStillEscalates => story("escalation::nothing_climbs_for_an_obligation_that_was_answered_in_time"),
        Flaw::RungFiresAgain => story("escalation::a_clock_set_back_re_sends_nothing"),
        Flaw::ClockBackBelieved => story("escalation::a_clock_set_back_a_little_leaves_the_recorded_times_in_order"),
        Flaw::SecondAddresseeForgotten | Flaw::WallDown => story("wall::a_participant_sees_only_its_own"),
        Flaw::RegisterNotSaved => story("registers::numbers_have_no_gaps_though_messages_are_refused_and_come_at_once"),
    }
}

#[test]
fn every_flaw_is_caught_by_a_check_that_passes_without_it() {
    let (mut sound, mut table, mut missed) = (Vec::new(), Vec::new(), Vec::new());
    for flaw in Flaw::ALL {
        let check = check_of(flaw);
        // What breaks the whole gateway stands beside this test, and passes in the same run.
        if check.program != FAULTS && !sound.contains(&check) {
            let (passed, said) = run(check, None);
            assert!(passed, "{} fails without any flaw:\n{said}", check.name);
            sound.push(check);
        }
        let (passed, said) = run(check, Some(flaw));
        let is_caught = !passed && is_judgement(check, &said);
        let line =
            format!("{:<28} {:<96} {}", format!("{flaw:?}"), check.name, if is_caught { "caught" } else { "MISSED" });
        println!("{line}");
        table.push(line);
        if !is_caught {
            missed.push(format!("{flaw:?}: {} said:\n{said}", check.name));
        }
    }
    println!("\n{}", table.join("\n"));
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

/// The check was run and found something, rather than not run at all.
fn is_judgement(check: Check, said: &str) -> bool {
    said.contains(&format!("test {} ... FAILED", check.name))
        || said.contains("test result: FAILED. 0 passed; 1 failed")
}

/// Whether it passed, and what it said.
fn run(check: Check, flaw: Option<Flaw>) -> (bool, String) {
    let program = if check.program == FAULTS { std::env::current_exe().unwrap() } else { breakable(check.program) };
    let mut command = Command::new(program);
    command.args(["--exact", check.name, "--nocapture", "--test-threads=1"]).env_remove("MEZHVED_FLAW");
    command.env("MEZHVED_BIN", breakable("mezhved-breakable")).env("MEZHVED_STILL_S", STILL_S);
    command.env("MEZHVED_TEST_BROKER_DIR", Broker::shared().folder()).env("MEZHVED_BREAKABLE", folder());
    if !check.points.is_empty() {
        command.env("MEZHVED_POINTS", check.points);
    }
    if let Some(flaw) = flaw {
        command.env("MEZHVED_FLAW", format!("{flaw:?}"));
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.success(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

fn folder() -> PathBuf {
    breakable("mezhved-breakable").parent().unwrap().to_owned()
}
