import { useCallback, useEffect, useState, type MouseEvent, type ReactNode } from 'react';
import { AuditTable } from '../audit/AuditTable';
import { AwaitingJobs } from '../jobs/AwaitingJobs';
import { Dashboard } from '../dashboard/Dashboard';
import { useObservable, type Observable } from '../host/observable';
import { t, type MessageKey } from '../i18n';
import type { AuditClient } from '../sidecar/client';
import type { PageClient } from '../sidecar/pageClient';
import type { Me } from '../sidecar/types';
import { Schedules } from '../schedules/Schedules';
import { TemplateList } from '../templates/TemplateList';
import { WorkList } from '../worklist/WorkList';
import { describe } from './describe';

interface Entry {
  readonly path: string;
  readonly title: MessageKey;
  /** Any of them is enough. The sidecar decides; this only keeps doors out of sight that would not open. */
  readonly permissions: readonly Me['permissions'][number][];
}

const entries: readonly Entry[] = [
  { path: '/worklist', title: 'page.worklist', permissions: ['review'] },
  { path: '/templates', title: 'page.templates', permissions: ['review', 'mask'] },
  { path: '/dashboard', title: 'page.dashboard', permissions: ['review', 'audit', 'administer'] },
  { path: '/schedules', title: 'page.schedules', permissions: ['administer'] },
  { path: '/audit', title: 'page.audit', permissions: ['audit'] },
];

export interface PagesProps {
  readonly client: PageClient;
  readonly audit: AuditClient;
  /** The log-in is over: whatever is asked for now is refused. */
  readonly ended: Observable<boolean>;
  readonly logInAgain: () => void;
}

/** The pages beside OHIF: one log-in, and from then on links that keep it. */
export function Pages({ client, audit, ended, logInAgain }: PagesProps): ReactNode {
  const hasEnded = useObservable(ended);
  const [path, setPath] = useState(location.pathname);
  const [me, setMe] = useState<Me>();
  const [problem, setProblem] = useState('');

  useEffect(() => {
    const leave = new AbortController();
    client.me(leave.signal).then(setMe, (error: unknown) => !leave.signal.aborted && setProblem(describe(error)));
    const onBack = (): void => setPath(location.pathname);
    window.addEventListener('popstate', onBack);
    return () => {
      leave.abort();
      window.removeEventListener('popstate', onBack);
    };
  }, [client]);

  const entry = entries.find(candidate => candidate.path === path);
  useEffect(() => {
    document.title = entry ? t(entry.title) : t('page.login');
  }, [entry]);

  const go = useCallback((event: MouseEvent<HTMLAnchorElement>) => {
    if (event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      history.pushState(null, '', event.currentTarget.href);
      setPath(location.pathname);
    }
  }, []);

  const may = (candidate: Entry): boolean => candidate.permissions.some(permission => me?.permissions.includes(permission));
  const permissions = me?.permissions ?? [];
  return (
    <>
      <header className="page-header">
        <nav aria-label={t('page.nav')}>
          <a href="/">{t('page.viewer')}</a>
          {entries.filter(may).map(({ path: to, title }) => (
            <a key={to} href={to} aria-current={to === path ? 'page' : undefined} onClick={go}>
              {t(title)}
            </a>
          ))}
        </nav>
        {me && <span className="quiet">{me.name}</span>}
      </header>
      {hasEnded && (
        <p role="alert" className="ended">
          {t('page.problem.401')} <button type="button" onClick={logInAgain}>{t('page.logInAgain')}</button>
        </p>
      )}
      {problem && (
        <main>
          <p role="alert">{problem}</p>
        </main>
      )}
      {me?.permissions.includes('confirm') && <AwaitingJobs client={client} me={me} />}
      {me && path === '/worklist' && <WorkList client={client} />}
      {me && path === '/templates' && <TemplateList client={client} mayDelete={permissions.includes('review')} mayImport={permissions.includes('administer')} />}
      {me && path === '/dashboard' && <Dashboard client={client} maySample={permissions.includes('review')} />}
      {me && path === '/schedules' && <Schedules client={client} />}
      {path === '/audit' && <AuditTable client={audit} />}
    </>
  );
}
