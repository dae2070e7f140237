//! The board's page, and the part of it that is fetched anew when something has changed.
//!
//! Promises: the part and the page are made by the same code. Never: more than a bounded number of records.

use crate::domain::obligation::State as ObligationState;
use crate::gateway::act::Actor;
use crate::gateway::ports::reads::DutyFilter;
use crate::gateway::views::ObligationView;
use crate::web::WebState;
use crate::web::board::model::{Board, BoardQuery, Material};
use crate::web::caller;
use crate::web::limits::{BOARD_LOOKS_THROUGH_MAX, PAGE_ROWS_MAX};
use crate::web::page::{self, Frame, Visitor};
use crate::web::params::InQuery;
use crate::web::problem::Problem;
use crate::web::text::filters;
use askama::Template;
use axum::extract::State;
use axum::response::Response;

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    f: Frame,
    /// Where forms lead back to.
    here: String,
    b: Board,
}

#[derive(Template)]
#[template(path = "fragment.html")]
struct Fragment {
    f: Frame,
    /// Where forms lead back to.
    here: String,
    b: Board,
}

/// `GET /`
pub(super) async fn board(
    visitor: Visitor,
    State(state): State<WebState>,
    InQuery(query): InQuery<BoardQuery>,
) -> Result<Response, Problem> {
    let material = gather(&state, &visitor).await?;
    page::render(&BoardPage { f: visitor.frame("board"), here: query.here(), b: Board::new(&material, &query) })
}

/// `GET /board/fragment`
pub(super) async fn fragment(
    visitor: Visitor,
    State(state): State<WebState>,
    InQuery(query): InQuery<BoardQuery>,
) -> Result<Response, Problem> {
    let material = gather(&state, &visitor).await?;
    let query = BoardQuery { done: None, ..query };
    page::render(&Fragment { f: visitor.frame("board"), here: query.here(), b: Board::new(&material, &query) })
}

async fn gather(state: &WebState, visitor: &Visitor) -> Result<Material, Problem> {
    let actor = caller::actor(&visitor.session);
    let (mut views, partial) = open_ones(state, &actor).await?;
    let answered = DutyFilter { state: Some(ObligationState::Answered), limit: PAGE_ROWS_MAX, ..DutyFilter::default() };
    views.extend(state.gateway().obligations(answered, &actor).await?);
    let summary = state.gateway().summary().await?;
    Ok(Material { summary, views, partial, zone: page::zone(state)?, lang: visitor.lang })
}

/// All that is open, the most late first, and whether there is more than that.
async fn open_ones(state: &WebState, actor: &Actor) -> Result<(Vec<ObligationView>, bool), Problem> {
    let mut filter = DutyFilter { open_only: true, limit: PAGE_ROWS_MAX, ..DutyFilter::default() };
    let mut views: Vec<ObligationView> = Vec::new();
    while views.len() < BOARD_LOOKS_THROUGH_MAX {
        let page = state.gateway().obligations(filter.clone(), actor).await?;
        filter.after = page.last().map(|last| (last.due_at, last.id));
        let is_last = page.len() < PAGE_ROWS_MAX;
        views.extend(page);
        if is_last {
            return Ok((views, false));
        }
    }
    Ok((views, true))
}
