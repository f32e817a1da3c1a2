import { useCallback, useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { language, t, tn } from '../i18n';
import { describe, describeDate } from '../pages/describe';
import type { PageClient, ReviewFilters } from '../sidecar/pageClient';
import type { ReviewList, ReviewState, ReviewView } from '../sidecar/reviewTypes';

const states: readonly ReviewState[] = ['findings', 'inReview', 'new', 'clean', 'finalized'];
const pageSize = 50;
const watchMilliseconds = 10_000;

/** The filters stand in the address, so that a reload or a bookmark finds the same list. */
function filtersOf(search: string): ReviewFilters {
  const query = new URLSearchParams(search);
  const text = (name: string): string | undefined => query.get(name) || undefined;
  return { state: text('state'), modality: text('modality'), station: text('station'), from: text('from'), to: text('to'), sort: text('sort') ?? 'oldest' };
}

/** The studies to be reviewed, oldest first: opened in the viewer, finalized from here where nothing is left to decide. */
export function WorkList({ client, leave = href => location.assign(href) }: { readonly client: PageClient; readonly leave?: (href: string) => void }): ReactNode {
  const [filters, setFilters] = useState(() => filtersOf(location.search));
  const [offset, setOffset] = useState(0);
  const [list, setList] = useState<ReviewList>();
  const [problem, setProblem] = useState('');
  const [said, setSaid] = useState('');
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    const abort = new AbortController();
    const ask = (): void => {
      if (document.visibilityState === 'visible') {
        client.reviews(asked(filters), offset, pageSize, abort.signal).then(
          answer => {
            setList(answer);
            setProblem('');
          },
          (error: unknown) => !abort.signal.aborted && setProblem(describe(error)),
        );
      }
    };
    ask();
    const timer = setInterval(ask, watchMilliseconds);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [client, filters, offset, turn]);

  const choose = useCallback((changes: ReviewFilters) => {
    setFilters(before => {
      const next = { ...before, ...changes };
      history.replaceState(null, '', `${location.pathname}?${new URLSearchParams(Object.entries(next).flatMap(([name, value]) => (value ? [[name, value]] : [])))}`);
      return next;
    });
    setOffset(0);
  }, []);

  const review = async (item: ReviewView): Promise<void> => {
    try {
      if (item.state !== 'finalized') {
        await client.take(item.studyInstanceUid);
      }
      leave(`/viewer?StudyInstanceUIDs=${encodeURIComponent(item.studyInstanceUid)}&findings`);
    } catch (error) {
      setProblem(describe(error));
    }
  };

  const finalize = async (item: ReviewView): Promise<void> => {
    try {
      await client.finalize(item.studyInstanceUid);
      setSaid(t('worklist.finalized', { description: item.description || item.studyInstanceUid }));
    } catch (error) {
      setProblem(describe(error));
    }
    setTurn(now => now + 1);
  };

  const total = list ? states.reduce((sum, state) => sum + list.counts[state], 0) : 0;
  return (
    <main>
      <h1>{t('page.worklist')}</h1>
      <div className="buttons" role="group" aria-label={t('worklist.states')}>
        {[undefined, ...states].map(state => (
          <button key={state ?? 'all'} type="button" className="tab" data-state={state ?? 'all'} aria-pressed={filters.state === state} onClick={() => choose({ state })}>
            {state ? t(`reviewState.${state}`) : t('worklist.all')} <b>{list ? (state ? list.counts[state] : total) : ''}</b>
          </button>
        ))}
      </div>
      <Filters filters={filters} onApply={choose} />
      {problem && <p role="alert">{problem}</p>}
      <p role="status" className="quiet">
        {said || (list ? tn('worklist.studies', list.total) : problem ? '' : t('page.loading'))}
      </p>
      {list && list.items.length > 0 && <Rows items={list.items} onReview={item => void review(item)} onFinalize={item => void finalize(item)} />}
      {list && list.items.length === 0 && <p>{t(total === 0 ? 'worklist.empty' : 'worklist.none')}</p>}
      {list && list.total > pageSize && (
        <nav aria-label={t('worklist.pages')} className="buttons">
          <button type="button" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - pageSize))}>
            {t('worklist.back')}
          </button>
          <span className="quiet">{t('worklist.range', { from: offset + 1, to: Math.min(offset + pageSize, list.total), total: list.total })}</span>
          <button type="button" disabled={offset + pageSize >= list.total} onClick={() => setOffset(offset + pageSize)}>
            {t('worklist.on')}
          </button>
        </nav>
      )}
    </main>
  );
}

/** Days become moments only when they are sent: the address keeps what the person typed. The last day counts whole. */
function asked(filters: ReviewFilters): ReviewFilters {
  const from = filters.from ? new Date(`${filters.from}T00:00`) : undefined;
  const to = filters.to ? new Date(`${filters.to}T00:00`) : undefined;
  to?.setDate(to.getDate() + 1);
  return { ...filters, from: from?.toISOString(), to: to?.toISOString() };
}

