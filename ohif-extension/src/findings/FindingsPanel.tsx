import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { useObservable } from '../host/observable';
import { t, tn } from '../i18n';
import { JobList } from '../jobs/JobList';
import { describeProblem } from '../jobs/jobText';
import { coveringRegion, moveRegion, regionCorners } from '../masks/geometry';
import type { DecisionAction, StudyFindings } from '../sidecar/reviewTypes';
import { FindingFilters } from './FindingFilters';
import { arrange, isOpen } from './findingList';
import { currentFindings, type FindingsSession } from './FindingsSession';
import { FindingTree, hoverText } from './FindingTree';
import { FinishStudy } from './FinishStudy';
import { Missed } from './Missed';
import { ScanBanner } from './ScanBanner';
import { SelectedFinding, type FindingActions } from './SelectedFinding';
import { KeepTemplate, TemplateOffers } from './Templates';
import { Unscannable } from './Unscannable';

type Run = (command: string, options?: Record<string, unknown>) => void;

/** The side panel of a person who decides on findings. */
export function FindingsPanel({ run }: { readonly run: Run }): ReactNode {
  const session = useObservable(currentFindings);
  return session && <Panel session={session} run={run} />;
}

function Panel({ session, run }: { readonly session: FindingsSession; readonly run: Run }): ReactNode {
  const { store, masking } = session;
  const view = useObservable(store.view);
  const problem = useObservable(store.problem);
  useEffect(() => {
    session.isPanelShown = true;
  }, [session]);
  return (
    <div className="image-masking-panel" data-cy="image-masking-findings-panel">
      {problem && (
        <p role="alert" className="image-masking-bad">
          {describeProblem(problem)}{' '}
          <button type="button" className="image-masking-link" onClick={() => store.refresh()}>
            {t('findings.retry')}
          </button>
        </p>
      )}
      {!view && !problem && (
        <p role="status" className="image-masking-quiet">
          {t('findings.loading')}
        </p>
      )}
      {view && <Study session={session} view={view} run={run} />}
      {masking && <JobList jobs={masking.jobs} me={masking.me} show={job => masking.showApproved(job)} />}
      <HoverCard session={session} />
    </div>
  );
}

