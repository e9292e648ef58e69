/** What a check looked at and what was wrong. */
export interface Checked {
  readonly what: string;
  readonly looked: number;
  readonly findings: readonly string[];
}

const MOST_SHOWN = 5;

/** Collects findings; all are counted, the first ones are told. */
export function openFindings(what: string) {
  const told: string[] = [];
  let found = 0;
  return {
    add(finding: string): void {
      found += 1;
      if (told.length < MOST_SHOWN) told.push(finding);
    },
    done(looked: number): Checked {
      const more = found > told.length ? [`and ${found - told.length} more`] : [];
      return { what, looked, findings: [...told, ...more] };
    },
  };
}
