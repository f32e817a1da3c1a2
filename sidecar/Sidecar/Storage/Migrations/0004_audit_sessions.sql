-- Sessions of which the first request is in the audit already: a hash of subject and session, nothing that says who.
CREATE TABLE audit_sessions (
    session TEXT NOT NULL PRIMARY KEY,
    seen_at TEXT NOT NULL
);
