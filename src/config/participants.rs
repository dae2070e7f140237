//! The participants' file: TOML (`[[participants]]`) or CSV, read and checked as a whole.
//!
//! Promises: all faults at once, each with the participant and the remedy; nothing is imported while one stands.
//! Never: guesses a zone, a region or a route.

use crate::domain::calendar::CalendarSet;
use crate::domain::ids::ParticipantCode;
use crate::domain::message::Format;
use crate::domain::participant::{BodyKind, Contact, Mailboxes, Participant, Route};
use crate::domain::term::Week;
use crate::domain::zone::Zone;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

/// A file that cannot be imported: every fault, one a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ImportFaults(pub Vec<String>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    participants: Vec<Participant>,
}

/// Reads TOML.
///
/// # Errors
/// [`ImportFaults`] with the line.
pub fn from_toml(text: &str) -> Result<Vec<Participant>, ImportFaults> {
    match toml::from_str::<File>(text) {
        Ok(file) => Ok(file.participants),
        Err(error) => {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            Err(ImportFaults(vec![format!("line {line}: {}", error.message())]))
        }
    }
}

/// A line of the CSV form: the columns that a spreadsheet of a small region has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    code: ParticipantCode,
    kind: BodyKind,
    title: String,
    #[serde(default)]
    region: Option<String>,
    zone: Zone,
    #[serde(default)]
    week: Option<Week>,
    #[serde(default)]
    executor: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    email: Option<String>,
    /// The registry's address.
    #[serde(default)]
    mail: Option<String>,
    #[serde(default)]
    head: Option<String>,
    #[serde(default)]
    commission: Option<ParticipantCode>,
    #[serde(default)]
    superior: Option<ParticipantCode>,
    #[serde(default)]
    prosecutor: Option<ParticipantCode>,
    #[serde(default)]
    register_keeper: Option<ParticipantCode>,
    format: Format,
    /// `inbox`, `amqp`, or an https address to push to.
    #[serde(default)]
    route: Option<String>,
}

/// Reads CSV with a header line; separators are commas or semicolons (as Russian spreadsheets write them).
///
/// # Errors
/// [`ImportFaults`], all lines.
pub fn from_csv(text: &str) -> Result<Vec<Participant>, ImportFaults> {
    let text = text.trim_start_matches('\u{feff}');
    let header = text.lines().next().unwrap_or_default();
    let separator = if header.matches(';').count() > header.matches(',').count() { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).trim(csv::Trim::All).from_reader(text.as_bytes());
    let (mut participants, mut faults) = (Vec::new(), Vec::new());
    for line in reader.deserialize::<Line>() {
        match line {
            Ok(line) => participants.push(line.into()),
            Err(error) => faults.push(error.to_string()),
        }
    }
    if faults.is_empty() { Ok(participants) } else { Err(ImportFaults(faults)) }
}

impl From<Line> for Participant {
    fn from(line: Line) -> Self {
        let contact = |name: String, phone, email| Contact { name, post: None, phone, email };
        Self {
            code: line.code,
            kind: line.kind,
            title: line.title,
            region: line.region,
            zone: line.zone,
            week: line.week.unwrap_or_default(),
            hours: crate::domain::participant::WorkingHours::default(),
            executor: line.executor.map(|name| contact(name, line.phone, line.email)),
            head: line.head.map(|name| contact(name, None, None)),
            commission: line.commission,
            superior: line.superior,
            prosecutor: line.prosecutor,
            register_keeper: line.register_keeper,
            mail: Mailboxes { registry: line.mail, ..Mailboxes::default() },
            alerts_url: None,
            format: line.format,
            route: match line.route.as_deref() {
                None | Some("inbox") => Route::Inbox,
                Some("amqp") => Route::Amqp,
                Some(url) => Route::Push { url: url.to_owned() },
            },
            keeps_consents: false,
        }
    }
}

/// Checks participants against each other, those already known, and the calendar. `check_url` says what is wrong with
/// an address to push to.
///
/// # Errors
/// [`ImportFaults`], all of them.
pub fn check(
    participants: &[Participant],
    known: &HashMap<ParticipantCode, BodyKind>,
    calendars: &CalendarSet,
    check_url: impl Fn(&str) -> Result<(), String>,
) -> Result<(), ImportFaults> {
    let mut faults = Vec::new();
    let mut codes: HashSet<&ParticipantCode> = known.keys().collect();
    let mut own = HashSet::new();
    for one in participants {
        codes.insert(&one.code);
        if !own.insert(&one.code) {
            faults.push(format!("{}: the code stands twice in the file", one.code));
        }
    }
    for one in participants {
        let mut say = |what: String| faults.push(format!("{}: {what}", one.code));
        if one.code == ParticipantCode::gateway() {
            say("this code is the gateway's own; choose another".into());
        }
        if one.title.trim().is_empty() {
            say("`title` is empty; letters need it".into());
        }
        if let Err(unknown) = calendars.for_performer(one.region.as_deref(), one.week) {
            say(unknown.to_string());
        }
        if one.hours.opens >= one.hours.closes {
            say("`hours.opens` must be before `hours.closes`".into());
        }
        let others = [
            ("commission", &one.commission),
            ("superior", &one.superior),
            ("prosecutor", &one.prosecutor),
            ("register_keeper", &one.register_keeper),
        ];
        for (key, other) in others {
            if let Some(code) = other.as_ref().filter(|code| !codes.contains(code) || **code == one.code) {
                say(format!("`{key}` names `{code}`, which is neither in the file nor known, or is itself"));
            }
        }
        if let Some(Err(what)) = one.alerts_url.as_deref().map(&check_url) {
            say(format!("`alerts_url`: {what}"));
        }
        for address in mailboxes(one).filter(|address| !is_address(address)) {
            say(format!("`mail`: {address:?} is no mail address; write name@host in Latin letters, digits and .-_+"));
        }
        if let Route::Push { url } = &one.route
            && let Err(what) = check_url(url)
        {
            say(format!("`route`: {what}"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(ImportFaults(faults)) }
}

fn mailboxes(one: &Participant) -> impl Iterator<Item = &str> {
    let Mailboxes { executor, registry, head, department, coordinator, director } = &one.mail;
    let book = [executor, registry, head, department, coordinator, director];
    let contacts = [&one.executor, &one.head].into_iter().flatten().map(|contact| &contact.email);
    book.into_iter().chain(contacts).flatten().map(String::as_str)
}

/// A plain address: one `@`, a host, and nothing that would end a header line or name a second recipient. ASCII only:
/// others need SMTPUTF8 (RFC 6531), which many servers do not speak; a domain has its `xn--` form.
fn is_address(text: &str) -> bool {
    let plain = |part: &str| {
        let odd = |letter: char| !letter.is_ascii_alphanumeric() && !".-_+".contains(letter);
        !part.is_empty() && !part.contains(odd)
    };
    text.split_once('@').is_some_and(|(name, host)| plain(name) && plain(host)) && text.len() <= 254
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_needs_smtputf8_is_none() {
        for good in ["socped@shkola17.example", "a.b-c_d+e@xn--80ak6aa92e.xn--p1ai"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["иванов@школа.рф", "ivanov@школа.рф", "иванов@shkola17.example", "a@b@c", "a@", "a b@c", "a@b,c@d"]
        {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
