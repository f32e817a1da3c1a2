-- Why an image could not be scanned, in a word that does not change, beside the sentence for a person. Null where an earlier version recorded it.
ALTER TABLE scanned_instances ADD COLUMN cause TEXT;
