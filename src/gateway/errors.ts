import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { ProviderError } from "./provider.ts";
import { StoreError } from "./store.ts";

/** An answer that is an error: one sentence, and where there are several problems, each of them. */
export interface ErrorAnswer {
  readonly error: string;
  readonly problems?: readonly string[];
}

interface Described {
  readonly status: number;
  readonly answer: ErrorAnswer;
}

/** Turns anything thrown in a request into a JSON answer; only what was not foreseen is logged with its stack. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, answer } = describe(error);
  if (status === 500) request.log.error({ err: error }, "request failed");
  else if (status > 500) request.log.warn({ reason: answer.error }, "request refused");
  if (status === 503) reply.header("retry-after", "5");
  return reply.code(status).send(answer);
}

function describe(error: unknown): Described {
  if (error instanceof ProviderError) return { status: error.status, answer: { error: error.message } };
  if (error instanceof StoreError) return { status: 503, answer: { error: error.message } };
  if (isHttpError(error)) return { status: error.statusCode, answer: { error: messageFor(error) } };
  return { status: 500, answer: { error: "the gateway failed; its log says why" } };
}

function isHttpError(error: unknown): error is FastifyError & { statusCode: number } {
  return (
    error instanceof Error &&
    "statusCode" in error &&
    typeof error.statusCode === "number" &&
    error.statusCode >= 400 &&
    error.statusCode < 500
  );
}

// Fastify's own texts may quote the body; these do not.
function messageFor(error: FastifyError & { statusCode: number }): string {
  switch (error.statusCode) {
    case 413:
      return "the request body is too large";
    case 415:
      return "send the body as application/json";
    default:
      return error.code?.startsWith("FST_ERR_CTP") || error instanceof SyntaxError
        ? "the body is not valid JSON"
        : "the request is not valid";
  }
}
