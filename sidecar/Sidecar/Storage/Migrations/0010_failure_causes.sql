-- Why an image was not changed, in a word that does not change, beside the sentence for a person. Null where an earlier version recorded it.
ALTER TABLE mask_job_items ADD COLUMN cause TEXT;
