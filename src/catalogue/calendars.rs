//! The calendars as files: TOML in `config/calendars/`, compiled in as the default.
//!
//! Promises: what is loaded is free of contradictions; a fault names the file and the key, all faults at once.
//! Never: invents a year, a holiday or a region.

use crate::domain::calendar::{
    AppliesTo, Awaited, CalendarFault, CalendarSet, FederalCalendar, FederalYear, Holidays, Overlay, RegionalCalendar,
    SourceStatus,
};
use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

const FEDERAL: &str = include_str!("../../config/calendars/ru.toml");
const REGIONS: &str = include_str!("../../config/calendars/regions.toml");
const OVERLAYS: &str = include_str!("../../config/calendars/overlays.toml");

/// The texts of the three files.
#[derive(Debug, Clone, Copy)]
pub struct CalendarTexts<'a> {
    /// `ru.toml`: the federal years.
    pub federal: &'a str,
    /// `regions.toml`: the known regions with their titles.
    pub regions: &'a str,
    /// `overlays.toml`: what regions add.
    pub overlays: &'a str,
}

/// Why calendar files were refused.
#[derive(Debug, thiserror::Error)]
pub enum CalendarLoadError {
    /// A file is no TOML of this shape; the source gives line and column.
    #[error("config/calendars/{file}: {source}")]
    Shape { file: &'static str, source: toml::de::Error },
    /// The data contradicts itself.
    #[error("config/calendars: {} fault(s): {}", .0.len(), listed(.0))]
    Contradictions(Vec<CalendarFault>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FederalFile {
    name: String,
    // For people who read the file; nothing shows it yet.
    #[serde(rename = "title")]
    _title: String,
    version: String,
    #[serde(default)]
    provisional_through: Option<i32>,
    holidays: Holidays,
    year: Vec<FederalYear>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverlayFile {
    version: String,
    #[serde(default)]
    overlay: Vec<OverlayRows>,
    #[serde(default)]
    awaited: Vec<Awaited>,
}

/// Days of one region that have everything but the date in common.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverlayRows {
    region: String,
    dates: Vec<NaiveDate>,
    title: String,
    #[serde(default)]
    works: bool,
    #[serde(default)]
    applies_to: AppliesTo,
    act: String,
    status: SourceStatus,
}

/// The calendars that the program was built with.
///
/// # Errors
/// [`CalendarLoadError`] when the data of the build is wrong, which a test prevents.
pub fn embedded() -> Result<CalendarSet, CalendarLoadError> {
    load(CalendarTexts { federal: FEDERAL, regions: REGIONS, overlays: OVERLAYS })
}

/// Calendars from the texts of the three files.
///
/// # Errors
/// [`CalendarLoadError`] with the file and the place.
pub fn load(texts: CalendarTexts<'_>) -> Result<CalendarSet, CalendarLoadError> {
    let federal: FederalFile = parse("ru.toml", texts.federal)?;
    let regions: BTreeMap<String, String> = parse("regions.toml", texts.regions)?;
    let overlays: OverlayFile = parse("overlays.toml", texts.overlays)?;
    let FederalFile { name, version, provisional_through, holidays, year: years, .. } = federal;
    let federal = FederalCalendar { name, version, holidays, years, provisional_through };
    let regional = RegionalCalendar {
        version: overlays.version,
        titles: regions,
        overlays: overlays.overlay.iter().flat_map(OverlayRows::days).collect(),
        awaited: overlays.awaited,
    };
    CalendarSet::new(federal, regional).map_err(CalendarLoadError::Contradictions)
}

impl OverlayRows {
    fn days(&self) -> impl Iterator<Item = Overlay> + '_ {
        self.dates.iter().map(|date| Overlay {
            region: self.region.clone(),
            date: *date,
            title: self.title.clone(),
            applies_to: self.applies_to,
            act: self.act.clone(),
            status: self.status,
            works: self.works,
        })
    }
}

fn parse<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<T, CalendarLoadError> {
    toml::from_str(text).map_err(|source| CalendarLoadError::Shape { file, source })
}

fn listed(faults: &[CalendarFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
