//! The messages of the measurement: requests of 1.5 to 2 KB in XML to two hundred schools that read JSON.

use mezhved::domain::ids::ParticipantCode;
use uuid::Uuid;

pub const SENDER: &str = "centre-bench";
/// How many schools there are.
pub const SCHOOLS: usize = 200;

/// The code of a school.
pub fn school(number: usize) -> String {
    format!("school-{number}")
}

/// The sender and the schools, as the file to import.
pub fn participants() -> String {
    let mut text = one(SENDER, "social_centre", "xml");
    for number in 0..SCHOOLS {
        text.push_str(&one(&school(number), "school", "json"));
    }
    text
}

fn one(code: &str, kind: &str, format: &str) -> String {
    assert!(ParticipantCode::new(code).is_ok());
    format!(
        "[[participants]]\ncode = \"{code}\"\nkind = \"{kind}\"\ntitle = \"Вымышленный участник {code}\"\n\
         region = \"RU-IRK\"\nzone = \"Asia/Irkutsk\"\nformat = \"{format}\"\nroute = {{ by = \"amqp\" }}\n"
    )
}

/// Request number `number`: its id and its XML.
pub fn request(number: usize) -> (Uuid, Vec<u8>) {
    let id = Uuid::new_v4();
    let text = include_str!("../../schemas/request.information/1/example.xml");
    let text = text.replace("5e4d0a10-7c3b-4f6e-9a51-000000000001", &id.to_string());
    let text = text.replace("<from>centre-vymysel</from>", &format!("<from>{SENDER}</from>"));
    let text = text.replace("guardianship-test", &school(number % SCHOOLS));
    (id, text.into_bytes())
}
