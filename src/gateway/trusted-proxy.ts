import { messageOf } from "./provider.ts";

/** Looks up the addresses that a name has now; rejects where it has none. */
export type Lookup = (name: string) => Promise<readonly string[]>;

/** The one program in front of the gateway that may say for whom it asks. */
export interface TrustedProxy {
  /** Whether the address at this hop, counted from 0 at the connection itself, is the proxy's. */
  readonly isTrusted: (address: string, hop: number) => boolean;
  /**
   * Looks whether an address that is not known is one that the proxy has by now: it begins after the gateway, and moves.
   * Gives the reason where that could not be found out; nobody is trusted then.
   */
  readonly meet: (address: string) => Promise<string | undefined>;
}

const lookupEveryMs = 1_000;

/**
 * Trusts exactly one hop: who connects from an address that `name` has. Without a name nobody is trusted, and what a client
 * says about itself counts for nothing. `clock` counts milliseconds.
 */
export function createTrustedProxy(name: string | undefined, lookup: Lookup, clock: () => number): TrustedProxy {
  let known: ReadonlySet<string> = new Set();
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<unknown> = Promise.resolve();
  const refresh = async (proxy: string): Promise<string | undefined> => {
    try {
      known = new Set(await lookup(proxy));
      return undefined;
    } catch (error) {
      known = new Set();
      return messageOf(error);
    }
  };
  return {
    isTrusted: (address, hop) => hop === 0 && known.has(plainAddress(address)),
    async meet(address) {
      if (name === undefined || known.has(plainAddress(address))) return undefined;
      // Anybody may connect; that must not become a lookup each time.
      if (clock() - askedAt < lookupEveryMs) {
        await asking;
        return undefined;
      }
      askedAt = clock();
      const asked = refresh(name);
      asking = asked;
      return asked;
    },
  };
}

/** A socket that listens for both families shows an IPv4 address inside an IPv6 one. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
