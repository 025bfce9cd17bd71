//! Domain names: one key for each, however it was written.
//!
//! The key is the form that goes over the wire (RFC 9525, UTS 46): A-labels,
//! lower case, no trailing dot. A name is judged by its form only, never by a
//! list of top-level domains that exist.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// The most octets that WordPress' column for a mapping can store (`varchar(191)`).
pub const LONGEST_MAPPING: usize = 191;

/// What separates labels (UTS 46, 2.3).
const FULL_STOPS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// A domain name in its one canonical form, maybe with a leading `*.`.
///
/// ```
/// # use rules::DomainName;
/// let name: DomainName = "Bücher.Example.".parse()?;
/// assert_eq!(name.as_str(), "xn--bcher-kva.example");
/// assert_eq!(name.display(), "bücher.example");
/// # Ok::<_, rules::domain_name::NotADomain>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Arc<str>);

/// Why a text is not a domain name that can be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADomain {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// It has one label only: `localhost`.
    #[error("it has only one label; a domain has at least two, like `shop.example.com`")]
    OneLabel,
    /// It is an IPv4 address, or a browser would read it as one.
    #[error("it is an IP address, not a name")]
    Address,
    /// It is an IPv6 address, with brackets or without.
    #[error("it is an IPv6 address, not a name")]
    Ipv6Address,
    /// Nothing stands between two dots, or before the first.
    #[error("it has an empty label: two dots in a row, or one at the beginning")]
    EmptyLabel,
    /// A hyphen at an end of a label.
    #[error(
        "a label of it begins or ends with a hyphen; hyphens may only be inside, like `my-shop`"
    )]
    Hyphen,
    /// Longer than DNS allows.
    #[error("it is too long: labels have at most 63 octets, names 253")]
    TooLong,
    /// `*.com`.
    #[error(
        "it is a wildcard of a whole top-level domain, which cannot be mapped; a wildcard is of a \
         domain, like `*.example.com`"
    )]
    TopLevelWildcard,
    /// A `*` that is not the whole left-most label.
    #[error("`*` may only be the whole first label, like `*.example.com`")]
    Wildcard,
    /// A label that begins with `xn--` and decodes to nothing that UTS 46 allows.
    #[error(
        "a label of it begins with `xn--` and is not the encoding of a name; write the name in its \
         own letters"
    )]
    Encoding,
    /// A URL, a port, a path, a space, or letters no domain name has.
    #[error(
        "it contains characters that no domain name has (only the bare name, without `https://`, port or path)"
    )]
    Characters,
}

