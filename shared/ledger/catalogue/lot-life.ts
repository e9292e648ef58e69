/** A `LotLife`, of a table's columns `life` and `life_months`. */
export const LIFE = "jsonb_strip_nulls(jsonb_build_object('kind', life, 'months', life_months))";
