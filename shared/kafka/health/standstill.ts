/** For how many milliseconds a value has been the same, each time it is looked at; 0: it has changed, or is null. */
export function standstill(
  now: () => number = () => performance.now(),
): (value: string | null) => number {
  let seen: string | null = null;
  let since = now();
  return (value) => {
    const at = now();
    if (value !== seen || value === null) since = at;
    seen = value;
    return at - since;
  };
}
