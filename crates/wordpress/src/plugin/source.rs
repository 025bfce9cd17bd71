//! The plugin as a source: the listing that we have, and a question whether it is still current.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rules::source::SourceError;
use rules::{Network, Problem, Time};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::listing::{Listing, READING};
use super::{Call, MOST_OF_A_LISTING, PluginChannel, cache, hello};
use crate::web::not_meant;

const NETWORK: Call = Call { name: "network", doing: READING };

/// The last listing of the plugin.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) channel: Arc<PluginChannel>,
    cache: Option<PathBuf>,
    /// Set once the cache was read.
    begun: OnceCell<()>,
    known: Mutex<Option<Arc<Listing>>>,
    /// Why the last listing could not be kept on disk.
    not_kept: Mutex<Option<String>>,
}

impl Listed {
    pub(crate) fn new(channel: Arc<PluginChannel>, cache: Option<PathBuf>) -> Self {
        let (begun, known, not_kept) = (OnceCell::new(), Mutex::default(), Mutex::default());
        Self { channel, cache, begun, known, not_kept }
    }

    /// The network as it is now.
    pub(crate) async fn read(&self) -> Result<Network, SourceError> {
        let (listing, now) = self.listing().await?;
        let mut network = listing.at(now);
        let not_kept = self.not_kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        network.problems.extend(not_kept.map(Problem::of_all));
        Ok(network)
    }

    /// A number that differs whenever the network differs, apart from stages.
    pub(crate) async fn pulse(&self) -> Result<u64, SourceError> {
        Ok(self.listing().await?.0.pulse)
    }

    /// The answer key of the routing proof of a mapping, as last read.
    pub(crate) fn key(&self, mapping_id: u64) -> Option<String> {
        Some(self.known()?.key(mapping_id)?.to_owned())
    }

    /// The current listing, and the plugin's clock.
    async fn listing(&self) -> Result<(Arc<Listing>, Time), SourceError> {
        self.begun.get_or_init(|| self.begin()).await;
        let known = self.known();
        let version = known.as_ref().map(|listing| listing.version.as_str());
        let limit = self.channel.timeouts.network;
        let body = json!({ "known": version });
        let answer = self.channel.send(NETWORK, &body, limit, MOST_OF_A_LISTING).await?;
        if answer.get("unchanged") != Some(&Value::Bool(true)) {
            return self.take(&answer).await;
        }
        let time = answer.get("time").and_then(hello::time);
        known.zip(time).ok_or_else(|| not_meant(READING, "`unchanged`, and since when not"))
    }

    async fn take(&self, answer: &Map<String, Value>) -> Result<(Arc<Listing>, Time), SourceError> {
        let listing = Arc::new(Listing::of(answer)?);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&listing));
        let kept = match &self.cache {
            Some(path) => {
                cache::write(path, &self.channel.named_place(), answer).await.map_err(|error| {
                    format!(
                        "the listing of the network could not be kept in `{}`: {error}",
                        path.display()
                    )
                })
            }
            None => Ok(()),
        };
        *self.not_kept.lock().unwrap_or_else(PoisonError::into_inner) = kept.err();
        let time = listing.time();
        Ok((listing, time))
    }

    /// Begin with what an earlier process received.
    async fn begin(&self) {
        let Some(path) = &self.cache else { return };
        let kept = cache::read(path, &self.channel.named_place()).await;
        let listing = kept.and_then(|kept| Listing::of(&kept).ok());
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = listing.map(Arc::new);
    }

    fn known(&self) -> Option<Arc<Listing>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
