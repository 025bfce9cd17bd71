-- Entries: columns are what is filtered, sorted, claimed, or decides on removal; the rest is one
-- JSON text, so that a new state is one field of it. A row is stored by compare-and-set on its
-- version. Words of which a wrong guess could remove an alias are checked, as before.
CREATE TABLE entries_3 (
    domain              TEXT    NOT NULL PRIMARY KEY,
    version             INTEGER NOT NULL CHECK (0 < version),
    -- Its mapping, as last read; all NULL once that is gone.
    mapping_id          INTEGER,
    site_id             INTEGER,
    stage               TEXT,
    -- The alias at the host, and whether it is ours to remove.
    alias               TEXT    NOT NULL CHECK (alias IN ('wanted', 'adding', 'present', 'rejected', 'removing', 'absent', 'protected')),
    owned               TEXT    CHECK (owned IN ('added', 'adopted', 'seen')),
    owned_since         INTEGER,
    -- The call that was about to be made; cleared when its outcome is known.
    intent_at           INTEGER,
    intent_list_lacked  INTEGER NOT NULL CHECK (intent_list_lacked IN (0, 1)),
    next_step           INTEGER NOT NULL,
    next_check          INTEGER NOT NULL,
    not_after           INTEGER,
    -- The first finding and who must act; empty until there are findings.
    finding             TEXT,
    actor               TEXT,
    -- Who works on it, and until when nobody else may.
    lease_owner         TEXT,
    lease_until         INTEGER,
    state               TEXT    NOT NULL CHECK (json_valid(state)),
    CHECK ((mapping_id IS NULL) = (site_id IS NULL)),
    CHECK ((owned IS NULL) = (owned_since IS NULL)),
    CHECK ((finding IS NULL) = (actor IS NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO entries_3
SELECT
    domain, 1, mapping_id, site_id, stage, alias, hold, hold_since, intent_at, intent_list_lacked,
    step_due, look_due, not_after, NULL, NULL, NULL, NULL,
    json_object(
        'first_seen', first_seen,
        'secure', secure,
        'contested', contested,
        'alias', json_object('reason', alias_reason, 'detail', alias_detail, 'since', alias_since),
        'routing', json_object('state', routing, 'reason', routing_reason, 'detail', routing_detail, 'since', routing_since),
        'found', json(found),
        'certificate', json_object('state', certificate, 'reason', certificate_reason, 'detail', certificate_detail, 'since', certificate_since),
        'issuer', issuer,
        'proof', json_object('state', proof, 'reason', proof_reason, 'detail', proof_detail, 'since', proof_since),
        'shown', shown,
        'confirmed', confirmed,
        'tries', step_tries,
        'checks', json_object('made', looks_made, 'last', look_last, 'gap', look_gap, 'hot_until', hot_until, 'bad', looks_bad, 'bad_since', looks_bad_since),
        'gone', json_object('reads', gone_reads, 'counted_at', gone_counted_at, 'approved', gone_approved),
        'rechecked_at', rechecked_at
    )
FROM entries;

DROP TABLE entries;
ALTER TABLE entries_3 RENAME TO entries;
CREATE INDEX entries_by_check ON entries (next_check) WHERE mapping_id IS NOT NULL;
CREATE INDEX entries_by_step ON entries (next_step) WHERE alias IN ('wanted', 'adding', 'rejected', 'removing');

-- Events: what happened as JSON with a version, instead of as a text. They are still never
-- changed, and kept for a while only.
CREATE TABLE events_3 (
    id     INTEGER NOT NULL PRIMARY KEY,
    at     INTEGER NOT NULL,
    domain TEXT    NOT NULL,
    event  TEXT    NOT NULL CHECK (json_valid(event))
) STRICT;

INSERT INTO events_3
SELECT id, at, domain, json_object('v', 1, 'kind', 'note', 'detail', about || ': ' || text)
FROM events ORDER BY id;

DROP TABLE events;
ALTER TABLE events_3 RENAME TO events;
CREATE INDEX events_of_a_domain ON events (domain, id);
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never changed');
END;

-- What somebody asks of whoever holds the lock.
CREATE TABLE requests (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL CHECK (kind IN ('pass', 'apply', 'enable-here')),
    argument   TEXT,
    owner      TEXT    NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    taken_by   TEXT,
    taken_till INTEGER,
    answer     TEXT,
    CHECK ((taken_by IS NULL) = (taken_till IS NULL))
) STRICT;

-- What is remembered of the network, of the host and of the last pass: a row each.
INSERT INTO meta (key, value)
SELECT 'network', json_object(
    'identity', iif(domain IS NULL, NULL, json_object(
        'app', app, 'domain', domain, 'database', database, 'prefix', prefix, 'network_id', network_id)),
    'site_mark', site_mark, 'mapped_names', mapped_names, 'applied', applied)
FROM (
    SELECT
        (SELECT value FROM meta WHERE key = 'network_app') AS app,
        (SELECT value FROM meta WHERE key = 'network_domain') AS domain,
        (SELECT value FROM meta WHERE key = 'network_database') AS database,
        (SELECT value FROM meta WHERE key = 'network_prefix') AS prefix,
        (SELECT value FROM meta WHERE key = 'network_id') AS network_id,
        (SELECT value FROM meta WHERE key = 'site_mark') AS site_mark,
        (SELECT value FROM meta WHERE key = 'mapped_names') AS mapped_names,
        (SELECT value FROM meta WHERE key = 'applied') AS applied
);
INSERT INTO meta (key, value)
SELECT 'host', json_object(
    'list_believed', ifnull((SELECT value FROM meta WHERE key = 'list_believed'), 0),
    'key_refused', (SELECT value FROM meta WHERE key = 'key_refused'),
    'outages', ifnull((SELECT value FROM meta WHERE key = 'breaker_outages'), 0),
    'open_until', (SELECT value FROM meta WHERE key = 'breaker_open_until'),
    'quiet_until', (SELECT value FROM meta WHERE key = 'quiet_until'));
-- What was deferred is planned anew by the next pass.
INSERT INTO meta (key, value)
SELECT 'last_pass', json_object(
    'at', value, 'deferred', json_array(),
    'problems', json(ifnull((SELECT value FROM meta WHERE key = 'problems'), '[]')),
    'foreign', json(ifnull((SELECT value FROM meta WHERE key = 'foreign'), '[]')))
FROM meta WHERE key = 'last_pass_at' AND value IS NOT NULL;
DELETE FROM meta WHERE key IN (
    'network_app', 'network_domain', 'network_database', 'network_prefix', 'network_id',
    'site_mark', 'mapped_names', 'applied', 'list_believed', 'key_refused', 'breaker_outages',
    'breaker_open_until', 'quiet_until', 'last_pass_at', 'held', 'problems', 'foreign');
