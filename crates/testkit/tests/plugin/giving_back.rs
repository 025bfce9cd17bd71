//! What the built-in integration gets back when the plugin goes, or the engine is silent.

use serde_json::{Value, json};
use testkit::wordpress::UltimateMultisite;

use crate::world::{Admin, World, link};

const ALL: [UltimateMultisite; 3] =
    [UltimateMultisite::Registry, UltimateMultisite::TypedRegistry, UltimateMultisite::Hooks];

/// The next look of the plugin, as WP-Cron has it made.
const LOOK: &str = "do_action('closte_sync_look');";

/// In charge, with two rows that wait for a check of this network, others that do not, and one of
/// another network. The two checks that are to be enqueued.
fn in_charge(world: &World) -> [String; 2] {
    world.heard();
    let dns = world.map("dns.example", "checking-dns");
    let ssl = world.map("ssl.example", "checking-ssl-cert");
    for stage in ["done", "failed", "ssl-failed", "done-without-ssl"] {
        world.map(&format!("{stage}.example"), stage);
    }
    world.database.execute(
        "INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES (90, 2, 'other.example', '/'); \
         INSERT INTO wp_wu_domain_mappings (blog_id, domain, stage) VALUES (90, 'x.example', 'checking-dns');",
    );
    // The queue runs them while we are in charge: each chain ends there.
    for id in [dns, ssl] {
        world.wordpress.php(&format!("do_action('wu_async_process_domain_stage', {id}, 3);"));
    }
    assert_eq!(world.wordpress.built_in_calls(), [""; 0]);
    assert_eq!(world.wordpress.queue(), [""; 0]);
    [dns, ssl].map(|id| format!("wu_async_process_domain_stage domain_id={id} tries=0"))
}

/// The id of the mapping that a check is about.
fn id_of(check: &str) -> &str {
    check.split([' ', '=']).nth(2).unwrap()
}

fn go_silent(world: &World) {
    world.option("closte_sync_heard", "UNIX_TIMESTAMP() - 7200");
}

#[test]
fn when_the_engine_is_silent_each_waiting_row_gets_its_check_back_once() {
    for version in ALL {
        let world = World::with(version);
        let checks = in_charge(&world);
        world.wordpress.php(LOOK);
        assert_eq!(world.wordpress.queue(), [""; 0], "{version:?}: still in charge");
        go_silent(&world);
        for look in [LOOK, LOOK, "do_action('wu_add_domain', 'a.example', 1);"] {
            world.wordpress.php(look);
            assert_eq!(world.wordpress.queue(), checks, "{version:?}: {look}");
        }
        world.wordpress.php("stand_in_run_queue();");
        let ids = checks.each_ref().map(|it| id_of(it));
        let built_in = ["add a.example".to_owned()].into_iter();
        let built_in = built_in.chain(ids.map(|id| format!("check {id}"))).collect::<Vec<_>>();
        assert_eq!(world.wordpress.built_in_calls(), built_in, "{version:?}");

        // The next time that it is in charge, and is not, is another one.
        world.heard();
        go_silent(&world);
        world.wordpress.php(LOOK);
        assert_eq!(world.wordpress.queue(), checks, "{version:?}: again");
    }
}

#[test]
fn whoever_notices_first_gives_back() {
    let (event, check) = (
        "do_action('wu_add_domain', 'a.example', 1);",
        "do_action('wu_async_process_domain_stage', 7, 0);",
    );
    for notices in [event, check, "do_action('network_admin_notices');"] {
        let world = World::new();
        let checks = in_charge(&world);
        go_silent(&world);
        world.wordpress.php(notices);
        assert_eq!(world.wordpress.queue(), checks, "{notices}");
    }
    let world = World::new();
    let checks = in_charge(&world);
    world.call("switch", &json!({"on": false}));
    world.wordpress.php(LOOK);
    assert_eq!(world.wordpress.queue(), checks, "Closte was switched off");
}

#[test]
fn the_row_whose_own_event_notices_is_not_given_back_beside_it() {
    for notices in ["check", "wu_add_domain", "wu_add_subdomain"] {
        let world = World::new();
        let [dns, ssl] = in_charge(&world);
        go_silent(&world);
        let id = id_of(&dns);
        world.wordpress.php(&match notices {
            "check" => format!("do_action('wu_async_process_domain_stage', {id}, 0);"),
            hook => format!("do_action('{hook}', 'dns.example', 1);"),
        });
        assert_eq!(world.wordpress.queue(), [ssl], "{notices}: Ultimate Multisite checks {id}");
        world.wordpress.php(LOOK);
        assert_eq!(world.wordpress.queue().len(), 1, "{notices}: nor later");
    }
}

