//! Shared base domains: the hosts that checkout forms offer, many sites below each.
//!
//! A form's settings are an array of steps, each with `fields`; a field of type `site_url` may
//! have `available_domains`, one host per line, as people type them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rules::DomainName;

use crate::php_value::{ParseError, PhpValue};

/// The keys under which a field keeps its hosts.
const HOSTS: [&str; 2] = ["available_domains", "available_domains_multi"];

/// What one form offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// The hosts, each as its one key.
    pub hosts: BTreeSet<DomainName>,
    /// Lines that are not a host.
    pub odd: Vec<String>,
}

/// Read the `settings` of one checkout form.
///
/// # Errors
///
/// They are not a PHP value, neither as they are nor without the slashes before quotes that occur
/// on real networks.
pub fn offered(settings: &[u8]) -> Result<Offered, ParseError> {
    let value = match settings.trim_ascii() {
        b"" => PhpValue::Null,
        settings => {
            let plain = PhpValue::parse(settings);
            plain.or_else(|error| PhpValue::parse(&strip_slashes(settings)).map_err(|_| error))?
        }
    };
    let mut offered = Offered::default();
    for step in value.values() {
        let fields = step.at("fields").into_iter().flat_map(PhpValue::values);
        for field in fields.filter(|it| is_site_url(it)) {
            let hosts = HOSTS.iter().filter_map(|key| field.at(key));
            hosts.for_each(|hosts| collect(hosts, &mut offered));
        }
    }
    Ok(offered)
}

/// Read hosts as they are in one field: one per line.
pub(crate) fn lines(text: &str) -> Offered {
    let mut offered = Offered::default();
    collect(&PhpValue::str(text), &mut offered);
    offered
}

fn is_site_url(field: &PhpValue) -> bool {
    field.at("type").and_then(PhpValue::as_bytes) == Some(b"site_url")
}

/// One host per line, or a list of such texts.
fn collect(hosts: &PhpValue, offered: &mut Offered) {
    for text in hosts.values().chain([hosts]).filter_map(PhpValue::as_bytes) {
        for line in text.split(|b| matches!(b, b'\n' | b'\r')).map(<[u8]>::trim_ascii) {
            let line = String::from_utf8_lossy(line);
            match DomainName::parse_host(&line) {
                _ if line.is_empty() => {}
                Ok(host) => _ = offered.hosts.insert(host),
                Err(_) => offered.odd.push(Cow::into_owned(line)),
            }
        }
    }
}

/// PHP's `stripslashes()`.
fn strip_slashes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match (byte, byte == &b'\\') {
            (_, false) => out.push(*byte),
            (_, true) => match bytes.next() {
                Some(b'0') => out.push(0),
                Some(next) => out.push(*next),
                None => {}
            },
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::php_value::Key;

    fn array(entries: &[(&str, PhpValue)]) -> PhpValue {
        let entry = |(key, value): &(&str, PhpValue)| (Key::Str((*key).into()), value.clone());
        PhpValue::Array(entries.iter().map(entry).collect())
    }

    fn list(values: &[PhpValue]) -> PhpValue {
        let entry =
            |(at, value): (usize, &PhpValue)| (Key::Int(at.try_into().unwrap()), value.clone());
        PhpValue::Array(values.iter().enumerate().map(entry).collect())
    }

    fn form(hosts: &str, multi: PhpValue) -> Vec<u8> {
        let text = |text: &str| PhpValue::str(text);
        let other = array(&[("type", text("text")), ("available_domains", text("not.example"))]);
        let site = array(&[
            ("type", text("site_url")),
            ("enable_domain_selection", PhpValue::Bool(true)),
            ("available_domains", text(hosts)),
            ("available_domains_multi", multi),
        ]);
        let step = array(&[("id", text("checkout")), ("fields", list(&[other, site]))]);
        list(&[step, array(&[("id", text("thanks"))])]).to_bytes()
    }

    fn names(offered: &Offered) -> Vec<&str> {
        offered.hosts.iter().map(DomainName::as_str).collect()
    }

    #[test]
    fn hosts_are_read_as_people_type_them() {
        let settings =
            form("www.Bases.example:8080/\r\n\r\n other.example \nno host", PhpValue::Null);
        let offered = offered(&settings).unwrap();
        assert_eq!(names(&offered), ["bases.example", "other.example"]);
        assert_eq!(offered.odd, ["no host"]);
    }

    #[test]
    fn a_list_of_hosts_counts_too() {
        let multi = list(&[PhpValue::str("b.example"), PhpValue::str("c.example\nd.example")]);
        let offered = offered(&form("a.example", multi)).unwrap();
        assert_eq!(names(&offered), ["a.example", "b.example", "c.example", "d.example"]);
    }

    #[test]
    fn slashes_before_quotes_do_not_hide_hosts() {
        let settings = String::from_utf8(form("bases.example", PhpValue::Null)).unwrap();
        let slashed = settings.replace('"', "\\\"");
        assert_eq!(names(&offered(slashed.as_bytes()).unwrap()), ["bases.example"]);
    }

    #[test]
    fn what_is_no_form_offers_nothing_or_is_an_error() {
        assert_eq!(offered(b""), Ok(Offered::default()));
        assert_eq!(offered(b"a:0:{}"), Ok(Offered::default()));
        assert!(offered(b"a:1:{i:0;").is_err());
        assert!(offered(b"\\").is_err());
    }
}
