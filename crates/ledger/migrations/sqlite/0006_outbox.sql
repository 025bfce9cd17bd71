-- Messages that wait for a receiver, each in the order of its number: a row for each receiver.
CREATE TABLE outbox (
    number   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    receiver TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    message  TEXT    NOT NULL CHECK (json_valid(message))
) STRICT;

CREATE UNIQUE INDEX outbox_once ON outbox (receiver, id);
CREATE INDEX outbox_in_order ON outbox (receiver, number);

-- How each receiver does.
CREATE TABLE receivers (
    name  TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (json_valid(state))
) STRICT, WITHOUT ROWID;
