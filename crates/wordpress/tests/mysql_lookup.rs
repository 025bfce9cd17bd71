//! What `rules::lookup` says of spellings and ranks, held beside WordPress' own lookup in a real
//! MariaDB, in the collations in which tables of WordPress are.

use std::collections::BTreeSet;

use rules::source::NetworkSource;
use rules::{DomainName, Mapping};
use testkit::mariadb::{Database, MariaDb, Stages};
use wordpress::mysql::Database as At;
use wordpress::{DatabaseHost, Installation, MysqlNetwork};

/// As WordPress makes tables now, as it did before, as `DB_COLLATE` and other servers do; those with
/// `nopad` stand for MySQL's `utf8mb4_0900_ai_ci`, which a blank at the end matters to.
const COLLATIONS: [&str; 7] = [
    "utf8mb4_unicode_520_ci",
    "utf8mb4_unicode_ci",
    "utf8mb4_general_ci",
    "utf8mb3_general_ci",
    "utf8mb4_uca1400_ai_ci",
    "utf8mb4_uca1400_nopad_ai_ci",
    "utf8mb4_unicode_520_nopad_ci",
];

#[rustfmt::skip] // One case a line.
const TEXTS: [&str; 46] = [
    // as browsers send it, capitals aside
    "shop.example", "Shop.EXAMPLE", "www.shop.example", "WWW.Shop.example", "xn--shp-tna.example",
    "XN--SHP-tna.example",
    // dots
    "shop.example.", "shop。example", "shop．example", "shop.example。", "shop\u{2024}example",
    // blanks
    " shop.example", "shop.example ", "shop.example   ", "shop.example\u{a0}", "shop.example\t",
    "shop.example\n", "\u{3000}shop.example",
    // what cannot be seen
    "sh\u{ad}op.example", "sh\u{200b}op.example", "sh\u{200c}op.example", "sh\u{200d}op.example",
    "\u{feff}shop.example", "shop.example\u{200e}", "shop.example\u{1}",
    // letters of the same kind
    "ｓｈｏｐ.example", "𝐬𝐡𝐨𝐩.example", "ⓢhop.example", "ſhop.example", "s\u{212a}op.example",
    // accents and the like
    "shöp.example", "SHÖP.example", "sho\u{308}p.example", "ﬁx.example", "straße.example",
    "fæ.example", "smørrebrød.example", "łódź.example", "ıx.example", "İx.example",
    // other letters
    "中.example", "пример.example",
    // no names
    "https://shop.example", "shop.example:80", "shop.example/", "shop..example",
];

/// The hosts that visitors ask for.
const HOSTS: [&str; 18] = [
    "shop.example",
    "xn--shp-tna.example",
    "skop.example",
    "fix.example",
    "xn--fix.example",
    "strasse.example",
    "strase.example",
    "xn--strae-oqa.example",
    "fae.example",
    "xn--f-2fa.example",
    "smorrebrod.example",
    "xn--smrrebrd-64af.example",
    "lodz.example",
    "xn--d-uga0v9a.example",
    "ix.example",
    "xn--x-1ka.example",
    "xn--fiq.example",
    "xn--e1afmkfd.example",
];

fn network() -> Database<'static> {
    let database = MariaDb::shared().fresh_database();
    database.create_network("wp_", Stages::Now);
    database.create_main_site("wp_");
    database
}

async fn mappings(database: &Database<'_>) -> Vec<Mapping> {
    let at = At::new(&DatabaseHost::socket(database.server.socket()), "root", "", &database.name);
    let prefix = "wp_".parse().expect("a prefix");
    let source = MysqlNetwork::new(at, Installation::new(prefix));
    source.read().await.expect("a network").mappings
}

