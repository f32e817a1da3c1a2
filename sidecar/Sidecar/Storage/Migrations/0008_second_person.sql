-- A masking may wait for a second person: which images the first one saw, and what the second one said.
ALTER TABLE mask_jobs ADD COLUMN images_version TEXT;
ALTER TABLE mask_jobs ADD COLUMN decided_at TEXT;
ALTER TABLE mask_jobs ADD COLUMN decided_by_subject TEXT;
ALTER TABLE mask_jobs ADD COLUMN decided_by_name TEXT;
ALTER TABLE mask_jobs ADD COLUMN decision_reason TEXT;

CREATE INDEX mask_jobs_awaiting ON mask_jobs (created_at, id) WHERE state = 'awaitingconfirmation';
