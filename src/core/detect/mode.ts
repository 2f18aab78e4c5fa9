/** Where model-written code runs; it decides what the gateway must be trusted with. */
export const modes = ["local", "aio", "provisioner"] as const;
/** One of the modes. */
export type Mode = (typeof modes)[number];

/** Why a mode holds: the place it was read from and the values found there. */
export interface Because {
  /** One line for people, such as `config.yaml:12 sandbox.use = …AioSandboxProvider, provisioner_url empty`. */
  readonly text: string;
  readonly file?: string;
  readonly line?: number;
  /** The key that decided, such as `sandbox.use`. */
  readonly key?: string;
  /** The value of that key as the platform's runtime sees it, if it is no secret. */
  readonly value?: string;
  /** The rule that matched, such as `deer-flow`, or `forced`. */
  readonly rule: string;
}

/** A mode and why it holds. */
export interface Detection {
  readonly mode: Mode;
  readonly because: Because;
}
