-- The www twins of mapped names: entries without a mapping of their own. Words are checked, as one
-- that is not known may decide on removal.
ALTER TABLE entries ADD COLUMN twin TEXT CHECK (twin IN ('follows', 'goes'));

DROP INDEX entries_by_check;
CREATE INDEX entries_by_check ON entries (next_check)
    WHERE (mapping_id IS NOT NULL OR twin IS 'follows');

-- A ledger that was made before adds none until its operator says so. One that is being made has no
-- name yet, and starts as a new one does.
INSERT INTO meta (key, value)
SELECT 'network', json_object('www', 'never') FROM meta WHERE key = 'ledger_id'
ON CONFLICT (key) DO UPDATE SET value = json_set(value, '$.www', 'never');
