//! The keys of a bundle: Ed25519 (RFC 8032). Private keys are in PEM (PKCS #8, RFC 8410: `openssl genpkey -algorithm
//! ed25519`) or in OpenSSH's format (`ssh-keygen -t ed25519`), public keys in PEM or as OpenSSH's line.

use std::path::Path;

use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey, spki::der::pem::LineEnding};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::files::bounded_text;
use crate::{Error, Result};

/// The most bytes that a key's file may hold.
const MOST_BYTES: u64 = 1 << 16;

/// A private key.
pub struct PrivateKey(SigningKey);

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PrivateKey {
    /// Reads a key's file.
    ///
    /// # Errors
    /// The file cannot be read, is encrypted, or holds no private Ed25519 key.
    pub fn read(path: &Path) -> Result<Self> {
        let text = text_of(path)?;
        let refused = |why: &str| {
            Error::Input(format!(
                "{} is no private key that can sign: {why}; make one with `openssl genpkey -algorithm ed25519 -out KEY` \
                 or `ssh-keygen -t ed25519 -N '' -f KEY`",
                path.display()
            ))
        };
        if text.contains("BEGIN OPENSSH PRIVATE KEY") {
            let key = ssh_key::PrivateKey::from_openssh(&text).map_err(|why| refused(&why.to_string()))?;
            if key.is_encrypted() {
                return Err(refused("it is protected by a passphrase, and a CI job cannot type one"));
            }
            let pair =
                key.key_data().ed25519().ok_or_else(|| refused("it is of another kind than Ed25519"))?;
            return Ok(Self(SigningKey::from_bytes(&pair.private.to_bytes())));
        }
        if text.contains("BEGIN ENCRYPTED PRIVATE KEY") {
            return Err(refused("it is protected by a passphrase, and a CI job cannot type one"));
        }
        SigningKey::from_pkcs8_pem(&text).map(Self).map_err(|why| refused(&why.to_string()))
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature of bytes.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }
}

impl PublicKey {
    /// Reads a key's file.
    ///
    /// # Errors
    /// The file cannot be read or holds no public Ed25519 key.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&text_of(path)?).map_err(|why| {
            Error::Input(format!(
                "{} is no public key: {why}; get it with `openssl pkey -in KEY -pubout`, or name KEY.pub of `ssh-keygen`",
                path.display()
            ))
        })
    }

    /// The key in a text.
    ///
    /// # Errors
    /// The text holds no public Ed25519 key; the message says why.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        if text.contains("PRIVATE KEY") {
            return Err("it is a private key, which only its owner may hold".into());
        }
        if text.contains("BEGIN PUBLIC KEY") {
            return VerifyingKey::from_public_key_pem(text).map(Self).map_err(|why| why.to_string());
        }
        let key = ssh_key::PublicKey::from_openssh(text.trim()).map_err(|why| why.to_string())?;
        let bytes = key.key_data().ed25519().ok_or("it is of another kind than Ed25519")?;
        VerifyingKey::from_bytes(bytes.as_ref()).map(Self).map_err(|why| why.to_string())
    }

    /// The key's identifier: the sha256 of its DER form (RFC 8410), in hexadecimal.
    pub fn id(&self) -> String {
        let der = self.0.to_public_key_der().map(|der| der.as_bytes().to_vec()).unwrap_or_default();
        hex(&Sha256::digest(der))
    }

    /// Its PEM form.
    pub fn pem(&self) -> String {
        self.0.to_public_key_pem(LineEnding::LF).unwrap_or_default()
    }

    /// Whether this key made the signature of bytes. Stricter than RFC 8032, so that no second signature passes for
    /// the same bytes.
    pub fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(bytes, &signature).is_ok())
    }
}

fn text_of(path: &Path) -> Result<String> {
    let remedy = "name a key's file in PEM or OpenSSH form";
    bounded_text(path, MOST_BYTES).map_err(|why| Error::unreadable(path, &why, remedy))
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits =
        |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]));
    bytes.iter().flat_map(digits).collect()
}
