//! Stages, written through Ultimate Multisite's REST API: it flushes the cache and runs the hooks.
//!
//! The API has no condition on a write, so the row is checked just before, and the stage is
//! checked after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use rules::source::{SourceError, StageWrite, StageWriter, Written};
use rules::{DomainName, Stage};
use serde_json::{Map, Value, json};

use super::client::{RestClient, Session};
use super::meaning::Answer;
use super::row;
use crate::spelling;
use crate::web::{Fault, not_meant};

const WRITING: &str = "writing a stage over REST";

/// The code with which Ultimate Multisite's validation refuses a row for its name: the column's.
pub(crate) const INVALID_NAME: &str = "domain";

/// So many are written at once.
const AT_ONCE: usize = 4;

/// Writes stages over REST. Clones share what they have learnt.
#[derive(Clone, Debug)]
pub struct RestWriter {
    client: Arc<RestClient>,
    /// Whether the column turned out not to have `ssl-failed`.
    no_ssl_failed: Arc<AtomicBool>,
}

impl RestWriter {
    /// A writer that uses `client`.
    pub fn new(client: Arc<RestClient>) -> Self {
        Self { client, no_ssl_failed: Arc::default() }
    }

    /// Whether `ssl-failed` was never refused.
    pub(super) fn may_hold_ssl_failed(&self) -> bool {
        !self.no_ssl_failed.load(Ordering::Relaxed)
    }

    pub(super) async fn write(
        &self,
        session: &Session<'_>,
        write: &StageWrite,
    ) -> Result<Written, SourceError> {
        let path = format!("domain/{}", write.mapping_id);
        match stage(session.get(WRITING, &path).await?, &write.domain)? {
            Stands::Stage(stage) if stage == write.from => {}
            Stands::Refused(fault) => return Ok(Written::Refused { words: fault.message }),
            Stands::Stage(_) | Stands::Unknown | Stands::Nothing => return Ok(Written::Overtaken),
        }
        let mut body = json!({ "stage": write.to.as_str() });
        if write.secure {
            body["secure"] = true.into();
        }
        let stands = match stage(session.put(WRITING, &path, &body).await?, &write.domain)? {
            Stands::Unknown => stage(session.get(WRITING, &path).await?, &write.domain)?,
            stands => stands,
        };
        self.judge(write, stands)
    }

    fn judge(&self, write: &StageWrite, stands: Stands) -> Result<Written, SourceError> {
        let words = match stands {
            Stands::Stage(Some(stage)) if stage == write.to => return Ok(Written::Done),
            // Somebody else changed it first.
            Stands::Stage(Some(_)) | Stands::Nothing => return Ok(Written::Overtaken),
            Stands::Unknown => return Err(not_meant(WRITING, "an answer without a stage")),
            // MySQL keeps the empty word where it is not strict and its column lacks this one.
            Stands::Stage(None) => format!("`{}` was saved, but no stage is there", write.to),
            Stands::Refused(Fault { code, message: words }) if code == INVALID_NAME => {
                return Ok(Written::NameRefused { words });
            }
            Stands::Refused(fault) => fault.message,
        };
        self.no_ssl_failed.fetch_or(write.to == Stage::SslFailed, Ordering::Relaxed);
        Ok(Written::Refused { words })
    }
}

#[async_trait]
impl StageWriter for RestWriter {
    fn name(&self) -> &'static str {
        "rest"
    }

    async fn is_set_up(&self) -> bool {
        self.client.has_credentials().await
    }

    async fn write_stages(&self, writes: &[StageWrite]) -> Result<Vec<Written>, SourceError> {
        let session = self.client.session().await?;
        // Futures of one type each, which a closure over references would not be.
        let each: Vec<_> = writes.iter().map(|write| self.write(&session, write)).collect();
        stream::iter(each).buffered(AT_ONCE).try_collect().await
    }
}

/// What a row contains, as far as an answer shows.
enum Stands {
    /// This stage; none for a word that is not a stage.
    Stage(Option<Stage>),
    /// The answer does not say.
    Unknown,
    /// The row does not exist, or is another domain's by now.
    Nothing,
    /// WordPress refused, with its code and words.
    Refused(Fault),
}

fn stage(answer: Answer, domain: &DomainName) -> Result<Stands, SourceError> {
    match answer {
        Answer::NotThere(_) => Ok(Stands::Nothing),
        Answer::Refused(fault) => Ok(Stands::Refused(fault)),
        Answer::Said(json, _) => Ok(stage_in(row::object(&json, WRITING)?, domain)),
    }
}

fn stage_in(object: &Map<String, Value>, domain: &DomainName) -> Stands {
    let name = object.get("domain").and_then(Value::as_str);
    if name.is_some_and(|name| !spelling::is(name, domain)) {
        return Stands::Nothing;
    }
    match object.get("stage") {
        Some(Value::String(word)) => Stands::Stage(Stage::from_word(word)),
        Some(Value::Null) => Stands::Stage(None),
        _ => Stands::Unknown,
    }
}
