//! The checks of the public suffix list: which part of a name somebody registered, by the whole list.

use super::DomainName;

#[rustfmt::skip] // One name a line.
const NAMES: &[(&str, Option<&str>)] = &[
    ("WwW.example.COM",         Some("example.com")),
    ("example.example",         Some("example.example")),
    ("a.b.example.example",     Some("example.example")),
    ("a.b.domain.biz",          Some("domain.biz")),
    // A rule and one below it, the second of a company.
    ("uk.com",                  None),
    ("b.example.uk.com",        Some("example.uk.com")),
    ("test.ac",                 Some("test.ac")),
    // `*.mm`
    ("c.mm",                    None),
    ("a.b.c.mm",                Some("b.c.mm")),
    // Prefectures, cities, and an exception of them.
    ("www.test.jp",             Some("test.jp")),
    ("ac.jp",                   None),
    ("www.test.ac.jp",          Some("test.ac.jp")),
    ("kyoto.jp",                None),
    ("test.kyoto.jp",           Some("test.kyoto.jp")),
    ("ide.kyoto.jp",            None),
    ("a.b.ide.kyoto.jp",        Some("b.ide.kyoto.jp")),
    ("c.kobe.jp",               None),
    ("a.b.c.kobe.jp",           Some("b.c.kobe.jp")),
    ("www.city.kobe.jp",        Some("city.kobe.jp")),
    // `*.ck`, but `www.ck`
    ("test.ck",                 None),
    ("a.b.test.ck",             Some("b.test.ck")),
    ("www.www.ck",              Some("www.ck")),
    // Of three labels.
    ("www.test.us",             Some("test.us")),
    ("ak.us",                   None),
    ("www.test.ak.us",          Some("test.ak.us")),
    ("k12.ak.us",               None),
    ("www.test.k12.ak.us",      Some("test.k12.ak.us")),
    // Of other scripts, written or encoded.
    ("食狮.com.cn",             Some("xn--85x722f.com.cn")),
    ("公司.cn",                 None),
    ("www.食狮.公司.cn",        Some("xn--85x722f.xn--55qx5d.cn")),
    ("shishi.xn--55qx5d.cn",    Some("shishi.xn--55qx5d.cn")),
    ("www.xn--85x722f.xn--fiqs8s", Some("xn--85x722f.xn--fiqs8s")),
];

#[test]
fn what_somebody_registered_is_as_the_list_checks_it() {
    for (text, want) in NAMES {
        let name: DomainName = text.parse().unwrap();
        let registrable = name.registrable();
        assert_eq!(registrable.as_ref().map(DomainName::as_str), *want, "{text}");
    }
}
