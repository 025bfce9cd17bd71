//! Two faults at once: the finding that a person would have mended first.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use testkit::internet::{Answer, Certificate, Dnssec, Door, Fault, RecordType, Scheme, Scope};

use crate::explained::AT_ONCE;
use crate::world::{LABEL, NS1, NS2, RESOLVERS, SHOP, World};

type Breaks = fn(&mut World);

/// The name, what is broken, the first finding, and why it is that one.
type Pair = (&'static str, [Breaks; 2], &'static str, &'static str);

#[rustfmt::skip] // One world a line.
const PAIRS: &[Pair] = &[
    // What keeps us from seeing or acting.
    (SHOP,  [no_resolvers, inactive],             "blind",                  "nothing was seen: the rest is of before"),
    (SHOP,  [clock, expired],              "clock-wrong",            "by a wrong clock every certificate may look expired"),
    (SHOP,  [no_targets, elsewhere],       "no-targets",             "elsewhere means something only where it is known where here is"),
    (SHOP,  [copy, elsewhere],             "copy",                   "here nobody would write down that DNS came right"),
    (SHOP,  [key_refused, elsewhere],      "key-refused",            "the admin can mend it at once, and no domain gets added until then"),
    (SHOP,  [switched_off, elsewhere],     "switched-off",           "the admin can mend it at once, and nobody acts until then"),
    // The name and its rows.
    (SHOP,  [spelling, elsewhere],         "spelling-never-matched", "DNS that comes right would lead to nothing"),
    (SHOP,  [site_missing, elsewhere],     "site-missing",           "there is nothing to point DNS at"),
    (SHOP,  [site_deleted, elsewhere],     "site-deleted",           "there is nothing to point DNS at"),
    (SHOP,  [twin, elsewhere],             "twin-on-other-site",     "first it must be clear whose the name is"),
    (SHOP,  [two_mappings, uncertified],   "two-mappings",           "first it must be clear whose the name is"),
    (SHOP,  [site_deleted, invalid],       "site-deleted",           "for a site that is gone the host need not be asked again"),
    // The host's refusal.
    (SHOP,  [invalid, elsewhere],          "invalid-domain",         "the owner's work would be for nothing"),
    (SHOP,  [invalid, uncertified],        "invalid-domain",         "the host issues nothing for a name that it refuses"),
    // DNS from the top down.
    (SHOP,  [undelegated, expired],        "no-delegation",          "nobody gets as far as the certificate"),
    (SHOP,  [undelegated, caa],            "no-delegation",          "without servers there are no records at all"),
    (SHOP,  [lame, caa],                   "lame-delegation",        "what the servers do not serve cannot be edited there"),
    (SHOP,  [one_lame, elsewhere],         "other-address",          "one server is a risk, the address is why nobody gets here"),
    (SHOP,  [one_lame, expired],           "expired",                "one server is a risk, visitors are turned away by the certificate"),
    (SHOP,  [one_silent, overdue],         "dns-timeout",            "both still work; DNS carries everything else"),
    (SHOP,  [bogus, elsewhere],            "dnssec-bogus",           "until the signatures fit, most see no address at all"),
    (SHOP,  [bogus, caa],                  "dnssec-bogus",           "no authority reads CAA that does not validate"),
    (SHOP,  [no_address, closed_443],      "no-address",             "nobody knows where to knock"),
    (LABEL, [no_name, caa_fails],          "no-such-name",           "a name must exist before somebody issues for it"),
    (LABEL, [dangling, one_lame],          "cname-dangling",         "the record is why nobody gets here"),
    (SHOP,  [elsewhere, expired],          "other-address",          "the certificate that visitors see is another server's"),
    (SHOP,  [elsewhere, closed_80],        "other-address",          "our port 80 does not matter as long as nobody comes"),
    (SHOP,  [elsewhere, caa],              "other-address",          "the certificate comes after the address"),
    (SHOP,  [elsewhere, not_added],        "other-address",          "the owner acts, the other comes by itself"),
    (SHOP,  [elsewhere, inactive],         "other-address",          "the row can be switched on in a minute, DNS takes hours"),
    (SHOP,  [proxied, caa],                "proxied",                "the certificate comes after the address"),
    (SHOP,  [ipv6, expired],               "ipv6-elsewhere",         "half of the visitors, and the validator, go elsewhere"),
    (SHOP,  [partly, one_lame],            "partly-elsewhere",       "the record is why visitors get lost now"),
    (SHOP,  [disagree, old_answer],        "servers-disagree",       "waiting does not mend what the servers themselves say"),
    (SHOP,  [old_answer, uncertified],     "not-propagated",         "the authority may see the old address too"),
    (SHOP,  [old_answer, inactive],        "mapping-inactive",       "waiting does not switch the row on"),
    // What stops issuing, and the certificate.
    (SHOP,  [caa, uncertified],            "caa-forbids",            "it is why no certificate comes"),
    (SHOP,  [closed_80, uncertified],      "port-80-closed",         "it is why no certificate comes"),
    (SHOP,  [caa, closed_80],              "caa-forbids",            "asked before the validator comes to port 80"),
    (SHOP,  [caa, expired],                "caa-forbids",            "a new certificate cannot come"),
    (SHOP,  [circle_80, self_signed],      "redirect-loop",          "a certificate of an authority cannot come"),
    (SHOP,  [expired, other_mapping],      "expired",                "browsers stop before WordPress answers"),
    (SHOP,  [closed_443, inactive],        "port-443-closed",        "nobody gets as far as WordPress"),
    (SHOP,  [uncertified, archived],       "no-certificate",         "nobody gets as far as the site"),
    (SHOP,  [uncertified, not_added],      "not-added-yet",          "the host issues for names that it has"),
    // Service in WordPress, and waits.
    (SHOP,  [overdue, inactive],           "mapping-inactive",       "the certificate still works, the domain does not"),
    (SHOP,  [no_sunrise, signs_up],        "no-sunrise",             "it is why WordPress offers a sign-up"),
    (SHOP,  [inactive, signs_up],          "mapping-inactive",       "it is why WordPress offers a sign-up"),
    (SHOP,  [stage_by_hand, signs_up],           "stage-by-hand",          "it is why WordPress offers a sign-up"),
    (SHOP,  [not_added, inactive],         "mapping-inactive",       "the call comes by itself, the switch does not"),
    (SHOP,  [page, overdue],               "renewal-overdue",        "what will break goes before what is only unproven"),
];

#[test]
fn of_two_faults_the_one_that_a_person_would_mend_first_is_first() {
    assert!(PAIRS.len() >= 40);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(pair) = PAIRS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (name, breaks, code, why) = pair;
                    let mut world = World::new();
                    for breaks in breaks {
                        breaks(&mut world);
                    }
                    let explained = world.explain(name);
                    let codes = explained.codes();
                    if codes.first() != Some(code) {
                        let wrong = format!("{code}, as {why}: {codes:?}");
                        failed.lock().unwrap().push(wrong);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), PAIRS.len(), failed.join("\n"));
}