#[test]
fn silence_is_noticed_by_wp_cron_without_any_visit() {
    let world = World::new();
    let checks = in_charge(&world);
    let next = || world.wordpress.php("echo wp_next_scheduled('closte_sync_look') - time();");
    let seconds: i64 = next().parse().unwrap();
    assert!((3500..=3601).contains(&seconds), "{seconds}");
    world.call("report", &json!({"silence": 60}));
    let seconds: i64 = next().parse().unwrap();
    assert!((50..=61).contains(&seconds), "a shorter silence is noticed sooner: {seconds}");
    // Its time has come while the engine is heard of: the next look is set, and nothing given back.
    let due = "wp_clear_scheduled_hook('closte_sync_look'); wp_schedule_single_event(time() - 1, 'closte_sync_look');";
    world.wordpress.php(due);
    let ran = world.page("/wp-cron.php");
    assert_eq!(ran.status, 200, "{ran:?} {}", world.server.log());
    assert_eq!(world.wordpress.queue(), [""; 0]);
    let seconds: i64 = next().parse().unwrap();
    assert!((50..=61).contains(&seconds), "{seconds}");
    go_silent(&world);
    world.wordpress.php(due);
    assert_eq!(world.page("/wp-cron.php").status, 200);
    assert_eq!(world.wordpress.queue(), checks);
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn one_that_was_killed_is_gone_on_with_where_it_came_to() {
    let world = World::new();
    let [dns, ssl] = in_charge(&world);
    let first = id_of(&dns);
    world.option("closte_sync_charge", &format!("'giving after {first}'"));
    go_silent(&world);
    world.wordpress.php(LOOK);
    assert_eq!(world.wordpress.queue(), [ssl]);
}

#[test]
fn many_that_notice_at_once_give_each_row_back_once() {
    let world = World::new();
    let mut checks = in_charge(&world).to_vec();
    checks.extend((0..30).map(|at| {
        let id = world.map(&format!("{at}.example"), "checking-dns");
        format!("wu_async_process_domain_stage domain_id={id} tries=0")
    }));
    go_silent(&world);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| world.wordpress.php(LOOK));
        }
    });
    let mut queue = world.wordpress.queue();
    queue.sort();
    checks.sort();
    assert_eq!(queue, checks);
}

#[test]
fn where_the_queue_or_the_table_is_not_there_nothing_is_lost() {
    let world = World::new();
    let checks = in_charge(&world);
    go_silent(&world);
    let mappings = "wp_wu_domain_mappings";
    world.database.execute(&format!("RENAME TABLE {mappings} TO away"));
    assert!(world.wordpress.try_php(LOOK).is_err(), "the database's error is logged");
    world.database.execute(&format!("RENAME TABLE away TO {mappings}"));
    assert_eq!(world.wordpress.queue(), [""; 0]);

    let file = world.wordpress.root().join("wp-content/mu-plugins/ultimate_multisite.php");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("wu_enqueue_async_action", "wu_no_queue")).unwrap();
    world.wordpress.php(LOOK);
    assert_eq!(world.wordpress.queue(), [""; 0]);
    std::fs::write(&file, text).unwrap();
    world.wordpress.php(LOOK);
    assert_eq!(world.wordpress.queue(), checks);
}

#[test]
fn on_deactivation_checks_and_additions_are_enqueued_and_removals_logged() {
    for version in ALL {
        let world = World::with(version);
        let checks = in_charge(&world);
        let site = world.wordpress.create_site("sub.network.example", "/");
        world.map("new.example", "done");
        world.wordpress.php(&format!(
            "do_action('wu_add_domain', 'new.example', 1); do_action('wu_add_domain', 'came-and-went.example', 1); \
             do_action('wu_remove_domain', 'gone.example', 1); do_action('wu_remove_domain', 'new.example', 1); \
             do_action('wu_add_subdomain', 'Sub.network.example', {site});"
        ));
        world.wordpress.deactivate_plugin();
        let added = [
            "wu_add_domain domain=new.example site_id=1".to_owned(),
            format!("wu_add_subdomain subdomain=sub.network.example site_id={site}"),
        ];
        assert_eq!(
            world.wordpress.queue(),
            [checks.to_vec(), added.to_vec()].concat(),
            "{version:?}"
        );
        let log = world.wordpress.log("integration-closte").join("\n");
        assert!(
            log.starts_with("gone.example: its mapping was removed") && log.lines().count() == 1,
            "{log}"
        );
        // Activated again, it is in charge when the engine reports, and not before.
        world.wordpress.install_plugin();
        world.wordpress.php("do_action('wu_add_domain', 'later.example', 1);");
        assert_eq!(world.wordpress.built_in_calls(), ["add later.example"]);
    }
}

