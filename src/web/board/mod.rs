//! The pages of the coordinator: the board, one obligation, why its date, the journal.
//!
//! Promises: made on the server, complete without a program in the browser; live where there is one.
//! Never: shows a page to somebody who is not logged in; changes anything by GET (that evidence
//! was given out is recorded).

mod acts;
mod case_acts;
mod case_file;
mod cases;
mod desk;
mod evidence;
mod journal;
mod live;
mod model;
mod obligation;
mod paper;
mod quarantine;
mod registry;
mod row;
mod show;

use crate::web::WebState;
use axum::Router;
use axum::routing::{get, post};

pub(super) use journal::printed as printed_journal;
pub(super) use paper::printed as printed_paper;
pub(super) use registry::printed as printed_registry;
pub(super) use show::Gathered;

/// The routes of the pages.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/", get(show::board))
        .route("/board/fragment", get(show::fragment))
        .route("/board/stream", get(live::stream))
        .route("/obligations/{id}", get(obligation::show))
        .route("/obligations/{id}/explanation", get(obligation::explain))
        .route("/obligations/{id}/evidence", get(evidence::show))
        .route("/obligations/{id}/acknowledgement", post(acts::acknowledge))
        .route("/obligations/{id}/rungs/{no}", post(acts::decide_rung))
        .route("/obligations/{id}/rungs/{no}/letter", get(paper::show))
        .route("/obligations/{id}/decision", post(acts::decide))
        .route("/journal", get(journal::show))
        .route("/board/cases", get(cases::list))
        .route("/board/cases/{number}", get(cases::show).post(case_acts::decide))
        .route("/board/cases/{number}/disclosures", get(cases::disclosures))
        .route("/registry", get(registry::show))
        .route("/cases/{case}/file", get(case_file::show))
        .route("/desk", get(desk::show).post(desk::submit))
        .route("/quarantine", get(quarantine::show))
        .route("/quarantine/notices/{id}", post(quarantine::tell_again))
        .route("/quarantine/{message}/{recipient}", post(quarantine::send_again))
}
