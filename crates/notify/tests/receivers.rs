//! Webhooks and commands keep the contract of receivers, and what they send is what it must be.

#![expect(clippy::unwrap_used, reason = "what should be there is there, or the test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use notify::{Command, NotReady, Program, Secret, Webhook, body};
use rules::clock::ManualClock;
use rules::notice::{Delivery, Message, Receiver, Written};
use rules::{Clock, Time};
use testkit::http_server::{Answer, Server};
use testkit::receiver::{Behind, Mood, receiver_contract};

const NOW: Time = Time::from_millis(1_795_000_000_000);
const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn message(id: &str) -> Message {
    Message::test(Written { id: id.to_owned(), at: NOW, text: "a test".to_owned() })
}

/// A web server that answers with a status of choice, and more than anybody wants to read.
struct Hook {
    server: Server,
    state: Arc<Mutex<(u16, Vec<String>)>>,
}

impl Hook {
    async fn start() -> Self {
        let state = Arc::new(Mutex::new((204, Vec::new())));
        let answers = Arc::clone(&state);
        let server = Server::start(move |asked| {
            let (status, taken) = &mut *answers.lock().unwrap();
            if (200..300).contains(status) {
                taken.push(asked.header("webhook-id").unwrap());
            }
            let elsewhere = vec![("location", "/elsewhere".to_owned())];
            let long = if *status == 204 { String::new() } else { "x".repeat(1 << 20) };
            Answer::Said(*status, elsewhere, long)
        });
        Self { server: server.await, state }
    }

    fn answers(&self, status: u16) {
        self.state.lock().unwrap().0 = status;
    }

    fn webhook(&self, clock: Arc<dyn Clock>) -> Webhook {
        let url = format!("{}hook?key=s3cret", self.server.url());
        Webhook::new("hook", url.parse().unwrap(), Secret::parse(SECRET).unwrap(), clock)
    }
}

#[async_trait]
impl Behind for Hook {
    async fn becomes(&self, mood: Mood) -> bool {
        self.answers(match mood {
            Mood::Takes => 204,
            Mood::Silent => 503,
            Mood::Refuses => 410,
        });
        true
    }

    async fn got(&self) -> Vec<String> {
        self.state.lock().unwrap().1.clone()
    }
}

#[tokio::test]
async fn a_webhook_keeps_the_contract() {
    let hook = Hook::start().await;
    receiver_contract(&hook.webhook(Arc::new(ManualClock::at(NOW))), &hook).await;
}

#[tokio::test]
async fn each_try_has_the_same_id_and_a_signature_of_its_time() {
    let (hook, clock) = (Hook::start().await, Arc::new(ManualClock::at(NOW)));
    let webhook = hook.webhook(clock.clone());
    let message = message("msg_1");
    hook.answers(500);
    assert_eq!(
        webhook.send(std::slice::from_ref(&message)).await,
        failed("it answers 500 Internal Server Error")
    );
    clock.advance(Duration::from_mins(7));
    hook.answers(200);
    assert_eq!(webhook.send(std::slice::from_ref(&message)).await, Delivery::Delivered);
    let asked = hook.server.asked();
    let header = |number: usize, name| asked[number].header(name).unwrap();
    for (number, seconds) in [(0, 1_795_000_000), (1, 1_795_000_420)] {
        assert_eq!(header(number, "webhook-id"), "msg_1");
        assert_eq!(header(number, "webhook-timestamp"), seconds.to_string());
        assert_eq!(header(number, "content-type"), "application/json");
        let text = String::from_utf8(asked[number].body.clone()).unwrap();
        assert_eq!(text, body(&message));
        let signed = format!("msg_1.{seconds}.{text}");
        assert_eq!(header(number, "webhook-signature"), format!("v1,{}", openssl(&signed)));
        assert_eq!(asked[number].query["key"], "s3cret");
    }
}

