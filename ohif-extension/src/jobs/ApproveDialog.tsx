import { useEffect, useId, useMemo, useRef, useState, type ReactNode } from 'react';
import { useDialogFocus } from '../host/useDialogFocus';
import { t, tn } from '../i18n';
import type { MaskedImage, Mask } from '../masks/mask';
import { asProblem, newIdempotencyKey, type SidecarClient, type SidecarProblem } from '../sidecar/client';
import type { LeftOut, MaskJobPreview, MaskJobRequest, MaskScope } from '../sidecar/types';
import { describeProblem } from './jobText';

export interface SeriesChoice {
  readonly seriesInstanceUid: string;
  readonly number: string;
  readonly modality: string;
  readonly description: string;
}

export interface ApproveDialogProps {
  readonly client: Pick<SidecarClient, 'preview'>;
  /** The image whose masks are approved, and how people name it. */
  readonly image: MaskedImage;
  readonly imageNumber: string;
  readonly seriesNumber: string;
  readonly masks: readonly Mask[];
  /** Masks on other images, which this approval does not touch. */
  readonly otherMasks: readonly Mask[];
  readonly series: readonly SeriesChoice[];
  readonly approve: (request: MaskJobRequest, idempotencyKey: string) => Promise<void>;
  readonly close: () => void;
}

type DryRun =
  | { readonly state: 'loading' }
  | { readonly state: 'none' }
  | { readonly state: 'failed'; readonly problem: SidecarProblem }
  | { readonly state: 'ready'; readonly preview: MaskJobPreview };

const longestReason = 500;
const scopes: readonly MaskScope[] = ['image', 'series', 'study'];

/** Asks where the masks go, says what that will change, and starts the job. */
export function ApproveDialog(props: ApproveDialogProps): ReactNode {
  const { client, image, masks, otherMasks, series, approve, close } = props;
  const [scope, setScope] = useState<MaskScope>('image');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set([image.seriesInstanceUid]));
  const [reason, setReason] = useState('');
  const [dryRun, setDryRun] = useState<DryRun>({ state: 'loading' });
  const [attempt, setAttempt] = useState(0);
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<SidecarProblem | null>(null);
  const key = useRef<{ readonly body: string; readonly key: string } | null>(null);
  const first = useDialogFocus<HTMLInputElement>('[data-cy="image-masking-button"]');
  const id = useId();

  const request = useMemo<MaskJobRequest>(
    () => ({
      studyInstanceUid: image.studyInstanceUid,
      source: { seriesInstanceUid: image.seriesInstanceUid, sopInstanceUid: image.sopInstanceUid },
      regions: masks.map(({ region }) => ({ x: region.x, y: region.y, width: region.width, height: region.height })),
      scope,
      ...(scope === 'study' ? { seriesInstanceUids: [...chosen] } : {}),
    }),
    [image, masks, scope, chosen],
  );

  useEffect(() => {
    if (scope === 'study' && chosen.size === 0) {
      setDryRun({ state: 'none' });
      return;
    }
    const abort = new AbortController();
    setDryRun({ state: 'loading' });
    // A row of checkboxes is often changed several times in a row.
    const timer = setTimeout(
      () => {
        client.preview(request, abort.signal).then(
          preview => abort.signal.aborted || setDryRun({ state: 'ready', preview }),
          (error: unknown) => abort.signal.aborted || setDryRun({ state: 'failed', problem: asProblem(error) }),
        );
      },
      scope === 'study' ? 250 : 0,
    );
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [client, request, scope, chosen, attempt]);

  const ready = dryRun.state === 'ready' && dryRun.preview.instances > 0 && !sending;

  const apply = async (): Promise<void> => {
    if (!ready) {
      return;
    }
    // Refused when the images are others by now than those of the dry run on the screen.
    const seen: MaskJobRequest = { ...request, imagesVersion: dryRun.preview.imagesVersion };
    const complete: MaskJobRequest = reason.trim() ? { ...seen, reason: reason.trim() } : seen;
    // One key an approval: the same approval sent again after a lost answer starts no second job.
    const body = JSON.stringify(complete);
    key.current = key.current?.body === body ? key.current : { body, key: newIdempotencyKey() };
    setSending(true);
    setProblem(null);
    try {
      await approve(complete, key.current.key);
      close();
    } catch (error) {
      const told = asProblem(error);
      setProblem(told);
      setSending(false);
      if (told.type === 'urn:sidecar:problem:images-changed') {
        setAttempt(attempt + 1);
      }
    }
  };

  const toggleSeries = (uid: string): void => {
    const next = new Set(chosen);
    if (!next.delete(uid)) {
      next.add(uid);
    }
    setChosen(next);
  };

  return (
    <form
      className="image-masking-dialog"
      data-cy="image-masking-dialog"
      aria-label={t('dialog.title')}
      onSubmit={event => {
        event.preventDefault();
        void apply();
      }}
    >
      <p>{tn('dialog.masks', masks.length, { number: props.imageNumber, series: props.seriesNumber })}</p>
      <OtherMasks masks={otherMasks} />

      <fieldset disabled={sending}>
        <legend>{t('dialog.scope')}</legend>
        {scopes.map((value, index) => (
          <label key={value} className="image-masking-choice">
            <input
              ref={index === 0 ? first : undefined}
              type="radio"
              name={`${id}-scope`}
              value={value}
              checked={scope === value}
              data-cy={`image-masking-scope-${value}`}
              onChange={() => setScope(value)}
            />
            <span>{t(`dialog.scope.${value}`)}</span>
          </label>
        ))}
        {scope === 'study' && (
          <fieldset className="image-masking-series">
            <legend>{t('dialog.series.legend')}</legend>
            {series.map(choice => (
              <label key={choice.seriesInstanceUid} className="image-masking-choice">
                <input
                  type="checkbox"
                  checked={chosen.has(choice.seriesInstanceUid)}
                  data-cy="image-masking-series"
                  data-series-instance-uid={choice.seriesInstanceUid}
                  onChange={() => toggleSeries(choice.seriesInstanceUid)}
                />
                <span>{seriesLabel(choice)}</span>
              </label>
            ))}
          </fieldset>
        )}
      </fieldset>

      <div className="image-masking-preview" data-cy="image-masking-preview" data-state={dryRun.state} aria-live="polite" aria-busy={dryRun.state === 'loading'}>
        {dryRun.state === 'loading' && <p>{t('dialog.counting')}</p>}
        {dryRun.state === 'none' && <p>{t('dialog.series.none')}</p>}
        {dryRun.state === 'failed' && (
          <div role="alert">
            <p className="image-masking-bad">{describeProblem(dryRun.problem)}</p>
            <button type="button" className="image-masking-button" onClick={() => setAttempt(attempt + 1)}>
              {t('dialog.retry')}
            </button>
          </div>
        )}
        {dryRun.state === 'ready' && <Preview preview={dryRun.preview} series={series} />}
      </div>

      <label className="image-masking-reason">
        <span>{t('dialog.reason')}</span>
        <textarea
          value={reason}
          maxLength={longestReason}
          rows={2}
          disabled={sending}
          data-cy="image-masking-reason"
          onChange={event => setReason(event.target.value)}
        />
      </label>

      <p className="image-masking-warning" id={`${id}-warning`} data-cy="image-masking-warning">
        {t('dialog.warning')}
      </p>
      {problem && (
        <p role="alert" className="image-masking-bad" data-cy="image-masking-problem">
          {describeProblem(problem)}
        </p>
      )}
      <div className="image-masking-actions">
        <button type="button" className="image-masking-button" data-cy="image-masking-cancel" onClick={close}>
          {t('dialog.cancel')}
        </button>
        <button
          type="submit"
          className="image-masking-button image-masking-danger"
          data-cy="image-masking-apply"
          disabled={!ready}
          aria-describedby={`${id}-warning`}
        >
          {sending ? t('dialog.applying') : t('dialog.apply')}
        </button>
      </div>
    </form>
  );
}

