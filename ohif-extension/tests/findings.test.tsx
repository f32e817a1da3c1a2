import { act } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApplyDialog } from '../src/findings/ApplyDialog';
import { FindingsPanel } from '../src/findings/FindingsPanel';
import { currentFindings } from '../src/findings/FindingsSession';
import { createFindingTool } from '../src/findings/FindingTool';
import { cornerstoneLibraries } from '../src/host/ohif';
import { MaskStore } from '../src/masks/MaskStore';
import { closeSessions, openSessionIfPermitted } from '../src/openSession';
import { SidecarProblem, type SidecarClient } from '../src/sidecar/client';
import type { StudyFindings } from '../src/sidecar/reviewTypes';
import type { Me } from '../src/sidecar/types';
import { aFinding, aStudy, fakeFindings } from './aStudy';
import { fakeHost } from './fakeHost';
import { byCy, click, press, render, settle, type } from './render';

let host: ReturnType<typeof fakeHost>;
let masks: MaskStore;
let leave: AbortController;

beforeEach(() => {
  host = fakeHost();
  masks = new MaskStore(cornerstoneLibraries(host.host.extensionManager));
  leave = new AbortController();
});

afterEach(() => {
  act(() => {
    leave.abort();
    closeSessions();
    masks.dispose();
  });
  localStorage.clear();
});

async function open(study: StudyFindings, permissions: Me['permissions'] = ['mask', 'review']) {
  const fake = fakeFindings(study);
  const masking = { me: async () => ({ subject: 'mia', name: 'Mia', permissions }), jobsOfStudy: async () => ({ jobs: [] }) } as unknown as SidecarClient;
  await act(async () => openSessionIfPermitted(host.host, { masking, findings: fake.client }, masks, leave.signal));
  const run = vi.fn();
  const panel = await render(<FindingsPanel run={run} />);
  return { ...fake, panel, run, session: currentFindings.get()! };
}

const all = (cy: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(`[data-cy="${cy}"]`)];
const names = [aFinding('n1'), aFinding('n2', { sopInstanceUid: '1.1.2', instanceNumber: 8 }), aFinding('n3', { sopInstanceUid: '1.1.3', instanceNumber: 9 })];
const dates = [aFinding('d1', { clusterId: 'dates', kind: 'date', matchedAttribute: 'StudyDate', confidence: 0.6, region: { x: 100, y: 50, width: 40, height: 10 } })];
const two = aStudy([...names, ...dates]);

