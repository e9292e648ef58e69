/** What must hold in any books at any time; the query finds the accounts where it does not. */
export interface Invariant {
  readonly holds: string;
  /** What it means when it does not hold. */
  readonly broken: string;
  readonly accounts: string;
}
