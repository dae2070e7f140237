//! The search for obligations: keyset pages by due instant and id.
//!
//! Promises: a page costs by its length. An index holds one state of one party in the order of the page, so that a
//! search takes the head of each and merges them, in one query. Never: skips or repeats a row that did not change
//! between two pages.

use crate::domain::exchange::Root;
use crate::domain::ids::ObligationId;
use crate::domain::obligation::State;
use crate::gateway::ports::StoreError;
use crate::gateway::ports::decisions::Direction;
use crate::gateway::ports::reads::{DutyFilter, DutyRow};
use crate::store::postgres::row::{Record, int};
use crate::store::postgres::views::events;
use crate::store::postgres::{exchanges, obligations};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use std::collections::HashMap;

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
pub(in crate::store::postgres) async fn by_id(
    connection: &mut PgConnection,
    id: ObligationId,
) -> Result<Option<DutyRow>, StoreError> {
    let row: Option<i64> = sqlx::query_scalar("SELECT n FROM obligation WHERE id = $1")
        .bind(id.0)
        .fetch_optional(&mut *connection)
        .await?;
    Ok(duty_rows(connection, row.as_slice()).await?.pop())
}

/// A page of obligations.
pub(in crate::store::postgres) async fn list(
    connection: &mut PgConnection,
    filter: &DutyFilter,
) -> Result<Vec<DutyRow>, StoreError> {
    let mut query = search(filter);
    let rows: Vec<i64> = query.build_query_scalar().fetch_all(&mut *connection).await?;
    duty_rows(connection, &rows).await
}

/// The states that a filter leaves.
fn states(filter: &DutyFilter) -> Vec<&'static str> {
    let open_only = filter.open_only || filter.overdue_at.is_some();
    let wanted = |state: &State| filter.state.is_none_or(|one| one == *state) && (!open_only || state.is_open());
    STATES.into_iter().filter(wanted).map(State::code).collect()
}

/// The query for the rows of a page, in its order: by the few obligations among which the filter leaves some, where there
/// are few, else by the indexes of the parties. Alerts may be few or many, and those are early in the order of time: there
/// the planner, which counts them, chooses the side to begin from.
fn search(filter: &DutyFilter) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("");
    match filter {
        DutyFilter { prepared: true, .. } => {
            query.push("WITH few AS MATERIALIZED (SELECT DISTINCT obligation AS n FROM rung WHERE state = 'prepared'");
        }
        DutyFilter { case: Some(case), .. } => {
            query.push("WITH few AS MATERIALIZED (SELECT n FROM obligation WHERE case_no = ").push_bind(case.as_str());
        }
        _ => return merged(query, filter),
    }
    sorted(query, filter)
}

/// All of the few, sorted. They stand written down, lest they be looked for among all obligations in the order of time.
fn sorted(mut query: QueryBuilder<Postgres>, filter: &DutyFilter) -> QueryBuilder<Postgres> {
    query.push(") SELECT o.n FROM few JOIN obligation o ON o.n = few.n WHERE o.state = ANY(");
    query.push_bind(states(filter)).push(")");
    if let Some(viewer) = &filter.viewer {
        let viewer = viewer.as_str();
        match filter.direction {
            Some(direction) => party(&mut query, (viewer, direction)),
            None => {
                query.push(" AND (o.performer = ").push_bind(viewer).push(" OR o.controller = ").push_bind(viewer);
                query.push(")");
            }
        }
    }
    conditions(&mut query, filter);
    query
}

/// The heads of the indexes: of each state, of each side that the viewer stands on.
fn merged(mut query: QueryBuilder<Postgres>, filter: &DutyFilter) -> QueryBuilder<Postgres> {
    let sides: Vec<Option<Direction>> = match (&filter.viewer, filter.direction) {
        (Some(_), None) => vec![Some(Direction::Outgoing), Some(Direction::Incoming)],
        (_, direction) => vec![direction],
    };
    query.push("SELECT n FROM (");
    for (place, side) in sides.into_iter().enumerate() {
        query.push(if place == 0 { "" } else { " UNION ALL " });
        query.push("SELECT h.n, h.due_at, h.id FROM unnest(").push_bind(states(filter));
        query.push("::text[]) AS s (state) CROSS JOIN LATERAL (");
        query.push("SELECT o.n, o.due_at, o.id FROM obligation o WHERE o.state = s.state");
        if let Some((viewer, side)) = filter.viewer.as_ref().zip(side) {
            party(&mut query, (viewer.as_str(), side));
        }
        conditions(&mut query, filter);
        query.push(") h");
    }
    query.push(") heads ORDER BY due_at, id LIMIT ").push_bind(int(filter.limit));
    query
}

/// What stays in the house (a visit act) is owed by its people, not to them; so no row has a viewer on both sides.
fn party(query: &mut QueryBuilder<Postgres>, (viewer, side): (&str, Direction)) {
    match side {
        Direction::Outgoing => query.push(" AND o.performer = ").push_bind(viewer),
        Direction::Incoming => {
            query.push(" AND o.controller = ").push_bind(viewer).push(" AND o.performer <> ").push_bind(viewer)
        }
    };
}

/// The conditions that every search of a filter has, its order and its length.
fn conditions(query: &mut QueryBuilder<Postgres>, filter: &DutyFilter) {
    if let Some(performer) = &filter.performer {
        query.push(" AND o.performer = ").push_bind(performer.as_str());
    }
    if let Some(case) = &filter.case {
        query.push(" AND o.case_no = ").push_bind(case.as_str());
    }
    if let Some(before) = filter.overdue_at.into_iter().chain(filter.due_before).min() {
        query.push(" AND o.due_at < ").push_bind(before);
    }
    if filter.alerted {
        query.push(" AND EXISTS (SELECT 1 FROM alert a WHERE a.obligation = o.n AND a.state <> 'resolved')");
    }
    if let Some((due_at, id)) = filter.after {
        query.push(" AND (o.due_at, o.id) > (").push_bind(due_at).push(", ").push_bind(id.0).push(")");
    }
    query.push(" ORDER BY o.due_at, o.id LIMIT ").push_bind(int(filter.limit));
}

/// The obligations of these rows with all that is shown of them, in this order.
async fn duty_rows(connection: &mut PgConnection, rows: &[i64]) -> Result<Vec<DutyRow>, StoreError> {
    let found = obligations::by_rows(connection, rows).await?;
    let row_of: HashMap<ObligationId, i64> = found.iter().map(|one| (one.obligation.id, one.n)).collect();
    let exchange_rows: Vec<i64> = found.iter().map(|one| one.exchange_n).collect();
    let roots = roots(connection, &exchange_rows).await?;
    let mut events = events::latest_of_obligations(connection, rows).await?;
    let mut shown = HashMap::new();
    for (exchange, duty) in exchanges::duties(connection, found).await? {
        let Some(n) = row_of.get(&duty.obligation.id) else { continue };
        let (root, last_event) = (roots.get(&exchange).cloned().flatten(), events.remove(n));
        shown.insert(*n, DutyRow { duty, root, last_event });
    }
    Ok(rows.iter().filter_map(|n| shown.remove(n)).collect())
}

/// The roots of the exchanges of these rows.
async fn roots(connection: &mut PgConnection, rows: &[i64]) -> Result<HashMap<i64, Option<Root>>, StoreError> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let found = sqlx::query("SELECT n, root FROM exchange WHERE n = ANY($1)").bind(rows).fetch_all(connection).await?;
    let read = |row| {
        let record = Record::new(row, "exchange");
        Ok((record.integer("n")?, record.opt_json("root")?))
    };
    found.iter().map(read).collect()
}
