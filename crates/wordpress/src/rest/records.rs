//! Mappings made and removed over REST.
//!
//! The API has no transaction: conditions are checked just before, and Ultimate Multisite itself
//! refuses a name that is mapped. After a refusal the list shows why, never its text.

use rules::DomainName;
use rules::source::{Primary, SourceError};
use serde_json::{Map, Value, json};

use super::client::Session;
use super::meaning::Answer;
use super::pages::List;
use super::row;
use crate::spelling;
use crate::web::not_meant;

const MAKING_RECORD: &str = "making a domain record over REST";
const ADDING: &str = "adding a mapping over REST";
const REMOVING: &str = "removing a mapping over REST";

type Row = Map<String, Value>;

/// The result of creating a mapping.
enum Made {
    /// It has this id.
    Row(u64),
    /// Somebody else's is there.
    Mapped,
    /// WordPress refused, in its words.
    Refused(String),
}

impl Session<'_> {
    /// As [`rules::source::NetworkSource::create_record`].
    pub(super) async fn create_record(
        &self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError> {
        if !self.may_have_record(site, domain).await? {
            return Ok(None);
        }
        match self.make(MAKING_RECORD, site, domain, true).await? {
            Made::Row(id) => Ok(Some(id)),
            Made::Mapped => Ok(None),
            Made::Refused(what) => Err(SourceError::Refused { what }),
        }
    }

    /// As [`rules::source::NetworkSource::add_mapping`].
    pub(super) async fn add_mapping(
        &self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError> {
        spelling::fits(domain)?;
        let is_there = self.site(ADDING, site).await?.is_some();
        if !is_there || self.mapping_of(domain).await?.is_some() {
            return Err(spelling::not_added(site, domain, is_there));
        }
        let id = match self.make(ADDING, site, domain, primary == Primary::Yes).await? {
            Made::Row(id) => id,
            Made::Mapped => return Err(spelling::not_added(site, domain, true)),
            Made::Refused(what) => return Err(SourceError::Refused { what }),
        };
        if primary == Primary::Yes {
            self.step_down(site, id).await?;
        }
        Ok(id)
    }

    /// Delete those of `rows` that have the name `domain`. Rows may spell the name in any way, so all
    /// are read.
    pub(super) async fn remove_mappings(
        &self,
        domain: &DomainName,
        rows: &[u64],
    ) -> Result<u64, SourceError> {
        let all = self.whole(List::Mappings, &[]).await?;
        let mut count = 0;
        let ids = all.iter().filter(|row| is_of(row, domain)).filter_map(mapping_id);
        for id in ids.filter(|id| rows.contains(id)) {
            match self.delete(REMOVING, &format!("domain/{id}")).await? {
                Answer::Said(json, _) if row::is_on(&json) || json.is_object() => count += 1,
                Answer::Said(..) => return Err(not_meant(REMOVING, "an answer other than `1`")),
                Answer::NotThere(_) => {}
                Answer::Refused(fault) => return Err(SourceError::Refused { what: fault.message }),
            }
        }
        Ok(count)
    }

    /// Whether the site is still there under that name and has no mapping, and neither the name nor
    /// its twin is mapped or is another site's.
    async fn may_have_record(&self, site: u64, domain: &DomainName) -> Result<bool, SourceError> {
        let Some(row) = self.site(MAKING_RECORD, site).await? else { return Ok(false) };
        let is_root = row.get("path").and_then(Value::as_str) == Some("/");
        if !is_root || row::is_hidden(&row) || !is_of(&row, domain) {
            return Ok(false);
        }
        let of_site = self.whole(List::Mappings, &[("blog_id", site.to_string())]).await?;
        if of_site.iter().any(|row| site_of(row) == Some(site)) {
            return Ok(false);
        }
        for name in [Some(domain.clone()), domain.twin()].into_iter().flatten() {
            let sites = self.whole(List::Sites, &[("domain", name.to_string())]).await?;
            let mut others =
                sites.iter().filter(|row| row::id(row, List::Sites.ids()) != Some(site));
            if others.any(|row| is_of(row, &name)) || self.mapping_of(&name).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The row of a site; none where it is gone.
    async fn site(&self, doing: &'static str, site: u64) -> Result<Option<Row>, SourceError> {
        match self.get(doing, &format!("site/{site}")).await? {
            Answer::Said(json, _) => row::object(&json, doing).cloned().map(Some),
            Answer::NotThere(_) => Ok(None),
            Answer::Refused(fault) => Err(SourceError::Refused { what: fault.message }),
        }
    }

    /// The id of a mapping of `domain`.
    async fn mapping_of(&self, domain: &DomainName) -> Result<Option<u64>, SourceError> {
        let rows = self.whole(List::Mappings, &[("domain", domain.to_string())]).await?;
        Ok(rows.iter().filter(|row| is_of(row, domain)).find_map(mapping_id))
    }

    async fn make(
        &self,
        doing: &'static str,
        site: u64,
        domain: &DomainName,
        primary: bool,
    ) -> Result<Made, SourceError> {
        let body = json!({
            "domain": domain.as_str(),
            "blog_id": site,
            "stage": "checking-dns",
            "active": true,
            "primary_domain": primary,
        });
        match self.post(doing, "domain", &body).await? {
            Answer::Said(json, _) => {
                let id = json.as_object().and_then(mapping_id);
                let id = if id.is_some() { id } else { self.mapping_of(domain).await? };
                let none = || not_meant(doing, "it was made, and is not there");
                id.map(Made::Row).ok_or_else(none)
            }
            Answer::Refused(_) if self.mapping_of(domain).await?.is_some() => Ok(Made::Mapped),
            Answer::Refused(fault) => Ok(Made::Refused(fault.message)),
            Answer::NotThere(_) => Err(not_meant(doing, "HTTP 404")),
        }
    }

    /// No other mapping of a site is its primary domain.
    async fn step_down(&self, site: u64, first: u64) -> Result<(), SourceError> {
        let rows = self.whole(List::Mappings, &[("blog_id", site.to_string())]).await?;
        let is_primary = |row: &&Row| row.get("primary_domain").is_some_and(row::is_on);
        let others = rows.iter().filter(|row| site_of(row) == Some(site)).filter(is_primary);
        for id in others.filter_map(mapping_id).filter(|id| *id != first) {
            let body = json!({ "primary_domain": false });
            if let Answer::Refused(fault) = self.put(ADDING, &format!("domain/{id}"), &body).await?
            {
                return Err(SourceError::Refused { what: fault.message });
            }
        }
        Ok(())
    }
}

fn mapping_id(row: &Row) -> Option<u64> {
    row::id(row, List::Mappings.ids())
}

fn site_of(row: &Row) -> Option<u64> {
    row::id(row, &["blog_id", "site_id"])
}

fn is_of(row: &Row, domain: &DomainName) -> bool {
    row.get("domain")
        .and_then(Value::as_str)
        .is_some_and(|as_stored| spelling::is(as_stored, domain))
}
