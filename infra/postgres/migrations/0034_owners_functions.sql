-- Functions with the owner's rights are for the services alone: not for everyone who may read the books.

-- Up Migration

-- Whoever writes usage keeps what metering and housekeeping need, so that services at work go on.
DO $$
DECLARE
  service name;
BEGIN
  FOR service IN
    SELECT rolname
    FROM pg_class
    CROSS JOIN LATERAL aclexplode(relacl) AS given
    JOIN pg_roles ON pg_roles.oid = given.grantee
    WHERE pg_class.oid = 'usage_page'::regclass AND privilege_type = 'INSERT'
  LOOP
    EXECUTE format(
      'GRANT EXECUTE ON FUNCTION add_usage_month(timestamptz), drop_usage_month(timestamptz),
         begin_usage_generation(timestamptz, timestamptz) TO %I', service);
  END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION add_usage_month(timestamptz), drop_usage_month(timestamptz),
  begin_usage_generation(timestamptz, timestamptz) FROM PUBLIC;

-- Down Migration

GRANT EXECUTE ON FUNCTION add_usage_month(timestamptz), drop_usage_month(timestamptz),
  begin_usage_generation(timestamptz, timestamptz) TO PUBLIC;
