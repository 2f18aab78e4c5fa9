import { randomBytes } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { errorCode } from "../failure.ts";
import type { Guard } from "./operation.ts";

interface Fault {
  readonly rule: string;
  readonly status: number;
  readonly what: string;
}

/** Writes down what never became a request. */
export function noteMalformed(guard: Guard, rule: string, what: string, status?: number): void {
  guard.tally.deny(rule);
  const id = randomBytes(6).toString("hex");
  const answered = status === undefined ? {} : { status };
  try {
    guard.audit.write({ id, event: "done", decision: "deny", rule, message: what, ...answered });
  } catch (error) {
    guard.complain(errorCode(error));
  }
}

/**
 * Answers bytes that are no request of HTTP/1.1, and closes the connection. In the middle of another answer nothing is
 * said: it would be taken for a part of that.
 */
export function answerMalformed(guard: Guard, error: Error, socket: Duplex, answering: boolean): void {
  const code = errorCode(error);
  // The client left in the middle of a request: nothing was asked.
  const left = ["ECONNRESET", "EPIPE", "HPE_INVALID_EOF_STATE"].includes(code);
  if (left || !socket.writable) return void socket.destroy();
  const { rule, status, what } = faultOf(code);
  noteMalformed(guard, rule, `${what} (${code})`, answering ? undefined : status);
  if (answering) return void socket.destroy();
  const body = `${JSON.stringify({ message: `sandbox guard: ${what} (rule ${rule})` })}\n`;
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nConnection: close\r\n`;
  socket.once("finish", () => socket.destroy());
  socket.end(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, "latin1");
}

function faultOf(code: string): Fault {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return { rule: "framing.header-size", status: 431, what: "the headers are longer than 16 KiB" };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { rule: "framing.timeout", status: 408, what: "the request did not arrive in time" };
    default:
      return { rule: "framing.malformed", status: 400, what: "this is no request of HTTP/1.1" };
  }
}
