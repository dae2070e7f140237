//! Letters of plainly artificial content.
//!
//! Promises: each has an id of its own. Never: a real name.

use serde_json::{Value, json};
use uuid::Uuid;

/// A school's characteristics are asked for.
pub fn request(to: &str, summary: &str) -> Value {
    json!({
        "id": Uuid::new_v4(),
        "type": "request.school-characteristics",
        "version": 1,
        "from": "centre",
        "to": [to],
        "created_at": "2026-03-02T10:15:00+08:00",
        "case": "СЛ-2026/014",
        "legal_basis": [{"act": "120-ФЗ", "article": "ст. 9"}],
        "consent": {"kind": "processing", "reference": "согласие № 7"},
        "registration": {"number": "01-12/346", "date": "2026-03-02"},
        "summary": summary,
        "body": {
            "child": {"name": "Примеров Пример Примерович", "birth_date": "2014-03-09"},
            "questions": ["attendance", "progress"]
        }
    })
}

/// The answer to it.
pub fn reply(request: &Value, from: &str) -> Value {
    let mut reply: Value =
        serde_json::from_str(include_str!("../../schemas/reply.school-characteristics/1/example.json")).unwrap();
    reply["id"] = json!(Uuid::new_v4());
    reply["from"] = json!(from);
    reply["to"] = json!(["centre"]);
    reply["in_reply_to"] = request["id"].clone();
    reply["exchange"] = request["id"].clone();
    reply["created_at"] = json!("2026-03-02T10:15:00+08:00");
    reply
}
