//! On what the figures were taken: without it a figure says nothing.

use crate::support::postgres::Postgres;
use std::process::Command;

/// Processor, cores, and the versions of what takes part.
pub fn described(postgres: &Postgres) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let database = postgres.database().sql("SHOW server_version");
    let rabbit = Command::new("dpkg-query").args(["-W", "-f", "${Version}", "rabbitmq-server"]).output();
    let rabbit = rabbit.map_or_else(|_| "?".into(), |said| String::from_utf8_lossy(&said.stdout).into_owned());
    let python = Command::new("python3").arg("--version").output();
    let python = python.map_or_else(|_| "?".into(), |said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    format!(
        "{}, {cores} cores; PostgreSQL {database}; RabbitMQ {rabbit}; {python}; mezhved {}",
        model.unwrap_or("an unknown processor"),
        env!("CARGO_PKG_VERSION")
    )
}
