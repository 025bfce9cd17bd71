//! That no code is without a world.

use std::collections::BTreeSet;

use rules::finding::Code;

use crate::explained::Case;

/// Codes whose worlds are tests of their own, or which no world can make.
#[rustfmt::skip] // One code a line.
const OTHERWISE: [(&str, &str); 7] = [
    ("blind",         "`whole`: it ends with 2"),
    ("brake",         "`whole`: of the network alone"),
    ("doubt",         "`whole`: of the network alone"),
    ("not-validated", "`whole`: of the network alone"),
    ("list-doubt",    "waits: a world that holds back the call of this domain"),
    ("vanished",      "waits: a world between seeing it gone and adding it again"),
    ("unseen",        "waits: nothing finds it yet"),
];

#[test]
fn every_code_has_a_world() {
    let tables: [&[Case]; 17] = [
        crate::dns::DELEGATION,
        crate::dns::SIGNATURES,
        crate::dns::NAMES,
        crate::dns::ADDRESSES,
        crate::issuing::BY_CAA,
        crate::issuing::BY_PORT_80,
        crate::issuing::MISSING,
        crate::certificates::REFUSED,
        crate::certificates::TWO_ADDRESSES,
        crate::certificates::LIFETIMES,
        crate::names::NAMES,
        crate::rows::ROWS,
        crate::served::WEB,
        crate::served::SERVICE,
        crate::hosts::REFUSED,
        crate::hosts::OWED,
        crate::hosts::FOUND,
    ];
    let whole = [crate::whole::WHOLE, crate::whole::SEEING];
    let lived = tables.into_iter().chain(whole).flatten().map(|case| case.code);
    let lived: BTreeSet<&str> = lived.chain(OTHERWISE.map(|(code, _)| code)).collect();
    let all: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(lived, all);
}
