//! The real WordPress is a network, creates and deletes sites, and reports errors.

use testkit::mariadb::MariaDb;
use testkit::wordpress::WordPress;

#[test]
fn a_network_whose_sites_come_and_go() {
    let (database, folder) = (MariaDb::shared().fresh_database(), tempfile::tempdir().unwrap());
    let root = folder.path().join("public_html");
    let wordpress = WordPress::install(&database, &root, &[("CLOSTE_APP_ID", "it's \\1")]);
    assert_eq!(wordpress.php("echo is_multisite(), is_subdomain_install();"), "11");
    assert_eq!(wordpress.php("echo get_network()->domain;"), "network.example");
    assert_eq!(wordpress.php("echo CLOSTE_APP_ID;"), "it's \\1");
    let option =
        "SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'wu_host_integrations_enabled'";
    assert_eq!(database.execute(option), "a:1:{s:6:\"closte\";b:1;}\n");

    let site = wordpress.create_site("shop.network.example", "/");
    wordpress.php(&format!("update_blog_option({site}, 'blogdescription', 'All of it');"));
    let copy = wordpress.duplicate_site(site, "copy.network.example");
    let of_copy = |what: &str| wordpress.php(&format!("echo get_blog_details({copy})->{what};"));
    assert_eq!(of_copy("domain"), "copy.network.example");
    assert_eq!(of_copy("home"), "http://copy.network.example");
    assert_eq!(of_copy("blogname"), "Site shop.network.example/");
    let description = wordpress.php(&format!("echo get_blog_option({copy}, 'blogdescription');"));
    assert_eq!(description, "All of it");

    let map = format!(
        "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES ({site}, 'a.example'), ({copy}, 'b.example')"
    );
    database.execute(&map);
    wordpress.drop_site(site);
    let mapped = database.execute("SELECT domain FROM wp_wu_domain_mappings");
    assert_eq!(mapped, "b.example\n");
    assert_eq!(wordpress.php(&format!("var_dump(get_site({site}));")), "NULL\n");
    assert_eq!(database.execute(&format!("SHOW TABLES LIKE 'wp\\_{site}\\_%'")), "");
}

#[test]
fn php_that_goes_wrong_is_reported() {
    let (database, folder) = (MariaDb::shared().fresh_database(), tempfile::tempdir().unwrap());
    let wordpress = WordPress::install(&database, &folder.path().join("public_html"), &[]);
    wordpress.create_site("shop.network.example", "/");
    let wrong = [
        ("no_such_function();", "no_such_function"),
        ("wp_die('Enough.');", "Enough."),
        ("echo $unknown;", "$unknown"),
        ("$wpdb->query('SELECT nothing');", "nothing"),
        ("well(wpmu_create_blog('shop.network.example', '/', 'Again', 1));", "already exists"),
    ];
    for (code, words) in wrong {
        let said = wordpress.try_php(code).expect_err(code);
        assert!(said.contains(words), "{code}: {said}");
    }
}

#[test]
fn a_site_is_registered_in_utc_wherever_the_network_is() {
    let (database, folder) = (MariaDb::shared().fresh_database(), tempfile::tempdir().unwrap());
    let wordpress = WordPress::install(&database, &folder.path().join("public_html"), &[]);
    wordpress.php("update_option('timezone_string', 'Asia/Tokyo');");
    wordpress.php("well(wpmu_create_blog('shop.network.example', '/', 'Shop', 1));");
    let age = |domain: &str| {
        let sql = format!(
            "SELECT UTC_TIMESTAMP() - INTERVAL 1 MINUTE < registered FROM wp_blogs WHERE domain = '{domain}'"
        );
        database.execute(&sql)
    };
    assert_eq!(age("shop.network.example"), "1\n");
    wordpress.create_site("old.network.example", "/");
    assert_eq!(age("old.network.example"), "0\n");
}
