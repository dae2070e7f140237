//! What the gateway itself writes: requests of ten centres to two hundred schools, eight addressees each, delivered and
//! registered.

use mezhved::app::builtin_ladders;
use mezhved::catalogue::{Catalogue, calendars};
use mezhved::clock::Clock;
use mezhved::config::participants;
use mezhved::domain::ids::ParticipantCode;
use mezhved::domain::message::Format;
use mezhved::gateway::act::RegistrationNotice;
use mezhved::gateway::arrival::{Arrival, ChannelKind};
use mezhved::gateway::ports::Store;
use mezhved::gateway::ports::reads::InboxPage;
use mezhved::gateway::{Gateway, Parts};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Obligations of one writing.
pub const COUNT: usize = 1000;
const ADDRESSEES: usize = 8;
const CENTRES: usize = 10;
const SCHOOLS: usize = 200;

/// A gateway over that store, with the bodies in its directory.
pub async fn gateway(store: Arc<dyn Store>, clock: Clock) -> Gateway {
    let mut text = String::new();
    for (kind, code, count) in [("social_centre", "centre", CENTRES), ("school", "school", SCHOOLS)] {
        for number in 0..count {
            text.push_str(&format!(
                "[[participants]]\ncode = \"{code}-{number}\"\nkind = \"{kind}\"\nregion = \"RU-IRK\"\n\
                 title = \"Вымышленный участник {code}-{number}\"\nzone = \"Asia/Irkutsk\"\nformat = \"json\"\n"
            ));
        }
    }
    store.import_participants(participants::from_toml(&text).unwrap()).await.unwrap();
    let scans = std::env::temp_dir().join(format!("mezhved-scale-{}", std::process::id()));
    let parts = Parts {
        store,
        objects: Arc::new(mezhved::store::objects::ObjectFolder::new(scans)),
        catalogue: Arc::clone(Catalogue::builtin()),
        calendars: Arc::new(calendars::embedded().unwrap()),
        ladders: Arc::new(builtin_ladders().unwrap()),
        clock,
        sweep_age_max_s: 60,
    };
    Gateway::start(parts).await.unwrap()
}

/// Writes [`COUNT`] obligations that are due on that day or on so many days from it; each letter is taken and registered.
pub async fn write(gateway: &Gateway, (from, days): (&str, u64)) {
    let first: chrono::NaiveDate = from.parse().unwrap();
    let requests = (0..COUNT / ADDRESSEES).map(|number| {
        let due_on = first + chrono::Days::new(number as u64 % days);
        let to = (0..ADDRESSEES).map(|one| format!("school-{}", (number * ADDRESSEES + one) % SCHOOLS));
        gateway.submit(request(number, to.collect(), &due_on.to_string()))
    });
    for submitted in futures_util::future::join_all(requests).await {
        assert_eq!(submitted.unwrap().accepted.obligations.len(), ADDRESSEES);
    }
    for school in 0..SCHOOLS {
        let recipient = ParticipantCode::new(&format!("school-{school}")).unwrap();
        let page = InboxPage { recipient: recipient.clone(), after: 0, limit: 200 };
        let letters = gateway.inbox(page).await.unwrap();
        let registering = letters.iter().map(|letter| {
            let (sha256, number) = (Some(letter.content_sha256.clone()), Some(format!("вх-{}", letter.seq)));
            let notice =
                RegistrationNotice { accepted: true, content_sha256: sha256, number, date: None, reason: None };
            gateway.register_delivery(letter.id, &recipient, notice)
        });
        for registered in futures_util::future::join_all(registering).await {
            registered.unwrap();
        }
    }
}

/// A request of a centre to schools that states its date.
pub fn request(number: usize, to: Vec<String>, due_on: &str) -> Arrival {
    let mut message: Value =
        serde_json::from_str(include_str!("../../schemas/request.information/1/example.json")).unwrap();
    let centre = format!("centre-{}", number % CENTRES);
    message["id"] = json!(Uuid::new_v4());
    message["from"] = json!(centre);
    message["to"] = json!(to);
    // The case and its log of disclosures are a matter of their own.
    for left_out in ["case", "reply_by", "registration", "signatory"] {
        message.as_object_mut().unwrap().remove(left_out);
    }
    message["body"]["requested_due"] = json!(due_on);
    let content = serde_json::to_vec(&message).unwrap().into();
    let sender = ParticipantCode::new(&centre).unwrap();
    Arrival { sender, format: Format::Json, content, channel: ChannelKind::Http, transport_id: None }
}
