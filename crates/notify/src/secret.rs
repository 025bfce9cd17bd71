//! The secret that webhooks are signed with, and the signature: Standard Webhooks.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rand::TryRng;
use rand::rngs::{SysError, SysRng};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// How many bytes a secret has at least and at most, by the specification; and one of ours.
const LEAST: usize = 24;
const MOST: usize = 64;
const OURS: usize = 32;

/// What comes before a signature.
const VERSION: &str = "v1,";

/// The bytes that both sides sign with.
#[derive(Clone)]
pub struct Secret(SecretSlice<u8>);

/// A text is not a secret. It is not shown: it may be a damaged one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a secret of webhooks: `whsec_` and 24 to 64 bytes in base64 are")]
pub struct NotASecret;

impl Secret {
    /// Read `whsec_…`; space around it, such as a line end, is dropped.
    ///
    /// # Errors
    ///
    /// It is not of that form.
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let digits = text.trim().strip_prefix(PREFIX).ok_or(NotASecret)?;
        let bytes = STANDARD.decode(digits).map_err(|_| NotASecret)?;
        if !(LEAST..=MOST).contains(&bytes.len()) {
            return Err(NotASecret);
        }
        Ok(Self(bytes.into()))
    }

    /// A new one, of the system's random numbers.
    ///
    /// # Errors
    ///
    /// The system has no random numbers.
    pub fn generate() -> Result<Self, SysError> {
        let mut bytes = vec![0; OURS];
        SysRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(bytes.into()))
    }

    /// The text that both sides keep.
    pub fn to_text(&self) -> SecretString {
        format!("{PREFIX}{}", STANDARD.encode(self.0.expose_secret())).into()
    }

    /// The header `webhook-signature` of a request with this id, at so many seconds since 1970.
    pub(crate) fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let mut code = <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.expose_secret())
            .expect("HMAC takes a key of any length");
        code.update(format!("{id}.{seconds}.{body}").as_bytes());
        format!("{VERSION}{}", STANDARD.encode(code.finalize().into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Digest;

    /// HMAC by RFC 2104, of nothing but the hash.
    fn hmac_by_hand(key: &[u8], text: &[u8]) -> Vec<u8> {
        let padded = |byte: u8| {
            let mut block = [byte; 64];
            block.iter_mut().zip(key).for_each(|(block, key)| *block ^= key);
            block
        };
        let inner = Sha256::digest([&padded(0x36)[..], text].concat());
        Sha256::digest([&padded(0x5c)[..], &inner[..]].concat()).to_vec()
    }

    #[test]
    fn a_signature_is_that_of_the_scheme() {
        let key: Vec<u8> = (0..32).collect();
        let secret = format!("whsec_{}", STANDARD.encode(&key));
        let secret = Secret::parse(&format!(" {secret}\n")).unwrap();
        let signed = secret.sign("msg_1", 1_795_000_000, "{\"type\":\"test\"}");
        let text = "msg_1.1795000000.{\"type\":\"test\"}";
        assert_eq!(signed, format!("v1,{}", STANDARD.encode(hmac_by_hand(&key, text.as_bytes()))));
        // The same by OpenSSL: `printf %s TEXT | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY`.
        assert_eq!(signed, "v1,GyiJkWieaZ3USCEmd15de6bLFdlIuxfXIe1YtZflEgE=");
    }

    #[test]
    fn a_secret_is_read_as_it_is_written_and_never_shown() {
        let secret = Secret::generate().unwrap();
        let text = secret.to_text();
        let read = Secret::parse(text.expose_secret()).unwrap();
        assert_eq!(read.sign("a", 1, "b"), secret.sign("a", 1, "b"));
        assert_eq!(format!("{secret:?} {text:?}").matches("whsec_").count(), 0);
        for bad in ["", "whsec_", "whsec_AAAA", "AAAA", "whsec_!", &"A".repeat(44)] {
            assert_eq!(Secret::parse(bad).unwrap_err(), NotASecret, "{bad}");
        }
    }
}
