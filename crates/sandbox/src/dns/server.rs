//! The wire of the DNS server: a query in, the zone's reply out, or no answer.

use std::sync::Arc;

use async_trait::async_trait;
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::op::{Edns, Header, HeaderCounts, Metadata, ResponseCode};
use hickory_server::proto::rr::{Name, RData, Record as WireRecord};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;

use super::record::{Record, RecordType, soa, wire_name};
use super::zone::{Outcome, Reply, canonical};
use super::{Query, Shared};
use crate::locked;

/// The UDP payload that fits everywhere (DNS flag day 2020).
const MAX_PAYLOAD: u16 = 1232;

#[derive(Debug)]
pub(super) struct Handler(pub(super) Arc<Shared>);

#[async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut to: R,
    ) -> ResponseInfo {
        let silence = ResponseInfo::from(Header {
            metadata: request.metadata,
            counts: HeaderCounts::default(),
        });
        let Some(reply) = self.reply(request) else { return silence };
        if !reply.delay.is_zero() {
            tokio::time::sleep(reply.delay).await;
        }
        send(request, &reply, self.0.ttl, &mut to).await.unwrap_or(silence)
    }
}

impl Handler {
    /// Log the query and decide about it; `None` is no answer.
    fn reply(&self, request: &Request) -> Option<Reply> {
        let query = request.request_info().ok()?.query;
        let asked = query.query_type();
        let name = canonical(&query.original().name().to_ascii());
        let tcp = request.protocol() == Protocol::Tcp;
        let at = self.0.started.elapsed();
        locked(&self.0.queries).push(Query { at, name: name.clone(), record_type: asked, tcp });
        if self.0.switch.is_dead() {
            return None;
        }
        let reply = locked(&self.0.zone).answer(&name, asked);
        (reply.outcome != Outcome::NoAnswer).then_some(reply)
    }
}

async fn send<R: ResponseHandler>(
    request: &Request,
    reply: &Reply,
    ttl: u32,
    to: &mut R,
) -> Option<ResponseInfo> {
    let wire: Result<Vec<WireRecord>, _> =
        reply.answers.iter().map(|(owner, record)| wire_record(owner, record, ttl)).collect();
    let code = match reply.outcome {
        // A control call may have set a record that DNS cannot carry.
        _ if wire.is_err() => ResponseCode::ServFail,
        Outcome::Known => ResponseCode::NoError,
        Outcome::NxDomain => ResponseCode::NXDomain,
        Outcome::Refused => ResponseCode::Refused,
        Outcome::ServFail | Outcome::NoAnswer => ResponseCode::ServFail,
    };
    let answers = wire.unwrap_or_default();
    let is_negative = matches!(reply.outcome, Outcome::Known | Outcome::NxDomain)
        && !answers.iter().any(|answer| answer.record_type() == asked(request));
    // The zone of the SOA that a negative answer needs (RFC 2308) does not matter to a stub.
    let authority = is_negative
        .then(|| WireRecord::from_rdata(Name::root(), ttl, RData::SOA(soa(Name::root()))));
    let edns = request.edns.as_ref().map(|_| edns());
    let mut builder = MessageResponseBuilder::from_message_request(request);
    if let Some(edns) = &edns {
        builder.edns(edns);
    }
    let response = builder.build(metadata(request, code), &answers, [], &authority, []);
    to.send_response(response).await.ok()
}

/// A recursive resolver's answer, or an authoritative server's to a client that does not ask for recursion.
fn metadata(request: &Request, code: ResponseCode) -> Metadata {
    let mut metadata = Metadata::response_from_request(&request.metadata);
    metadata.response_code = code;
    metadata.recursion_available = true;
    metadata.authoritative = !request.metadata.recursion_desired;
    metadata
}

fn edns() -> Edns {
    let mut edns = Edns::new();
    edns.set_max_payload(MAX_PAYLOAD);
    edns
}

fn asked(request: &Request) -> RecordType {
    request.request_info().map_or(RecordType::ZERO, |asked| asked.query.query_type())
}

fn wire_record(
    owner: &str,
    record: &Record,
    ttl: u32,
) -> Result<WireRecord, hickory_server::proto::ProtoError> {
    Ok(WireRecord::from_rdata(wire_name(owner)?, ttl, record.wire()?))
}
