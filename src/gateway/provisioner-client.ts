import * as z from "zod";
import { type JsonAnswer, requestJson } from "./http-json.ts";
import { ProviderError } from "./provider.ts";

/** A sandbox as the provisioner reports it. */
export interface ProvisionedSandbox {
  readonly sandboxUrl: string;
  readonly status: string;
}

/** The provisioner's API as DeerFlow's provisioner speaks it. Every call throws a ProviderError on failure. */
export interface ProvisionerClient {
  readonly create: (sandboxId: string) => Promise<ProvisionedSandbox>;
  /** Undefined while the provisioner does not know the sandbox. */
  readonly find: (sandboxId: string, signal: AbortSignal) => Promise<ProvisionedSandbox | undefined>;
  /** Succeeds when the sandbox is gone, whoever removed it. */
  readonly remove: (sandboxId: string) => Promise<void>;
  readonly checkHealth: () => Promise<void>;
}

const sandboxSchema = z.object({
  sandbox_url: z.url({ protocol: /^https?$/ }),
  status: z.string().default(""),
});
const errorSchema = z.object({ detail: z.string() });
const createMs = 60_000;
const removeMs = 15_000;
const healthMs = 3_000;

/** A client for one provisioner; an empty key sends no key, as its own platform does. */
export function createProvisionerClient(baseUrl: string, apiKey: string): ProvisionerClient {
  const root = baseUrl.replace(/\/+$/, "");
  const headers = apiKey === "" ? {} : { "x-api-key": apiKey };
  const call = async (
    method: "GET" | "POST" | "DELETE",
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<JsonAnswer> => {
    try {
      return await requestJson({ method, url: `${root}${path}`, headers, signal, body });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ProviderError(503, `the provisioner at ${root} does not answer: ${reason}`, error);
    }
  };
  const pathOf = (sandboxId: string): string => `/api/sandboxes/${encodeURIComponent(sandboxId)}`;
  return {
    async create(sandboxId) {
      const body = { sandbox_id: sandboxId, thread_id: `run-${sandboxId}`, user_id: "default" };
      const answer = await call("POST", "/api/sandboxes", AbortSignal.timeout(createMs), body);
      return readSandbox(answer, "create a sandbox");
    },
    async find(sandboxId, signal) {
      const answer = await call("GET", pathOf(sandboxId), signal);
      return answer.status === 404 ? undefined : readSandbox(answer, "show the sandbox");
    },
    async remove(sandboxId) {
      const answer = await call("DELETE", pathOf(sandboxId), AbortSignal.timeout(removeMs));
      if (!isSuccess(answer) && answer.status !== 404) throw refusal(answer, "remove the sandbox");
    },
    async checkHealth() {
      const answer = await call("GET", "/health", AbortSignal.timeout(healthMs));
      if (!isSuccess(answer)) throw refusal(answer, "answer /health");
    },
  };
}

function isSuccess(answer: JsonAnswer): boolean {
  return answer.status >= 200 && answer.status < 300;
}

function readSandbox(answer: JsonAnswer, wanted: string): ProvisionedSandbox {
  if (!isSuccess(answer)) throw refusal(answer, wanted);
  const sandbox = sandboxSchema.safeParse(answer.body);
  if (!sandbox.success) {
    throw new ProviderError(502, `the provisioner was asked to ${wanted} and answered without a usable sandbox_url`);
  }
  return { sandboxUrl: sandbox.data.sandbox_url.replace(/\/+$/, ""), status: sandbox.data.status };
}

function refusal(answer: JsonAnswer, wanted: string): ProviderError {
  if (answer.status === 401 || answer.status === 403) {
    return new ProviderError(
      502,
      `the provisioner refused the API key (HTTP ${answer.status}): sandbox.provisioner_api_key must equal its PROVISIONER_API_KEY`,
    );
  }
  const error = errorSchema.safeParse(answer.body);
  const detail = error.success ? `: ${error.data.detail.slice(0, 300)}` : "";
  return new ProviderError(502, `the provisioner did not ${wanted} (HTTP ${answer.status})${detail}`);
}
