//! Debian's `unbound`: a real validating resolver for an internet on loopback.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use tempfile::TempDir;

use super::Internet;
use crate::eventually;
use crate::process_group::ProcessGroup;

/// Where Debian puts servers; not everybody has it in `PATH`.
const PROGRAM: &str = "/usr/sbin/unbound";

/// How long to wait for one answer while it starts.
const PATIENCE: Duration = Duration::from_millis(100);

/// A running resolver; it ends when dropped.
#[derive(Debug)]
pub struct Unbound {
    address: SocketAddr,
    _process: ProcessGroup,
    _folder: TempDir,
}

impl Internet {
    /// Start `unbound` with the zones that this internet has now, and the root's trust anchor.
    ///
    /// # Panics
    ///
    /// If it is not installed or does not start.
    pub fn unbound(&self) -> Unbound {
        assert!(fs::exists(PROGRAM).unwrap_or(false), "install Debian's package unbound");
        let folder = tempfile::Builder::new().prefix("unbound-").tempdir().expect("a folder");
        let at = self.ports().address();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("our folder");
            path.display().to_string()
        };
        write("anchor", &(self.trust_anchor() + "\n"));
        let conf = write("unbound.conf", &self.conf(folder.path(), at));
        let mut command = ProcessGroup::command(PROGRAM);
        command.args(["-d", "-p", "-c", &conf]);
        let process = ProcessGroup::start(command).expect("it is installed");
        let address = SocketAddr::from((at, self.ports().dns));
        eventually("unbound answers", || answers(address));
        Unbound { address, _process: process, _folder: folder }
    }

    fn conf(&self, folder: &std::path::Path, at: Ipv4Addr) -> String {
        let (folder, port) = (folder.display(), self.ports().dns);
        let mut conf = format!(
            "server:\n  directory: \"{folder}\"\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n  \
             use-syslog: no\n  interface: {at}@{port}\n  outgoing-interface: {at}\n  \
             do-not-query-localhost: no\n  access-control: 127.0.0.0/8 allow\n  \
             trust-anchor-file: \"anchor\"\n  module-config: \"validator iterator\"\n  \
             num-threads: 1\n  do-ip6: no\n  cache-max-ttl: 0\n  local-zone: \"test.\" nodefault\n\
             logfile: \"log\"\nremote-control:\n  control-enable: no\n"
        );
        // A real referral leads to port 53; so that it leads here, each zone is named.
        for (apex, servers) in self.zones() {
            let _ = write!(conf, "stub-zone:\n  name: \"{apex}\"\n  stub-prime: no\n");
            for server in servers {
                let _ = writeln!(conf, "  stub-addr: {server}@{port}");
            }
        }
        conf
    }
}

impl Unbound {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Whether it answers anything at all.
fn answers(address: SocketAddr) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket of ours");
    let mut query = Message::query();
    query.add_query(Query::query(Name::root(), RecordType::SOA));
    let query = query.to_vec().expect("it is well formed");
    socket.send_to(&query, address).is_ok() && socket.recv(&mut [0; 512]).is_ok()
}
