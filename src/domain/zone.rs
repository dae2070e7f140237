//! Time zones by IANA name: the one place that looks a zone up.
//!
//! Promises: a [`Zone`] exists. Never: reads the machine's own zone.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use serde::{Deserialize, Serialize};

/// A time zone of a participant, e.g. `Asia/Irkutsk`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(chrono_tz::Tz);

/// A zone name that IANA does not list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no IANA time zone; write it as `Asia/Irkutsk`")]
pub struct UnknownZone(String);

impl Zone {
    /// The zone of that name.
    ///
    /// # Errors
    /// [`UnknownZone`] when IANA does not list it.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        name.parse().map(Self).map_err(|_| UnknownZone(name.to_owned()))
    }

    /// The wall-clock reading of an instant here.
    #[must_use]
    pub fn local(self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.with_timezone(&self.0).naive_local()
    }

    /// The local date of an instant.
    #[must_use]
    pub fn date(self, instant: DateTime<Utc>) -> NaiveDate {
        self.local(instant).date()
    }

    /// The instant with the offset in force here.
    #[must_use]
    pub fn with_offset(self, instant: DateTime<Utc>) -> DateTime<FixedOffset> {
        let local = instant.with_timezone(&self.0);
        local.with_timezone(&local.offset().fix())
    }

    /// The instant of a local date and time. Russian zones have had no daylight saving since 2014; in a zone that has
    /// it, a time that happens twice is the earlier one, and a skipped time is read as if the clock had not jumped.
    #[must_use]
    pub fn instant(self, date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
        let naive = date.and_time(time);
        match self.0.from_local_datetime(&naive).earliest() {
            Some(instant) => instant.with_timezone(&Utc),
            None => (naive - self.0.offset_from_utc_datetime(&naive).fix()).and_utc(),
        }
    }

    /// 24:00 of a local date, i.e. 00:00 of the next (ГК ст. 194).
    #[must_use]
    pub fn end_of(self, date: NaiveDate) -> DateTime<Utc> {
        self.instant(date.succ_opt().unwrap_or(date), NaiveTime::MIN)
    }

    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;
    fn try_from(name: String) -> Result<Self, UnknownZone> {
        Self::named(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}