function OtherMasks({ masks }: { readonly masks: readonly Mask[] }): ReactNode {
  const images = new Set(masks.map(mask => mask.image.sopInstanceUid)).size;
  return (
    images > 0 && (
      <p className="image-masking-note" data-cy="image-masking-others">
        {tn('dialog.others', images, { masks: tn('dialog.others.masks', masks.length) })}
      </p>
    )
  );
}

function Preview({ preview, series }: { readonly preview: MaskJobPreview; readonly series: readonly SeriesChoice[] }): ReactNode {
  const nameOf = (uid: string): string => {
    const choice = series.find(candidate => candidate.seriesInstanceUid === uid);
    return choice ? seriesLabel(choice) : uid;
  };
  return (
    <>
      <p className="image-masking-count" data-cy="image-masking-count">
        {preview.instances > 0
          ? t('dialog.change', { images: tn('dialog.images', preview.instances), frames: tn('dialog.frames', preview.frames) })
          : t('dialog.change.none')}
      </p>
      {preview.series.length > 1 && (
        <ul>
          {preview.series.map(part => (
            <li key={part.seriesInstanceUid}>
              {nameOf(part.seriesInstanceUid)}: {tn('dialog.images', part.instances)}, {tn('dialog.frames', part.frames)}
            </li>
          ))}
        </ul>
      )}
      {preview.leftOut.length === 0 ? (
        <p className="image-masking-quiet">{t('dialog.leftOut.none')}</p>
      ) : (
        <>
          <p>{t('dialog.leftOut')}</p>
          <ul data-cy="image-masking-left-out">
            {preview.leftOut.map(part => (
              <li key={`${part.seriesInstanceUid} ${part.code}`}>
                {nameOf(part.seriesInstanceUid)}, {t('dialog.leftOut.item', { images: tn('dialog.images', part.instances), reason: reasonOf(part) })}
                {part.code !== 'size' && part.message && <span className="image-masking-quiet"> ({part.message})</span>}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function reasonOf({ code, message }: LeftOut): string {
  switch (code) {
    case 'size':
    case 'transferSyntax':
    case 'notAnImage':
    case 'pixels':
      return t(`leftOut.${code}`);
    default:
      return message;
  }
}

function seriesLabel({ number, modality, description }: SeriesChoice): string {
  return t('dialog.unit.series', { number, modality, description }).replace(/( · )+$/, '');
}
