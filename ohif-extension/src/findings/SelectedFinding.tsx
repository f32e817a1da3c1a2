import type { ReactNode } from 'react';
import { useObservable } from '../host/observable';
import { t, tn } from '../i18n';
import type { FindingView } from '../sidecar/reviewTypes';
import type { ClusterRow } from './findingList';
import type { FindingsSession } from './FindingsSession';
import { describeImageOf } from './FindingTree';
import { describeFrames, describeKind, describeMoment, percent } from './findingText';
import { describeReason, RejectForm } from './RejectForm';

export interface FindingActions {
  readonly accept: () => void;
  readonly reject: (reason: string) => void;
  readonly askReason: () => void;
  readonly leaveReason: () => void;
  readonly adjust: () => void;
  readonly undo: () => void;
}

export interface SelectedFindingProps {
  readonly session: FindingsSession;
  readonly row: ClusterRow | undefined;
  readonly finding: FindingView | undefined;
  /** False without the permission, and once the study is finalized. */
  readonly mayDecide: boolean;
  readonly rejecting: boolean;
  readonly actions: FindingActions;
}

/** What is chosen, and what can be done with it. */
export function SelectedFinding({ session, row, finding, mayDecide, rejecting, actions }: SelectedFindingProps): ReactNode {
  const { store } = session;
  const busy = useObservable(store.busy);
  const adjusting = useObservable(store.adjusting);
  const whole = useObservable(store.selected)?.whole ?? false;
  if (!row || !finding) {
    return <p className="image-masking-quiet">{t('finding.select')}</p>;
  }
  const { cluster } = row;
  const findings = (whole ? row.findings : [finding]).filter(candidate => candidate.state !== 'masked');
  const decided = findings.every(candidate => candidate.state !== 'open');
  const region = adjusting?.region ?? finding.decision?.region ?? finding.region;
  return (
    <div className="image-masking-selected" data-cy="image-masking-selected" data-whole={whole}>
      <p className="image-masking-cluster-kind">{describeKind(finding)}</p>
      <p className="image-masking-quiet">
        {[
          whole ? tn('findings.images', cluster.images) : describeImageOf(session, finding),
          finding.frames ? describeFrames(finding.frames) : '',
          t('findings.confidence.long', { percent: percent(finding.confidence) }),
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
      <p className="image-masking-quiet" data-cy="image-masking-selected-region">
        {t('finding.at', { ...region })}
      </p>
      <p className="image-masking-quiet">{t('finding.device', { ...cluster.device, columns: cluster.columns, rows: cluster.rows }).trim()}</p>
      {finding.afterMasking && <p className="image-masking-bad">{t('findings.afterMasking')}</p>}
      {finding.decision && <Decided finding={finding} />}
      {mayDecide && adjusting && (
        <>
          <p id="image-masking-adjusting">{t('finding.adjusting')}</p>
          <div className="image-masking-choices">
            <button type="button" className="image-masking-button image-masking-good" data-cy="image-masking-accept" disabled={busy} onClick={actions.accept}>
              {whole && cluster.images > 1 ? t('finding.adjusting.acceptAll', { count: cluster.images }) : t('finding.adjusting.accept')}
            </button>
            <button type="button" className="image-masking-button" onClick={() => store.adjusting.set(undefined)}>
              {t('finding.adjusting.cancel')}
            </button>
          </div>
        </>
      )}
      {mayDecide && !adjusting && rejecting && <RejectForm findings={findings.length} busy={busy} confirm={actions.reject} cancel={actions.leaveReason} />}
      {mayDecide && !adjusting && !rejecting && findings.length > 0 && (
        <div className="image-masking-choices">
          <button type="button" className="image-masking-button image-masking-good" data-cy="image-masking-accept" aria-keyshortcuts="A" disabled={busy} onClick={actions.accept}>
            {tn('finding.accept.all', findings.length)} <kbd>A</kbd>
          </button>
          <button type="button" className="image-masking-button" data-cy="image-masking-reject" aria-keyshortcuts="R" disabled={busy} onClick={actions.askReason}>
            {t('finding.reject')} <kbd>R</kbd>
          </button>
          <button type="button" className="image-masking-button" data-cy="image-masking-adjust" aria-keyshortcuts="M" disabled={busy} onClick={actions.adjust}>
            {t('finding.adjust')} <kbd>M</kbd>
          </button>
          {decided && (
            <button type="button" className="image-masking-button" data-cy="image-masking-undo" aria-keyshortcuts="U" disabled={busy} onClick={actions.undo}>
              {t('finding.undo')} <kbd>U</kbd>
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function Decided({ finding }: { readonly finding: FindingView }): ReactNode {
  const { decision, state } = finding;
  if (!decision) {
    return null;
  }
  const values = { state: t(`findingState.${state}`), name: decision.by, time: describeMoment(decision.at), reason: describeReason(decision.reason ?? '') };
  return <p className="image-masking-quiet">{t(decision.reason ? 'finding.decided.reason' : 'finding.decided', values)}</p>;
}
