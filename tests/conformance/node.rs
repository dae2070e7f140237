//! The private PostgreSQL node itself: what the other tests rely on when they stop, kill and share one.
//!
//! Promises: held against a real node. Never: touches the system's clusters.

use crate::postgres_node::Postgres;

const TABLE: &str = "CREATE TABLE kept (n integer); INSERT INTO kept SELECT generate_series(1, 7)";

#[test]
fn what_postgresql_has_confirmed_survives_its_kill() {
    let node = Postgres::start();
    let database = node.database();
    database.sql(TABLE);
    node.kill();
    assert!(database.try_sql("SELECT 1").is_err(), "the node answers after -9");
    node.restart();
    assert_eq!(database.sql("SELECT count(*) FROM kept"), "7");
    node.stop();
    assert!(database.try_sql("SELECT 1").is_err(), "the node answers after its end");
    node.restart();
    assert_eq!(database.sql("SELECT count(*) FROM kept"), "7");
}

#[test]
fn every_database_begins_empty_and_goes_with_its_test() {
    let node = Postgres::shared();
    let (first, second) = (node.database(), node.database());
    first.sql(TABLE);
    assert_eq!(second.sql("SELECT count(*) FROM pg_class WHERE relname = 'kept'"), "0");
    let found = format!("SELECT count(*) FROM pg_database WHERE datname = '{}'", first.name());
    assert_eq!(second.sql(&found), "1");
    drop(first);
    assert_eq!(second.sql(&found), "0");
}
