//! The mails about passes that the plugin makes.

use serde_json::json;

use crate::carrying::Carrying;
use crate::world::Call;

#[test]
fn news_are_mailed_and_one_that_is_not_sent_is_tried_with_the_next_pass() {
    let carrying = Carrying::new();
    carrying.world.wordpress.php("update_network_option(1, 'site_name', 'Shops &amp; Co');");
    carrying.attached("due_in(900); finish(['told' => \"shop.example is ready\\n\"]);");
    let no_mail = carrying.flag("no-mail");
    carrying.due_in(-1);
    carrying.cron();
    std::fs::remove_file(no_mail).unwrap();
    carrying.attached("due_in(900); finish();");
    let forbidden = carrying.flag("mail-is-forbidden");
    for count in 2..=3 {
        carrying.due_in(-1);
        carrying.cron();
        assert_eq!(carrying.starts().len(), count, "passes are made, whatever becomes of mails");
        assert_eq!(carrying.runs()["begun"], 0);
    }
    std::fs::remove_file(forbidden).unwrap();
    carrying.due_in(-1);
    carrying.cron();
    carrying.due_in(-1);
    carrying.cron();
    let mails = carrying.mails();
    let sent: Vec<_> =
        mails.iter().map(|(is_sent, subject, _)| (*is_sent, subject.as_str())).collect();
    let subject = "[Shops & Co] closte-sync: news of the domains";
    assert_eq!(sent, [(false, subject), (false, subject), (false, subject), (true, subject)]);
    let text = &mails[3].2;
    assert!(text.starts_with("shop.example is ready\n\nMore on the closte-sync page"), "{text}");
}

#[test]
fn a_mail_that_was_sent_is_not_sent_again_where_the_request_ended_at_the_next() {
    let carrying = Carrying::new();
    let mails = json!([{"subject": "closte-sync: a", "text": "-", "at": 1}, {"subject": "closte-sync: b", "text": "-", "at": 2}]);
    carrying.world.option("closte_sync_mails", &format!("'{mails}'"));
    let plugin = carrying.world.wordpress.root().join("wp-content/mu-plugins/ends.php");
    let code = "<?php add_filter('pre_wp_mail', static fn($none, $mail) => str_ends_with($mail['subject'], 'b') ? exit : $none, 10, 2);";
    std::fs::write(&plugin, code).unwrap();
    for _ in 0..2 {
        carrying.due_in(-1);
        carrying.cron();
    }
    std::fs::remove_file(plugin).unwrap();
    carrying.due_in(-1);
    carrying.cron();
    let subjects: Vec<_> = carrying.mails().into_iter().map(|(_, subject, _)| subject).collect();
    assert_eq!(subjects, ["closte-sync: a", "closte-sync: b"]);
}

#[test]
fn an_engine_that_does_not_work_for_an_hour_is_mailed_once() {
    let carrying = Carrying::new();
    carrying.attached("fwrite(STDERR, 'disk full'); exit(2);");
    let fail = || {
        carrying.due_in(-1);
        carrying.cron();
    };
    // It has been so for an hour longer.
    let age = |option| {
        let mut kept = carrying.world.kept(option);
        kept["since"] = json!(kept["since"].as_i64().unwrap() - 3600);
        carrying.world.option(option, &format!("'{kept}'"));
    };
    fail();
    assert_eq!(carrying.mails().len(), 0);
    age("closte_sync_runs");
    fail();
    fail();
    let mails = carrying.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].2.contains("it said: disk full"), "{}", mails[0].2);

    // One that cannot even be started, where no other works.
    carrying.says_of_itself(&json!({"problem": "no home", "hint": null}));
    carrying.world.wordpress.php("Closte_Sync\\Carried::look();");
    carrying.world.option("closte_sync_heard", "0");
    fail();
    assert_eq!(carrying.mails().len(), 1);
    age("closte_sync_carried");
    fail();
    fail();
    let mails = carrying.mails();
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert!(
        mails[1].1.ends_with("closte-sync: the engine cannot run")
            && mails[1].2.contains("no home"),
        "{mails:?}"
    );
}

#[test]
fn messages_of_the_engine_are_one_mail_and_each_is_mailed_once() {
    let carrying = Carrying::new();
    let message =
        |id: &str, text: &str| json!({ "id": id, "type": "domain.broken", "text": text, "at": 1 });
    let first = message("msg_1", "shop.example is broken: <b>\nits certificate has expired");
    let [second, third] = [message("msg_2", "b"), message("msg_3", "c")];
    let mail = |messages: &[&serde_json::Value]| {
        carrying.world.call("mail", &json!({ "messages": messages }))["mailed"].clone()
    };
    let no_mail = carrying.flag("no-mail");
    assert_eq!(mail(&[&first]), json!([]), "WordPress did not take it");
    std::fs::remove_file(no_mail).unwrap();
    let forbidden = carrying.flag("mail-is-forbidden");
    assert_eq!(mail(&[&first]), json!([]));
    std::fs::remove_file(forbidden).unwrap();
    assert_eq!(mail(&[&first]), json!(["msg_1"]));
    assert_eq!(mail(&[&first]), json!(["msg_1"]), "its answer was lost");
    assert_eq!(mail(&[&first, &second, &third]), json!(["msg_1", "msg_2", "msg_3"]));
    assert_eq!(mail(&[]), json!([]));
    let mails = carrying.mails();
    let sent: Vec<_> = mails.iter().filter(|(is_sent, ..)| *is_sent).collect();
    let subjects: Vec<_> = sent.iter().map(|(_, subject, _)| subject.as_str()).collect();
    assert_eq!(subjects.len(), 2, "{mails:?}");
    assert!(subjects[0].ends_with("] closte-sync: shop.example is broken: <b>"), "{subjects:?}");
    assert!(subjects[1].ends_with("] closte-sync: 2 messages"), "{subjects:?}");
    let text =
        "shop.example is broken: <b>\nits certificate has expired\n\nMore on the closte-sync";
    assert!(sent[0].2.starts_with(text), "{}", sent[0].2);
    assert!(sent[1].2.starts_with("b\n\nc\n\nMore on"), "{}", sent[1].2);

    let many: Vec<_> = (0..51).map(|it| message(&format!("msg_m{it}"), "x")).collect();
    let odd = [json!("x"), json!([{ "id": "", "text": "x" }]), json!([{ "id": 7, "text": "x" }])];
    for bad in odd.into_iter().chain([json!(many)]) {
        let call = Call::signed("mail", &json!({ "messages": bad }));
        let refused = carrying.world.refused(&call);
        assert_eq!(refused, (400, "closte_sync_bad_request".to_owned()), "{bad}");
    }
    assert_eq!(carrying.world.complaints(), Vec::<String>::new());
}

#[test]
fn an_engine_that_waits_on_its_pipes_has_its_messages_mailed() {
    let carrying = Carrying::new();
    let code = "$message = ['id' => 'msg_1', 'type' => 'test', 'text' => 'a test', 'at' => time()];
        call('mail', ['messages' => [$message]]); due_in(900); finish();";
    carrying.attached(code);
    for _ in 0..2 {
        carrying.due_in(-1);
        carrying.cron();
    }
    let mails = carrying.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].0 && mails[0].2.starts_with("a test\n\nMore on"), "{mails:?}");
    let answers = Carrying::lines(carrying.bin("answers.log"));
    let answers: Vec<_> = answers.iter().filter(|it| it.contains("msg_1")).collect();
    assert_eq!(answers.len(), 2, "both times it is said to be mailed: {answers:?}");
}
