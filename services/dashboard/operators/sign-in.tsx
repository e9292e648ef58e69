import { useId, useRef, useState } from "preact/hooks";
import type { OperationsData } from "../../../shared/contract/operations.ts";
import { readKey } from "../access/access-link.ts";
import { Problem, request } from "../api/request.ts";

interface SignInProps {
  /** Why the key is asked for again; null: it was not given yet. */
  readonly reason: string | null;
  readonly signedIn: (key: string) => void;
}

const NO_KEY = "That is not an API key. A key begins with ddk_.";

/** Asks for an API key. It goes to the server in a header, never into the address. */
export function SignIn({ reason, signedIn }: SignInProps) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [wrong, setWrong] = useState(reason);
  const [isSending, setSending] = useState(false);

  const send = async (): Promise<void> => {
    const key = readKey(field.current?.value ?? "");
    if (key === null) {
      setWrong(NO_KEY);
      return;
    }
    setSending(true);
    try {
      await request<OperationsData>(key, "/v1/operations");
      signedIn(key);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setWrong(error.message);
      setSending(false);
    }
  };

  // The field has no name, so that no browser puts it into an address.
  return (
    <main class="page narrow">
      <section class="card">
        <h1 class="title">Sign in to the operators' page</h1>
        <form
          method="post"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (!isSending) void send();
          }}
        >
          <div class="field">
            <label for={id}>API key</label>
            <div class="amount">
              <input
                id={id}
                ref={field}
                type="password"
                autocomplete="off"
                spellcheck={false}
                aria-describedby={`${id}-hint`}
                aria-invalid={wrong !== null}
              />
            </div>
            <p id={`${id}-hint`} class={wrong === null ? "note" : "note bad"} aria-live="polite">
              {wrong ?? "With the scope metrics or admin. This tab keeps it until you close it."}
            </p>
          </div>
          <button type="submit" class="button" aria-disabled={isSending}>
            {isSending ? "Signing in" : "Sign in"}
          </button>
        </form>
      </section>
    </main>
  );
}
