//! The cases as the people of the centre see them: the list, one case, the log of its disclosures. In Russian.
//!
//! Promises: that somebody looked is written down first. Never: a name of the family.

use crate::domain::case::Stage;
use crate::domain::case::consent::{Consent, ConsentKind};
use crate::domain::case::history::{LevelSpell, Standing};
use crate::domain::ids::ParticipantCode;
use crate::domain::message::{Level, Track};
use crate::domain::zone::Zone;
use crate::gateway::cases::views::{CaseLine, CaseView, ConsentView, DisclosureLine};
use crate::gateway::ports::cases::CaseFilter;
use crate::web::WebState;
use crate::web::api::{case_cursor, case_standing};
use crate::web::board::case_file;
use crate::web::caller;
use crate::web::dates::{minute, short_date};
use crate::web::limits::PAGE_ROWS;
use crate::web::page::{self, Frame, Visitor, encoded};
use crate::web::params::{InPath, InQuery, participant};
use crate::web::problem::Problem;
use crate::web::text::filters;
use crate::web::words::cases as words;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use serde::Deserialize;

/// Lines of the log that the page shows.
const LINES: usize = 200;

/// A case of the list.
struct Row {
    link: String,
    number: String,
    standing: &'static str,
    track: &'static str,
    level: &'static str,
    stage: &'static str,
    opened: String,
    closed: String,
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage {
    f: Frame,
    rows: Vec<Row>,
    standings: [(&'static str, &'static str, bool); 3],
    next: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CasesQuery {
    standing: Option<String>,
    after: Option<String>,
    /// Goes to the case of that number.
    number: Option<String>,
}

/// Where the page of a case is.
pub(super) fn address(centre: &ParticipantCode, number: &str) -> String {
    format!("/board/cases/{}?centre={centre}", encoded(number).replace('/', "%2F"))
}

/// `GET /board/cases`
pub(super) async fn list(
    visitor: Visitor,
    State(state): State<WebState>,
    InQuery(query): InQuery<CasesQuery>,
) -> Result<Response, Problem> {
    if let Some(number) = query.number.as_deref().map(str::trim).filter(|number| !number.is_empty()) {
        return Ok(page::see_other(&format!("/board/cases/{}", encoded(number).replace('/', "%2F"))));
    }
    let stated = query.standing.as_deref().filter(|code| !code.is_empty());
    let standing = stated.map(case_standing).transpose()?;
    let after = query.after.as_deref().map(case_cursor).transpose()?;
    let filter = CaseFilter { centres: Vec::new(), standing, after, limit: PAGE_ROWS };
    let cases = state.gateway().cases(filter, &caller::actor(&visitor.session)).await?;
    let last = cases.last().filter(|_| cases.len() >= PAGE_ROWS);
    let next = last.map(|last| {
        let after = encoded(&format!("{}:{}", last.centre, last.number));
        format!("/board/cases?standing={}&after={after}", stated.unwrap_or_default())
    });
    let choice = |one: Standing| (one.code(), words::standing(one), Some(one) == standing);
    page::render(&CasesPage {
        rows: cases.iter().map(row).collect(),
        standings: [Standing::Open, Standing::Named, Standing::Closed].map(choice),
        next,
        f: visitor.frame("cases"),
    })
}

fn row(line: &CaseLine) -> Row {
    let stage = |code: &str| Stage::ALL.into_iter().find(|one| one.code() == code);
    Row {
        link: address(&line.centre, &line.number),
        number: line.number.clone(),
        standing: case_standing(&line.standing).map_or("—", words::standing),
        track: line.track.as_deref().and_then(Track::from_code).map_or("—", words::track),
        level: line.level.as_deref().and_then(Level::from_code).map_or("—", words::level),
        stage: line.stage.as_deref().and_then(stage).map_or("—", words::stage),
        opened: day(line.opened_on),
        closed: day(line.closed_on),
    }
}

fn day(on: Option<NaiveDate>) -> String {
    on.map_or_else(|| "—".to_owned(), short_date)
}

/// A consent of the page.
struct ConsentRow {
    no: u32,
    kind: &'static str,
    reference: String,
    bodies: String,
    data: String,
    term: String,
    state: &'static str,
    may_withdraw: bool,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    f: Frame,
    case: CaseView,
    here: String,
    log: String,
    file: String,
    standing: &'static str,
    reason: Option<String>,
    opened: String,
    closed: String,
    track: &'static str,
    level: &'static str,
    stage: &'static str,
    /// «Уровень сопровождения | Дата постановки | Дата перевода | Дата снятия» (S3), and who decided.
    levels: Vec<[String; 5]>,
    stages: Vec<[String; 3]>,
    parts: Vec<[String; 5]>,
    consents: Vec<ConsentRow>,
    history: Vec<[String; 3]>,
    done: bool,
}

impl CasePage {
    fn tracks(&self) -> [(&'static str, &'static str); 2] {
        [Track::DifficultSituation, Track::DangerousPosition].map(|one| (one.code(), words::track(one)))
    }

    fn level_choices(&self) -> [(&'static str, &'static str); 4] {
        [Level::Adaptation, Level::Basic, Level::Crisis, Level::Emergency].map(|one| (one.code(), words::level(one)))
    }

    fn stage_choices(&self) -> [(&'static str, &'static str); 9] {
        Stage::ALL.map(|one| (one.code(), words::stage(one)))
    }

    fn kind_choices(&self) -> [(&'static str, &'static str); 3] {
        [ConsentKind::Processing, ConsentKind::MedicalSecrecy, ConsentKind::Dissemination]
            .map(|one| (one.code(), words::consent_kind(one)))
    }

    fn data_choices(&self) -> Vec<(&'static str, &'static str)> {
        words::DATA.iter().map(|(_, name, word)| (*name, *word)).collect()
    }

    fn is_closed(&self) -> bool {
        self.case.standing == Standing::Closed
    }

    fn is_open(&self) -> bool {
        self.case.standing == Standing::Open
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CaseQuery {
    pub centre: Option<String>,
    done: Option<u8>,
    before: Option<u64>,
}

/// `GET /board/cases/{number}`
pub(super) async fn show(
    visitor: Visitor,
    State(state): State<WebState>,
    InPath(number): InPath<String>,
    InQuery(query): InQuery<CaseQuery>,
) -> Result<Response, Problem> {
    let centre = query.centre.as_deref().map(participant).transpose()?;
    let case = state.gateway().case(centre.as_ref(), &number, &caller::actor(&visitor.session)).await?;
    let title = |code: &ParticipantCode| state.gateway().party(code).title;
    page::render(&CasePage {
        here: address(&case.centre, &case.number),
        log: address(&case.centre, &case.number).replace("?centre=", "/disclosures?centre="),
        file: case_file::address(&case.number),
        standing: words::standing(case.standing),
        reason: case.reason.as_deref().map(|code| words::reason(code).to_owned()),
        opened: day(case.opened_on),
        closed: day(case.closed_on),
        track: case.track.map_or("не определён", words::track),
        level: case.level.map_or("не определён", words::level),
        stage: case.stage.map_or("не определён", words::stage),
        levels: case.levels.iter().map(level_row).collect(),
        stages: case
            .stages
            .iter()
            .map(|one| [words::stage(one.stage).to_owned(), short_date(one.on), words::by(&one.by)])
            .collect(),
        parts: case
            .participants
            .iter()
            .map(|one| {
                let letters = format!("{} / {}", one.incoming, one.outgoing);
                let until = one.until.or(one.last_on);
                [title(&one.body), words::role(one.role).to_owned(), short_date(one.from), day(until), letters]
            })
            .collect(),
        consents: case.consents.iter().map(|one| consent_row(one, title)).collect(),
        history: case
            .history
            .iter()
            .map(|fact| [short_date(fact.on), words::what(&fact.what), words::by(&fact.by)])
            .collect(),
        done: query.done.is_some(),
        f: visitor.frame("cases"),
        case,
    })
}

fn level_row(spell: &LevelSpell) -> [String; 5] {
    let LevelSpell { level, placed_on, moved_on, removed_on, by } = spell;
    [words::level(*level).to_owned(), short_date(*placed_on), day(*moved_on), day(*removed_on), words::by(by)]
}

fn consent_row(ConsentView { consent, state }: &ConsentView, title: impl Fn(&ParticipantCode) -> String) -> ConsentRow {
    let Consent { no, kind, reference, bodies, data, from, until, withdrawn, .. } = consent;
    let bodies: Vec<String> = bodies.iter().map(title).collect();
    let data: Vec<&str> = data.iter().map(|one| words::data(*one)).collect();
    let all = |list: String, all: &str| if list.is_empty() { all.to_owned() } else { list };
    let until = until.map_or_else(|| "до отзыва".to_owned(), |on| format!("по {}", short_date(on)));
    let ended = withdrawn.as_ref().map(|one| format!(", отозвано {}", short_date(one.on))).unwrap_or_default();
    ConsentRow {
        no: *no,
        kind: words::consent_kind(*kind),
        reference: reference.clone(),
        bodies: all(bodies.join(", "), "все субъекты профилактики"),
        data: all(data.join(", "), "все нужные для сопровождения"),
        term: format!("с {} {until}{ended}", short_date(*from)),
        state: words::consent_state(state),
        may_withdraw: withdrawn.is_none(),
    }
}

#[derive(Template)]
#[template(path = "disclosures.html")]
struct DisclosuresPage {
    f: Frame,
    number: String,
    case: String,
    /// The same log for programs and spreadsheets.
    data: String,
    rows: Vec<[String; 6]>,
    next: Option<String>,
}

/// `GET /board/cases/{number}/disclosures`
pub(super) async fn disclosures(
    visitor: Visitor,
    State(state): State<WebState>,
    InPath(number): InPath<String>,
    InQuery(query): InQuery<CaseQuery>,
) -> Result<Response, Problem> {
    let zone = page::zone(&state)?;
    let centre = query.centre.as_deref().map(participant).transpose()?;
    let of = (centre.as_ref(), number.as_str());
    let lines = state.gateway().disclosures(of, (query.before, LINES), &caller::actor(&visitor.session)).await?;
    let path = encoded(&number).replace('/', "%2F");
    let whose = centre.as_ref().map(|code| format!("centre={code}&")).unwrap_or_default();
    let last = lines.last().filter(|_| lines.len() >= LINES);
    page::render(&DisclosuresPage {
        case: format!("/board/cases/{path}?{whose}").trim_end_matches(['?', '&']).to_owned(),
        data: format!("/api/v1/cases/{path}/disclosures?{whose}"),
        next: last.map(|last| format!("/board/cases/{path}/disclosures?{whose}before={}", last.seq)),
        rows: lines.iter().map(|line| log_row(line, zone)).collect(),
        number,
        f: visitor.frame("cases"),
    })
}

fn log_row(line: &DisclosureLine, zone: Zone) -> [String; 6] {
    let kind = words::disclosure(line.kind).to_owned();
    let what = line.what.clone();
    [minute(line.at, zone), kind, what, line.by.clone(), line.to.clone(), words::ground(&line.ground)]
}
