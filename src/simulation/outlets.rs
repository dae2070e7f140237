//! The ways out of the simulated world: the broker, participants' endpoints, the mail server.
//!
//! Promises: `Ok` only when the other side has confirmed. Never: keeps a letter that it refused.

use crate::gateway::ports::notices::{TellFault, Telling};
use crate::gateway::ports::outlet::{DeliveryFault, Letter};
use crate::gateway::ports::{Outlet, Teller};
use crate::simulation::broker::{Broker, Said};
use crate::simulation::chance::{Chance, Fault};
use crate::simulation::flaw::Flaw;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Over the broker.
pub(super) struct QueueOutlet {
    pub chance: Arc<Chance>,
    pub broker: Arc<Broker>,
    pub flaw: Option<Flaw>,
}

fn later(reason: &str, retry_after: Option<Duration>) -> DeliveryFault {
    DeliveryFault::Later { reason: reason.to_owned(), retry_after }
}

fn down(reason: &str) -> DeliveryFault {
    DeliveryFault::ChannelDown { reason: reason.to_owned() }
}

#[async_trait]
impl Outlet for QueueOutlet {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryFault> {
        self.chance.point("publish").await;
        let what = (letter.message, letter.format, letter.content.clone());
        let said = self.broker.post(letter.recipient_code(), what);
        self.chance.may_die("confirmation").await;
        match said {
            Said::Confirmed => Ok(()),
            _ if self.flaw == Some(Flaw::SentBeforeConfirmed) => Ok(()),
            Said::Nack => Err(later("nack", None)),
            Said::Returned => Err(later("no queue", None)),
            Said::Blocked => Err(down("blocked")),
            Said::Nothing if self.chance.draw(|dice| dice.percent(50)) => Err(later("no confirmation", None)),
            Said::Nothing => Err(down("the connection was lost")),
        }
    }
}

/// To participants' endpoints.
pub(super) struct PushOutlet {
    pub chance: Arc<Chance>,
    pub broker: Arc<Broker>,
}

#[async_trait]
impl Outlet for PushOutlet {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryFault> {
        self.chance.point("push").await;
        if self.chance.strikes(Fault::PushFailed, "push") {
            let wait = self.chance.draw(|dice| dice.percent(30)).then_some(Duration::from_secs(120));
            return Err(later("503", wait));
        }
        self.broker.hand_over(letter.recipient_code(), (letter.message, letter.format, letter.content.clone()));
        self.chance.may_die("answer of a push").await;
        match self.chance.strikes(Fault::PushAnswerLost, "push") {
            true => Err(later("timeout", None)),
            false => Ok(()),
        }
    }
}

/// The mail server: what it has taken, by id, with the text.
pub(super) struct Mail {
    pub chance: Arc<Chance>,
    pub letters: Mutex<BTreeMap<Uuid, Vec<String>>>,
}

impl Mail {
    /// What it has taken: the texts by id.
    pub fn taken(&self) -> MutexGuard<'_, BTreeMap<Uuid, Vec<String>>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Teller for Mail {
    async fn tell(&self, notice: &Telling) -> Result<(), TellFault> {
        self.chance.point("mail").await;
        if self.chance.strikes(Fault::MailDown, "mail") {
            let is_down = self.chance.draw(|dice| dice.percent(50));
            return Err(if is_down { TellFault::Down("421".into()) } else { TellFault::Later("451".into()) });
        }
        let text = format!("{}\n{}\n{}", notice.recipient.code, notice.subject, notice.content);
        self.taken().entry(notice.id).or_default().push(text);
        self.chance.may_die("answer of the mail server").await;
        Ok(())
    }
}
