//! The letter of a rung on paper: one A4 page set, the draft and what was sent.
//!
//! Promises: the same document from the board and over the API; always in Russian, as the addressee reads it. Never:
//! decides anything.

use crate::domain::ids::ObligationId;
use crate::gateway::paper::Paper;
use crate::web::WebState;
use crate::web::caller;
use crate::web::page::{self, Frame, Visitor};
use crate::web::params::InPath;
use crate::web::problem::Problem;
use crate::web::text::filters;
use crate::web::words::Lang;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "paper.html")]
struct PaperPage {
    f: Frame,
    p: Paper,
}

/// `GET /obligations/{id}/rungs/{no}/letter`
pub(super) async fn show(
    visitor: Visitor,
    State(state): State<WebState>,
    InPath((id, no)): InPath<(Uuid, u8)>,
) -> Result<Response, Problem> {
    let actor = caller::actor(&visitor.session);
    let paper = state.gateway().paper(ObligationId(id), no, &actor).await?;
    page::render(&PaperPage { f: visitor.frame("board"), p: paper })
}

/// The same page for a system that asks for it.
pub(in crate::web) fn printed(paper: Paper, lang: Lang) -> Result<Response, Problem> {
    page::render(&PaperPage { f: Frame::new(lang, None, "board"), p: paper })
}
