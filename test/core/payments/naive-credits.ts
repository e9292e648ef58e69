/**
 * An account in which every single credit is an item of its own: an array, oldest first, of the lot that
 * each came with and what became of it. It knows no line and no position, and shares no code with
 * shared/core; for small amounts only. It is the reference for reversals.
 */
interface Credit {
  readonly lotId: string;
  /** `lost`: expired or withdrawn before it was used. */
  state: "left" | "used" | "lost";
}

export function naiveCredits() {
  const credits: Credit[] = [];
  /** Per lot, spent credits already reversed. */
  const claimed = new Map<string, number>();
  /** Per lot, the refunded money, the money paid and the credits bought. */
  const back = new Map<string, { paid: number; credits: number; returned: number }>();
  let debt = 0;

  const left = (lotId?: string) =>
    credits.filter((one) => one.state === "left" && (lotId === undefined || one.lotId === lotId));

  /** Uses the oldest credits left; the rest becomes debt. */
  function use(count: number): void {
    const drawn = left().slice(0, count);
    for (const one of drawn) one.state = "used";
    debt += count - drawn.length;
  }

  /** The credits that go with `returned` of `paid`, counted in cents and rounded down. */
  function goneWith(returned: number, lot: { paid: number; credits: number }): number {
    let gone = 0;
    while ((gone + 1) * lot.paid <= Math.min(returned, lot.paid) * lot.credits) gone += 1;
    return gone;
  }

  return {
    grant(lotId: string, count: number, paid = 0): void {
      for (let i = 0; i < count; i += 1) credits.push({ lotId, state: "left" });
      if (paid > 0) back.set(lotId, { paid, credits: count, returned: 0 });
      const repaid = Math.min(debt, count);
      debt -= repaid;
      for (const one of credits.slice(-count).slice(0, repaid)) one.state = "used";
    },
    use,
    expire(lotId: string): void {
      for (const one of left(lotId)) one.state = "lost";
    },
    refund(lotId: string, money: number): { withdrawn: number; owed: number } {
      const lot = back.get(lotId);
      if (lot === undefined) throw new Error(`nobody paid for ${lotId}`);
      const claim = goneWith(lot.returned + money, lot) - goneWith(lot.returned, lot);
      lot.returned += money;
      // The lot's newest credits first: those that older usage would draw stay.
      const taken = left(lotId).reverse().slice(0, claim);
      for (const one of taken) one.state = "lost";
      const spent = credits.filter((one) => one.lotId === lotId && one.state === "used").length;
      const before = claimed.get(lotId) ?? 0;
      const owed = Math.min(claim - taken.length, spent - before);
      claimed.set(lotId, before + owed);
      use(owed);
      return { withdrawn: taken.length, owed };
    },
    balance: () => left().length - debt,
    left: (lotId: string) => left(lotId).length,
  };
}
