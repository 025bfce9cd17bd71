//! The question by which Ultimate Multisite proves that a request reached it:
//! `https://DOMAIN/?async_check_dns_nonce=ANSWER_KEY`.
//!
//! Its key is the domain's hash with WordPress' salt. Where the salt is not known, nothing is asked.

use std::sync::{Mutex, PoisonError};

use rules::DomainName;

use crate::salts::{AuthSalt, Salts, Stored};

/// What makes the questions of one network.
#[derive(Debug)]
pub(crate) struct RoutingQuestion(Mutex<Option<AuthSalt>>);

impl RoutingQuestion {
    /// With what wp-config.php defines, before anything was read.
    pub(crate) fn new(defined: &Salts) -> Self {
        Self(Mutex::new(defined.complete(&Stored::new())))
    }

    /// Use the salt as it is after a read that found `stored`.
    pub(crate) fn learn(&self, defined: &Salts, stored: &Stored) {
        let salt = defined.complete(stored);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = salt;
    }

    /// The key to ask with at `domain`: the name as a visitor's browser sends it. A wildcard has
    /// none.
    pub(crate) fn of(&self, domain: &DomainName) -> Option<String> {
        if domain.is_wildcard() {
            return None;
        }
        let salt = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        salt.as_ref().map(|salt| salt.hash(domain.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{AUTH_KEY, AUTH_SALT};

    #[test]
    fn a_question_is_asked_where_the_salt_is_known() {
        let stored = Stored::from([
            (AUTH_KEY, b"a key that protects nothing".to_vec()),
            (AUTH_SALT, b"a salt that protects nothing".to_vec()),
        ]);
        let defined = Salts::default();
        let question = RoutingQuestion::new(&defined);
        let shop: DomainName = "Shop.example".parse().unwrap();
        assert_eq!(question.of(&shop), None);
        question.learn(&defined, &stored);
        // `hash_hmac('md5', 'shop.example', …)`
        assert_eq!(question.of(&shop).as_deref(), Some("38862d010d4a5834ee6bfdaeb9124af4"));
        assert_eq!(question.of(&"*.shop.example".parse().unwrap()), None);
        assert!(!format!("{question:?}").contains("protects"));
        question.learn(&defined, &Stored::new());
        assert_eq!(question.of(&shop), None, "as of the last read");
    }
}
