//! Indexes and constraints, taken off while rows are copied and put on again over all of them.
//!
//! Promises: what is put on again is what was taken off, checked against every row. Never: leaves a table without them.

use sqlx::{AssertSqlSafe, PgConnection};

/// References go first and come back last, because they lean on the keys.
const CONSTRAINTS: &str = "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
         format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
     FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'u', 'p')
     ORDER BY contype = 'f' DESC, oid";
const INDEXES: &str = "SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
     FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
     WHERE relnamespace = 'public'::regnamespace
         AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)";

/// What puts everything on again, in order.
pub async fn take_off(connection: &mut PgConnection) -> Vec<String> {
    let mut back = Vec::new();
    for which in [CONSTRAINTS, INDEXES] {
        let found: Vec<(String, String)> = sqlx::query_as(which).fetch_all(&mut *connection).await.unwrap();
        for (drop, add) in found {
            run(connection, drop).await;
            back.push(add);
        }
    }
    back.reverse();
    back
}

/// Puts it on again.
pub async fn put_on(connection: &mut PgConnection, taken_off: Vec<String>) {
    run(connection, "SET maintenance_work_mem = '1GB'".to_owned()).await;
    for add in taken_off {
        run(connection, add).await;
    }
}

async fn run(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}
