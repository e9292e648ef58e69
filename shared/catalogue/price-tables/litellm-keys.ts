import { type Band, NO_BAND } from "./price-row.ts";

/** What a key of LiteLLM's file prices: `per` units of a kind, from a band on. */
export interface PricedKind {
  readonly kind: string;
  /** The units that the number in the file is for. */
  readonly per: bigint;
  readonly band: Band;
}

/** `search_context_cost_per_query`: a price for each size of the context that a search brings. */
export const SEARCH_KEY = "search_context_cost_per_query";
export const SEARCH_KINDS: ReadonlyMap<string, string> = new Map(
  ["low", "medium", "high"].map((size) => [`search_context_size_${size}`, `searches_${size}`]),
);

const KINDS: ReadonlyMap<string, string> = new Map([
  ["input_cost_per_token", "input_tokens"],
  ["output_cost_per_token", "output_tokens"],
  ["output_cost_per_reasoning_token", "reasoning_tokens"],
  ["cache_read_input_token_cost", "cache_read_tokens"],
  ["input_cost_per_token_cache_hit", "cache_read_tokens"],
  ["cache_creation_input_token_cost", "cache_write_tokens"],
  ["input_cost_per_audio_token", "input_audio_tokens"],
  ["output_cost_per_audio_token", "output_audio_tokens"],
  ["cache_read_input_audio_token_cost", "cache_read_audio_tokens"],
  ["cache_creation_input_audio_token_cost", "cache_write_audio_tokens"],
  ["input_cost_per_image_token", "input_image_tokens"],
  ["output_cost_per_image_token", "output_image_tokens"],
  ["cache_read_input_image_token_cost", "cache_read_image_tokens"],
  ["input_cost_per_video_token", "input_video_tokens"],
  ["output_cost_per_video_token", "output_video_tokens"],
  ["citation_cost_per_token", "citation_tokens"],
  ["computer_use_input_cost_per_1k_tokens", "computer_use_input_tokens"],
  ["computer_use_output_cost_per_1k_tokens", "computer_use_output_tokens"],
  ["input_cost_per_character", "input_characters"],
  ["output_cost_per_character", "output_characters"],
  ["input_cost_per_pixel", "input_pixels"],
  ["output_cost_per_pixel", "output_pixels"],
  ["input_cost_per_image", "input_images"],
  ["output_cost_per_image", "output_images"],
  ["input_cost_per_second", "input_seconds"],
  ["output_cost_per_second", "output_seconds"],
  ["input_cost_per_audio_per_second", "input_audio_seconds"],
  ["output_cost_per_audio_per_second", "output_audio_seconds"],
  ["input_cost_per_video_per_second", "input_video_seconds"],
  ["output_cost_per_video_per_second", "output_video_seconds"],
  ["input_cost_per_query", "queries"],
  ["input_cost_per_request", "requests"],
  ["google_maps_grounding_cost_per_query", "google_maps_queries"],
  ["ocr_cost_per_page", "ocr_pages"],
  ["annotation_cost_per_page", "annotation_pages"],
  ["code_interpreter_cost_per_session", "code_interpreter_sessions"],
  ["file_search_cost_per_1k_calls", "file_search_calls"],
]);

/** How long a cache keeps what is written. */
const TTL = /_above_(\d{1,3})hr$/;
const ABOVE = /_above_(\d{1,6})(k_tokens|s_interval)/;
const VARIANT =
  /_(flex|priority|batches|batch_requests|fast|ultrafast|balanced|\d[\d.]{0,4}[kKp]?)$/;

/** What a key prices; null: it is no price that is known. */
export function pricedBy(key: string): PricedKind | null {
  const known = KINDS.get(key);
  if (known !== undefined) return priced(known, key, NO_BAND);
  const [above, threshold, unit] = ABOVE.exec(key) ?? [];
  const unbanded = above === undefined ? key : key.replace(above, "");
  const variant = VARIANT.exec(unbanded)?.[1];
  const plain = variant === undefined ? unbanded : unbanded.slice(0, -variant.length - 1);
  const hours = TTL.exec(plain)?.[1];
  const base = KINDS.get(plain.replace(TTL, ""));
  if (base === undefined) return null;
  const kind = [base, ...(hours === undefined ? [] : [`${hours}h`]), ...variantName(variant)].join(
    "_",
  );
  return priced(kind, key, threshold === undefined ? NO_BAND : bandAbove(threshold, unit));
}

/** True for a key that seems to state a price, known or not. */
export function soundsLikePrice(key: string): boolean {
  return /cost|price|pricing/.test(key);
}

function priced(kind: string, key: string, band: Band): PricedKind {
  return { kind, per: key.includes("_per_1k_") ? 1000n : 1n, band };
}

/** "Above" means the next whole unit on. */
function bandAbove(threshold: string, unit: string | undefined): Band {
  return unit === "k_tokens"
    ? { of: "context", from: BigInt(threshold) * 1000n + 1n }
    : { of: "quantity", from: BigInt(threshold) + 1n };
}

function variantName(variant: string | undefined): string[] {
  if (variant === undefined) return [];
  return [variant.startsWith("batch") ? "batch" : variant.toLowerCase()];
}
