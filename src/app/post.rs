//! Mail and alerts, joined: the configuration's words, the ways out, their workers.
//!
//! Promises: without a mail server no mail is ever queued; what is wrong is said with its key. Never: decides anything.

use crate::channel::mail::{MailConfig, MailOutlet, Security};
use crate::channel::push::PushOutlet;
use crate::config::{Config, MailTls};
use crate::domain::notice::Medium;
use crate::gateway::Gateway;
use crate::gateway::notices::Posting;
use crate::worker::notices::{self, Line};
use anyhow::Context as _;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The mail server; `None` when mail is off.
///
/// # Errors
/// What cannot be read, with its key.
pub(super) fn mail(config: &Config) -> anyhow::Result<Option<MailConfig>> {
    let mail = &config.mail;
    if mail.host.is_empty() {
        return Ok(None);
    }
    let authorities_pem = match mail.authorities.as_os_str().is_empty() {
        true => None,
        false => Some(super::read_text(&mail.authorities).context("`mail.authorities`")?.into_bytes()),
    };
    Ok(Some(MailConfig {
        host: mail.host.clone(),
        port: mail.port,
        security: match mail.tls {
            MailTls::None => Security::None,
            MailTls::StartTls => Security::StartTls,
            MailTls::Tls => Security::Tls,
        },
        credentials: (!mail.user.is_empty()).then(|| (mail.user.clone(), mail.password.expose().to_owned())),
        from: mail.from.clone(),
        authorities_pem,
    }))
}

/// What notices need to know of the configuration.
pub(super) fn posting(config: &Config) -> Posting {
    let board_url = config.mail.board_url.trim_end_matches('/').to_owned();
    Posting { mail: !config.mail.host.is_empty(), board_url }
}

/// Starts the workers.
///
/// # Errors
/// A mail server that is described wrongly.
pub(super) fn spawn(
    config: &Config,
    (gateway, push): (&Gateway, Arc<PushOutlet>),
    (stop, tasks): (&CancellationToken, &mut JoinSet<&'static str>),
) -> anyhow::Result<()> {
    let mut lines = vec![Line::new(Medium::Webhook, push)];
    if let Some(mail) = mail(config)? {
        let line = Line::new(Medium::Mail, Arc::new(MailOutlet::new(mail)?));
        let told = line.clone();
        gateway.add_warning(move || told.down().map(|reason| format!("mail: does not go out: {reason}")));
        lines.push(line);
    }
    for line in lines {
        let (gateway, cancel) = (gateway.clone(), stop.child_token());
        tasks.spawn(async move {
            notices::run(gateway, line, cancel).await;
            "notices"
        });
    }
    Ok(())
}
