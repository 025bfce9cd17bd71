//! Remembering: the durable record, in SQLite.
