-- Which versions can work with these tables. A migration that takes away what versions before used says here which
-- one is the oldest that does without: older services refuse to start.

-- Up Migration

CREATE TABLE oldest_version (
  is_only   boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  migration text COLLATE "C" NOT NULL
);

COMMENT ON TABLE oldest_version IS 'The newest migration of the oldest version that can work with these tables.';

INSERT INTO oldest_version (migration) VALUES ('0059_oldest_version');

-- Down Migration

DROP TABLE oldest_version;
