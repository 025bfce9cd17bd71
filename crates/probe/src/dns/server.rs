//! One server: a question goes out, its answer comes back, in octets.
//!
//! Questions share sockets, so that hundreds at once cost a few. A socket is
//! replaced after [`QUESTIONS`] or [`AGE`]: to forge an answer, one has to guess
//! its new port and the id of the question (RFC 5452).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How many questions one socket is used for: their answers, even all at once,
/// fit the buffer that Linux gives it.
const QUESTIONS: usize = 128;

/// How long a socket is used for new questions.
const AGE: Duration = Duration::from_secs(1);

/// How long a resolver that did not answer is asked after the others.
const QUIET: Duration = Duration::from_secs(30);

/// The largest answer over UDP that we accept; we announce 1232 octets.
const DATAGRAM: usize = 4096;

/// A server that answers questions: a resolver, or an authoritative one.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it listens, UDP and TCP.
    pub(crate) address: SocketAddr,
    socket: Mutex<Option<Opened>>,
    quiet_since: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Opened {
    socket: Arc<Socket>,
    at: Instant,
    questions: usize,
}

impl Server {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, socket: Mutex::default(), quiet_since: Mutex::default() }
    }

    /// Send `query` and wait for its answer, over TCP where UDP is too small.
    ///
    /// # Errors
    ///
    /// The socket's. There is no time limit here: drop the future.
    pub(super) async fn ask(&self, query: &[u8]) -> io::Result<Vec<u8>> {
        let answer = self.ask_udp(query).await?;
        if is_truncated(&answer) { self.ask_tcp(query).await } else { Ok(answer) }
    }

    /// The same over UDP alone, and an answer that does not fit comes truncated.
    pub(crate) async fn ask_udp(&self, query: &[u8]) -> io::Result<Vec<u8>> {
        self.socket()?.ask(query).await
    }

    /// Remember whether it answered.
    pub(super) fn heard(&self, answered: bool) {
        *lock(&self.quiet_since) = (!answered).then(Instant::now);
    }

    /// Whether it did not answer lately.
    pub(super) fn is_quiet(&self) -> bool {
        lock(&self.quiet_since).is_some_and(|since| since.elapsed() < QUIET)
    }

    /// The socket for the next question: the one in use, or a fresh one.
    fn socket(&self) -> io::Result<Arc<Socket>> {
        let mut slot = lock(&self.socket);
        if let Some(opened) = &mut *slot
            && opened.questions < QUESTIONS
            && opened.at.elapsed() < AGE
            && opened.socket.is_open()
        {
            opened.questions += 1;
            return Ok(opened.socket.clone());
        }
        let socket = Arc::new(Socket::open(self.address)?);
        *slot = Some(Opened { socket: socket.clone(), at: Instant::now(), questions: 1 });
        Ok(socket)
    }

    /// The same over TCP alone.
    pub(crate) async fn ask_tcp(&self, query: &[u8]) -> io::Result<Vec<u8>> {
        let length = u16::try_from(query.len()).map_err(io::Error::other)?;
        let id: u16 = rand::random();
        let mut message = length.to_be_bytes().to_vec();
        message.extend_from_slice(&with_id(query, id));
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(&message).await?;
        let mut answer = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut answer).await?;
        if answers(&answer, id, query) {
            Ok(answer)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "an answer to another question"))
        }
    }
}

/// A socket, and the questions whose answers it waits for.
#[derive(Debug)]
struct Socket {
    udp: Arc<UdpSocket>,
    waiting: Arc<Mutex<Waiting>>,
    reader: JoinHandle<()>,
}

/// The open questions by id, or why there will be no more answers.
type Waiting = Result<BTreeMap<u16, Question>, io::ErrorKind>;

type Answer = io::Result<Vec<u8>>;

#[derive(Debug)]
struct Question {
    query: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

impl Socket {
    fn open(server: SocketAddr) -> io::Result<Self> {
        let any: SocketAddr = match server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = std::net::UdpSocket::bind(any)?;
        socket.connect(server)?;
        socket.set_nonblocking(true)?;
        let udp = Arc::new(UdpSocket::from_std(socket)?);
        let waiting = Arc::new(Mutex::new(Ok(BTreeMap::new())));
        let reader = tokio::spawn(read(udp.clone(), waiting.clone()));
        Ok(Self { udp, waiting, reader })
    }

    /// Whether answers can still come: it has not failed, and its runtime still exists.
    fn is_open(&self) -> bool {
        lock(&self.waiting).is_ok() && !self.reader.is_finished()
    }

    async fn ask(&self, query: &[u8]) -> io::Result<Vec<u8>> {
        let (open, answer) = self.enter(query)?;
        if let Err(error) = self.udp.send(&with_id(query, open.id)).await {
            // It may be about an earlier question: all of them have failed.
            close(&self.waiting, error.kind());
        }
        answer.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
    }

