import type { ClusterView, FindingKind, FindingView, StudyFindings } from '../sidecar/reviewTypes';

export const findingKinds: readonly FindingKind[] = ['personName', 'identifier', 'date', 'institution', 'other', 'harmless'];

/** What is shown. It hides and never decides: what is hidden stays as open as it was. */
export interface FindingFilter {
  /** 0 to 1: clusters of less confidence are hidden. */
  readonly threshold: number;
  readonly hiddenKinds: ReadonlySet<FindingKind>;
}

export const showAll: FindingFilter = { threshold: 0, hiddenKinds: new Set() };

/** A cluster with its findings, in order of the images. */
export interface ClusterRow {
  readonly cluster: ClusterView;
  readonly findings: readonly FindingView[];
}

export interface ArrangedFindings {
  /** In the sidecar's order: what is most likely patient data first. */
  readonly clusters: readonly ClusterRow[];
  readonly outliers: readonly ClusterRow[];
  readonly masked: readonly ClusterRow[];
  /** Clusters that the filter hides, and how many of them nobody has decided on. */
  readonly hidden: number;
  readonly hiddenOpen: number;
}

export function isHidden(filter: FindingFilter, of: { readonly confidence: number; readonly kind: FindingKind }): boolean {
  return of.confidence < filter.threshold || filter.hiddenKinds.has(of.kind);
}

export function arrange(view: StudyFindings, filter: FindingFilter): ArrangedFindings {
  const byCluster = new Map<string, FindingView[]>();
  for (const finding of view.findings) {
    const others = byCluster.get(finding.clusterId);
    if (others) {
      others.push(finding);
    } else {
      byCluster.set(finding.clusterId, [finding]);
    }
  }
  const rows = view.clusters.flatMap(cluster => {
    const findings = byCluster.get(cluster.id);
    return findings ? [{ cluster, findings }] : [];
  });
  const masked = rows.filter(row => row.findings.every(finding => finding.state === 'masked'));
  const rest = rows.filter(row => !masked.includes(row));
  const shown = rest.filter(row => !isHidden(filter, row.cluster));
  const hidden = rest.filter(row => isHidden(filter, row.cluster));
  return {
    clusters: shown.filter(row => !row.cluster.isOutlier),
    outliers: shown.filter(row => row.cluster.isOutlier),
    masked,
    hidden: hidden.length,
    hiddenOpen: hidden.filter(isOpen).length,
  };
}

export function isOpen(row: ClusterRow): boolean {
  return row.findings.some(finding => finding.state === 'open');
}

/** The state of all findings of a row, or `mixed`. */
export function stateOf(row: ClusterRow): FindingView['state'] | 'mixed' {
  const [first, ...others] = new Set(row.findings.filter(finding => finding.state !== 'masked').map(finding => finding.state));
  return first === undefined ? 'masked' : others.length > 0 ? 'mixed' : first;
}

/** The row after (or before) this one that is still open, around the end; undefined where none is. */
export function nextOpen(rows: readonly ClusterRow[], clusterId: string | undefined, step: 1 | -1): ClusterRow | undefined {
  const at = rows.findIndex(row => row.cluster.id === clusterId);
  const order = rows.map((_row, index) => rows[(at + step * (index + 1) + rows.length * 2) % rows.length]);
  const start = at < 0 && step < 0 ? [...rows].reverse() : at < 0 ? rows : order;
  return start.find((row): row is ClusterRow => row !== undefined && isOpen(row));
}

/** What stands between a study and its end. */
export interface Remaining {
  readonly open: number;
  readonly notApplied: number;
  readonly unscannable: number;
}

export function remaining(view: StudyFindings): Remaining {
  const count = (state: FindingView['state']): number => view.findings.filter(finding => finding.state === state).length;
  return { open: count('open'), notApplied: count('accepted'), unscannable: view.unscannable.filter(image => !image.acknowledged).length };
}

/** The findings to draw on one frame of an image: those that the filter shows and that are not burned in yet. */
export function findingsOnFrame(view: StudyFindings | undefined, filter: FindingFilter, sopInstanceUid: string, frame: number): FindingView[] {
  const clusters = new Map(view?.clusters.map(cluster => [cluster.id, cluster]));
  return (view?.findings ?? []).filter(
    finding =>
      finding.sopInstanceUid === sopInstanceUid &&
      (finding.state === 'open' || finding.state === 'accepted' || finding.state === 'dismissed') &&
      (!finding.frames || finding.frames.includes(frame)) &&
      !isHidden(filter, clusters.get(finding.clusterId) ?? finding),
  );
}
