-- Findings of one kind at one place of like images are decided at once. Null until the service has counted them, at its first look after the update.
ALTER TABLE reviews ADD COLUMN finding_groups BIGINT;
ALTER TABLE reviews ADD COLUMN undecided_groups BIGINT;
