//! The API key that Ultimate Multisite keeps where `CLOSTE_CLIENT_API_KEY` is not defined.
//!
//! Two forms of it are encrypted with WordPress' salt; without a prefix it is the key itself. What
//! does not decrypt to a key is an error, never a guess, and no error repeats any of it.

use std::collections::BTreeMap;

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crypto_secretbox::aead::Aead;
use crypto_secretbox::{KeyInit, XSalsa20Poly1305};
use secrecy::{ExposeSecret, SecretString};

use crate::WpConfig;
use crate::options::{self, AUTH_KEY, AUTH_SALT};
use crate::salts::{AuthSalt, Stored};
use crate::wp_config::WpConfigError;

/// The option with the key.
const OPTION: &str = "wu_hosting_credential_CLOSTE_CLIENT_API_KEY";

/// The options that [`stored_api_key`] checks.
pub const OPTIONS: [&str; 3] = [OPTION, AUTH_KEY, AUTH_SALT];

/// The prefixes of what Ultimate Multisite encrypts: with OpenSSL, with libsodium, and in any
/// way.
const OPENSSL: &[u8] = b"$wu_enc$";
const SODIUM: &[u8] = b"$wu_sodium$";
const ENCRYPTED: &[u8] = b"$wu_";

/// Why the stored key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// What is stored is not whole, or not a key.
    #[error("the Closte API key in the option `{OPTION}` is damaged: {what}")]
    Damaged {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A half of the salt is missing.
    #[error(
        "the Closte API key in the option `{OPTION}` is encrypted with a salt that is not known"
    )]
    NoSalt(#[source] WpConfigError),
    /// It was encrypted with another salt.
    #[error(
        "the Closte API key in the option `{OPTION}` cannot be decrypted with the salts {of_what}"
    )]
    WrongSalt {
        /// Where the salts come from.
        of_what: &'static str,
    },
}

impl CredentialError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        "define `CLOSTE_CLIENT_API_KEY` in wp-config.php, or set `closte.api_key_file`"
    }
}

/// The key among `stored`, which are those of [`OPTIONS`] that are there; none where there is
/// no key. Salts are taken from `config` first.
///
/// # Errors
///
/// A key is stored, but cannot be decrypted.
pub fn stored_api_key(
    stored: &BTreeMap<&'static str, Vec<u8>>,
    config: &WpConfig,
) -> Result<Option<SecretString>, CredentialError> {
    let Some(value) = stored.get(OPTION).and_then(|it| options::text(it)) else {
        return Ok(None);
    };
    let decrypt = if value.starts_with(OPENSSL) {
        of_openssl
    } else if value.starts_with(SODIUM) {
        of_sodium
    } else {
        return plain(value).map(Some);
    };
    let salt = salt(stored, config)?;
    let opened = decrypt(&value, &salt.sha256())?;
    let key = opened.and_then(key).ok_or(CredentialError::WrongSalt { of_what: origin(config) })?;
    Ok(Some(key))
}

/// As older versions store it.
fn plain(value: Vec<u8>) -> Result<SecretString, CredentialError> {
    if value.starts_with(ENCRYPTED) {
        return Err(CredentialError::Damaged { what: "it is encrypted in an unknown way" });
    }
    key(value).ok_or(CredentialError::Damaged { what: "it contains what no key contains" })
}

/// A text that can be a key: a wrong salt can give anything.
fn key(text: Vec<u8>) -> Option<SecretString> {
    let is_key = !text.is_empty() && text.iter().all(u8::is_ascii_graphic);
    String::from_utf8(text).ok().filter(|_| is_key).map(SecretString::from)
}

/// AES-256-CBC: an IV, and base64 once more. Padding that is not right shows a wrong key in 255
/// cases of 256.
fn of_openssl(value: &[u8], key: &[u8; 32]) -> Result<Option<Vec<u8>>, CredentialError> {
    let decoded = decoded(&value[OPENSSL.len()..])?;
    let (iv, text) = decoded.split_first_chunk::<16>().ok_or(TOO_SHORT)?;
    let cipher = cbc::Decryptor::<Aes256>::new(key.into(), iv.into());
    Ok(cipher.decrypt_padded_vec::<Pkcs7>(&self::decoded(text)?).ok())
}

