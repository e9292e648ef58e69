-- Names for people also of dimensions of usage, such as model, and of their values. A version before this one
-- refuses to show such names, so set them once all services run this one.

-- Up Migration

ALTER TABLE display_name
  DROP CONSTRAINT display_name_what_check,
  ADD CONSTRAINT display_name_what_check
    CHECK (what IN ('meter', 'plan', 'add_on', 'dimension', 'dimension_value'));

COMMENT ON TABLE display_name IS 'The latest name of a meter, a plan, an add-on, a dimension or a value of one, and a meter''s unit; null: its id is shown, without a unit.';
COMMENT ON COLUMN display_name.id IS 'Of a dimension''s value the dimension with it: model=gpt-5.';

-- Down Migration

DELETE FROM display_name WHERE what IN ('dimension', 'dimension_value');

ALTER TABLE display_name
  DROP CONSTRAINT display_name_what_check,
  ADD CONSTRAINT display_name_what_check CHECK (what IN ('meter', 'plan', 'add_on'));

COMMENT ON TABLE display_name IS 'The latest name of a meter, a plan or an add-on, and a meter''s unit; null: its id is shown, without a unit.';
COMMENT ON COLUMN display_name.id IS NULL;
