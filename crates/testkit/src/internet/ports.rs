//! The addresses and ports of one internet: a block of 127/8 and three ports that nobody else has.
//!
//! The ports lie below those that the system gives to clients, so that no socket that is bound to
//! all addresses is in the way.

use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};

/// Above those of services, below those of clients.
const RANGE: Range<u16> = 10_240..32_768;

const TRIES: u32 = 50;

/// The ports of all servers, and the block of their addresses.
#[derive(Debug)]
pub struct Ports {
    /// Of all DNS servers, UDP and TCP.
    pub dns: u16,
    /// Of all web servers with certificates.
    pub https: u16,
    /// Of all web servers without.
    pub http: u16,
    block: [u8; 2],
    last: AtomicU8,
    /// The block's first address, at all three ports: who has it has the block.
    _claim: [TcpListener; 3],
}

impl Ports {
    /// Take a block that is free.
    ///
    /// # Panics
    ///
    /// If none is.
    pub(super) fn claim() -> Self {
        let mut tries = 0..TRIES;
        let mut claimed = std::iter::repeat_with(Self::try_claim);
        loop {
            match claimed.next() {
                Some(Ok(ports)) => return ports,
                Some(Err(error)) => assert!(tries.next().is_some(), "no block is free: {error}"),
                None => unreachable!("it repeats"),
            }
        }
    }

    fn try_claim() -> io::Result<Self> {
        let block = [rand::random_range(1..=254), rand::random_range(0..=255)];
        let first = rand::random_range(RANGE.start..RANGE.end - 2);
        let [dns, https, http] = [first, first + 1, first + 2];
        let address = Ipv4Addr::new(127, block[0], block[1], 1);
        let claim = [
            TcpListener::bind((address, dns))?,
            TcpListener::bind((address, https))?,
            TcpListener::bind((address, http))?,
        ];
        Ok(Self { dns, https, http, block, last: AtomicU8::new(1), _claim: claim })
    }

    /// An address that nobody has yet.
    ///
    /// # Panics
    ///
    /// If all of the block are taken.
    pub fn address(&self) -> Ipv4Addr {
        let last = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        assert!(last < 255, "a test needs no more addresses than a block has");
        Ipv4Addr::new(127, self.block[0], self.block[1], last)
    }

    /// The sockets of a DNS server.
    pub(super) fn dns_sockets(&self, address: Ipv4Addr) -> (UdpSocket, TcpListener) {
        let udp = UdpSocket::bind((address, self.dns)).expect("the block is ours");
        let tcp = TcpListener::bind((address, self.dns)).expect("the block is ours");
        udp.set_nonblocking(true).expect("a socket of ours");
        tcp.set_nonblocking(true).expect("a socket of ours");
        (udp, tcp)
    }
}
