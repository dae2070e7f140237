//! Random messages that the schemas allow, made from the plans themselves.
//!
//! Promises: every optional field, list length and corner of a text comes up: astral characters, `]]>`, quotes, line
//! ends of all kinds, white space alone. Never: a message that its plan refuses.

use crate::tree::Tree;
use chrono::NaiveDate;
use mezhved::catalogue::plan::{Alphabet, IntegerPlan, ListPlan, Plan, RecordPlan, Shape, TextPlan};
use mezhved::catalogue::{Catalogue, Entry, pattern};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;

/// A message of one type: the envelope's fields in order, then `body`.
pub fn message(entry: &Entry) -> BoxedStrategy<Tree> {
    let (code, version) = (entry.code.to_string(), entry.version.to_string());
    let parts = (record(Catalogue::builtin().envelope()), record(&entry.body));
    parts
        .prop_map(move |(envelope, body)| {
            let Tree::Record(mut fields) = envelope else { unreachable!() };
            for (name, value) in &mut fields {
                match name.as_str() {
                    "type" => *value = Tree::Text(code.clone()),
                    "version" => *value = Tree::Literal(version.clone()),
                    _ => {}
                }
            }
            fields.push(("body".into(), body));
            Tree::Record(fields)
        })
        .boxed()
}

/// `count` messages of a type, always the same ones.
pub fn samples(entry: &Entry, count: usize) -> Vec<Tree> {
    let mut runner = TestRunner::deterministic();
    let strategy = message(entry);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn value(plan: &Plan) -> BoxedStrategy<Tree> {
    match plan {
        Plan::Record(plan) => record(plan),
        Plan::List(plan) => list(plan),
        Plan::Text(plan) => text(plan).prop_map(Tree::Text).boxed(),
        Plan::Integer(plan) => integer(plan),
        Plan::Boolean => any::<bool>().prop_map(|value| Tree::Literal(value.to_string())).boxed(),
    }
}

fn record(plan: &RecordPlan) -> BoxedStrategy<Tree> {
    let fields = plan.fields.iter().enumerate().map(|(place, field)| {
        let name = field.name.to_string();
        let value = value(&field.plan).prop_map(move |value| (name.clone(), value));
        if plan.is_required(place) { value.prop_map(Some).boxed() } else { prop::option::of(value).boxed() }
    });
    let fields: Vec<BoxedStrategy<Option<(String, Tree)>>> = fields.collect();
    fields.prop_map(|fields| Tree::Record(fields.into_iter().flatten().collect())).boxed()
}

fn list(plan: &ListPlan) -> BoxedStrategy<Tree> {
    let unique = plan.unique;
    let most = plan.items_max.min(plan.items_min + 3);
    let items = prop::collection::vec(value(&plan.item), plan.items_min..=most);
    items
        .prop_map(move |mut items| {
            if unique {
                let mut seen: Vec<Tree> = Vec::new();
                items.retain(|item| {
                    !seen.contains(item) && {
                        seen.push(item.clone());
                        true
                    }
                });
            }
            Tree::List(items)
        })
        .boxed()
}

fn integer(plan: &IntegerPlan) -> BoxedStrategy<Tree> {
    let (min, max) = (plan.min, plan.max);
    prop_oneof![Just(min), Just(max), min..=max].prop_map(|value| Tree::Literal(value.to_string())).boxed()
}

fn text(plan: &TextPlan) -> BoxedStrategy<String> {
    let strategy = match &plan.shape {
        Shape::OneOf(words) => return select(words.iter().map(|word| word.to_string()).collect::<Vec<_>>()).boxed(),
        Shape::Date => return date().boxed(),
        Shape::DateTime => return date_time().boxed(),
        Shape::Uuid => return uuid_text().boxed(),
        Shape::Pattern(regex) => string_regex(pattern::inner(regex.as_str()).unwrap()).unwrap().boxed(),
        Shape::Free => free(plan),
    };
    let plan = plan.clone();
    strategy.prop_filter("outside the plan", move |text| broken(&plan, text) == 0).boxed()
}

/// How many rules the text breaks.
fn broken(plan: &TextPlan, text: &str) -> usize {
    let mut count = 0;
    plan.check(text, None, |_| count += 1);
    count
}

fn date() -> impl Strategy<Value = String> {
    let dates = (1900..=2099, 1..=12_u32, 1..=31_u32);
    dates.prop_filter_map("no such day", |(year, month, day)| {
        NaiveDate::from_ymd_opt(year, month, day).map(|date| date.to_string())
    })
}

fn date_time() -> impl Strategy<Value = String> {
    (
        date(),
        string_regex("([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+\\-](0[0-9]|1[0-3]):[0-5][0-9])")
            .unwrap(),
    )
        .prop_map(|(date, time)| format!("{date}T{time}"))
}

fn uuid_text() -> impl Strategy<Value = String> {
    string_regex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap()
}

/// Pieces that formats, shells and spreadsheets trip over.
const PIECES: &[&str] = &[
    "<",
    ">",
    "&",
    "\"",
    "'",
    "]]>",
    "]]",
    "&amp;",
    "&#13;",
    "<!--",
    "<![CDATA[",
    "\\",
    "/",
    "\\u0000",
    "{",
    "}",
    "[",
    ",",
    ":",
    "null",
    "=1+1",
    " ",
    "  ",
    "\u{A0}",
    "«Ёлка»",
    "№ 5",
    "—",
    "\u{301}",
    "\u{200D}",
    "\u{202E}",
    "\u{2028}",
    "\u{FEFF}",
    "\u{FFFD}",
    "\u{E000}",
    "\u{10FFFF}",
    "👨‍👩‍👧",
    "𝔄",
    "ﷺ",
    "\u{1FFFE}",
    "Ива́нова",
];

/// Pieces that only texts of several lines may hold.
const LINE_PIECES: &[&str] = &["\n", "\r", "\r\n", "\n\r", "\t", "\u{7F}", "\u{80}", "\u{85}", "\u{9F}"];

fn free(plan: &TextPlan) -> BoxedStrategy<String> {
    let mut pieces: Vec<String> = PIECES.iter().map(|piece| (*piece).to_owned()).collect();
    if plan.alphabet == Alphabet::Lines {
        pieces.extend(LINE_PIECES.iter().map(|piece| (*piece).to_owned()));
    }
    let piece = prop_oneof![3 => select(pieces), 3 => "[А-Яа-яЁё]{1,8}", 1 => "[ -~]{1,8}", 1 => any::<char>().prop_map(String::from)];
    let (min, max) = (plan.chars_min, plan.chars_max);
    let cut = move |pieces: Vec<String>| pieces.concat().chars().take(max).collect::<String>();
    let short = prop::collection::vec(piece.clone(), min..=(min + 8).min(max)).prop_map(cut);
    // Exactly as long as it may be, where that is not too long for a test.
    let full = piece.prop_map(move |piece: String| piece.chars().cycle().take(max.min(3000)).collect::<String>());
    prop_oneof![12 => short, 1 => full].boxed()
}
