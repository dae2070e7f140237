//! The search for obligations: keyset pages by due instant and id.
//!
//! Promises: a page costs by its length. An index holds one state of one party in the order of the page, so that a
//! search asks it once per state and merges. Never: skips or repeats a row that did not change between two pages.

use crate::domain::ids::ObligationId;
use crate::domain::obligation::State;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::Direction;
use crate::gateway::ports::reads::{DutyFilter, DutyRow};
use crate::store::sqlite::row::{Record, int, micros};
use crate::store::sqlite::{events, exchanges, obligations};
use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

const STATES: [State; 9] = [
    State::Running,
    State::Suspended,
    State::Answered,
    State::Fulfilled,
    State::FulfilledLate,
    State::Refused,
    State::Redirected,
    State::Withdrawn,
    State::Void,
];

/// The obligation of that id.
pub(super) fn by_id(connection: &Connection, id: ObligationId) -> Result<Option<DutyRow>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT n FROM obligation WHERE id = ?1")?;
    let n: Option<i64> = statement.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?;
    n.map(|n| duty_row(connection, n)).transpose()
}

/// A page of obligations.
pub(super) fn list(connection: &Connection, filter: &DutyFilter) -> Result<Vec<DutyRow>, StoreError> {
    let mut hits = Vec::new();
    for query in queries(filter) {
        query.run(connection, &mut hits)?;
    }
    hits.sort_unstable();
    hits.dedup();
    hits.truncate(filter.limit);
    hits.into_iter().map(|hit| duty_row(connection, hit.n)).collect()
}

fn duty_row(connection: &Connection, n: i64) -> Result<DutyRow, StoreError> {
    let found = obligations::by_row(connection, n)?;
    let root = exchanges::root(connection, found.exchange_n)?;
    let last_event = events::latest_of_obligation(connection, n)?;
    Ok(DutyRow { duty: exchanges::duty(connection, found)?, root, last_event })
}

/// A row found, in the order of the page.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    due_at: i64,
    id: Uuid,
    n: i64,
}

/// The states that a filter leaves.
fn states(filter: &DutyFilter) -> Vec<State> {
    let open_only = filter.open_only || filter.overdue_at.is_some();
    let wanted = |state: &State| filter.state.is_none_or(|one| one == *state) && (!open_only || state.is_open());
    STATES.into_iter().filter(wanted).collect()
}

/// The queries whose results together are the page: the sparse side first, where there is one.
fn queries(filter: &DutyFilter) -> Vec<Query<'_>> {
    let from = match filter {
        DutyFilter { prepared: true, .. } => Some(
            "(SELECT DISTINCT obligation FROM rung WHERE state = 'prepared') s CROSS JOIN obligation o
             ON o.n = s.obligation",
        ),
        DutyFilter { alerted: true, .. } => Some(
            "(SELECT obligation FROM alert WHERE state <> 'resolved') s CROSS JOIN obligation o ON o.n = s.obligation",
        ),
        DutyFilter { case: Some(_), .. } => Some("obligation o INDEXED BY obligation_by_case"),
        _ => None,
    };
    let mut queries = Vec::new();
    for state in states(filter) {
        for (party, index) in parties(filter) {
            let mut query = Query::new(from.unwrap_or(index), filter);
            // The plus keeps SQLite from leaving the sparse side for the index of states.
            query.and(if from.is_some() { "+o.state = :state" } else { "o.state = :state" });
            query.bind(":state", state.code());
            query.conditions.extend(party);
            queries.push(query);
        }
    }
    queries
}

/// By which party's index to go, and the condition on that party.
fn parties(filter: &DutyFilter) -> Vec<(Option<&'static str>, &'static str)> {
    const BY_DUE: &str = "obligation o INDEXED BY obligation_by_due";
    const BY_PERFORMER: &str = "obligation o INDEXED BY obligation_by_performer";
    const BY_CONTROLLER: &str = "obligation o INDEXED BY obligation_by_controller";
    let owes = (Some("o.performer = :viewer"), BY_PERFORMER);
    let is_owed = if filter.performer.is_some() { BY_PERFORMER } else { BY_CONTROLLER };
    let is_owed = (Some("o.controller = :viewer"), is_owed);
    match (&filter.viewer, filter.direction) {
        (Some(_), Some(Direction::Outgoing)) => vec![owes],
        // What stays in the house (a visit act) is owed by its people, not to them.
        (Some(_), Some(Direction::Incoming)) => {
            vec![(Some("o.controller = :viewer AND o.performer <> :viewer"), is_owed.1)]
        }
        (Some(_), None) => vec![owes, is_owed],
        (None, _) => vec![(None, if filter.performer.is_some() { BY_PERFORMER } else { BY_DUE })],
    }
}

/// One query with its values.
struct Query<'f> {
    from: &'static str,
    conditions: Vec<&'static str>,
    values: Vec<(&'static str, Box<dyn ToSql + 'f>)>,
}

impl<'f> Query<'f> {
    /// The conditions that every query of a filter has.
    fn new(from: &'static str, filter: &'f DutyFilter) -> Self {
        let mut query = Self { from, conditions: Vec::new(), values: Vec::new() };
        query.bind(":limit", int(filter.limit));
        if let Some(viewer) = &filter.viewer {
            query.bind(":viewer", viewer.as_str());
        }
        if let Some(performer) = &filter.performer {
            query.and("o.performer = :performer").bind(":performer", performer.as_str());
        }
        if let Some(case) = &filter.case {
            query.and("o.case_no = :case").bind(":case", case.as_str());
        }
        let overdue_at = filter.overdue_at.into_iter();
        if let Some(before) = overdue_at.chain(filter.due_before).min() {
            query.and("o.due_at < :before").bind(":before", micros(before));
        }
        if filter.alerted {
            query.and("EXISTS (SELECT 1 FROM alert a WHERE a.obligation = o.n AND a.state <> 'resolved')");
        }
        if let Some((due_at, id)) = filter.after {
            query.and("(o.due_at, o.id) > (:after_at, :after_id)");
            query.bind(":after_at", micros(due_at)).bind(":after_id", id.0.into_bytes());
        }
        query
    }

    fn and(&mut self, condition: &'static str) -> &mut Self {
        self.conditions.push(condition);
        self
    }

    fn bind(&mut self, name: &'static str, value: impl ToSql + 'f) -> &mut Self {
        self.values.push((name, Box::new(value)));
        self
    }

    fn run(&self, connection: &Connection, hits: &mut Vec<Hit>) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT o.n, o.due_at, o.id FROM {} WHERE {} ORDER BY o.due_at, o.id LIMIT :limit",
            self.from,
            self.conditions.join(" AND ")
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let values: Vec<(&str, &dyn ToSql)> = self.values.iter().map(|(name, value)| (*name, &**value)).collect();
        for hit in statement.query_and_then(&values[..], hit)? {
            hits.push(hit?);
        }
        Ok(())
    }
}

fn hit(row: &Row<'_>) -> Result<Hit, StoreError> {
    let record = Record::new(row, "obligation");
    Ok(Hit { due_at: record.integer("due_at")?, id: record.uuid("id")?, n: record.integer("n")? })
}
