//! WordPress' salt of the scheme `auth`, with which it hashes and Ultimate Multisite encrypts.
//!
//! It is `AUTH_KEY` and `AUTH_SALT` in one; a half that wp-config.php does not define is an option
//! of the network. A salt never leaves this file in clear text.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest, Sha256};

use crate::WpConfig;
use crate::options::{self, AUTH_KEY, AUTH_SALT};

/// The halves that wp-config.php defines.
#[derive(Clone, Debug, Default)]
pub struct Salts {
    /// `AUTH_KEY`, or what WordPress uses for it.
    pub key: Option<SecretString>,
    /// `AUTH_SALT`, or what WordPress uses for it.
    pub salt: Option<SecretString>,
}

/// Options of our network by their names. They may be secrets: never to be shown.
pub(crate) type Stored = BTreeMap<&'static str, Vec<u8>>;

/// Both halves.
#[derive(Debug)]
pub(crate) struct AuthSalt(SecretSlice<u8>);

impl Salts {
    /// What `config` defines.
    pub fn of(config: &WpConfig) -> Self {
        let [key, salt] = [&config.auth_key, &config.auth_salt].map(|it| it.known().cloned());
        Self { key, salt }
    }

    /// Both halves, with `stored` for what is not defined; none where one is in neither place.
    pub(crate) fn complete(&self, stored: &Stored) -> Option<AuthSalt> {
        let key = half(self.key.as_ref(), AUTH_KEY, stored)?;
        Some(AuthSalt::of(key, &half(self.salt.as_ref(), AUTH_SALT, stored)?))
    }
}

impl PartialEq for Salts {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |it: &Self| {
            [&it.key, &it.salt].map(|it| it.as_ref().map(|it| it.expose_secret().to_owned()))
        };
        exposed(self) == exposed(other)
    }
}

impl Eq for Salts {}

/// What is defined, or else what is stored.
fn half(defined: Option<&SecretString>, option: &'static str, stored: &Stored) -> Option<Vec<u8>> {
    match defined {
        Some(text) => Some(text.expose_secret().as_bytes().to_vec()),
        None => options::text(stored.get(option)?),
    }
}

impl AuthSalt {
    pub(crate) fn of(mut key: Vec<u8>, salt: &[u8]) -> Self {
        key.extend(salt);
        Self(key.into())
    }

    /// What Ultimate Multisite encrypts with.
    pub(crate) fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose_secret()).into()
    }

    /// What `wp_hash` makes of `text`.
    pub(crate) fn hash(&self, text: &str) -> String {
        let hmac = Hmac::<Md5>::new_from_slice(self.0.expose_secret());
        let hmac = hmac.expect("a key of an HMAC may have any length");
        let hash = hmac.chain_update(text).finalize().into_bytes();
        format!("{:032x}", u128::from_be_bytes(hash.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn salts(key: Option<&str>, salt: Option<&str>) -> Salts {
        Salts { key: key.map(Into::into), salt: salt.map(Into::into) }
    }

    fn stored(options: &[(&'static str, &str)]) -> Stored {
        options.iter().map(|(name, value)| (*name, (*value).into())).collect()
    }

    /// `hash_hmac('md5', $name, 'a key that protects nothing' . 'a salt that protects nothing')`
    const HASHES: [(&str, &str); 2] = [
        ("shop.example", "38862d010d4a5834ee6bfdaeb9124af4"),
        ("xn--bcher-kva.example", "ef24572e2ae5fbd81ea66e453b22aea8"),
    ];
    const KEY: &str = "a key that protects nothing";
    const SALT: &str = "a salt that protects nothing";

    #[test]
    fn the_hash_is_phps_wherever_the_halves_come_from() {
        let both = stored(&[(AUTH_KEY, KEY), (AUTH_SALT, SALT)]);
        let wrapped = stored(&[(AUTH_KEY, r#"s:27:"a key that protects nothing";"#)]);
        let table = [
            (salts(Some(KEY), Some(SALT)), Stored::new()),
            (salts(Some(KEY), Some(SALT)), stored(&[(AUTH_KEY, "older")])),
            (salts(Some(KEY), None), both.clone()),
            (salts(None, None), both),
            (salts(None, Some(SALT)), wrapped),
        ];
        for (defined, stored) in table {
            let salt = defined.complete(&stored).expect("both halves");
            for (name, hash) in HASHES {
                assert_eq!(salt.hash(name), hash, "{name}");
            }
        }
    }

    #[test]
    fn half_a_salt_is_none() {
        for (defined, stored) in [
            (salts(Some(KEY), None), Stored::new()),
            (salts(None, Some(SALT)), stored(&[(AUTH_SALT, SALT)])),
            (salts(None, None), stored(&[(AUTH_KEY, KEY), (AUTH_SALT, "")])),
            (salts(None, None), stored(&[(AUTH_KEY, "0"), (AUTH_SALT, SALT)])),
        ] {
            assert!(defined.complete(&stored).is_none(), "{:?}", stored.keys());
        }
    }

    #[test]
    fn no_salt_shows() {
        let salts = salts(Some(KEY), Some(SALT));
        let shown = format!("{salts:?} {:?}", salts.complete(&Stored::new()));
        assert!(!shown.contains("protects"), "{shown}");
        assert_eq!(salts, salts.clone());
        assert_ne!(salts, Salts { salt: None, ..salts.clone() });
    }
}
