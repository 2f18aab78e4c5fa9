import type { FilterNames } from "./filters.ts";
import type { ParameterType } from "./query.ts";

/** True or false. */
export const flag: ParameterType = { kind: "flag" };
/** Sent by some client, and without meaning for the engine. */
export const ignored: ParameterType = { kind: "ignored" };
/** Known, and only taken where it asks for nothing. */
export const unset: ParameterType = { kind: "unset" };

/** A text that matches a pattern as a whole; `what` says what it has to be. */
export function text(pattern: RegExp, what: string): ParameterType {
  return { kind: "text", pattern, what };
}

/** A whole number within bounds. */
export function integer(from: number, to: number): ParameterType {
  return { kind: "integer", from, to };
}

/** One of some values, which have no special characters. */
export function choice(...values: readonly string[]): ParameterType {
  return text(new RegExp(`^(?:${values.join("|")})$`), `one of ${values.join(", ")}`);
}

/** Rows and columns of a terminal. */
export const size = { h: integer(0, 10_000), w: integer(0, 10_000) };
/** A point in time, as the docker CLI and docker-py send it. */
export const time = text(/^\d{1,12}(?:\.\d{1,9})?$/, "seconds since 1970");
/** A signal by name or number. */
export const signal = text(
  /^(?:SIG)?[A-Z]{2,6}[12]?$|^(?:SIG)?RTM(?:IN\+|AX-)\d{1,2}$|^(?:[1-9]|[1-5]\d|6[0-4])$/i,
  "a signal",
);
/** How long to wait before a container is killed, and with what to stop it. */
export const stopping = { t: integer(-1, 1_000_000), signal };
/** Keys that end an attached terminal. */
export const detachKeys = text(/^[A-Za-z0-9@[\]^_\\,-]{1,64}$/, "keys such as ctrl-p,ctrl-q");
/** For which processor an image is meant. */
export const platform = text(/^[a-z0-9]+(?:\/[a-z0-9]+){0,2}$/, "a platform such as linux/amd64");
/** What to attach to. */
export const streams = { stream: flag, stdin: flag, stdout: flag, stderr: flag, logs: flag };
const words = /^[ -~]{1,256}$/;

/** What containers to list. Not `before` and `since`: they name one, and so tell whether a foreign one exists. */
export const containerFilters: FilterNames = {
  id: /^[0-9a-f]{1,64}$/,
  name: words,
  label: words,
  ancestor: words,
  status: /^[a-z]{1,16}$/,
  exited: /^\d{1,3}$/,
  health: /^[a-z]{1,16}$/,
};

/** What of the events of containers to tell. */
export const eventFilters: FilterNames = {
  type: /^container$/,
  event: /^[a-z_: -]{1,64}$/,
  container: words,
  image: words,
  label: words,
};

/** What images to list. Not `before`, `since` and `label`, which compare with images that are not allowed. */
export const imageFilters: FilterNames = { reference: words, dangling: /^(?:true|false|0|1)$/ };
