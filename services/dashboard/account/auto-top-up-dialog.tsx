import { useState } from "preact/hooks";
import type { AccountData } from "../../../shared/contract/account.ts";
import { formatCredits } from "../../../shared/core/text/credits-text.ts";
import { formatMoney } from "../../../shared/core/text/money.ts";
import { Problem } from "../api/request.ts";
import { Dialog } from "../parts/dialog.tsx";
import { AmountField, fieldText } from "../parts/field.tsx";
import type { OpenAccount } from "../state/open-account.ts";
import { ceilingsText, monthText } from "../text/auto-top-up-text.ts";
import { moneyText } from "../text/credit-text.ts";
import { enteredText } from "../text/locale.ts";
import { readCredits, readMoney } from "./read-amount.ts";

interface AutoTopUpDialogProps {
  readonly open: OpenAccount;
  readonly account: AccountData;
  readonly close: () => void;
}

interface Wrong {
  readonly amount?: string;
  readonly threshold?: string;
  readonly all?: string;
}

/** Sets auto top-up: on or off, the amount and the threshold. */
export function AutoTopUpDialog({ open, account, close }: AutoTopUpDialogProps) {
  const [wrong, setWrong] = useState<Wrong>({});
  const [isSaving, setSaving] = useState(false);
  const { auto_top_up: auto, currency } = account;

  const save = async (form: HTMLFormElement): Promise<void> => {
    const amount = readMoney(fieldText(form, "amount"), currency);
    const threshold = readCredits(fieldText(form, "threshold"));
    if ("wrong" in amount) return setWrong({ amount: amount.wrong });
    if ("wrong" in threshold) return setWrong({ threshold: threshold.wrong });
    setSaving(true);
    try {
      const switches = new FormData(form);
      const keep = switches.has("keep");
      // The amount first, since raising the threshold may charge the card.
      await open.api.setAutoTopUp(switches.has("enabled"), amount.amount, keep);
      if (threshold.amount !== BigInt(account.threshold)) {
        await open.api.setThreshold(threshold.amount);
      }
      await open.account.reload();
      close();
    } catch (error) {
      setWrong(wrongOf(error));
      setSaving(false);
      void open.account.reload();
    }
  };

  return (
    <Dialog title="Auto top-up" close={close}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isSaving) void save(event.currentTarget);
        }}
      >
        <label class="switch">
          <input type="checkbox" name="enabled" defaultChecked={auto.enabled} />
          <span>
            Buy credits when they run low <span class="note">{monthText(auto)}</span>
          </span>
        </label>
        <AmountField
          label="For"
          name="amount"
          unit={currency}
          start={enteredText(formatMoney(BigInt(auto.amount), currency))}
          hint={`At most ${moneyText(BigInt(auto.limit_per_day), currency)} a day and ${moneyText(BigInt(auto.limit_per_month), currency)} a month. ${ceilingsText(auto)}`}
          wrong={wrong.amount ?? null}
        />
        <AmountField
          label="When there are no more than"
          name="threshold"
          unit="credits"
          start={enteredText(formatCredits(BigInt(account.threshold)))}
          hint="At this balance, your credits count as low."
          wrong={wrong.threshold ?? null}
        />
        <label class="switch">
          <input type="checkbox" name="keep" defaultChecked={auto.keep_after_subscription} />
          <span>Go on when the plan ends</span>
        </label>
        {wrong.all !== undefined && (
          <p class="problem" role="alert">
            {wrong.all}
          </p>
        )}
        <button type="submit" class="button" aria-disabled={isSaving}>
          {isSaving ? "Saving" : "Save"}
        </button>
      </form>
    </Dialog>
  );
}

function wrongOf(error: unknown): Wrong {
  if (!(error instanceof Problem)) throw error;
  if (error.field?.endsWith("amount")) return { amount: error.message };
  if (error.field?.endsWith("threshold")) return { threshold: error.message };
  return { all: error.message };
}
