import { deny } from "../decision/body-decision.ts";
import { isArray, isNumber, isObject, type JsonObject, type JsonValue } from "../request/json.ts";
import { malformed, quoted, type Reading, read } from "../request/reading.ts";

/** What `POST /exec/{id}/start` asks for: whether the client waits for the output, and what the engine is sent. */
export interface ExecStart {
  readonly detach: boolean;
  readonly body: JsonObject;
}

/** `hijack` and `stdin` are dockerode's own options, which it sends along; the engine does not know them. */
const dockerodeOptions = ["hijack", "stdin"];

/** Reads the body of `POST /exec/{id}/start`. What runs was said when the exec was created. */
export function readExecStart(object: JsonObject): Reading<ExecStart> {
  for (const [name, value] of object)
    if (!isKnown(name, value))
      return deny("exec.field-unknown", `the field ${quoted(name)} is not taken`, { field: name });
  const detach = object.get("Detach") ?? false;
  const tty = object.get("Tty") ?? false;
  if (typeof detach !== "boolean" || typeof tty !== "boolean")
    return malformed("exec.field-type", "Detach and Tty have to be true or false");
  const body = new Map<string, JsonValue>([
    ["Detach", detach],
    ["Tty", tty],
  ]);
  const size = object.get("ConsoleSize");
  if (isSize(size)) body.set("ConsoleSize", size);
  return read({ detach, body });
}

function isKnown(name: string, value: JsonValue): boolean {
  if (name === "Detach" || name === "Tty") return true;
  if (name === "ConsoleSize") return isUnset(value) || isSize(value);
  return isUnset(value) || (dockerodeOptions.includes(name) && value === true);
}

/** What Go writes for a field that nobody set. */
function isUnset(value: JsonValue): boolean {
  if (isNumber(value)) return value.digits === "0";
  if (isArray(value)) return value.length === 0;
  if (isObject(value)) return value.size === 0;
  return value === null || value === false || value === "";
}

function isSize(value: JsonValue | undefined): value is readonly JsonValue[] {
  return isArray(value) && value.length === 2 && value.every((each) => isNumber(each) && /^\d{1,4}$/.test(each.digits));
}
