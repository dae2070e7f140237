//! The world of these tests: artificial bodies, and the built-in catalogue, calendars and ladders.

use mezhved::catalogue::Catalogue;
use mezhved::catalogue::calendars::embedded;
use mezhved::domain::calendar::CalendarSet;
use mezhved::domain::decision::Ladders;
use mezhved::domain::ids::ParticipantCode;
use mezhved::domain::participant::{Directory, Participant};
use mezhved::gateway::policy::Policies;
use serde::Deserialize;
use std::sync::OnceLock;

pub struct World {
    pub directory: Directory,
    pub calendars: CalendarSet,
    pub ladders: Ladders,
    pub policies: Policies,
}

#[derive(Deserialize)]
struct Bodies {
    body: Vec<Participant>,
}

pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| World {
        directory: bodies().into_iter().collect(),
        calendars: embedded().unwrap(),
        ladders: toml::from_str(include_str!("../../config/ladders.toml")).unwrap(),
        policies: Policies::of(Catalogue::builtin()).unwrap(),
    })
}

pub fn bodies() -> Vec<Participant> {
    toml::from_str::<Bodies>(include_str!("bodies.toml")).unwrap().body
}

pub fn body(code: &str) -> &'static Participant {
    world().directory.get(&ParticipantCode::new(code).unwrap()).unwrap()
}
