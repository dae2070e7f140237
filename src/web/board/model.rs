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
use chrono::{DateTime, Duration, Utc};
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

impl BoardQuery {
    /// The address of the same part of the board.
    pub(super) fn here(&self) -> String {
        format!("/?side={}&bucket={}&from={}", self.side.code(), self.bucket.code(), self.from)
    }
}

/// The two lists, «Нам должны» and «Мы должны», and what other bodies owe one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    #[default]
    ToUs,
    ByUs,
    Others,
}

impl Side {
    /// As in the address.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::ToUs => "to_us",
            Self::ByUs => "by_us",
            Self::Others => "others",
        }
    }

    /// The list on which an obligation stands. We are the social centres.
    pub(super) fn of(view: &ObligationView) -> Self {
        let ours = Some(BodyKind::SocialCentre);
        match (view.performer.kind == ours, view.controller.kind == ours) {
            (true, _) => Self::ByUs,
            (false, true) => Self::ToUs,
            (false, false) => Self::Others,
        }
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
    pub(super) const EACH: [Self; 8] =
        [Self::All, Self::Overdue, Self::Today, Self::Soon, Self::Week, Self::Later, Self::Prepared, Self::Answered];

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
        match self {
            Self::Prepared => view.rungs.iter().any(|rung| rung.state == "prepared"),
            Self::Answered => view.state == "answered",
            Self::All => matches!(view.state, "running" | "suspended"),
            // Whose clock stands is not due before it runs again.
            Self::Later if view.state == "suspended" => true,
            _ => view.state == "running" && self == Self::by_due(view, ends),
        }
    }

    /// The one part of the open ones that a due date belongs to.
    fn by_due(view: &ObligationView, ends: Ends) -> Self {
        match view.left_working_days {
            _ if view.overdue => Self::Overdue,
            _ if view.due_at <= ends.today => Self::Today,
            Some(0..=3) => Self::Soon,
            _ if view.due_at <= ends.week => Self::Week,
            _ => Self::Later,
        }
    }
}

/// The instants between the buckets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// The end of today.
    pub today: DateTime<Utc>,
    /// The end of the seventh day from today.
    pub week: DateTime<Utc>,
}

impl Ends {
    /// The ends as seen from an instant in a zone.
    pub(super) fn at(now: DateTime<Utc>, zone: Zone) -> Self {
        let today = zone.date(now);
        Self { today: zone.end_of(today), week: zone.end_of(today + Duration::days(7)) }
    }
}

/// A tab, or a link of the left column.
pub(super) struct Link {
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
    /// The published calendar ends soon, or has ended.
    pub calendar_ends: Option<String>,
    pub partial: bool,
    pub side: &'static str,
    pub bucket: &'static str,
    pub tabs: Vec<Link>,
    pub links: Vec<Link>,
    pub rows: Vec<Row>,
    /// Said when nothing is overdue, so that calm is not mistaken for a broken feed.
    pub calm: Option<String>,
    pub from: usize,
    pub next: Option<usize>,
    pub done: bool,
}

/// What a board is made of, the same for everybody who looks.
pub(in crate::web) struct Material {
    pub summary: BoardSummary,
    pub views: Vec<ObligationView>,
    /// More is open than was looked through.
    pub partial: bool,
}

impl Board {
    /// The board for that address, in the zone and the language of who reads it.
    pub(super) fn new(material: &Material, (zone, lang): (Zone, Lang), query: &BoardQuery) -> Self {
        let Material { summary, views, partial } = material;
        let ends = Ends::at(summary.at, zone);
        let side: Vec<&ObligationView> = views.iter().filter(|view| Side::of(view) == query.side).collect();
        let chosen: Vec<&ObligationView> = side.iter().copied().filter(|view| query.bucket.holds(view, ends)).collect();
        let today = zone.date(summary.at);
        let row = |view: &&ObligationView| Row::new(view, lang, zone).taking_from(today);
        let rows: Vec<Row> = chosen.iter().skip(query.from).take(BOARD_ROWS_MAX).map(row).collect();
        let shown = query.from + rows.len();
        Self {
            first_line: first_line(summary, lang),
            checked: format!("{} {}", lang.words().checked, time(summary.at, zone)),
            sweep_stale: summary.sweep_stale,
            calendar_ends: summary.calendar_ends_soon.then(|| lang.calendar_ends(summary.calendar_days_left)),
            partial: *partial,
            side: query.side.code(),
            bucket: query.bucket.code(),
            tabs: tabs(views, (query, ends), lang.words()),
            links: links(&side, (query, ends), lang.words()),
            rows,
            calm: (summary.overdue == 0).then(|| calm(summary, lang, zone)),
            from: query.from,
            next: (shown < chosen.len()).then_some(shown),
            done: query.done.is_some(),
        }
    }
}

/// The lists; the third only where there is something on it.
fn tabs(views: &[ObligationView], (query, ends): (&BoardQuery, Ends), words: &Words) -> Vec<Link> {
    let names = [(Side::ToUs, words.owed_to_us), (Side::ByUs, words.owed_by_us), (Side::Others, words.owed_others)];
    let link = |(side, name): (Side, &'static str)| {
        let open = views.iter().filter(|view| Side::of(view) == side && Bucket::All.holds(view, ends));
        Link { code: side.code(), name, count: open.count(), chosen: side == query.side }
    };
    let is_shown = |link: &Link| link.count > 0 || link.chosen || link.code != Side::Others.code();
    names.into_iter().map(link).filter(is_shown).collect()
}

/// The parts of the chosen list.
fn links(side: &[&ObligationView], (query, ends): (&BoardQuery, Ends), words: &Words) -> Vec<Link> {
    let link = |bucket: Bucket| Link {
        code: bucket.code(),
        name: bucket.name(words),
        count: side.iter().filter(|view| bucket.holds(view, ends)).count(),
        chosen: bucket == query.bucket,
    };
    Bucket::EACH.map(link).into()
}

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