describe('the list', () => {
  test('shows one row a cluster, with kind, attribute, confidence and on how many images', async () => {
    await open(two);
    expect(all('image-masking-cluster').map(row => row.getAttribute('aria-label'))).toEqual([
      'Person name, like PatientName, the same on 3 images, 97 % sure that it is text, to decide',
      'Date, like StudyDate, on 1 image, 60 % sure that it is text, to decide',
    ]);
    expect(document.body.textContent).toContain('2 groups to decide');
  });

  test('one key accepts the whole cluster, goes on to the next, and says what is left', async () => {
    const { client } = await open(two);
    await press('n', {}, document.body);
    expect(document.activeElement).toBe(all('image-masking-cluster')[0]);
    await press('a');
    await settle();
    expect(client.decide).toHaveBeenLastCalledWith({ study: '1', findingsVersion: 'v1', decisions: [{ clusterId: 'names', action: 'accept' }] }, expect.anything());
    expect(byCy('image-masking-said').textContent).toBe('Accepted. 1 group left.');
    expect(document.activeElement).toBe(all('image-masking-cluster')[1]);
    expect(all('image-masking-cluster').map(row => row.dataset['state'])).toEqual(['accepted', 'open']);
  });

  test('a cluster unfolds into its images, of which one can be decided alone', async () => {
    const { client } = await open(two);
    await press('n', {}, document.body);
    await press('ArrowRight');
    expect(all('image-masking-finding')).toHaveLength(3);
    await press('ArrowDown');
    await press('ArrowDown');
    expect(document.activeElement).toBe(all('image-masking-finding')[1]);
    await press('a');
    await settle();
    expect(client.decide.mock.lastCall?.[0].decisions).toEqual([{ findingIds: ['n2'], action: 'accept' }]);
    // The first of the same cluster that is still open comes next, not another cluster.
    expect(document.activeElement).toBe(all('image-masking-finding')[0]);
    expect(all('image-masking-cluster')[0]?.dataset['state']).toBe('mixed');
    await press('ArrowLeft');
    await press('ArrowLeft');
    expect(all('image-masking-finding')).toHaveLength(0);
  });

  test('rejecting asks for a reason and offers the last one again', async () => {
    const { client } = await open(two);
    await press('n', {}, document.body);
    await press('r');
    await click(document.querySelector<HTMLElement>('input[value="harmless"]')!);
    await press('Enter', {}, document.querySelector('input[value="harmless"]'));
    await settle();
    expect(client.decide.mock.lastCall?.[0].decisions).toEqual([{ clusterId: 'names', action: 'dismiss', reason: 'Harmless: side, scale, unit or setting' }]);
    await press('r');
    expect((document.activeElement as HTMLInputElement).value).toBe('harmless');
    await press('a', {}, document.activeElement);
    expect(client.decide).toHaveBeenCalledTimes(1);
    await press('Escape');
    expect(all('image-masking-reject-form')).toHaveLength(0);
    expect(document.activeElement).toBe(all('image-masking-cluster')[1]);
  });

  test('another reason needs words', async () => {
    const { client } = await open(two);
    await press('n', {}, document.body);
    await press('r');
    await click(document.querySelector<HTMLElement>('input[value="other"]')!);
    expect((byCy('image-masking-reject-confirm') as HTMLButtonElement).disabled).toBe(true);
    await type(document.querySelector('textarea')!, ' Calibration phantom ');
    await click(byCy('image-masking-reject-confirm'));
    await settle();
    expect(client.decide.mock.lastCall?.[0].decisions[0]).toMatchObject({ action: 'dismiss', reason: 'Calibration phantom' });
  });

  test('a box is moved by keyboard, accepted where it is then, and the decision can be undone', async () => {
    const { client } = await open(two);
    await press('n', {}, document.body);
    await press('m');
    await press('ArrowRight', { ctrlKey: true });
    await press('ArrowUp');
    await press('ArrowDown', { shiftKey: true });
    expect(byCy('image-masking-selected-region').textContent).toBe('20, 19 · 30 × 9 pixels');
    await press('Enter');
    await settle();
    expect(client.decide.mock.lastCall?.[0].decisions).toEqual([{ clusterId: 'names', action: 'accept', region: { x: 20, y: 19, width: 30, height: 9 } }]);
    await press('ArrowUp');
    await press('u');
    await settle();
    expect(client.decide.mock.lastCall?.[0].decisions).toEqual([{ clusterId: 'names', action: 'reopen' }]);
  });

  test('letters in fields are letters, and without the review permission nothing is decided', async () => {
    const { client } = await open(two, ['mask']);
    await press('n', {}, document.body);
    await press('a');
    await press('r');
    await press('u');
    expect(client.decide).not.toHaveBeenCalled();
    expect(all('image-masking-accept')).toHaveLength(0);
    expect(document.body.textContent).toContain('needs a user with the review role');
    const field = document.createElement('input');
    document.body.append(field);
    field.focus();
    await press('n');
    expect(document.activeElement).toBe(field);
  });

  test('what the sidecar refuses is said, and asked anew; the panel stays', async () => {
    // As browsers answer since 2025; jsdom does not scroll.
    const scrolled = vi.fn(() => Promise.resolve());
    HTMLElement.prototype.scrollIntoView = scrolled as unknown as HTMLElement['scrollIntoView'];
    const { client } = await open(two);
    client.decide.mockRejectedValueOnce(new SidecarProblem(409, 'urn:sidecar:problem:findings-changed', 'The findings have changed since you saw them.'));
    await press('n', {}, document.body);
    const asked = client.findings.mock.calls.length;
    await press('a');
    await settle();
    expect(byCy('image-masking-refused').textContent).toContain('have changed');
    expect(client.findings.mock.calls.length).toBeGreaterThan(asked);
    expect(all('image-masking-cluster')[0]?.dataset['state']).toBe('open');
    expect(scrolled).toHaveBeenCalled();
    await press('a');
    await settle();
    expect(all('image-masking-cluster')[0]?.dataset['state']).toBe('accepted');
    expect(document.querySelector('[data-cy="image-masking-refused"]')).toBeNull();
  });
});

