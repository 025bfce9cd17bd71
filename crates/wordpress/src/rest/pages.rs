//! Lists come in pages of a hundred, newest first, and change while they are read.
//!
//! A list is whole where its total stayed the same on all pages and so many different ids arrived.
//! Otherwise it changed: an added row pushes another onto the next page, a deleted row pulls one
//! back onto the page before.

use std::collections::BTreeMap;

use rules::Time;
use rules::source::SourceError;
use serde_json::{Map, Value};

use super::client::Session;
use super::meaning::Answer;
use super::row;
use crate::web::{Reply, not_meant};

/// The most that the API gives at once.
const A_PAGE: u64 = 100;

/// More pages than this cannot be a real network.
const MOST_PAGES: u64 = 5000;

/// The kinds of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// `domain`.
    Mappings,
    /// `site`.
    Sites,
}

impl List {
    fn path(self) -> &'static str {
        match self {
            Self::Mappings => "domain",
            Self::Sites => "site",
        }
    }

    fn doing(self) -> &'static str {
        match self {
            Self::Mappings => "reading mappings over REST",
            Self::Sites => "reading sites over REST",
        }
    }

    /// The names of its id, the likelier first.
    pub(super) fn ids(self) -> &'static [&'static str] {
        match self {
            Self::Mappings => &["id"],
            Self::Sites => &["blog_id", "id"],
        }
    }
}

/// One page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) total: u64,
    pages: u64,
    pub(super) rows: Vec<Value>,
    /// The server's clock.
    pub(super) time: Option<Time>,
}

/// What all pages gave.
#[derive(Debug)]
pub(super) struct Rows {
    /// By their ids; if one came twice, the last one.
    pub(super) by_id: BTreeMap<u64, Map<String, Value>>,
    /// Rows without an id.
    pub(super) odd: u64,
    /// Whether it changed while it was read.
    pub(super) moved: bool,
    total: u64,
}

impl Rows {
    fn add(&mut self, list: List, page: Page) {
        self.moved |= page.total != self.total;
        for row in page.rows {
            match keyed(list, row) {
                Some((id, row)) => _ = self.by_id.insert(id, row),
                None => self.odd += 1,
            }
        }
    }

    /// Add a page that was asked for again, after all others: what is on it is newer.
    pub(super) fn add_again(&mut self, list: List, page: Page) {
        self.moved |= page.total != self.total;
        self.by_id.extend(page.rows.into_iter().filter_map(|row| keyed(list, row)));
    }

    /// Whether it is whole, as far as its own pages show.
    pub(super) fn is_whole(&self) -> bool {
        !self.moved && self.by_id.len() as u64 + self.odd == self.total
    }
}

impl Session<'_> {
    /// One page of a list, of those rows that `filter` names where the server follows it.
    pub(super) async fn page(
        &self,
        list: List,
        filter: &[(&str, String)],
        number: u64,
    ) -> Result<Page, SourceError> {
        let mut query = vec![("per_page", A_PAGE.to_string()), ("page", number.to_string())];
        query.extend(filter.iter().cloned());
        match self.read(list.doing(), list.path(), &query).await? {
            Answer::Said(Value::Array(rows), reply) => page(list, rows, &reply),
            Answer::Said(..) => Err(not_meant(list.doing(), "an answer that is not a list")),
            Answer::NotThere(_) => Err(not_meant(list.doing(), "HTTP 404 where a list should be")),
            Answer::Refused(fault) => {
                let what = format!("`{}`: {}", fault.code, fault.message);
                Err(not_meant(list.doing(), &what))
            }
        }
    }

    /// All pages of a list, one after the other.
    pub(super) async fn pages(
        &self,
        list: List,
        filter: &[(&str, String)],
    ) -> Result<Rows, SourceError> {
        let first = self.page(list, filter, 1).await?;
        let (total, pages) = (first.total, first.pages);
        let mut rows = Rows { by_id: BTreeMap::new(), odd: 0, moved: false, total };
        rows.add(list, first);
        for number in 2..=pages {
            rows.add(list, self.page(list, filter, number).await?);
        }
        Ok(rows)
    }

    /// A whole list, of those rows that `filter` names where the server follows it: each row has
    /// to be checked again.
    pub(super) async fn whole(
        &self,
        list: List,
        filter: &[(&str, String)],
    ) -> Result<Vec<Map<String, Value>>, SourceError> {
        let mut rows = self.pages(list, filter).await?;
        if !rows.is_whole() {
            rows = self.pages(list, filter).await?;
        }
        if !rows.is_whole() {
            return Err(not_meant(list.doing(), "a list that kept changing while it was read"));
        }
        Ok(rows.by_id.into_values().collect())
    }
}

fn keyed(list: List, row: Value) -> Option<(u64, Map<String, Value>)> {
    let Value::Object(row) = row else { return None };
    Some((row::id(&row, list.ids())?, row))
}

fn page(list: List, rows: Vec<Value>, reply: &Reply) -> Result<Page, SourceError> {
    let number = |name| reply.header(name).and_then(|text| text.trim().parse::<u64>().ok());
    let Some(total) = number("x-wp-total") else {
        return Err(not_meant(list.doing(), "a list without `X-WP-Total`"));
    };
    let pages = number("x-wp-totalpages").unwrap_or_else(|| total.div_ceil(A_PAGE));
    if MOST_PAGES < pages {
        return Err(not_meant(list.doing(), &format!("a list of {pages} pages")));
    }
    Ok(Page { total, pages, rows, time: reply.time() })
}
