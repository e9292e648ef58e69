import { useSignal } from "@preact/signals";
import { Problem } from "../api/request.ts";
import { countText } from "../text/credit-text.ts";
import { type ExportedRows, wholeCsv } from "./whole-csv.ts";

interface ExportCsvProps {
  readonly what: string;
  /** Says the account and the range. */
  readonly file: string;
  readonly columns: readonly string[];
  /** Loads rows from a cursor on; null: from the first. */
  readonly load: (cursor: string | null) => Promise<ExportedRows>;
  readonly label?: string;
}

/** A button that saves a whole list as a CSV file, however much of it is shown: all of it or nothing. */
export function ExportCsv({ what, file, columns, load, label = "Export CSV" }: ExportCsvProps) {
  const loaded = useSignal<bigint | null>(null);
  const problem = useSignal<string | null>(null);
  const save = async (): Promise<void> => {
    problem.value = null;
    loaded.value = 0n;
    try {
      download(file, await wholeCsv(columns, load, (rows) => (loaded.value = rows)));
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
        onClick={() => void save()}
        aria-label={`Export ${what} as CSV`}
      >
        {loaded.value === null ? label : `Exporting, ${countText(loaded.value)} rows so far`}
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

function download(file: string, parts: string[]): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: "text/csv;charset=utf-8" }));
  link.download = `${file}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
