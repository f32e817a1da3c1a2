import { useEffect, useState, type ReactNode } from 'react';
import { language, t, tn } from '../i18n';
import { describe, describeDuration } from '../pages/describe';
import type { PageClient } from '../sidecar/pageClient';
import type { DashboardView, FindingCountView, FindingKind, MissRateView, ReviewState } from '../sidecar/reviewTypes';
import { BarChart, DayChart, type Bar } from './charts';
import { SampleQuestion } from './SampleQuestion';

const ranges = [7, 30, 90, 365];
const states: readonly ReviewState[] = ['new', 'findings', 'inReview', 'clean', 'finalized'];

/** How much was found where, how far scans and reviews are, and how much may have been missed. */
export function Dashboard({ client, maySample }: { readonly client: PageClient; readonly maySample: boolean }): ReactNode {
  const [days, setDays] = useState(30);
  const [shown, setShown] = useState<DashboardView>();
  const [problem, setProblem] = useState('');
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    const leave = new AbortController();
    client.dashboard(days, leave.signal).then(
      answer => {
        setShown(answer);
        setProblem('');
      },
      (error: unknown) => !leave.signal.aborted && setProblem(describe(error)),
    );
    return () => leave.abort();
  }, [client, days, turn]);

  return (
    <main>
      <h1>{t('page.dashboard')}</h1>
      {problem && <p role="alert">{problem}</p>}
      {!shown && !problem && <p role="status" className="quiet">{t('page.loading')}</p>}
      {shown && (
        <>
          <div className="cards">
            <Reviews counts={shown.reviews} />
            <Queue queue={shown.queue} />
          </div>
          <Missed missRate={shown.missRate} />
          {maySample && <SampleQuestion client={client} onAnswered={() => setTurn(now => now + 1)} />}
          <label className="inline">
            {t('dashboard.range')}
            <select value={days} onChange={event => setDays(Number(event.target.value))}>
              {ranges.map(range => <option key={range} value={range}>{tn('dashboard.days', range)}</option>)}
            </select>
          </label>
          <Charts shown={shown} />
        </>
      )}
    </main>
  );
}

function Reviews({ counts }: { readonly counts: DashboardView['reviews'] }): ReactNode {
  return (
    <section className="card" aria-label={t('dashboard.reviews')}>
      <h2>{t('dashboard.reviews')}</h2>
      <dl className="figures">
        {states.map(state => (
          <div key={state}>
            <dt>{t(`reviewState.${state}`)}</dt>
            <dd>{counts[state].toLocaleString(language())}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Queue({ queue }: { readonly queue: DashboardView['queue'] }): ReactNode {
  return (
    <section className="card" aria-label={t('dashboard.queue')}>
      <h2>{t('dashboard.queue')}</h2>
      <dl className="figures">
        <div>
          <dt>{t('dashboard.waiting')}</dt>
          <dd>{queue.waiting.toLocaleString(language())}</dd>
        </div>
        {queue.waiting > 0 && (
          <div>
            <dt>{t('dashboard.oldest')}</dt>
            <dd>{describeDuration(queue.oldestSeconds, language())}</dd>
          </div>
        )}
      </dl>
    </section>
  );
}

function Missed({ missRate }: { readonly missRate: DashboardView['missRate'] }): ReactNode {
  return (
    <section className="card" aria-label={t('dashboard.missed')}>
      <h2>{t('dashboard.missed')}</h2>
      <p data-cy="miss-rate">{explainMissRate(missRate)}</p>
      {missRate.byStratum.length > 1 && (
        <details>
          <summary>{t('dashboard.byDevice')}</summary>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('templateList.device')}</th>
                <th scope="col" className="number">{t('dashboard.looked')}</th>
                <th scope="col" className="number">{t('dashboard.withText')}</th>
                <th scope="col" className="number">{t('dashboard.atMost')}</th>
              </tr>
            </thead>
            <tbody>
              {missRate.byStratum.map(stratum => (
                <tr key={`${stratum.modality} ${stratum.manufacturer} ${stratum.model}`}>
                  <th scope="row">{[stratum.modality, stratum.manufacturer, stratum.model].filter(Boolean).join(' ')}</th>
                  <td className="number">{stratum.reviewed}</td>
                  <td className="number">{stratum.missed}</td>
                  <td className="number">{share(stratum.upperBound95)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </section>
  );
}

/** One plain sentence: what was looked at, what came out, and what may be said about the rest. */
export function explainMissRate({ reviewed, missed, upperBound95 }: MissRateView): string {
  return reviewed === 0 ? t('dashboard.missed.none') : tn('dashboard.missed.sentence', reviewed, { missed: missed.toLocaleString(language()), bound: share(upperBound95) });
}

/** Rounded up: a bound must not be told smaller than it is. */
function share(bound: number): string {
  const percent = bound * 100;
  const digits = percent >= 10 ? 0 : percent >= 1 ? 1 : 2;
  return `${(Math.ceil(percent * 10 ** digits) / 10 ** digits).toLocaleString(language(), { maximumFractionDigits: digits })} %`;
}

function Charts({ shown }: { readonly shown: DashboardView }): ReactNode {
  const { findings, throughput, days } = shown;
  const bars = (counts: readonly FindingCountView[], nameOf = (name: string) => name || t('dashboard.unknown')): Bar[] =>
    counts.map(({ name, findings: value, images }) => ({ name: nameOf(name), value, detail: tn('dialog.images', images) }));
  const unit = t('worklist.findings');
  return (
    <div className="cards">
      <BarChart title={t('dashboard.byModality')} unit={unit} bars={bars(findings.byModality)} />
      <BarChart title={t('dashboard.byStation')} unit={unit} bars={bars(findings.byStation)} />
      <BarChart title={t('dashboard.byKind')} unit={unit} bars={bars(findings.byKind, name => t(`kind.${name as FindingKind}`))} />
      <DayChart title={t('dashboard.byDay')} unit={unit} days={days} bars={bars(findings.byDay)} />
      <DayChart
        title={t('dashboard.throughput')}
        unit={t('worklist.images')}
        days={days}
        bars={throughput.byDay.map(({ day, instances, frames }) => ({ name: day, value: instances, detail: tn('dialog.frames', frames) }))}
      />
    </div>
  );
}
