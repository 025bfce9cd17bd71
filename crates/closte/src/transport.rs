//! One request over the wire, and what it means when no answer comes back.
//!
//! Either no connection was made, and nothing happened at the host, or the
//! request may have gone out, and then nothing is known. Nothing is sent twice
//! by itself.

use std::io::{self, Read};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Answer, BaseUrl, Client, Limits, NoAnswer, NoClient, RequestBuilder};
use rules::host::HostError;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::spawn_blocking;

use crate::answer::unknown;
use crate::api_key::ApiKey;
use crate::call::Call;
use crate::list::{Listed, parse};

/// An answer is a line of JSON; more is not meant for us.
const MOST: usize = 64 << 10;

/// A list has a line for each alias.
const MOST_OF_A_LIST: usize = 128 << 20;

/// So many pieces of it wait to be parsed.
const PIECES: usize = 8;

/// How long the host may take, counted from when a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect: DNS, TCP and TLS.
    pub connect: Duration,
    /// In all, for a write.
    pub write: Duration,
    /// In all, for a call that changes nothing; for the list until more of it comes.
    pub read: Duration,
    /// In all, for the list.
    pub list: Duration,
}

impl Default for Timeouts {
    /// Closte's own client gives up after 5 s of connecting and 10 s in all,
    /// Ultimate Multisite after 45 s. A read can be given up at no cost. A write
    /// that was given up too early has to be settled, so it gets twice as long;
    /// more would let a host that hangs use up the time of a whole pass. A list of a million
    /// names is over 20 MB, which may take its time as long as it comes.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(5), write: seconds(20), read: seconds(10), list: seconds(60) }
    }
}

/// The way to the host.
#[derive(Debug)]
pub(crate) struct Transport {
    client: Client,
    base: BaseUrl,
    timeouts: Timeouts,
}

impl Transport {
    pub(crate) fn open(base: BaseUrl, timeouts: Timeouts) -> Result<Self, NoClient> {
        let client = Client::open(&base, timeouts.connect, &[])?;
        Ok(Self { client, base, timeouts })
    }

    /// Where the API is.
    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// Send one request and read its answer, or the beginning of a long one.
    pub(crate) async fn send(&self, call: Call<'_>, key: &ApiKey) -> Result<Answer, HostError> {
        let time = self.patience(call);
        let limits = Limits { time, silence: time, octets: MOST };
        self.client.send(self.request(call, key), limits).await.map_err(no_answer)
    }

    /// Ask for the list, and parse it while it comes.
    pub(crate) async fn list(&self, key: &ApiKey) -> Result<Listed, HostError> {
        let Timeouts { list: time, read: silence, .. } = self.timeouts;
        let limits = Limits { time, silence, octets: MOST_OF_A_LIST };
        let begun = self.client.begin(self.request(Call::List, key), limits).await;
        let mut incoming = begun.map_err(no_answer)?;
        let (pieces, receiver) = mpsc::channel(PIECES);
        let parsing = spawn_blocking(move || parse(Pieces::of(receiver)));
        let mut answer = incoming.with_body(Vec::new());
        let mut is_cut = false;
        loop {
            match incoming.piece().await {
                Ok(None) => break,
                Ok(Some(piece)) => {
                    let room = MOST - answer.body.len();
                    is_cut |= room < piece.len();
                    answer.body.extend(piece.iter().take(room));
                    // Whoever parses it may have seen enough.
                    if pieces.send(piece).await.is_err() && is_cut {
                        break;
                    }
                }
                Err(flaw) => {
                    answer.flaw = Some(flaw);
                    break;
                }
            }
        }
        drop(pieces);
        let parsed = parsing.await.map_err(|error| unknown(error.to_string()))?;
        Ok(Listed { parsed, answer, is_cut })
    }

    fn request(&self, call: Call<'_>, key: &ApiKey) -> RequestBuilder {
        let request = self.client.request(call.method(), call.url(&self.base, key));
        match call.form(key) {
            Some(form) => {
                request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
            }
            None => request,
        }
    }

    fn patience(&self, call: Call<'_>) -> Duration {
        match call {
            Call::Add(_) | Call::Remove(_) => self.timeouts.write,
            Call::Check | Call::List => self.timeouts.read,
        }
    }
}

fn no_answer(error: NoAnswer) -> HostError {
    match error {
        NoAnswer::Unreachable(why) => HostError::Unreachable(why.into()),
        error => unknown(error.to_string()),
    }
}

/// What comes piece by piece, as one text. What is not UTF-8 in it becomes U+FFFD.
struct Pieces {
    receiver: Receiver<Vec<u8>>,
    /// What was received and not read yet.
    text: io::Cursor<String>,
    /// The beginning of a character whose end has not come yet.
    half: Vec<u8>,
}

impl Pieces {
    fn of(receiver: Receiver<Vec<u8>>) -> Self {
        Self { receiver, text: io::Cursor::default(), half: Vec::new() }
    }

    fn receive(&mut self, piece: &[u8]) {
        let mut octets = std::mem::take(&mut self.half);
        octets.extend_from_slice(piece);
        let mut text = String::with_capacity(octets.len());
        let mut chunks = octets.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text += chunk.valid();
            match chunk.invalid() {
                [] => (),
                half if chunks.peek().is_none() => self.half = half.to_vec(),
                _ => text.push(char::REPLACEMENT_CHARACTER),
            }
        }
        self.text = io::Cursor::new(text);
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.text.read(buffer)?;
            if 0 < read {
                return Ok(read);
            }
            let Some(piece) = self.receiver.blocking_recv() else { return Ok(0) };
            self.receive(&piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_pieces_is_the_text() {
        let text = "a\u{e9}\u{20ac}\u{1f600}".as_bytes();
        for (octets, want) in [(text, "a\u{e9}\u{20ac}\u{1f600}"), (b"a\xe9b\xff", "a\u{fffd}b")] {
            for size in 1..=octets.len() {
                let (pieces, receiver) = mpsc::channel(octets.len());
                for piece in octets.chunks(size) {
                    pieces.try_send(piece.to_vec()).unwrap();
                }
                drop(pieces);
                let mut read = String::new();
                Pieces::of(receiver).read_to_string(&mut read).unwrap();
                assert_eq!(read, want, "in pieces of {size}");
            }
        }
    }
}
