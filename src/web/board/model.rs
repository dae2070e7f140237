//! The board as data: the first line, the buckets, the lines of the table.
//!
//! Promises: what is most late comes first; the counts of the buckets are those of the lines behind them.
//! Never: more than a page of lines.

use crate::domain::participant::BodyKind;
use crate::domain::zone::Zone;
use crate::gateway::views::{BoardSummary, ObligationView};
use crate::web::board::row::Row;
use crate::web::dates::{date_with_weekday, time};
use crate::web::limits::BOARD_ROWS_MAX;
use crate::web::words::{Lang, Words};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What stands in the address of the board.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BoardQuery {
    pub side: Side,
    pub bucket: Bucket,
    /// Lines to pass over.
    pub from: usize,
    /// Something was just done.
    pub done: Option<u8>,
}

/// The two lists: «Нам должны» and «Мы должны».
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    #[default]
    ToUs,
    ByUs,
}

impl Side {
    /// As in the address.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::ToUs => "to_us",
            Self::ByUs => "by_us",
        }
    }

    /// We are the social centres; whatever another body owes stands on the first list.
    pub(super) fn holds(self, view: &ObligationView) -> bool {
        let ours = view.performer.kind == Some(BodyKind::SocialCentre);
        ours == (self == Self::ByUs)
    }
}

/// A part of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bucket {
    #[default]
    All,
    Overdue,
    Today,
    Soon,
    Week,
    Later,
    Prepared,
    Answered,
}

impl Bucket {
    /// In the order of the page.
    pub(super) const EACH: [Self; 8] = [
        Self::All,
        Self::Overdue,
        Self::Today,
        Self::Soon,
        Self::Week,
        Self::Later,
        Self::Prepared,
        Self::Answered,
    ];

    /// As in the address.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Overdue => "overdue",
            Self::Today => "today",
            Self::Soon => "soon",
            Self::Week => "week",
            Self::Later => "later",
            Self::Prepared => "prepared",
            Self::Answered => "answered",
        }
    }

    fn name(self, words: &Words) -> &'static str {
        match self {
            Self::All => words.all,
            Self::Overdue => words.overdue,
            Self::Today => words.today,
            Self::Soon => words.soon,
            Self::Week => words.week,
            Self::Later => words.later,
            Self::Prepared => words.prepared,
            Self::Answered => words.answered,
        }
    }

    /// Whether the obligation stands in this part.
    pub(super) fn holds(self, view: &ObligationView, ends: Ends) -> bool {
        let due_at = view.due_at;
        let open = view.state == "running";
        match self {
            Self::All => open,
            Self::Overdue => open && due_at < ends.now,
            Self::Today => open && (ends.now..=ends.today).contains(&due_at),
            Self::Soon => open && due_at > ends.today && due_at <= ends.soon,
            Self::Week => open && due_at > ends.soon && due_at <= ends.week,
            Self::Later => open && due_at > ends.soon.max(ends.week),
            Self::Prepared => view.rungs.iter().any(|rung| rung.state == "prepared"),
            Self::Answered => view.state == "answered",
        }
    }
}

/// The instants between the buckets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub now: DateTime<Utc>,
    pub today: DateTime<Utc>,
    pub soon: DateTime<Utc>,
    pub week: DateTime<Utc>,
}

/// A link of the left column.
pub(super) struct BucketLink {
    pub code: &'static str,
    pub name: &'static str,
    pub count: usize,
    pub chosen: bool,
}

/// The whole board.
pub(super) struct Board {
    pub first_line: Vec<String>,
    pub checked: String,
    pub sweep_stale: bool,
    pub side: &'static str,
    pub bucket: &'static str,
    pub to_us: usize,
    pub by_us: usize,
    pub links: Vec<BucketLink>,
    pub rows: Vec<Row>,
    /// Said when nothing is overdue, so that calm is not mistaken for a broken feed.
    pub calm: Option<String>,
    pub from: usize,
    pub next: Option<usize>,
    pub done: bool,
}

/// What a board is made of.
pub(super) struct Material {
    pub summary: BoardSummary,
    pub views: Vec<ObligationView>,
    pub ends: Ends,
    pub zone: Zone,
    pub lang: Lang,
}

impl Board {
    /// The board for that address.
    pub(super) fn new(material: &Material, query: &BoardQuery) -> Self {
        let Material { summary, views, ends, zone, lang } = material;
        let words = lang.words();
        let side: Vec<&ObligationView> = views.iter().filter(|view| query.side.holds(view)).collect();
        let open_on = |side: Side| views.iter().filter(|view| side.holds(view) && Bucket::All.holds(view, *ends)).count();
        let links = Bucket::EACH.map(|bucket| BucketLink {
            code: bucket.code(),
            name: bucket.name(words),
            count: side.iter().filter(|view| bucket.holds(view, *ends)).count(),
            chosen: bucket == query.bucket,
        });
        let chosen: Vec<&ObligationView> = side.into_iter().filter(|view| query.bucket.holds(view, *ends)).collect();
        let today = zone.date(ends.now);
        let rows: Vec<Row> = chosen
            .iter()
            .skip(query.from)
            .take(BOARD_ROWS_MAX)
            .map(|view| Row::new(view, *lang, *zone).taking_from(today))
            .collect();
        let shown = query.from + rows.len();
        Self {
            first_line: first_line(summary, *lang),
            checked: format!("{} {}", words.checked, time(summary.at, *zone)),
            sweep_stale: summary.sweep_age_ms.is_none_or(|age| age > SWEEP_STALE_MS),
            side: query.side.code(),
            bucket: query.bucket.code(),
            to_us: open_on(Side::ToUs),
            by_us: open_on(Side::ByUs),
            links: links.into(),
            rows,
            calm: (summary.overdue == 0).then(|| calm(summary, *lang, *zone)),
            from: query.from,
            next: (shown < chosen.len()).then_some(shown),
            done: query.done.is_some(),
        }
    }
}

/// A sweep older than this makes the board say so.
const SWEEP_STALE_MS: u64 = 120_000;

/// «Просрочено 7 (у 3 органов) · сегодня срок у 4 · молчат 2 органа».
fn first_line(summary: &BoardSummary, lang: Lang) -> Vec<String> {
    let mut parts = vec![lang.overdue_words(summary.overdue, summary.overdue_bodies)];
    if summary.today > 0 {
        parts.push(format!("{} {}", lang.words().due_today_at, summary.today));
    }
    if summary.silent_bodies > 0 {
        parts.push(lang.silent_words(summary.silent_bodies));
    }
    parts
}

/// «просрочек нет, ближайший срок 21.11.2026 (сб), проверено 09:41:07».
fn calm(summary: &BoardSummary, lang: Lang, zone: Zone) -> String {
    let words = lang.words();
    let checked = format!("{} {}", words.checked, time(summary.at, zone));
    match summary.next_due_at {
        // A day ends at its 24:00, which is the first moment of the next.
        Some(next) => {
            let last_day = zone.date(next - chrono::Duration::microseconds(1));
            let due = date_with_weekday(last_day, lang);
            format!("{}, {} {due}, {checked}", words.nothing_overdue, words.next_due)
        }
        None => format!("{}, {}, {checked}", words.nothing_overdue, words.no_open),
    }
}
