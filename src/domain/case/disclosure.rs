//! The log of disclosures: who got what of a case, when, and on which ground (S2: «действия … должны адекватно
//! документироваться»; 152-ФЗ ст. 18.1).
//!
//! Promises: a line says the ground as it was stated, or that none was. Never: what was disclosed itself.

use crate::domain::case::CaseKey;
use crate::domain::ids::{ExchangeId, MessageId};
use crate::domain::message::Envelope;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Disclosure {
    pub case: CaseKey,
    pub at: DateTime<Utc>,
    pub kind: DisclosureKind,
    /// The type of the message, the obligation of the evidence, or the part of the record that was read.
    pub what: String,
    pub message: Option<MessageId>,
    pub exchange: Option<ExchangeId>,
    /// Who gave it: the sender, or the gateway.
    pub by: String,
    /// Who got it: a participant's code, or a login.
    pub to: String,
    pub ground: Ground,
}

/// How it was disclosed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisclosureKind {
    /// A message of the centre went out to a body, or was passed on to another.
    Message,
    /// The evidence of an obligation was handed out.
    Evidence,
    /// The letters of the personal file were handed out.
    CaseFile,
    /// The content of a message was read.
    MessageRead,
    /// The record, its consents or this log were read.
    RecordRead,
}

impl DisclosureKind {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Evidence => "evidence",
            Self::CaseFile => "case_file",
            Self::MessageRead => "message_read",
            Self::RecordRead => "record_read",
        }
    }
}

/// Why it might be disclosed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Ground {
    /// A consent; `no` is its number in the registry where it was found there.
    Consent { kind: String, reference: String, no: Option<u32> },
    /// Without consent, on a stated ground (S2: «если только это не подвергает ребенка риску»).
    NoConsent { code: String, reason: String },
    /// The legal basis that the message states.
    Law { basis: String },
    /// A person or a system of the centre that keeps the case.
    Keeper,
    /// A party of the exchange, to which the message was addressed or the obligation belongs.
    Party,
    /// Passed on with a redirection, on the ground of the request that was redirected.
    Redirected,
    /// The message states none.
    Unstated,
}

impl Ground {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Consent { .. } => "consent",
            Self::NoConsent { .. } => "no_consent",
            Self::Law { .. } => "law",
            Self::Keeper => "keeper",
            Self::Party => "party",
            Self::Redirected => "redirected",
            Self::Unstated => "unstated",
        }
    }

    /// The ground that an envelope states; `no` is the consent's number in the registry.
    #[must_use]
    pub fn of(envelope: &Envelope, no: Option<u32>) -> Self {
        if let Some(ground) = &envelope.no_consent_ground {
            return Self::NoConsent { code: ground.code.clone(), reason: ground.reason.clone() };
        }
        if let Some(consent) = &envelope.consent {
            return Self::Consent { kind: consent.kind.clone(), reference: consent.reference.clone(), no };
        }
        let acts = envelope.legal_basis.iter().map(|basis| match &basis.article {
            Some(article) => format!("{} {article}", basis.act),
            None => basis.act.clone(),
        });
        let basis = acts.collect::<Vec<_>>().join("; ");
        if basis.is_empty() { Self::Unstated } else { Self::Law { basis } }
    }

    /// What it says beside its code, in one line.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Consent { reference, .. } => reference.clone(),
            Self::NoConsent { code, reason } => format!("{code}: {reason}"),
            Self::Law { basis } => basis.clone(),
            Self::Keeper | Self::Party | Self::Redirected | Self::Unstated => String::new(),
        }
    }
}
