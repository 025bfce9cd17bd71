//! A host that keeps a set of aliases, and shows all of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rules::DomainName;
use rules::host::{AliasHost, AliasList, HostError};

/// An [`AliasHost`] in memory; its clones are the same host.
#[derive(Clone, Debug, Default)]
pub struct MemoryHost {
    aliases: Arc<Mutex<BTreeSet<DomainName>>>,
}

impl MemoryHost {
    /// The aliases it has now, to read and to change from behind.
    pub fn present(&self) -> MutexGuard<'_, BTreeSet<DomainName>> {
        self.aliases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AliasHost for MemoryHost {
    async fn add_alias(&self, domain: &DomainName) -> Result<(), HostError> {
        self.present().insert(domain.clone());
        Ok(())
    }

    async fn remove_alias(&self, domain: &DomainName) -> Result<(), HostError> {
        self.present().remove(domain);
        Ok(())
    }

    async fn aliases(&self) -> Result<AliasList, HostError> {
        Ok(AliasList { names: self.present().iter().cloned().collect(), ..AliasList::default() })
    }

    async fn check_key(&self) -> Result<(), HostError> {
        Ok(())
    }
}