/// libsodium's secretbox after its nonce.
fn of_sodium(value: &[u8], key: &[u8; 32]) -> Result<Option<Vec<u8>>, CredentialError> {
    let decoded = decoded(&value[SODIUM.len()..])?;
    let (nonce, boxed) = decoded.split_first_chunk::<24>().ok_or(TOO_SHORT)?;
    Ok(XSalsa20Poly1305::new(key.into()).decrypt(nonce.into(), boxed).ok())
}

const TOO_SHORT: CredentialError = CredentialError::Damaged { what: "it is too short" };

fn decoded(base64: &[u8]) -> Result<Vec<u8>, CredentialError> {
    let not_base64 = |_| CredentialError::Damaged { what: "it is not base64" };
    BASE64_STANDARD.decode(base64).map_err(not_base64)
}

/// Where a half is missing, wp-config.php shows best why.
fn salt(stored: &Stored, config: &WpConfig) -> Result<AuthSalt, CredentialError> {
    let half = |name, setting, option| {
        let defined = config.require(name, setting);
        let defined = defined.map(|it: &SecretString| it.expose_secret().as_bytes().to_vec());
        let stored = || stored.get(option).and_then(|it| options::text(it));
        defined.or_else(|why| stored().ok_or(CredentialError::NoSalt(why)))
    };
    let key = half("AUTH_KEY", &config.auth_key, AUTH_KEY)?;
    Ok(AuthSalt::of(key, &half("AUTH_SALT", &config.auth_salt, AUTH_SALT)?))
}

