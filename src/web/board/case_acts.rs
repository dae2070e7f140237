//! What a coordinator decides on the page of a case.
//!
//! Promises: the form carries the session's token; afterwards one is on the page of the case. Never: acts on GET.

use crate::domain::case::act::CaseAct;
use crate::domain::case::consent::ConsentKind;
use crate::domain::case::{PartRole, Stage};
use crate::domain::ids::ParticipantCode;
use crate::domain::message::{Level, Track};
use crate::web::WebState;
use crate::web::board::acts::{back, sealed};
use crate::web::board::cases::{CaseQuery, address};
use crate::web::caller::actor;
use crate::web::page::Visitor;
use crate::web::params::{InPath, InQuery, participant};
use crate::web::problem::Problem;
use crate::web::words::cases::DATA;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as CodeError;
use std::collections::HashMap;

/// The fields of a form, by name.
#[derive(Deserialize)]
#[serde(transparent)]
struct Fields(HashMap<String, String>);

/// `POST /board/cases/{number}`
pub(super) async fn decide(
    Visitor { session, .. }: Visitor,
    State(state): State<WebState>,
    InPath(number): InPath<String>,
    InQuery(query): InQuery<CaseQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let (fields, _): (Fields, String) = sealed(request, &state, &session).await?;
    let stated = query.centre.or_else(|| fields.text("centre").map(str::to_owned));
    let centre = stated.as_deref().map(participant).transpose()?;
    // The list's form opens a case by its number, which stands in a field.
    let number = fields.text("number").map_or(number, str::to_owned);
    let act = fields.act()?;
    let case = state.gateway().decide_case((centre.as_ref(), &number), act, &actor(&session)).await?;
    Ok(back(&address(&case.centre, &case.number)))
}

impl Fields {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    fn needed(&self, name: &str) -> Result<&str, Problem> {
        self.text(name).ok_or_else(|| invalid(name))
    }

    fn words(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    fn day(&self, name: &str) -> Result<Option<NaiveDate>, Problem> {
        self.text(name).map(|text| text.parse().map_err(|_| invalid(name))).transpose()
    }

    fn code<'de, T: Deserialize<'de>>(&'de self, name: &str) -> Result<Option<T>, Problem> {
        let read = |text: &'de str| T::deserialize(IntoDeserializer::<CodeError>::into_deserializer(text));
        self.text(name).map(|text| read(text).map_err(|_| invalid(name))).transpose()
    }

    fn bodies(&self) -> Result<Vec<ParticipantCode>, Problem> {
        let listed = self.text("bodies").unwrap_or_default();
        let codes = listed.split([',', ';', ' ', '\n', '\r']).filter(|code| !code.is_empty());
        codes.map(|code| ParticipantCode::new(code).map_err(|_| invalid("bodies"))).collect()
    }

    fn act(&self) -> Result<CaseAct, Problem> {
        let on = self.day("on")?;
        Ok(match self.needed("action")? {
            "open" => CaseAct::Open {
                on,
                track: self.code::<Track>("track")?,
                level: self.code::<Level>("level")?,
                reason: self.words("reason"),
            },
            "track" => CaseAct::Track { on, track: self.code("track")?.ok_or_else(|| invalid("track"))? },
            "level" => CaseAct::Level { on, level: self.code("level")?.ok_or_else(|| invalid("level"))? },
            "stage" => CaseAct::Stage { on, stage: self.code::<Stage>("stage")?.ok_or_else(|| invalid("stage"))? },
            "join" => CaseAct::Join {
                on,
                body: self.body()?,
                role: self.code::<PartRole>("role")?.ok_or_else(|| invalid("role"))?,
            },
            "leave" => CaseAct::Leave { on, body: self.body()? },
            "close" => CaseAct::Close { on, reason: self.needed("reason")?.to_owned() },
            "register_consent" => CaseAct::RegisterConsent {
                kind: self.code::<ConsentKind>("kind")?.ok_or_else(|| invalid("kind"))?,
                reference: self.needed("reference")?.to_owned(),
                bodies: self.bodies()?,
                data: DATA.iter().filter(|(_, name, _)| self.text(name).is_some()).map(|(kind, ..)| *kind).collect(),
                from: self.day("from")?.ok_or_else(|| invalid("from"))?,
                until: self.day("until")?,
            },
            "withdraw_consent" => CaseAct::WithdrawConsent {
                no: self.needed("no")?.parse().map_err(|_| invalid("no"))?,
                on,
                reason: self.words("reason"),
            },
            _ => return Err(invalid("action")),
        })
    }

    fn body(&self) -> Result<ParticipantCode, Problem> {
        ParticipantCode::new(self.needed("body")?).map_err(|_| invalid("body"))
    }
}

fn invalid(field: &str) -> Problem {
    let detail = format!("the field `{field}` is missing or malformed");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_form", detail)
}
