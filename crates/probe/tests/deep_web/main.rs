//! The deep questions to web servers on loopback: every way in which port 80 can lead astray, what a
//! stranger is shown, and the front page.

mod front;
mod port_80;
mod world;
