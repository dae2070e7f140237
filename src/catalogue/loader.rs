//! Loads the catalogue: the compiled-in files first, then the folders of a region.
//!
//! Promises: every entry is consistent with its schema and names only types that exist. Never: leaves a file unread or
//! a fault unnamed.

use crate::catalogue::dialect::{Dialect, SchemaFault};
use crate::catalogue::editions::{check_day, is_edition};
use crate::catalogue::entry::{Entry, EntryFile};
use crate::catalogue::plan::RecordPlan;
use crate::catalogue::source::Json;
use crate::catalogue::{Catalogue, CatalogueError};
use crate::limits;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `schemas/`, listed by `build.rs`: path below it, and content.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

const COMMON: &str = "common.schema.json";
const ENVELOPE: &str = "envelope/1/envelope.schema.json";

type Loaded<T> = Result<T, CatalogueError>;

/// The files of one type's version.
#[derive(Default)]
struct Folder {
    /// `<type>/<version>`.
    name: String,
    entry: Option<Box<str>>,
    /// Later editions: the file's name and content.
    editions: Vec<(String, Box<str>)>,
    schema: Option<Box<str>>,
    example_json: Option<Box<str>>,
    example_xml: Option<Box<str>>,
}

/// The compiled-in catalogue.
pub(super) fn builtin() -> Loaded<Catalogue> {
    let file = |name: &str| FILES.iter().find(|(path, _)| *path == name).map(|(_, text)| *text).unwrap_or_default();
    let common_schema = parse(COMMON, file(COMMON))?;
    let envelope_schema = parse(ENVELOPE, file(ENVELOPE))?;
    let envelope = compile(ENVELOPE, &common_schema, &envelope_schema)?;
    let mut catalogue = Catalogue { entries: BTreeMap::new(), envelope, envelope_schema, common_schema };
    for folder in compiled_in() {
        add(&mut catalogue, folder)?;
    }
    check_answers(&catalogue)?;
    Ok(catalogue)
}

fn compiled_in() -> Vec<Folder> {
    let mut folders: Vec<Folder> = Vec::new();
    for (path, text) in FILES.iter().filter(|(path, _)| path.matches('/').count() == 2 && *path != ENVELOPE) {
        let (name, file) = path.rsplit_once('/').unwrap_or_default();
        if folders.last().is_none_or(|last| last.name != name) {
            folders.push(Folder { name: name.to_owned(), ..Folder::default() });
        }
        if let Some(folder) = folders.last_mut() {
            folder.put(file, (*text).into());
        }
    }
    folders
}

/// Adds the folders `<type>/<version>/` of a region.
pub(super) fn add_folder(catalogue: &mut Catalogue, root: &Path) -> Loaded<()> {
    for kind in subfolders(root, root)? {
        for version in subfolders(&kind, root)? {
            let mut folder = Folder { name: below(&version, root), ..Folder::default() };
            for file in files(&version, root)? {
                if let Some(text) = read(&version.join(&file), root)? {
                    folder.put(&file, text);
                }
            }
            add(catalogue, folder)?;
        }
    }
    check_answers(catalogue)
}

fn subfolders(folder: &Path, root: &Path) -> Loaded<Vec<PathBuf>> {
    let mut found = listed(folder, root)?;
    found.retain(|path| path.is_dir());
    Ok(found)
}

/// What is in a folder, by name.
fn listed(folder: &Path, root: &Path) -> Loaded<Vec<PathBuf>> {
    let unreadable =
        |error: std::io::Error| fault(&below(folder, root), "", format!("the folder cannot be read: {error}"));
    let paths = fs::read_dir(folder).map_err(unreadable)?.map(|entry| Ok(entry.map_err(unreadable)?.path()));
    let mut found = paths.collect::<Loaded<Vec<PathBuf>>>()?;
    found.sort();
    Ok(found)
}

/// The files of a type's version that the catalogue reads, those that must be there or may be, and the editions.
fn files(folder: &Path, root: &Path) -> Loaded<Vec<String>> {
    let mut found: Vec<String> =
        ["entry.toml", "body.schema.json", "example.json", "example.xml"].map(str::to_owned).to_vec();
    let names =
        listed(folder, root)?.into_iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    found.extend(names.filter(|name| is_edition(name)));
    Ok(found)
}

