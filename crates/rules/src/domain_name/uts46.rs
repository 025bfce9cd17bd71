//! Names of each kind that the conformance tests of UTS 46 know, and what becomes of them: the processing is
//! non-transitional, with STD3 letters, `CheckBidi`, `CheckJoiners` and `VerifyDnsLength`.

use super::{DomainName, NotADomain};

use NotADomain::{Characters, EmptyLabel, Encoding, Hyphen, TooLong};

#[rustfmt::skip] // One name a line.
const NAMES: &[(&str, &str, Result<&str, NotADomain>)] = &[
    // Mapping, and composition (NFC).
    ("capitals",                               "SHOP.Example",                   Ok("shop.example")),
    ("capitals of other scripts",              "BÜCHER.example",                 Ok("xn--bcher-kva.example")),
    ("letters of Cyrillic",                    "ЁЖ.example",                     Ok("xn--f1a7c.example")),
    ("an accent of its own",                   "bu\u{308}cher.example",          Ok("xn--bcher-kva.example")),
    ("letters of full width",                  "ｓｈｏｐ.example",               Ok("shop.example")),
    ("katakana of half width",                 "\u{ff82}.example",               Ok("xn--bdk.example")),
    ("digits in circles",                      "①②.example",                     Ok("12.example")),
    ("a ligature",                             "o\u{fb00}ice.example",           Ok("office.example")),
    ("a sign of two letters",                  "™shop.example",                  Ok("tmshop.example")),
    ("the sign for ohm",                       "\u{2126}.example",               Ok("xn--bya.example")),
    ("the digraph ĳ",                          "\u{133}s.example",               Ok("ijs.example")),
    ("a soft hyphen, which is nothing",        "sh\u{ad}op.example",             Ok("shop.example")),
    ("a joiner of words, which is nothing",    "sh\u{2060}op.example",           Ok("shop.example")),
    ("a variation of an emoji, likewise",      "☕\u{fe0f}.example",             Ok("xn--53h.example")),
    ("Han",                                    "日本.example",                   Ok("xn--wgv71a.example")),
    // What separates labels.
    ("an ideographic full stop",               "shop。example",                  Ok("shop.example")),
    ("a full stop of full width",              "shop\u{ff0e}example",            Ok("shop.example")),
    ("an ideographic one of half width",       "shop\u{ff61}example",            Ok("shop.example")),
    ("one at the end",                         "shop.example。",                 Ok("shop.example")),
    // Deviations: they stay what they are.
    ("ß",                                      "faß.example",                    Ok("xn--fa-hia.example")),
    ("the capital of it",                      "FAẞ.example",                    Ok("xn--fa-hia.example")),
    ("ς",                                      "βόλος.example",                  Ok("xn--nxasmm1c.example")),
    ("a joiner after a virama",                "ශ්\u{200d}රී.example",            Ok("xn--10cl1a0b660p.example")),
    ("a non-joiner between letters that join", "نامه\u{200c}ای.example",         Ok("xn--mgba3gch31f060k.example")),
    ("a joiner between Latin letters",         "a\u{200d}b.example",             Err(Characters)),
    ("a non-joiner between Latin letters",     "a\u{200c}b.example",             Err(Characters)),
    ("a joiner at the beginning",              "\u{200d}a.example",              Err(Characters)),
    // Direction (RFC 5893).
    ("from right to left",                     "שלום.example",                   Ok("xn--9dbne9b.example")),
    ("a number at its end",                    "א1.example",                     Ok("xn--1-zhc.example")),
    ("a Latin letter in it",                   "אa.example",                     Err(Characters)),
    ("a Hebrew letter after Latin ones",       "àא.example",                     Err(Characters)),
    ("digits of both kinds",                   "א0\u{660}.example",              Err(Characters)),
    ("a number before it",                     "1א.example",                     Err(Characters)),
    ("a number in the label beside it",        "0à.א.example",                   Err(Characters)),
    // What no name has.
    ("a blank",                                "my shop.example",                Err(Characters)),
    ("a low line (STD3)",                      "my_shop.example",                Err(Characters)),
    ("one of full width",                      "my\u{ff3f}shop.example",         Err(Characters)),
    ("a sign that stands for a slash",         "\u{2100}.example",               Err(Characters)),
    ("a digit with its full stop",             "\u{2488}com.example",            Err(Characters)),
    ("for private use",                        "a\u{e000}.example",              Err(Characters)),
    ("for what could not be read",             "a\u{fffd}.example",              Err(Characters)),
    ("a mark without its letter",              "\u{308}a.example",               Err(Characters)),
    ("likewise in the second label",           "shop.\u{308}a.example",          Err(Characters)),
    // Hyphens. UTS 46 with CheckHyphens refuses the first two; such names are registered and served
    // (`r3---sn`), so they are names.
    ("in the third and fourth place",          "ab--cd.example",                 Ok("ab--cd.example")),
    ("three of them",                          "r3---sn.example",                Ok("r3---sn.example")),
    ("at the beginning",                       "-shop.example",                  Err(Hyphen)),
    ("at the end",                             "shop-.example",                  Err(Hyphen)),
    ("at the end of other letters",            "bücher-.example",                Err(Hyphen)),
    // Labels that are encoded already.
    ("encoded",                                "xn--bcher-kva.example",          Ok("xn--bcher-kva.example")),
    ("in capitals",                            "XN--BCHER-KVA.example",          Ok("xn--bcher-kva.example")),
    ("of what deviates",                       "xn--strae-oqa.example",          Ok("xn--strae-oqa.example")),
    ("of nothing",                             "xn--.example",                   Err(Hyphen)),
    ("that do not decode",                     "xn--a.example",                  Err(Encoding)),
    ("of letters that need none",              "xn--shop-.example",              Err(Hyphen)),
    ("of what is not composed",                "xn--u-ccb.example",              Err(Encoding)),
    ("of what is encoded itself",              "xn--xn---epa.example",           Err(Encoding)),
    ("of a capital",                           "xn--Bcher-kva\u{df}.example",    Err(Characters)),
    // Lengths.
    ("two full stops",                         "shop..example",                  Err(EmptyLabel)),
    ("a label of nothing",                     "\u{ad}.example",                 Err(EmptyLabel)),
    ("a full stop first",                      "。shop.example",                 Err(EmptyLabel)),
    ("63 octets, once encoded",                "üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü.example", Ok("xn--tdaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example")),
    ("more, of fewer letters",                 "üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü.example", Err(TooLong)),
];

#[test]
fn names_are_processed_as_uts_46_says() {
    let mut wrong = Vec::new();
    for (shows, text, want) in NAMES {
        let parsed = text.parse::<DomainName>();
        let is = parsed.as_ref().map(DomainName::as_str).map_err(|why| *why);
        if is != *want {
            wrong.push(format!("{shows}: `{text}` is {is:?}, and should be {want:?}"));
        }
        // What is shown is read as the same name.
        if let Ok(name) = &parsed {
            assert_eq!(name.display().parse().as_ref(), Ok(name), "{shows}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
