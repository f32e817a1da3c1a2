-- Nodes claim jobs here, so that several share the work: a lease by the database's clock, a turn that is fair between users, cancelling.
-- SQLite cannot change a CHECK, so the tables are made anew; the words of the states are the enums' from now on.

CREATE TABLE mask_jobs_3 (
    id                         TEXT NOT NULL PRIMARY KEY,
    study_instance_uid         TEXT NOT NULL,
    study_orthanc_id           TEXT NOT NULL,
    state                      TEXT NOT NULL,
    scope                      TEXT NOT NULL,
    priority                   TEXT NOT NULL,
    source_series_instance_uid TEXT NOT NULL,
    source_sop_instance_uid    TEXT NOT NULL,
    regions                    TEXT NOT NULL,
    left_out                   TEXT NOT NULL,
    reason                     TEXT,
    instances                  BIGINT NOT NULL,
    frames                     BIGINT NOT NULL,
    created_at                 TEXT NOT NULL,
    created_by_subject         TEXT NOT NULL,
    created_by_name            TEXT NOT NULL,
    started_at                 TEXT,
    finished_at                TEXT,
    cancelled_at               TEXT,
    cancelled_by_name          TEXT,
    -- Start and end of the job on its user's own count of frames (start-time fair queueing): the lowest start is next.
    turn_start                 BIGINT NOT NULL,
    turn_end                   BIGINT NOT NULL,
    -- Who works on it, until when (milliseconds since 1970 by the database's clock), and how often it was claimed.
    node                       TEXT,
    lease_until                BIGINT,
    claims                     BIGINT NOT NULL
);

-- Of two jobs that run on one study (there should be none), the later one waits again.
INSERT INTO mask_jobs_3
SELECT j.id, j.study_instance_uid, j.study_orthanc_id,
       CASE WHEN j.state = 'running' AND EXISTS (SELECT 1 FROM mask_jobs o WHERE o.study_instance_uid = j.study_instance_uid AND o.state = 'running' AND (o.created_at < j.created_at OR (o.created_at = j.created_at AND o.id < j.id)))
            THEN 'queued' ELSE j.state END,
       j.scope, 'interactive', j.source_series_instance_uid, j.source_sop_instance_uid, j.regions, j.left_out, j.reason,
       (SELECT COUNT(*) FROM mask_job_items i WHERE i.job_id = j.id),
       (SELECT CAST(COALESCE(SUM(i.frames), 0) AS BIGINT) FROM mask_job_items i WHERE i.job_id = j.id),
       j.created_at, j.created_by_subject, j.created_by_name, j.started_at, j.finished_at, NULL, NULL, 0, 0, NULL, NULL, 0
FROM mask_jobs j;

CREATE TABLE mask_job_items_3 (
    job_id              TEXT NOT NULL REFERENCES mask_jobs_3 (id),
    ordinal             BIGINT NOT NULL,
    orthanc_id          TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    sop_instance_uid    TEXT NOT NULL,
    instance_number     BIGINT,
    frames              BIGINT NOT NULL,
    state               TEXT NOT NULL,
    reason              TEXT,
    finished_at         TEXT,
    PRIMARY KEY (job_id, ordinal)
);

INSERT INTO mask_job_items_3 SELECT job_id, ordinal, orthanc_id, series_instance_uid, sop_instance_uid, instance_number, frames, state, reason, finished_at FROM mask_job_items;

CREATE TABLE idempotency_keys_3 (
    subject        TEXT NOT NULL,
    key            TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    job_id         TEXT NOT NULL REFERENCES mask_jobs_3 (id),
    created_at     TEXT NOT NULL,
    PRIMARY KEY (subject, key)
);

INSERT INTO idempotency_keys_3 SELECT subject, key, request_sha256, job_id, created_at FROM idempotency_keys;

CREATE TABLE masked_instances_3 (
    orthanc_id       TEXT NOT NULL PRIMARY KEY,
    sop_instance_uid TEXT NOT NULL,
    md5              TEXT NOT NULL,
    uuid             TEXT NOT NULL,
    job_id           TEXT NOT NULL REFERENCES mask_jobs_3 (id),
    masked_at        TEXT NOT NULL
);

INSERT INTO masked_instances_3 SELECT orthanc_id, sop_instance_uid, md5, uuid, job_id, masked_at FROM masked_instances;

DROP TABLE mask_job_items;
DROP TABLE idempotency_keys;
DROP TABLE masked_instances;
DROP TABLE mask_jobs;
ALTER TABLE mask_jobs_3 RENAME TO mask_jobs;
ALTER TABLE mask_job_items_3 RENAME TO mask_job_items;
ALTER TABLE idempotency_keys_3 RENAME TO idempotency_keys;
ALTER TABLE masked_instances_3 RENAME TO masked_instances;

CREATE INDEX mask_jobs_by_study ON mask_jobs (study_instance_uid, created_at);
CREATE INDEX mask_jobs_waiting ON mask_jobs (priority, turn_start, created_at, id) WHERE state = 'queued';
CREATE INDEX mask_jobs_turns ON mask_jobs (created_by_subject, priority, turn_end) WHERE state IN ('queued', 'running');
-- One job a study at a time, whatever the nodes believe.
CREATE UNIQUE INDEX mask_jobs_running ON mask_jobs (study_instance_uid) WHERE state = 'running';

CREATE UNIQUE INDEX mask_job_items_once ON mask_job_items (job_id, orthanc_id);
CREATE INDEX mask_job_items_open ON mask_job_items (job_id, state, ordinal);

-- Which journal folder belongs to this database, where the two are in different places (Storage/JournalIdentity.cs).
CREATE TABLE journal_identity (
    id    BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    value TEXT NOT NULL
);
