//! The plugin at the other end of two pipes: it started this process, and waits for it.
//!
//! Each call and each answer is an object of JSON in a line of its own. There is one call at a time,
//! and the answers come in the order of the calls. Nothing is signed: nobody else has the pipes.

use std::fmt;
use std::io;
use std::time::Duration;

use http::header::HeaderMap;
use http::{Answer, NoAnswer, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::web::Reply;

/// Both pipes, for as long as this process lives.
pub struct Pipes(Mutex<State>);

struct State {
    to: Box<dyn AsyncWrite + Send + Unpin>,
    from: Box<dyn AsyncBufRead + Send + Unpin>,
    /// What came of the line that is not whole yet, and whether more of it came than is kept.
    came: Vec<u8>,
    is_too_long: bool,
    /// How many answers are on their way, of which only the last is waited for.
    owed: usize,
    /// Whether nothing comes or goes any more.
    is_broken: bool,
}

#[derive(Serialize)]
struct Asked<'a> {
    call: &'a str,
    body: &'a Value,
}

#[derive(Deserialize)]
struct Answered {
    status: u16,
    body: Value,
}

impl Pipes {
    /// The pipes on which calls go out and answers come in.
    pub fn new(
        to: impl AsyncWrite + Send + Unpin + 'static,
        from: impl AsyncRead + Send + Unpin + 'static,
    ) -> Self {
        Self(Mutex::new(State {
            to: Box::new(to),
            from: Box::new(BufReader::new(from)),
            came: Vec::new(),
            is_too_long: false,
            owed: 0,
            is_broken: false,
        }))
    }

    /// Make a call whose answer is of `most` octets at most and may take so long, counted from when
    /// it is sent.
    pub(super) async fn call(
        &self,
        call: &str,
        body: &Value,
        limit: Duration,
        most: usize,
    ) -> Result<Reply, NoAnswer> {
        let mut line = serde_json::to_vec(&Asked { call, body }).expect("it is JSON already");
        line.push(b'\n');
        let mut state = self.0.lock().await;
        let answer = timeout(limit, state.exchange(&line, most)).await;
        let answer = answer.map_err(|_| NoAnswer::late(limit))??;
        let answered = answer.and_then(|line| serde_json::from_slice::<Answered>(&line).ok());
        let reply = answered.and_then(|Answered { status, body }| {
            let status = StatusCode::from_u16(status).ok()?;
            let (headers, body) = (HeaderMap::new(), body.to_string().into_bytes());
            Some(Reply::new(Answer { status, headers, body, flaw: None }))
        });
        reply.ok_or_else(|| NoAnswer::Broken("a line that is no answer".to_owned()))
    }
}

impl State {
    /// The line that answers `line`; none where it is longer than `most`. Where this is dropped
    /// half-way, the answer that comes later is not taken for that of another call.
    async fn exchange(&mut self, line: &[u8], most: usize) -> Result<Option<Vec<u8>>, NoAnswer> {
        if self.is_broken {
            return Err(closed());
        }
        // The other side cannot read on in the midst of a line.
        self.is_broken = true;
        self.to.write_all(line).await.map_err(|_| closed())?;
        self.to.flush().await.map_err(|_| closed())?;
        self.is_broken = false;
        self.owed += 1;
        loop {
            let Ok(answer) = self.line(most).await else {
                self.is_broken = true;
                return Err(closed());
            };
            self.owed -= 1;
            if self.owed == 0 {
                return Ok(answer);
            }
        }
    }

    /// The next line; none where it is longer than `most`.
    async fn line(&mut self, most: usize) -> io::Result<Option<Vec<u8>>> {
        loop {
            let piece = self.from.fill_buf().await?;
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let end = piece.iter().position(|octet| *octet == b'\n');
            let part = &piece[..end.unwrap_or(piece.len())];
            self.is_too_long |= most < self.came.len() + part.len();
            if !self.is_too_long {
                self.came.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.from.consume(used);
            if end.is_some() {
                let line = std::mem::take(&mut self.came);
                return Ok((!std::mem::take(&mut self.is_too_long)).then_some(line));
            }
        }
    }
}

fn closed() -> NoAnswer {
    NoAnswer::Broken("it closed the pipe".to_owned())
}

impl fmt::Debug for Pipes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipes").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{DuplexStream, Lines, ReadHalf, WriteHalf, duplex, split};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(3);

    /// The other end.
    struct Plugin {
        calls: Lines<BufReader<ReadHalf<DuplexStream>>>,
        answers: WriteHalf<DuplexStream>,
    }

    impl Plugin {
        async fn hears(&mut self) -> Value {
            let line = self.calls.next_line().await.unwrap().expect("a line");
            serde_json::from_str(&line).unwrap()
        }

