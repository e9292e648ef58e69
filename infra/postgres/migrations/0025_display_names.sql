-- Names for people: of meters, plans and add-ons, and the units that meters count.

-- Up Migration

CREATE TABLE display_name (
  what      text NOT NULL CHECK (what IN ('meter', 'plan', 'add_on')),
  id        text COLLATE "C" NOT NULL,
  name      text,
  unit_one  text,
  unit_many text,
  set_by    text,
  PRIMARY KEY (what, id),
  CHECK (num_nulls(name, unit_one) < 2),
  CHECK ((unit_one IS NULL) = (unit_many IS NULL)),
  CHECK (what = 'meter' OR unit_one IS NULL)
);

COMMENT ON TABLE display_name IS 'The latest name of a meter, a plan or an add-on, and a meter''s unit; null: its id is shown, without a unit.';

-- Down Migration

DROP TABLE display_name;
