//! Which network is ours, where an installation may have several.

use rules::DomainName;
use rules::source::SourceError;

use crate::wp_config::{Setting, WpConfigError};
use crate::{Salts, TablePrefix, WpConfig};

/// What wp-config.php says about the network, besides where its database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// `$table_prefix`.
    pub prefix: TablePrefix,
    /// `CLOSTE_APP_ID`.
    pub app: Option<String>,
    /// `SITE_ID_CURRENT_SITE`.
    pub network_id: Option<u64>,
    /// `DOMAIN_CURRENT_SITE`.
    pub domain: Option<String>,
    /// `PATH_CURRENT_SITE`.
    pub path: Option<String>,
    /// Of the three, those that are defined and not known, each with why.
    pub unknown: Vec<String>,
    /// Whether WordPress has a persistent object cache.
    pub object_cache: bool,
    /// The halves of WordPress' salt that it defines.
    pub salts: Salts,
}

/// A row of `wp_site`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetworkRow {
    pub(crate) id: u64,
    pub(crate) domain: String,
    pub(crate) path: String,
}

/// No row of `wp_site`, or more than one, can be ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOurs {
    #[error("`{table}` has no network with the id {id} (`SITE_ID_CURRENT_SITE`)")]
    NoSuchId { table: String, id: u64 },
    #[error("`{table}` has no network at `{wanted}`; it has {there}")]
    NoSuchDomain { table: String, wanted: String, there: String },
    #[error("`{table}` has several networks ({there}), and it is not known which is ours{why}")]
    Several { table: String, there: String, why: String },
    #[error("`{table}` is empty: this is not a network")]
    Empty { table: String },
    #[error("the network's own domain `{domain}` is not a domain: {why}")]
    BadDomain { domain: String, why: String },
}

impl From<NotOurs> for SourceError {
    fn from(why: NotOurs) -> Self {
        // The setting counts before all constants.
        let hint = match why {
            NotOurs::NoSuchDomain { .. } | NotOurs::Several { .. } => {
                "set `network.domain` to one of them"
            }
            NotOurs::NoSuchId { .. } | NotOurs::Empty { .. } | NotOurs::BadDomain { .. } => {
                "check `DOMAIN_CURRENT_SITE` and `SITE_ID_CURRENT_SITE` in wp-config.php, or set \
                 `network.domain`"
            }
        };
        Self::NotANetwork { what: why.to_string(), hint: hint.to_owned() }
    }
}

impl Installation {
    /// An installation where only the prefix is known.
    pub fn new(prefix: TablePrefix) -> Self {
        Self {
            prefix,
            app: None,
            network_id: None,
            domain: None,
            path: None,
            unknown: Vec::new(),
            object_cache: false,
            salts: Salts::default(),
        }
    }

    /// What `config` says about it.
    ///
    /// # Errors
    ///
    /// `$table_prefix` is missing or unknown, or `CLOSTE_APP_ID` is unknown: without it, the
    /// installation that acts could not be told from a copy.
    pub fn of(config: &WpConfig) -> Result<Self, WpConfigError> {
        Ok(Self {
            prefix: config.require("$table_prefix", &config.table_prefix)?.clone(),
            app: config.optional("CLOSTE_APP_ID", &config.closte_app_id)?.cloned(),
            network_id: config.site_id_current_site.known().copied(),
            domain: config.domain_current_site.known().cloned(),
            path: config.path_current_site.known().cloned(),
            unknown: unknown(config),
            object_cache: config.object_cache,
            salts: Salts::of(config),
        })
    }

    /// The row that is our network, as WordPress would choose it.
    pub(crate) fn choose<'a>(&self, rows: &'a [NetworkRow]) -> Result<&'a NetworkRow, NotOurs> {
        let table = format!("{}site", self.prefix);
        if let Some(id) = self.network_id {
            return rows.iter().find(|row| row.id == id).ok_or(NotOurs::NoSuchId { table, id });
        }
        let ours: Vec<_> = rows.iter().filter(|row| self.may_be(row)).collect();
        match (&ours[..], rows) {
            (&[row], _) | ([], [row]) => Ok(row),
            (_, []) => Err(NotOurs::Empty { table }),
            ([], _) => {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                let wanted = text(&self.domain) + &text(&self.path);
                Err(NotOurs::NoSuchDomain { table, wanted, there: named(rows) })
            }
            _ => {
                let why = match &self.unknown[..] {
                    [] => String::new(),
                    unknown => format!(": {}", unknown.join("; ")),
                };
                Err(NotOurs::Several { table, there: named(rows), why })
            }
        }
    }

    fn may_be(&self, row: &NetworkRow) -> bool {
        let host = |text: &str| DomainName::parse_host(text).ok();
        self.domain.as_ref().is_none_or(|domain| host(domain) == host(&row.domain))
            && self.path.as_ref().is_none_or(|path| *path == row.path)
    }

    /// The network's own domain: the constant counts before the row, as in WordPress.
    pub(crate) fn own_domain(&self, row: &NetworkRow) -> Result<DomainName, NotOurs> {
        let domain = self.domain.as_ref().unwrap_or(&row.domain);
        DomainName::parse_host(domain)
            .map_err(|why| NotOurs::BadDomain { domain: domain.clone(), why: why.to_string() })
    }
}

