//! Rows in WordPress that decide whose the name is.

use crate::explained::{Case, cases, hold};
use crate::world::{SHOP, World};

#[test]
fn a_row_that_leads_nowhere_or_loses_is_the_admins() {
    hold(ROWS);
}

#[rustfmt::skip] // One case a line.
pub(crate) const ROWS: &[Case] = cases! {
    "no row",                          "new.example", "not-mapped",         INFO_ADMIN, [], new, |w| w.unmapped("new.example");
    "the site is gone",                SHOP,          "site-missing",       ADMIN,      [], new, |w| drop(w.sql("DELETE FROM wp_blogs WHERE blog_id = 2"));
    "the site is deleted",             SHOP,          "site-deleted",       ADMIN,      [], new, |w| drop(w.sql("UPDATE wp_blogs SET deleted = 1 WHERE blog_id = 2"));
    "the site is spam",                SHOP,          "site-deleted",       ADMIN,      [], new, |w| drop(w.sql("UPDATE wp_blogs SET spam = 1 WHERE blog_id = 2"));
    "a second row of another site",    SHOP,          "two-mappings",       ADMIN,      [], new, |w| { let site = w.site("two.network.example"); w.map(site, SHOP); };
    "www of it at another site",       SHOP,          "twin-on-other-site", ADMIN,      [], new, |w| { let site = w.site("two.network.example"); w.map(site, "www.shop.example"); };
    "a row of another network is first", SHOP,        "other-row-wins",     ADMIN,      [], new, other_network;
};

/// Another network of the installation has the domain too, as the primary one of its site.
fn other_network(world: &mut World) {
    world.sql("INSERT INTO wp_site (id, domain, path) VALUES (2, 'second.example', '/')");
    world.sql("INSERT INTO wp_blogs (site_id, domain, path) VALUES (2, 'second.example', '/')");
    let site = world.sql("SELECT max(blog_id) FROM wp_blogs").parse().unwrap();
    let id = world.map(site, SHOP);
    world.sql(&format!("UPDATE wp_wu_domain_mappings SET primary_domain = 1 WHERE id = {id}"));
}
