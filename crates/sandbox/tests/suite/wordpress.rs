//! The network to rehearse on: what people do to it shows in its tables.

use std::fs;
use std::time::Duration;

use sandbox::wordpress::{Settings, WordPress, WordPressError};

const DAY: Duration = Duration::from_hours(24);

fn settings() -> Settings {
    Settings {
        domain: "network.test".to_owned(),
        api_key: "it's a key".to_owned(),
        app: "app-1".to_owned(),
    }
}

async fn shown(network: &WordPress) -> Vec<String> {
    let mappings = network.mappings().await.unwrap();
    let shown = mappings.iter().map(|it| format!("{} {} {}", it.site, it.domain, it.stage));
    shown.collect()
}

#[tokio::test]
async fn sites_and_mappings_come_and_go_as_in_wordpress() {
    let folder = tempfile::tempdir().unwrap();
    let network = WordPress::create(folder.path(), &settings()).await.unwrap();
    assert_eq!(shown(&network).await, [""; 0]);

    let shop = network.add_site("shop.network.test", DAY).await.unwrap();
    network.map(shop, "shop.test").await.unwrap();
    network.map(shop, "store.test").await.unwrap();
    let copy = network.duplicate_site(shop, "copy.network.test", DAY).await.unwrap();
    assert_eq!(
        shown(&network).await,
        [format!("{shop} shop.test checking-dns"), format!("{shop} store.test checking-dns")],
        "a copy takes over no mapping"
    );
    let primaries = network.execute("SELECT primary_domain FROM wp_wu_domain_mappings").await;
    assert_eq!(primaries.unwrap(), "1\n0\n");

    assert_eq!(network.rename("shop.test", "new.test").await.unwrap(), 1);
    assert_eq!(network.unmap("store.test").await.unwrap(), 1);
    assert_eq!(network.unmap("store.test").await.unwrap(), 0);
    assert_eq!(shown(&network).await, [format!("{shop} new.test checking-dns")]);
    network.drop_site(shop).await.unwrap();
    assert_eq!(shown(&network).await, [""; 0]);
    let sites =
        network.execute("SELECT blog_id, domain FROM wp_blogs ORDER BY blog_id").await.unwrap();
    assert_eq!(sites, format!("1\tnetwork.test\n{copy}\tcopy.network.test\n"));
    let error = network.map(shop, "late.test").await.unwrap_err();
    assert!(matches!(error, WordPressError::NoSite(site) if site == shop), "{error}");
}

#[tokio::test]
async fn a_site_is_as_old_as_it_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let network = WordPress::create(folder.path(), &settings()).await.unwrap();
    network.add_site("old.network.test", DAY).await.unwrap();
    let age =
        "SELECT (unixepoch('now') - unixepoch(registered)) / 3600 FROM wp_blogs WHERE blog_id > 1";
    assert_eq!(network.execute(age).await.unwrap(), "24\n");
}

#[tokio::test]
async fn a_folder_takes_one_network() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("a b%20c");
    let network = WordPress::create(&folder, &settings()).await.unwrap();
    assert_eq!(network.database(), folder.join("wp-content/database/.ht.sqlite"));
    let config = fs::read_to_string(network.config()).unwrap();
    assert!(config.contains(r"define('CLOSTE_CLIENT_API_KEY', 'it\'s a key');"), "{config}");

    let other = Settings { domain: "other.test".to_owned(), ..settings() };
    let error = WordPress::create(&folder, &other).await.unwrap_err();
    assert!(matches!(error, WordPressError::Write { .. }), "{error}");
    assert_eq!(fs::read_to_string(network.config()).unwrap(), config);
}
