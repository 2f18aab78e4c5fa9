/** Text that may be a secret: printing or serialising it shows nothing, reading it takes a visible call. */
export interface Concealed {
  readonly reveal: () => string;
}

/** Hides a text that may be a secret. */
export function conceal(text: string): Concealed {
  return { reveal: () => text };
}
