import type { Bug } from "../bug.ts";

export const bug: Bug = {
  breaks: "Each call for a payment has a new key at the gateway.",
  promise: "Each crossing brings one charge.",
  edits: [
    {
      file: "services/top-up/payment-key.ts",
      search: "import { createHash } from",
      replacement: "import { createHash, randomUUID } from",
    },
    {
      file: "services/top-up/payment-key.ts",
      search: `keyOf(["payment", accountId, accountCreatedAt, paymentId, attempt]);
}

/** More`,
      replacement: `keyOf(["payment", randomUUID()]);
}

/** More`,
    },
  ],
  caughtBy: { file: "test/top-up/payment-key.test.ts" },
};
