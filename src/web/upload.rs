//! Forms with files: read within bounds, in memory, taken apart into fields and files.
//!
//! Promises: the caller is known before a byte is read; at most a few uploads are held at the same time; a file that was
//! not chosen is none. Never: writes a file, or believes its name or its stated type.

use crate::gateway::desk::NewScan;
use crate::limits::{DESK_BYTES_MAX, SCANS_MAX};
use crate::web::problem::Problem;
use crate::web::{WebState, body, limits};
use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::StatusCode;
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

/// What a form held. The permit goes with it, so that what is held in memory stays bounded.
pub(super) struct Upload<'s> {
    pub fields: Vec<(String, String)>,
    pub files: Vec<NewScan>,
    _permit: SemaphorePermit<'s>,
}

impl Upload<'_> {
    /// The value of a field; empty where there is none.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Reads a form, with files (`multipart/form-data`) or without.
///
/// # Errors
/// As [`body::read`]; `invalid_form` (422) for a form that is broken, or has too many parts.
pub(super) async fn read(request: Request, state: &WebState) -> Result<Upload<'_>, Problem> {
    let media_type = body::media_type(request.headers())?;
    let permit = timeout(limits::UPLOAD_WAIT, state.uploads().acquire()).await;
    let Ok(Ok(_permit)) = permit else {
        return Err(Problem::unavailable("too many files are being handed in; try again").closing());
    };
    match media_type.as_str() {
        "multipart/form-data" => {
            let (fields, files) = parts(request, state).await?;
            Ok(Upload { fields, files, _permit })
        }
        "application/x-www-form-urlencoded" => {
            let content = body::read(request, state, limits::TEXT_FORM_BYTES_MAX).await?;
            Ok(Upload { fields: body::decode_form(&content)?, files: Vec::new(), _permit })
        }
        _ => Err(body::unsupported("send this as multipart/form-data")),
    }
}

type Parts = (Vec<(String, String)>, Vec<NewScan>);

async fn parts(request: Request, state: &WebState) -> Result<Parts, Problem> {
    let headers = request.headers().clone();
    let content = body::read(request, state, DESK_BYTES_MAX).await?;
    // The whole is bounded already, in bytes and in time.
    let mut bounded = Request::new(Body::from(content));
    *bounded.headers_mut() = headers;
    DefaultBodyLimit::disable().apply(&mut bounded);
    let mut form = Multipart::from_request(bounded, &()).await.map_err(|error| invalid(&error.body_text()))?;
    let (mut fields, mut files, mut text_bytes) = (Vec::new(), Vec::new(), 0);
    while let Some(part) = form.next_field().await.map_err(|error| broken(&error))? {
        let name = part.name().unwrap_or_default().to_owned();
        if let Some(file) = part.file_name().map(str::to_owned) {
            let content = part.bytes().await.map_err(|error| broken(&error))?;
            if !(file.is_empty() && content.is_empty()) {
                files.push(NewScan { name: file, content });
            }
        } else {
            let text = part.text().await.map_err(|error| broken(&error))?;
            text_bytes += text.len();
            fields.push((name, text));
        }
        if fields.len() > limits::FORM_FIELDS_MAX || files.len() > SCANS_MAX || text_bytes > limits::TEXT_FORM_BYTES_MAX
        {
            return Err(invalid("the form has too many parts, or too much text; send less at once"));
        }
    }
    Ok((fields, files))
}

fn broken(error: &MultipartError) -> Problem {
    invalid(&error.body_text())
}

fn invalid(detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_form", detail)
}
