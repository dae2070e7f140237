//! Who writes, to whom, who signs: the lines around the text.
//!
//! Promises: a post in the dative where it is a known one, else «Руководителю»; names stand as they are on record, in
//! the nominative, where the sentence allows it. Never: declines a person's name by guessing.

use crate::domain::participant::{BodyKind, Contact, Participant};

/// Posts in the dative, by the word they begin with: those that heads of bodies have.
const POSTS: [(&str, &str); 10] = [
    ("директор", "Директору"),
    ("начальник", "Начальнику"),
    ("председатель", "Председателю"),
    ("прокурор", "Прокурору"),
    ("министр", "Министру"),
    ("заведующий", "Заведующему"),
    ("заведующая", "Заведующей"),
    ("главный врач", "Главному врачу"),
    ("руководитель", "Руководителю"),
    ("уполномоченный", "Уполномоченному"),
];

/// The lines of an addressee. A name that begins with an abbreviation stands behind a post in the dative; any other
/// would have to be declined, so the letter goes to the body itself, in the nominative (ГОСТ Р 7.0.97-2016, 5.15).
pub(super) fn addressee(body: &Participant) -> Vec<String> {
    let name = body.head.as_ref().map(|head| &head.name);
    if is_abbreviated(&body.title) {
        let mut lines = vec![post(body).to_owned(), body.title.clone()];
        lines.extend(name.map(|name| format!("({name})")));
        return lines;
    }
    let mut lines = vec![body.title.clone()];
    lines.extend(name.map(|name| format!("(руководитель: {name})")));
    lines
}

/// «МБОУ», «КДНиЗП»: at least two capitals in the first word.
fn is_abbreviated(title: &str) -> bool {
    let first = title.split_whitespace().next().unwrap_or_default();
    first.chars().filter(|letter| letter.is_uppercase()).count() > 1
}

fn post(body: &Participant) -> &'static str {
    let stated = body.head.as_ref().and_then(|head| head.post.as_ref()).map(|post| post.trim().to_lowercase());
    let known = stated.and_then(|post| POSTS.iter().find(|(begins, _)| post.starts_with(begins)));
    known.map_or_else(
        || match body.kind {
            BodyKind::Commission | BodyKind::Court => "Председателю",
            BodyKind::Prosecutor => "Прокурору",
            _ => "Руководителю",
        },
        |(_, dative)| dative,
    )
}

/// The body that writes: its name, and who answers the phone.
pub(super) fn sender(body: &Participant) -> Vec<String> {
    let mut lines = vec![body.title.clone()];
    let contact = body.executor.as_ref().or(body.head.as_ref());
    lines.extend(contact.and_then(|one| one.phone.as_ref()).map(|phone| format!("тел. {phone}")));
    lines.extend(body.mail.registry.as_ref().map(|address| format!("эл. почта {address}")));
    lines
}

/// Post and name of a signature.
pub(super) fn signature(person: Option<&Contact>, otherwise: &str) -> (String, String) {
    let post = person.and_then(|one| one.post.as_deref()).unwrap_or(otherwise);
    let mut letters = post.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    (first + letters.as_str(), person.map_or_else(String::new, |one| short_name(&one.name)))
}

/// «Исп.: …, тел. …».
pub(super) fn executor(person: Option<&Contact>) -> Option<String> {
    person.map(|one| {
        let phone = one.phone.as_ref().map(|phone| format!(", тел. {phone}")).unwrap_or_default();
        format!("Исп.: {}{phone}", short_name(&one.name))
    })
}

/// «Директорова В. О.»: initials for given names, where a name has three words or two.
fn short_name(name: &str) -> String {
    let mut words = name.split_whitespace();
    let Some(family) = words.next() else { return String::new() };
    let initials = words.filter_map(|word| word.chars().next()).map(|letter| format!(" {letter}."));
    std::iter::once(family.to_owned()).chain(initials).collect()
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn a_name_is_shortened_to_initials() {
        assert_eq!(short_name("Директорова Вымысла Образцовна"), "Директорова В. О.");
        assert_eq!(short_name("Иноземец Джон"), "Иноземец Д.");
        assert_eq!(short_name(""), "");
    }
}
