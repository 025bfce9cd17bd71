//! Every code has a text in every language, and nothing internal reaches an owner.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use rules::finding::{Code, Severity};

use super::*;

/// Never in what an owner reads, in small letters.
const INTERNAL: [&str; 22] = [
    "ledger",
    "grootboek",
    "alias",
    "pass",
    "mapping",
    "mapped",
    "koppel",
    "stage",
    "fase",
    "checking-",
    "ssl-failed",
    "done",
    "failed",
    "wp-config",
    "api key",
    "api-sleutel",
    "setting",
    "instelling",
    "closte",
    "checks.",
    "sunrise",
    "wordpress",
];

fn all() -> impl Iterator<Item = (Code, Language)> {
    Code::ALL.iter().flat_map(|code| Language::ALL.map(|language| (*code, language)))
}

/// Every fact, with a value that it may have.
const FACTS: [(Fact, &str); 11] = [
    (Fact::Name, "www.shop.example"),
    (Fact::Zone, "shop.example"),
    (Fact::Server, "ns1.dns.example"),
    (Fact::Address, "192.0.2.77"),
    (Fact::Target, "203.0.113.7"),
    (Fact::Authority, "letsencrypt.org"),
    (Fact::Detail, "it said so"),
    (Fact::Other, "other.example"),
    (Fact::Link, "https://host.example/d"),
    (Fact::End, "2026-11-27T12:00:00Z"),
    (Fact::Count, "50"),
];

/// A finding of `code` that has every fact.
fn full(code: Code) -> Finding {
    FACTS.iter().fold(Finding::new(code), |finding, (fact, value)| finding.with(*fact, *value))
}

fn change(action: RecordAction, kind: &str, found: &[&str], wanted: &[&str]) -> RecordChange {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    RecordChange {
        action,
        name: "shop.example".to_owned(),
        kind: kind.to_owned(),
        found: owned(found),
        wanted: owned(wanted),
    }
}

#[test]
fn every_code_has_a_text_of_its_own_in_every_language_with_and_without_facts() {
    for make in [Finding::new, full] {
        let mut seen = BTreeSet::new();
        for (code, language) in all() {
            let shown = text(&make(code), language);
            let what = format!("{} in {language:?}: {shown}", code.as_str());
            assert!(shown.ends_with('.') || code == Code::WildcardByHand, "{what}");
            assert!(shown.len() < 420, "{what}");
            let odd = ["{", "}", "  ", " .", " ,", "()", "..", ": ."];
            assert!(!odd.iter().any(|odd| shown.contains(odd)), "{what}");
            assert!(seen.insert(shown), "another has this text: {what}");
        }
    }
}

#[test]
fn both_languages_use_the_same_facts() {
    for code in Code::ALL {
        for (fact, value) in FACTS {
            let with = Finding::new(*code).with(fact, value);
            let [english, dutch] = Language::ALL
                .map(|language| text(&with, language) != text(&Finding::new(*code), language));
            assert_eq!(english, dutch, "{}: {fact}", code.as_str());
        }
    }
}

#[test]
fn an_owner_reads_nothing_internal() {
    for (code, language) in all() {
        let own = code.actor() == Actor::Owner;
        for finding in [Finding::new(code), full(code), full(code).as_bad_as(Severity::Warn)] {
            for ready in [false, true] {
                let findings = [finding.clone()];
                let next_check = Some("12:00");
                let mail =
                    ForOwner { domain: "shop.example", ready, findings: &findings, next_check };
                let said = mail.said(language);
                let mail = mail.text(language);
                assert!(mail.starts_with(&said), "a page says the same: {said}");
                assert_eq!(mail.contains("12:00"), own, "{mail}");
                let mail = mail.to_lowercase();
                let internal = INTERNAL.iter().find(|word| mail.contains(*word));
                assert_eq!(internal, None, "{}: {mail}", code.as_str());
            }
        }
    }
}