test('the threshold hides and says how much; what is hidden still stands before the end', async () => {
  const { session } = await open(two);
  await act(async () => session.store.filter.set({ threshold: 0.7, hiddenKinds: new Set() }));
  expect(all('image-masking-cluster')).toHaveLength(1);
  expect(byCy('image-masking-hidden').textContent).toContain('1 group is hidden by the filter, 1 of it to decide.');
  expect(byCy('image-masking-left').textContent).toContain('4 findings to decide (some of them hidden by the filter)');
  await click(byCy('image-masking-hidden').querySelector('button')!);
  expect(all('image-masking-cluster')).toHaveLength(2);
});

describe('the state of the scan never looks cleaner than is known', () => {
  const scan = (changes: Partial<StudyFindings['scan']>) => aStudy([], { state: 'new', scan: { ...two.scan, ...changes } });

  test.each([
    [scan({ state: 'notScanned', scannedAt: null }), 'Not scanned: whether these images hold text is not known.'],
    [scan({ state: 'waiting' }), 'Waiting to be scanned'],
    [scan({ state: 'scanning' }), 'Being scanned for text now'],
    [scan({ isWeak: true }), 'Scanned in the weaker mode'],
  ])('%#: %s', async (study, words) => {
    const { panel } = await open(study);
    expect(panel.textContent).toContain(words);
    expect(panel.textContent).not.toContain('No text was found');
  });

  test('nothing found by the detector is said with its limits', async () => {
    const { panel } = await open(scan({}));
    expect(panel.textContent).toContain('No text was found. A scan can miss text');
  });

  test('a study that was never scanned can be scanned, and not be finalized', async () => {
    const { client } = await open(scan({ state: 'notScanned' }));
    expect(byCy('image-masking-finalize').getAttribute('aria-disabled')).toBe('true');
    await click(byCy('image-masking-finalize'));
    expect(client.finalize).not.toHaveBeenCalled();
    await click(byCy('image-masking-scan-start'));
    await settle();
    expect(client.scan).toHaveBeenCalledOnce();
    expect(byCy('image-masking-scan').dataset['state']).toBe('waiting');
  });
});

test('an image that could not be scanned stands there with its reason until somebody has looked at it', async () => {
  const image = { id: 'u1', seriesInstanceUid: '1.1', sopInstanceUid: '1.1.1', instanceNumber: 7, reason: 'The second frame is damaged.', acknowledged: false };
  const { client, panel } = await open(aStudy([], { unscannable: [image] }));
  expect(panel.textContent).toContain('1 image could not be scanned');
  expect(panel.textContent).toContain('The second frame is damaged.');
  expect(panel.textContent).not.toContain('No text was found');
  expect(byCy('image-masking-left').textContent).toBe('1 image that could not be scanned to look at');
  await click(panel.querySelector<HTMLElement>('[aria-label="I have looked at image 7: The second frame is damaged."]')!);
  await settle();
  expect(client.decide.mock.lastCall?.[0].decisions).toEqual([{ unscannableIds: ['u1'], action: 'acknowledge' }]);
  expect(panel.textContent).toContain('looked at');
});

test('an image with text that the scan overlooked is named and keeps the study from its end', async () => {
  const { panel } = await open(aStudy([], { missed: [{ seriesInstanceUid: '1.1', sopInstanceUid: '1.1.1', instanceNumber: 7, seenBy: 'Otto', seenBySubject: 'otto', sampleId: 's1' }] }));
  expect(panel.textContent).toContain('Text was seen in 1 image without findings');
  expect(panel.textContent).not.toContain('No text was found');
  expect(byCy('image-masking-missed').textContent).toContain('7');
  expect(byCy('image-masking-left').textContent).toBe('1 image with overlooked text to mask by hand');
  expect(byCy('image-masking-finalize').getAttribute('aria-disabled')).toBe('true');
});