// What is broken, and nothing else.

fn no_resolvers(w: &mut World) {
    for resolver in RESOLVERS {
        w.internet.fault(resolver, Scope::all(), Fault::Silent);
    }
}

fn clock(w: &mut World) {
    w.here.clock_ahead(3600);
}

fn no_targets(w: &mut World) {
    w.set("checks.targets", "");
    w.records("network.example", RecordType::A, &[]);
}

fn copy(w: &mut World) {
    w.sync();
    w.wp_config("'app1'", "'app2'");
    w.row(SHOP, "stage = 'checking-dns', secure = 0");
}

fn key_refused(w: &mut World) {
    w.host.drop_alias(SHOP);
    w.wp_config("k3y-0f-th3-n3tw0rk-s3cr3t", "another-key");
    w.sync();
}

fn switched_off(w: &mut World) {
    w.row(SHOP, "stage = 'checking-dns', secure = 0");
    w.option("wu_host_integrations_enabled", "a:0:{}");
}

fn spelling(w: &mut World) {
    w.row(SHOP, "domain = 'shop.example.'");
}

fn site_missing(w: &mut World) {
    w.sql("DELETE FROM wp_blogs WHERE blog_id = 2");
}

fn site_deleted(w: &mut World) {
    w.sql("UPDATE wp_blogs SET deleted = 1 WHERE blog_id = 2");
}

