import { render } from "preact";
import { keepAccess } from "./access/keep-access.ts";
import { NoAccess } from "./access/no-access.tsx";
import { AccountPage } from "./page/account-page.tsx";
import { openAccount } from "./state/open-account.ts";
import { setLocale } from "./text/locale.ts";
import "./style/page.css";

setLocale(navigator.language);
const page = document.getElementById("page");
if (page !== null) await start(page);
// A link pasted into an open page changes only its fragment.
addEventListener("hashchange", () => location.reload());

async function start(root: HTMLElement): Promise<void> {
  const access = keepAccess();
  if (access === null) {
    render(<NoAccess reason="none" />, root);
    return;
  }
  if (access.kind === "account") {
    render(<AccountPage open={openAccount(access)} />, root);
    return;
  }
  const { OperatorsPage } = await import("./operators/operators-page.tsx");
  const { watchOperations } = await import("./operators/watch-operations.ts");
  render(<OperatorsPage watched={watchOperations(access.key)} />, root);
}
