/** Something that could not be done on the way to a decision or to the engine. For the client it is a refusal like any other. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly rule: string;
  readonly status: number;

  constructor(rule: string, status: number, what: string) {
    super(`sandbox guard: ${what} (rule ${rule})`);
    this.rule = rule;
    this.status = status;
  }
}

/** The short name of an operating system's error, such as `ECONNREFUSED`; the text of any other. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
}
