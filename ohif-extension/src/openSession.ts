import { currentFindings, FindingsSession } from './findings/FindingsSession';
import type { Host } from './host/ohif';
import { wait } from './host/wait';
import type { MaskStore } from './masks/MaskStore';
import { currentSession, MaskingSession } from './session';
import { SidecarProblem, type SidecarClient } from './sidecar/client';
import type { FindingsClient } from './sidecar/reviewClient';
import type { Me } from './sidecar/types';

export interface Clients {
  readonly masking: SidecarClient;
  readonly findings: FindingsClient;
}

/**
 * Asks the sidecar what this user may do and opens only that: masking, or confirming it, and the findings for those who mask or review. A refusal is final; where
 * nobody answers it asks again, ever less often, and shows nothing meanwhile: those without the permissions must not learn of the features.
 */
export async function openSessionIfPermitted(host: Host, clients: Clients, masks: MaskStore, signal: AbortSignal): Promise<void> {
  const me = await askWho(clients.masking, signal);
  const may = (permission: Me['permissions'][number]): boolean => me?.permissions.includes(permission) ?? false;
  if (!me || !(may('mask') || may('confirm') || may('review'))) {
    return;
  }
  const { toolGroupService, toolbarService } = host.servicesManager.services;
  while (!signal.aborted && !(toolGroupService.getToolGroup('default') && toolbarService.getButton('Zoom'))) {
    await wait(100, signal);
  }
  if (signal.aborted) {
    return;
  }
  const masking = may('mask') || may('confirm') ? new MaskingSession(host, clients.masking, masks, me) : null;
  currentSession.set(masking);
  masking?.open();
  if (may('mask') || may('review')) {
    const findings = new FindingsSession(host, clients.findings, me, masking?.mayMask ? masking : null);
    currentFindings.set(findings);
    findings.open();
  }
}

export function closeSessions(): void {
  currentFindings.get()?.close();
  currentFindings.set(null);
  currentSession.get()?.close();
  currentSession.set(null);
}

async function askWho(client: SidecarClient, signal: AbortSignal): Promise<Me | undefined> {
  for (let pause = 2_000; !signal.aborted; pause = Math.min(pause * 2, 60_000)) {
    try {
      return await client.me(signal);
    } catch (error) {
      if (!(error instanceof SidecarProblem) || !error.mayPass) {
        return undefined;
      }
      await wait(pause, signal);
    }
  }
  return undefined;
}
