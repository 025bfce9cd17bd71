//! The status page of an owner, on a phone.

use testkit::wordpress::Listen;

use crate::world::World;

/// Stores what the engine reports, and makes a link, which is printed.
const REPORT_AND_LINK: &str = r"
    $light = fn($light, $state) => ['light' => $light, 'state' => $state, 'since' => time() - 7300];
    $record = fn($type, $found, $wanted) => ['action' => 'change', 'type' => $type,
        'name' => 'a-very-long-name-of-a-shop.with-parts.shop.example', 'found' => $found, 'wanted' => $wanted];
    Closte_Sync\Channel::call('report', ['engine' => '0.1.0', 'pages' => [$id => [
        'domain' => 'shop.example', 'display' => 'shop.example', 'turn' => 'owner',
        'lights' => [$light('hosting', 'present'), $light('dns', 'elsewhere'), $light('certificate', 'unknown')],
        'texts' => ['en' => 'It points elsewhere.', 'nl' => 'Het wijst ergens anders heen.'],
        'records' => [$record('A', ['192.0.2.7'], ['203.0.113.7']),
            $record('AAAA', ['2001:0db8:1111:2222:3333:4444:5555:6666'], [])],
        'last' => time() - 60, 'next' => time() + 300]]]);
    echo Closte_Sync\Status_Links::make($id, 'shop.example');";

#[test]
fn an_owner_reads_it_on_a_phone_copies_a_value_and_has_the_domain_looked_at() {
    let world = World::new(Listen::Port);
    world.wordpress.install_plugin();
    let id = world.database.execute(
        "INSERT INTO wp_wu_domain_mappings (blog_id, domain, stage) \
         VALUES (1, 'shop.example', 'checking-dns'); SELECT LAST_INSERT_ID();",
    );
    let link = world.wordpress.php(&format!("$id = {}; {REPORT_AND_LINK}", id.trim()));
    let browser = world.stranger();
    browser.be_a_phone(360);
    browser.go(&format!("{link}&lang=en"));
    browser.sees("It is your turn: 2 records to change");
    let is_narrow = "return [innerWidth, document.documentElement.scrollWidth]";
    assert_eq!(browser.run(is_narrow).to_string(), "[360,360]", "nothing is beside the screen");
    let styled = "return getComputedStyle(document.querySelector('.lights')).display";
    assert_eq!(browser.run(styled), "grid", "its style is loaded");
    browser.click("td:last-child code");
    assert_eq!(browser.run("return getSelection().toString()"), "203.0.113.7", "whole, by a click");
    browser.click("button");
    browser.sees("It is looked at now.");
    let waiting = "SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'closte_sync_recheck'";
    assert_eq!(world.database.execute(waiting), "shop.example\n");
    browser.click("button");
    browser.sees("It cannot be looked at more often.");
    browser.click_link("Nederlands");
    browser.sees("U bent aan zet: 2 records te wijzigen");
    assert_eq!(browser.run(is_narrow).to_string(), "[360,360]");
    assert_eq!(world.complaints(), Vec::<String>::new());
}
