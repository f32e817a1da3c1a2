-- Discovery of changed studies, the ledger of what was scanned, what was found, and the work of scanning: runs, their queue, schedules.
-- No text that was read is in any of it.

-- How far Orthanc's list of changes is worked off. The anchor is the last row seen: another row under its number means that Orthanc's database
-- is a new one. One node at a time reads the list (a lease by the database's clock).
CREATE TABLE change_cursor (
    id             BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    -- 0 before the first look at the archive.
    is_begun       BIGINT NOT NULL,
    sequence       BIGINT NOT NULL,
    anchor         TEXT,
    reconciled_at  BIGINT,
    node           TEXT,
    lease_until    BIGINT
);

INSERT INTO change_cursor (id, is_begun, sequence) VALUES (1, 0, 0);

-- Studies that changed and have not been looked at since. The stamp is another one each time, so that a change during the look is not lost.
-- is_backlog: it was in the archive before this service saw the archive for the first time; what comes in goes first.
CREATE TABLE changed_studies (
    study_orthanc_id TEXT NOT NULL PRIMARY KEY,
    stamp            TEXT NOT NULL,
    is_backlog       BIGINT NOT NULL,
    not_before       BIGINT NOT NULL
);

CREATE INDEX changed_studies_next ON changed_studies (is_backlog, not_before);

-- Orthanc's LastUpdate of each study when it was looked at: what the reconciliation compares.
CREATE TABLE known_studies (
    study_orthanc_id   TEXT NOT NULL PRIMARY KEY,
    study_instance_uid TEXT NOT NULL,
    last_update        TEXT NOT NULL
);

-- The ledger: one row for each instance that was looked at, as it was then (md5, and Orthanc's uuid of that file).
CREATE TABLE scanned_instances (
    orthanc_id          TEXT NOT NULL PRIMARY KEY,
    study_instance_uid  TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    sop_instance_uid    TEXT NOT NULL,
    study_orthanc_id    TEXT NOT NULL,
    series_orthanc_id   TEXT NOT NULL,
    instance_number     BIGINT,
    md5                 TEXT NOT NULL,
    uuid                TEXT NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('scanned', 'unscannable')),
    reason              TEXT,
    engine              TEXT NOT NULL,
    is_weak             BIGINT NOT NULL,
    frames              BIGINT NOT NULL,
    rows                BIGINT,
    columns             BIGINT,
    modality            TEXT,
    manufacturer        TEXT,
    model               TEXT,
    station             TEXT,
    photometric         TEXT,
    sop_class           TEXT,
    scanned_at          TEXT NOT NULL
);

CREATE INDEX scanned_instances_by_study ON scanned_instances (study_instance_uid);
CREATE INDEX scanned_instances_by_series ON scanned_instances (series_orthanc_id);
CREATE INDEX scanned_instances_by_resource ON scanned_instances (study_orthanc_id);

CREATE TABLE scan_findings (
    id                  TEXT NOT NULL PRIMARY KEY,
    orthanc_id          TEXT NOT NULL,
    study_instance_uid  TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    sop_instance_uid    TEXT NOT NULL,
    md5                 TEXT NOT NULL,
    frames              TEXT,
    x                   BIGINT NOT NULL,
    y                   BIGINT NOT NULL,
    width               BIGINT NOT NULL,
    height              BIGINT NOT NULL,
    confidence          BIGINT NOT NULL,
    kind                TEXT NOT NULL,
    matched_attribute   TEXT,
    after_masking       BIGINT NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'dismissed', 'masked', 'gone')),
    found_at            TEXT NOT NULL,
    decided_at          TEXT,
    decided_by_subject  TEXT,
    decided_by_name     TEXT,
    decision_reason     TEXT,
    decided_x           BIGINT,
    decided_y           BIGINT,
    decided_width       BIGINT,
    decided_height      BIGINT
);

CREATE INDEX scan_findings_by_study ON scan_findings (study_instance_uid, state);
CREATE INDEX scan_findings_by_image ON scan_findings (orthanc_id);

