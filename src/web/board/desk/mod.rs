//! The clerk's desk on the board: what came or went on paper, by mail or by telephone is registered in a form that is
//! generated from the schema of its type, with a scan.
//!
//! Promises: works without a program in the browser; what was written stays when something is wrong, and the fault stands
//! at its field; sent twice it is registered once. Never: registers on GET; keeps what was not sent off.

mod entry;
mod fields;
mod inputs;

use crate::catalogue::Entry;
use crate::domain::ids::{ObligationId, ParticipantCode};
use crate::gateway::arrival::Submitted;
use crate::gateway::desk::{DeskEntry, NewScan};
use crate::gateway::ports::reads::DutyFilter;
use crate::gateway::ports::scans::HandChannel;
use crate::gateway::rejection::{FaultView, Rejection, RejectionKind};
use crate::gateway::views::ObligationView;
use crate::web::board::desk::entry::{entry_of, type_of};
use crate::web::board::desk::fields::Fields;
use crate::web::board::desk::inputs::{Draft, Input};
use crate::web::board::row::lateness;
use crate::web::caller::{self, actor};
use crate::web::limits::PAGE_ROWS_MAX;
use crate::web::page::{self, Frame, Visitor, encoded, see_other};
use crate::web::params::InQuery;
use crate::web::problem::Problem;
use crate::web::text::filters;
use crate::web::words::desk::DeskWords;
use crate::web::{WebState, upload};
use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use uuid::Uuid;

/// An obligation that may be answered here.
struct Answerable {
    link: String,
    title: String,
    sub: String,
}

#[derive(Template)]
#[template(path = "desk.html")]
struct StartPage {
    f: Frame,
    d: &'static DeskWords,
    inputs: Vec<Input>,
    /// Side, channel and counterparty are chosen; what it is, is not.
    chosen: bool,
    answerable: Vec<Answerable>,
    types: Vec<Answerable>,
    done: String,
}

#[derive(Template)]
#[template(path = "desk_form.html")]
struct FormPage {
    f: Frame,
    d: &'static DeskWords,
    heading: String,
    /// The counterparty, and what is answered.
    lead: Vec<String>,
    hidden: Vec<(String, String)>,
    inputs: Vec<Input>,
    /// Faults that are of no field.
    faults: Vec<String>,
}

/// What the desk works with.
struct Desk<'s> {
    state: &'s WebState,
    visitor: &'s Visitor,
    centre: ParticipantCode,
}

impl<'s> Desk<'s> {
    fn of(state: &'s WebState, visitor: &'s Visitor) -> Result<Self, Problem> {
        let centre = state.gateway().own_centres().into_iter().next();
        let centre = centre.ok_or_else(|| Problem::not_found("centre of ours"))?;
        Ok(Self { state, visitor, centre })
    }

    fn words(&self) -> &'static DeskWords {
        self.visitor.lang.desk()
    }

    fn title(&self, code: &str) -> String {
        let body = ParticipantCode::new(code).ok().and_then(|code| self.state.gateway().participant(&code));
        body.map_or_else(|| code.to_owned(), |body| body.title.clone())
    }

    /// Everybody but us, by name.
    fn counterparties(&self) -> Vec<(String, String)> {
        let directory = self.state.gateway().directory();
        let others = directory.iter().filter(|one| one.code != self.centre);
        let mut others: Vec<_> = others.map(|one| (one.code.to_string(), one.title.clone())).collect();
        others.sort_by(|one, other| one.1.cmp(&other.1));
        others
    }

    /// From whom to whom.
    fn sides(&self, fields: &Fields) -> Option<(ParticipantCode, ParticipantCode)> {
        let other = ParticipantCode::new(fields.get("/counterparty")).ok()?;
        let ours = self.centre.clone();
        Some(if fields.get("side") == "out" { (ours, other) } else { (other, ours) })
    }

    /// The open obligations that such a message could answer: the sender of it owes, the addressee is owed.
    async fn answerable(&self, fields: &Fields) -> Result<Vec<ObligationView>, Problem> {
        let Some((from, to)) = self.sides(fields) else { return Ok(Vec::new()) };
        let filter =
            DutyFilter { performer: Some(from), open_only: true, limit: PAGE_ROWS_MAX, ..DutyFilter::default() };
        let mut found = self.state.gateway().obligations(filter, &actor(&self.visitor.session)).await?;
        found.retain(|one| one.controller.code == to);
        Ok(found)
    }
}