/// The HMAC-SHA256 of `text` in base64, by OpenSSL with the bytes 0 to 31 as its key.
fn openssl(text: &str) -> String {
    let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let script =
        format!("openssl dgst -sha256 -mac HMAC -macopt hexkey:{key} -binary | openssl base64 -A");
    let mut child = std::process::Command::new("sh")
        .args(["-c", &script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[tokio::test]
async fn no_redirect_is_followed_and_nothing_secret_is_told() {
    let hook = Hook::start().await;
    hook.answers(307);
    let webhook = hook.webhook(Arc::new(ManualClock::at(NOW)));
    let sent = webhook.send(&[message("msg_1")]).await;
    assert_eq!(sent, failed("it answers 307 Temporary Redirect, and no redirect is followed"));
    assert_eq!(hook.server.asked().len(), 1);
    let url: http::SecretUrl = "http://127.0.0.1:1/?key=s3cret".parse().unwrap();
    let nobody =
        Webhook::new("nobody", url, Secret::parse(SECRET).unwrap(), Arc::new(ManualClock::at(NOW)));
    let sent = nobody.send(&[message("msg_1")]).await;
    assert!(matches!(&sent, Delivery::Failed(why) if why.contains("refused")), "{sent:?}");
    assert!(!format!("{sent:?} {nobody:?} {webhook:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_server_that_says_when_to_come_again_is_obeyed() {
    let said = |seconds: &str| vec![("retry-after", seconds.to_owned())];
    let answers = Mutex::new(vec![(429, said("120")), (503, said("60")), (404, said("9"))]);
    let server = Server::start(move |_| {
        let (status, headers) = answers.lock().unwrap().remove(0);
        Answer::Said(status, headers, String::new())
    })
    .await;
    let (url, secret) = (server.url().parse().unwrap(), Secret::parse(SECRET).unwrap());
    let webhook = Webhook::new("hook", url, secret, Arc::new(ManualClock::at(NOW)));
    let busy = |why: &str, seconds| Delivery::Busy {
        why: why.to_owned(),
        wait: Duration::from_secs(seconds),
    };
    let table = [
        busy("it answers 429 Too Many Requests", 120),
        busy("it answers 503 Service Unavailable", 60),
        Delivery::Refused("it answers 404 Not Found".to_owned()),
    ];
    for want in table {
        assert_eq!(webhook.send(&[message("msg_1")]).await, want);
    }
}

/// A program that writes down what it is given, and ends as a file says.
struct Script {
    folder: tempfile::TempDir,
}

impl Script {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = "#!/bin/sh\nread -r line\ntest -e \"$1/silent\" && exit 3\n\
            printf '%s|%s|%s|%s|%s|%s\\n' \"$CLOSTE_SYNC_NOTICE_ID\" \"$CLOSTE_SYNC_NOTICE_TYPE\" \
            \"$CLOSTE_SYNC_NOTICE_DOMAIN\" \"$CLOSTE_SYNC_NOTICE_SEVERITY\" \"$2\" \"$line\" >> \"$1/got\"\n";
        let path = folder.path().join("tell");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self) -> Command {
        let folder = self.path().display().to_string();
        command(&[&format!("{folder}/tell"), &folder, "$HOME; `id`"])
    }

    fn lines(&self) -> Vec<String> {
        let got = fs::read_to_string(self.path().join("got")).unwrap_or_default();
        got.lines().map(str::to_owned).collect()
    }
}

fn command(words: &[&str]) -> Command {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    let environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
    Command::new(Program { words, environment })
}

#[async_trait]
impl Behind for Script {
    async fn becomes(&self, mood: Mood) -> bool {
        let silent = self.path().join("silent");
        match mood {
            Mood::Takes => _ = fs::remove_file(silent),
            Mood::Silent => fs::write(silent, "").unwrap(),
            Mood::Refuses => return false,
        }
        true
    }

    async fn got(&self) -> Vec<String> {
        self.lines().iter().map(|line| line.split('|').next().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_command_keeps_the_contract() {
    let script = Script::new();
    receiver_contract(&script.command(), &script).await;
}

#[tokio::test]
async fn a_command_gets_the_message_and_no_shell_reads_it() {
    let script = Script::new();
    let told = Message { domain: Some("shop.example".to_owned()), ..message("msg_1") };
    assert_eq!(script.command().send(std::slice::from_ref(&told)).await, Delivery::Delivered);
    let want = format!("msg_1|test|shop.example|info|$HOME; `id`|{}", body(&told));
    assert_eq!(script.lines(), [want]);
}

#[tokio::test]
async fn a_command_that_fails_hangs_or_is_not_there_has_taken_nothing() {
    let ended = command(&["sh", "-c", "exit 9"]).send(&[message("msg_1")]).await;
    assert_eq!(ended, failed("it ended with exit status: 9"));
    let absent = command(&["/nowhere/tell"]).send(&[message("msg_1")]).await;
    assert!(matches!(&absent, Delivery::Failed(why) if why.starts_with("it cannot be run: ")));
    // What it started holds its own pipes open, and is ended with it.
    let slow = command(&["sh", "-c", "sleep 600 & wait"]).within(Duration::from_millis(100));
    assert_eq!(slow.send(&[message("msg_1")]).await, failed("it took more than 0.1 s"));
    // One that reads nothing may still do its work.
    let long = Message { text: "x".repeat(1 << 20), ..message("msg_1") };
    assert_eq!(command(&["true"]).send(&[long]).await, Delivery::Delivered);
}

#[tokio::test]
async fn what_lacks_something_says_so_and_takes_nothing() {
    let receiver = NotReady::new("hook", "there is no secret");
    assert_eq!(receiver.send(&[message("msg_1")]).await, failed("there is no secret"));
}

fn failed(why: &str) -> Delivery {
    Delivery::Failed(why.to_owned())
}
