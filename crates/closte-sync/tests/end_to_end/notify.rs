//! Who is told outside: a real web server, a real program, and the plugin's own mail.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use testkit::http_server::{Answer, Asked, Server};

use crate::attached::Plugin;
use crate::running::{eventually, stop};
use crate::world::World;

/// A network with a served domain, where bad news are told at once.
async fn world() -> World {
    let mut world = World::new().await;
    world.set("report.broken_after", "0s");
    world.map(1, "shop.example");
    world.here("shop.example");
    world.done("sync");
    assert_eq!(world.stage("shop.example"), "done 1");
    world
}

/// A web server that answers with a status of choice.
struct Hook {
    server: Server,
    status: Arc<Mutex<u16>>,
}

impl Hook {
    /// One that `world` tells from now on.
    async fn told_by(world: &mut World) -> Self {
        let status = Arc::new(Mutex::new(200));
        let answers = Arc::clone(&status);
        let server = Server::start(move |_| {
            Answer::Said(*answers.lock().unwrap(), Vec::new(), String::new())
        });
        let hook = Self { server: server.await, status };
        world.set("notify.webhooks", &format!("{}?key=s3cret", hook.server.url()));
        world.done("notify secret");
        // The first pass that tells somebody tells what is wrong, and that is nothing.
        world.done("sync");
        hook
    }