/// `GET /desk`: first the side, the way and the body, then what it is, then its form.
pub(super) async fn show(
    visitor: Visitor,
    State(state): State<WebState>,
    InQuery(query): InQuery<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let desk = Desk::of(&state, &visitor)?;
    let mut fields = Fields(query);
    prefill(&desk, &mut fields).await?;
    if fields.some("/type").is_some() {
        return form(&desk, (&mut fields, &[]), StatusCode::OK);
    }
    start(&desk, &fields).await
}

async fn start(desk: &Desk<'_>, fields: &Fields) -> Result<Response, Problem> {
    let d = desk.words();
    let draft = Draft { fields, faults: &[], w: d };
    let inputs = vec![
        draft.choice("side", d.side, pairs([("in", d.side_in), ("out", d.side_out)])),
        draft.choice("/channel", d.channel, pairs([("paper", d.paper), ("mail", d.mail), ("phone", d.phone)])),
        draft.choice("/counterparty", d.counterparty, desk.counterparties()),
    ];
    let chosen = fields.some("/channel").is_some() && fields.some("/counterparty").is_some();
    let (mut answerable, mut types) = (Vec::new(), Vec::new());
    if let Some((from, to)) = desk.sides(fields).filter(|_| chosen) {
        answerable = desk.answerable(fields).await?.iter().map(|one| answer_link(one, desk)).collect();
        let channel = channel(fields).unwrap_or(HandChannel::Paper);
        let offered = desk.state.gateway().types_at_the_desk((&from, &to), channel);
        let link = |entry: &&Entry| Answerable {
            link: format!("{}&/type={}", address(fields), entry.code),
            title: entry.title_ru.clone(),
            sub: entry.code.to_string(),
        };
        types = offered.iter().map(link).collect();
    }
    let done = fields.get("done").to_owned();
    let f = desk.visitor.frame("desk");
    // The way of what is answered is chosen already.
    for one in &mut answerable {
        one.link = format!("{}&{}", address(fields), one.link);
    }
    page::render(&StartPage { f, d, inputs, chosen, answerable, types, done })
}

fn pairs<const N: usize>(options: [(&str, &str); N]) -> Vec<(String, String)> {
    options.iter().map(|(code, words)| ((*code).to_owned(), (*words).to_owned())).collect()
}

fn channel(fields: &Fields) -> Option<HandChannel> {
    serde_json::from_value(fields.get("/channel").into()).ok()
}

fn address(fields: &Fields) -> String {
    let part = |name: &str| format!("{name}={}", encoded(fields.get(name)));
    format!("/desk?{}", ["side", "/channel", "/counterparty"].map(part).join("&"))
}

fn answer_link(one: &ObligationView, desk: &Desk<'_>) -> Answerable {
    let number = one.request_number.as_deref().unwrap_or("—");
    Answerable {
        link: format!("obligation={}", one.id),
        title: format!("{} — {} № {number}", one.awaited_title, one.request_title),
        sub: format!("{}, {}", one.due_text, lateness(one, desk.visitor.lang)),
    }
}

