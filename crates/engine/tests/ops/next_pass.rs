//! When the plugin inside WordPress is told to have the next pass made.

use std::sync::Arc;

use engine::memory::MemoryReceiver;
use engine::pass::{Ends, PluginSync, Silent};
use engine::{Engine, Notices, PassSettings};
use rules::Network;
use rules::network::Switch;
use rules::notice::{Attempt, Delivery, Message, NoticeMemory, Post, ReceiverState, Written};
use rules::source::NetworkSource;

use crate::page::Page;
use crate::passing::engine;
use crate::world::{NOW, Source, copy, mapping, name, network};

/// Whose pass it is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    /// Cron's, on a network without the plugin.
    CronAlone,
    /// Cron's, on a network with it.
    Cron,
    /// The plugin's own.
    Plugin,
}

struct World {
    engine: Engine,
    source: Arc<Source>,
}

impl World {
    fn new(by: By, network: Network) -> Self {
        let source = Arc::new(Source::of(network.clone()));
        let plugin = (by != By::CronAlone).then(|| PluginSync::new(Arc::<Page>::default()));
        let (engine, _) = engine(network);
        let settings = PassSettings { carried: by == By::Plugin, ..engine.settings };
        let engine = Engine { source: source.clone(), plugin, settings, ..engine };
        Self { engine, source }
    }

    async fn pass(&self, ends: &Ends) {
        self.engine.pass(None, &Silent, ends).await.unwrap();
    }

    /// Each time that was written, in seconds from now.
    fn next(&self) -> Vec<u64> {
        let written = self.source.written();
        let next = written.iter().filter_map(|what| what.strip_prefix("next "));
        next.map(|seconds| seconds.parse().unwrap()).collect()
    }
}

fn mapped() -> Network {
    Network { mappings: vec![mapping(1, 2, "a.example")], ..network() }
}

fn off() -> Network {
    Network { switch: Switch::Off, ..mapped() }
}

#[tokio::test]
#[rustfmt::skip] // One case a line.
async fn it_is_written_by_who_acts_and_else_only_by_the_engine_that_the_plugin_started() {
    type Case = (&'static str, By, fn() -> Network, &'static [u64]);
    let table: [Case; 10] = [
        ("nothing is mapped",               By::Plugin,    network, &[6 * 3600]),
        ("a domain waits: its next check",  By::Plugin,    mapped,  &[300]),
        ("whoever made the pass",           By::Cron,      mapped,  &[300]),
        ("nobody reads it",                 By::CronAlone, mapped,  &[]),
        ("a copy",                          By::Plugin,    copy,    &[6 * 3600]),
        ("a copy beside who acts",          By::Cron,      copy,    &[]),
        ("a copy that nobody asked",        By::CronAlone, copy,    &[]),
        ("Closte is off",                   By::Plugin,    off,     &[6 * 3600]),
        ("Closte is off for cron",          By::Cron,      off,     &[]),
        ("Closte is off, without a plugin", By::CronAlone, off,     &[]),
    ];
    for (shows, by, network, next) in table {
        let world = World::new(by, network());
        world.pass(&Ends::default()).await;
        assert_eq!(world.next(), next, "{shows}");
    }
}

#[tokio::test]
async fn a_pass_that_was_cut_short_has_its_rest_done_soon() {
    let world = World::new(By::Plugin, mapped());
    let ends = Ends::default();
    ends.stop.cancel();
    world.pass(&ends).await;
    assert_eq!(world.next(), [300]);
}

#[tokio::test]
async fn a_removal_that_needs_another_read_gets_it_soon() {
    let world = World::new(By::Plugin, mapped());
    world.pass(&Ends::default()).await;
    world.source.remove_mappings(&name("a.example"), &[1]).await.unwrap();
    world.pass(&Ends::default()).await;
    assert_eq!(world.next(), [300, 300]);
}

#[tokio::test]
async fn who_lost_the_mark_in_the_middle_says_nothing_to_who_has_it() {
    for (by, next) in [(By::Cron, vec![]), (By::Plugin, vec![6 * 3600])] {
        let world = World::new(by, mapped());
        world.pass(&Ends::default()).await;
        let before = world.next().len();
        world.source.is_taken();
        world.pass(&Ends::default()).await;
        assert_eq!(world.next()[before..], next, "{by:?}");
    }
}

#[tokio::test]
async fn a_message_that_could_not_be_sent_is_tried_again_soon() {
    for (tries, next) in [(0, 6 * 3600), (1, 900)] {
        let mut world = World::new(By::Plugin, network());
        let hook = MemoryReceiver::new("hook", world.engine.env.clock.clone());
        let patience = world.engine.notices.patience;
        world.engine.notices = Notices::new(vec![Arc::new(hook)], patience);
        let written = Written { id: "msg_1".to_owned(), at: NOW, text: "so".to_owned() };
        let (messages, receivers) = (vec![Message::test(written)], vec!["hook".to_owned()]);
        let post = Post { memory: NoticeMemory::default(), messages, receivers };
        let outbox = world.engine.ledger.outbox();
        outbox.post(&post).await.unwrap();
        let failed = Delivery::Failed("no answer".to_owned());
        let attempt = Attempt { at: NOW, chance: 0.0 };
        let state = (0..tries).fold(ReceiverState::default(), |it, _| it.after(&failed, attempt));
        outbox.settle("hook", &[], &state).await.unwrap();
        world.pass(&Ends::default()).await;
        assert_eq!(world.next(), [next], "after {tries} tries");
    }
}
