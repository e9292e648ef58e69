-- What forms pseudonyms depends on a conversion of text, as `convert_to` says of itself: in one database the result
-- never changes, but Postgres puts a function in place of its call only if it says no more than what it calls.

-- Up Migration

ALTER FUNCTION erased_value(bytea, text) STABLE;
ALTER FUNCTION erased_dimensions(bytea, text[], jsonb) STABLE;
ALTER FUNCTION erased_reference(text, text) STABLE;

-- Down Migration

ALTER FUNCTION erased_value(bytea, text) IMMUTABLE;
ALTER FUNCTION erased_dimensions(bytea, text[], jsonb) IMMUTABLE;
ALTER FUNCTION erased_reference(text, text) IMMUTABLE;
