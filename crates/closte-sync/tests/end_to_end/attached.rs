//! A pass that the plugin started and waits for, with which it speaks on two pipes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use sandbox::closte::{Act, CallKind, Fault};
use serde_json::{Value, json};

use crate::running::signal;
use crate::world::World;

/// The plugin's side of a pass.
pub(crate) struct Plugin {
    pub(crate) child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    /// Each call that came, and what with.
    calls: Vec<(String, Value)>,
}

impl Plugin {
    /// It starts a pass.
    pub(crate) fn starts(world: &World, arguments: &str) -> Self {
        let mut child = world.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from, calls: Vec::new() }
    }

    /// Answer each call with the line that `answer` makes, until the pass has ended; none closes the
    /// pipe. Returns what the last line says.
    pub(crate) fn answers(&mut self, answer: impl Fn(&str, &Value) -> Option<String>) -> Value {
        loop {
            let line = self.hears().expect("the last line says how it ended");
            if let Some(end) = line.get("end") {
                assert_eq!(self.hears(), None, "nothing follows");
                let exit = self.child.wait().unwrap().code();
                assert_eq!(end["exit"], json!(exit), "{end}");
                return end.clone();
            }
            let call = line["call"].as_str().expect("a call").to_owned();
            match answer(&call, &line["body"]) {
                Some(line) => self.says(&line),
                None => self.to = None,
            }
            self.calls.push((call, line["body"].clone()));
        }
    }

    /// The next line; none at the end.
    pub(crate) fn hears(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        (!line.is_empty()).then(|| serde_json::from_str(&line).expect("JSON in a line"))
    }

    pub(crate) fn says(&mut self, line: &str) {
        // Who is gone hears nothing.
        _ = writeln!(self.to.as_mut().expect("it is open"), "{line}");
    }

    /// The texts that are to be mailed.
    pub(crate) fn mailed(&self) -> String {
        let messages = self.called("mail").into_iter().filter_map(|it| it["messages"].as_array());
        let texts = messages.flatten().map(|it| it["text"].as_str().unwrap());
        texts.collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn called(&self, name: &str) -> Vec<&Value> {
        self.calls.iter().filter(|(call, _)| call == name).map(|(_, body)| body).collect()
    }
}

/// As the plugin answers that does what it is asked.
#[expect(clippy::unnecessary_wraps, reason = "`answers` takes it so")]
pub(crate) fn well(call: &str, body: &Value) -> Option<String> {
    let answer = match call {
        "hello" => json!({ "plugin": "0.1.0", "protocol": 1, "mode": "registry" }),
        "stages" => {
            let writes = body["writes"].as_array().unwrap();
            let results = writes.iter().map(|it| json!({ "id": it["id"], "result": "done" }));
            json!({ "results": results.collect::<Vec<_>>() })
        }
        "mail" => {
            let messages = body["messages"].as_array().unwrap();
            json!({ "mailed": messages.iter().map(|it| &it["id"]).collect::<Vec<_>>() })
        }
        _ => json!({}),
    };
    Some(json!({ "status": 200, "body": answer }).to_string())
}

/// When the next pass is due, in seconds from now.
pub(crate) fn next(world: &World) -> Option<i64> {
    let next = "SELECT meta_value - UNIX_TIMESTAMP() FROM wp_sitemeta \
        WHERE meta_key = 'closte_sync_next'";
    world.database.execute(next).trim().parse().ok()
}

