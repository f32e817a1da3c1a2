import { useEffect, useRef, type KeyboardEvent, type ReactNode } from 'react';
import { useObservable } from '../host/observable';
import { t } from '../i18n';
import { JobList } from '../jobs/JobList';
import { describeImage } from './describeImage';
import { currentSession, type MaskingSession } from '../session';
import { coveringRegion, moveRegion, regionCorners, type Region } from './geometry';
import type { Mask, MaskedImage } from './mask';

/** The side panel: masks image by image, and the masking jobs. */
export function MaskPanel({ run }: { readonly run: (command: string, options?: Record<string, unknown>) => void }): ReactNode {
  const session = useObservable(currentSession);
  return session && <Panel session={session} run={run} />;
}

function Panel({ session, run }: { readonly session: MaskingSession; readonly run: (command: string, options?: Record<string, unknown>) => void }): ReactNode {
  const masks = useObservable(session.masks.masks);
  const target = useObservable(session.target);
  const added = useRef<string | undefined>();
  const list = useRef<HTMLDivElement>(null);
  const groups = new Map<string, { image: MaskedImage; masks: Mask[] }>();
  for (const mask of masks) {
    const key = mask.image.sopInstanceUid;
    groups.set(key, { image: mask.image, masks: [...(groups.get(key)?.masks ?? []), mask] });
  }

  const inOrder = [...groups.values()]
    .map(group => ({ ...group, named: describeImage(session.services.displaySetService, group.image) }))
    .sort((a, b) => Number(a.named.series) - Number(b.named.series) || Number(a.named.number) - Number(b.named.number));

  useEffect(() => {
    if (added.current) {
      list.current?.querySelector<HTMLElement>(`[data-mask-uid="${added.current}"]`)?.focus();
      added.current = undefined;
    }
  }, [masks]);

  return (
    <div className="image-masking-panel" data-cy="image-masking-panel">
      <section aria-labelledby="image-masking-drawn" ref={list}>
        <div className="image-masking-heading">
          <h2 id="image-masking-drawn">{t('panel.drawn')}</h2>
          {session.mayMask && (
            <button
              type="button"
              className="image-masking-button"
              data-cy="image-masking-add"
              title={target.why ? t(target.why) : t('panel.add.hint')}
              aria-disabled={Boolean(target.why)}
              onClick={() => {
                added.current = session.addMask();
              }}
            >
              {t('panel.add')}
            </button>
          )}
        </div>
        {groups.size === 0 && session.mayMask && <p className="image-masking-quiet">{t('panel.empty')}</p>}
        {inOrder.map(group => (
          <ImageMasks key={group.image.sopInstanceUid} {...group} session={session} shown={target.image?.sopInstanceUid === group.image.sopInstanceUid} run={run} />
        ))}
        {groups.size > 0 && (
          <p id="image-masking-keys" className="image-masking-quiet">
            {t('panel.mask.keys')}
          </p>
        )}
      </section>
      <JobList jobs={session.jobs} me={session.me} show={job => session.showApproved(job)} />
    </div>
  );
}

function ImageMasks({
  image,
  masks,
  named,
  session,
  shown,
  run,
}: {
  readonly image: MaskedImage;
  readonly masks: readonly Mask[];
  readonly named: ReturnType<typeof describeImage>;
  readonly session: MaskingSession;
  readonly shown: boolean;
  readonly run: (command: string, options?: Record<string, unknown>) => void;
}): ReactNode {
  const { number, series, frames } = named;
  return (
    <div className="image-masking-image" data-cy="image-masking-image" data-sop-instance-uid={image.sopInstanceUid}>
      <div className="image-masking-heading">
        <button
          type="button"
          className="image-masking-link"
          data-cy="image-masking-jump"
          aria-label={t('panel.jump', { number, series })}
          aria-current={shown}
          onClick={() => run('imageMaskingJump', { image })}
        >
          {t('panel.series', { number: series })} · {t('panel.image', { number })}
        </button>
        {masks.some(mask => !mask.burning) && (
          <button
            type="button"
            className="image-masking-button"
            data-cy="image-masking-approve-image"
            aria-label={t('panel.approve.image', { number, series })}
            onClick={() => run('imageMaskingApprove', { image })}
          >
            {t('panel.approve')}
          </button>
        )}
      </div>
      <p className="image-masking-quiet">
        {[shown ? t('panel.shown') : '', frames > 1 ? t('panel.frames', { count: frames }) : ''].filter(Boolean).join(' · ')}
      </p>
      <ul>
        {masks.map(mask => (
          <li key={mask.uid} className="image-masking-row">
            <button
              type="button"
              className="image-masking-mask"
              data-cy="image-masking-mask"
              data-mask-uid={mask.uid}
              aria-label={t('panel.mask', { ...mask.region })}
              aria-describedby="image-masking-keys"
              onClick={() => run('imageMaskingJump', { image })}
              onKeyDown={event => onMaskKey(event, mask, session)}
            >
              <span className="image-masking-swatch" aria-hidden="true" />
              {t('panel.mask.text', { ...mask.region })}
            </button>
            {mask.burning ? (
              <span className="image-masking-quiet">{t('panel.burning')}</span>
            ) : (
            <button
              type="button"
              className="image-masking-delete"
              data-cy="image-masking-delete"
              aria-label={t('panel.delete', { x: mask.region.x, y: mask.region.y })}
              title={t('panel.delete', { x: mask.region.x, y: mask.region.y })}
              onClick={() => session.masks.delete([mask.uid])}
            >
              ×
            </button>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Places a mask by keyboard: the only way to draw without a mouse. */
function onMaskKey(event: KeyboardEvent, mask: Mask, session: MaskingSession): void {
  if (mask.burning) {
    return;
  }
  if (event.key === 'Delete' || event.key === 'Backspace') {
    event.preventDefault();
    event.stopPropagation();
    session.masks.delete([mask.uid]);
    return;
  }
  const steps: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const step = steps[event.key];
  if (!step) {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
  const pixels = event.ctrlKey || event.metaKey ? 10 : 1;
  session.masks.change(mask.uid, changedByKey(mask, step[0] * pixels, step[1] * pixels, event.shiftKey));
}

function changedByKey({ region, image }: Mask, dx: number, dy: number, resize: boolean): Region {
  if (!resize) {
    return moveRegion(region, dx, dy, image);
  }
  const [near, , , far] = regionCorners(region);
  return coveringRegion(near, [Math.max(near[0] + 1, far[0] + dx), Math.max(near[1] + 1, far[1] + dy)], image) ?? region;
}
