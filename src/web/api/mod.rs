//! `/api/v1`: what systems of participants, and the pages' own programs, call.
//!
//! Promises: as `docs/INTEGRATION.md` says; lists are paged by cursor; instants are RFC 3339 with offset.
//! Never: shows one participant what is another's (the verbs judge by the actor).

mod alerts;
mod attachments;
mod case_file;
mod cases;
mod catalogue;
mod desk;
mod directory;
mod events;
mod evidence;
mod exchanges;
mod inbox;
mod journal;
mod messages;
mod obligations;
mod paper;
mod registry;
mod schemas;

use crate::web::WebState;
use axum::Router;
use axum::routing::{get, post, put};

pub(super) use cases::{read_cursor as case_cursor, standing as case_standing};
pub(super) use journal::{JournalQuery, filter as journal_filter};
pub(super) use registry::{Registry, RegistryQuery, read as read_registry};
pub(super) use schemas::show as schema;

/// The routes under `/api/v1`.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/messages", post(messages::submit))
        .route("/messages/{id}", get(messages::show))
        .route("/attachments/{sha256}", get(attachments::show).head(attachments::look))
        .route("/attachments/{sha256}", put(attachments::put))
        .route("/inbox", get(inbox::list))
        .route("/inbox/{id}/registration", post(inbox::register))
        .route("/exchanges/{id}", get(exchanges::show))
        .route("/obligations", get(obligations::list))
        .route("/obligations/{id}", get(obligations::show))
        .route("/obligations/{id}/explanation", get(obligations::explain))
        .route("/obligations/{id}/evidence", get(evidence::show))
        .route("/obligations/{id}/release", post(obligations::release))
        .route("/obligations/{id}/return", post(obligations::send_back))
        .route("/obligations/{id}/extend", post(obligations::extend))
        .route("/obligations/{id}/withdraw", post(obligations::withdraw))
        .route("/obligations/{id}/void", post(obligations::void))
        .route("/obligations/{id}/rungs/{no}", post(obligations::decide_rung))
        .route("/obligations/{id}/rungs/{no}/letter", get(paper::show))
        .route("/alerts", get(alerts::list))
        .route("/alerts/{obligation}/acknowledgement", post(alerts::acknowledge))
        .route("/desk/messages", post(desk::register))
        .route("/desk/deliveries/{message}/{recipient}", post(desk::hand_over))
        .route("/scans/{sha256}", get(desk::scan))
        .route("/cases/{number}/file", get(case_file::show))
        .route("/registry", get(registry::show))
        .route("/journal", get(journal::show))
        .route("/cases", get(cases::list))
        .route("/cases/{number}", get(cases::show))
        .route("/cases/{number}", post(cases::decide))
        .route("/cases/{number}/disclosures", get(cases::disclosures))
        .route("/participants", get(directory::list))
        .route("/catalogue", get(catalogue::list))
        .route("/catalogue/{type}", get(catalogue::show))
        .route("/events", get(events::stream))
}
