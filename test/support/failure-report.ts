import { afterEach } from "vitest";
import { stories } from "./stack.ts";

// A failed scenario shows the whole transcript, the containers and the tails of their logs.
afterEach(async ({ task }) => {
  if (task.result?.state !== "fail") return;
  for (const story of stories.values()) process.stderr.write(`${await story()}\n`);
});
