import { describe, expect, test, vi } from 'vitest';
import { ApproveDialog, type ApproveDialogProps } from '../src/jobs/ApproveDialog';
import { SidecarProblem } from '../src/sidecar/client';
import type { MaskJobPreview, MaskJobRequest } from '../src/sidecar/types';
import { byCy, click, render, settle, type } from './render';

const image = { studyInstanceUid: '1', seriesInstanceUid: '1.1', sopInstanceUid: '1.1.1', rows: 100, columns: 200 };
const mask = { uid: 'm', image, region: { x: 1, y: 2, width: 3, height: 4 }, burning: false };
const elsewhere = { ...mask, uid: 'n', image: { ...image, sopInstanceUid: '1.1.2' } };
const preview: MaskJobPreview = {
  instances: 40,
  frames: 40,
  series: [{ seriesInstanceUid: '1.1', modality: 'CT', instances: 40, frames: 40 }],
  leftOut: [{ seriesInstanceUid: '1.2', code: 'size', message: 'other size', instances: 2 }],
  imagesVersion: 'seen',
};

function props(changes: Partial<ApproveDialogProps> = {}): ApproveDialogProps {
  return {
    client: { preview: async () => preview },
    image,
    imageNumber: '7',
    seriesNumber: '3',
    masks: [mask],
    otherMasks: [],
    series: [
      { seriesInstanceUid: '1.1', number: '3', modality: 'CT', description: 'Thorax' },
      { seriesInstanceUid: '1.2', number: '4', modality: 'CT', description: '' },
    ],
    approve: vi.fn(async () => undefined),
    close: vi.fn(),
    ...changes,
  };
}

const applyButton = (): HTMLButtonElement => byCy('image-masking-apply') as HTMLButtonElement;

test('the dry run says how many images and frames change, and what is left out and why', async () => {
  await render(<ApproveDialog {...props()} />);
  await settle();
  expect(byCy('image-masking-count').textContent).toBe('40 images, 40 frames will change');
  expect(byCy('image-masking-left-out').textContent).toBe('Series 4 · CT, 2 images: another size than the image you masked');
  expect(byCy('image-masking-warning').textContent).toContain('cannot be undone');
  expect(document.body.textContent).toContain('1 mask on image 7, series 3');
});

test('masks on other images are named as not part of the approval', async () => {
  await render(<ApproveDialog {...props({ otherMasks: [elsewhere, { ...elsewhere, uid: 'o' }] })} />);
  expect(byCy('image-masking-others').textContent).toBe('Not part of this approval: 2 masks on 1 other image. Approve on that image.');
});

test('the keyboard begins at the first scope; every control has a name', async () => {
  await render(<ApproveDialog {...props()} />);
  expect(document.activeElement).toBe(byCy('image-masking-scope-image'));
  const unnamed = [...document.querySelectorAll('input, textarea, button')].filter(
    control => !(control.closest('label')?.textContent || control.textContent || control.getAttribute('aria-label')),
  );
  expect(unnamed).toEqual([]);
  expect(byCy('image-masking-preview').getAttribute('aria-live')).toBe('polite');
  expect(applyButton().getAttribute('aria-describedby')).toBe(byCy('image-masking-warning').id);
});

test('Apply is closed while counting, when counting failed, and when no image would change', async () => {
  let answer: (value: MaskJobPreview) => void = () => undefined;
  const previews = vi
    .fn<ApproveDialogProps['client']['preview']>()
    .mockImplementationOnce(() => new Promise(resolve => (answer = resolve)))
    .mockRejectedValueOnce(new SidecarProblem(503, 'x', 'Orthanc does not answer.'))
    .mockResolvedValueOnce(preview);
  await render(<ApproveDialog {...props({ client: { preview: previews } })} />);
  await settle();
  expect(byCy('image-masking-preview').textContent).toBe('Counting the images…');
  expect(applyButton().disabled).toBe(true);
  answer({ ...preview, instances: 0, frames: 0, series: [] });
  await settle();
  expect(byCy('image-masking-count').textContent).toBe('No image can be masked');
  expect(applyButton().disabled).toBe(true);

  await click(byCy('image-masking-scope-series'));
  await settle();
  expect(byCy('image-masking-preview').textContent).toContain('Orthanc does not answer.');
  expect(applyButton().disabled).toBe(true);
  await click(document.querySelector<HTMLElement>('[role="alert"] button') ?? document.body);
  await settle();
  expect(applyButton().disabled).toBe(false);
});

