-- The ledger: what closte-sync remembers of the domains of one network.
--
-- Times are milliseconds since 1970-01-01 UTC, spans are milliseconds. Words of
-- which a wrong guess could remove an alias are checked: a new one needs a new
-- migration, so that an older closte-sync refuses the file instead of guessing.

-- "CSLG": tells our file from another program's.
PRAGMA application_id = 0x43534c47;

-- What concerns the network as a whole, a key each.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value ANY
) STRICT, WITHOUT ROWID;

-- One row a domain, retired ones included. Read in the order of the domain.
CREATE TABLE entries (
    domain              TEXT    NOT NULL PRIMARY KEY,
    first_seen          INTEGER NOT NULL,
    -- Its mapping, as last read; all NULL once that is gone.
    mapping_id          INTEGER,
    site_id             INTEGER,
    stage               TEXT,
    secure              INTEGER NOT NULL CHECK (secure IN (0, 1)),
    contested           INTEGER NOT NULL CHECK (contested IN (0, 1)),
    -- Its three states.
    alias               TEXT    NOT NULL CHECK (alias IN ('wanted', 'adding', 'present', 'rejected', 'removing', 'absent', 'protected')),
    alias_reason        TEXT,
    alias_detail        TEXT,
    alias_since         INTEGER NOT NULL,
    routing             TEXT    NOT NULL,
    routing_reason      TEXT,
    routing_detail      TEXT,
    routing_since       INTEGER NOT NULL,
    found               TEXT    NOT NULL CHECK (json_valid(found)), -- a list of addresses
    certificate         TEXT    NOT NULL,
    certificate_reason  TEXT,
    certificate_detail  TEXT,
    certificate_since   INTEGER NOT NULL,
    issuer              TEXT,
    not_after           INTEGER,
    -- Whether it is ours to remove.
    hold                TEXT    CHECK (hold IN ('added', 'adopted', 'seen')),
    hold_since          INTEGER,
    shown               INTEGER NOT NULL CHECK (shown IN (0, 1)),
    confirmed           INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    -- The next call to the host; the intent is one whose outcome is not known.
    intent_at           INTEGER,
    intent_list_lacked  INTEGER NOT NULL CHECK (intent_list_lacked IN (0, 1)),
    step_tries          INTEGER NOT NULL CHECK (0 <= step_tries),
    step_due            INTEGER NOT NULL,
    -- The next look.
    looks_made          INTEGER NOT NULL CHECK (0 <= looks_made),
    look_last           INTEGER,
    look_due            INTEGER NOT NULL,
    look_gap            INTEGER NOT NULL CHECK (0 <= look_gap),
    hot_until           INTEGER NOT NULL,
    looks_bad           INTEGER NOT NULL CHECK (0 <= looks_bad),
    looks_bad_since     INTEGER,
    -- Good reads that saw its mapping gone.
    gone_reads          INTEGER NOT NULL CHECK (0 <= gone_reads),
    gone_counted_at     INTEGER,
    gone_approved       INTEGER NOT NULL CHECK (gone_approved IN (0, 1)),
    rechecked_at        INTEGER,
    lease_owner         TEXT,
    lease_until         INTEGER,
    CHECK ((mapping_id IS NULL) = (site_id IS NULL)),
    CHECK ((hold IS NULL) = (hold_since IS NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX entries_by_look ON entries (look_due) WHERE mapping_id IS NOT NULL;

-- What happened, in the order in which it was written down.
CREATE TABLE events (
    id     INTEGER NOT NULL PRIMARY KEY,
    at     INTEGER NOT NULL,
    domain TEXT    NOT NULL,
    about  TEXT    NOT NULL,
    text   TEXT    NOT NULL
) STRICT;

CREATE INDEX events_of_a_domain ON events (domain);

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never changed');
END;

CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never removed');
END;

-- Every site that was ever seen mapped, whatever became of its mapping.
CREATE TABLE mapped_sites (
    site_id INTEGER NOT NULL PRIMARY KEY
) STRICT;
