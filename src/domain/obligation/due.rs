//! The due date in force: the counted one, what was granted beyond it, what was counted anew after a pause.
//!
//! Promises: follows from the recorded facts and the frozen protocols alone. Never: counts a day.

use super::{Fact, FrozenDue, Obligation, Pause};
use chrono::{DateTime, NaiveDate, Utc};

impl Obligation {
    /// The due date as it is counted, before extensions and pauses: the frozen one, or that of the calendar adopted last.
    #[must_use]
    pub fn counted(&self) -> &FrozenDue {
        self.counted_then(DateTime::<Utc>::MAX_UTC)
    }

    /// The due date in force: the counted one, or the latest that was granted or counted anew after a pause.
    #[must_use]
    pub fn due_on(&self) -> NaiveDate {
        self.due_on_with(self.counted())
    }

    /// The due date in force if the counted one were this.
    #[must_use]
    pub fn due_on_with(&self, counted: &FrozenDue) -> NaiveDate {
        let further = self.further(&self.pauses, DateTime::<Utc>::MAX_UTC);
        further.map(|(on, _)| on).fold(counted.on, NaiveDate::max)
    }

    /// The instant in force after which an answer is late.
    #[must_use]
    pub fn due_at(&self) -> DateTime<Utc> {
        self.due_then(&self.pauses, DateTime::<Utc>::MAX_UTC).1
    }

    /// The instant before which the performer is not accused.
    #[must_use]
    pub fn lenient_at(&self) -> DateTime<Utc> {
        let resumed = self.resumptions().map(|resumed| resumed.due.lenient_at);
        resumed.fold(self.due_at().max(self.counted().lenient_at), DateTime::max)
    }

    /// The due date as it was counted at an instant: the frozen one, or that of the calendar adopted last until then.
    pub(super) fn counted_then(&self, then: DateTime<Utc>) -> &FrozenDue {
        let until = self.facts.iter().rev().filter(|fact| fact.at() <= then);
        until.filter_map(Fact::moved_to).next().unwrap_or(&self.due)
    }

    /// The dates beyond the counted one, by these pauses and the extensions granted until an instant.
    pub(super) fn further<'a>(
        &'a self,
        pauses: &'a [Pause],
        then: DateTime<Utc>,
    ) -> impl Iterator<Item = (NaiveDate, DateTime<Utc>)> + 'a {
        let granted = self.facts.iter().filter_map(move |fact| match fact {
            Fact::Extended { at, due_on, due_at, .. } if *at <= then => Some((*due_on, *due_at)),
            _ => None,
        });
        let resumed = pauses.iter().filter_map(|pause| pause.resumed.as_ref()).map(|one| (one.due.on, one.due.at));
        granted.chain(resumed)
    }

    /// The due date that was in force at an instant, by these pauses and what was decided until then.
    pub(in crate::domain) fn due_then(&self, pauses: &[Pause], then: DateTime<Utc>) -> (NaiveDate, DateTime<Utc>) {
        let counted = self.counted_then(then);
        let later =
            |(on, at): (NaiveDate, DateTime<Utc>), (further_on, further_at)| (on.max(further_on), at.max(further_at));
        self.further(pauses, then).fold((counted.on, counted.at), later)
    }
}
