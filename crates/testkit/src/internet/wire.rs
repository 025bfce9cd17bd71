//! The sockets of DNS servers: a message in, what the world says to it out.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::locked;
use super::state::{Asked, Outcome, Role, State, Transport};
use super::zone::{Question, Reply};

/// The largest UDP answer for those who announce none (RFC 1035, 4.2.1).
const SMALLEST: usize = 512;
/// The payload that fits everywhere (DNS flag day 2020).
const PAYLOAD: u16 = 1232;

/// A server's place in the world.
#[derive(Clone, Debug)]
pub(super) struct Listening {
    pub(super) address: Ipv4Addr,
    pub(super) state: Arc<Mutex<State>>,
}

pub(super) async fn udp(socket: UdpSocket, place: Listening) {
    let socket = Arc::new(socket);
    let mut buffer = vec![0; 4096];
    loop {
        // An ICMP error for an answer that nobody waited for is no reason to stop.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let Some((outcome, query)) = place.receive(&buffer[..length], Transport::Udp) else {
            continue;
        };
        let Outcome::Answer(reply, later) = outcome else { continue };
        let bytes = place.message(&query, &reply, Transport::Udp);
        if later.is_zero() {
            _ = socket.send_to(&bytes, from).await;
        } else {
            tokio::spawn(answer_late(Arc::clone(&socket), bytes, (from, later)));
        }
    }
}

async fn answer_late(
    socket: Arc<UdpSocket>,
    bytes: Vec<u8>,
    (to, later): (SocketAddr, std::time::Duration),
) {
    tokio::time::sleep(later).await;
    _ = socket.send_to(&bytes, to).await;
}

pub(super) async fn tcp(listener: TcpListener, place: Listening) {
    let mut visits = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => drop(visits.spawn(visit(stream, place.clone()))),
            Some(_) = visits.join_next() => {}
        }
    }
}

/// One connection, with one question after the other (RFC 7766).
async fn visit(mut stream: TcpStream, place: Listening) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let mut query = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut query).await?;
        match place.receive(&query, Transport::Tcp) {
            Some((Outcome::Answer(reply, later), query)) => {
                tokio::time::sleep(later).await;
                let bytes = place.message(&query, &reply, Transport::Tcp);
                let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
                stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).await?;
            }
            Some((Outcome::Silence, _)) => {}
            Some((Outcome::Close, _)) | None => return Ok(()),
        }
    }
}

impl Listening {
    /// What becomes of a message; none where it is no question.
    fn receive(&self, bytes: &[u8], transport: Transport) -> Option<(Outcome, Message)> {
        let query = Message::from_vec(bytes).ok()?;
        let is_question = query.metadata.message_type == MessageType::Query
            && query.metadata.op_code == OpCode::Query;
        let asked = query.queries.first().filter(|_| is_question)?;
        let dnssec = query.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok);
        let mut name = asked.name().to_lowercase();
        name.set_fqdn(true);
        let log = Asked {
            name: name.to_ascii().trim_end_matches('.').to_owned(),
            kind: asked.query_type(),
            transport,
            recursion_desired: query.metadata.recursion_desired,
            checking_disabled: query.metadata.checking_disabled,
            dnssec_ok: dnssec,
        };
        let question = Question { name, kind: asked.query_type(), dnssec };
        Some((locked(&self.state).receive(self.address, &question, log), query))
    }

    fn message(&self, query: &Message, reply: &Reply, transport: Transport) -> Vec<u8> {
        let resolves = {
            let state = locked(&self.state);
            let role = state.servers.get(&self.address).map(|server| &server.role);
            matches!(role, Some(Role::Resolver(_)))
        };
        let mut message = Message::response(query.metadata.id, OpCode::Query);
        message.metadata = metadata(query, reply, resolves);
        message.queries.clone_from(&query.queries);
        message.answers.clone_from(&reply.answers);
        message.authorities.clone_from(&reply.authorities);
        message.additionals.clone_from(&reply.additionals);
        let announced = query.edns.as_ref().map(Edns::max_payload);
        if let Some(asked) = &query.edns {
            let mut edns = Edns::new();
            edns.set_max_payload(PAYLOAD).set_dnssec_ok(asked.flags().dnssec_ok);
            message.set_edns(edns);
        }
        let fits = announced.map_or(SMALLEST, usize::from).max(SMALLEST);
        let bytes = message.to_vec().expect("records are well formed");
        if transport == Transport::Udp && bytes.len() > fits {
            return message.truncate().to_vec().expect("it is shorter");
        }
        bytes
    }
}

fn metadata(query: &Message, reply: &Reply, resolves: bool) -> Metadata {
    let mut metadata = Metadata::response_from_request(&query.metadata);
    let dnssec = query.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok);
    metadata.response_code = reply.code;
    metadata.truncation = reply.truncated;
    metadata.recursion_available = resolves;
    metadata.authoritative = reply.authoritative && !resolves;
    // Told to those who ask for it (RFC 6840, 5.7 and 5.8).
    metadata.authentic_data =
        reply.authoritative && resolves && (dnssec || query.metadata.authentic_data);
    metadata
}