#[test]
fn a_mail_leads_with_the_owners_first_finding_whatever_else_there_is() {
    let a = change(RecordAction::Change, "A", &["192.0.2.77", "192.0.2.78"], &["203.0.113.7"]);
    let aaaa = change(RecordAction::Remove, "AAAA", &["2001:db8::77"], &[]);
    let findings = [
        Finding::new(Code::SwitchedOff),
        full(Code::OtherAddress).records([a, aaaa]),
        full(Code::CaaForbids).records([change(
            RecordAction::Add,
            "CAA",
            &[],
            &["0 issue \"letsencrypt.org\""],
        )]),
    ];
    let next_check = Some("2026-11-27 12:00 UTC");
    let mail = ForOwner { domain: "shop.example", ready: false, findings: &findings, next_check };
    insta::assert_snapshot!(mail.text(Language::English), @r#"
    shop.example does not work as it should yet.

    The name points to another server (192.0.2.77). Change it to 203.0.113.7.

    Besides: A CAA record of www.shop.example forbids letsencrypt.org to issue a certificate. Add one that allows it.

    Please change this in DNS, where the domain's records are kept:

      action  name          type  now           should be
      change  shop.example  A     192.0.2.77    203.0.113.7
                                  192.0.2.78
      remove  shop.example  AAAA  2001:db8::77
      add     shop.example  CAA                 0 issue "letsencrypt.org"

    It is looked at again automatically, next at 2026-11-27 12:00 UTC. Until everybody sees a change in DNS, some hours can go by.
    "#);
    insta::assert_snapshot!(mail.text(Language::Dutch), @r#"
    shop.example werkt nog niet zoals het moet.

    De naam wijst naar een andere server (192.0.2.77). Wijzig dat in 203.0.113.7.

    Verder: Een CAA-record van www.shop.example verbiedt letsencrypt.org een certificaat uit te geven. Voeg er een toe dat het toestaat.

    Wijzig alstublieft het volgende in DNS, waar de records van het domein staan:

      actie        naam          type  nu            moet zijn
      wijzigen     shop.example  A     192.0.2.77    203.0.113.7
                                       192.0.2.78
      verwijderen  shop.example  AAAA  2001:db8::77
      toevoegen    shop.example  CAA                 0 issue "letsencrypt.org"

    Er wordt vanzelf opnieuw gekeken, de volgende keer om 2026-11-27 12:00 UTC. Voordat iedereen een wijziging in DNS ziet kunnen enkele uren verstrijken.
    "#);
}

#[test]
fn where_it_is_not_the_owners_turn_one_sentence_says_so() {
    let nobody = [
        Finding::new(Code::NoCertificate),
        Finding::new(Code::WildcardRecordOnly).as_bad_as(Severity::Info),
    ];
    let mail =
        |ready, findings| ForOwner { domain: "shop.example", ready, findings, next_check: None };
    let mails = [mail(false, &nobody[..]), mail(true, &[])];
    let mails = mails.map(|mail| Language::ALL.map(|language| mail.text(language)));
    insta::assert_snapshot!(mails.concat().concat(), @r"
    You do not have to do anything about shop.example: it is being taken care of.
    U hoeft voor shop.example niets te doen: er wordt aan gewerkt.
    shop.example works. You do not have to do anything: it is being taken care of that it stays so.
    shop.example werkt. U hoeft niets te doen: er wordt voor gezorgd dat het zo blijft.
    ");
}

#[test]
#[rustfmt::skip] // One case a line.
fn a_locale_names_its_language() {
    let table = [
        ("nl_NL.UTF-8", Language::Dutch),
        ("nl",          Language::Dutch),
        ("nl-BE",       Language::Dutch),
        ("nl@euro",     Language::Dutch),
        ("en_GB.UTF-8", Language::English),
        ("nld",         Language::English),
        ("C",           Language::English),
        ("",            Language::English),
    ];
    for (locale, language) in table {
        assert_eq!(Language::of_locale(locale), language, "{locale}");
    }
}

/// `docs/reference/findings.md`, which is made of the table and its English texts.
fn page() -> String {
    let mut page = String::from(
        "# Findings\n\n\
         Why a domain is not as it should be, as `closte-sync explain` tells it. This page is made of the\n\
         program's own table: `UPDATE_DOCS=1 cargo test -p engine --lib findings_page` writes it anew.\n\n\
         The codes stand in the order in which they are told: what must be mended first stands first,\n\
         within errors, then warnings, then what is only worth knowing. Some are milder than here where\n\
         the domain works all the same. Texts name the addresses and names of the case.\n\n\
         | code | severity | whose turn | what it says |\n| --- | --- | --- | --- |\n",
    );
    for code in Code::ALL {
        let text = text(&Finding::new(*code), Language::English);
        let (word, severity, actor) = (code.as_str(), code.severity(), code.actor());
        let _ = writeln!(page, "| `{word}` | {severity} | {actor} | {text} |");
    }
    page
}

#[test]
fn the_findings_page_is_what_the_table_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/findings.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, page()).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        written,
        page(),
        "write it anew: UPDATE_DOCS=1 cargo test -p engine --lib findings_page"
    );
}
