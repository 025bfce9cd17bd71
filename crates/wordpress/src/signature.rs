//! How requests between the engine and the plugin inside WordPress are signed.
//!
//! Pure: time and nonces are parameters, and nothing is sent. The plugin's `Signature` in PHP is
//! the same; `docs/protocol.md` has the contract and an example that both must match.

mod secret;
mod verifier;

use hmac::{Hmac, KeyInit, Mac};
use rules::Time;
use sha2::{Digest, Sha256};

pub use secret::{NotASecret, Secret};
pub use verifier::{Refusal, Verifier};

/// The header with the time.
pub const TIME: &str = "X-Closte-Sync-Time";
/// The header with the nonce.
pub const NONCE: &str = "X-Closte-Sync-Nonce";
/// The header with the signature.
pub const SIGNATURE: &str = "X-Closte-Sync-Signature";

/// What comes before the digits of a signature.
const VERSION: &str = "v1=";

/// The direction of a request, so that none can be sent back to where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the engine to the plugin.
    ToPlugin,
    /// From the plugin to the engine.
    ToEngine,
}

impl Direction {
    fn as_str(self) -> &'static str {
        match self {
            Self::ToPlugin => "to-plugin",
            Self::ToEngine => "to-engine",
        }
    }
}

/// What is signed of a request.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its direction.
    pub direction: Direction,
    /// Such as `POST`.
    pub method: &'a str,
    /// The route, without what comes before it and without a query.
    pub path: &'a str,
    /// The body, byte by byte.
    pub body: &'a [u8],
}

/// The three headers of a signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Seconds since 1970.
    pub time: String,
    /// 32 hexadecimal digits, never used twice.
    pub nonce: String,
    /// `v1=` and 64 hexadecimal digits.
    pub signature: String,
}

impl Headers {
    /// Those of a request that came in; none where one is missing. `value` finds a header by its
    /// name, in upper or lower case.
    pub fn find(value: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Some(Self { time: value(TIME)?, nonce: value(NONCE)?, signature: value(SIGNATURE)? })
    }

    /// Name and value of each.
    pub fn pairs(&self) -> [(&'static str, &str); 3] {
        [(TIME, &self.time), (NONCE, &self.nonce), (SIGNATURE, &self.signature)]
    }

    /// The time and the signature, where all three look as they should.
    fn parse(&self) -> Option<(i64, [u8; 32])> {
        let is_time = (1..=12).contains(&self.time.len()) && self.time.bytes().all(is_digit);
        let is_nonce = unhex::<16>(&self.nonce).is_some();
        let signature = unhex(self.signature.strip_prefix(VERSION)?)?;
        if is_time && is_nonce { Some((self.time.parse().ok()?, signature)) } else { None }
    }
}

/// The headers of `message`, sent at `now`; `nonce` was never used before.
pub fn sign(secret: &Secret, message: &Message<'_>, now: Time, nonce: [u8; 16]) -> Headers {
    let time = now.as_millis().div_euclid(1000).to_string();
    let nonce = hex(&nonce);
    let code = code(secret, message, &time, &nonce).finalize().into_bytes();
    Headers { time, nonce, signature: format!("{VERSION}{}", hex(&code)) }
}

fn code(secret: &Secret, message: &Message<'_>, time: &str, nonce: &str) -> Hmac<Sha256> {
    let body = hex(&Sha256::digest(message.body));
    let Message { direction, method, path, .. } = message;
    let direction = direction.as_str();
    let text = ["closte-sync v1", direction, method, path, &body, time, nonce].join("\n");
    let mut code = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.bytes())
        .expect("a key of any length will do");
    code.update(text.as_bytes());
    code
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes of exactly so many lower-case hexadecimal digits.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| Some(value(*pair.first()?)? << 4 | value(*pair.get(1)?)?));
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/protocol.md`, "An example"; computed with openssl and with PHP.
    #[test]
    fn the_example_of_the_protocol_is_signed_as_other_tools_do() {
        let digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let secret = Secret::parse(digits).unwrap();
        let message = Message {
            direction: Direction::ToPlugin,
            method: "POST",
            path: "/closte-sync/v1/network",
            body: br#"{"known":null}"#,
        };
        let nonce = unhex("0123456789abcdef0123456789abcdef").unwrap();
        let headers = sign(&secret, &message, Time::from_millis(1_795_000_000_999), nonce);
        let signature = "v1=9c04fba1eb0f61a53d01712cfaf20c2fe660b0f823f5b4c29bb687fb166dcdd5";
        assert_eq!(
            headers.pairs(),
            [
                ("X-Closte-Sync-Time", "1795000000"),
                ("X-Closte-Sync-Nonce", "0123456789abcdef0123456789abcdef"),
                ("X-Closte-Sync-Signature", signature),
            ]
        );
    }

    #[test]
    fn hexadecimal_digits_are_read_as_they_are_written() {
        assert_eq!(hex(&[0, 15, 160, 255]), "000fa0ff");
        assert_eq!(unhex("000fa0ff"), Some([0, 15, 160, 255]));
        for text in ["", "0", "000fa0f", "000fa0ff0", "000FA0FF", "000fa0fg", "00 fa0ff", "é00fa0f"]
        {
            assert_eq!(unhex::<4>(text), None, "{text}");
        }
    }
}
