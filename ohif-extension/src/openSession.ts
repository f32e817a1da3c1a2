import type { Host } from './host/ohif';
import { wait } from './host/wait';
import type { MaskStore } from './masks/MaskStore';
import { currentSession, MaskingSession } from './session';
import { SidecarProblem, type SidecarClient } from './sidecar/client';

/**
 * Asks the sidecar whether this user may mask and opens the session only then. A refusal is final; where nobody answers it
 * asks again, ever less often, and shows nothing meanwhile: those without the permission must not learn of the feature.
 */
export async function openSessionIfPermitted(host: Host, client: SidecarClient, masks: MaskStore, signal: AbortSignal): Promise<void> {
  for (let pause = 2_000; !signal.aborted; pause = Math.min(pause * 2, 60_000)) {
    try {
      const me = await client.me(signal);
      if (!me.permissions.includes('mask')) {
        return;
      }
      break;
    } catch (error) {
      if (!(error instanceof SidecarProblem) || !error.mayPass) {
        return;
      }
      await wait(pause, signal);
    }
  }
  const { toolGroupService, toolbarService } = host.servicesManager.services;
  while (!signal.aborted && !(toolGroupService.getToolGroup('default') && toolbarService.getButton('Zoom'))) {
    await wait(100, signal);
  }
  if (!signal.aborted) {
    const session = new MaskingSession(host, client, masks);
    currentSession.set(session);
    session.open();
  }
}
