-- What people decide about what was found: decisions, reviews of studies, templates of masks, samples. No text that was read is in any of it.

-- Masks of one instance alone, and the MD5 of the file they were approved on; null where the job's regions are meant.
ALTER TABLE mask_job_items ADD COLUMN masks TEXT;
ALTER TABLE mask_job_items ADD COLUMN md5 TEXT;

-- Which findings an item of a job covers.
CREATE TABLE mask_job_findings (
    job_id     TEXT NOT NULL REFERENCES mask_jobs (id),
    finding_id TEXT NOT NULL,
    orthanc_id TEXT NOT NULL,
    PRIMARY KEY (finding_id, job_id)
);

CREATE INDEX mask_jobs_by_end ON mask_jobs (finished_at);
CREATE INDEX scan_findings_by_time ON scan_findings (found_at);
CREATE INDEX scanned_instances_by_time ON scanned_instances (scanned_at);
CREATE INDEX scanned_instances_by_device ON scanned_instances (modality, manufacturer, model, orthanc_id);

-- The template that proposed a finding, where no scan did.
ALTER TABLE scan_findings ADD COLUMN template_id TEXT;

-- A person has looked at an image that could not be scanned. Of another file under the same id nobody has.
CREATE TABLE acknowledged_images (
    orthanc_id         TEXT NOT NULL,
    md5                TEXT NOT NULL,
    study_instance_uid TEXT NOT NULL,
    reason             TEXT,
    at                 TEXT NOT NULL,
    by_subject         TEXT NOT NULL,
    by_name            TEXT NOT NULL,
    PRIMARY KEY (orthanc_id, md5)
);

-- One row a study: what people did, and counts made anew from the ledger and the findings whenever these change.
CREATE TABLE reviews (
    study_instance_uid   TEXT NOT NULL PRIMARY KEY,
    study_orthanc_id     TEXT NOT NULL,
    state                TEXT NOT NULL CHECK (state IN ('new', 'clean', 'findings', 'inReview', 'finalized')),
    images               BIGINT NOT NULL,
    findings             BIGINT NOT NULL,
    undecided            BIGINT NOT NULL,
    not_applied          BIGINT NOT NULL,
    unscannable          BIGINT NOT NULL,
    missed               BIGINT NOT NULL,
    risk                 BIGINT NOT NULL,
    is_weak              BIGINT NOT NULL,
    -- With a comma before, between and behind: ',CT,SR,'.
    modalities           TEXT NOT NULL,
    stations             TEXT NOT NULL,
    arrived_at           TEXT NOT NULL,
    opened_at            TEXT,
    opened_by_subject    TEXT,
    opened_by_name       TEXT,
    finalized_at         TEXT,
    finalized_by_subject TEXT,
    finalized_by_name    TEXT,
    -- Orthanc's LastUpdate of the study when it was finalized: another one means that images came since.
    last_update          TEXT
);

CREATE INDEX reviews_by_state ON reviews (state, arrived_at);

-- The images that a person finalized, as they were then.
CREATE TABLE finalized_images (
    study_instance_uid  TEXT NOT NULL,
    orthanc_id          TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    sop_instance_uid    TEXT NOT NULL,
    md5                 TEXT NOT NULL,
    PRIMARY KEY (study_instance_uid, orthanc_id)
);

CREATE INDEX finalized_images_by_uid ON finalized_images (study_instance_uid, series_instance_uid, sop_instance_uid);

-- How far the ledger and the mask jobs are taken into the reviews.
CREATE TABLE review_cursor (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    seen TEXT NOT NULL
);

INSERT INTO review_cursor (id, seen) VALUES (1, '');

CREATE TABLE mask_templates (
    id                 TEXT NOT NULL PRIMARY KEY,
    name               TEXT NOT NULL,
    manufacturer       TEXT NOT NULL,
    model              TEXT NOT NULL,
    rows               BIGINT NOT NULL,
    columns            BIGINT NOT NULL,
    photometric        TEXT NOT NULL,
    sop_class          TEXT NOT NULL,
    regions            TEXT NOT NULL,
    uses               BIGINT NOT NULL,
    created_at         TEXT NOT NULL,
    created_by_subject TEXT NOT NULL,
    created_by_name    TEXT NOT NULL
);

CREATE INDEX mask_templates_by_device ON mask_templates (manufacturer, model, rows, columns);

-- Images without a finding that a person was asked to look at.
CREATE TABLE samples (
    id                  TEXT NOT NULL PRIMARY KEY,
    orthanc_id          TEXT NOT NULL,
    md5                 TEXT NOT NULL,
    study_instance_uid  TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    sop_instance_uid    TEXT NOT NULL,
    modality            TEXT NOT NULL,
    manufacturer        TEXT NOT NULL,
    model               TEXT NOT NULL,
    asked_at            TEXT NOT NULL,
    asked_subject       TEXT NOT NULL,
    asked_name          TEXT NOT NULL,
    answered_at         TEXT,
    has_text            BIGINT
);

CREATE UNIQUE INDEX samples_once ON samples (orthanc_id, md5);
CREATE INDEX samples_by_study ON samples (study_instance_uid);
CREATE INDEX samples_open ON samples (asked_subject) WHERE answered_at IS NULL;
