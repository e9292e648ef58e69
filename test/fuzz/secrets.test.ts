/** Keys and dashboard tokens as the API and the dashboard read them: both see the same account, or none. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { accessOf, accountOf, readKey } from "../../services/dashboard/access/access-link.ts";
import { dashboardPath } from "../../shared/contract/dashboard-token.ts";
import { idProblem } from "../../shared/core/text/text.ts";
import { newKey, newToken, readSecret } from "../../shared/ledger/access/api-secrets.ts";
import { fuzzing } from "./budget.ts";
import { inTime } from "./in-time.ts";
import { mutantTextsOf } from "./mutants.ts";

const account = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 256 })
  .filter((text) => idProblem("account id", text) === null);
const token = fc.tuple(account, fc.boolean()).map(([of, readOnly]) => newToken(of, readOnly).text);
const key = fc.constant(null).map(() => newKey().text);

test("a new token opens its account, at the API and by its link", () => {
  fc.assert(
    fc.property(account, fc.boolean(), (accountId, readOnly) => {
      const { text, hash } = newToken(accountId, readOnly);
      expect(readSecret(text)).toEqual({ kind: "token", accountId, hash });
      const [, fragment = ""] = dashboardPath(text).split("#");
      expect(accessOf(`#${fragment}`)).toEqual({
        kind: "account",
        token: text,
        accountId,
        readOnly,
      });
    }),
    fuzzing(),
  );
});

test("a changed token is none, or both read the same account in it", () => {
  fc.assert(
    fc.property(mutantTextsOf(token, ["_", "-", "ddr_"]), (text) => {
      const secret = inTime(() => readSecret(text));
      const shown = inTime(() => accountOf(text));
      inTime(() => accessOf(`#token=${text}`));
      if (secret?.kind !== "token" || shown === null) return;
      // What is not UTF-8 is no account's id, so such a token opens nothing.
      if (idProblem("account id", secret.accountId) === null) expect(shown).toBe(secret.accountId);
    }),
    fuzzing(),
  );
});

test("a changed key is none, or one of the same form", () => {
  fc.assert(
    fc.property(mutantTextsOf(key, ["_"]), (text) => {
      const secret = inTime(() => readSecret(text));
      const pasted = inTime(() => readKey(text));
      if (secret?.kind === "key") expect(pasted).toBe(text);
      if (pasted !== null) expect(readSecret(pasted)?.kind).toBe("key");
    }),
    fuzzing(),
  );
});
