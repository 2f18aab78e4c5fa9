/** What a guard has done since it started: numbers for whoever looks after it. */
export interface Counts {
  readonly allowed: number;
  readonly denied: number;
  /** Requests for what does not exist for clients: everyday questions, and probing for what belongs to others. */
  readonly absent: number;
  /** How often each rule refused something. */
  readonly deniedByRule: Readonly<Record<string, number>>;
  readonly lastDenial: { readonly time: string; readonly rule: string } | undefined;
  readonly openStreams: number;
}

/** Counts what happens, and says that something did. */
export interface Tally {
  readonly allow: () => void;
  readonly deny: (rule: string, status?: number) => void;
  /** A stream began; the result notes its end. */
  readonly stream: () => () => void;
  readonly counts: () => Counts;
}

// Rules are fixed words of the guard's own; the bound only says that nothing here can grow.
const rulesMax = 500;

/** Starts at zero; `changed` is called after each change. */
export function startTally(changed: () => void, now: () => Date = () => new Date()): Tally {
  const byRule = new Map<string, number>();
  let allowed = 0;
  let denied = 0;
  let absent = 0;
  let openStreams = 0;
  let lastDenial: Counts["lastDenial"];
  return {
    allow() {
      allowed += 1;
      changed();
    },
    deny(rule, status) {
      changed();
      if (status === 404) {
        absent += 1;
        return;
      }
      denied += 1;
      if (byRule.has(rule) || byRule.size < rulesMax) byRule.set(rule, (byRule.get(rule) ?? 0) + 1);
      lastDenial = { time: now().toISOString(), rule };
    },
    stream() {
      openStreams += 1;
      changed();
      return () => {
        openStreams -= 1;
        changed();
      };
    },
    counts: () => ({ allowed, denied, absent, deniedByRule: Object.fromEntries(byRule), lastDenial, openStreams }),
  };
}