test('who saw text by mistake takes it back, nobody else', async () => {
  const mistaken = { seriesInstanceUid: '1.1', sopInstanceUid: '1.1.1', instanceNumber: 7, seenBy: 'Otto', seenBySubject: 'otto', sampleId: 's1' };
  const { client, panel } = await open(aStudy([], { missed: [mistaken, { ...mistaken, sopInstanceUid: '1.1.2', instanceNumber: 8, seenBy: 'Mia', seenBySubject: 'mia', sampleId: 's2' }] }));
  expect(panel.textContent).toContain('seen by Otto');
  expect(panel.querySelectorAll('[data-cy="image-masking-take-back"]')).toHaveLength(1);
  await click(byCy('image-masking-take-back'));
  expect(client.takeBackMiss).not.toHaveBeenCalled();
  expect(byCy('image-masking-take-back').textContent).toBe('There is no text on it');
  await click(byCy('image-masking-take-back'));
  await settle();
  expect(client.takeBackMiss).toHaveBeenCalledExactlyOnceWith('s2', expect.anything());
  expect(panel.querySelectorAll('[data-cy="image-masking-missed"]')).toHaveLength(1);
});

test('a study is finalized when nothing is left, and opened again with a reason', async () => {
  const { client, panel } = await open(aStudy([aFinding('n1', { state: 'masked' })], { state: 'inReview' }));
  expect(panel.textContent).toContain('Nothing is left to decide.');
  await click(byCy('image-masking-finalize'));
  await settle();
  expect(panel.textContent).toContain('Finalized. A later change of the images opens the study again.');
  await click(byCy('image-masking-reopen'));
  await type(panel.querySelector('textarea')!, 'A name was overlooked.');
  await act(async () => panel.querySelector('form')?.requestSubmit());
  await settle();
  expect(client.reopen).toHaveBeenCalledWith('1', 'A name was overlooked.', expect.anything());
});

test('in a finalized study nothing can be decided before it is opened again', async () => {
  const { client } = await open(aStudy([aFinding('n1', { state: 'dismissed' })], { state: 'finalized' }));
  await click(all('image-masking-cluster')[0]!);
  await press('a', {}, all('image-masking-cluster')[0]);
  expect(all('image-masking-accept')).toHaveLength(0);
  expect(client.decide).not.toHaveBeenCalled();
});

test('a template that fits is offered first, and accepted masks are kept as one', async () => {
  const accepted = aFinding('n1', { state: 'accepted', decision: { action: 'accept', by: 'Mia', at: '2026-11-22T05:00:00Z', region: { x: 0, y: 0, width: 99, height: 9 } } });
  const { client, panel } = await open(aStudy([accepted, ...dates], { templates: [{ id: 't1', name: 'ACME banner', regions: [names[0]!.region], images: 3 }] }));
  expect(byCy('image-masking-templates').textContent).toContain('A template fits this study');
  await click(byCy('image-masking-templates').querySelector('button')!);
  await settle();
  expect(client.decide.mock.lastCall?.[0].decisions).toEqual([{ templateId: 't1', action: 'accept' }]);
  await click(all('image-masking-cluster')[0]!);
  await click(byCy('image-masking-keep-template'));
  await act(async () => panel.querySelector('form')?.requestSubmit());
  await settle();
  expect(client.keepTemplate).toHaveBeenCalledWith(expect.objectContaining({ name: 'ACME Sono 3 200 × 100', rows: 100, columns: 200, regions: [{ x: 0, y: 0, width: 99, height: 9 }] }));
});

