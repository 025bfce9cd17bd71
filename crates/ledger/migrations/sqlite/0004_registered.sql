-- A site is the same one only with the same time of its registration, in milliseconds since 1970:
-- WordPress may give an id again. NULL until a read shows it.
ALTER TABLE mapped_sites ADD COLUMN registered INTEGER;
