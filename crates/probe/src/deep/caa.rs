//! Which authorities may issue for a name: CAA, from the name upwards (RFC 8659).
//!
//! The climb goes from the name that was asked for to its parent and on, and ends at the first records.
//! CNAME records belong to the question at which they stand: a resolver follows them, and the climb
//! does not go on from where they lead.

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use rules::evidence::{Caa, CaaSaid, CaaStep};

use super::exchange::Question;
use super::reading::{Trail, is_answer};
use super::resolvers::{Resolvers, Weight, any};
use crate::dns::answer::{self, Manner, word_of, written};
use crate::dns::server::Server;

impl Resolvers<'_> {
    /// The climb from `name`. All its steps are asked for at once; those above its end are not told.
    pub(super) async fn caa(&self, name: &Name) -> Vec<CaaStep> {
        let asked = levels(name).into_iter().map(|level| self.caa_step(level));
        let mut running: FuturesOrdered<_> = asked.collect();
        let mut steps = Vec::new();
        while let Some(step) = running.next().await {
            let is_end = step.said != CaaSaid::None;
            steps.push(step);
            if is_end {
                break;
            }
        }
        steps
    }

    async fn caa_step(&self, name: Name) -> CaaStep {
        let said = any(self.servers.iter().map(|server| self.caa_at(server, &name))).await;
        said.unwrap_or_else(|failure| {
            let detail = failure.unwrap_or_else(|| "nobody was asked".to_owned());
            let said = CaaSaid::Failed { detail };
            CaaStep { name: written(&name), through: Vec::new(), said }
        })
    }

    async fn caa_at(&self, server: &Server, name: &Name) -> Result<CaaStep, (Weight, String)> {
        let mut trail = Trail::within(Name::root(), name.clone());
        loop {
            let end = trail.path.end().clone();
            let question = Question { name: &end, kind: RecordType::CAA, manner: Manner::Resolver };
            let by = |detail| format!("{}: {detail}", server.address);
            let message = self.asking.ask(server, question).await;
            let message = message.map_err(|detail| (Weight::Silence, by(detail)))?;
            let read = read(&message, &mut trail);
            if let Some(said) = read.map_err(|(weight, detail)| (weight, by(detail)))? {
                return Ok(CaaStep { name: written(name), through: trail.path.through(), said });
            }
        }
    }
}

/// What a resolver answered; none where it only led on.
fn read(message: &Message, trail: &mut Trail) -> Result<Option<CaaSaid>, (Weight, String)> {
    let code = message.metadata.response_code;
    if !is_answer(code) {
        let word = word_of(code);
        let weight = if word == "SERVFAIL" { Weight::ServFail } else { Weight::Word };
        return Err((weight, word));
    }
    let before = trail.path.clone();
    if trail.follow(message).is_err() {
        return Err((Weight::ServFail, "its CNAME records lead in a circle".to_owned()));
    }
    let records: Vec<_> = records(message, trail.path.end()).collect();
    if !records.is_empty() {
        return Ok(Some(CaaSaid::Records(records)));
    }
    if answer::is_referral(message) {
        return Err((Weight::Word, "a referral: it does not ask others for us".to_owned()));
    }
    let is_led = before != trail.path && code == ResponseCode::NoError;
    Ok((!is_led || answer::is_final(message)).then_some(CaaSaid::None))
}

fn records<'a>(message: &'a Message, name: &'a Name) -> impl Iterator<Item = Caa> {
    answer::answers(message, name).filter_map(|record| match &record.data {
        RData::CAA(caa) => Some(Caa {
            critical: caa.issuer_critical,
            tag: caa.tag.to_ascii_lowercase(),
            value: String::from_utf8_lossy(&caa.value).into_owned(),
        }),
        _ => None,
    })
}

/// `name` and its parents up to the top-level label.
fn levels(name: &Name) -> Vec<Name> {
    (1..=name.iter().count()).rev().map(|labels| name.trim_to(labels)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_climb_goes_up_to_the_top_level_label() {
        let name = Name::from_ascii("a.b.shop.example.").unwrap();
        let levels: Vec<_> = levels(&name).iter().map(written).collect();
        assert_eq!(levels, ["a.b.shop.example", "b.shop.example", "shop.example", "example"]);
    }
}
