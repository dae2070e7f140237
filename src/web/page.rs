//! What all pages have in common: the language, the person, the frame, and errors in words for people.
//!
//! Promises: a browser that is refused gets a page; one that is not logged in is led to the login and back. Never: leads
//! to another site.

use crate::domain::zone::Zone;
use crate::gateway::ports::accounts::{Session, UserRole};
use crate::web::problem::Problem;
use crate::web::words::{Lang, Words};
use crate::web::{WebState, text::filters};
use crate::web::{assets, caller, cookies, negotiate};
use askama::Template;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

/// The frame of a page.
pub(super) struct Frame {
    pub w: &'static Words,
    pub lang: Lang,
    /// Who is logged in.
    pub person: Option<Session>,
    /// Which part of the site: `board`, `journal`, `desk`, `quarantine`, or nothing.
    pub place: &'static str,
    pub style: &'static str,
    pub script: &'static str,
}

impl Frame {
    /// The frame for that request.
    pub(super) fn new(lang: Lang, person: Option<Session>, place: &'static str) -> Self {
        let (style, script) = (assets::style_address(), assets::script_address());
        Self { w: lang.words(), lang, person, place, style, script }
    }

    /// The token that every form repeats.
    pub(super) fn csrf(&self) -> &str {
        self.person.as_ref().map_or("", |session| &session.csrf)
    }

    /// Whether the person decides about obligations.
    pub(super) fn may_act(&self) -> bool {
        let decides = |role: UserRole| !matches!(role, UserRole::Observer | UserRole::Clerk);
        self.person.as_ref().is_some_and(|session| decides(session.role))
    }

    /// Whether the person may register what came or went without a wire.
    pub(super) fn may_register(&self) -> bool {
        self.person.as_ref().is_some_and(|session| session.role != UserRole::Observer)
    }
}

/// The language of a request: the cookie, else Russian.
pub(super) fn lang(headers: &HeaderMap) -> Lang {
    cookies::language(headers).and_then(Lang::of).unwrap_or(Lang::Ru)
}

/// A person who is logged in, on a page.
pub(super) struct Visitor {
    pub session: Session,
    pub lang: Lang,
}

impl Visitor {
    /// The frame of a page for this person.
    pub(super) fn frame(&self, place: &'static str) -> Frame {
        Frame::new(self.lang, Some(self.session.clone()), place)
    }
}

impl FromRequestParts<WebState> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let session = caller::session(&parts.headers, state).await?.ok_or_else(Problem::unauthenticated)?;
        Ok(Self { session, lang: lang(&parts.headers) })
    }
}

/// Renders a page.
pub(super) fn render(page: &impl Template) -> Result<Response, Problem> {
    let html = page.render().map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the page could not be made; this is our fault")
    })?;
    Ok(Html(html).into_response())
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    f: Frame,
    words: &'static str,
    code: &'a str,
    detail: &'a str,
}

/// Makes a refusal a page for those who look with a browser, and leads those to the login who have to.
pub(super) async fn humane(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let asks_for_page = negotiate::wants_page(request.headers());
    let (headers, method, uri) = (request.headers().clone(), request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Problem>().filter(|_| asks_for_page).cloned() else {
        return response;
    };
    if problem.status() == StatusCode::UNAUTHORIZED && method == Method::GET {
        let here = uri.path_and_query().map_or("/", |here| here.as_str());
        return see_other(&format!("/login?next={}", encoded(here)));
    }
    let person = caller::session(&headers, &state).await.ok().flatten();
    error_page(problem, Frame::new(lang(&headers), person, ""))
}

fn error_page(problem: Problem, frame: Frame) -> Response {
    let w = frame.w;
    let words = match problem.status() {
        StatusCode::NOT_FOUND => w.error_not_found,
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => w.error_forbidden,
        StatusCode::CONFLICT => w.error_conflict,
        status if status.is_server_error() => w.error_unavailable,
        _ => w.error_other,
    };
    let page = ErrorPage { f: frame, words, code: problem.code(), detail: problem.detail() };
    match page.render() {
        Ok(html) => problem.respond_with("text/html; charset=utf-8", html),
        Err(_) => problem.into_response(),
    }
}

/// 303 to a place of our own.
pub(super) fn see_other(place: &str) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// The place that a form or an address asks to go on to, if it is one of ours: a path, not a host.
pub(super) fn local_place(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//") && !next.starts_with("/\\");
    let is_plain = next.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    if is_path && is_plain && !next.starts_with("/login") && !next.starts_with("/api/") { next } else { "/" }
}

/// Percent-encoded for a query.
pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// The zone of the pages: of the first social centre, else UTC.
pub(super) fn zone(state: &WebState) -> Result<Zone, Problem> {
    let centre = state.gateway().own_centres().into_iter().find_map(|code| state.gateway().participant(&code));
    let zone = centre.map(|centre| centre.zone).or_else(|| Zone::named("UTC").ok());
    zone.ok_or_else(|| Problem::unavailable("no time zone is known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_our_own_are_gone_on_to() {
        assert_eq!(local_place("/journal?participant=centre"), "/journal?participant=centre");
        for foreign in ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\r\nX: y", "/%0d\\"]
        {
            assert_eq!(local_place(foreign), "/", "{foreign:?}");
        }
        assert_eq!(local_place("/login?next=/"), "/");
    }

    #[test]
    fn text_is_encoded_for_a_query() {
        assert_eq!(encoded("/journal?a=б"), "/journal%3Fa%3D%D0%B1");
    }
}
