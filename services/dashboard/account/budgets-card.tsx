import type { BudgetData } from "../../../shared/contract/budget.ts";
import { budgetKey } from "../api/account-api.ts";
import { minute } from "../live/clock.ts";
import { Card, Content } from "../parts/card.tsx";
import { More } from "../parts/more.tsx";
import type { OpenAccount } from "../state/open-account.ts";
import { budgetName, fullText, spentText, turnText } from "../text/budget-text.ts";

/** What teams, users or keys may still spend, the fullest first; nothing where the account has no budgets. */
export function BudgetsCard({ open, zone }: { open: OpenAccount; zone: string }) {
  const { value } = open.budgets.state.value;
  if (value === null || value.items.length === 0) return null;
  return (
    <Card title="Budgets">
      <Content of={open.budgets.state.value} again={() => void open.budgets.reload()} lines={4}>
        {({ items }) => (
          <>
            <ul class="rows" aria-label="Budgets">
              {items
                .filter((budget) => budget.value !== null)
                .map((budget) => (
                  <Budget key={budgetKey(budget)} budget={budget} zone={zone} />
                ))}
            </ul>
            <div class="foot">
              <More list={open.budgets} what="budgets" />
            </div>
          </>
        )}
      </Content>
    </Card>
  );
}

function Budget({ budget, zone }: { budget: BudgetData; zone: string }) {
  const full = Number(BigInt(budget.spent) + BigInt(budget.held));
  const credits = Number(budget.credits);
  const isUsedUp = BigInt(budget.left) <= 0n;
  return (
    <li class="row">
      <div>
        <p class="paid-for">
          {budgetName(budget)} {isUsedUp && <span class="chip bad">used up</span>}
        </p>
        <p class="note">
          {spentText(budget)} {turnText(budget, zone, minute.value)}
        </p>
      </div>
      <div class="number">
        <meter
          min={0}
          max={Math.max(credits, 1)}
          high={credits * 0.8}
          optimum={0}
          value={isUsedUp ? Math.max(credits, 1) : full}
          aria-label={`${budgetName(budget)}: ${fullText(budget)}`}
        />
        <p class="note">{fullText(budget)}</p>
      </div>
    </li>
  );
}