/// More networks than these are counted.
const NAMED: usize = 5;

/// The networks, as `network.domain` takes them.
fn named(rows: &[NetworkRow]) -> String {
    let mut named: Vec<_> =
        rows.iter().take(NAMED).map(|row| format!("`{}{}`", row.domain, row.path)).collect();
    if NAMED < rows.len() {
        named.push(format!("{} more", rows.len() - NAMED));
    }
    named.join(", ")
}

/// Which constants that tell our network are defined and not known, each with why.
fn unknown(config: &WpConfig) -> Vec<String> {
    fn why<T>(setting: &Setting<T>) -> Option<String> {
        setting.unknown().map(ToString::to_string)
    }
    let constants = [
        ("DOMAIN_CURRENT_SITE", why(&config.domain_current_site)),
        ("SITE_ID_CURRENT_SITE", why(&config.site_id_current_site)),
        ("PATH_CURRENT_SITE", why(&config.path_current_site)),
    ];
    let path = config.path.display();
    let unknown = constants.into_iter().filter_map(|(name, why)| Some((name, why?)));
    unknown.map(|(name, why)| format!("`{name}` {why}, in `{path}`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u64, domain: &str, path: &str) -> NetworkRow {
        NetworkRow { id, domain: domain.to_owned(), path: path.to_owned() }
    }

    #[test]
    fn our_network_is_the_one_that_wordpress_would_choose() {
        let both = [row(1, "a.example", "/"), row(2, "b.example", "/"), row(3, "b.example", "/x/")];
        let any = Installation::new("wp_".parse().unwrap());
        let by_id = Installation { network_id: Some(2), ..any.clone() };
        let by_domain = Installation { domain: Some("www.A.example".into()), ..any.clone() };
        let by_path = Installation {
            domain: Some("b.example".into()),
            path: Some("/x/".into()),
            ..any.clone()
        };
        let chosen =
            |of: &Installation, rows: &[NetworkRow]| of.choose(rows).map(|row| row.id).ok();
        assert_eq!(chosen(&any, &both[..1]), Some(1));
        assert_eq!(chosen(&any, &both), None);
        assert_eq!(chosen(&any, &[]), None);
        assert_eq!(chosen(&by_id, &both), Some(2));
        assert_eq!(chosen(&by_id, &both[..1]), None);
        assert_eq!(chosen(&by_domain, &both), Some(1));
        assert_eq!(chosen(&by_domain, &both[1..2]), Some(2), "the only one there is");
        assert_eq!(chosen(&by_path, &both), Some(3));
    }

    #[test]
    fn where_none_or_several_may_be_ours_those_there_are_named() {
        let any = Installation::new("wp_".parse().unwrap());
        let of = |domain: &str| Installation { domain: Some(domain.into()), ..any.clone() };
        let two = [row(1, "a.example", "/"), row(2, "a.example", "/two/")];
        let why = |of: &Installation, rows: &[NetworkRow]| of.choose(rows).unwrap_err().to_string();
        assert_eq!(
            why(&of("nope.example"), &two),
            "`wp_site` has no network at `nope.example`; it has `a.example/`, `a.example/two/`"
        );
        let several = "`wp_site` has several networks (`a.example/`, `a.example/two/`), and it is not \
                       known which is ours";
        assert_eq!(why(&of("a.example"), &two), several);
        let unknown = vec!["`A` is odd".to_owned(), "`B` is odd".to_owned()];
        let unknown = Installation { unknown, ..any.clone() };
        assert_eq!(why(&unknown, &two), format!("{several}: `A` is odd; `B` is odd"));
        let seven: Vec<_> = (1..8).map(|id| row(id, "a.example", &format!("/{id}/"))).collect();
        assert!(why(&any, &seven).contains("`a.example/5/`, 2 more)"));
    }

    #[test]
    fn the_constant_counts_before_the_row() {
        let of = Installation {
            domain: Some("staging.example".into()),
            ..Installation::new("wp_".parse().unwrap())
        };
        assert_eq!(of.own_domain(&row(1, "a.example", "/")).unwrap().as_str(), "staging.example");
    }
}
