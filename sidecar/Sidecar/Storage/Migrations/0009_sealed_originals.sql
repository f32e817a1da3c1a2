-- Originals that are kept encrypted for some days after their masking, so that they can be restored.

-- The job whose originals this one puts back; null for a masking.
ALTER TABLE mask_jobs ADD COLUMN restores_job_id TEXT;

CREATE TABLE sealed_originals (
    job_id          TEXT NOT NULL REFERENCES mask_jobs (id),
    orthanc_id      TEXT NOT NULL,
    -- Of the file that this service stored over the original: only over that very file is it put back.
    masked_md5      TEXT NOT NULL,
    -- The job whose output the original was, where the image had been masked before.
    previous_job_id TEXT,
    sealed_at       TEXT NOT NULL,
    restorable_until TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('sealed', 'restored', 'erased')),
    PRIMARY KEY (job_id, orthanc_id)
);

CREATE INDEX sealed_originals_due ON sealed_originals (restorable_until) WHERE state = 'sealed';