impl DomainName {
    /// The name as it goes over the wire: A-labels, lower case, no final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as people write it: U-labels where they decode.
    pub fn display(&self) -> Cow<'_, str> {
        if !self.0.contains("xn--") {
            return Cow::Borrowed(&self.0);
        }
        let (unicode, decoded) = idna::domain_to_unicode(self.base());
        match (decoded, self.is_wildcard()) {
            (Err(_), _) => Cow::Borrowed(&self.0),
            (Ok(()), true) => Cow::Owned(format!("*.{unicode}")),
            (Ok(()), false) => Cow::Owned(unicode),
        }
    }

    /// Whether its first label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// The name without a leading `*.`.
    pub fn base(&self) -> &str {
        self.0.strip_prefix("*.").unwrap_or(&self.0)
    }

    /// The name that visitors take for the same: `www.X` for `X`, and back.
    ///
    /// A wildcard has none, nor has a name that `www.` would make too long.
    pub fn twin(&self) -> Option<Self> {
        if self.is_wildcard() {
            return None;
        }
        let twin = match self.0.strip_prefix("www.") {
            Some(apex) => apex.to_owned(),
            None => format!("www.{}", self.0),
        };
        twin.parse().ok()
    }

    /// The name without a leading `www.`, by which twins are compared.
    pub fn without_www(&self) -> &str {
        self.0.strip_prefix("www.").unwrap_or(&self.0)
    }

    /// Whether it is below `parent`, wildcards included.
    pub fn is_below(&self, parent: &Self) -> bool {
        self.0.strip_suffix(parent.as_str()).is_some_and(|rest| rest.ends_with('.'))
    }

    /// Whether its base is a public suffix of a registry, such as `co.uk`: the ICANN part of the
    /// public suffix list. In its private part companies list their own domains, and a network may
    /// have one of those.
    pub fn is_public_suffix(&self) -> bool {
        let base = self.base().as_bytes();
        psl::suffix(base)
            .is_some_and(|suffix| suffix.typ() == Some(psl::Type::Icann) && suffix == base)
    }

    /// The domain of it that somebody registered: one label more than the public suffix, by the whole
    /// public suffix list. So each customer of a company that has its domain in the private part of the
    /// list has one. None of a public suffix.
    #[must_use]
    pub fn registrable(&self) -> Option<Self> {
        let domain = psl::domain_str(self.base())?;
        Some(Self(domain.into()))
    }

    /// The same where only registries count (the ICANN part of the list): what a registry delegates.
    #[must_use]
    pub fn registered(&self) -> Option<Self> {
        let base = self.base();
        let mut suffix = psl::suffix(base.as_bytes())?;
        while suffix.typ() == Some(psl::Type::Private) {
            let above = suffix.as_bytes().iter().position(|octet| *octet == b'.')?;
            suffix =
                psl::suffix(&base.as_bytes()[base.len() - suffix.as_bytes().len() + above + 1..])?;
        }
        let rest = base.len().checked_sub(suffix.as_bytes().len() + 1)?;
        let label = base[..rest].rfind('.').map_or(0, |dot| dot + 1);
        Some(Self(base[label..].into()))
    }

    /// The name to check for it: itself, or `label` in the place of its `*`.
    ///
    /// `label` must be a label of at most 20 lower-case letters and digits.
    #[must_use]
    pub fn checked_as(&self, label: &str) -> Self {
        match self.0.strip_prefix('*') {
            Some(rest) => Self(format!("{label}{rest}").into()),
            None => self.clone(),
        }
    }

    /// The name in a text that has blanks, a scheme, a port or a path around it; none where there is
    /// none. For what people are told, and never for what is sent to the host.
    pub fn within(text: &str) -> Option<Self> {
        bare(text).parse().ok()
    }

    /// Read a host as people and WordPress write it: a scheme, a port, a path, a
    /// leading `www.` and a final dot are dropped. One label is enough.
    ///
    /// For names that are compared, such as a network's own and shared base
    /// domains; never for what is sent to the host.
    ///
    /// # Errors
    ///
    /// What is left is not a name.
    pub fn parse_host(text: &str) -> Result<Self, NotADomain> {
        let host = canonical(bare(text))?;
        Ok(Self(host.strip_prefix("www.").unwrap_or(&host).into()))
    }
}

/// What is left of `text` without a scheme, a port, a path and blanks.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split(['/', ':', '?', '#']).next().unwrap_or_default().trim_end()
}

impl FromStr for DomainName {
    type Err = NotADomain;

    fn from_str(text: &str) -> Result<Self, NotADomain> {
        let (star, base) = match text.strip_prefix("*.") {
            Some(base) => ("*.", base),
            None => ("", text),
        };
        if base.contains('*') {
            return Err(NotADomain::Wildcard);
        }
        let base = canonical(base)?;
        if !base.contains('.') {
            return Err(match star {
                "" => NotADomain::OneLabel,
                _ => NotADomain::TopLevelWildcard,
            });
        }
        if 253 < star.len() + base.len() {
            return Err(NotADomain::TooLong);
        }
        Ok(Self(match star {
            "" => base.into(),
            _ => format!("{star}{base}").into(),
        }))
    }
}

/// UTS 46, non-transitional, with the STD3 letters, lengths verified.
///
/// Hyphens in the third and fourth place are allowed: such names exist.
fn canonical(text: &str) -> Result<Cow<'_, str>, NotADomain> {
    let text = text.strip_suffix(FULL_STOPS).unwrap_or(text);
    if text.is_empty() {
        return Err(NotADomain::Empty);
    }
    if is_plain(text) {
        return Ok(Cow::Borrowed(text));
    }
    let name =
        ascii(text, Hyphens::CheckFirstLast, DnsLength::Verify).ok_or_else(|| why_not(text))?;
    if is_address(&name) {
        Err(NotADomain::Address)
    } else if name.split('.').any(is_encoded_twice) {
        Err(NotADomain::Encoding)
    } else {
        Ok(name)
    }
}

/// Whether what a label decodes to would be an encoding again (UTS 46, 4.1).
fn is_encoded_twice(label: &str) -> bool {
    label.starts_with("xn--xn--") && idna::domain_to_unicode(label).0.starts_with("xn--")
}

