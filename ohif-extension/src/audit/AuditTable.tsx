import { useCallback, useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { saveFile } from '../host/saveFile';
import { describe } from '../pages/describe';
import type { AuditClient, AuditFilters } from '../sidecar/client';
import type { AuditEventView } from '../sidecar/types';
import { ChainState } from './ChainState';

const actions = [
  'maskJobCreated', 'instanceMasked', 'instanceFailed', 'maskJobFinished', 'maskJobCancelled', 'originalsResent',
  'scanRequested', 'scanPaused', 'scanResumed', 'scanCancelled', 'scanFinished', 'scanScheduleCreated', 'scanScheduleChanged', 'scanScheduleDeleted',
  'loggedIn', 'tokenRefused', 'refused', 'serviceStarted', 'serviceStopped', 'settingsChanged',
  'auditRead', 'auditExported', 'auditVerified', 'certificateIssued',
  'findingsDecided', 'reviewOpened', 'reviewFinalized', 'reviewReopened', 'templateCreated', 'templateChanged', 'templateDeleted',
  'templatesImported', 'sampleReviewed',
];

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
      <h1>Audit</h1>
      <ChainState client={client} describe={describe} />
      <Filters
        onApply={chosen => {
          setBefore(undefined);
          setFilters(chosen);
        }}
      />
      <p className="buttons">
        <button type="button" onClick={() => save('csv')}>Export as CSV</button>
        <button type="button" onClick={() => save('ndjson')}>Export as NDJSON</button>
        <span className="quiet">What you read and export here is itself written into the audit.</span>
      </p>
      {problem && <p role="alert">{problem}</p>}
      <div role="status" className="quiet">
        {!shown && !problem ? 'Loading…' : shown?.events.length === 0 ? 'No rows match.' : ''}
      </div>
      {shown && shown.events.length > 0 && <Rows events={shown.events} onCertificate={certify} />}
      <nav aria-label="Pages" className="buttons">
        <button type="button" disabled={before === undefined} onClick={() => setBefore(undefined)}>Newest</button>
        <button type="button" disabled={shown?.next === undefined} onClick={() => setBefore(shown?.next)}>Older</button>
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
    <form onSubmit={submit} aria-label="Filters">
      <label>From<input type="datetime-local" name="from" /></label>
      <label>To<input type="datetime-local" name="to" /></label>
      <label>
        Action
        <select name="action">
          <option value="">all</option>
          {actions.map(action => <option key={action}>{action}</option>)}
        </select>
      </label>
      <label>Who<input name="subject" placeholder="subject or whole name" /></label>
      <label>Study Instance UID<input name="study" inputMode="decimal" /></label>
      <label>Mask job<input name="job" /></label>
      <button type="submit">Apply filters</button>
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
      <caption className="hidden">Rows of the audit, newest first</caption>
      <thead>
        <tr>
          <th scope="col">No.</th>
          <th scope="col">Time</th>
          <th scope="col">Action</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col">Details</th>
        </tr>
      </thead>
      <tbody>
        {events.map(event => (
          <tr key={event.sequence}>
            <td>{event.sequence}</td>
            <td><time dateTime={event.at}>{new Date(event.at).toLocaleString()}</time></td>
            <th scope="row">{event.action}</th>
            <td>
              {event.name}
              {event.name !== event.subject && <span className="quiet"> {event.subject}</span>}
            </td>
            <td className="uids">
              <Uid name="Study" value={event.studyInstanceUid} />
              <Uid name="Series" value={event.seriesInstanceUid} />
              <Uid name="Image" value={event.sopInstanceUid} />
              <Uid name="Job" value={event.jobId} />
              {event.jobId && event.action === 'maskJobFinished' && (
                <div className="buttons">
                  <button type="button" onClick={() => onCertificate(event.jobId ?? '', 'page')}>Certificate</button>
                  <button type="button" onClick={() => onCertificate(event.jobId ?? '', 'json')}>Certificate as JSON</button>
                </div>
              )}
            </td>
            <td>
              <details>
                <summary>Show<span className="hidden"> details of row {event.sequence}</span></summary>
                <pre>{JSON.stringify(event.details, null, 2)}</pre>
                <p className="uids">Hash {event.hash}<br />Software {event.softwareVersion}</p>
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