fn twin(w: &mut World) {
    let site = w.site("two.network.example");
    w.map(site, "www.shop.example");
}

fn two_mappings(w: &mut World) {
    let site = w.site("two.network.example");
    w.map(site, SHOP);
}

fn invalid(w: &mut World) {
    w.host.drop_alias(SHOP);
    w.host.behave(|it| it.refused = [SHOP.to_owned()].into());
    w.sync();
}

fn not_added(w: &mut World) {
    w.host.drop_alias(SHOP);
}

fn undelegated(w: &mut World) {
    w.internet.undelegate(SHOP);
}

fn lame(w: &mut World) {
    w.both_servers(Fault::Refused);
}

fn one_lame(w: &mut World) {
    w.internet.fault(NS1, Scope::all(), Fault::Refused);
}

fn one_silent(w: &mut World) {
    w.internet.fault(NS1, Scope::all(), Fault::Silent);
}

fn bogus(w: &mut World) {
    w.internet.dnssec("example", Dnssec::Good);
    w.internet.dnssec(SHOP, Dnssec::Expired);
}

fn no_name(w: &mut World) {
    w.internet.remove(LABEL);
}

fn no_address(w: &mut World) {
    w.records(SHOP, RecordType::A, &[]);
}

fn dangling(w: &mut World) {
    w.cname(LABEL, "gone.shop.example");
}

fn elsewhere(w: &mut World) {
    w.points(SHOP, &w.there);
}

fn proxied(w: &mut World) {
    w.records(SHOP, RecordType::A, &["104.16.1.1"]);
}

fn ipv6(w: &mut World) {
    w.records(SHOP, RecordType::AAAA, &["2001:db8::7"]);
}

fn partly(w: &mut World) {
    w.records(SHOP, RecordType::A, &["{here}", "{there}"]);
}

fn disagree(w: &mut World) {
    w.internet.set_at(NS2, (SHOP, RecordType::A), &[&w.there.address().to_string()]);
}

fn old_answer(w: &mut World) {
    let held = w.there.address().to_string();
    w.internet.hold("r2", (SHOP, RecordType::A), (&[&held], 900));
}

fn caa(w: &mut World) {
    w.records(SHOP, RecordType::CAA, &["0 issue \"digicert.com\""]);
}

fn caa_fails(w: &mut World) {
    w.no_caa(Fault::ServFail);
}

fn closed_80(w: &mut World) {
    w.here.door(Scheme::Http, Door::Closed);
}

fn circle_80(w: &mut World) {
    w.here.answer(Scheme::Http, SHOP, Answer::Redirect("http://shop.example/".to_owned()));
}

fn uncertified(w: &mut World) {
    w.uncertified();
}

fn expired(w: &mut World) {
    w.here.show(SHOP, Certificate::Expired);
}

fn self_signed(w: &mut World) {
    w.here.show(SHOP, Certificate::SelfSigned);
}

fn overdue(w: &mut World) {
    w.here.show(SHOP, Certificate::Good { days: 90, age: 70 });
}

fn closed_443(w: &mut World) {
    w.here.door(Scheme::Https, Door::Closed);
}

fn other_mapping(w: &mut World) {
    let site = w.site("two.network.example");
    let id = w.map(site, "two.example");
    w.here.answer(Scheme::Https, SHOP, Answer::Proof(id));
}

fn page(w: &mut World) {
    w.here.answer(Scheme::Https, SHOP, Answer::Status(200));
}

fn no_sunrise(w: &mut World) {
    w.wp_config("define('SUNRISE', true);\n", "");
}

fn inactive(w: &mut World) {
    w.row(SHOP, "active = 0");
}

fn archived(w: &mut World) {
    w.sql("UPDATE wp_blogs SET archived = 1 WHERE blog_id = 2");
}

fn stage_by_hand(w: &mut World) {
    w.row(SHOP, "stage = 'checking-dns', secure = 0");
    w.sync();
    w.row(SHOP, "stage = 'failed', secure = 0");
}

fn signs_up(w: &mut World) {
    let to = "https://network.example/wp-signup.php?new=shop.example";
    w.here.answer(Scheme::Https, SHOP, Answer::Redirect(to.to_owned()));
}