test('an answer for a scope no longer chosen is not shown', async () => {
  const answers: ((value: MaskJobPreview) => void)[] = [];
  await render(<ApproveDialog {...props({ client: { preview: () => new Promise(resolve => answers.push(resolve)) } })} />);
  await settle();
  await click(byCy('image-masking-scope-series'));
  await settle();
  answers[1]?.({ ...preview, instances: 2, frames: 2 });
  await settle();
  answers[0]?.({ ...preview, instances: 99, frames: 99 });
  await settle();
  expect(byCy('image-masking-count').textContent).toBe('2 images, 2 frames will change');
});

describe('the request', () => {
  async function applied(act: () => Promise<void>): Promise<MaskJobRequest> {
    const given = props();
    await render(<ApproveDialog {...given} />);
    await settle();
    await act();
    await settle(300);
    await click(applyButton());
    await settle();
    expect(given.close).toHaveBeenCalledOnce();
    return vi.mocked(given.approve).mock.calls[0]?.[0] as MaskJobRequest;
  }

  test('for one image names no series and no empty reason', async () => {
    expect(await applied(async () => undefined)).toEqual({
      studyInstanceUid: '1',
      source: { seriesInstanceUid: '1.1', sopInstanceUid: '1.1.1' },
      regions: [{ x: 1, y: 2, width: 3, height: 4 }],
      scope: 'image',
      imagesVersion: 'seen',
    });
  });

  test('for chosen series names exactly the checked ones', async () => {
    const request = await applied(async () => {
      await click(byCy('image-masking-scope-study'));
      const boxes = document.querySelectorAll<HTMLInputElement>('[data-cy="image-masking-series"]');
      expect([...boxes].map(box => box.checked)).toEqual([true, false]);
      await click(boxes[0] ?? document.body);
      await settle(300);
      expect(byCy('image-masking-preview').textContent).toBe('Choose at least one series.');
      expect(applyButton().disabled).toBe(true);
      await click(boxes[1] ?? document.body);
      await type(byCy('image-masking-reason'), '  name in the corner ');
    });
    expect(request).toMatchObject({ scope: 'study', seriesInstanceUids: ['1.2'], reason: 'name in the corner' });
  });
});

test('when the images changed since the dry run, the dialog says so and shows a new one', async () => {
  const approve = vi.fn<ApproveDialogProps['approve']>().mockRejectedValueOnce(new SidecarProblem(409, 'urn:sidecar:problem:images-changed', 'Look at the images again.'));
  const dryRun = vi.fn(async () => ({ ...preview, imagesVersion: `seen ${dryRun.mock.calls.length}` }));
  const given = props({ approve, client: { preview: dryRun } });
  await render(<ApproveDialog {...given} />);
  await settle();
  await click(applyButton());
  await settle();
  expect(byCy('image-masking-problem').textContent).toContain('Look at the images again.');
  expect(given.close).not.toHaveBeenCalled();
  await click(applyButton());
  await settle();
  expect(approve.mock.calls.map(([request]) => request.imagesVersion)).toEqual(['seen 1', 'seen 2']);
  expect(given.close).toHaveBeenCalledOnce();
});

test('a failed POST keeps the dialog, and the retry carries the same key; another approval another key', async () => {
  const approve = vi.fn<ApproveDialogProps['approve']>().mockRejectedValue(new SidecarProblem(0, 'unreachable', ''));
  const given = props({ approve });
  await render(<ApproveDialog {...given} />);
  await settle();
  await click(applyButton());
  await settle();
  expect(byCy('image-masking-problem').textContent).toContain('cannot be reached');
  expect(given.close).not.toHaveBeenCalled();
  await click(applyButton());
  await settle();
  await click(byCy('image-masking-scope-series'));
  await settle();
  await click(applyButton());
  await settle();
  const keys = approve.mock.calls.map(([, key]) => key);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
});

test('Cancel closes and starts nothing', async () => {
  const given = props();
  await render(<ApproveDialog {...given} />);
  await settle();
  await click(byCy('image-masking-cancel'));
  expect(given.close).toHaveBeenCalledOnce();
  expect(given.approve).not.toHaveBeenCalled();
});
