//! The verbs: receive, act, sweep, dispatch, and what may be shown.
//!
//! Promises: load, decide, save, commit; a receipt only after the commit. Never: SQL, a broker, HTTP.

pub mod act;
pub mod adopt;
pub mod arrival;
pub mod attachments;
pub mod case_file;
pub mod cases;
mod commands;
mod committer;
pub mod content;
pub mod desk;
mod digest;
pub mod dispatch;
pub mod duties;
pub mod evidence;
mod intake;
pub mod journal;
pub mod notices;
mod outlook;
pub mod paper;
pub mod passing;
pub mod policy;
pub mod ports;
mod quarantine;
mod receipts;
pub mod rejection;
mod rulings;
pub mod show;
mod spoken;
mod suspicion;
pub mod sweep;
mod view;
pub mod views;
mod working_set;

use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::domain::calendar::CalendarSet;
use crate::domain::decision::{Context, Ladders};
use crate::domain::ids::{ParticipantCode, TypeCode};
use crate::domain::participant::{Directory, Participant};
use crate::domain::zone::Zone;
use crate::flaw::{self, Flaw};
use crate::gateway::attachments::AttachmentRules;
use crate::gateway::committer::Job;
use crate::gateway::passing::Passing;
use crate::gateway::policy::{Policies, PolicyFault};
use crate::gateway::ports::{Objects, Store, StoreError};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};
use tokio::sync::{mpsc, watch};

/// Jobs that may wait for the committer: backpressure on every door.
const JOBS_WAITING_MAX: usize = 4096;
/// A clock set back by less than this stands still instead; a greater step is believed, with an alarm.
const CLOCK_STEP_BACK_HOURS_MAX: i64 = 2;

/// The gateway: cheap to clone, shared by every door and worker.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

/// What a gateway is made of.
pub struct Parts {
    pub store: Arc<dyn Store>,
    /// Where attachments and scans of paper are kept.
    pub objects: Arc<dyn Objects>,
    pub catalogue: Arc<Catalogue>,
    pub calendars: Arc<CalendarSet>,
    pub ladders: Arc<Ladders>,
    pub clock: Clock,
    /// How old the last sweep may be before the gateway is not ready, in seconds.
    pub sweep_age_max_s: u64,
}

struct Inner {
    store: Arc<dyn Store>,
    objects: Arc<dyn Objects>,
    attachment_rules: OnceLock<AttachmentRules>,
    catalogue: Arc<Catalogue>,
    policies: Policies,
    calendars: Arc<CalendarSet>,
    ladders: Arc<Ladders>,
    clock: Clock,
    directory: RwLock<Arc<Directory>>,
    directory_generation: AtomicU64,
    jobs: mpsc::Sender<Job>,
    changes: watch::Sender<u64>,
    passing: Arc<Passing>,
    unended: suspicion::Unended,
    /// The latest instant that was used, in microseconds: time does not run behind it.
    floor_us: AtomicI64,
    /// The instant of the last whole sweep, in microseconds; 0 before the first.
    swept_us: AtomicI64,
    sweep_age_max_s: u64,
    conditions: RwLock<Vec<Condition>>,
    /// What an operator should look at though the gateway is ready.
    notes: RwLock<Vec<Condition>>,
    posting: OnceLock<notices::Posting>,
    /// The schemas as files, made when they are first asked for.
    schemas: OnceLock<BTreeMap<String, String>>,
}

