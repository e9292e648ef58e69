-- Since when identities are complete: an event that may have been metered before then is looked for on the
-- pages, so that none is metered twice when older events than before are accepted.

-- Up Migration

ALTER TABLE usage_generation ADD COLUMN complete_since timestamptz;

COMMENT ON COLUMN usage_generation.complete_since IS 'All that was metered since then has its identity; null: all that ever was.';

UPDATE usage_generation
SET complete_since = coalesce(sealed_since, since)
WHERE EXISTS (SELECT FROM usage_page WHERE metered_at < coalesce(sealed_since, since));

-- Replaced, it keeps its rights.
CREATE OR REPLACE FUNCTION begin_usage_generation(at timestamptz, begun_before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  sealed  text;
  emptied text;
  is_lost boolean;
  top     uuid;
  count   bigint;
BEGIN
  -- Transactions that meter have read the row, so all that write to the current table are over.
  LOCK TABLE usage_generation IN ACCESS EXCLUSIVE MODE;
  SELECT 'usage_identity_' || current, 'usage_identity_' || 3 - current
  INTO sealed, emptied FROM usage_generation WHERE since < begun_before;
  IF NOT FOUND THEN RETURN 0; END IF;
  SELECT greatest(reltuples, 0)::bigint INTO count FROM pg_class WHERE oid = to_regclass(emptied);
  EXECUTE format('SELECT EXISTS (SELECT FROM %I)', emptied) INTO is_lost;
  EXECUTE format('TRUNCATE %I', emptied);
  -- Ids of version 7 begin with their time: up to the year 2248 with 01.
  EXECUTE format(
    'SELECT event_key FROM %I WHERE event_key < ''02000000-0000-0000-0000-000000000000''
       AND substr(event_key::text, 15, 1) = ''7''
     ORDER BY event_key DESC LIMIT 1', sealed) INTO top;
  UPDATE usage_generation
  SET current = 3 - current, since = at, sealed_since = since, highest = top,
      complete_since = CASE WHEN is_lost THEN since ELSE complete_since END;
  DELETE FROM usage_identity_clash WHERE metered_at < (SELECT sealed_since FROM usage_generation);
  RETURN count;
END
$$;

-- Down Migration

CREATE OR REPLACE FUNCTION begin_usage_generation(at timestamptz, begun_before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  sealed  text;
  emptied text;
  top     uuid;
  count   bigint;
BEGIN
  -- Transactions that meter have read the row, so all that write to the current table are over.
  LOCK TABLE usage_generation IN ACCESS EXCLUSIVE MODE;
  SELECT 'usage_identity_' || current, 'usage_identity_' || 3 - current
  INTO sealed, emptied FROM usage_generation WHERE since < begun_before;
  IF NOT FOUND THEN RETURN 0; END IF;
  SELECT greatest(reltuples, 0)::bigint INTO count FROM pg_class WHERE oid = to_regclass(emptied);
  EXECUTE format('TRUNCATE %I', emptied);
  -- Ids of version 7 begin with their time: up to the year 2248 with 01.
  EXECUTE format(
    'SELECT event_key FROM %I WHERE event_key < ''02000000-0000-0000-0000-000000000000''
       AND substr(event_key::text, 15, 1) = ''7''
     ORDER BY event_key DESC LIMIT 1', sealed) INTO top;
  UPDATE usage_generation
  SET current = 3 - current, since = at, sealed_since = since, highest = top;
  DELETE FROM usage_identity_clash WHERE metered_at < (SELECT sealed_since FROM usage_generation);
  RETURN count;
END
$$;

ALTER TABLE usage_generation DROP COLUMN complete_since;
