-- Each audit row carries the SHA-256 of itself and the row before it (Audit/AuditChain.cs). Rows of version 1 get theirs before the next one is
-- appended; from then on triggers refuse UPDATE and DELETE.

ALTER TABLE audit_events ADD COLUMN series_instance_uid TEXT;
ALTER TABLE audit_events ADD COLUMN hash TEXT;

-- The end of the chain, and the lock that puts concurrent writers in order.
CREATE TABLE audit_head (
    id       BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    sequence BIGINT NOT NULL,
    hash     TEXT NOT NULL
);

CREATE INDEX audit_events_by_action ON audit_events (action, sequence);
CREATE INDEX audit_events_by_subject ON audit_events (subject, sequence);
