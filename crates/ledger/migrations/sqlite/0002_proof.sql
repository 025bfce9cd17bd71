-- The routing proof of each domain. No domain of an older ledger was ever asked.
ALTER TABLE entries ADD COLUMN proof        TEXT    NOT NULL DEFAULT 'unproven';
ALTER TABLE entries ADD COLUMN proof_reason TEXT;
ALTER TABLE entries ADD COLUMN proof_detail TEXT;
ALTER TABLE entries ADD COLUMN proof_since  INTEGER NOT NULL DEFAULT 0;

UPDATE entries SET proof_since = first_seen;
