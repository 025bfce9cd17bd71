//! What goes out to the host, to the byte (facts: the Closte client API).
//!
//! The form is not written by an encoder of the URL standard: that one leaves
//! the `*` of a wildcard as it is, and working clients send `%2A`.

use http::{BaseUrl, Method, Url};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rules::DomainName;

use crate::api_key::ApiKey;

/// What working clients escape; they leave the rest as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// One kind of request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call<'a> {
    Add(&'a DomainName),
    Remove(&'a DomainName),
    List,
    /// An addition that names no domain: refused with words that only a valid
    /// key gets to hear.
    Check,
}

impl<'a> Call<'a> {
    /// Its name in the API, which is the last part of its path.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Add(_) | Self::Check => "adddomainalias",
            Self::Remove(_) => "deletedomainalias",
            Self::List => "getdomains",
        }
    }

    /// The domain that it is about.
    pub(crate) fn domain(self) -> Option<&'a DomainName> {
        match self {
            Self::Add(domain) | Self::Remove(domain) => Some(domain),
            Self::List | Self::Check => None,
        }
    }

    pub(crate) fn method(self) -> Method {
        if matches!(self, Self::List) { Method::GET } else { Method::POST }
    }

    /// Its address; for the list with the key in it.
    pub(crate) fn url(self, base: &BaseUrl, key: &ApiKey) -> Url {
        let mut url = base.join(self.name());
        if matches!(self, Self::List) {
            url.set_query(Some(&format!("apikey={}", key.encoded())));
        }
        url
    }

    /// The form that it sends, if it sends one.
    pub(crate) fn form(self, key: &ApiKey) -> Option<String> {
        let key = key.encoded();
        match self {
            Self::Add(domain) | Self::Remove(domain) => {
                let wildcard = u8::from(domain.is_wildcard());
                let domain = encoded(domain.as_str());
                Some(format!("apikey={key}&domain={domain}&wildcard={wildcard}"))
            }
            Self::Check => Some(format!("apikey={key}")),
            Self::List => None,
        }
    }
}

/// `text` with everything escaped but letters, digits, `-`, `.` and `_`.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closte() -> BaseUrl {
        "https://app.closte.com/api/client".parse().unwrap()
    }

    #[test]
    fn the_forms_are_those_of_working_clients() {
        let key = ApiKey::parse(&"k+3/y".into()).unwrap();
        let [shop, wildcard, idn] =
            ["shop.example", "*.shop.example", "bücher.example"].map(|name| name.parse().unwrap());
        let table = [
            (Call::Add(&shop), "apikey=k%2B3%2Fy&domain=shop.example&wildcard=0"),
            (Call::Add(&wildcard), "apikey=k%2B3%2Fy&domain=%2A.shop.example&wildcard=1"),
            (Call::Remove(&wildcard), "apikey=k%2B3%2Fy&domain=%2A.shop.example&wildcard=1"),
            (Call::Add(&idn), "apikey=k%2B3%2Fy&domain=xn--bcher-kva.example&wildcard=0"),
            (Call::Check, "apikey=k%2B3%2Fy"),
        ];
        for (call, form) in table {
            assert_eq!(call.form(&key).as_deref(), Some(form), "{call:?}");
            assert_eq!(call.url(&closte(), &key).query(), None, "{call:?}");
        }
    }

    #[test]
    fn only_the_list_has_the_key_in_its_address() {
        let key = ApiKey::parse(&"k+3/y".into()).unwrap();
        let url = Call::List.url(&closte(), &key);
        assert_eq!(url.as_str(), "https://app.closte.com/api/client/getdomains?apikey=k%2B3%2Fy");
        assert_eq!(Call::List.form(&key), None);
    }

    #[test]
    fn every_octet_outside_the_safe_ones_is_escaped() {
        assert_eq!(encoded("aZ09-._"), "aZ09-._");
        assert_eq!(encoded("*~ +&=%é"), "%2A%7E%20%2B%26%3D%25%C3%A9");
        assert_eq!(crate::dashboard_url("4711"), "https://app.closte.com/sites/domains/4711");
        assert_eq!(crate::dashboard_url("../x"), "https://app.closte.com/sites/domains/..%2Fx");
    }
}
