-- How far each receiver of audit messages has the rows. The rows themselves are the queue.
CREATE TABLE audit_forwarding (
    receiver TEXT NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    holder   TEXT NOT NULL,
    held_until TEXT NOT NULL
);
