//! The program beside a real WordPress: sites come and go by WordPress' own functions while
//! `run` runs, and what it writes is what WordPress reads.

#![expect(clippy::unwrap_used, reason = "what should be there is there, or the test fails")]

mod plugin;
#[path = "../end_to_end/running.rs"]
mod running;
#[expect(dead_code, reason = "the end-to-end tests use all of it")]
#[path = "../end_to_end/world.rs"]
mod world;

use std::process::Child;
use std::time::Duration;

use testkit::mariadb::MariaDb;
use testkit::wordpress::WordPress;

use crate::running::{eventually, stop};
use crate::world::{KEY, World};

/// A real network, with the resident program at work on it.
struct Followed {
    world: World,
    wordpress: WordPress,
    run: Option<Child>,
}

impl Followed {
    /// One whose first pass is over: sites that come now are new.
    async fn new() -> Self {
        let mut world = World::around(MariaDb::shared().fresh_database()).await;
        world.set("run.poll", "1s");
        world.set("removal.confirmations", "1");
        let constants = [("CLOSTE_CLIENT_API_KEY", KEY), ("CLOSTE_APP_ID", "app1")];
        let wordpress = WordPress::install(&world.database, &world.root(), &constants);
        let run = Some(world.command("run").spawn().unwrap());
        let followed = Self { world, wordpress, run };
        eventually("the first pass", || {
            let status = followed.world.run("status --output json");
            status.code == 0 && !status.json()["last_pass"].is_null()
        });
        followed
    }

    /// The mappings of a site as WordPress reads them: `domain stage secure` each.
    fn mappings(&self, site: u64) -> Vec<String> {
        let code = format!(
            "foreach ($wpdb->get_results(\"SELECT * FROM {{$wpdb->base_prefix}}wu_domain_mappings \
             WHERE blog_id = {site} ORDER BY id\") as $it) {{ \
             echo \"$it->domain $it->stage $it->secure\\n\"; }}"
        );
        self.wordpress.php(&code).lines().map(str::to_owned).collect()
    }

    /// What WordPress says of a site, such as its `domain`.
    fn detail(&self, site: u64, name: &str) -> String {
        self.wordpress.php(&format!("echo get_blog_details({site})->{name};"))
    }

    /// The domains of all sites that WordPress has, in the order they came.
    fn sites(&self) -> String {
        let code = "echo implode(' ', wp_list_pluck(get_sites(['orderby' => 'id']), 'domain'));";
        self.wordpress.php(code)
    }

    /// Wait for what WordPress reads of a mapping: `stage secure`.
    #[track_caller]
    fn becomes(&self, domain: &str, stage: &str) {
        eventually(&format!("{domain} is {stage}"), || self.world.stage(domain) == stage);
    }

    /// Stop the program, which must go cleanly and soon.
    fn stop(mut self) {
        let (ran, took) = stop(self.run.take().unwrap());
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert!(!ran.err.contains("ERROR"), "{}", ran.err);
    }
}

impl Drop for Followed {
    /// Where a test fails, what the program said is of use, and nobody else ends it.
    #[expect(clippy::print_stderr, reason = "shown with a test that failed")]
    fn drop(&mut self) {
        let Some(mut run) = self.run.take() else { return };
        _ = run.kill();
        let output = run.wait_with_output().unwrap();
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_of_wordpress_gets_record_alias_and_stage() {
    let followed = Followed::new().await;
    let shop = followed.wordpress.create_site("shop.network.example", "/");
    followed.becomes("shop.network.example", "checking-dns 0");
    eventually("its alias", || followed.world.aliases() == ["shop.network.example"]);
    followed.world.here("shop.network.example");
    followed.world.done("domains recheck shop.network.example");
    followed.becomes("shop.network.example", "done 1");

    assert_eq!(followed.mappings(shop), ["shop.network.example done 1"]);
    assert_eq!(followed.detail(shop, "domain"), "shop.network.example");
    assert_eq!(followed.sites(), "network.example shop.network.example");
    followed.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_gets_a_record_of_its_own_and_none_of_the_source() {
    let followed = Followed::new().await;
    followed.world.here("shop.network.example");
    followed.world.here("custom.example");
    followed.world.here("copy.network.example");
    let shop = followed.wordpress.create_site("shop.network.example", "/");
    followed.becomes("shop.network.example", "done 1");
    followed.wordpress.php(&format!(
        "$wpdb->insert(\"{{$wpdb->base_prefix}}wu_domain_mappings\", \
         ['blog_id' => {shop}, 'domain' => 'custom.example', 'stage' => 'checking-dns']);"
    ));
    followed.becomes("custom.example", "done 1");
    let copy = followed.wordpress.duplicate_site(shop, "copy.network.example");
    followed.becomes("copy.network.example", "done 1");

    let all = ["copy.network.example", "custom.example", "shop.network.example"];
    assert_eq!(followed.world.aliases(), all);
    assert_eq!(followed.mappings(copy), ["copy.network.example done 1"]);
    assert_eq!(followed.detail(copy, "home"), "http://copy.network.example");
    assert_eq!(followed.mappings(shop), ["shop.network.example done 1", "custom.example done 1"]);
    followed.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_on_the_networks_own_domain_gets_none() {
    let followed = Followed::new().await;
    let below = followed.wordpress.create_site("network.example", "/offers/");
    // It came before this one, so the pass that sees this one has seen it too.
    followed.wordpress.create_site("shop.network.example", "/");
    eventually("the other's alias", || followed.world.aliases() == ["shop.network.example"]);

    assert_eq!(followed.mappings(below), Vec::<String>::new());
    assert_eq!(followed.mappings(1), Vec::<String>::new());
    assert_eq!(followed.detail(below, "path"), "/offers/");
    followed.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_site_leaves_the_host_and_the_others_stay() {
    let followed = Followed::new().await;
    let shop = followed.wordpress.create_site("shop.network.example", "/");
    let blog = followed.wordpress.create_site("blog.network.example", "/");
    let both = ["blog.network.example", "shop.network.example"];
    eventually("both aliases", || followed.world.aliases() == both);
    followed.wordpress.drop_site(shop);
    eventually("its alias is gone", || followed.world.aliases() == ["blog.network.example"]);

    assert_eq!(followed.mappings(shop), Vec::<String>::new());
    assert_eq!(followed.mappings(blog).len(), 1);
    assert_eq!(followed.sites(), "network.example blog.network.example");
    let again = followed.wordpress.create_site("shop.network.example", "/");
    eventually("a new site of that name has its alias", || followed.world.aliases() == both);
    assert_eq!(followed.mappings(again).len(), 1);
    followed.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_networks_options_are_changed_as_wordpress_keeps_them() {
    let followed = Followed::new().await;
    let option = |name: &str| {
        followed.wordpress.php(&format!("echo json_encode(get_network_option(1, '{name}'));"))
    };
    followed.world.done("disable");
    assert_eq!(option("wu_host_integrations_enabled"), r#"{"closte":false}"#);
    followed.world.done("enable");
    assert_eq!(option("wu_host_integrations_enabled"), r#"{"closte":true}"#);
    followed.world.done("config set-interval 60s");
    assert!(option("wp-ultimo_v2_settings").contains(r#""dns_check_interval":"60""#));
    followed.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn wordpress_reads_the_mark_that_tells_a_copy() {
    let followed = Followed::new().await;
    let home = "echo serialize(get_network_option(1, 'closte_sync_home'));";
    eventually("the mark", || followed.wordpress.php(home).contains("network.example"));
    followed.stop();
}
