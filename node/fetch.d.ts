import type { Client, ProviderConfig } from "./index.js";

/**
 * A `fetch` on the engine, for the providers' own SDKs: `new OpenAI({ fetch: createFetch() })`.
 * Requests and answers pass through verbatim.
 *
 * `from`: a client, whose configuration has a provider at each origin that is asked; or the settings
 * of the providers that are made for origins as they come, such as `{ ca_file: "/etc/our.pem" }`.
 */
export function createFetch(from?: Client | ProviderConfig): typeof globalThis.fetch;