/// What follows from the obligation that is answered.
async fn prefill(desk: &Desk<'_>, fields: &mut Fields) -> Result<(), Problem> {
    let Some(id) = fields.some("obligation").and_then(|id| Uuid::try_parse(id).ok()) else { return Ok(()) };
    let view = desk.state.gateway().obligation(ObligationId(id), &actor(&desk.visitor.session)).await?;
    let ours = view.performer.code == desk.centre;
    let other = if ours { &view.controller.code } else { &view.performer.code };
    fields.propose("side", if ours { "out" } else { "in" });
    fields.propose("/channel", "paper");
    fields.propose("/counterparty", other.to_string());
    fields.propose("/exchange", view.exchange.to_string());
    // The root of an exchange bears its id.
    fields.propose("/in_reply_to", view.exchange.to_string());
    if let Some(case) = &view.case {
        fields.propose("/case", case.clone());
    }
    let answer =
        desk.state.gateway().answer_types(ObligationId(id), &actor(&desk.visitor.session)).await?.into_iter().next();
    if let Some(code) = answer {
        fields.propose("/type", code.to_string());
    }
    Ok(())
}

fn form(
    desk: &Desk<'_>,
    (fields, faults): (&mut Fields, &[FaultView]),
    status: StatusCode,
) -> Result<Response, Problem> {
    let (d, gateway) = (desk.words(), desk.state.gateway());
    let of = type_of(fields).and_then(|code| gateway.catalogue().latest(&code).cloned());
    let of = of.ok_or_else(|| Problem::not_found("type"))?;
    let zone = page::zone(desk.state)?;
    fields.propose("/id", Uuid::new_v4().to_string());
    fields.propose("/at", zone.local(gateway.now()).format("%Y-%m-%dT%H:%M").to_string());
    let draft = Draft { fields, faults, w: d };
    let mut inputs = own_inputs(&draft, fields.get("side") == "out");
    let mut body = Vec::new();
    draft.record(&of.body, ("/body", true), &mut body);
    // Of a call the form states the instant and the type once, above.
    body.retain(|input| of.carries.is_none() || !matches!(input.path.as_str(), "/body/at" | "/body/carries"));
    inputs.extend(body);
    inputs.push(Input { note: Some(d.scan_note.to_owned()), ..draft.input("file", "/scan", d.scan) });
    let hidden = ["side", "/channel", "/counterparty", "/type", "/id", "/exchange", "/in_reply_to", "obligation"];
    let hidden = hidden.map(|name| (name.to_owned(), fields.get(name).to_owned()));
    let hidden: Vec<_> = hidden.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let spoken = type_code_title(desk, fields);
    let side = if fields.get("side") == "out" { d.side_out } else { d.side_in };
    let way = channel(fields).map(HandChannel::words).unwrap_or_default();
    let page = FormPage {
        heading: spoken,
        lead: vec![format!("{side}, {way}"), desk.title(fields.get("/counterparty"))],
        faults: draft.elsewhere(&inputs).into_iter().filter(|_| !faults.is_empty()).collect(),
        hidden,
        inputs,
        d,
        f: desk.visitor.frame("desk"),
    };
    let mut response = page::render(&page)?;
    *response.status_mut() = status;
    Ok(response)
}

/// What the form is for: the type that was chosen, also where it was spoken.
fn type_code_title(desk: &Desk<'_>, fields: &Fields) -> String {
    let code = crate::domain::ids::TypeCode::new(fields.get("/type")).ok();
    let entry = code.and_then(|code| desk.state.gateway().catalogue().latest(&code).map(|one| one.title_ru.clone()));
    entry.unwrap_or_else(|| fields.get("/type").to_owned())
}

