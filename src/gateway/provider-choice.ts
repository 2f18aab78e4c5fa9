import type { Provider } from "./provider.ts";
import { createAioProvider } from "./providers/aio.ts";
import { createLocalProvider, type KillGroup } from "./providers/local.ts";
import { createProvisionerProvider, type SandboxRegister } from "./providers/provisioner.ts";
import type { Settings } from "./settings.ts";

/** Makes the one provider that the settings ask for. `onLeftover` hears of sandboxes that could not be removed yet. */
export function createProvider(
  settings: Settings,
  register: SandboxRegister,
  killGroup: KillGroup,
  onLeftover: (sandbox: string, reason: string) => void,
): Provider {
  const { sandbox } = settings;
  const { outputBytesMax } = settings.limits;
  switch (sandbox.mode) {
    case "local":
      return createLocalProvider({ refusal: sandbox.refusal, outputBytesMax, killGroup, onLeftover });
    case "aio":
      return createAioProvider({ address: sandbox.address, container: sandbox.container, outputBytesMax, onLeftover });
    case "provisioner":
      return createProvisionerProvider({
        url: sandbox.provisionerUrl,
        apiKey: sandbox.provisionerApiKey,
        readySeconds: sandbox.readySeconds,
        register,
        outputBytesMax,
        onLeftover,
      });
  }
}
