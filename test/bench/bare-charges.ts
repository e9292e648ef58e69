/**
 * The floor of top-ups: has the simulated gateway charge, as many concurrently as the top-up service
 * does, without books. Takes the gateway's URL and the number of charges; prints the number done.
 */
const [url = "", total = "0"] = process.argv.slice(2);
const AT_ONCE = 128;
const SAY_EVERY = 50;

let asked = 0;
let done = 0;
await Promise.all(Array.from({ length: AT_ONCE }, chargeOn));

async function chargeOn(): Promise<void> {
  while (asked < Number(total)) {
    asked += 1;
    await charge(asked);
    done += 1;
    if (done % SAY_EVERY === 0) console.log(done);
  }
}

async function charge(number: number): Promise<void> {
  const response = await fetch(new URL("/v1/payments", url), {
    method: "POST",
    headers: { "Idempotency-Key": `bare-${number}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      account_id: `account-${number}`,
      payment_id: "low-balance:1",
      amount: "1000",
      currency: "USD",
      customer: `cus_account-${number}`,
      method: "card_approve",
    }),
  });
  if (!response.ok) throw new Error(`the gateway answered ${response.status}`);
  await response.json();
}
