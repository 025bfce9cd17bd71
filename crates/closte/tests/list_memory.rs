//! How much memory the host's list takes, whatever the host sends: asked of the kernel, in a
//! process where nothing else runs.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::TcpListener;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use closte::{HttpHost, Settings, Timeouts};
use rules::Time;
use rules::clock::ManualClock;
use rules::host::{AliasHost, AliasList, HostError};
use tokio::task::spawn_blocking;

const MIB: usize = 1 << 20;

/// The elements of a list, made while they are sent: they take no memory themselves.
type Elements = Box<dyn Iterator<Item = String> + Send>;

/// The list of a host that sends `elements`.
async fn listed(elements: Elements) -> Result<AliasList, HostError> {
    let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let api_url = format!("http://{}", server.local_addr().unwrap()).parse().unwrap();
    let sending = spawn_blocking(move || send(&server, elements));
    let patience = Duration::from_mins(5);
    let settings = Settings {
        api_url,
        api_key: "key".into(),
        requests_per_second: 0,
        concurrency: NonZeroU16::MIN,
        timeouts: Timeouts { connect: patience, write: patience, read: patience, list: patience },
    };
    let host = HttpHost::open(settings, Arc::new(ManualClock::at(Time::default()))).unwrap();
    let list = host.aliases().await;
    drop(host);
    // Whoever has read enough hangs up.
    let _ = sending.await.unwrap();
    list
}

fn send(server: &TcpListener, elements: Elements) -> std::io::Result<()> {
    let (stream, _) = server.accept()?;
    let mut head = BufReader::new(stream.try_clone()?).lines();
    while head.next().is_some_and(|line| !line.unwrap().is_empty()) {}
    let mut body = BufWriter::new(stream);
    write!(body, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{{\"success\":true,\"domains\":[0")?;
    for element in elements {
        write!(body, ",{element}")?;
    }
    write!(body, "]}}")?;
    body.flush()
}

/// `element`, so often that it is `size` octets in all.
fn again(element: &str, size: usize) -> Elements {
    let element = element.to_owned();
    let times = size / (element.len() + 1);
    Box::new((0..times).map(move |_| element.clone()))
}

/// What the kernel says of this process, in octets.
fn memory(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse::<usize>().unwrap() << 10
}

/// The most that this process ever took, beyond `before`.
fn most_beyond(before: usize) -> usize {
    memory("VmHWM:") - before
}

#[tokio::test]
async fn a_list_takes_the_memory_of_its_names_and_rubbish_takes_none() {
    listed(again("1", 1)).await.unwrap();
    let before = memory("VmRSS:");

    let name = |number: u32| format!("\"c{number:07}.shop.example\"");
    let list = listed(Box::new((0..300_000).map(name))).await.unwrap();
    assert_eq!((list.names.len(), list.unreadable.count), (300_000, 1));
    let names: usize = list.names.iter().map(str::len).sum();
    let most = most_beyond(before);
    assert!(most < 4 * names, "{} KiB for {} KiB of names", most >> 10, names >> 10);
    drop(list);

    let object = format!("{{{}\"x\":0}}", "\"a\":[[]],".repeat(50_000));
    for element in ["{\"id\":1,\"name\":[]}", &object] {
        let list = listed(again(element, 16 * MIB)).await.unwrap();
        assert!(list.names.is_empty() && list.unreadable.shown.len() == 5, "{element:.20}");
        assert_eq!(list.unreadable.count, 16 * MIB / (element.len() + 1) + 1, "{element:.20}");
        drop(list);
    }
    let too_many = listed(again("1", 16 * MIB)).await.unwrap_err().to_string();
    assert!(too_many.ends_with("a list of more than 4000000 elements"), "{too_many}");
    for (begin, inner, end) in
        [("\"", "x", "\""), ("[", "0,", "0]"), ("{\"domain\":[", "[],", "0]}")]
    {
        let inner = std::iter::repeat_n(inner, 16 * MIB / inner.len()).collect::<String>();
        let element = format!("{begin}{inner}{end}");
        drop(inner);
        let list =
            listed(Box::new([element, "\"a.example\"".to_owned()].into_iter())).await.unwrap();
        assert_eq!((list.names.len(), list.unreadable.count), (1, 2), "{begin}");
    }
    let most = most_beyond(before);
    assert!(most < 150 * MIB, "{} MiB for 16 MiB of rubbish", most / MIB);
}
