//! Names that a plan never adds to or removes from the host.

use std::collections::BTreeSet;
use std::fmt;

use wildmatch::WildMatchPattern;

use crate::planted;
use crate::{DomainName, Network};

/// The names that are protected on one network.
#[derive(Clone, Debug, Default)]
pub struct Protected {
    own: BTreeSet<DomainName>,
    shared: BTreeSet<DomainName>,
    cdn: Option<DomainName>,
    globs: Vec<(String, Glob)>,
}

/// A pattern in which `*` alone stands for something; no name has the other character.
type Glob = WildMatchPattern<'*', '\0'>;

/// Why a name is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// It is the network's own domain, or another network's of the installation.
    NetworkDomain,
    /// Checkout forms offer it as a base for many sites.
    SharedBase,
    /// It is the site's name at Closte's CDN.
    CdnHostname,
    /// It is Closte's.
    Host,
    /// It is a public suffix, such as `co.uk`.
    PublicSuffix,
    /// It is below a top-level name, this one, under which no public server answers for a site.
    SpecialUse(&'static str),
    /// The operator said so, with this pattern in `protected.names`.
    Operator(String),
}

/// Top-level names for special use (IANA's registry of RFC 6761), and why nobody can be sent there
/// by public DNS. Left out are `test` and `example`: they are for rehearsals, such as the sandbox's.
const SPECIAL_USE: [&str; 7] = [
    "alt",       // not of DNS at all (RFC 9476)
    "arpa",      // for the infrastructure, `home.arpa` for homes (RFC 3172, RFC 8375)
    "internal",  // for private networks (ICANN, 2024)
    "invalid",   // never exists (RFC 6761)
    "local",     // multicast on the local link (RFC 6762)
    "localhost", // the machine itself (RFC 6761)
    "onion",     // Tor (RFC 7686)
];

impl Protected {
    /// What is protected on `network`, with Closte's CDN host and the operator's
    /// patterns (`*` stands for any letters, dots too).
    pub fn on(network: &Network, cdn: Option<DomainName>, globs: Vec<String>) -> Self {
        let mut own = network.network_domains.clone();
        own.insert(network.identity.domain.clone());
        Self { own, shared: network.shared_bases.clone(), cdn, globs: compiled(globs) }
    }

    /// Why `name` is protected; none where it is not.
    pub fn why(&self, name: &DomainName) -> Option<Protection> {
        let is_in = |set: &BTreeSet<DomainName>| {
            set.iter().any(|own| !name.is_wildcard() && own.as_str() == name.without_www())
        };
        let host = name.base() == "closte.com" || name.as_str().ends_with(".closte.com");
        if planted!(SendProtected) {
            None
        } else if is_in(&self.own) {
            Some(Protection::NetworkDomain)
        } else if is_in(&self.shared) {
            Some(Protection::SharedBase)
        } else if self.cdn.as_ref() == Some(name) {
            Some(Protection::CdnHostname)
        } else if host {
            Some(Protection::Host)
        } else if let Some(top) = special_use(name.as_str()) {
            Some(Protection::SpecialUse(top))
        } else if name.is_public_suffix() {
            Some(Protection::PublicSuffix)
        } else {
            let hit = self.globs.iter().find(|(_, glob)| glob.matches(name.as_str()));
            hit.map(|(text, _)| Protection::Operator(text.clone()))
        }
    }
}

/// The top-level name for special use that `name` is below.
pub(crate) fn special_use(name: &str) -> Option<&'static str> {
    let top = name.rsplit('.').next();
    SPECIAL_USE.into_iter().find(|special| top == Some(special))
}

fn compiled(globs: impl IntoIterator<Item = String>) -> Vec<(String, Glob)> {
    globs.into_iter().map(|text| (text.clone(), Glob::new(&text))).collect()
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NetworkDomain => f.write_str("it is a network's own domain"),
            Self::SharedBase => f.write_str("it is a shared base domain of a checkout form"),
            Self::CdnHostname => f.write_str("it is `CLOSTE_CDN_HOSTNAME`"),
            Self::Host => f.write_str("it is Closte's own"),
            Self::PublicSuffix => f.write_str("it is a public suffix"),
            Self::SpecialUse(top) => {
                write!(f, "names below `.{top}` are for special use, and no public DNS serves them")
            }
            Self::Operator(glob) => write!(f, "`protected.names` has `{glob}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip] // One case a line.
    fn protected_names() {
        let protected = Protected {
            own: BTreeSet::from(["net.example".parse().unwrap()]),
            shared: BTreeSet::from(["bases.example".parse().unwrap()]),
            cdn: "abc.cdn.example".parse().ok(),
            globs: compiled(["*.bank.example", "mail.*", "!x", "a?c.example"].map(str::to_owned)),
        };
        let operator = |glob: &str| Some(Protection::Operator(glob.to_owned()));
        let table = [
            ("net.example",         Some(Protection::NetworkDomain)),
            ("www.net.example",     Some(Protection::NetworkDomain)),
            ("shop.net.example",    None),
            ("*.net.example",       None), // one wildcard spares many certificates
            ("bases.example",       Some(Protection::SharedBase)),
            ("a.bases.example",     None),
            ("abc.cdn.example",     Some(Protection::CdnHostname)),
            ("closte.com",          Some(Protection::Host)),
            ("x.y.closte.com",      Some(Protection::Host)),
            ("*.closte.com",        Some(Protection::Host)),
            ("notcloste.com",       None),
            ("co.uk",               Some(Protection::PublicSuffix)),
            ("*.co.uk",             Some(Protection::PublicSuffix)),
            ("example.co.uk",       None),
            ("*.github.io",         None), // in the private part of the list
            ("shop.onion",          Some(Protection::SpecialUse("onion"))),
            ("*.shop.onion",        Some(Protection::SpecialUse("onion"))),
            ("shop.home.arpa",      Some(Protection::SpecialUse("arpa"))),
            ("home.arpa",           Some(Protection::SpecialUse("arpa"))), // a public suffix too
            ("printer.local",       Some(Protection::SpecialUse("local"))),
            ("onion.shop.example",  None),
            ("shop.test",           None),
            ("my.bank.example",     operator("*.bank.example")),
            ("*.bank.example",      operator("*.bank.example")),
            ("bank.example",        None),
            ("mail.shop.example",   operator("mail.*")),
            ("abc.example",         None), // only `*` stands for anything
        ];
        for (name, why) in table {
            assert_eq!(protected.why(&name.parse().unwrap()), why, "{name}");
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_a_few() {
        let name: DomainName =
            format!("{}com", format!("{}.", "a".repeat(60)).repeat(4)).parse().unwrap();
        let stars = "*a".repeat(40);
        let globs = compiled([format!("{stars}*b"), format!("{stars}*")]);
        let protected = Protected { globs, ..Protected::default() };
        assert_eq!(protected.why(&name), Some(Protection::Operator(format!("{stars}*"))));
    }
}
