//! Which row WordPress finds for a host, by how the row is spelled.
//!
//! Its lookup is `WHERE domain IN (X, www.X) ORDER BY primary_domain DESC, active DESC, secure DESC
//! LIMIT 1`, and X is what browsers send: A-labels, lower case, no final dot. What else is equal to
//! X decides the collation of the column, and that differs: one ignores accents, another also what
//! cannot be seen, a third a blank at the end. So a row is *plain* where every collation of WordPress
//! finds it; where only some do, it must not be relied on, and may still be found before another.
//! `crates/wordpress/tests/mysql_lookup.rs` asks MariaDB.

use std::cmp::Ordering;

use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::domain_name::NotADomain;
use crate::plain::is_plain;
use crate::{DomainName, Mapping};

/// How a row spells its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// As browsers send it, capitals aside: WordPress finds it. A wildcard too, however it is spelled:
    /// nobody asks for one.
    Plain,
    /// In another way: WordPress does not surely find it.
    Odd {
        /// The hosts for which it may be found; each can be another name than the row means.
        found_as: Box<[DomainName]>,
    },
}

impl Spelling {
    /// The name that the text of a row means, and how it is spelled. A text that is no name means
    /// the one for which WordPress may find it.
    ///
    /// # Errors
    ///
    /// It means no name.
    pub fn read(text: &str) -> Result<(DomainName, Self), NotADomain> {
        let name = text.parse::<DomainName>();
        match name {
            Ok(name) if name.is_wildcard() || name.as_str().eq_ignore_ascii_case(text) => {
                Ok((name, Self::Plain))
            }
            _ => {
                let found_as = found_as(text);
                let name = name.or_else(|why| found_as.first().cloned().ok_or(why))?;
                Ok((name, Self::Odd { found_as }))
            }
        }
    }

    /// Whether every collation finds it.
    pub fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// The names for which some collation of WordPress finds `text`: without accents, without what cannot
/// be seen, without blanks at the end. Digits of other scripts and letters of phonetics, which may
/// equal ASCII too, are left out.
fn found_as(text: &str) -> Box<[DomainName]> {
    // The older `general_ci` takes it for one letter.
    let sharp_s = if text.contains(['ß', 'ẞ']) { &["ss", "s"][..] } else { &["ss"] };
    sharp_s.iter().filter_map(|sharp_s| unaccented(text, sharp_s)).collect()
}

/// `text` in ASCII, where it is a name so; `sharp_s` stands for `ß`.
fn unaccented(text: &str, sharp_s: &str) -> Option<DomainName> {
    let mut ascii = String::with_capacity(text.len());
    for c in DecomposingNormalizerBorrowed::new_nfkd().normalize(text).chars() {
        match c {
            '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => return None,
            '\u{300}'..='\u{36f}' => (), // a mark on the letter before it
            ' '..='~' => ascii.push(c.to_ascii_lowercase()),
            'ß' | 'ẞ' => ascii.push_str(sharp_s),
            'Æ' | 'æ' => ascii.push_str("ae"),
            'Œ' | 'œ' => ascii.push_str("oe"),
            'Ð' | 'ð' | 'Đ' | 'đ' => ascii.push('d'),
            'Ħ' | 'ħ' => ascii.push('h'),
            'ı' => ascii.push('i'),
            'Ł' | 'ł' => ascii.push('l'),
            'Ø' | 'ø' => ascii.push('o'),
            c if is_plain(c) => return None,
            _ => (), // ignored
        }
    }
    let ascii = ascii.trim_end_matches(' ');
    let is_itself = |name: &DomainName| name.as_str() == ascii && !name.is_wildcard();
    ascii.parse().ok().filter(is_itself)
}

impl Mapping {
    /// Whether WordPress may find it for its own name.
    pub fn may_be_found(&self) -> bool {
        match &self.spelling {
            Spelling::Plain => true,
            Spelling::Odd { found_as } => found_as.contains(&self.domain),
        }
    }

    /// The other names for which WordPress may find it.
    pub fn found_for_others(&self) -> impl Iterator<Item = &DomainName> {
        let found_as = match &self.spelling {
            Spelling::Plain => &[],
            Spelling::Odd { found_as } => &found_as[..],
        };
        found_as.iter().filter(|name| **name != self.domain)
    }

    /// How it stands to another row of the name: what is greater WordPress picks. Of equal rows it
    /// may pick either.
    pub fn rank(&self, other: &Self) -> Ordering {
        let rank = |row: &Self| (row.primary, row.active, row.secure);
        rank(self).cmp(&rank(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip] // One case a line.
    fn spellings() {
        let table = [
            // text,                     the name that it means,  found as, where it is odd
            ("shop.example",             "shop.example",          None),
            ("WWW.Shop.EXAMPLE",         "www.shop.example",      None),
            ("XN--Shp-Tna.example",      "xn--shp-tna.example",   None),
            ("*.shop.example",           "*.shop.example",        None),
            ("*.shöp.example",           "*.xn--shp-tna.example", None),
            ("shop.example.",            "shop.example",          Some("")),
            ("shop。example",             "shop.example",          Some("")),
            ("中.example",                "xn--fiq.example",       Some("")),
            ("sh\u{ad}op.example",       "shop.example",          Some("shop.example")),
            ("sh\u{200b}op.example",     "shop.example",          Some("shop.example")),
            ("ｓｈｏｐ.example",             "shop.example",          Some("shop.example")),
            ("shop.example  ",           "shop.example",          Some("shop.example")),
            ("shop.example\u{1}",        "shop.example",          Some("shop.example")),
            ("shöp.example",             "xn--shp-tna.example",   Some("shop.example")),
            ("SHÖP.example.",            "xn--shp-tna.example",   Some("")),
            ("straße.example",           "xn--strae-oqa.example", Some("strasse.example strase.example")),
            ("smørrebrød.example",       "xn--smrrebrd-64af.example", Some("smorrebrod.example")),
        ];
        for (text, name, found_as) in table {
            let spelling = match found_as {
                None => Spelling::Plain,
                Some(names) => Spelling::Odd {
                    found_as: names.split_whitespace().map(|name| name.parse().unwrap()).collect(),
                },
            };
            assert_eq!(Spelling::read(text), Ok((name.parse().unwrap(), spelling)), "{text:?}");
        }
        for text in [" shop.example", "shop.example\n", "https://shop.example", "shop .example", "", "*.a.example "]
        {
            assert!(Spelling::read(text).is_err(), "{text:?}");
        }
    }
}
