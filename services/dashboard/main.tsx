import { render } from "preact";
import { forgetKey, keepAccess, keepKey, keptKey } from "./access/keep-access.ts";
import { NoAccess } from "./access/no-access.tsx";
import { AccountPage } from "./page/account-page.tsx";
import { openAccount } from "./state/open-account.ts";
import { setLocale } from "./text/locale.ts";
import "./style/page.css";

const KEY_IN_LINK =
  "The link held a key, which the browser's history may keep: it was not used. Revoke it, and paste another here.";

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
  await startOperators(root, access.hadKey ? KEY_IN_LINK : null);
}

/** `reason`: why a key is asked for, though one was given; null: none was. */
async function startOperators(root: HTMLElement, reason: string | null): Promise<void> {
  const { OperatorsPage } = await import("./operators/operators-page.tsx");
  const { SignIn } = await import("./operators/sign-in.tsx");
  const { watchOperations } = await import("./operators/watch-operations.ts");

  function ask(why: string | null): void {
    forgetKey();
    render(<SignIn reason={why} signedIn={open} />, root);
  }
  function open(key: string): void {
    keepKey(key);
    const watched = watchOperations(key, ask);
    render(<OperatorsPage watched={watched} credential={key} signOut={signOut} />, root);
  }
  // A reload leaves the key nowhere in the page's memory.
  function signOut(): void {
    forgetKey();
    location.reload();
  }
  const key = reason === null ? keptKey() : null;
  if (key === null) ask(reason);
  else open(key);
}
