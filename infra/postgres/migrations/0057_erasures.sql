-- What is personal of an account is erased on request: values give way to pseudonyms, and who asked for it is kept.
-- A new table and functions; nothing that the version before uses is changed.

-- Up Migration

CREATE TABLE erasure (
  account_id      text COLLATE "C" NOT NULL,
  sequence        integer NOT NULL,
  asked_by        text NOT NULL,
  begun_at        timestamptz NOT NULL,
  finished_at     timestamptz,
  pseudonym_key   bytea,
  kept_dimensions text[] NOT NULL,
  erased          jsonb NOT NULL DEFAULT '{}',
  account_version bigint NOT NULL,
  hold_changes    bigint NOT NULL,
  PRIMARY KEY (account_id, sequence),
  CHECK ((finished_at IS NULL) = (pseudonym_key IS NOT NULL))
);

CREATE UNIQUE INDEX erasure_unfinished ON erasure (account_id) WHERE finished_at IS NULL;

COMMENT ON TABLE erasure IS 'What was erased of accounts: who asked for it, when, and how many rows of which tables; never the values.';
COMMENT ON COLUMN erasure.pseudonym_key IS 'What pseudonyms are made with, so that a value has the same one everywhere. Destroyed as the erasure finishes: nobody can lead a pseudonym back, or make it again.';
COMMENT ON COLUMN erasure.kept_dimensions IS 'The dimensions that prices depend on. Their values are kept, or no price could be proved.';
COMMENT ON COLUMN erasure.account_version IS 'The version of the account as it began, and hold_changes the number of its holds'' changes: what came later is looked at again.';

-- Without a key it is the same for all values: to compare with books that have other pseudonyms.
CREATE FUNCTION erased_value(key bytea, value text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN key IS NULL THEN 'erased'
    WHEN value = '' OR value ~ '^erased(-[0-9a-f]{32})?$' THEN value
    ELSE 'erased-' || left(encode(sha256(key || convert_to(value, 'UTF8')), 'hex'), 32)
  END
$$;

COMMENT ON FUNCTION erased_value IS 'The pseudonym of a value; a pseudonym stays as it is.';

CREATE FUNCTION erased_dimensions(key bytea, kept text[], dimensions jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(
    jsonb_object_agg(name, CASE WHEN name = ANY (kept) THEN value ELSE erased_value(key, value) END),
    dimensions)
  FROM jsonb_each_text(dimensions) AS each (name, value)
$$;

COMMENT ON FUNCTION erased_dimensions IS 'Dimensions with pseudonyms as values, except those of the names that are kept.';

-- It needs no key: a repeat of what the reference identifies must still be found.
CREATE FUNCTION erased_reference(account_id text, reference text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN reference = '' OR reference ~ '^erased-[0-9a-f]{32}$' THEN reference
    ELSE 'erased-' || left(encode(sha256(
      convert_to(account_id, 'UTF8') || '\x00' || convert_to(reference, 'UTF8')), 'hex'), 32)
  END
$$;

COMMENT ON FUNCTION erased_reference IS 'The digest that takes the place of a reference that a person wrote.';

-- Down Migration

DROP FUNCTION erased_reference(text, text), erased_dimensions(bytea, text[], jsonb), erased_value(bytea, text);
DROP TABLE erasure;