describe('applying', () => {
  const accepted = aStudy([...names.map(finding => ({ ...finding, state: 'accepted' as const })), ...dates]);

  test('the panel asks for it, and says why it cannot', async () => {
    const { run } = await open(accepted);
    await click(byCy('image-masking-apply-accepted'));
    expect(run).toHaveBeenCalledExactlyOnceWith('imageMaskingApplyAccepted');
  });

  test('a reviewer without the masking role is told who can', async () => {
    const { panel } = await open(accepted, ['review']);
    expect(all('image-masking-apply-accepted')).toHaveLength(0);
    expect(panel.textContent).toContain('needs a user with the masking role');
  });

  test('the dialog counts, warns, and a retry carries the same key', async () => {
    const apply = vi.fn(async () => undefined).mockRejectedValueOnce(new SidecarProblem(0, 'unreachable', ''));
    const close = vi.fn();
    const dialog = await render(<ApplyDialog view={accepted} apply={apply} close={close} />);
    expect(byCy('image-masking-count').textContent).toBe('3 accepted masks on 3 images will be burned in');
    expect(dialog.textContent).toContain('1 finding is still to decide; it stays as it is.');
    expect(dialog.textContent).toContain('cannot be undone');
    await click(byCy('image-masking-apply'));
    await settle();
    expect(byCy('image-masking-problem').textContent).toContain('cannot be reached');
    await click(byCy('image-masking-apply'));
    await settle();
    expect(close).toHaveBeenCalledOnce();
    const keys = (apply.mock.calls as unknown as [unknown, string][]).map(([, key]) => key);
    expect(keys[0]).toBe(keys[1]);
  });
});

describe('the boxes', () => {
  function draw(): SVGElement[] {
    const libraries = cornerstoneLibraries(host.host.extensionManager);
    Object.assign(libraries.cornerstoneTools, { BaseTool: class {} });
    Object.assign(host.viewport, { worldToCanvas: ([x, y]: number[]) => [x, y], canvasToWorld: ([x, y]: number[]) => [x, y, 0] });
    const nodes: SVGElement[] = [];
    const drawing = { getSvgNode: () => undefined, appendNode: (node: SVGElement) => nodes.push(node), setNodeTouched: () => undefined };
    const Tool = createFindingTool(libraries, currentFindings.get);
    const viewport = { ...host.viewport, getCurrentImageId: () => 'wadors:/frames/2' };
    new Tool().renderAnnotation({ viewport } as never, drawing);
    document.body.append(...nodes.filter(node => node.dataset['cy']));
    return nodes.filter(node => node.dataset['cy'] === 'image-finding');
  }
  const pointer = async (node: SVGElement, name: string, x: number, y: number): Promise<void> =>
    act(async () => void node.dispatchEvent(Object.assign(new MouseEvent(name, { bubbles: true, cancelable: true, clientX: x, clientY: y }), { pointerId: 1 })));

  test('are drawn where the findings of this frame are, and say on hover what they are', async () => {
    await open(aStudy([...names, aFinding('f3', { clusterId: 'third', frames: [3] })]));
    const [box, ...others] = draw();
    expect(others).toEqual([]);
    expect(box?.getAttribute('points')).toBe('9.5,19.5 39.5,19.5 39.5,27.5 9.5,27.5');
    await pointer(box!, 'pointermove', 12, 22);
    expect(byCy('image-masking-hover').textContent).toBe('Person name, like PatientName · 97 % · the same on 3 images · to decide');
    await pointer(box!, 'pointerleave', 12, 22);
    expect(all('image-masking-hover')).toHaveLength(0);
  });

  test('a click chooses, a drag of the window tool does not, and a box moves only while it is adjusted', async () => {
    const { session } = await open(two);
    let [box] = draw();
    await pointer(box!, 'pointerdown', 12, 22);
    await pointer(box!, 'pointerup', 60, 80);
    expect(session.store.selected.get()).toBeUndefined();
    await pointer(box!, 'pointerdown', 12, 22);
    await pointer(box!, 'pointerup', 13, 22);
    expect(session.store.selected.get()).toMatchObject({ clusterId: 'names', whole: true });
    act(() => session.startAdjusting());
    [box] = draw();
    box!.setPointerCapture = () => undefined;
    await pointer(box!, 'pointerdown', 12, 22);
    await pointer(box!, 'pointermove', 17, 20);
    expect(session.store.adjusting.get()?.region).toEqual({ x: 15, y: 18, width: 30, height: 8 });
  });
});
