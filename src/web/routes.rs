//! All addresses in one place.
//!
//! Promises: an address that is not here is a problem 404, a method that is not here a problem 405 with `Allow`.
//! Never: two handlers for one thing.

use crate::web::problem::Problem;
use crate::web::{WebState, api, assets, board, figures, health, login, observe, page};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

/// Every address of the gateway.
pub(super) fn router(state: WebState) -> Router {
    let all = Router::new()
        .nest("/api/v1", api::routes())
        .merge(board::routes())
        .route("/login", get(login::show).post(login::submit))
        .route("/login/check", get(login::check))
        .route("/logout", post(login::leave))
        .route("/language", get(login::language))
        .route("/assets/mezhved.css", get(assets::style))
        .route("/assets/mezhved.js", get(assets::script))
        .route("/assets/mezhved.svg", get(assets::sign))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(figures::show))
        .route("/schemas/{file}", get(api::schema))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method);
    all.layer(from_fn_with_state(state.clone(), page::humane)).layer(from_fn(observe::observe)).with_state(state)
}

async fn unknown_route() -> Problem {
    Problem::unknown_route()
}

async fn wrong_method() -> Problem {
    let detail = "this address does not take this method; see the Allow header";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", detail)
}
