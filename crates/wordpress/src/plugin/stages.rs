//! Stages, written by the plugin: it flushes the cache and runs the hooks.

use async_trait::async_trait;
use rules::Stage;
use rules::plain;
use rules::source::{SourceError, StageWrite, StageWriter, Written};
use serde_json::{Value, json};

use super::{Call, MOST, PluginChannel};
use crate::rest::INVALID_NAME;
use crate::web::{not_meant, number_of};

const STAGES: Call = Call { name: "stages", doing: "writing stages through the plugin" };

/// So many are written by one call.
const AT_ONCE: usize = 50;

#[async_trait]
impl StageWriter for PluginChannel {
    fn name(&self) -> &'static str {
        "plugin"
    }

    /// A channel that is open has a place and a secret.
    async fn is_set_up(&self) -> bool {
        true
    }

    async fn write_stages(&self, writes: &[StageWrite]) -> Result<Vec<Written>, SourceError> {
        let mut written = Vec::new();
        for some in writes.chunks(AT_ONCE) {
            let asked: Vec<_> = some.iter().map(write).collect();
            let body = json!({ "writes": asked });
            let answer = self.send(STAGES, &body, self.timeouts.stages, MOST).await?;
            let results = answer.get("results").and_then(Value::as_array);
            let each = results.and_then(|results| pair(some, results));
            let odd = || not_meant(STAGES.doing, "results that are not those of what was asked");
            written.extend(each.ok_or_else(odd)?);
        }
        Ok(written)
    }
}

fn write(write: &StageWrite) -> Value {
    let from = write.from.map(Stage::as_str);
    let StageWrite { mapping_id, domain, to, secure, .. } = write;
    // Only the row of a wildcard may spell it in any way and be written.
    let domain = (!domain.is_wildcard()).then(|| domain.as_str());
    let to = to.as_str();
    json!({ "id": mapping_id, "domain": domain, "from": from, "to": to, "secure": secure })
}

/// The result of each; none where an answer does not fit the question.
fn pair(writes: &[StageWrite], results: &[Value]) -> Option<Vec<Written>> {
    if writes.len() != results.len() {
        return None;
    }
    let each = writes.iter().zip(results).map(|(write, result)| {
        let is_its = result.get("id").and_then(number_of) == Some(write.mapping_id);
        written(result).filter(|_| is_its)
    });
    each.collect()
}

fn written(result: &Value) -> Option<Written> {
    match result.get("result")?.as_str()? {
        "done" => Some(Written::Done),
        "overtaken" => Some(Written::Overtaken),
        "refused" => {
            let words = result.get("detail").and_then(Value::as_str).unwrap_or_default();
            let words = plain::words(words.trim());
            // An older plugin gives no code.
            let is_name = result.get("code").and_then(Value::as_str) == Some(INVALID_NAME);
            Some(if is_name { Written::NameRefused { words } } else { Written::Refused { words } })
        }
        _ => None,
    }
}
