//! One table as a file: CSV for programs, CSV for spreadsheets, or a workbook (XLSX).
//!
//! Promises: every cell is text, in all three, so that no cell is a formula, a link or a number that was rounded; what
//! deceives the eye is written out. Never: drops a row or a character; refuses the whole instead.

use crate::web::csv::Csv;
use crate::web::negotiate;
use crate::web::problem::Problem;
use crate::web::text::shown;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};
use serde::Deserialize;

/// The media type of a workbook.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// The media type of CSV.
const CSV: &str = "text/csv; charset=utf-8";
/// Characters that a column is wide at most.
const WIDTH_MAX: usize = 60;

/// The forms that a table comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    Json,
    Csv,
    /// CSV as a Russian spreadsheet program opens it.
    Excel,
    Xlsx,
    Html,
}

/// The form that is asked for: by the address, else by `Accept`.
///
/// # Errors
/// `not_acceptable` (406).
pub(super) fn form(stated: Option<Form>, headers: &HeaderMap, html: bool) -> Result<Form, Problem> {
    let offers =
        [("application/json", Form::Json), ("text/csv", Form::Csv), (XLSX, Form::Xlsx), ("text/html", Form::Html)];
    let offers = if html { &offers[..] } else { &offers[..3] };
    let form = stated.or_else(|| negotiate::best(headers, offers)).filter(|form| html || *form != Form::Html);
    form.ok_or_else(|| {
        let detail =
            format!("this can be read as {}", offers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "));
        Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail)
    })
}

/// A table.
pub(super) struct Table {
    /// The name of the file, without its ending, and of the sheet: ASCII letters.
    pub name: &'static str,
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The table as the file that was asked for.
    ///
    /// # Errors
    /// `internal` (500) when a workbook cannot hold it.
    pub(super) async fn file(self, form: Form, made_at: DateTime<Utc>) -> Result<Response, Problem> {
        let name = self.name;
        // A register of a year keeps a core busy for seconds; it is not one of those that answer others.
        let work = tokio::task::spawn_blocking(move || match form {
            Form::Xlsx => self.workbook(made_at).map(|content| answer((name, "xlsx", XLSX), content)),
            Form::Excel => Ok(answer((name, "csv", CSV), self.csv(Csv::for_spreadsheets()))),
            Form::Csv | Form::Json | Form::Html => Ok(answer((name, "csv", CSV), self.csv(Csv::plain()))),
        });
        work.await.map_err(|fault| unwritable(&fault))?.map_err(|fault| unwritable(&fault))
    }

    fn csv(&self, mut csv: Csv) -> Vec<u8> {
        csv.line(self.head.iter().copied());
        for row in &self.rows {
            csv.line(row.iter().map(String::as_str));
        }
        csv.finish().into_bytes()
    }

    fn workbook(&self, made_at: DateTime<Utc>) -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        // The library would ask the machine for the time.
        let made_at = ExcelDateTime::from_timestamp(made_at.timestamp())?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&made_at));
        let sheet = book.add_worksheet();
        sheet.set_name(self.name)?.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
        sheet.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?;
        let (bold, wrapped) = (Format::new().set_bold(), Format::new().set_text_wrap());
        for (column, name) in (0u16..).zip(&self.head) {
            sheet.write_string_with_format(0, column, *name, &bold)?;
            let cells = self.rows.iter().filter_map(|row| row.get(usize::from(column)));
            let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(name.chars().count());
            sheet.set_column_width(column, (widest.min(WIDTH_MAX) + 2) as f64)?;
        }
        for (line, row) in (1u32..).zip(&self.rows) {
            for (column, cell) in (0u16..).zip(row) {
                // A string is a string whatever it begins with; only the eye is to be helped.
                sheet.write_string_with_format(line, column, shown(cell), &wrapped)?;
            }
        }
        book.save_to_buffer()
    }
}

fn unwritable(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a document could not be written");
    let detail = "the file could not be made; ask for CSV, or for a shorter period";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
}

fn answer((name, ending, media_type): (&str, &str, &'static str), content: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{ending}\"")),
        (header::VARY, "Accept".to_owned()),
    ];
    (headers, content).into_response()
}
