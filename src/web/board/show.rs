//! The board's page, and the part of it that is fetched anew when something has changed.
//!
//! Promises: the part and the page are made by the same code, from the state at the last event. Never: more than a bounded
//! number of records.

use crate::domain::obligation::State as ObligationState;
use crate::gateway::Gateway;
use crate::gateway::act::Actor;
use crate::gateway::ports::reads::DutyFilter;
use crate::web::WebState;
use crate::web::board::model::{Board, BoardQuery, Material};
use crate::web::caller;
use crate::web::limits::{BOARD_AGE_MAX, BOARD_LOOKS_THROUGH_MAX, PAGE_ROWS_MAX};
use crate::web::page::{self, Frame, Visitor};
use crate::web::params::InQuery;
use crate::web::problem::Problem;
use crate::web::text::filters;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use std::sync::Arc;

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
    let b = drawn(&state, &visitor, &query).await?;
    page::render(&BoardPage { f: visitor.frame("board"), here: query.here(), b })
}

/// `GET /board/fragment`
pub(super) async fn fragment(
    visitor: Visitor,
    State(state): State<WebState>,
    InQuery(query): InQuery<BoardQuery>,
) -> Result<Response, Problem> {
    let query = BoardQuery { done: None, ..query };
    let b = drawn(&state, &visitor, &query).await?;
    page::render(&Fragment { f: visitor.frame("board"), here: query.here(), b })
}

async fn drawn(state: &WebState, visitor: &Visitor, query: &BoardQuery) -> Result<Board, Problem> {
    let material = material(state, &caller::actor(&visitor.session)).await?;
    Ok(Board::new(&material, (page::zone(state)?, visitor.lang), query))
}

/// What was gathered last, and of which moment.
pub(in crate::web) struct Gathered {
    of: Moment,
    material: Arc<Material>,
}

/// Where the gateway stands: its last event, its last sweep, its clock.
struct Moment {
    last_event: u64,
    swept_at: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
}

impl Moment {
    async fn now(gateway: &Gateway) -> Result<Self, Problem> {
        let last_event = gateway.last_event().await?;
        Ok(Self { last_event, swept_at: gateway.swept_at(), at: gateway.now() })
    }

    /// Whether what was gathered then is good enough for who asked at another moment.
    fn serves(&self, asked: &Self) -> bool {
        self.last_event >= asked.last_event
            && self.swept_at >= asked.swept_at
            && (asked.at - self.at).abs() < BOARD_AGE_MAX
    }
}

/// What the board shows, gathered once for all who look at the same state: a change is told to every open board at once,
/// and each asks. Every person of the house sees the same.
async fn material(state: &WebState, actor: &Actor) -> Result<Arc<Material>, Problem> {
    // Whoever waits for another to gather is served by that: it saw the event for which this one came, and later ones.
    let asked = Moment::now(state.gateway()).await?;
    let mut kept = state.board().lock().await;
    if let Some(found) = kept.as_ref().filter(|found| found.of.serves(&asked)) {
        return Ok(Arc::clone(&found.material));
    }
    let of = Moment::now(state.gateway()).await?;
    let material = Arc::new(gather(state, actor).await?);
    *kept = Some(Gathered { of, material: Arc::clone(&material) });
    Ok(material)
}

/// All that is open, the most late first, as far as the board looks through it; and what was answered.
async fn gather(state: &WebState, actor: &Actor) -> Result<Material, Problem> {
    let answered = DutyFilter { state: Some(ObligationState::Answered), limit: PAGE_ROWS_MAX, ..DutyFilter::default() };
    let gateway = state.gateway();
    let (mut views, answered, summary) = tokio::try_join!(
        gateway.most_urgent(BOARD_LOOKS_THROUGH_MAX, actor),
        gateway.obligations(answered, actor),
        gateway.summary()
    )?;
    let partial = views.len() >= BOARD_LOOKS_THROUGH_MAX;
    views.extend(answered);
    Ok(Material { summary, views, partial })
}