fn read(path: &Path, root: &Path) -> Loaded<Option<Box<str>>> {
    let unreadable = |error: std::io::Error| fault(&below(path, root), "", format!("the file cannot be read: {error}"));
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut text = String::new();
    file.take(limits::CATALOGUE_FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > limits::CATALOGUE_FILE_BYTES_MAX {
        return Err(fault(
            &below(path, root),
            "",
            format!("the file is over {} bytes", limits::CATALOGUE_FILE_BYTES_MAX),
        ));
    }
    Ok(Some(text.into()))
}

fn below(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn fault(file: &str, place: &str, remedy: impl Into<String>) -> CatalogueError {
    CatalogueError { file: file.to_owned(), place: place.to_owned(), remedy: remedy.into() }
}

impl Folder {
    fn put(&mut self, file: &str, text: Box<str>) {
        match file {
            "entry.toml" => self.entry = Some(text),
            "body.schema.json" => self.schema = Some(text),
            "example.json" => self.example_json = Some(text),
            "example.xml" => self.example_xml = Some(text),
            edition if is_edition(edition) => self.editions.push((edition.to_owned(), text)),
            _ => {}
        }
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.name)
    }
}

fn parse(file: &str, text: &str) -> Loaded<Json> {
    serde_json::from_str(text).map_err(|error| fault(file, "", format!("this is no JSON document: {error}")))
}

fn compile(file: &str, common: &Json, own: &Json) -> Loaded<RecordPlan> {
    let fault = |at: SchemaFault| fault(file, if at.pointer.is_empty() { "/" } else { &at.pointer }, at.remedy);
    Dialect::new(common, own).compile().map_err(fault)
}

fn add(catalogue: &mut Catalogue, mut folder: Folder) -> Loaded<()> {
    let editions = std::mem::take(&mut folder.editions);
    let (name, file) = (folder.name.clone(), folder.file("entry.toml"));
    if folder.entry.is_some() || editions.is_empty() {
        add_first(catalogue, folder)?;
    }
    let known = name
        .split_once('/')
        .and_then(|(code, version)| catalogue.entries.get_mut(code)?.get_mut(&version.parse::<u32>().ok()?));
    let first = known.ok_or_else(|| fault(&file, "", "a later edition needs the type's first one"))?;
    editions
        .into_iter()
        .try_for_each(|(file, text)| add_edition(&catalogue.common_schema, first, (&name, &file, &text)))
}

/// The first edition, with the schema.
fn add_first(catalogue: &mut Catalogue, folder: Folder) -> Loaded<()> {
    let file = folder.file("entry.toml");
    let Some(text) = &folder.entry else {
        return Err(fault(&file, "", "the file is missing; a type has an entry.toml and a body.schema.json"));
    };
    let written = written(&folder.name, &file, text)?;
    let builtin = catalogue.entry(&written.code, written.version).cloned();
    let entry = assemble(&catalogue.common_schema, folder, written)?;
    let entry = match (entry, builtin) {
        (Assembled { entry, schema_given: true }, Some(known)) if known.schema != entry.schema => {
            let remedy = "this type and version has another schema already; raise the version, or leave this file out";
            return Err(fault(&format!("{}/{}/body.schema.json", known.code, known.version), "", remedy));
        }
        (Assembled { entry, schema_given: true }, _) => entry,
        (Assembled { entry, schema_given: false }, Some(known)) => {
            Entry { body: known.body, schema: known.schema, ..entry }
        }
        (Assembled { entry, schema_given: false }, None) => {
            return Err(fault(
                &format!("{}/{}/body.schema.json", entry.code, entry.version),
                "",
                "the file is missing",
            ));
        }
    };
    check(&entry, &file)?;
    catalogue.entries.entry(Arc::from(entry.code.as_str())).or_default().insert(entry.version, entry);
    Ok(())
}

/// A later edition of the rules; the schema and the examples are the first one's.
fn add_edition(common: &Json, first: &mut Entry, (folder, name, text): (&str, &str, &str)) -> Loaded<()> {
    let file = format!("{folder}/{name}");
    let written = written(folder, &file, text)?;
    check_day(name, &written).map_err(|remedy| fault(&file, "version_from", remedy))?;
    let Assembled { entry, .. } = assemble(common, Folder { name: folder.to_owned(), ..Folder::default() }, written)?;
    let edition = Entry { body: first.body.clone(), schema: first.schema.clone(), ..entry };
    check(&edition, &file)?;
    first.add_edition(edition).map_err(|remedy| fault(&file, "version_from", remedy))
}

fn written(folder: &str, file: &str, text: &str) -> Loaded<EntryFile> {
    let written: EntryFile = toml::from_str(text).map_err(|error| fault(file, "", error.to_string().trim_end()))?;
    if folder != format!("{}/{}", written.code, written.version) {
        return Err(fault(file, "code", format!("the folder must be {}/{}", written.code, written.version)));
    }
    Ok(written)
}

fn check(entry: &Entry, file: &str) -> Loaded<()> {
    entry.check_fact_fields().map_err(|remedy| fault(file, "facts", remedy))?;
    entry.check_case().map_err(|remedy| fault(file, "case", remedy))?;
    entry.check_rules().map_err(|(place, remedy)| fault(file, place, remedy))
}

struct Assembled {
    entry: Entry,
    schema_given: bool,
}

fn assemble(common: &Json, folder: Folder, written: EntryFile) -> Loaded<Assembled> {
    let file = folder.file("entry.toml");
    let role = written.role().map_err(|remedy| fault(&file, "role", remedy))?;
    let version_from = written.valid_from().map_err(|remedy| fault(&file, "version_from", remedy))?;
    let schema_file = folder.file("body.schema.json");
    let body = match &folder.schema {
        Some(text) => compile(&schema_file, common, &parse(&schema_file, text)?)?,
        None => RecordPlan { name: None, fields: Vec::new(), required: 0 },
    };
    let schema_given = folder.schema.is_some();
    let entry = Entry {
        namespace: format!("urn:mezhved:{}:{}", written.code, written.version).into(),
        code: written.code,
        version: written.version,
        title_ru: written.title_ru,
        title_en: written.title_en,
        role,
        parties: written.parties,
        answer: written.answer,
        duties: written.duties,
        term: written.term,
        in_house: written.in_house,
        sent_within: written.sent_within,
        registered_within: written.registered_within,
        redirected_within: written.redirected_within,
        extension_max_days: written.extension_max_days,
        suspension: written.suspension,
        suspensions_max: written.suspensions_max,
        special_category: written.special_category,
        needs_consent: written.needs_consent,
        carries: written.carries,
        case: written.case,
        law: written.law,
        source: written.source,
        version_from,
        editions: Vec::new(),
        facts: written.facts,
        body,
        schema: folder.schema.unwrap_or_default(),
        example_json: folder.example_json,
        example_xml: folder.example_xml,
    };
    Ok(Assembled { entry, schema_given })
}

/// Every type that answers another must exist.
fn check_answers(catalogue: &Catalogue) -> Loaded<()> {
    for (place, entry) in catalogue.entries().flat_map(|entry| entry.all_editions().enumerate()) {
        let day = if place == 0 { String::new() } else { format!("{}.", entry.version_from) };
        let file = format!("{}/{}/entry.{day}toml", entry.code, entry.version);
        let types = entry.answer.iter().flat_map(|answer| &answer.types);
        let named = entry.duties.iter().flat_map(|duty| duty.ends.iter().chain([&duty.answer]));
        if let Some(unknown) = named.into_iter().find(|code| !catalogue.knows(code.as_str())) {
            return Err(fault(&file, "duties", format!("`{unknown}` is no type of the catalogue")));
        }
        if let Some(unknown) = types.into_iter().find(|code| !catalogue.knows(code.as_str())) {
            return Err(fault(&file, "answer.types", format!("`{unknown}` is no type of the catalogue")));
        }
        let dated =
            entry.answer.as_ref().and_then(|answer| answer.each.as_ref()).is_some_and(|each| each.due.is_some());
        if entry.demands_answer() && entry.term.is_none() && !dated {
            return Err(fault(&file, "term", "a mandatory answer has a [term], or [answer.each] with a `due` field"));
        }
    }
    Ok(())
}