/// Something that must be so for the gateway to be ready; says what is not.
type Condition = Box<dyn Fn() -> Option<String> + Send + Sync>;

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Policy(#[from] PolicyFault),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Gateway {
    /// Starts the gateway: reads the participants and starts the committer, which ends when the last clone is gone.
    ///
    /// # Errors
    /// [`StartError`]: a type's rule cannot be used, or the store cannot be read.
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let policies = Policies::of(&parts.catalogue)?;
        let generation = parts.store.participants_generation().await?;
        let directory = directory_of(parts.store.participants().await?);
        let latest = parts.store.latest_instant().await?;
        let (jobs, waiting) = mpsc::channel(JOBS_WAITING_MAX);
        let inner = Arc::new(Inner {
            store: parts.store,
            objects: parts.objects,
            attachment_rules: OnceLock::new(),
            catalogue: parts.catalogue,
            policies,
            calendars: parts.calendars,
            ladders: parts.ladders,
            clock: parts.clock,
            directory: RwLock::new(Arc::new(directory)),
            directory_generation: AtomicU64::new(generation),
            jobs,
            changes: watch::channel(0).0,
            passing: Arc::default(),
            unended: suspicion::Unended::default(),
            floor_us: AtomicI64::new(latest.map_or(0, |at| at.timestamp_micros())),
            swept_us: AtomicI64::new(0),
            sweep_age_max_s: parts.sweep_age_max_s,
            conditions: RwLock::new(Vec::new()),
            notes: RwLock::new(Vec::new()),
            posting: OnceLock::new(),
            schemas: OnceLock::new(),
        });
        tokio::spawn(committer::run(Arc::downgrade(&inner), waiting));
        if let Some(elsewhere) = inner.store.changes_elsewhere() {
            tokio::spawn(hear(Arc::downgrade(&inner), elsewhere));
        }
        Ok(Self(inner))
    }

    /// Reads the participants again if they were imported anew.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn refresh_directory(&self) -> Result<bool, StoreError> {
        let generation = self.0.store.participants_generation().await?;
        if generation == self.0.directory_generation.load(Ordering::Acquire) {
            return Ok(false);
        }
        let directory = directory_of(self.0.store.participants().await?);
        *self.0.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
        self.0.directory_generation.store(generation, Ordering::Release);
        Ok(true)
    }

    /// Adds something that must be so for the gateway to be ready: it says why it is not.
    pub fn add_condition(&self, condition: impl Fn() -> Option<String> + Send + Sync + 'static) {
        self.0.conditions.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(condition));
    }

    /// The participants as they are now.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.0.directory()
    }

    /// The catalogue that this gateway exchanges by.
    #[must_use]
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.0.catalogue
    }

    /// One file of the exported schemas.
    #[must_use]
    pub fn schema_file(&self, name: &str) -> Option<&str> {
        let files = self.0.schemas.get_or_init(|| match self.0.catalogue.export() {
            Ok(files) => files.into_iter().collect(),
            Err(fault) => {
                tracing::error!(%fault, "the schemas cannot be exported");
                BTreeMap::new()
            }
        });
        files.get(name).map(String::as_str)
    }

    /// The gateway's own clock, never behind what it has recorded.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    /// The clock itself, for workers that wait.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }
}

/// Passes on what other gateways of the same store commit, until the gateway or the store is gone: pages and workers wake
/// up as after a commit of our own.
async fn hear(gateway: Weak<Inner>, mut elsewhere: watch::Receiver<u64>) {
    while elsewhere.changed().await.is_ok() {
        let Some(inner) = gateway.upgrade() else { return };
        inner.changes.send_modify(|count| *count += 1);
    }
}

impl Inner {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Now, monotone: a clock that was set back a little stands still until it has caught up (a recorded time never
    /// moves back); a clock that was far ahead and is right again is believed.
    fn now(&self) -> DateTime<Utc> {
        let now = self.clock.now();
        let floor = DateTime::from_timestamp_micros(self.floor_us.load(Ordering::Acquire)).unwrap_or(now);
        if flaw::is(Flaw::ClockBackBelieved) {
            return now;
        }
        if floor - now > TimeDelta::hours(CLOCK_STEP_BACK_HOURS_MAX) {
            tracing::error!("the clock is hours behind the last record; if it is right now, the records were ahead");
            return now;
        }
        let now = now.max(floor);
        self.floor_us.fetch_max(now.timestamp_micros(), Ordering::AcqRel);
        now
    }

    fn context<'a>(&'a self, directory: &'a Directory, now: DateTime<Utc>) -> Context<'a> {
        Context { now, calendars: &self.calendars, ladders: &self.ladders, directory }
    }

    /// The local date at a participant; UTC for one that is not known.
    fn date_at(&self, of: &ParticipantCode, at: DateTime<Utc>) -> NaiveDate {
        self.directory().get(of).map_or_else(|| at.date_naive(), |found| found.zone.date(at))
    }

    fn year_at(&self, of: &ParticipantCode, at: DateTime<Utc>) -> i32 {
        working_set::year_of(self.date_at(of, at))
    }

    /// The Russian title of a type; its code where the catalogue has no such type.
    fn title_of(&self, code: &TypeCode) -> String {
        self.catalogue.latest(code).map_or_else(|| code.to_string(), |entry| entry.title_ru.clone())
    }

    fn participant(&self, code: &ParticipantCode) -> Option<Arc<Participant>> {
        self.directory().get(code).cloned()
    }
}

fn directory_of(participants: Vec<Participant>) -> Directory {
    let zone_of = |one: &Participant| match flaw::is(Flaw::DaysOfUtc) {
        true => Zone::named("UTC").unwrap_or(one.zone),
        false => one.zone,
    };
    participants.into_iter().map(|one| Participant { zone: zone_of(&one), ..one }).collect()
}