/// A network with a domain that can be served.
async fn with_a_domain() -> World {
    let world = World::new().await;
    world.map(1, "shop.example");
    world.here("shop.example");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_are_written_by_the_plugin_and_it_is_told_what_came_of_the_pass() {
    let world = with_a_domain().await;
    let mut plugin = Plugin::starts(&world, "sync --attached");
    let end = plugin.answers(well);
    assert_eq!(world.asked(), ["add shop.example"]);
    let names: Vec<_> = plugin.calls.iter().map(|(call, _)| call.as_str()).collect();
    assert_eq!(names, ["hello", "stages", "report"]);
    assert_eq!(plugin.called("hello")[0]["take"], json!(true));
    let write = &plugin.called("stages")[0]["writes"][0];
    assert_eq!((&write["domain"], &write["to"]), (&json!("shop.example"), &json!("done")));
    assert_eq!(world.stage("shop.example"), "checking-dns 0", "nobody else wrote it");
    let report = plugin.called("report")[0];
    assert_eq!((&report["ready"], &report["waiting"]), (&json!(1), &json!(0)));

    assert_eq!(
        (&end["told"], &end["error"], &end["busy"]),
        (&json!(""), &json!(null), &json!(false))
    );
    assert!(0 < end["cpu_ms"].as_u64().unwrap(), "{end}");
    assert!(1000 < end["peak_kb"].as_u64().unwrap(), "{end}");
    let next = next(&world).expect("it is written");
    assert!((21_500..=21_601).contains(&next), "all is ready: {next}");
    let secret = "SELECT COUNT(*) FROM wp_sitemeta WHERE meta_key = 'closte_sync_secret'";
    assert_eq!(world.database.execute(secret), "0\n", "none is needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_answers_with_garbage_or_errors_is_told_and_stages_are_written_without_it() {
    for line in ["<b>Warning</b>: headers", "", "{\"status\":500,\"body\":{\"code\":\"x\"}}"] {
        let world = with_a_domain().await;
        let mut plugin = Plugin::starts(&world, "sync --attached");
        let end = plugin.answers(|_, _| Some(line.to_owned()));
        assert_eq!((&end["exit"], &end["error"]), (&json!(0), &json!(null)), "{line}");
        let told = plugin.mailed();
        assert!(told.contains("plugin in WordPress did not answer"), "{line}: {told}");
        assert_eq!(world.stage("shop.example"), "done 1", "{line}");
        assert!(next(&world).is_some(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_plugin_closes_the_pipe_the_pass_goes_on_without_it() {
    let world = with_a_domain().await;
    let mut plugin = Plugin::starts(&world, "sync --attached");
    let end = plugin.answers(|_, _| None);
    assert_eq!((&end["exit"], &end["error"]), (&json!(0), &json!(null)), "{end}");
    assert_eq!(world.stage("shop.example"), "done 1");

    world.map(1, "next.example");
    world.here("next.example");
    let Plugin { mut child, to, from, .. } = Plugin::starts(&world, "sync --attached");
    drop((to, from));
    assert_eq!(child.wait().unwrap().code(), Some(0), "nobody is left to be told");
    assert_eq!(world.stage("next.example"), "done 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_somebody_else_is_at_work_it_does_nothing_and_says_so() {
    let world = with_a_domain().await;
    world.sandbox.closte().fault(Fault::new(Act::Hang).on(CallKind::Add).once());
    let mut first = world.command("sync").spawn().unwrap();
    world.sandbox.closte().called(2).await;
    let mut plugin = Plugin::starts(&world, "sync --attached");
    let end = plugin.answers(well);
    assert_eq!((&end["exit"], &end["busy"]), (&json!(0), &json!(true)), "{end}");
    assert_eq!((&end["told"], &end["error"]), (&json!(""), &json!(null)), "{end}");
    assert!(plugin.calls.is_empty(), "{:?}", plugin.calls);
    first.kill().unwrap();
    first.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_is_stopped_says_so_and_comes_again_soon() {
    let world = with_a_domain().await;
    let mut plugin = Plugin::starts(&world, "sync --attached");
    let hello = plugin.hears().expect("a call");
    assert_eq!(hello["call"], "hello");
    signal(&plugin.child, "-TERM");
    // Nobody answers: a call is waited for no longer than always.
    let end = plugin.answers(well);
    assert_eq!((&end["exit"], &end["error"]), (&json!(0), &json!(null)), "{end}");
    assert_eq!(world.asked(), Vec::<String>::new(), "nothing more was begun");
    let next = next(&world).expect("it is written");
    assert!((200..=301).contains(&next), "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_as_news_once_and_said_each_time() {
    let mut world = with_a_domain().await;
    world.set("report.broken_after", "0s");
    let mappings = "wp_wu_domain_mappings";
    world.database.execute(&format!("RENAME TABLE {mappings} TO elsewhere"));
    for is_news in [true, false] {
        let mut plugin = Plugin::starts(&world, "sync --attached");
        let end = plugin.answers(well);
        assert_eq!(end["exit"], 2, "{end}");
        let (told, error) = (plugin.mailed(), &end["error"]);
        assert_eq!(told.contains("could not read the network"), is_news, "{end}");
        assert_eq!(told.is_empty(), !is_news, "{end}");
        assert!(error["what"].as_str().unwrap().contains(mappings), "{end}");
        assert!(error["hint"].is_string(), "{end}");
        assert_eq!(next(&world), None, "nobody knows");
    }
    world.database.execute(&format!("RENAME TABLE elsewhere TO {mappings}"));
    let mut plugin = Plugin::starts(&world, "sync --attached");
    plugin.answers(well);
    assert!(plugin.mailed().starts_with("over after "), "{}", plugin.mailed());

    world.set("checks.interval", "soon");
    let end = Plugin::starts(&world, "sync --attached").answers(well);
    assert!(end["error"]["what"].as_str().unwrap().contains("checks.interval"), "{end}");
    assert_eq!((&end["exit"], &end["told"]), (&json!(2), &json!("")), "{end}");
}
