import { useEffect, useRef, useState } from "preact/hooks";
import { signedCredits } from "../text/credit-text.ts";

/**
 * Shows the latest change of the balance beside it for a moment. It has a fixed place, so that nothing
 * moves, and is hidden from screen readers.
 */
export function BalanceChange({ balance }: { balance: bigint }) {
  const before = useRef(balance);
  const [change, setChange] = useState<{ by: bigint; count: number }>({ by: 0n, count: 0 });
  useEffect(() => {
    const by = balance - before.current;
    before.current = balance;
    if (by !== 0n) setChange(({ count }) => ({ by, count: count + 1 }));
  }, [balance]);
  if (change.by === 0n) return null;
  return (
    <span key={change.count} class={`change ${change.by > 0n ? "good" : ""}`} aria-hidden="true">
      {signedCredits(change.by)}
    </span>
  );
}