    fn answers(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    fn got(&self) -> Vec<Asked> {
        self.server.asked()
    }

    /// What it was asked to take, as `domain.broken shop.example`.
    fn lines(&self) -> Vec<String> {
        let line = |asked: &Asked| {
            let body = asked.json();
            let domain = body["data"]["domain"].as_str().unwrap_or("-").to_owned();
            format!("{} {domain}", body["type"].as_str().unwrap())
        };
        self.got().iter().map(line).collect()
    }
}

fn breaks(world: &World) {
    world.elsewhere("shop.example");
    world.pass();
}

fn heals(world: &World) {
    world.here("shop.example");
    world.pass();
}

fn receiver(world: &World) -> Value {
    world.json("notify status")["receivers"][0].clone()
}

/// The signature by Standard Webhooks, made by OpenSSL of the `secret` in our file.
fn signature(secret: &str, signed: &str) -> String {
    let key = secret.trim().strip_prefix("whsec_").unwrap();
    let script = format!(
        "key=$(printf %s '{key}' | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n') && \
         openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | openssl base64 -A"
    );
    let mut command = Command::new("sh");
    let command = command.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(signed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    format!("v1,{}", String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_gets_what_breaks_and_that_it_is_over_signed_and_once() {
    let mut world = world().await;
    let hook = Hook::told_by(&mut world).await;
    assert_eq!(hook.lines(), [""; 0], "all is well");
    breaks(&world);
    world.pass();
    assert_eq!(hook.lines(), ["domain.broken shop.example"], "once");
    heals(&world);
    world.pass();
    assert_eq!(hook.lines(), ["domain.broken shop.example", "domain.recovered shop.example"]);

    let file = world.ledger().with_file_name("webhook-secret");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(&file).unwrap();
    for asked in hook.got() {
        let header = |name| asked.header(name).unwrap();
        let body = String::from_utf8(asked.body.clone()).unwrap();
        let (id, time) = (header("webhook-id"), header("webhook-timestamp"));
        assert_eq!(header("webhook-signature"), signature(&secret, &format!("{id}.{time}.{body}")));
        assert_eq!(asked.query["key"], "s3cret");
    }
    let told = &hook.got()[0].json()["data"];
    assert_eq!(
        (&told["code"], &told["severity"], &told["actor"], &told["phase"]),
        (&json!("other-address"), &json!("error"), &json!("owner"), &json!("begins"))
    );
    let shown = ["config show", "notify status", "doctor", "notify secret"].map(|it| world.run(it));
    for ran in &shown {
        let said = format!("{}{}", ran.out, ran.err);
        assert!(!said.contains("s3cret") && !said.contains("whsec_"), "{ran:?}");
    }
    assert!(shown[0].out.contains("http://localhost:"), "{:?}", shown[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_webhook_did_not_take_comes_again_by_the_same_name_whatever_process_sends_it() {
    let mut world = world().await;
    let hook = Hook::told_by(&mut world).await;
    hook.answers(503);
    breaks(&world);
    heals(&world);
    world.pass();
    assert_eq!(hook.lines(), ["domain.broken shop.example"], "the second waits behind the first");
    let waits = receiver(&world);
    assert_eq!((&waits["waiting"], &waits["set"]), (&json!(2), &json!(true)), "{waits}");
    assert!(waits["why"].as_str().unwrap().contains("503"), "{waits}");
    assert!(waits["next_try"].is_string() && waits["last_success"].is_null(), "{waits}");
    let tried = world.run("notify test");
    assert!(tried.code == 1 && tried.out.contains("failed"), "{tried:?}");

    hook.answers(200);
    let tried = world.done("notify test");
    assert!(tried.out.contains("delivered http://localhost:"), "{tried:?}");
    world.done("sync");
    let lines = hook.lines();
    let last = ["test -", "domain.broken shop.example", "domain.recovered shop.example"];
    assert_eq!(lines[lines.len() - 3..], last, "in order");
    let got = hook.got();
    let ids: Vec<_> = got.iter().map(|asked| asked.header("webhook-id").unwrap()).collect();
    assert_eq!(ids[0], ids[ids.len() - 2], "the same name");
    let is = receiver(&world);
    assert_eq!((&is["waiting"], &is["why"]), (&json!(0), &json!(null)), "{is}");
    let text = world.done("notify status").out;
    assert!(text.contains("nothing waits; last success"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_its_message_and_is_told_by_status_and_doctor() {
    let mut world = world().await;
    let hook = Hook::told_by(&mut world).await;
    hook.answers(410);
    breaks(&world);
    assert_eq!(receiver(&world)["refused"]["why"], "it answers 410 Gone");
    let refused = "refused a message, which is not sent again: it answers 410 Gone";
    let doctor = world.run("doctor");
    assert!(doctor.out.contains(refused), "{doctor:?}");
    hook.answers(200);
    world.done("sync");
    let status = world.done("status");
    assert!(status.out.contains(refused), "{status:?}");
    assert_eq!(hook.lines(), ["domain.broken shop.example", "problem.found -"]);
    world.done("sync");
    assert!(!world.done("status").out.contains("refused a message"), "it takes messages again");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_passes_go_on_and_what_is_told_waits_for_it() {
    let mut world = world().await;
    let hook = Hook::told_by(&mut world).await;
    let file = world.ledger().with_file_name("webhook-secret");
    fs::remove_file(&file).unwrap();
    breaks(&world);
    assert!(receiver(&world)["why"].as_str().unwrap().contains("`closte-sync notify secret`"));
    assert_eq!(hook.lines(), [""; 0]);
    fs::write(&file, "no secret\n").unwrap();
    let tried = world.run("notify test");
    assert!(tried.code == 1 && !tried.out.contains("no secret\n"), "{tried:?}");
    fs::remove_file(&file).unwrap();
    let made = world.done("notify secret").out;
    assert_eq!(made.trim(), file.display().to_string(), "where it is, and not what");
    world.done("notify test");
    world.done("sync");
    assert_eq!(hook.lines(), ["test -", "domain.broken shop.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_handed_the_message_and_gets_nothing_else_of_ours() {
    let mut world = world().await;
    let folder = world.folder.path().join("tell");
    fs::create_dir(&folder).unwrap();
    let program = folder.join("tell");
    let text = "#!/bin/sh\ncat >> \"$1/got\"\nenv > \"$1/environment\"\n";
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    world.set("notify.command", &format!("{}, {}", program.display(), folder.display()));
    world.done("sync");
    breaks(&world);
    let got = fs::read_to_string(folder.join("got")).unwrap();
    let got: Value = serde_json::from_str(&got).unwrap();
    assert_eq!(
        (&got["type"], &got["data"]["domain"]),
        (&json!("domain.broken"), &json!("shop.example"))
    );
    let environment = fs::read_to_string(folder.join("environment")).unwrap();
    for line in ["NOTICE_TYPE=domain.broken", "NOTICE_DOMAIN=shop.example", "NOTICE_SEVERITY=error"]
    {
        assert!(environment.contains(&format!("CLOSTE_SYNC_{line}\n")), "{environment}");
    }
    assert!(environment.contains("CLOSTE_SYNC_NOTICE_ID=msg_"), "{environment}");
    let others = environment.lines().filter(|line| line.starts_with("CLOSTE_")).count();
    assert_eq!(others, 4, "{environment}");
    fs::write(&program, "#!/bin/sh\nexit 7\n").unwrap();
    let tried = world.run("notify test command");
    assert!(tried.code == 1 && tried.out.contains("it ended with exit status: 7"), "{tried:?}");
    world.run("notify test nobody").fails(1, &["there is no receiver `nobody`", "`command`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_of_a_muted_domain_until_it_is_told_of_again() {
    let mut world = world().await;
    let hook = Hook::told_by(&mut world).await;
    let muted = world.done("domains mute shop.example --for 30d");
    assert!(muted.err.contains("nothing is told of shop.example until 20"), "{muted:?}");
    breaks(&world);
    assert_eq!(hook.lines(), [""; 0]);
    assert_eq!(world.done("sync --quiet").out, "", "nor by cron");
    let until = world.json("domains show shop.example")["muted_until"].clone();
    assert_eq!(world.json("domains list")["domains"][0]["muted_until"], until);
    assert!(until.is_string());
    assert!(world.done("domains show shop.example").out.contains("muted         until 20"));
    world.done("domains mute shop.example --off");
    world.pass();
    assert_eq!(hook.lines(), ["domain.broken shop.example"]);
    assert!(world.json("domains show shop.example")["muted_until"].is_null());
    world.run("domains mute other.example --for 1d").fails(1, &["other.example"]);
    world.run("domains mute shop.example").fails(2, &["--for"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resident_program_tells_and_a_receiver_that_hangs_keeps_nothing_waiting() {
    let mut world = world().await;
    let hangs = Server::start(|_| Answer::Hang).await;
    let hook = Hook::told_by(&mut world).await;
    let both = format!("{}, {}?key=s3cret", hangs.url(), hook.server.url());
    world.set("notify.webhooks", &both);
    world.set("run.poll", "1s");
    let resident = world.command("run").spawn().unwrap();
    world.elsewhere("shop.example");
    eventually("it runs", || world.run("domains recheck --all").code == 0);
    eventually("it is told", || hook.lines() == ["domain.broken shop.example"]);
    world.map(1, "new.example");
    eventually("it is added", || world.asked().contains(&"add new.example".to_owned()));
    assert_eq!(hangs.asked().len(), 1, "its answer is waited for still");
    let (ran, _) = stop(resident);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// As the plugin answers that mails what it is handed, or does not.
fn mails(is_sent: bool) -> impl Fn(&str, &Value) -> Option<String> {
    move |call, body| {
        if call != "mail" {
            return crate::attached::well(call, body);
        }
        let messages = body["messages"].as_array().unwrap();
        let ids: Vec<_> = messages.iter().map(|it| &it["id"]).filter(|_| is_sent).collect();
        Some(json!({ "status": 200, "body": { "mailed": ids } }).to_string())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plugin_that_started_a_pass_mails_what_is_told_until_it_has() {
    let world = world().await;
    Plugin::starts(&world, "sync --attached").answers(mails(true));
    world.elsewhere("shop.example");
    world.done("domains recheck --all");
    let mut plugin = Plugin::starts(&world, "sync --attached");
    plugin.answers(mails(false));
    let first = plugin.called("mail")[0]["messages"].clone();
    assert_eq!(first[0]["type"], "domain.broken");
    assert!(first[0]["text"].as_str().unwrap().starts_with("shop.example is broken: "), "{first}");
    world.here("shop.example");
    world.done("domains recheck --all");
    // At once, although the last one was not sent: it is there.
    let mut plugin = Plugin::starts(&world, "sync --attached");
    plugin.answers(mails(true));
    let both = plugin.called("mail")[0]["messages"].clone();
    assert_eq!(both[0], first[0], "the same by the same name");
    assert_eq!((both.as_array().unwrap().len(), &both[1]["type"]), (2, &json!("domain.recovered")));
    let mut plugin = Plugin::starts(&world, "sync --attached");
    plugin.answers(mails(true));
    assert!(plugin.called("mail").is_empty(), "and that was all");
    let mut world = world;
    world.set("notify.mail", "false");
    world.elsewhere("shop.example");
    world.done("domains recheck --all");
    let mut plugin = Plugin::starts(&world, "sync --attached");
    plugin.answers(mails(true));
    assert!(plugin.called("mail").is_empty(), "nobody wants it");
}
