-- Portable between SQLite and PostgreSQL: TEXT and BIGINT only; words instead of numbered states; times as ISO 8601 UTC text.

CREATE TABLE mask_jobs (
    id                         TEXT NOT NULL PRIMARY KEY,
    study_instance_uid         TEXT NOT NULL,
    study_orthanc_id           TEXT NOT NULL,
    state                      TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed')),
    scope                      TEXT NOT NULL CHECK (scope IN ('image', 'series', 'study')),
    source_series_instance_uid TEXT NOT NULL,
    source_sop_instance_uid    TEXT NOT NULL,
    regions                    TEXT NOT NULL,
    left_out                   TEXT NOT NULL,
    reason                     TEXT,
    created_at                 TEXT NOT NULL,
    created_by_subject         TEXT NOT NULL,
    created_by_name            TEXT NOT NULL,
    started_at                 TEXT,
    finished_at                TEXT
);

CREATE INDEX mask_jobs_by_study ON mask_jobs (study_instance_uid, created_at);
CREATE INDEX mask_jobs_open ON mask_jobs (state, created_at);

CREATE TABLE mask_job_items (
    job_id              TEXT NOT NULL REFERENCES mask_jobs (id),
    ordinal             BIGINT NOT NULL,
    orthanc_id          TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    sop_instance_uid    TEXT NOT NULL,
    instance_number     BIGINT,
    frames              BIGINT NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('waiting', 'masked', 'failed')),
    reason              TEXT,
    finished_at         TEXT,
    PRIMARY KEY (job_id, ordinal)
);

CREATE UNIQUE INDEX mask_job_items_once ON mask_job_items (job_id, orthanc_id);
CREATE INDEX mask_job_items_open ON mask_job_items (job_id, state, ordinal);

-- A repeated request (same caller, same key) gets the job that the first one made.
CREATE TABLE idempotency_keys (
    subject        TEXT NOT NULL,
    key            TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    job_id         TEXT NOT NULL REFERENCES mask_jobs (id),
    created_at     TEXT NOT NULL,
    PRIMARY KEY (subject, key)
);

-- What this service last stored over an instance: tells our own output from an original that somebody sent again.
CREATE TABLE masked_instances (
    orthanc_id       TEXT NOT NULL PRIMARY KEY,
    sop_instance_uid TEXT NOT NULL,
    md5              TEXT NOT NULL,
    uuid             TEXT NOT NULL,
    job_id           TEXT NOT NULL REFERENCES mask_jobs (id),
    masked_at        TEXT NOT NULL
);

-- Append-only: the program has no UPDATE or DELETE for it.
CREATE TABLE audit_events (
    sequence           BIGINT NOT NULL PRIMARY KEY,
    at                 TEXT NOT NULL,
    action             TEXT NOT NULL,
    subject            TEXT NOT NULL,
    name               TEXT NOT NULL,
    job_id             TEXT,
    study_instance_uid TEXT,
    sop_instance_uid   TEXT,
    software_version   TEXT NOT NULL,
    details            TEXT NOT NULL
);

CREATE INDEX audit_events_by_job ON audit_events (job_id, sequence);
CREATE INDEX audit_events_by_study ON audit_events (study_instance_uid, sequence);
