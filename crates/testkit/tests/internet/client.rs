//! Questions over UDP and TCP, as a client of the internet asks them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, Record};
use testkit::internet::{Internet, RecordType};

/// Longer than any answer here takes, unless it is late on purpose.
const PATIENCE: Duration = Duration::from_secs(5);
/// For answers that must not come.
const SILENCE: Duration = Duration::from_millis(50);

/// How a question is asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How {
    pub(crate) dnssec: bool,
    pub(crate) unchecked: bool,
}

/// An internet with `shop.example`, which has an address.
pub(crate) fn internet() -> Internet {
    let internet = Internet::start();
    internet.zone("example");
    internet.zone("shop.example");
    internet.set("shop.example", RecordType::A, &["192.0.2.7"]);
    internet
}

pub(crate) fn query(name: &str, kind: RecordType, how: How) -> Message {
    let mut message = Message::query();
    message.metadata.op_code = OpCode::Query;
    message.metadata.recursion_desired = true;
    message.metadata.checking_disabled = how.unchecked;
    let mut name = Name::from_ascii(name).unwrap();
    name.set_fqdn(true);
    message.add_query(Query::query(name, kind));
    let mut edns = Edns::new();
    edns.set_max_payload(1232).set_dnssec_ok(how.dnssec);
    message.set_edns(edns);
    message
}

/// The answer in a datagram; none where none comes.
pub(crate) fn udp(server: SocketAddr, query: &Message, patience: Duration) -> Option<Message> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(patience)).unwrap();
    socket.send_to(&query.to_vec().unwrap(), server).unwrap();
    let mut buffer = [0; 4096];
    let (length, from) = socket.recv_from(&mut buffer).ok()?;
    assert_eq!(from, server);
    let answer = Message::from_vec(&buffer[..length]).unwrap();
    assert_eq!((answer.metadata.id, &answer.queries), (query.metadata.id, &query.queries));
    Some(answer)
}

/// The answer in a connection; none where that ends without.
pub(crate) fn tcp(server: SocketAddr, query: &Message) -> Option<Message> {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let bytes = query.to_vec().unwrap();
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], &bytes].concat()).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).unwrap();
    Some(Message::from_vec(&answer).unwrap())
}

/// What a server or resolver says over UDP, and over TCP the same.
pub(crate) fn ask(internet: &Internet, server: &str, name: &str, kind: RecordType) -> Message {
    ask_so(internet, server, (name, kind), How::default())
}

pub(crate) fn ask_so(
    internet: &Internet,
    server: &str,
    (name, kind): (&str, RecordType),
    how: How,
) -> Message {
    let server = internet.socket(server);
    let query = query(name, kind, how);
    let answer = udp(server, &query, PATIENCE).unwrap();
    let again = tcp(server, &query).unwrap();
    // ECDSA signs differently each time.
    if !how.dnssec {
        assert_eq!(answer, again, "TCP says the same");
    }
    answer
}

/// Whether nothing comes over UDP.
pub(crate) fn is_silent(internet: &Internet, server: &str, name: &str) -> bool {
    let query = query(name, RecordType::A, How::default());
    udp(internet.socket(server), &query, SILENCE).is_none()
}

pub(crate) fn code(message: &Message) -> ResponseCode {
    message.metadata.response_code
}

/// Records as `name TYPE data`, types in the order in which they came.
pub(crate) fn texts(records: &[Record]) -> Vec<String> {
    let text = |it: &Record| {
        let name = it.name.to_ascii();
        format!("{} {} {}", name.trim_end_matches('.'), it.record_type(), it.data)
    };
    records.iter().map(text).collect()
}