/// The rows that the lookup has to pick from, the first being the one it picks.
fn found(database: &Database<'_>, host: &str) -> Vec<u64> {
    let apex = host.strip_prefix("www.").unwrap_or(host);
    let rows = database.execute(&format!(
        "SELECT id FROM wp_wu_domain_mappings WHERE domain IN ('{apex}', 'www.{apex}') \
         ORDER BY primary_domain DESC, active DESC, secure DESC"
    ));
    rows.lines().map(|id| id.parse().expect("an id")).collect()
}

/// The names for which a row may be found, by our rule.
fn found_as(row: &Mapping) -> impl Iterator<Item = &DomainName> {
    let own = row.may_be_found().then_some(&row.domain);
    own.into_iter().chain(row.found_for_others())
}

#[tokio::test]
async fn what_is_found_is_what_mariadb_finds() {
    let database = network();
    let rows = (1_u64..).zip(TEXTS);
    let rows = rows.map(|(id, text)| format!("({id}, 1, CONVERT(X'{}' USING utf8mb4))", hex(text)));
    let insert = format!(
        "SET sql_mode = ''; \
         INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES {}",
        rows.collect::<Vec<_>>().join(", ")
    );
    let (mut always, mut ever) = (None::<BTreeSet<(u64, &str)>>, BTreeSet::new());
    for collation in COLLATIONS {
        let charset = collation.split('_').next().expect("a character set");
        database.execute(&format!(
            "DELETE FROM wp_wu_domain_mappings; \
             ALTER TABLE wp_wu_domain_mappings MODIFY domain varchar(191) \
             CHARACTER SET {charset} COLLATE {collation} NOT NULL"
        ));
        database.execute(&insert);
        let pairs = HOSTS
            .iter()
            .flat_map(|host| found(&database, host).into_iter().map(move |id| (id, *host)));
        let pairs: BTreeSet<_> = pairs.collect();
        ever.extend(pairs.iter().copied());
        always = Some(match always {
            Some(always) => always.intersection(&pairs).copied().collect(),
            None => pairs,
        });
    }
    let always = always.expect("a collation");
    database.execute(
        "DELETE FROM wp_wu_domain_mappings; \
         ALTER TABLE wp_wu_domain_mappings MODIFY domain varchar(191) \
         CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci NOT NULL",
    );
    database.execute(&insert);
    let read = mappings(&database).await;
    for (id, text) in (1_u64..).zip(TEXTS) {
        let row = read.iter().find(|row| row.id == id);
        for host in HOSTS {
            let mut names = row.into_iter().flat_map(found_as);
            let says = names.any(|name| name.without_www() == host);
            assert_eq!(says, ever.contains(&(id, host)), "{text:?} for {host}");
        }
        if let Some(row) = row.filter(|row| row.spelling.is_plain()) {
            assert!(always.contains(&(id, row.domain.without_www())), "{text:?} is always found");
        }
    }
    for (id, host) in always {
        let row = read.iter().find(|row| row.id == id);
        assert!(row.is_some(), "row {id} is found for {host} in every collation, and not read");
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Each of `primary_domain`, `active` and `secure` is on or off.
#[tokio::test]
async fn of_two_rows_the_one_that_ranks_higher_is_picked() {
    let database = network();
    let switches = |n: u8| format!("{}, {}, {}", n >> 2 & 1, n >> 1 & 1, n & 1);
    for (a, b) in (0..8).flat_map(|a| (0..8).map(move |b| (a, b))).filter(|(a, b)| a != b) {
        database.execute(&format!(
            "DELETE FROM wp_wu_domain_mappings; INSERT INTO wp_wu_domain_mappings \
             (id, blog_id, domain, primary_domain, active, secure) VALUES \
             (1, 1, 'a.example', {}), (2, 1, 'www.a.example', {})",
            switches(a),
            switches(b)
        ));
        let rows = mappings(&database).await;
        let higher = if rows[0].rank(&rows[1]).is_gt() { 1 } else { 2 };
        assert_eq!(found(&database, "a.example")[0], higher, "{a} {b}");
    }
}