fn ascii(text: &str, hyphens: Hyphens, length: DnsLength) -> Option<Cow<'_, str>> {
    Uts46::new().to_ascii(text.as_bytes(), AsciiDenyList::STD3, hyphens, length).ok()
}

/// Why `text` is no name: what it would be one without.
fn why_not(text: &str) -> NotADomain {
    let address = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
    if address.parse::<Ipv6Addr>().is_ok() {
        return NotADomain::Ipv6Address;
    }
    match ascii(text, Hyphens::Allow, DnsLength::Ignore) {
        None => why_not_ascii(text),
        Some(name) if name.split('.').any(str::is_empty) => NotADomain::EmptyLabel,
        Some(_) if ascii(text, Hyphens::CheckFirstLast, DnsLength::Ignore).is_none() => {
            NotADomain::Hyphen
        }
        Some(_) => NotADomain::TooLong,
    }
}

/// Why `text` has no form in ASCII, by the first of its labels that has none.
fn why_not_ascii(text: &str) -> NotADomain {
    let is_odd = |it: &&str| ascii(it, Hyphens::Allow, DnsLength::Ignore).is_none();
    match text.split('.').find(is_odd) {
        Some(label) if label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
            // With these letters alone, only an encoding can be odd.
            if label.ends_with('-') { NotADomain::Hyphen } else { NotADomain::Encoding }
        }
        _ => NotADomain::Characters,
    }
}

/// Whether `text` is canonical already: most names are, and are read often.
fn is_plain(text: &str) -> bool {
    let label = |label: &str| {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !label.starts_with("xn--")
    };
    text.len() <= 253 && text.split('.').all(label) && !is_address(text)
}