/// The fields that every message has.
fn own_inputs(draft: &Draft<'_>, out: bool) -> Vec<Input> {
    let d = draft.w;
    let mut inputs = vec![
        Input { required: true, ..draft.input("moment", "/at", if out { d.at_out } else { d.at_in }) },
        draft.input("line", "/registration/number", if out { d.number_out } else { d.number_in }),
        draft.input("date", "/registration/date", d.number_date),
    ];
    if out {
        let ways = pairs([("hand", d.by_hand), ("post", d.by_post), ("mail", d.mail), ("phone", d.phone)]);
        inputs.extend([
            Input { required: true, ..draft.choice("/handed/way", d.way, ways) },
            Input { required: true, ..draft.input("line", "/handed/taken_by", d.handed_to) },
            draft.input("line", "/handed/number", d.their_number),
            draft.input("date", "/handed/date", d.number_date),
        ]);
    }
    let levels =
        [("adaptation", d.levels[0]), ("basic", d.levels[1]), ("crisis", d.levels[2]), ("emergency", d.levels[3])];
    inputs.extend([
        draft.input("line", "/case", d.case),
        draft.choice("/support/level", d.level, pairs(levels)),
        Input { note: Some(d.summary_note.to_owned()), ..draft.input("text", "/summary", d.summary) },
        draft.choice(
            "/consent/kind",
            d.consent_kind,
            pairs([("processing", d.consent_processing), ("transfer", d.consent_transfer)]),
        ),
        draft.input("line", "/consent/reference", d.consent_reference),
        draft.input("line", "/no_consent_ground/code", d.ground_code),
        draft.input("line", "/no_consent_ground/reason", d.ground_reason),
    ]);
    inputs
}

/// `POST /desk`
pub(super) async fn submit(
    visitor: Visitor,
    State(state): State<WebState>,
    request: Request,
) -> Result<Response, Problem> {
    caller::refuse_cross_site(request.headers())?;
    caller::may_act(&visitor.session)?;
    let mut sent = upload::read(request, &state).await?;
    caller::check_csrf(&visitor.session, sent.field("csrf"))?;
    let files = std::mem::take(&mut sent.files);
    let mut fields = Fields(std::mem::take(&mut sent.fields));
    let desk = Desk::of(&state, &visitor)?;
    if fields.some("more").is_some() {
        return form(&desk, (&mut fields, &[]), StatusCode::OK);
    }
    match register(&desk, (&fields, files)).await {
        Ok(submitted) => Ok(see_other(&after(&fields, &submitted))),
        Err(rejection) if rejection.kind == RejectionKind::Unavailable => Err(rejection.into()),
        Err(rejection) => {
            let (status, mut faults) = (Problem::from(rejection.clone()).status(), rejection.faults);
            if faults.is_empty() {
                let (code, message) = (rejection.code, rejection.message);
                faults.push(FaultView { path: code.to_owned(), code, message });
            }
            form(&desk, (&mut fields, &faults), status)
        }
    }
}

async fn register(desk: &Desk<'_>, (fields, files): (&Fields, Vec<NewScan>)) -> Result<Submitted, Rejection> {
    let gateway = desk.state.gateway();
    let of = type_of(fields).and_then(|code| gateway.catalogue().latest(&code).cloned());
    let of = of.ok_or_else(|| Rejection::not_found("type"))?;
    let zone =
        gateway.participant(&desk.centre).map(|centre| centre.zone).ok_or_else(|| Rejection::not_found("centre"))?;
    let entry = entry_of(fields, &of, (desk.centre.as_str(), zone));
    let entry: DeskEntry = serde_json::from_value(entry).map_err(|error| misread(&error))?;
    gateway.register_by_hand(entry, files, &actor(&desk.visitor.session)).await
}

/// The form's own fields that no schema checks: the moment, the way, who took it.
fn misread(error: &serde_json::Error) -> Rejection {
    let message = error.to_string();
    let path = match message.as_str() {
        text if text.contains("`way`") || text.contains("variant") => "/handed/way",
        text if text.contains("`taken_by`") => "/handed/taken_by",
        _ => "/at",
    };
    let faults = vec![FaultView { path: path.to_owned(), code: "missing_field", message: message.clone() }];
    Rejection { faults, ..Rejection::new(RejectionKind::Invalid, "invalid_form", message) }
}

/// On to the obligation that was answered or opened, else to an empty desk that says what was given.
fn after(fields: &Fields, submitted: &Submitted) -> String {
    let answered = fields.some("obligation").map(str::to_owned);
    let opened = submitted.accepted.obligations.first().map(|one| one.id.to_string());
    match answered.or(opened) {
        Some(id) if Uuid::try_parse(&id).is_ok() => format!("/obligations/{id}?done=1"),
        _ => format!("/desk?done={}", encoded(&submitted.accepted.number)),
    }
}
