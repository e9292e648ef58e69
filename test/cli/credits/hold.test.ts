import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Books, openAccount, openBooks } from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";

let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);

beforeAll(async () => {
  books = await openBooks();
  await openAccount(books, "acme", { lots: [{ credits: 10_000_000n }] });
  await openAccount(books, "other", { lots: [{ credits: 10_000_000n }] });
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
});

afterAll(() => books.close());

test("a hold is made, extended, captured and shown", async () => {
  const made = await run("hold make acme 2.5 --id run-1 --for 60 --by kim");
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(made.stdout).toMatch(
    /^Hold run-1 is open: it sets 2.5 credits of acme aside, until .*Z\.\n$/,
  );
  const again = await json("hold make acme 2.5 --id run-1 --for 60 --by kim");
  expect(again).toMatchObject({ hold_id: "run-1", credits: "2500000", requested_by: "kim" });
  const extended = await json("hold extend acme run-1 --for 3600");
  expect(Date.parse(extended.expires_at)).toBeGreaterThan(Date.parse(again.expires_at));
  expect((await run("hold list acme")).stdout).toMatch(
    /HOLD +STATUS +GIVEN +USED +HELD +ENDS\nrun-1 +open +2.5 +0 +2.5 +/,
  );
  expect(await json("hold capture acme run-1 1")).toMatchObject({
    ...{ status: "captured", captured: "1000000", held: "1000000" },
  });
  expect((await run("hold show acme run-1")).stdout).toMatch(
    /^hold +run-1\n[\s\S]*status +captured\n[\s\S]*captured +1\nheld +1\nrequested by +kim\n/,
  );
});

test("ended holds are listed page by page, the last one first", async () => {
  for (const id of ["a", "b", "c"]) {
    await run(`hold make other 1 --id ${id}`);
    expect((await run(`hold release other ${id}`)).stdout).toMatch(
      new RegExp(`^Hold ${id} is released: it has ended, at .*Z\\.\\n$`),
    );
  }
  expect((await json("hold list other")).items).toEqual([]);
  expect((await run("hold list other")).stdout).toBe("No holds.\n");
  const first = await json("hold list other --ended --limit 2");
  expect(first.items.map((one: { hold_id: string }) => one.hold_id)).toEqual(["c", "b"]);
  const then = await json(`hold list other --ended --limit 2 --cursor ${first.next_cursor}`);
  expect(then.items.map((one: { hold_id: string }) => one.hold_id)).toEqual(["a"]);
  expect(then.next_cursor).toBeNull();
});

describe("is refused in a sentence", () => {
  test.each([
    [
      1,
      "make acme 100",
      "the hold asks for 100 credits, and 9 are available; auto top-up is stopped, or has no payment method\n",
    ],
    [1, "make nobody 1", "there is no account nobody"],
    [2, "make acme -1", /./],
    [2, "make acme 1 --id ..", "--id is .., which URLs resolve"],
    [2, "make acme 1 --for 86401", "--for is 86401; at most 86400 seconds are allowed"],
    [2, "make acme 1 --for 0", /--for/],
    [1, "capture acme run-1 2", /captured/],
    [1, "release acme run-1", /captured/],
    [1, "show other run-1", /run-1/],
    [1, "extend acme none", /none/],
  ])("%i: hold %s", async (code, line, says) => {
    const ran = await run(`hold ${line}`);
    expect([ran.code, ran.stdout]).toEqual([code, ""]);
    expect(ran.stderr).toMatch(says);
  });
});
