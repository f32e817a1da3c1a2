import { expect, test } from 'vitest';
import { arrange, findingsOnFrame, nextOpen, remaining, showAll, stateOf } from '../src/findings/findingList';
import { aFinding, aStudy } from './aStudy';

const study = aStudy([
  aFinding('n1', { sopInstanceUid: '1.1.1' }),
  aFinding('n2', { sopInstanceUid: '1.1.2', state: 'dismissed' }),
  aFinding('d1', { clusterId: 'dates', kind: 'date', confidence: 0.6, state: 'accepted' }),
  aFinding('h1', { clusterId: 'marks', kind: 'harmless', confidence: 0.4, frames: [2, 3] }),
  aFinding('o1', { clusterId: 'outlier-1', sopInstanceUid: '1.1.9' }),
  aFinding('m1', { clusterId: 'done', state: 'masked' }),
]);

test('arrange_ShowAll_KeepsTheSidecarsOrder_WithOutliersAndMaskedApart', () => {
  const { clusters, outliers, masked, hidden } = arrange(study, showAll);
  expect(clusters.map(row => row.cluster.id)).toEqual(['names', 'dates', 'marks']);
  expect(outliers.map(row => row.cluster.id)).toEqual(['outlier-1']);
  expect(masked.map(row => row.cluster.id)).toEqual(['done']);
  expect(hidden).toBe(0);
});

test('arrange_Filtered_HidesAndCounts_AndForgetsNothing', () => {
  const byThreshold = arrange(study, { threshold: 0.65, hiddenKinds: new Set() });
  expect(byThreshold.clusters.map(row => row.cluster.id)).toEqual(['names']);
  expect([byThreshold.hidden, byThreshold.hiddenOpen]).toEqual([2, 1]);
  const byKind = arrange(study, { threshold: 0, hiddenKinds: new Set(['personName', 'harmless']) });
  expect(byKind.clusters.map(row => row.cluster.id)).toEqual(['dates']);
  expect([byKind.hidden, byKind.hiddenOpen]).toEqual([3, 3]);
  expect(remaining(study)).toEqual({ open: 3, notApplied: 1, unscannable: 0 });
});

test('stateOf_DecisionsThatDiffer_IsMixed', () => {
  const rows = arrange(study, showAll);
  expect([...rows.clusters, ...rows.masked].map(stateOf)).toEqual(['mixed', 'accepted', 'open', 'masked']);
});

test('nextOpen_GoesAroundTheEnd_AndSkipsWhatIsDecided', () => {
  const { clusters, outliers } = arrange(study, showAll);
  const rows = [...clusters, ...outliers];
  const walk = (from: string | undefined, step: 1 | -1) => nextOpen(rows, from, step)?.cluster.id;
  expect([walk(undefined, 1), walk('names', 1), walk('marks', 1), walk('outlier-1', 1)]).toEqual(['names', 'marks', 'outlier-1', 'names']);
  expect([walk(undefined, -1), walk('names', -1), walk('marks', -1)]).toEqual(['outlier-1', 'outlier-1', 'names']);
  expect(nextOpen(arrange(aStudy([aFinding('a', { state: 'accepted' })]), showAll).clusters, undefined, 1)).toBeUndefined();
});

test('findingsOnFrame_DrawsWhatIsOnThisFrame_AndNothingMaskedOrHidden', () => {
  const drawn = (frame: number, filter = showAll) => findingsOnFrame(study, filter, '1.1.1', frame).map(finding => finding.id);
  expect(drawn(1)).toEqual(['n1', 'd1']);
  expect(drawn(2)).toEqual(['n1', 'd1', 'h1']);
  expect(drawn(2, { threshold: 0.5, hiddenKinds: new Set() })).toEqual(['n1', 'd1']);
  expect(findingsOnFrame(undefined, showAll, '1.1.1', 1)).toEqual([]);
});
