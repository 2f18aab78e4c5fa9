/** The right to count the sandboxes and to make one, held by one request at a time. */
export interface Turn {
  /** Notes that a sandbox is made now, or may have been made. */
  readonly created: () => void;
  /** Takes the last note back: the engine said that it made nothing. */
  readonly refused: () => void;
  /** Lets the next one in; more than once does no harm. */
  readonly release: () => void;
}

/** Who may create, and how often it happened. */
export interface Creates {
  /** Waits for the turn. Nothing is created between a count and what rests on it, so that no limit is passed by being quick. */
  readonly turn: (signal: AbortSignal) => Promise<Turn>;
  readonly lastMinute: () => number;
}

const minuteMs = 60_000;

/** Counts from zero; `now` is in milliseconds and never goes back. */
export function countCreates(now: () => number): Creates {
  let times: number[] = [];
  let last: Promise<void> = Promise.resolve();
  const lastMinute = (): number => {
    const since = now() - minuteMs;
    times = times.filter((time) => time > since);
    return times.length;
  };
  const own = (release: () => void): Turn => {
    let mine: number | undefined;
    return {
      created: () => {
        mine = now();
        times.push(mine);
      },
      refused: () => {
        const index = mine === undefined ? -1 : times.lastIndexOf(mine);
        if (index >= 0) times.splice(index, 1);
        mine = undefined;
      },
      release,
    };
  };
  return {
    lastMinute,
    async turn(signal) {
      const before = last;
      const { promise, resolve } = withResolver();
      last = before.then(() => promise);
      await before;
      if (signal.aborted) {
        resolve();
        throw signal.reason;
      }
      return own(resolve);
    },
  };
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
