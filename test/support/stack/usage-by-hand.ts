/**
 * Lets tests write to the view usage_record as if it was a table, to plant faults in it: the page of a
 * record is first divided into pages of one record each, under the same key.
 */
export const USAGE_BY_HAND = `
CREATE FUNCTION event_key_by_hand(account_id text, source text, event_id text) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
  WITH id AS (
    SELECT CASE
      WHEN event_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
        THEN replace(event_id, '-', '')
      ELSE overlay(left(encode(sha256(convert_to(event_id, 'UTF8')), 'hex'), 32) PLACING '8' FROM 13)
    END AS digits
  )
  SELECT (left(digits, 16) || lpad(to_hex((('x' || right(digits, 16))::bit(64) # ('x' || left(
    encode(sha256(convert_to(account_id, 'UTF8') || '\\x00' || convert_to(source, 'UTF8')), 'hex'), 16)
    )::bit(64))::bigint), 16, '0'))::uuid
  FROM id
$$;

CREATE FUNCTION add_record_by_hand(record usage_record) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO usage_page (
    account_id, start_position, version, end_position, place, metered_at, first_at, last_at, first_offset,
    last_offset, event_ids, meters, sources, dimensions, quantities, occurred_after, credits, given_back, starts,
    kafka_partitions, kafka_offsets, versions_after, hold_ids)
  VALUES (
    record.account_id, coalesce(record.page_start, record.start_position),
    coalesce(record.page_version, record.version, 1),
    record.start_position + record.credits - coalesce(record.given_back, 0),
    coalesce(record.place, 1) - 1, record.metered_at, record.occurred_at, record.occurred_at,
    record.kafka_offset, record.kafka_offset, ARRAY[record.event_id], ARRAY[record.meter], ARRAY[record.source],
    CASE WHEN record.dimensions IS NOT NULL THEN ARRAY[record.dimensions] END,
    ARRAY[record.quantity], ARRAY[0], ARRAY[record.credits],
    CASE WHEN record.given_back IS NOT NULL THEN ARRAY[record.given_back] END,
    ARRAY[record.start_position], ARRAY[record.kafka_partition], ARRAY[record.kafka_offset],
    CASE WHEN record.version <> record.page_version
      THEN ARRAY[(record.version - record.page_version)::integer] END,
    CASE WHEN record.hold_id IS NOT NULL THEN ARRAY[record.hold_id] END);
END
$$;

CREATE FUNCTION change_usage_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM add_record_by_hand(record)
    FROM usage_record AS record
    WHERE account_id = OLD.account_id AND page_start = OLD.page_start
      AND page_version = OLD.page_version AND page_place = OLD.page_place
      AND EXISTS (SELECT FROM usage_page AS page
                  WHERE page.account_id = OLD.account_id AND page.start_position = OLD.page_start
                    AND page.version = OLD.page_version AND page.place = OLD.page_place
                    AND cardinality(quantities) > 1);
    DELETE FROM usage_page
    WHERE account_id = OLD.account_id AND start_position = OLD.page_start
      AND version = OLD.page_version AND place = OLD.page_place AND cardinality(quantities) > 1;
    DELETE FROM usage_page
    WHERE account_id = OLD.account_id AND start_position = OLD.page_start
      AND version = OLD.page_version AND cardinality(quantities) = 1
      AND coalesce(event_uuids[1]::text, event_ids[1]) = OLD.event_id AND sources[1] = OLD.source
      AND kafka_partitions[1] = OLD.kafka_partition AND kafka_offsets[1] = OLD.kafka_offset
      AND meters[1] = OLD.meter;
    IF NOT FOUND THEN RAISE EXCEPTION 'record % not found by hand', OLD.event_id; END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  END IF;
  PERFORM add_record_by_hand(NEW);
  INSERT INTO usage_identity_1
  VALUES (event_key_by_hand(NEW.account_id, NEW.source, NEW.event_id),
          coalesce(NEW.page_start, NEW.start_position), coalesce(NEW.page_version, NEW.version, 1))
  ON CONFLICT DO NOTHING;
  RETURN NEW;
END
$$;

CREATE TRIGGER change_usage_by_hand INSTEAD OF INSERT OR UPDATE OR DELETE ON usage_record
FOR EACH ROW EXECUTE FUNCTION change_usage_by_hand();

CREATE FUNCTION change_spend_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO spend_hour AS known
  VALUES (OLD.account_id, OLD.hour, OLD.meter, NEW.events - OLD.events, NEW.quantity - OLD.quantity,
          NEW.credits - OLD.credits)
  ON CONFLICT (account_id, hour, meter) DO UPDATE
  SET events = known.events + excluded.events, quantity = known.quantity + excluded.quantity,
      credits = known.credits + excluded.credits;
  RETURN NEW;
END
$$;

CREATE TRIGGER change_spend_by_hand INSTEAD OF UPDATE ON spend
FOR EACH ROW EXECUTE FUNCTION change_spend_by_hand();`;
