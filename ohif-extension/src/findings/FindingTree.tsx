import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useObservable } from '../host/observable';
import { t, tn } from '../i18n';
import { describeImage } from '../masks/describeImage';
import type { FindingView } from '../sidecar/reviewTypes';
import { isOpen, stateOf, type ArrangedFindings, type ClusterRow } from './findingList';
import type { FindingsSession } from './FindingsSession';
import { describeFrames, describeKind, describeRow, percent } from './findingText';

const firstShown = 50;

interface Item {
  readonly key: string;
  readonly row: ClusterRow;
  readonly finding?: FindingView;
  /** Not a finding but the offer of so many more. */
  readonly more?: number;
}

export interface FindingTreeProps {
  readonly session: FindingsSession;
  readonly arranged: ArrangedFindings;
  /** Changes when the selected row is to have the focus: the keyboard goes where the work goes. */
  readonly focusTurn: number;
}

/** The clusters, each to be unfolded into its findings: walked by arrow keys, with one stop for the Tab key. */
export function FindingTree({ session, arranged, focusTurn }: FindingTreeProps): ReactNode {
  const { store } = session;
  const selected = useObservable(store.selected);
  const [unfolded, setUnfolded] = useState<ReadonlyMap<string, number>>(new Map());
  const tree = useRef<HTMLDivElement>(null);

  const itemsOf = (row: ClusterRow): Item[] => {
    const limit = unfolded.get(row.cluster.id);
    const own: Item = { key: row.cluster.id, row };
    if (limit === undefined || row.findings.length < 2) {
      return [own];
    }
    const more = row.findings.length - limit;
    return [
      own,
      ...row.findings.slice(0, limit).map(finding => ({ key: finding.id, row, finding })),
      ...(more > 0 ? [{ key: `${row.cluster.id} more`, row, more }] : []),
    ];
  };
  const items = [...arranged.clusters, ...arranged.outliers].flatMap(itemsOf);
  const current = selected && (items.find(item => item.key === (selected.whole ? selected.clusterId : selected.findingId)) ?? items.find(item => item.key === selected.clusterId));
  const tabStop = current?.key ?? items[0]?.key;

  const elementOf = (key: string | undefined): HTMLElement | undefined =>
    [...(tree.current?.querySelectorAll<HTMLElement>('[role="treeitem"]') ?? [])].find(element => element.dataset['key'] === key);

  useEffect(() => {
    if (focusTurn > 0) {
      elementOf(current?.key)?.focus();
      elementOf(current?.key)?.scrollIntoView?.({ block: 'nearest' });
    }
    // Only when asked: the list also changes under hands that are elsewhere.
  }, [focusTurn]);

  const fold = (row: ClusterRow, limit: number | undefined): void => {
    const next = new Map(unfolded);
    if (limit === undefined) {
      next.delete(row.cluster.id);
    } else {
      next.set(row.cluster.id, limit);
    }
    setUnfolded(next);
  };

  const go = (item: Item | undefined): void => {
    if (item) {
      elementOf(item.key)?.focus();
      if (!item.more) {
        session.select(item.row, item.finding?.id);
      }
    }
  };

  const activate = (item: Item): void => {
    if (item.more) {
      fold(item.row, (unfolded.get(item.row.cluster.id) ?? 0) + 4 * firstShown);
    } else {
      session.select(item.row, item.finding?.id);
    }
  };

  const onKey = (event: KeyboardEvent): void => {
    const at = items.findIndex(item => item.key === (event.target as HTMLElement).dataset['key']);
    const item = items[at];
    if (!item || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const isUnfolded = unfolded.has(item.row.cluster.id);
    switch (event.key) {
      case 'ArrowDown':
        go(items[at + 1]);
        break;
      case 'ArrowUp':
        go(items[at - 1]);
        break;
      case 'Home':
        go(items[0]);
        break;
      case 'End':
        go(items.at(-1));
        break;
      case 'ArrowRight':
        if (!item.finding && item.row.findings.length > 1 && !isUnfolded) {
          fold(item.row, firstShown);
        } else if (!item.finding && isUnfolded) {
          go(items[at + 1]);
        }
        break;
      case 'ArrowLeft':
        if (item.finding || item.more) {
          go(items.find(candidate => candidate.key === item.row.cluster.id));
        } else if (isUnfolded) {
          fold(item.row, undefined);
        }
        break;
      case 'Enter':
      case ' ':
        activate(item);
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  const common = (item: Item) => ({
    'role': 'treeitem',
    'data-key': item.key,
    'data-cy': item.more ? 'image-masking-more' : item.finding ? 'image-masking-finding' : 'image-masking-cluster',
    'tabIndex': item.key === tabStop ? 0 : -1,
    'aria-selected': item.key === current?.key,
    'aria-level': item.finding || item.more ? 2 : 1,
    'onClick': () => activate(item),
  });

  const render = (item: Item): ReactNode => {
    const { row, finding } = item;
    if (item.more) {
      return (
        <div key={item.key} {...common(item)} className="image-masking-finding-image image-masking-link">
          {t('findings.more', { count: item.more })}
        </div>
      );
    }
    if (finding) {
      return (
        <div key={item.key} {...common(item)} data-state={finding.state} className="image-masking-finding-image">
          <span className={`image-masking-mark image-masking-mark-${finding.state}`} aria-hidden="true" />
          <span>{describeImageOf(session, finding)}</span>
          <span className="image-masking-quiet">{[finding.frames ? describeFrames(finding.frames) : '', t(`findingState.${finding.state}`)].filter(Boolean).join(' · ')}</span>
        </div>
      );
    }
    const { cluster } = row;
    const state = stateOf(row);
    return (
      <div
        key={item.key}
        {...common(item)}
        data-state={state}
        aria-label={describeRow(row)}
        aria-expanded={row.findings.length > 1 ? unfolded.has(cluster.id) : undefined}
        className={isOpen(row) ? 'image-masking-cluster' : 'image-masking-cluster image-masking-decided'}
      >
        <span className={`image-masking-mark image-masking-mark-${state}`} aria-hidden="true" />
        <span className="image-masking-cluster-text">
          <span className="image-masking-cluster-line">
            <span className="image-masking-cluster-kind">{t(`kind.${cluster.kind}`)}</span>
            <span>{cluster.images > 1 ? tn('dialog.images', cluster.images) : row.findings[0] ? describeImageOf(session, row.findings[0]) : ''}</span>
          </span>
          <span className="image-masking-cluster-line image-masking-quiet">
            <span>
              {[cluster.matchedAttribute ? t('findings.like', { attribute: cluster.matchedAttribute }) : '', t('findings.confidence', { percent: percent(cluster.confidence) }), cluster.findings > cluster.images ? tn('findings.count', cluster.findings) : '']
                .filter(Boolean)
                .join(' · ')}
            </span>
            <span>{t(`findingState.${state}`)}</span>
          </span>
          {cluster.afterMasking && <span className="image-masking-bad">{t('findings.afterMasking')}</span>}
        </span>
        {row.findings.length > 1 && (
          <span
            className="image-masking-twist"
            aria-hidden="true"
            onClick={event => {
              event.stopPropagation();
              fold(row, unfolded.has(cluster.id) ? undefined : firstShown);
            }}
          >
            {unfolded.has(cluster.id) ? '▾' : '▸'}
          </span>
        )}
      </div>
    );
  };

  return (
    <div ref={tree} role="tree" aria-label={t('findings.list')} aria-describedby="image-masking-finding-keys" data-cy="image-masking-findings" onKeyDown={onKey}>
      {arranged.clusters.flatMap(itemsOf).map(render)}
      {arranged.outliers.length > 0 && (
        <div role="group" aria-label={t('findings.outliers')}>
          <h3 className="image-masking-quiet" aria-hidden="true">
            {t('findings.outliers')}
          </h3>
          {arranged.outliers.flatMap(itemsOf).map(render)}
        </div>
      )}
    </div>
  );
}

export function describeImageOf(session: FindingsSession, finding: Pick<FindingView, 'sopInstanceUid' | 'seriesInstanceUid' | 'instanceNumber'>): string {
  const named = describeImage(session.services.displaySetService, finding);
  return named.series === '?' ? t('findings.image', { number: finding.instanceNumber ?? '?' }) : t('findings.image.series', { number: named.number, series: named.series });
}

/** What a box says when the mouse rests on it. */
export function hoverText(session: FindingsSession, findingId: string): string {
  const finding = session.store.findingOf(findingId);
  const cluster = session.store.view.get()?.clusters.find(candidate => candidate.id === finding?.clusterId);
  return finding && cluster
    ? [describeKind(finding), t('findings.confidence', { percent: percent(finding.confidence) }), tn('findings.images', cluster.images), t(`findingState.${finding.state}`)].join(' · ')
    : '';
}
