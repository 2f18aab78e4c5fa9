import { join } from "node:path";
import { output } from "./command.ts";
import { repositoryRoot } from "./stack.ts";

/** Makes the images that the scenarios run from this checkout's sources, so that none tests an older one. */
export async function setup(): Promise<void> {
  // An engine that scripts/on-newer-engine.sh has given them to cannot make them: it has no network.
  if (process.env["SCENARIO_IMAGES"] === "there") return;
  await output("node", ["scripts/build.mjs"], { cwd: repositoryRoot });
  const images = await output("scripts/build-images.sh", [], { cwd: repositoryRoot });
  const gateway = images.split("\n").find((line) => line.startsWith("sandbox-deploy/gateway:"));
  if (gateway === undefined) throw new Error(`scripts/build-images.sh named no gateway image:\n${images}`);
  const folder = join(repositoryRoot, "test/support/provisioner");
  await output("docker", [
    "build",
    "--build-arg",
    `BASE_IMAGE=${gateway}`,
    "--tag",
    "sandbox-deploy/test-provisioner:1",
    folder,
  ]);
}
