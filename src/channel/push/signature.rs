//! The signature of a push: Standard Webhooks, symmetric, `v1`.
//!
//! Promises: HMAC-SHA256 over `id.timestamp.body`, one signature for each live secret. Never: shows a secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of the header `webhook-signature`: one `v1,<base64>` for each secret, separated by spaces.
pub(super) fn sign(secrets: &[Vec<u8>], id: &str, timestamp: i64, body: &[u8]) -> String {
    let timestamp = timestamp.to_string();
    let signatures = secrets.iter().filter_map(|secret| {
        // Any length of key is a key for HMAC.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    /// The example of the reference libraries of Standard Webhooks.
    #[test]
    fn the_reference_example_of_standard_webhooks_is_signed_alike() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = sign(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_a_secret_rotates_there_is_a_signature_for_each() {
        let signed = sign(&[b"new".to_vec(), b"old".to_vec()], "m", 1, b"{}");
        let alone = sign(&[b"old".to_vec()], "m", 1, b"{}");
        assert!(signed.ends_with(&format!(" {alone}")), "{signed}");
        assert_eq!(signed.split(' ').count(), 2);
    }
}
