import { useSignal } from "@preact/signals";
import type { Download } from "../api/download.ts";
import { Problem } from "../api/request.ts";

interface ExportCsvProps {
  readonly what: string;
  /** Loads the whole list from the server. */
  readonly load: (onBytes: (bytes: number) => void) => Promise<Download>;
  readonly label?: string;
}

/** A button that saves a whole list as a CSV file, however much of it is shown: all of it or nothing. */
export function ExportCsv({ what, load, label = "Export CSV" }: ExportCsvProps) {
  const loaded = useSignal<number | null>(null);
  const problem = useSignal<string | null>(null);
  const saveFile = async (): Promise<void> => {
    problem.value = null;
    loaded.value = 0;
    try {
      save(await load((bytes) => (loaded.value = bytes)));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problem.value = `Nothing was exported. ${error.message}`;
    } finally {
      loaded.value = null;
    }
  };
  return (
    <span class="export">
      <button
        type="button"
        class="link"
        disabled={loaded.value !== null}
        onClick={() => void saveFile()}
        aria-label={`Export ${what} as CSV`}
      >
        {loaded.value === null ? label : `Exporting, ${Math.ceil(loaded.value / 1024)} KiB so far`}
      </button>
      {problem.value !== null && (
        <span class="note bad" role="alert">
          {" "}
          {problem.value}
        </span>
      )}
    </span>
  );
}

function save({ name, content }: Download): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