    /// Wait for an answer to `query` under an id that is free.
    fn enter(&self, query: &[u8]) -> io::Result<(Open<'_>, oneshot::Receiver<Answer>)> {
        let (answer, receiver) = oneshot::channel();
        let mut waiting = lock(&self.waiting);
        let questions = waiting.as_mut().map_err(|kind| io::Error::from(*kind))?;
        loop {
            if let Entry::Vacant(place) = questions.entry(rand::random()) {
                let open = Open { waiting: &self.waiting, id: *place.key() };
                place.insert(Question { query: query.to_vec(), answer });
                return Ok((open, receiver));
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Removes its question when nobody waits for it any more.
struct Open<'a> {
    waiting: &'a Mutex<Waiting>,
    id: u16,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Ok(questions) = &mut *lock(self.waiting) {
            questions.remove(&self.id);
        }
    }
}

/// Deliver answers until the socket fails (ICMP reports a closed port).
async fn read(udp: Arc<UdpSocket>, waiting: Arc<Mutex<Waiting>>) {
    let mut datagram = [0; DATAGRAM];
    let error = loop {
        match udp.recv(&mut datagram).await {
            Ok(length) => hand_out(&waiting, &datagram[..length]),
            Err(error) => break error.kind(),
        }
    };
    close(&waiting, error);
}

/// Fail all open questions, and later ones.
fn close(waiting: &Mutex<Waiting>, error: io::ErrorKind) {
    let questions = std::mem::replace(&mut *lock(waiting), Err(error));
    for (_, question) in questions.into_iter().flatten() {
        // A receiver that is gone needs no answer.
        let _ = question.answer.send(Err(error.into()));
    }
}

/// An answer that fits no open question is dropped: late, or forged.
fn hand_out(waiting: &Mutex<Waiting>, datagram: &[u8]) {
    let Some(id) = datagram.first_chunk().copied().map(u16::from_be_bytes) else {
        return;
    };
    if let Ok(questions) = &mut *lock(waiting)
        && let Entry::Occupied(place) = questions.entry(id)
        && answers(datagram, id, &place.get().query)
    {
        let _ = place.remove().answer.send(Ok(datagram.to_vec()));
    }
}

/// Whether `message` is an answer to `query`: id, the flag, the question.
///
/// Some servers leave the question out of an error, or change its case.
fn answers(message: &[u8], id: u16, query: &[u8]) -> bool {
    let Some((header, rest)) = message.split_first_chunk::<12>() else {
        return false;
    };
    let question = question(query);
    let asks = rest.get(..question.len()).unwrap_or_default();
    header[..2] == id.to_be_bytes()
        && header[2] & 0x80 != 0
        && (header[4..6] == [0, 0] || asks.eq_ignore_ascii_case(question))
}

/// The question section of a query of ours: one name, its type, its class.
fn question(query: &[u8]) -> &[u8] {
    let rest = query.get(12..).unwrap_or_default();
    let name = rest.iter().position(|octet| *octet == 0).unwrap_or_default();
    rest.get(..name + 5).unwrap_or_default()
}

fn is_truncated(answer: &[u8]) -> bool {
    answer.get(2).is_some_and(|flags| flags & 0x02 != 0)
}

fn with_id(query: &[u8], id: u16) -> Vec<u8> {
    let mut query = query.to_vec();
    query[..2].copy_from_slice(&id.to_be_bytes());
    query
}

/// Nothing here can be half done when a thread panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A question for `A` of `a.test`, with EDNS behind it.
    const QUERY: &[u8] =
        b"\0\0\x01\0\0\x01\0\0\0\0\0\x01\x01a\x04test\0\0\x01\0\x01\0\0\x29\x04\xd0\0\0\0\0\0\0";

    #[test]
    fn only_the_answer_to_the_question_is_taken() {
        let answer = |header: &[u8; 12], question: &[u8]| {
            answers(&[header.as_slice(), question].concat(), 0x1234, QUERY)
        };
        let asked = b"\x01a\x04test\0\0\x01\0\x01";
        let header = b"\x12\x34\x81\x80\0\x01\0\0\0\0\0\0";
        assert!(answer(header, asked));
        assert!(answer(header, b"\x01A\x04tEST\0\0\x01\0\x01"), "another case");
        assert!(answer(b"\x12\x34\x81\x81\0\0\0\0\0\0\0\0", b""), "an error without question");
        assert!(!answer(b"\x12\x35\x81\x80\0\x01\0\0\0\0\0\0", asked), "another id");
        assert!(!answer(b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0", asked), "a question");
        assert!(!answer(header, b"\x01b\x04test\0\0\x01\0\x01"), "another name");
        assert!(!answer(header, b"\x01a\x04test\0\0\x1c\0\x01"), "another type");
        assert!(!answers(b"\x12\x34\x81", 0x1234, QUERY), "a stump");
    }
}
