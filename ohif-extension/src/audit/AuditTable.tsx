import { useCallback, useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { saveFile } from '../host/saveFile';
import { language, t, type MessageKey } from '../i18n';
import { auditEn } from '../i18n/audit.en';
import { describe } from '../pages/describe';
import type { AuditClient, AuditFilters } from '../sidecar/client';
import type { AuditEventView } from '../sidecar/types';
import { ChainState } from './ChainState';

/** In this order in the filter: what happens to images first, then reviews, scans, and the service itself. */
const actions = Object.keys(auditEn).flatMap(key => (/^audit\.action\.(?!all$)/.test(key) ? [key.slice('audit.action.'.length)] : []));

/** As people say it; as it is stored where a newer sidecar knows more than this page. */
function nameOf(action: string): string {
  return actions.includes(action) ? t(`audit.action.${action}` as MessageKey) : action;
}

interface Shown {
  readonly events: readonly AuditEventView[];
  readonly next?: number;
}

/** The audit, newest row first, with filters, pages and exports. */
export function AuditTable({ client }: { readonly client: AuditClient }): ReactNode {
  const [filters, setFilters] = useState<AuditFilters>({});
  const [before, setBefore] = useState<number>();
  const [shown, setShown] = useState<Shown>();
  const [problem, setProblem] = useState('');

  useEffect(() => {
    const leave = new AbortController();
    setShown(undefined);
    setProblem('');
    client.page(filters, before, leave.signal).then(
      page => setShown({ events: page.events, next: page.next ?? undefined }),
      (error: unknown) => !leave.signal.aborted && setProblem(describe(error)),
    );
    return () => leave.abort();
  }, [client, filters, before]);

  const save = useCallback(
    (format: 'ndjson' | 'csv') => {
      client.export(filters, format).then(blob => saveFile(blob, `audit.${format}`), (error: unknown) => setProblem(describe(error)));
    },
    [client, filters],
  );

  const certify = useCallback(
    (job: string, form: 'page' | 'json') => {
      client.certificate(job, form).then(
        blob => saveFile(blob, `certificate-${job}.${form === 'page' ? 'html' : 'json'}`),
        (error: unknown) => setProblem(describe(error)),
      );
    },
    [client],
  );

  return (
    <main>
      <h1>{t('page.audit')}</h1>
      <ChainState client={client} describe={describe} />
      <Filters
        onApply={chosen => {
          setBefore(undefined);
          setFilters(chosen);
        }}
      />
      <p className="buttons">
        <button type="button" onClick={() => save('csv')}>{t('audit.exportCsv')}</button>
        <button type="button" onClick={() => save('ndjson')}>{t('audit.exportNdjson')}</button>
        <span className="quiet">{t('audit.watched')}</span>
      </p>
      {problem && <p role="alert">{problem}</p>}
      <div role="status" className="quiet">
        {!shown && !problem ? t('page.loading') : shown?.events.length === 0 ? t('audit.none') : ''}
      </div>
      {shown && shown.events.length > 0 && <Rows events={shown.events} onCertificate={certify} />}
      <nav aria-label={t('audit.pages')} className="buttons">
        <button type="button" disabled={before === undefined} onClick={() => setBefore(undefined)}>{t('audit.newest')}</button>
        <button type="button" disabled={shown?.next === undefined} onClick={() => setBefore(shown?.next)}>{t('audit.older')}</button>
      </nav>
    </main>
  );
}

function Filters({ onApply }: { readonly onApply: (filters: AuditFilters) => void }): ReactNode {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string): string | undefined => String(form.get(name) ?? '').trim() || undefined;
    const time = (name: string): string | undefined => (text(name) ? new Date(String(form.get(name))).toISOString() : undefined);
    onApply({ from: time('from'), to: time('to'), action: text('action'), subject: text('subject'), study: text('study'), job: text('job') });
  };
  return (
    <form onSubmit={submit} aria-label={t('audit.filters')}>
      <label>{t('audit.from')}<input type="datetime-local" name="from" /></label>
      <label>{t('audit.to')}<input type="datetime-local" name="to" /></label>
      <label>
        {t('audit.action')}
        <select name="action">
          <option value="">{t('audit.action.all')}</option>
          {actions.map(action => <option key={action} value={action}>{nameOf(action)}</option>)}
        </select>
      </label>
      <label>{t('audit.who')}<input name="subject" placeholder={t('audit.who.hint')} /></label>
      <label>{t('audit.study')}<input name="study" inputMode="decimal" /></label>
      <label>{t('audit.job')}<input name="job" /></label>
      <button type="submit">{t('audit.apply')}</button>
    </form>
  );
}

interface RowsProps {
  readonly events: readonly AuditEventView[];
  readonly onCertificate: (job: string, form: 'page' | 'json') => void;
}

function Rows({ events, onCertificate }: RowsProps): ReactNode {
  return (
    <table>
      <caption className="hidden">{t('audit.rows')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('audit.number')}</th>
          <th scope="col">{t('audit.time')}</th>
          <th scope="col">{t('audit.action')}</th>
          <th scope="col">{t('audit.who')}</th>
          <th scope="col">{t('audit.what')}</th>
          <th scope="col">{t('audit.details')}</th>
        </tr>
      </thead>
      <tbody>
        {events.map(event => (
          <tr key={event.sequence}>
            <td>{event.sequence}</td>
            <td><time dateTime={event.at}>{new Date(event.at).toLocaleString(language())}</time></td>
            <th scope="row" title={event.action}>{nameOf(event.action)}</th>
            <td>
              {event.name}
              {event.name !== event.subject && <span className="quiet"> {event.subject}</span>}
            </td>
            <td className="uids">
              <Uid name={t('audit.uid.study')} value={event.studyInstanceUid} />
              <Uid name={t('audit.uid.series')} value={event.seriesInstanceUid} />
              <Uid name={t('audit.uid.image')} value={event.sopInstanceUid} />
              <Uid name={t('audit.uid.job')} value={event.jobId} />
              {event.jobId && event.action === 'maskJobFinished' && (
                <div className="buttons">
                  <button type="button" onClick={() => onCertificate(event.jobId ?? '', 'page')}>{t('audit.certificate')}</button>
                  <button type="button" onClick={() => onCertificate(event.jobId ?? '', 'json')}>{t('audit.certificate.json')}</button>
                </div>
              )}
            </td>
            <td>
              <details>
                <summary>{t('audit.show')}<span className="hidden"> {t('audit.show.row', { number: event.sequence })}</span></summary>
                <pre>{JSON.stringify(event.details, null, 2)}</pre>
                <p className="uids">{t('audit.hash', { hash: event.hash ?? '' })}<br />{t('audit.software', { version: event.softwareVersion ?? '' })}</p>
              </details>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Uid({ name, value }: { readonly name: string; readonly value?: string | null }): ReactNode {
  return value ? <div><span className="quiet">{name}</span> {value}</div> : null;
}
