//! What came or went without a wire, as the store keeps it: the desk's note of a message, the proof that it was handed
//! over, and the scans of paper.
//!
//! Promises: which scans belong to which message, and to whom that one went. Never: the content of a scan (see `objects`).

use crate::domain::ids::{MessageId, ParticipantCode};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// How a message came or went that no system carried (obligations rule 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandChannel {
    Paper,
    Mail,
    Phone,
}

impl HandChannel {
    /// The stable code, as in the API and the store.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Mail => "mail",
            Self::Phone => "phone",
        }
    }

    /// In Russian: «на бумаге».
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Paper => "на бумаге",
            Self::Mail => "по электронной почте",
            Self::Phone => "по телефону",
        }
    }
}

/// The way in which something was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandWay {
    Hand,
    Post,
    Mail,
    Phone,
}

impl HandWay {
    /// The stable code, as in the API and the store.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Post => "post",
            Self::Mail => "mail",
            Self::Phone => "phone",
        }
    }

    /// In Russian: «нарочным».
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Hand => "нарочным",
            Self::Post => "почтой",
            Self::Mail => "электронной почтой",
            Self::Phone => "по телефону",
        }
    }
}

/// The desk's note of a message: how it came or went, when by the clerk's word, and when that was written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByHand {
    pub message: MessageId,
    pub channel: HandChannel,
    /// When it came, or was handed over: terms that count from receipt or registration begin here.
    pub at: DateTime<Utc>,
    /// When it was registered.
    pub recorded_at: DateTime<Utc>,
    /// The login of the person who registered it.
    pub by_whom: String,
    /// Of a call: who dictated it, and who took it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dictated_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_by: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scans: Vec<ScanRow>,
}

/// The proof that a message was handed over by people: delivered, `handled_manually`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Handover {
    pub message: MessageId,
    pub recipient: ParticipantCode,
    pub way: HandWay,
    pub at: DateTime<Utc>,
    /// Who took it there.
    pub taken_by: String,
    /// The recipient's own number and date, where its stamp says them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<NaiveDate>,
    pub by_whom: String,
    pub recorded_at: DateTime<Utc>,
}

/// A scan of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScanRow {
    /// № приложения.
    pub annex: u32,
    pub sha256: String,
    pub media_type: String,
    pub bytes: u64,
}

/// A scan with the messages that it belongs to; their parties may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRecord {
    pub media_type: String,
    pub bytes: u64,
    /// Each with its parties.
    pub messages: Vec<(MessageId, Vec<ParticipantCode>)>,
}

impl ScanRecord {
    /// The messages of which one of these is a party.
    #[must_use]
    pub fn messages_of(&self, who: &[ParticipantCode]) -> Vec<MessageId> {
        let seen = self.messages.iter().filter(|(_, parties)| parties.iter().any(|party| who.contains(party)));
        seen.map(|(message, _)| *message).collect()
    }
}
