//! The signed form of a statement: DSSE, the Dead Simple Signing Envelope (secure-systems-lab, protocol version
//! 1.0.2), with Ed25519 (RFC 8032). The signature covers the type and the exact bytes of the payload, so the payload
//! needs no canonical form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::key::{PrivateKey, PublicKey};

/// The type of an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A payload with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Envelope {
    /// The payload in base64.
    pub payload: String,
    /// The payload's media type.
    pub payload_type: String,
    /// One signature, or none if the bundle is not signed.
    pub signatures: Vec<Signature>,
}

/// A signature over the payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// [`PublicKey::id`] of the key.
    pub keyid: String,
    /// The signature in base64.
    pub sig: String,
}

impl Envelope {
    /// Wraps a statement, and signs it if there is a key.
    pub fn around(statement: &[u8], key: Option<&PrivateKey>) -> Self {
        let sign = |key: &PrivateKey| Signature {
            keyid: key.public().id(),
            sig: STANDARD.encode(key.sign(&signed_bytes(PAYLOAD_TYPE, statement))),
        };
        Self {
            payload: STANDARD.encode(statement),
            payload_type: PAYLOAD_TYPE.to_string(),
            signatures: key.map(sign).into_iter().collect(),
        }
    }

    /// The statement.
    ///
    /// # Errors
    /// The payload has another type or is not base64.
    pub fn statement(&self) -> Result<Vec<u8>, String> {
        if self.payload_type != PAYLOAD_TYPE {
            return Err(format!("its payload is of the type {}, not {PAYLOAD_TYPE}", self.payload_type));
        }
        STANDARD.decode(&self.payload).map_err(|why| format!("its payload is not base64: {why}"))
    }

    /// Whether the envelope has exactly one signature, made by this key.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let Ok(statement) = self.statement() else { return false };
        let [Signature { keyid, sig }] = self.signatures.as_slice() else { return false };
        let signature = STANDARD.decode(sig).unwrap_or_default();
        *keyid == key.id() && key.verifies(&signed_bytes(&self.payload_type, &statement), &signature)
    }
}

/// The bytes that are signed: DSSE's pre-authentication encoding.
fn signed_bytes(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    /// The example of DSSE's protocol.md.
    #[test]
    fn what_is_signed_is_as_the_protocol_shows() {
        let bytes = super::signed_bytes("http://example.com/HelloWorld", b"hello world");
        assert_eq!(bytes, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
