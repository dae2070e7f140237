//! `mezhved catalogue`: the types of messages, for people and for programs, and the pages that are made from them.
//!
//! Promises: shows what messages are checked by. Never: deletes a file; leaves a page half written unsaid.

use crate::catalogue::words::{parties_words, term_line};
use crate::catalogue::{Catalogue, Entry};
use crate::domain::ids::TypeCode;
use anyhow::Context as _;
use serde_json::json;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `mezhved catalogue`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Показать один вид целиком; без него — таблица всех
    #[arg(value_name = "CODE", conflicts_with = "pages")]
    pub code: Option<String>,
    /// То же в JSON
    #[arg(long, conflicts_with = "pages")]
    pub json: bool,
    /// Записать страницы всех видов и оглавление в эту папку
    #[arg(long, value_name = "FOLDER")]
    pub pages: Option<PathBuf>,
    /// Папка с видами сообщений, <type>/<version>/, в дополнение к встроенным
    #[arg(long, value_name = "DIR")]
    pub catalogue: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// A faulty catalogue, a type that it does not have, or a page that cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let catalogue = match &args.catalogue {
        Some(types) => Arc::new(Catalogue::load(types)?),
        None => Arc::clone(Catalogue::builtin()),
    };
    match (&args.pages, &args.code) {
        (Some(folder), _) => write_pages(&catalogue, folder, out)?,
        (None, Some(code)) => one(&catalogue, (code, args.json), out)?,
        (None, None) if args.json => {
            let types: Vec<_> = catalogue.entries().map(Entry::summary).collect();
            writeln!(out, "{:#}", json!({ "types": types }))?;
        }
        (None, None) => table(&catalogue, out)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn one(catalogue: &Catalogue, (code, as_json): (&str, bool), out: &mut dyn Write) -> anyhow::Result<()> {
    let entry = TypeCode::new(code).ok().and_then(|code| catalogue.latest(&code));
    let entry = entry.with_context(|| format!("the catalogue has no type `{code}`; `mezhved catalogue` lists them"))?;
    if as_json {
        writeln!(out, "{:#}", entry.shown())?
    } else {
        out.write_all(catalogue.page(entry).as_bytes())?
    }
    Ok(())
}

/// A line for each type; the columns are as wide as their longest word.
fn table(catalogue: &Catalogue, out: &mut dyn Write) -> anyhow::Result<()> {
    let head = ["вид", "название", "кто → кому", "ответ обязателен", "срок", "чем отвечают"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(catalogue.entries().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

fn row(entry: &Entry) -> [String; 6] {
    let types = entry.answer.iter().flat_map(|answer| &answer.types).map(TypeCode::to_string).collect::<Vec<_>>();
    let or_dash = |text: String| if text.is_empty() { "–".to_owned() } else { text };
    [
        entry.code.to_string(),
        entry.title_ru.clone(),
        parties_words(&entry.parties),
        if entry.demands_answer() { "да" } else { "–" }.to_owned(),
        term_line(entry).unwrap_or_else(|| "–".to_owned()).replace('`', ""),
        or_dash(types.join(", ")),
    ]
}

fn write_pages(catalogue: &Catalogue, folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let pages = catalogue.pages();
    for (name, text) in &pages {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    writeln!(out, "{} pages written to {}", pages.len(), folder.display())?;
    Ok(())
}
