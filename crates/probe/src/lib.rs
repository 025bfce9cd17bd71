//! Looking: DNS and TLS, and the guard that keeps both away from private addresses.
