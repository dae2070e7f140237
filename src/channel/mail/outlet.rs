//! The way out over SMTP.
//!
//! Promises: what the server refuses for good is told apart from what it may take later, and both from a server that
//! does not let us in; once it has, what happens is this mail's own. Never: sends credentials or text in clear to another
//! machine; puts a password into a reason or a log, nor the server's words into a log, for they name people's addresses.

use super::verdict::{self, Failed};
use crate::domain::ids::ParticipantCode;
use crate::gateway::ports::notices::{TellFault, Teller, Telling};
use async_trait::async_trait;
use lettre::address::AddressError;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout;

/// Until the server has let us in; the client itself waits for ever once there is a connection.
const ENTRY_TIMEOUT: Duration = Duration::from_secs(30);
/// For handing a mail over. Both together stay below the lease.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);
/// For the goodbye, which nothing depends on.
const QUIT_TIMEOUT: Duration = Duration::from_secs(5);

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

/// The outlet: a connection for each mail, so that it is known whether the server had let us in.
pub struct MailOutlet {
    from: Mailbox,
    server: (String, u16),
    security: Security,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    name: ClientId,
}

impl MailOutlet {
    /// An outlet.
    ///
    /// # Errors
    /// [`MailFault`].
    pub fn new(config: MailConfig) -> Result<Self, MailFault> {
        let address: Address = config.from.parse().map_err(MailFault::From)?;
        Ok(Self {
            from: Mailbox::new(None, address),
            tls: tls(&config)?,
            server: (config.host, config.port),
            security: config.security,
            credentials: config.credentials.map(|(user, password)| Credentials::new(user, password)),
            name: ClientId::default(),
        })
    }

    /// Greeted, encrypted and let in.
    async fn enter(&self) -> Result<AsyncSmtpConnection, smtp::Error> {
        let (host, port) = (self.server.0.as_str(), self.server.1);
        let from_first_byte = self.tls.clone().filter(|_| self.security == Security::Tls);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1((host, port), None, &self.name, from_first_byte, None).await?;
        if let Some(tls) = self.tls.clone().filter(|_| self.security == Security::StartTls) {
            connection.starttls(tls, &self.name).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    async fn attempt(&self, notice: &Telling) -> Result<(), Failed> {
        let mail = self.mail(notice).map_err(Failed::before)?;
        let entered = timeout(ENTRY_TIMEOUT, self.enter()).await.map_err(|_| verdict::no_entry_in(ENTRY_TIMEOUT))?;
        let mut connection = entered.map_err(|error| verdict::of_entry(&error))?;
        let content = mail.formatted();
        let sent = timeout(SEND_TIMEOUT, connection.send(mail.envelope(), &content)).await;
        sent.map_err(|_| verdict::no_answer_in(SEND_TIMEOUT))?.map_err(|error| verdict::of_mail(&error))?;
        let _ = timeout(QUIT_TIMEOUT, connection.quit()).await;
        Ok(())
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
        let outcome = self.attempt(notice).await;
        let result = match outcome.as_ref().map_err(|failed| &failed.fault) {
            Ok(()) => "sent",
            Err(TellFault::Later(_)) => "failed",
            Err(TellFault::Refused(_)) => "refused",
            Err(TellFault::Down(_)) => "down",
        };
        metrics::counter!("mezhved_mail_attempts_total", "result" => result).increment(1);
        outcome.map_err(|Failed { fault, code }| {
            let recipient: &ParticipantCode = &notice.recipient.code;
            tracing::warn!(id = %notice.id, %recipient, result, code, "a mail did not go out");
            fault
        })
    }
}

fn tls(config: &MailConfig) -> Result<Option<TlsParameters>, MailFault> {
    if config.security == Security::None {
        return if is_this_machine(&config.host) { Ok(None) } else { Err(MailFault::InClear) };
    }
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(pem) = &config.authorities_pem {
        parameters = parameters.add_root_certificate(Certificate::from_pem(pem).map_err(MailFault::Authorities)?);
    }
    parameters.build().map(Some).map_err(MailFault::Client)
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