fn origin(config: &WpConfig) -> &'static str {
    match (config.auth_key.known(), config.auth_salt.known()) {
        (Some(_), Some(_)) => "of wp-config.php",
        (None, None) => "of the network's options",
        _ => "of wp-config.php and the network's options",
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::wp_config::Found;

    // Made by PHP 8.2 with the key `hash('sha256', KEY . SALT, true)`, the IV "$" and the nonce "B"
    // throughout.
    const KEY: &str = "a key that protects nothing";
    const SALT: &str = "a salt that protects nothing";
    const BY_OPENSSL: &str =
        "$wu_enc$JCQkJCQkJCQkJCQkJCQkJGZSUmM3WExLOEtFTFNKRnFCZU5SeXNrTlhRWG1VWUxXTmdvL0VvY0tiNWM9";
    const BY_SODIUM: &str = "$wu_sodium$QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC9foo1jT9XW6GB9au8ZRI6xH+XAzAeeU5CPPJ05UWkxwnrcQT9Q==";
    const OF_16_BYTES: &str =
        "$wu_enc$JCQkJCQkJCQkJCQkJCQkJDlyclZZOXJYbERZMlpjNkc3V3podjFtbjJnNWM0UDgzTWI3THlibThGSEk9";
    const WITH_A_SPACE: &str = "$wu_enc$JCQkJCQkJCQkJCQkJCQkJFpCZGRiOWI3dkk4MGN4WFFQN0ZoUlE9PQ==";
    const NOT_ASCII: &str = "$wu_enc$JCQkJCQkJCQkJCQkJCQkJHorbEFodUxqcUx1MzV5bXNHM2s2NGc9PQ==";
    /// A salt with which the padding of [`BY_OPENSSL`] comes out right all the same.
    const LUCKY: (&str, &str) = ("wrong", "136");

    fn config(php: &str) -> WpConfig {
        let found = Found { config: "/srv/wp-config.php".into(), root: None };
        WpConfig::parse(format!("<?php\n{php}").as_bytes(), &found, &BTreeMap::new()).unwrap()
    }

    fn defining(key: &str, salt: &str) -> WpConfig {
        config(&format!("define('AUTH_KEY', '{key}'); define('AUTH_SALT', '{salt}');"))
    }

    fn stored(options: &[(&'static str, &str)]) -> Stored {
        options.iter().map(|(name, value)| (*name, (*value).into())).collect()
    }

    fn describe(stored: &Stored, config: &WpConfig) -> String {
        match stored_api_key(stored, config) {
            Ok(None) => "-".to_owned(),
            Ok(Some(key)) => key.expose_secret().to_owned(),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|it| format!(": {it}"));
                let text = format!("{error}{}", cause.unwrap_or_default());
                let start = format!("the Closte API key in the option `{OPTION}` ");
                format!("? {}", text.strip_prefix(&start).expect("it names the option"))
            }
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_stored_key_is_read_in_every_form_and_nothing_is_guessed() {
        let serialized = format!(r#"s:{}:"{BY_OPENSSL}";"#, BY_OPENSSL.len());
        let damaged = format!("{BY_SODIUM}!");
        let table = [
            ("OpenSSL",              BY_OPENSSL,     "closte-key-0123456789"),
            ("libsodium",            BY_SODIUM,      "closte-key-0123456789"),
            ("serialized",           &serialized,    "closte-key-0123456789"),
            ("a whole block",        OF_16_BYTES,    "exactly-16-bytes"),
            ("older versions",       "plain-key",    "plain-key"),
            ("nothing",              "",             "-"),
            ("nothing, serialized",  r#"s:0:"";"#,   "-"),
            ("no key inside",        WITH_A_SPACE,   "? cannot be decrypted with the salts of wp-config.php"),
            ("no text inside",       NOT_ASCII,      "? cannot be decrypted with the salts of wp-config.php"),
            ("no key",               "two words",    "? is damaged: it contains what no key contains"),
            ("a later form",         "$wu_new$abc",  "? is damaged: it is encrypted in an unknown way"),
            ("no base64",            &damaged,       "? is damaged: it is not base64"),
            ("no base64 inside",     "$wu_enc$JCQkJCQkJCQkJCQkJCQkJCEh", "? is damaged: it is not base64"),
            ("no text",              "$wu_enc$",     "? is damaged: it is too short"),
            ("no box",               "$wu_sodium$QkJC", "? is damaged: it is too short"),
            ("an empty box",         "$wu_sodium$QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJC", "? cannot be decrypted with the salts of wp-config.php"),
            ("an empty text",        "$wu_enc$JCQkJCQkJCQkJCQkJCQkJA==", "? cannot be decrypted with the salts of wp-config.php"),
        ];
        for (shows, value, want) in table {
            assert_eq!(describe(&stored(&[(OPTION, value)]), &defining(KEY, SALT)), want, "{shows}");
        }
        assert_eq!(describe(&Stored::new(), &defining(KEY, SALT)), "-");
    }

    #[test]
    fn the_salts_are_those_of_wp_config_or_of_the_options() {
        let key = "closte-key-0123456789";
        let wrong = "? cannot be decrypted with the salts";
        let in_options = [(AUTH_KEY, KEY), (AUTH_SALT, SALT)];
        let half = config(&format!("define('AUTH_KEY', '{KEY}');"));
        let unknown = config(&format!("define('AUTH_KEY', f()); define('AUTH_SALT', '{SALT}');"));
        let table = [
            (defining("other", "salts"), &in_options[..], format!("{wrong} of wp-config.php")),
            (defining(LUCKY.0, LUCKY.1), &[], format!("{wrong} of wp-config.php")),
            (config(""), &in_options, key.to_owned()),
            (half.clone(), &in_options, key.to_owned()),
            (unknown.clone(), &in_options, key.to_owned()),
            (
                config(""),
                &[(AUTH_KEY, "x"), (AUTH_SALT, SALT)],
                format!("{wrong} of the network's options"),
            ),
            (
                half.clone(),
                &[(AUTH_SALT, "x")],
                format!("{wrong} of wp-config.php and the network's options"),
            ),
            (
                half,
                &[],
                "? is encrypted with a salt that is not known: \
                 `AUTH_SALT` is not defined in `/srv/wp-config.php`"
                    .to_owned(),
            ),
            (
                unknown,
                &[],
                "? is encrypted with a salt that is not known: `AUTH_KEY` is only known when PHP \
                 runs (line 2: function call `f`), in `/srv/wp-config.php`"
                    .to_owned(),
            ),
        ];
        for (config, options, want) in table {
            for value in [BY_OPENSSL, BY_SODIUM] {
                let stored = stored(&[options, &[(OPTION, value)]].concat());
                assert_eq!(describe(&stored, &config), want, "{value}");
            }
        }
    }

    #[test]
    fn no_secret_shows_in_an_error() {
        let config = defining("very-secret", "salt");
        for value in [BY_OPENSSL, BY_SODIUM, "a secret", "$wu_secret"] {
            let error = stored_api_key(&stored(&[(OPTION, value)]), &config).unwrap_err();
            let shown = format!("{error} {error:?} {}", error.hint());
            assert!(!shown.contains("secret") && !shown.contains("JCQk"), "{shown}");
        }
    }
}
