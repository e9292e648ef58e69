import { useRef, useState } from "preact/hooks";
import type { AccountData } from "../../../shared/contract/account.ts";
import { formatMoney } from "../../../shared/core/text/money.ts";
import { Problem } from "../api/request.ts";
import { Dialog } from "../parts/dialog.tsx";
import { AmountField, fieldText } from "../parts/field.tsx";
import type { OpenAccount } from "../state/open-account.ts";
import { moneyText } from "../text/credit-text.ts";
import { enteredText } from "../text/locale.ts";
import { readMoney } from "./read-amount.ts";

interface TopUpDialogProps {
  readonly open: OpenAccount;
  readonly account: AccountData;
  readonly close: () => void;
}

/** Buys credits by hand. */
export function TopUpDialog({ open, account, close }: TopUpDialogProps) {
  const { currency } = account;
  const [wrong, setWrong] = useState<string | null>(null);
  const [isSending, setSending] = useState(false);
  // After a lost answer, the same amount is sent under the same key, and charged once.
  const sent = useRef<{ amount: bigint; key: string } | null>(null);

  const buy = async (form: HTMLFormElement): Promise<void> => {
    const typed = readMoney(fieldText(form, "amount"), currency);
    if ("wrong" in typed) {
      setWrong(typed.wrong);
      return;
    }
    if (sent.current?.amount !== typed.amount) {
      sent.current = { amount: typed.amount, key: newKey() };
    }
    setSending(true);
    try {
      await open.api.topUp(typed.amount, sent.current.key);
      await open.payments.reload();
      close();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // A refused top-up is final: the next attempt is another top-up.
      if (error.status >= 400 && error.status < 500) sent.current = null;
      setWrong(error.message);
      setSending(false);
    }
  };

  const { amount } = account.auto_top_up;
  return (
    <Dialog title="Top up" close={close}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isSending) void buy(event.currentTarget);
        }}
      >
        <AmountField
          label="Buy credits for"
          name="amount"
          unit={currency}
          start={enteredText(formatMoney(BigInt(amount), currency))}
          hint={`Auto top-up buys for ${moneyText(BigInt(amount), currency)}. Your card is charged immediately.`}
          wrong={wrong}
        />
        <button type="submit" class="button" aria-disabled={isSending}>
          {isSending ? "Sending" : "Top up"}
        </button>
      </form>
    </Dialog>
  );
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