function Study({ session, view, run }: { readonly session: FindingsSession; readonly view: StudyFindings; readonly run: Run }): ReactNode {
  const { store } = session;
  const filter = useObservable(store.filter);
  const selected = useObservable(store.selected);
  const refused = useObservable(store.refused);
  const arranged = useMemo(() => arrange(view, filter), [view, filter]);
  const rows = [...arranged.clusters, ...arranged.outliers];
  const row = rows.find(candidate => candidate.cluster.id === selected?.clusterId);
  const finding = row?.findings.find(candidate => candidate.id === selected?.findingId);
  const [rejecting, setRejecting] = useState(false);
  const [said, setSaid] = useState('');
  const [focusTurn, setFocusTurn] = useState(0);
  const panel = useRef<HTMLDivElement>(null);
  const alert = useRef<HTMLParagraphElement>(null);
  const toDecide = rows.filter(isOpen).length + arranged.hiddenOpen;
  const mayDecide = session.mayReview && view.state !== 'finalized';

  useEffect(() => setRejecting(false), [selected]);
  // The button that was refused may be far below. Newer browsers answer with a promise, which React must not take for a clean-up.
  useEffect(() => void alert.current?.scrollIntoView?.({ block: 'nearest' }), [refused]);

  const focusList = (): void => setFocusTurn(turn => turn + 1);

  /** On to the next finding of this cluster that is open, where one was decided alone; else to the next cluster. */
  const goOn = (): void => {
    const { whole, clusterId } = store.selected.get() ?? {};
    const now = session.rows().find(candidate => candidate.cluster.id === clusterId);
    const next = whole === false ? now?.findings.find(candidate => candidate.state === 'open') : undefined;
    if (now && next) {
      session.select(now, next.id);
    } else if (!session.step(1)) {
      panel.current?.querySelector('.image-masking-finish')?.scrollIntoView?.({ block: 'end' });
      return;
    }
    focusList();
  };

  const decide = async (action: DecisionAction, reason?: string): Promise<void> => {
    const target = store.selected.get();
    if (!target || !mayDecide || store.busy.get()) {
      return;
    }
    const region = action === 'accept' ? store.adjusting.get()?.region : undefined;
    const about = target.whole ? { clusterId: target.clusterId } : { findingIds: [target.findingId] };
    const done = await store.decide({ ...about, action, ...(reason ? { reason } : {}), ...(region ? { region } : {}) });
    if (!done) {
      focusList();
      return;
    }
    store.adjusting.set(undefined);
    setRejecting(false);
    const left = session.rows().filter(isOpen).length;
    if (action === 'reopen') {
      setSaid(t('done.reopened'));
      focusList();
    } else {
      setSaid(left === 0 ? t('findings.allDecided') : tn(action === 'accept' ? 'done.accepted' : 'done.dismissed', left));
      goOn();
    }
  };

  const actions: FindingActions = {
    accept: () => void decide('accept'),
    reject: reason => void decide('dismiss', reason),
    askReason: () => mayDecide && finding && setRejecting(true),
    leaveReason: () => {
      setRejecting(false);
      focusList();
    },
    adjust: () => {
      if (mayDecide) {
        session.startAdjusting();
        focusList();
      }
    },
    undo: () => void decide('reopen'),
  };
  const step = (by: 1 | -1): void => {
    if (session.step(by)) {
      focusList();
    } else {
      setSaid(t('findings.allDecided'));
    }
  };

  /** N and P work wherever the keyboard is, but in fields and dialogs: they lead to a finding, they decide nothing. */
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      const isElsewhere = !panel.current?.contains(target) && (panel.current?.checkVisibility?.() ?? true);
      const isFree = !target.closest?.('input, textarea, select, [contenteditable="true"]') && !document.querySelector('[role="dialog"], [role="menu"]');
      const by = { n: 1, p: -1 }[event.key.toLowerCase()] as 1 | -1 | undefined;
      if (by && isElsewhere && isFree && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        event.stopPropagation();
        step(by);
      }
    };
    document.addEventListener('keydown', onKey, true);
    return () => document.removeEventListener('keydown', onKey, true);
  });

  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || (event.target as HTMLElement).closest('textarea, form, input[type="range"]')) {
      return;
    }
    const act = { n: () => step(1), p: () => step(-1), a: actions.accept, r: actions.askReason, m: actions.adjust, u: actions.undo }[event.key.toLowerCase()];
    if (act) {
      event.preventDefault();
      event.stopPropagation();
      act();
    }
  };

  return (
    <div ref={panel} className="image-masking-panel-part" onKeyDownCapture={event => adjustByKey(event, session, actions.accept)} onKeyDown={onKey}>
      <header className="image-masking-heading">
        <h2>{toDecide > 0 ? tn('findings.toDecide', toDecide) : rows.length > 0 ? t('findings.allDecided') : t('findings.none')}</h2>
        {session.mayReview && (
          <a className="image-masking-link" href="/worklist">
            {t('findings.worklist')}
          </a>
        )}
      </header>
      <ScanBanner session={session} view={view} />
      <TemplateOffers session={session} view={view} />
      {refused && (
        <p ref={alert} role="alert" className="image-masking-bad" data-cy="image-masking-refused">
          {describeProblem(refused)}
        </p>
      )}
      <p role="status" className="image-masking-quiet" data-cy="image-masking-said">
        {said}
      </p>
      {rows.length > 0 && <SelectedFinding session={session} row={row} finding={finding} mayDecide={mayDecide} rejecting={rejecting} actions={actions} />}
      {view.clusters.length > 0 && <FindingFilters store={store} view={view} arranged={arranged} />}
      {rows.length > 0 && <FindingTree session={session} arranged={arranged} focusTurn={focusTurn} />}
      {rows.length === 0 && arranged.hidden > 0 && <p>{t('findings.noneShown')}</p>}
      {rows.length > 0 && (
        <p id="image-masking-finding-keys" className="image-masking-quiet">
          {t('findings.keys')}
        </p>
      )}
      {arranged.masked.length > 0 && <p className="image-masking-quiet">{tn('findings.masked', arranged.masked.length)}</p>}
      <Missed session={session} images={view.missed} />
      <Unscannable session={session} images={view.unscannable} mayDecide={mayDecide} />
      <KeepTemplate session={session} view={view} row={row} />
      <FinishStudy session={session} view={view} arranged={arranged} apply={() => run('imageMaskingApplyAccepted')} />
    </div>
  );
}

/** While a box is moved the arrow keys are its own; the list, which knows them too, must not see them. */
function adjustByKey(event: KeyboardEvent, session: FindingsSession, accept: () => void): void {
  const adjusting = session.store.adjusting.get();
  const image = session.shown.get()?.image;
  if (!adjusting || !image || event.altKey) {
    return;
  }
  const steps: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const step = steps[event.key];
  const pixels = event.ctrlKey || event.metaKey ? 10 : 1;
  if (step) {
    const [dx, dy] = [step[0] * pixels, step[1] * pixels];
    const [near, , , far] = regionCorners(adjusting.region);
    const resized = (): typeof adjusting.region | null => coveringRegion(near, [Math.max(near[0] + 1, far[0] + dx), Math.max(near[1] + 1, far[1] + dy)], image);
    session.adjust(event.shiftKey ? (resized() ?? adjusting.region) : moveRegion(adjusting.region, dx, dy, image));
  } else if (event.key === 'Escape') {
    session.store.adjusting.set(undefined);
  } else if (event.key === 'Enter' && !(event.target as HTMLElement).closest('button')) {
    accept();
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

function HoverCard({ session }: { readonly session: FindingsSession }): ReactNode {
  const hovered = useObservable(session.hovered);
  const text = hovered && hoverText(session, hovered.id);
  return (
    text &&
    createPortal(
      <div role="tooltip" className="image-masking-hover" data-cy="image-masking-hover" style={{ left: Math.min(hovered.x + 14, window.innerWidth - 320), top: Math.min(hovered.y + 18, window.innerHeight - 60) }}>
        {text}
      </div>,
      document.body,
    )
  );
}
