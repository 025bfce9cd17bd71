//! The stand-in: a Closte, a DNS server and a web server for rehearsals and tests.
