//! What every [`AliasHost`] must do, however it is implemented.

use rules::host::{AliasHost, HostError};
use rules::{Disposition, DomainName};

/// What [`AliasHost`] promises, tried on a host that has no alias yet, accepts
/// any name, and shows all it has.
///
/// `has` checks the host directly, so that doing nothing does not pass.
///
/// # Panics
///
/// If the host breaks its contract.
pub async fn alias_host_contract(host: &dyn AliasHost, has: impl Fn(&DomainName) -> bool) {
    let names = ["shop.example", "*.shop.example", "www.bücher.example"];
    let names = names.map(|text| text.parse::<DomainName>().expect("a domain name"));
    let there = |present: &[DomainName]| {
        for name in &names {
            assert_eq!(has(name), present.contains(name), "whether `{name}` is there");
        }
    };

    host.check_key().await.expect("the key is good");
    there(&[]);
    for (count, name) in names.iter().enumerate() {
        host.add_alias(name).await.expect("adding");
        there(&names[..=count]);
        a_repetition(host.add_alias(name).await);
        there(&names[..=count]);
        shows(host, &names[..=count]).await;
    }
    for (count, name) in names.iter().enumerate() {
        host.remove_alias(name).await.expect("removing");
        there(&names[count + 1..]);
        a_repetition(host.remove_alias(name).await);
        there(&names[count + 1..]);
        shows(host, &names[count + 1..]).await;
    }
    host.check_key().await.expect("the key is still good");
}

/// The host may succeed, or say that it is so already: in words that are not
/// known beforehand, so never as a rejection of the name.
fn a_repetition(outcome: Result<(), HostError>) {
    if let Err(error) = outcome {
        assert_eq!(error.disposition(), Disposition::Settle, "{error}");
    }
}

async fn shows(host: &dyn AliasHost, present: &[DomainName]) {
    let list = host.aliases().await.expect("listing");
    assert_eq!(list.names, present.iter().cloned().collect());
    assert_eq!(list.unreadable.count, 0, "{:?}", list.unreadable);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::host::AliasList;

    /// Says yes to everything and does nothing.
    struct Idle;

    #[async_trait::async_trait]
    impl AliasHost for Idle {
        async fn add_alias(&self, _: &DomainName) -> Result<(), HostError> {
            Ok(())
        }

        async fn remove_alias(&self, _: &DomainName) -> Result<(), HostError> {
            Ok(())
        }

        async fn aliases(&self) -> Result<AliasList, HostError> {
            Ok(AliasList::default())
        }

        async fn check_key(&self) -> Result<(), HostError> {
            Ok(())
        }
    }

    #[tokio::test]
    #[should_panic(expected = "whether `shop.example` is there")]
    async fn a_host_that_does_nothing_breaks_the_contract() {
        alias_host_contract(&Idle, |_| false).await;
    }
}