-- What somebody or something asked to be scanned. Two never end: 'arrivals' stands for what comes in, 'backlog' for what was in the archive before.
CREATE TABLE scan_runs (
    id                 TEXT NOT NULL PRIMARY KEY,
    kind               TEXT NOT NULL CHECK (kind IN ('arrivals', 'backlog', 'study', 'bulk')),
    state              TEXT NOT NULL CHECK (state IN ('running', 'paused', 'finished', 'cancelled')),
    -- 0: a person waits, 1: arrivals, 2: bulk. The lowest goes first.
    priority           BIGINT NOT NULL,
    study_instance_uid TEXT,
    query              TEXT NOT NULL,
    schedule_id        TEXT,
    window_start       TEXT,
    window_end         TEXT,
    time_zone          TEXT,
    -- Instances that may still be scanned; null: no limit.
    budget             BIGINT,
    -- 1 when scan_run_studies has had every study of the archive.
    is_listed          BIGINT NOT NULL,
    created_at         TEXT NOT NULL,
    created_by_subject TEXT NOT NULL,
    created_by_name    TEXT NOT NULL,
    finished_at        TEXT,
    scanned            BIGINT NOT NULL,
    unscannable        BIGINT NOT NULL,
    findings           BIGINT NOT NULL
);

CREATE INDEX scan_runs_open ON scan_runs (priority, created_at) WHERE state IN ('running', 'paused');
CREATE INDEX scan_runs_by_time ON scan_runs (created_at);

-- Studies of a run that have not been sorted into work yet.
CREATE TABLE scan_run_studies (
    run_id           TEXT NOT NULL REFERENCES scan_runs (id),
    study_orthanc_id TEXT NOT NULL,
    PRIMARY KEY (run_id, study_orthanc_id)
);

-- The queue: one row for each series of a run that is not done. A row is deleted when it is; what is left is what is left to do.
CREATE TABLE scan_work (
    id                  TEXT NOT NULL PRIMARY KEY,
    run_id              TEXT NOT NULL REFERENCES scan_runs (id),
    study_instance_uid  TEXT NOT NULL,
    study_orthanc_id    TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    series_orthanc_id   TEXT NOT NULL,
    -- Of burned-in text, by the header of one instance: higher goes first within a run.
    risk                BIGINT NOT NULL,
    instances           BIGINT NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('waiting', 'running')),
    -- 1: the series changed again while it was being scanned.
    is_again            BIGINT NOT NULL,
    not_before          BIGINT NOT NULL,
    attempts            BIGINT NOT NULL,
    -- Who works on it, until when (milliseconds since 1970 by the database's clock), and how often it was claimed.
    node                TEXT,
    lease_until         BIGINT,
    claims              BIGINT NOT NULL
);

CREATE UNIQUE INDEX scan_work_once ON scan_work (run_id, series_orthanc_id);
CREATE INDEX scan_work_waiting ON scan_work (run_id, risk DESC, id) WHERE state = 'waiting';
CREATE INDEX scan_work_by_study ON scan_work (study_instance_uid);
-- One node a series at a time, whatever the nodes believe and whichever runs want it.
CREATE UNIQUE INDEX scan_work_running ON scan_work (series_orthanc_id) WHERE state = 'running';

CREATE TABLE scan_schedules (
    id                 TEXT NOT NULL PRIMARY KEY,
    name               TEXT NOT NULL,
    cron               TEXT NOT NULL,
    time_zone          TEXT NOT NULL,
    query              TEXT NOT NULL,
    window_start       TEXT,
    window_end         TEXT,
    max_instances      BIGINT,
    is_enabled         BIGINT NOT NULL,
    created_at         TEXT NOT NULL,
    created_by_subject TEXT NOT NULL,
    created_by_name    TEXT NOT NULL
);

-- All masks that an image ever got are asked for when its original is sent again.
CREATE INDEX mask_job_items_by_image ON mask_job_items (orthanc_id);

-- Files that were stored over a masked image and are not what this service stored: each is told, and masked again, once.
CREATE TABLE resent_originals (
    orthanc_id TEXT NOT NULL,
    uuid       TEXT NOT NULL,
    noticed_at TEXT NOT NULL,
    PRIMARY KEY (orthanc_id, uuid)
);
