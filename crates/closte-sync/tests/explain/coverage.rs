//! That no code is without a world.

use std::collections::BTreeSet;

use rules::finding::Code;

use crate::explained::Case;

/// Codes whose worlds are tests of their own: they end otherwise, or are of the network alone.
#[rustfmt::skip] // One code a line.
const OTHERWISE: [(&str, &str); 4] = [
    ("blind",         "whole::where_no_resolver_answers_the_exit_says_so"),
    ("brake",         "whole::what_a_person_must_apply_is_told_of_the_network"),
    ("doubt",         "whole::what_a_person_must_apply_is_told_of_the_network"),
    ("not-validated", "whole::where_nobody_validates_it_is_told_once"),
];

#[test]
fn every_code_has_a_world() {
    let tables: [&[Case]; 18] = [
        crate::dns::DELEGATION,
        crate::dns::SIGNATURES,
        crate::dns::NAMES,
        crate::dns::ADDRESSES,
        crate::issuing::BY_CAA,
        crate::issuing::BY_PORT_80,
        crate::issuing::MISSING,
        crate::wildcards::BROKEN,
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
