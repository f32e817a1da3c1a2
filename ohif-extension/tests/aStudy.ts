import { vi } from 'vitest';
import type { FindingsClient } from '../src/sidecar/reviewClient';
import type { ClusterView, FindingDecisions, FindingState, FindingView, StudyFindings } from '../src/sidecar/reviewTypes';
import { aJob } from './support';

export function aFinding(id: string, changes: Partial<FindingView> = {}): FindingView {
  return {
    id,
    clusterId: 'names',
    seriesInstanceUid: '1.1',
    sopInstanceUid: '1.1.1',
    instanceNumber: 7,
    region: { x: 10, y: 20, width: 30, height: 8 },
    confidence: 0.97,
    kind: 'personName',
    matchedAttribute: 'PatientName',
    afterMasking: false,
    state: 'open',
    ...changes,
  };
}

/** A study as the sidecar would send it; clusters are made of the findings. */
export function aStudy(findings: readonly FindingView[], changes: Partial<StudyFindings> = {}): StudyFindings {
  const clusters = new Map<string, FindingView[]>();
  findings.forEach(finding => clusters.set(finding.clusterId, [...(clusters.get(finding.clusterId) ?? []), finding]));
  return {
    study: '1',
    state: 'findings',
    scan: { state: 'scanned', isWeak: false, images: 500, engine: 'test', scannedAt: '2026-11-22T04:00:00Z' },
    unscannable: [],
    missed: [],
    clusters: [...clusters].map(([id, members]) => clusterOf(id, members)),
    findings: [...findings],
    templates: [],
    findingsVersion: 'v1',
    ...changes,
  };
}

function clusterOf(id: string, members: readonly FindingView[]): ClusterView {
  const [first] = members as [FindingView];
  const order: FindingState[] = ['open', 'accepted', 'masked', 'dismissed'];
  return {
    id,
    kind: first.kind,
    matchedAttribute: first.matchedAttribute,
    confidence: Math.max(...members.map(member => member.confidence)),
    region: first.region,
    images: new Set(members.map(member => member.sopInstanceUid)).size,
    findings: members.length,
    isOutlier: id.startsWith('outlier'),
    afterMasking: first.afterMasking,
    state: order.find(state => members.some(member => member.state === state)) ?? 'open',
    seriesInstanceUids: ['1.1'],
    device: { manufacturer: 'ACME', model: 'Sono 3', station: 'US1' },
    rows: 100,
    columns: 200,
    photometric: 'MONOCHROME2',
    sopClass: '1.2.840.10008.5.1.4.1.1.6.1',
  };
}

/** A sidecar in memory: decisions change the findings as the real one would. */
export function fakeFindings(study: StudyFindings) {
  let now = study;
  const set = (changes: Partial<StudyFindings>): void => {
    const findings = changes.findings ?? now.findings;
    now = { ...now, ...changes, clusters: aStudy(findings).clusters, findingsVersion: `${now.findingsVersion}+` };
  };
  const states = { accept: 'accepted', dismiss: 'dismissed', reopen: 'open' } as const;
  const client = {
    findings: vi.fn(async () => now),
    decide: vi.fn(async ({ decisions }: FindingDecisions) => {
      for (const { action, findingIds, clusterId, unscannableIds, reason, region } of decisions) {
        if (action === 'acknowledge') {
          set({ unscannable: now.unscannable.map(image => (unscannableIds?.includes(image.id) ? { ...image, acknowledged: true } : image)) });
          continue;
        }
        const isMeant = (finding: FindingView): boolean => finding.clusterId === clusterId || Boolean(findingIds?.includes(finding.id));
        const decision = action === 'reopen' ? null : { action, by: 'Mia Masker', at: '2026-11-22T05:00:00Z', reason, region };
        set({ findings: now.findings.map(finding => (isMeant(finding) ? { ...finding, state: states[action], decision } : finding)) });
      }
      return now;
    }),
    apply: vi.fn(async () => aJob({ studyInstanceUid: '1' })),
    scan: vi.fn(async () => set({ scan: { ...now.scan, state: 'waiting' } })),
    finalize: vi.fn(async () => set({ state: 'finalized' })),
    reopen: vi.fn(async () => set({ state: 'findings' })),
    keepTemplate: vi.fn(async () => undefined),
    takeBackMiss: vi.fn(async (sample: string) => set({ missed: now.missed.filter(image => image.sampleId !== sample) })),
  } satisfies FindingsClient;
  return { client, set };
}
