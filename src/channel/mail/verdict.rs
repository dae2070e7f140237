//! What a fault of the conversation means for the mail.
//!
//! Promises: a server that did not let us in is down for all mails, and its reason has no words of its own; what happens
//! after that is this mail's, counted, so that no mail is tried for ever or stops another. Never: judges by words.

use crate::gateway::ports::notices::TellFault;
use lettre::transport::smtp;
use std::time::Duration;

/// Letters of a server's words that are kept.
const REASON_CHARS_MAX: usize = 200;

/// A fault, and the server's code if it gave one: all of it that a log may show.
pub(super) struct Failed {
    pub(super) fault: TellFault,
    pub(super) code: Option<u16>,
}

impl Failed {
    /// The server was not asked.
    pub(super) fn before(fault: TellFault) -> Self {
        Self { fault, code: None }
    }
}

/// It did not let us in: whatever it says, no mail has been judged.
pub(super) fn of_entry(error: &smtp::Error) -> Failed {
    let code = error.status().map(u16::from);
    let reason = match code {
        Some(code) => format!("the server does not let us in: it answered {code}"),
        None if error.is_response() => "the server broke off, or does not speak SMTP".to_owned(),
        // Of the network, of TLS, of the client: words of this machine.
        None => words(error),
    };
    Failed { fault: TellFault::Down(reason), code }
}

pub(super) fn no_entry_in(waited: Duration) -> Failed {
    Failed::before(TellFault::Down(format!("the server did not let us in within {} s", waited.as_secs())))
}

/// It let us in and did not take this mail.
pub(super) fn of_mail(error: &smtp::Error) -> Failed {
    let code = error.status().map(u16::from);
    let fault = match code {
        // It wants a password: a fault of the settings that says nothing of the mail.
        Some(530 | 534 | 535 | 538) => TellFault::Later(words(error)),
        // The client finds that this server can never be told this, such as an address that needs SMTPUTF8.
        _ if error.is_permanent() || error.is_client() => TellFault::Refused(words(error)),
        // Broke off, too: whether it has taken the mail is not known, and it may be this mail that it cannot bear.
        _ => TellFault::Later(words(error)),
    };
    Failed { fault, code }
}

pub(super) fn no_answer_in(waited: Duration) -> Failed {
    Failed::before(TellFault::Later(format!("the server did not take the mail within {} s", waited.as_secs())))
}

/// For the quarantine, which people of the staff see.
fn words(error: &smtp::Error) -> String {
    error.to_string().chars().filter(|one| !one.is_control()).take(REASON_CHARS_MAX).collect()
}
