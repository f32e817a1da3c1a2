import { language, t, tn } from '../i18n';
import { describeTime } from '../jobs/jobText';
import type { FindingView } from '../sidecar/reviewTypes';
import { stateOf, type ClusterRow } from './findingList';

export function percent(confidence: number): string {
  return String(Math.round(confidence * 100));
}

/** "Person name, like PatientName". */
export function describeKind({ kind, matchedAttribute }: Pick<FindingView, 'kind' | 'matchedAttribute'>): string {
  return matchedAttribute ? `${t(`kind.${kind}`)}, ${t('findings.like', { attribute: matchedAttribute })}` : t(`kind.${kind}`);
}

/** "1-3, 7": frames of which there may be hundreds. */
export function describeFrames(frames: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const frame of frames) {
    const last = ranges.at(-1);
    if (last && frame === last[1] + 1) {
      last[1] = frame;
    } else {
      ranges.push([frame, frame]);
    }
  }
  return tn('findings.frames', frames.length, { list: ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ') });
}

/** One sentence with all that the row of a cluster shows, for those who hear it. */
export function describeRow(row: ClusterRow): string {
  const { cluster } = row;
  return [
    describeKind(cluster),
    tn('findings.images', cluster.images),
    t('findings.confidence.long', { percent: percent(cluster.confidence) }),
    cluster.afterMasking ? t('findings.afterMasking') : '',
    cluster.isOutlier ? t('findings.outlier') : '',
    t(`findingState.${stateOf(row)}`),
  ]
    .filter(Boolean)
    .join(', ');
}

/** Today's time, or day and time. */
export function describeMoment(iso: string): string {
  const moment = new Date(iso);
  return moment.toDateString() === new Date().toDateString()
    ? describeTime(iso)
    : moment.toLocaleString(language(), { day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit' });
}
