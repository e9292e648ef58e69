import { useId, useState } from "preact/hooks";
import { EVENT_TYPES } from "../../../shared/core/webhooks/event-types.ts";
import { Problem, request } from "../api/request.ts";
import { fieldText } from "../parts/field.tsx";

/** Asks for a URL and types, makes an endpoint, and shows its secret until the page is left. */
export function NewWebhook({ credential }: { readonly credential: string }) {
  const id = useId();
  const [secret, setSecret] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [isSending, setSending] = useState(false);

  const send = async (form: HTMLFormElement): Promise<void> => {
    const types = new FormData(form).getAll("type");
    setSending(true);
    try {
      const body = { url: fieldText(form, "url"), types };
      const options = { method: "POST", body } as const;
      const made = await request<{ readonly secret: string }>(credential, "/v1/webhooks", options);
      form.reset();
      setSecret(made.secret);
      setWrong(null);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setWrong(error.message);
    }
    setSending(false);
  };

  return (
    <details>
      <summary>New endpoint</summary>
      <form
        method="post"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isSending) void send(event.currentTarget);
        }}
      >
        <div class="field">
          <label for={id}>URL</label>
          <div class="amount">
            <input
              id={id}
              name="url"
              type="url"
              placeholder="https://example.com/drawdown"
              autocomplete="off"
              aria-describedby={`${id}-hint`}
              aria-invalid={wrong !== null}
            />
          </div>
          <p id={`${id}-hint`} class={wrong === null ? "note" : "note bad"} aria-live="polite">
            {wrong ?? "Events are posted to it, signed. Needs a key with the scope admin."}
          </p>
        </div>
        {EVENT_TYPES.map((type) => (
          <label class="switch" key={type}>
            <input type="checkbox" name="type" value={type} /> {type}
          </label>
        ))}
        <button type="submit" class="button" aria-disabled={isSending}>
          Create
        </button>
      </form>
      {secret !== null && (
        <p role="status">
          Its secret, shown only now: <code>{secret}</code>
        </p>
      )}
    </details>
  );
}