function Filters({ filters, onApply }: { readonly filters: ReviewFilters; readonly onApply: (filters: ReviewFilters) => void }): ReactNode {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string): string | undefined => String(form.get(name) ?? '').trim() || undefined;
    onApply({ modality: text('modality')?.toUpperCase(), station: text('station'), from: text('from'), to: text('to'), sort: text('sort') });
  };
  return (
    <form onSubmit={submit} aria-label={t('worklist.filters')}>
      <label>{t('worklist.modality')}<input name="modality" size={6} defaultValue={filters.modality} /></label>
      <label>{t('worklist.station')}<input name="station" defaultValue={filters.station} /></label>
      <label>{t('worklist.from')}<input type="date" name="from" defaultValue={filters.from} /></label>
      <label>{t('worklist.to')}<input type="date" name="to" defaultValue={filters.to} /></label>
      <label>
        {t('worklist.sort')}
        <select name="sort" defaultValue={filters.sort}>
          <option value="oldest">{t('worklist.sort.oldest')}</option>
          <option value="risk">{t('worklist.sort.risk')}</option>
          <option value="newest">{t('worklist.sort.newest')}</option>
        </select>
      </label>
      <button type="submit">{t('worklist.apply')}</button>
    </form>
  );
}

interface RowsProps {
  readonly items: readonly ReviewView[];
  readonly onReview: (item: ReviewView) => void;
  readonly onFinalize: (item: ReviewView) => void;
}

function Rows({ items, onReview, onFinalize }: RowsProps): ReactNode {
  return (
    <table>
      <caption className="hidden">{t('page.worklist')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('worklist.state')}</th>
          <th scope="col">{t('worklist.patient')}</th>
          <th scope="col">{t('worklist.study')}</th>
          <th scope="col">{t('worklist.modality')}</th>
          <th scope="col" className="number">{t('worklist.images')}</th>
          <th scope="col" className="number">{t('worklist.findings')}</th>
          <th scope="col">{t('worklist.open')}</th>
          <th scope="col">{t('worklist.arrived')}</th>
          <th scope="col"><span className="hidden">{t('worklist.do')}</span></th>
        </tr>
      </thead>
      <tbody>
        {items.map(item => (
          <tr key={item.studyInstanceUid} data-study={item.studyInstanceUid}>
            <td>
              <span className={`state state-${item.state}`}>{t(`reviewState.${item.state}`)}</span>
              {item.isWeak && <div className="warning" title={t('scan.weak')}>{t('worklist.weak')}</div>}
              <Who item={item} />
            </td>
            <th scope="row">
              {(item.patient?.name ?? '').replaceAll('^', ' ').trim() || t('worklist.unnamed')}
              <div className="quiet">{item.patient?.id}</div>
            </th>
            <td>
              {item.description || t('worklist.undescribed')}
              <div className="quiet">{item.isInArchive ? describeDate(item.studyDate, language()) : t('worklist.gone')}</div>
            </td>
            <td>{item.modalities.join(', ')}<div className="quiet">{item.stations.join(', ')}</div></td>
            <td className="number">{item.images.toLocaleString(language())}</td>
            <td className="number">
              {item.findings.toLocaleString(language())}
              {item.findingGroups < item.findings && <div className="quiet">{tn('worklist.groups', item.findingGroups)}</div>}
            </td>
            <td>{describeOpen(item).map(sentence => <div key={sentence}>{sentence}</div>)}</td>
            <td><time dateTime={item.arrivedAt}>{new Date(item.arrivedAt).toLocaleString(language(), { dateStyle: 'short', timeStyle: 'short' })}</time></td>
            <td>
              <div className="buttons">
                <button type="button" className="main" disabled={!item.isInArchive} onClick={() => onReview(item)}>
                  {t(item.state === 'finalized' ? 'worklist.view' : 'worklist.review')}
                  <span className="hidden"> {item.description}</span>
                </button>
                {item.state !== 'finalized' && item.state !== 'new' && item.open === 0 && (
                  <button type="button" title={t('worklist.finalize.hint')} onClick={() => onFinalize(item)}>
                    {t('finalize.button')}
                    <span className="hidden"> {item.description}</span>
                  </button>
                )}
              </div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function describeOpen(item: ReviewView): string[] {
  return [
    item.undecided > 0 ? describeUndecided(item) : '',
    item.notApplied > 0 ? tn('worklist.notApplied', item.notApplied) : '',
    item.unscannable > 0 ? tn('worklist.unscannable', item.unscannable) : '',
    item.missed > 0 ? tn('worklist.missed', item.missed) : '',
  ].filter(Boolean);
}

/** One decision covers a group: what there is to do is what counts here, what lies behind it is said beside. */
function describeUndecided(item: ReviewView): string {
  const groups = tn('worklist.undecidedGroups', item.undecidedGroups);
  return item.undecidedGroups < item.undecided ? `${groups} (${tn('worklist.in', item.undecided)})` : groups;
}

function Who({ item }: { readonly item: ReviewView }): ReactNode {
  const [name, at] = item.state === 'finalized' ? [item.finalizedBy, item.finalizedAt] : [item.openedBy, item.openedAt];
  return name ? <div className="quiet">{t('job.by', { name, time: at ? new Date(at).toLocaleString(language(), { dateStyle: 'short', timeStyle: 'short' }) : '' })}</div> : null;
}
