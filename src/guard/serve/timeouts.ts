/** How long the guard waits for others, in milliseconds. What is meant to last, such as a log that is followed, has no end. */
export interface Timeouts {
  /** For the whole of a client's request, its body included. */
  readonly requestMs: number;
  /** For the engine's next byte of a plain answer; the time that a container has for stopping comes on top. */
  readonly silenceMs: number;
  /** For the engine's next byte of an answer to a question of the guard's own. */
  readonly questionMs: number;
}

/** For an engine that is slow because the machine is, and for clients on the same machine. */
export const usualTimeouts: Timeouts = { requestMs: 30_000, silenceMs: 120_000, questionMs: 30_000 };
