import "../schema-settings.ts";
import * as z from "zod";
import { configShape } from "../containers/container-schema.ts";
import { type Concealed, conceal } from "../secrets/concealed.ts";

/** When a health check runs, in nanoseconds; zero where nobody said. */
export interface HealthTimes {
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly retries: number;
}

/** What an image brings, and a container is created with; what may hold a secret is concealed or only compared. */
export interface ProgramSettings {
  /** Empty for root. */
  readonly user: string;
  readonly workingDir: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** By key; null where the key is named and has no value. */
  readonly environment: Readonly<Record<string, Concealed | null>>;
  readonly labels: Readonly<Record<string, Concealed>>;
  /** Left out where there is none; `["NONE"]` switches one off. */
  readonly healthcheck?: { readonly test: readonly string[] } & HealthTimes;
  readonly stopSignal: string;
}

const configSchema = z.object(configShape);

/** Reads the part of a configuration that images and containers share. */
export function programSettings(raw: z.output<typeof configSchema>): ProgramSettings {
  const { Healthcheck: check } = raw;
  return {
    user: raw.User,
    workingDir: raw.WorkingDir,
    entrypoint: raw.Entrypoint,
    command: raw.Cmd,
    environment: environmentOf(raw.Env),
    labels: raw.Labels,
    ...(check === undefined
      ? {}
      : {
          healthcheck: {
            ...{ test: check.Test, interval: check.Interval, timeout: check.Timeout },
            ...{ startPeriod: check.StartPeriod, retries: check.Retries },
          },
        }),
    stopSignal: raw.StopSignal,
  };
}

/** Reads the `Config` of an image as `docker image inspect` prints it; undefined where that has another form. */
export function parseImageSettings(json: unknown): ProgramSettings | undefined {
  const parsed = configSchema.safeParse(json);
  return parsed.success ? programSettings(parsed.data) : undefined;
}

function environmentOf(lines: readonly string[]): ProgramSettings["environment"] {
  return Object.fromEntries(
    lines.map((line): [string, Concealed | null] => {
      const end = line.indexOf("=");
      return end === -1 ? [line, null] : [line.slice(0, end), conceal(line.slice(end + 1))];
    }),
  );
}
