//! The deep questions to DNS, asked of servers on loopback that are right, wrong, slow or silent.

mod caa;
mod dnssec;
mod resolvers;
mod servers;
mod walk;
mod world;