        async fn says(&mut self, text: &str) {
            self.answers.write_all(text.as_bytes()).await.unwrap();
        }
    }

    fn ends() -> (Pipes, Plugin) {
        let (ours, theirs) = duplex(256);
        let (from, to) = split(ours);
        let (calls, answers) = split(theirs);
        (Pipes::new(to, from), Plugin { calls: BufReader::new(calls).lines(), answers })
    }

    async fn call(pipes: &Pipes, name: &str) -> Result<(u16, Value), String> {
        let reply = pipes.call(name, &json!({ "of": name }), LIMIT, 100).await;
        let reply = reply.map_err(|error| error.to_string())?;
        Ok((reply.status, reply.json().expect("JSON")))
    }

    #[tokio::test]
    async fn a_call_is_a_line_and_so_is_its_answer_and_a_refusal_has_its_words() {
        let (pipes, mut plugin) = ends();
        let answers = async {
            assert_eq!(plugin.hears().await, json!({ "call": "hello", "body": { "of": "hello" } }));
            plugin.says("{\"status\":200,\"body\":{\"a\":[1,\"\\n\"]}}\n").await;
            plugin.hears().await;
            plugin.says("{\"status\":409,\"body\":{\"code\":\"c\",\"message\":\"no\"}}\n").await;
        };
        let calls = async {
            assert_eq!(call(&pipes, "hello").await, Ok((200, json!({ "a": [1, "\n"] }))));
            let reply = pipes.call("report", &json!({}), LIMIT, 100).await.unwrap();
            assert_eq!(reply.in_words(), "HTTP 409, `c`: no");
        };
        tokio::join!(answers, calls);
    }

    #[tokio::test]
    async fn there_is_one_call_at_a_time() {
        let (pipes, mut plugin) = ends();
        let answers = async {
            for _ in 0..3 {
                let name = plugin.hears().await["call"].clone();
                // Whoever did not wait for the answer would be heard by now.
                tokio::task::yield_now().await;
                plugin.says(&format!("{{\"status\":200,\"body\":{name}}}\n")).await;
            }
        };
        let ((), a, b, c) =
            tokio::join!(answers, call(&pipes, "a"), call(&pipes, "b"), call(&pipes, "c"));
        for (name, answer) in [("a", a), ("b", b), ("c", c)] {
            assert_eq!(answer, Ok((200, json!(name))));
        }
    }

    #[tokio::test]
    async fn garbage_is_no_answer_and_the_next_call_has_its_own() {
        let long = format!("{{\"status\":200,\"body\":\"{}\"}}", "x".repeat(300));
        let garbage = [
            "",
            "<b>Warning</b>: headers already sent",
            "{}",
            "[200]",
            "{\"status\":20,\"body\":{}}",
            "{\"status\":70000,\"body\":{}}",
            "{\"status\":200,\"body\":{}} {}",
            &long,
        ];
        let (pipes, mut plugin) = ends();
        for text in garbage {
            let answers = async {
                plugin.hears().await;
                plugin.says(&format!("{text}\n")).await;
                plugin.hears().await;
                plugin.says("{\"status\":200,\"body\":1}\n").await;
            };
            let calls = async {
                let no = call(&pipes, "a").await;
                assert_eq!(no, Err("a line that is no answer".to_owned()), "{text}");
                assert_eq!(call(&pipes, "b").await, Ok((200, json!(1))), "{text}");
            };
            tokio::join!(answers, calls);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_comes_late_is_not_taken_for_the_next_one() {
        let (pipes, mut plugin) = ends();
        assert_eq!(call(&pipes, "slow").await, Err("no answer within 3 s".to_owned()));
        plugin.says("{\"status\":200,").await;
        assert_eq!(call(&pipes, "slower").await, Err("no answer within 3 s".to_owned()));
        let answers = async {
            plugin.says("\"body\":\"slow\"}\nslower\n").await;
            plugin.says("{\"status\":200,\"body\":\"mine\"}\n").await;
        };
        let ((), mine) = tokio::join!(answers, call(&pipes, "mine"));
        assert_eq!(mine, Ok((200, json!("mine"))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pipe_that_is_closed_or_was_left_in_the_midst_of_a_line_is_done_with() {
        let closed = Err("it closed the pipe".to_owned());
        let (pipes, plugin) = ends();
        drop(plugin);
        for _ in 0..2 {
            assert_eq!(call(&pipes, "hello").await, closed);
        }
        let (pipes, plugin) = ends();
        // Nobody reads, and the pipe is full.
        let long = json!("x".repeat(300));
        let late = pipes.call("hello", &long, LIMIT, 100).await.map(|_| ());
        assert_eq!(late.unwrap_err().to_string(), "no answer within 3 s");
        assert_eq!(call(&pipes, "hello").await, closed);
        drop(plugin);
    }
}
