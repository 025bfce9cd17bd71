//! The same with Debian's `unbound` as the resolver that validates.

use testkit::internet::Dnssec;

use crate::world::{SHOP, World};

#[test]
fn a_real_validator_is_believed() {
    for (dnssec, code, first) in [
        (Dnssec::Good, 0, Some("already-at-host")),
        (Dnssec::Expired, 1, Some("dnssec-bogus")),
        (Dnssec::OtherKey, 1, Some("dnssec-bogus")),
    ] {
        let mut world = World::new();
        world.internet.dnssec("example", Dnssec::Good);
        world.internet.dnssec(SHOP, dnssec);
        let unbound = world.internet.unbound();
        world.set("checks.resolvers", &unbound.address().to_string());
        let explained = world.explain(SHOP);
        let found = (explained.code, explained.codes().first().copied());
        assert_eq!(found, (code, first), "{dnssec:?}: {explained:#?}");
        assert!(!explained.network().contains(&"not-validated"), "{explained:#?}");
    }
}
