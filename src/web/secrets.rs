//! Secrets: keys of systems, tokens of sessions, passwords of people.
//!
//! Promises: a key or token is 256 random bits and only its SHA-256 is stored; a password is stored as argon2id with the
//! crate's parameters (19 MiB, 2 passes; OWASP's first choice). Never: logs or formats a secret.

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// What every API key begins with, so that a leaked one is recognised.
pub const KEY_PREFIX: &str = "mz_";

/// Why a secret could not be made or checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    #[error("the machine gave no randomness: {0}")]
    Randomness(String),
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// 256 random bits; shown once as base64url, then only the digest of the bits is known.
pub struct Token([u8; 32]);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// [`SecretFault::Randomness`] when the machine has none.
    pub fn random() -> Result<Self, SecretFault> {
        let mut bits = [0_u8; 32];
        getrandom::fill(&mut bits).map_err(|error| SecretFault::Randomness(error.to_string()))?;
        Ok(Self(bits))
    }

    /// The token as text, to be handed over once.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The API key that this token makes: with its prefix.
    #[must_use]
    pub fn as_key(&self) -> String {
        format!("{KEY_PREFIX}{}", self.reveal())
    }

    /// What is stored of it.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

/// The secret that both sides sign webhooks with; stored as it is, because signing needs it.
pub struct WebhookSecret([u8; 32]);

impl WebhookSecret {
    /// A new one.
    ///
    /// # Errors
    /// [`SecretFault::Randomness`] when the machine has none.
    pub fn random() -> Result<Self, SecretFault> {
        Token::random().map(|token| Self(token.0))
    }

    /// What is stored.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As Standard Webhooks writes it, to be handed over once: `whsec_` and base64.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }
}

/// The digest of a presented token (without a key's prefix), if it can be one at all.
#[must_use]
pub fn token_digest(presented: &str) -> Option<[u8; 32]> {
    let mut bits = [0_u8; 32];
    match URL_SAFE_NO_PAD.decode_slice(presented, &mut bits) {
        Ok(32) => Some(Sha256::digest(bits).into()),
        _ => None,
    }
}

/// The digest of a presented API key, if it can be one at all.
#[must_use]
pub fn key_digest(presented: &str) -> Option<[u8; 32]> {
    presented.strip_prefix(KEY_PREFIX).and_then(token_digest)
}

/// The PHC string of a password. Takes some 20 ms and 19 MiB: never on an async thread.
///
/// # Errors
/// [`SecretFault::Hash`] when the machine has no randomness or memory for it.
pub fn hash_password(password: &str) -> Result<String, SecretFault> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| SecretFault::Hash(error.to_string()))
}

/// Whether this is the password of that PHC string. As costly as [`hash_password`]; `false` for a broken string.
#[must_use]
pub fn password_fits(password: &str, phc: &str) -> bool {
    let Ok(stored) = PasswordHash::new(phc) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &stored).is_ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn key_is_recognised_by_its_digest_and_nothing_else_is_a_key() {
        let token = Token::random().unwrap();
        assert_eq!(key_digest(&token.as_key()), Some(token.sha256()));
        assert_eq!(key_digest(&token.reveal()), None);
        assert_eq!(key_digest("mz_short"), None);
        assert_eq!(token_digest(&"ё".repeat(21)), None);
    }

    #[test]
    fn password_is_stored_as_argon2id_and_fits_only_itself() {
        let phc = hash_password("верный пароль").unwrap();
        assert!(phc.starts_with("$argon2id$v=19$"), "{phc}");
        assert!(password_fits("верный пароль", &phc));
        assert!(!password_fits("неверный", &phc));
        assert!(!password_fits("верный пароль", "not a phc string"));
    }
}