#[test]
fn the_engine_can_have_the_plugin_leave() {
    let world = World::new();
    let checks = in_charge(&world);
    world.wordpress.php("do_action('wu_remove_domain', 'gone.example', 1);");
    let left = world.call("leave", &json!({}));
    assert_eq!(left, json!({"given": true, "removed": ["gone.example"]}));
    assert_eq!(world.wordpress.queue(), checks);
    assert_eq!(world.read_option("active_sitewide_plugins"), json!([]));
    assert_eq!(world.wordpress.php("echo (int) wp_next_scheduled('closte_sync_look');"), "0");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn the_uninstaller_gives_back_what_was_not() {
    for by_wordpress in [true, false] {
        let world = World::new();
        let checks = in_charge(&world);
        if by_wordpress {
            world.wordpress.deactivate_plugin();
        } else {
            world.option("active_sitewide_plugins", "'a:0:{}'");
        }
        world.wordpress.uninstall_plugin();
        assert_eq!(world.wordpress.queue(), checks, "by WordPress: {by_wordpress}");
    }
}

#[test]
fn the_uninstaller_gives_back_and_cleans_up_for_every_network_of_the_tables() {
    let world = World::new();
    let checks = in_charge(&world);
    world.option("active_sitewide_plugins", "'a:0:{}'");
    // The second one is in charge too; its one site is its main site, with a mapping that waits.
    world.database.execute(
        "SET sql_mode = ''; INSERT INTO wp_site (id, domain, path) VALUES (2, 'other.example', '/'); \
         CREATE TABLE wp_90_options LIKE wp_options; \
         INSERT INTO wp_90_options SELECT * FROM wp_options WHERE option_name = 'wp_user_roles'; \
         UPDATE wp_90_options SET option_name = 'wp_90_user_roles'; \
         INSERT INTO wp_90_options (option_name, option_value) VALUES ('_closte_sync_nonce_0', '1'); \
         INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) \
         SELECT 2, meta_key, meta_value FROM wp_sitemeta \
         WHERE site_id = 1 AND (meta_key LIKE 'closte_sync%' OR meta_key LIKE 'wu%');",
    );
    let other = "SELECT id FROM wp_wu_domain_mappings WHERE domain = 'x.example'";
    let other = world.database.execute(other).trim().to_owned();
    world.wordpress.uninstall_plugin();
    let mut given = checks.to_vec();
    given.push(format!("wu_async_process_domain_stage domain_id={other} tries=0"));
    assert_eq!(world.wordpress.queue(), given);
    let left = "SELECT meta_key FROM wp_sitemeta WHERE meta_key LIKE 'closte%' \
        UNION ALL SELECT option_name FROM wp_options WHERE option_name LIKE '%closte\\_sync%' \
        UNION ALL SELECT option_name FROM wp_90_options WHERE option_name LIKE '%closte\\_sync%'";
    assert_eq!(world.database.execute(left), "");
}

#[test]
fn what_no_pass_has_seen_is_listed_and_sent_on_a_persons_word() {
    for version in ALL {
        let world = World::with(version);
        world.heard();
        let ids = ["a.example", "b.example", "at-host.example"].map(|it| world.map(it, "done"));
        world.wordpress.php(
            "foreach (['a', 'b', 'at-host', 'unmapped'] as $it) { do_action('wu_add_domain', \"$it.example\", 1); } \
             foreach (['gone', 'a'] as $it) { do_action('wu_remove_domain', \"$it.example\", 1); } \
             do_action('wu_add_domain', 'b.example', 1);",
        );
        world.database.execute(
            "UPDATE wp_sitemeta SET meta_value = REPLACE(meta_value, '\"at\":', '\"at\":-') WHERE meta_value LIKE '%b.example%'",
        );
        let present = json!({"domain": "at-host.example", "alias": "present"});
        world.call("report", &json!({"domains": {ids[2].to_string(): present}}));
        let admin = Admin::of(&world);
        let page = |admin: &Admin<'_>| admin.page("/wp-admin/network/index.php").body;
        assert!(!page(&admin).contains("Have the built-in"), "{version:?}: while it is heard of");
        go_silent(&world);
        let shown = page(&admin);
        assert!(shown.contains("added: a.example; removed: gone.example."), "{version:?}: {shown}");
        let link = link(&shown, "closte_sync_send");
        let stranger = world.page(&link);
        assert_ne!(stranger.status, 200);
        assert_eq!(admin.page(link.split("&_wpnonce").next().unwrap()).status, 403);
        let before = world.wordpress.queue();
        assert_eq!(admin.page(&link).status, 302);
        let sent = [
            "wu_add_domain domain=a.example site_id=1",
            "wu_remove_domain domain=gone.example site_id=1",
        ];
        assert_eq!(world.wordpress.queue()[before.len()..], sent, "{version:?}");
        assert_eq!(admin.page(&link).status, 302);
        assert_eq!(world.wordpress.queue().len(), before.len() + 2, "once");
        assert!(!page(&admin).contains("removed: gone.example"), "{version:?}");
        world.wordpress.php("stand_in_run_queue();");
        let calls = world.wordpress.built_in_calls();
        assert!(
            calls.ends_with(&["add a.example", "remove gone.example"].map(str::to_owned)),
            "{calls:?}"
        );
        assert_eq!(world.complaints(), Vec::<String>::new());
    }
}

#[test]
fn what_was_sent_settles_all_that_happened_to_the_name_before() {
    let world = World::new();
    world.heard();
    world.map("a.example", "done");
    world.wordpress.php(
        "foreach ([1, 2, 3] as $_) { do_action('wu_add_domain', 'a.example', 1); } \
         do_action('wu_add_domain', 'gone.example', 1); do_action('wu_remove_domain', 'gone.example', 1);",
    );
    go_silent(&world);
    let admin = Admin::of(&world);
    let page = || admin.page("/wp-admin/network/index.php").body;
    let link = link(&page(), "closte_sync_send");
    assert_eq!(admin.page(&link).status, 302);
    let sent = [
        "wu_add_domain domain=a.example site_id=1",
        "wu_remove_domain domain=gone.example site_id=1",
    ];
    assert_eq!(world.wordpress.queue(), sent);
    assert_eq!(admin.page(&link).status, 302);
    world.map("gone.example", "done");
    assert_eq!(admin.page(&link).status, 302);
    assert_eq!(world.wordpress.queue(), sent, "once");
    assert!(!page().contains("closte_sync_send"));
}

#[test]
fn a_copy_neither_offers_nor_sends_what_happened_to_the_original() {
    let world = World::new();
    world.heard();
    world.map("a.example", "done");
    world.wordpress.php("do_action('wu_add_domain', 'a.example', 1);");
    go_silent(&world);
    let admin = Admin::of(&world);
    let page = || admin.page("/wp-admin/network/index.php").body;
    let link = link(&page(), "closte_sync_send");
    let is_sent = || world.wordpress.queue().iter().any(|it| it.starts_with("wu_add_domain"));

    let mark = json!({"domain": "original.example", "ledger": "l-1", "replace": true});
    world.call("home", &mark);
    assert!(!page().contains("closte_sync_send"), "by the mark");
    assert_eq!(admin.page(&link).status, 302);
    world.wordpress.deactivate_plugin();
    assert!(!is_sent(), "{:?}", world.wordpress.queue());

    world.wordpress.install_plugin();
    world.database.execute(
        "DELETE FROM wp_sitemeta WHERE meta_key = 'closte_sync_home'; \
         UPDATE wp_sitemeta SET meta_value = REPLACE(meta_value, 'network.example', '@') \
         WHERE meta_key = 'closte_sync_gap'",
    );
    assert!(!page().contains("closte_sync_send"), "by where it happened");
    assert_eq!(admin.page(&link).status, 302);
    world.wordpress.deactivate_plugin();
    assert!(!is_sent(), "{:?}", world.wordpress.queue());
}

#[test]
fn what_two_passes_have_seen_is_forgotten_but_not_at_once() {
    let world = World::new();
    world.heard();
    world.map("a.example", "done");
    world.wordpress.php("do_action('wu_add_domain', 'a.example', 1);");
    let noted = || {
        world
            .database
            .execute("SELECT COUNT(*) FROM wp_sitemeta WHERE meta_key = 'closte_sync_gap'")
    };
    let age = |seconds: u32| {
        let at = world.wordpress.php("echo json_decode($wpdb->get_var(\"SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'closte_sync_gap'\"))->at;");
        let at: u64 = at.parse().unwrap();
        world.database.execute(&format!(
            "UPDATE wp_sitemeta SET meta_value = REPLACE(meta_value, '{at}', '{}') WHERE meta_key = 'closte_sync_gap'",
            at - u64::from(seconds)
        ));
    };
    world.heard();
    world.heard();
    assert_eq!(noted(), "1\n", "a removal takes two passes, a minute apart");
    age(700);
    let received: Value = world.kept("closte_sync_report")["received"].clone();
    assert!(received.is_number(), "{received}");
    world.heard();
    assert_eq!(noted(), "0\n");
}