/// Whether a browser would read `name` as an IPv4 address: its last label is a number.
fn is_address(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    name.parse::<Ipv4Addr>().is_ok() || last.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod public_suffixes;
#[cfg(test)]
mod uts46;

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    #[test]
    fn the_registrable_domain_follows_the_public_suffix_list() {
        #[rustfmt::skip] // One case a line: the whole list, and registries alone.
        let table = [
            ("shop.example",           Some("shop.example"),      Some("shop.example")),
            ("www.shop.example",       Some("shop.example"),      Some("shop.example")),
            ("*.shop.example",         Some("shop.example"),      Some("shop.example")),
            ("a.b.shop.co.uk",         Some("shop.co.uk"),        Some("shop.co.uk")),
            ("co.uk",                  None,                      None),
            ("a.b.kobe.jp",            Some("a.b.kobe.jp"),       Some("a.b.kobe.jp")),
            ("www.city.kobe.jp",       Some("city.kobe.jp"),      Some("city.kobe.jp")),
            ("blog.shop.github.io",    Some("shop.github.io"),    Some("github.io")),
            ("github.io",              None,                      Some("github.io")),
            ("xn--85x722f.com.cn",     Some("xn--85x722f.com.cn"), Some("xn--85x722f.com.cn")),
        ];
        for (text, registrable, registered) in table {
            let of = |it: Option<DomainName>| it.map(|name| name.to_string());
            assert_eq!(of(name(text).registrable()).as_deref(), registrable, "{text}");
            assert_eq!(of(name(text).registered()).as_deref(), registered, "{text}");
        }
    }

    #[test]
    fn every_way_of_writing_a_name_has_one_key() {
        let long = format!("{}.example", "a".repeat(63));
        let table = [
            ("shop.example.com", "shop.example.com"),
            ("Shop.EXAMPLE.com.", "shop.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("faß.example", "xn--fa-hia.example"), // non-transitional: not `fass`
            ("*.bücher.example", "*.xn--bcher-kva.example"),
            ("ｅｘａｍｐｌｅ。com", "example.com"),
            ("r3---sn.example.com", "r3---sn.example.com"),
            ("example.invented", "example.invented"),
            (&long, &long),
        ];
        for (written, key) in table {
            assert_eq!(name(written).as_str(), key, "{written}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_its_reason() {
        let label = format!("{}.example", "a".repeat(64));
        let octets = format!("{}example", "abcdefghi.".repeat(30));
        let table = [
            ("", NotADomain::Empty),
            (".", NotADomain::Empty),
            ("localhost", NotADomain::OneLabel),
            ("*.com", NotADomain::TopLevelWildcard),
            ("*.onion.", NotADomain::TopLevelWildcard),
            ("*.", NotADomain::Empty),
            ("192.0.2.1", NotADomain::Address),
            ("example.123", NotADomain::Address),
            ("a.*.example.com", NotADomain::Wildcard),
            ("*.*.example.com", NotADomain::Wildcard),
            ("w*.example.com", NotADomain::Wildcard),
            ("https://example.com", NotADomain::Characters),
            ("example.com:8080", NotADomain::Characters),
            ("example.com/path", NotADomain::Characters),
            ("my shop.example", NotADomain::Characters),
            ("[2001:db8::1]", NotADomain::Ipv6Address),
            ("2001:db8::1", NotADomain::Ipv6Address),
            ("[2001:db8::1]:443", NotADomain::Characters),
            ("a..example", NotADomain::EmptyLabel),
            (".a.example", NotADomain::EmptyLabel),
            ("a.example..", NotADomain::EmptyLabel),
            ("-a.example", NotADomain::Hyphen),
            ("a-.example", NotADomain::Hyphen),
            ("*.-a.example", NotADomain::Hyphen),
            ("-a b.example", NotADomain::Characters),
            ("a_b.example", NotADomain::Characters),
            ("💩\u{200d}.example", NotADomain::Characters),
            ("xn--a.example", NotADomain::Encoding),
            ("shop.XN--A.example", NotADomain::Encoding),
            ("bücher.xn--a", NotADomain::Encoding),
            ("xn--zz--.example", NotADomain::Hyphen),
            ("a_b.xn--a", NotADomain::Characters),
            (&label, NotADomain::TooLong),
            (&octets, NotADomain::TooLong),
        ];
        for (text, why) in table {
            assert_eq!(text.parse::<DomainName>(), Err(why), "{text}");
        }
    }

    #[test]
    fn a_host_is_read_as_people_type_it() {
        for text in [
            "Bases.example",
            " www.Bases.example:8080/ ",
            "https://bases.example/x?y",
            "bases.example.",
        ] {
            assert_eq!(DomainName::parse_host(text).unwrap().as_str(), "bases.example", "{text}");
        }
        assert_eq!(DomainName::parse_host("localhost:8080").unwrap().as_str(), "localhost");
        assert_eq!(DomainName::parse_host(" / "), Err(NotADomain::Empty));
        let within = |text| DomainName::within(text).map(|name| name.to_string());
        assert_eq!(
            within(" https://WWW.bases.example:8080/x"),
            Some("www.bases.example".to_owned())
        );
        assert_eq!(within("two words.example"), None);
    }

    #[test]
    fn twins_bases_and_parents() {
        assert_eq!(name("x.example").twin(), Some(name("www.x.example")));
        assert_eq!(name("www.x.example").twin(), Some(name("x.example")));
        assert_eq!(name("*.x.example").twin(), None);
        assert_eq!(name("*.x.example").base(), "x.example");
        assert!(name("a.x.example").is_below(&name("x.example")));
        assert!(name("*.x.example").is_below(&name("x.example")));
        assert!(!name("x.example").is_below(&name("x.example")));
        assert!(!name("ax.example").is_below(&name("x.example")));
    }

    #[test]
    fn public_suffixes_are_known_and_invented_ones_are_not() {
        assert!(name("co.uk").is_public_suffix());
        assert!(name("*.co.uk").is_public_suffix());
        assert!(!name("example.co.uk").is_public_suffix());
        assert!(!name("example.test").is_public_suffix());
        // Companies' own, in the private part of the list.
        assert!(!name("*.github.io").is_public_suffix());
        assert!(!name("blogspot.com").is_public_suffix());
    }

    #[test]
    fn a_wildcard_is_checked_at_under_a_label() {
        assert_eq!(name("*.x.example").checked_as("q7k2"), name("q7k2.x.example"));
        assert_eq!(name("x.example").checked_as("q7k2"), name("x.example"));
    }

    proptest::proptest! {
        #[test]
        fn the_key_of_a_key_is_itself(text in ".{0,300}") {
            if let Ok(key) = text.parse::<DomainName>() {
                let again: DomainName = key.as_str().parse().unwrap();
                assert_eq!(again, key);
                assert!(key.as_str().len() <= 253);
                assert!(key.as_str().is_ascii());
                let shown: DomainName = key.display().parse().unwrap();
                assert_eq!(shown, key);
            }
        }
    }
}
