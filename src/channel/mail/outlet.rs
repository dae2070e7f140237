//! The way out over SMTP.
//!
//! Promises: what the server refuses for good is told apart from what it may take later, and both from a server that is
//! not there. Never: sends credentials or text in clear to another machine; puts a password into a reason or a log.

use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::notices::{TellFault, Teller, Telling};
use async_trait::async_trait;
use lettre::address::AddressError;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::net::IpAddr;
use std::time::Duration;

/// For each step of the conversation.
const STEP_TIMEOUT: Duration = Duration::from_secs(15);
const CONNECTIONS_MAX: u32 = 4;
/// Letters of a server's words that are kept.
const REASON_CHARS_MAX: usize = 200;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// In clear: to this very machine only.
    None,
    /// STARTTLS, required.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// The server, and in whose name we write.
#[derive(Clone)]
pub struct MailConfig {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// User and password, where the server asks for them.
    pub credentials: Option<(String, String)>,
    /// The sender's address.
    pub from: String,
    /// Certificates of further authorities, PEM.
    pub authorities_pem: Option<Vec<u8>>,
}

/// Why there can be no outlet.
#[derive(Debug, thiserror::Error)]
pub enum MailFault {
    #[error("`mail.from`: {0}; write name@host")]
    From(#[source] AddressError),
    #[error("`mail.tls`: `none` is for a server on this machine only; set `starttls` or `tls`")]
    InClear,
    #[error("`mail.authorities`: the certificates cannot be read as PEM: {0}")]
    Authorities(#[source] smtp::Error),
    #[error("the client for mail cannot be built: {0}")]
    Client(#[source] smtp::Error),
}

/// The outlet.
pub struct MailOutlet {
    from: Mailbox,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl MailOutlet {
    /// An outlet. Must be called inside a runtime: the pool of connections has a task of its own.
    ///
    /// # Errors
    /// [`MailFault`].
    pub fn new(config: MailConfig) -> Result<Self, MailFault> {
        let address: Address = config.from.parse().map_err(MailFault::From)?;
        let tls = tls(&config)?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(config.host.as_str())
            .port(config.port)
            .timeout(Some(STEP_TIMEOUT))
            .tls(tls)
            .pool_config(PoolConfig::new().max_size(CONNECTIONS_MAX));
        if let Some((user, password)) = config.credentials {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self { from: Mailbox::new(None, address), transport: builder.build() })
    }

    fn mail(&self, notice: &Telling) -> Result<Message, TellFault> {
        let refused = |what: &str| TellFault::Refused(what.to_owned());
        let address = notice.recipient.mail_of(notice.whom);
        let address = address.ok_or_else(|| refused("the participant has no mail address for this duty any more"))?;
        let to: Address = address.parse().map_err(|_| refused("the mail address is none; correct the participant"))?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(notice.subject.clone())
            .date(notice.queued_at.into())
            .message_id(Some(format!("<{}@{}>", notice.id, self.from.email.domain())))
            // RFC 3834: no answering machine writes back.
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(notice.content.clone())
            .map_err(|fault| refused(&fault.to_string()))
    }
}

#[async_trait]
impl Teller for MailOutlet {
    async fn tell(&self, notice: &Telling) -> Result<(), TellFault> {
        let outcome = match self.mail(notice) {
            Ok(mail) => self.transport.send(mail).await.map(drop).map_err(|error| judge(&error)),
            Err(fault) => Err(fault),
        };
        let result = match &outcome {
            Ok(()) => "sent",
            Err(TellFault::Later(_)) => "failed",
            Err(TellFault::Refused(_)) => "refused",
            Err(TellFault::Down(_)) => "down",
        };
        metrics::counter!("mezhved_mail_attempts_total", "result" => result).increment(1);
        if let Err(fault) = &outcome {
            let recipient: &ParticipantCode = &notice.recipient.code;
            tracing::warn!(id = %notice.id, %recipient, %fault, "a mail did not go out");
        }
        outcome
    }
}

fn tls(config: &MailConfig) -> Result<Tls, MailFault> {
    if config.security == Security::None {
        return if is_this_machine(&config.host) { Ok(Tls::None) } else { Err(MailFault::InClear) };
    }
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &config.authorities_pem {
        parameters = parameters.add_root_certificate(Certificate::from_pem(pem).map_err(MailFault::Authorities)?);
    }
    let parameters = parameters.build().map_err(MailFault::Client)?;
    Ok(if config.security == Security::Tls { Tls::Wrapper(parameters) } else { Tls::Required(parameters) })
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What a fault means for the mail. A server that does not let us in, or is closing, is down for all mails; a
/// permanent answer about one mail is for a person.
fn judge(error: &smtp::Error) -> TellFault {
    let reason: String = error.to_string().chars().filter(|one| !one.is_control()).take(REASON_CHARS_MAX).collect();
    match error.status().map(u16::from) {
        Some(421 | 454 | 530 | 534 | 535 | 538) => TellFault::Down(reason),
        _ if error.is_permanent() => TellFault::Refused(reason),
        _ if error.is_transient() => TellFault::Later(reason),
        // Not reached, broke off, no TLS: the mail itself was not judged.
        _ => TellFault::Down(reason),
    }
}
