//! One question to one server: over UDP, in an older dialect, over TCP.
//!
//! The next way is tried as soon as one fails, and after a while also while one is silent, so that a
//! lost packet or a server that drops what it does not know costs a part of the time and not all of
//! it. What cannot be asked any more when the time is over is silence, never a "no".

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tokio::time::{Instant, sleep, timeout_at};

use crate::dns::answer::{self, Manner, QueryForm};
use crate::dns::server::Server;

/// How many questions one investigation may ask: more than any honest name needs. Servers whose
/// names lead to servers whose names lead to others would else make us ask thousands.
const QUESTIONS: u32 = 600;

/// What one investigation may still spend.
#[derive(Debug)]
pub(super) struct Asking {
    timeout: Duration,
    deadline: Instant,
    left: AtomicU32,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) name: &'a Name,
    pub(super) kind: RecordType,
    pub(super) manner: Manner,
}

/// A way to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Udp(QueryForm),
    Tcp(QueryForm),
}

/// What came by one way.
enum Came {
    /// An answer.
    Whole(Message),
    /// The beginning of one.
    Truncated,
    /// Nothing that can be read, and how that failed.
    Nothing(String),
}

impl Asking {
    /// Each question gets `timeout`, all of them together `whole`.
    pub(super) fn new(timeout: Duration, whole: Duration) -> Self {
        Self { timeout, deadline: Instant::now() + whole, left: AtomicU32::new(QUESTIONS) }
    }

    /// Whether a question gets its whole time: one that does not tells little by its failure.
    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() + self.timeout <= self.deadline && 0 < self.left.load(Ordering::Relaxed)
    }

    /// Wait for `it`, as long as there is time.
    pub(super) async fn in_time<T>(&self, it: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.deadline, it).await.ok()
    }

    /// Ask `server` one question.
    ///
    /// # Errors
    ///
    /// Nothing came back in time that can be read, and how that failed.
    pub(super) async fn ask(
        &self,
        server: &Server,
        question: Question<'_>,
    ) -> Result<Message, String> {
        let spent = |left: u32| left.checked_sub(1);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).is_err() {
            return Err(format!("not asked: it would take over {QUESTIONS} questions"));
        }
        let until = self.deadline.min(Instant::now() + self.timeout);
        let mut exchange = Exchange::new(server, question, self.timeout / 4);
        let answered = timeout_at(until, exchange.run()).await;
        answered.unwrap_or_else(|_| exchange.too_late(self.timeout))
    }
}

/// The ways of one question.
struct Exchange<'a> {
    server: &'a Server,
    question: Question<'a>,
    /// After how long of silence the next way is tried.
    pause: Duration,
    /// Those that were not tried, the next one last.
    ways: Vec<Way>,
    failures: BTreeSet<String>,
    /// An answer that complains of the question's form.
    complaint: Option<Message>,
}

impl<'a> Exchange<'a> {
    fn new(server: &'a Server, question: Question<'a>, pause: Duration) -> Self {
        let mut ways = vec![Way::Tcp(QueryForm::Edns), Way::Udp(QueryForm::Edns)];
        if !question.manner.wants_signatures() {
            ways.insert(1, Way::Udp(QueryForm::Plain));
        }
        Self { server, question, pause, ways, failures: BTreeSet::new(), complaint: None }
    }

    async fn run(&mut self) -> Result<Message, String> {
        let (server, question) = (self.server, self.question);
        let mut running = FuturesUnordered::new();
        loop {
            running.extend(self.ways.pop().map(|way| by(server, question, way)));
            let ended = tokio::select! {
                ended = running.next() => ended,
                () = sleep(self.pause), if !self.ways.is_empty() => continue,
            };
            match ended {
                Some((way, came)) => {
                    if let Some(message) = self.consider(way, came) {
                        return Ok(message);
                    }
                }
                None => return self.complaint.take().ok_or_else(|| self.in_words()),
            }
        }
    }

    /// What came by `way`: the answer, or what to try next.
    fn consider(&mut self, way: Way, came: Came) -> Option<Message> {
        match came {
            Came::Whole(message) if complains(&message) => {
                if way != Way::Udp(QueryForm::Edns) || self.question.manner.wants_signatures() {
                    return Some(message);
                }
                for way in &mut self.ways {
                    if *way == Way::Tcp(QueryForm::Edns) {
                        *way = Way::Tcp(QueryForm::Plain);
                    }
                }
                self.complaint = Some(message);
                None
            }
            Came::Whole(message) => Some(message),
            Came::Truncated => {
                self.ways.retain(|way| matches!(way, Way::Tcp(_)));
                self.failures.insert("UDP: the answer does not fit".to_owned());
                None
            }
            Came::Nothing(detail) => {
                self.failures.insert(detail);
                None
            }
        }
    }

    fn in_words(&self) -> String {
        let details: Vec<_> = self.failures.iter().map(String::as_str).collect();
        details.join("; ")
    }

    /// The time is over: a complaint is more than silence.
    fn too_late(&mut self, timeout: Duration) -> Result<Message, String> {
        self.failures.insert(format!("no answer within {} s", timeout.as_secs_f32()));
        self.complaint.take().ok_or_else(|| self.in_words())
    }
}

/// Whether a server does not understand how it was asked; another dialect may do. (BADVERS has the
/// number of BADSIG, as which it is read.)
fn complains(message: &Message) -> bool {
    matches!(
        message.metadata.response_code,
        ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BADSIG
    )
}

/// Ask by one way.
async fn by(server: &Server, question: Question<'_>, way: Way) -> (Way, Came) {
    let Question { name, kind, manner } = question;
    let (Way::Udp(form) | Way::Tcp(form)) = way;
    let is_udp = matches!(way, Way::Udp(_));
    let protocol = if is_udp { "UDP" } else { "TCP" };
    let Some(query) = answer::query(name, kind, manner, form) else {
        return (way, Came::Nothing(format!("`{name}` is not a name to ask for")));
    };
    let answered = if is_udp { server.ask_udp(&query).await } else { server.ask_tcp(&query).await };
    let came = match answered.map(|octets| Message::from_vec(&octets)) {
        Ok(Ok(message)) if message.metadata.truncation && is_udp => Came::Truncated,
        Ok(Ok(message)) => Came::Whole(message),
        Ok(Err(_)) => Came::Nothing(format!("{protocol}: an answer that cannot be read")),
        Err(error) => Came::Nothing(format!("{protocol}: {}", crate::plain(&error))),
    };
    (way, came)
}
