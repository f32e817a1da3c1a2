import { act } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi, type Mock } from 'vitest';
import { BarChart, DayChart } from '../src/dashboard/charts';
import { Dashboard, explainMissRate } from '../src/dashboard/Dashboard';
import { Observable } from '../src/host/observable';
import { Pages } from '../src/pages/Pages';
import { SidecarProblem, type AuditClient } from '../src/sidecar/client';
import type { PageClient } from '../src/sidecar/pageClient';
import { Schedules } from '../src/schedules/Schedules';
import type { DashboardView, MaskTemplateView, ReviewView } from '../src/sidecar/reviewTypes';
import type { ScanRunView, ScanScheduleView } from '../src/sidecar/scanTypes';
import type { Me } from '../src/sidecar/types';
import { TemplateList } from '../src/templates/TemplateList';
import { WorkList } from '../src/worklist/WorkList';
import { click, render, settle } from './render';

beforeEach(() => history.replaceState(null, '', '/worklist'));
afterEach(() => localStorage.clear());

const counts = { new: 1, clean: 3, findings: 2, inReview: 1, finalized: 9 };

function study(changes: Partial<ReviewView> = {}): ReviewView {
  return {
    studyInstanceUid: '1.2.3', state: 'findings', modalities: ['US'], stations: ['US1'], images: 12, findings: 515, findingGroups: 4, open: 5, undecided: 514, undecidedGroups: 3, notApplied: 1, unscannable: 1, missed: 0,
    isWeak: false, arrivedAt: '2026-11-22T04:00:00Z', isInArchive: true, studyDate: '20261101', description: 'Abdomen', patient: { name: 'DEMO^ULLA', id: '88' }, ...changes,
  };
}

const dashboard: DashboardView = {
  missRate: { reviewed: 300, missed: 1, upperBound95: 0.01844, byStratum: [] },
  findings: { byModality: [{ name: 'US', findings: 30, images: 20 }], byStation: [], byKind: [{ name: 'personName', findings: 30, images: 20 }], byDay: [] },
  queue: { waiting: 1243, oldestSeconds: 7_300 },
  throughput: { byDay: [] },
  reviews: counts,
  days: 30,
};

type Fake = { [K in keyof PageClient]: Mock<PageClient[K]> };

function fake(changes: Partial<Fake> = {}): Fake {
  const unexpected = (): never => {
    throw new Error('not expected');
  };
  return {
    me: vi.fn<PageClient['me']>(async () => ({ subject: 'mia', name: 'Mia', permissions: ['review'] })),
    awaitingJobs: vi.fn<PageClient['awaitingJobs']>(unexpected),
    reviews: vi.fn<PageClient['reviews']>(async () => ({ counts, total: 1, items: [study()] })),
    take: vi.fn<PageClient['take']>(async () => undefined),
    finalize: vi.fn<PageClient['finalize']>(async () => undefined),
    templates: vi.fn<PageClient['templates']>(async () => []),
    deleteTemplate: vi.fn<PageClient['deleteTemplate']>(async () => undefined),
    exportTemplates: vi.fn<PageClient['exportTemplates']>(async () => new Blob()),
    importTemplates: vi.fn<PageClient['importTemplates']>(unexpected),
    dashboard: vi.fn<PageClient['dashboard']>(async () => dashboard),
    nextSample: vi.fn<PageClient['nextSample']>(async () => undefined),
    answerSample: vi.fn<PageClient['answerSample']>(async () => undefined),
    correctSample: vi.fn<PageClient['correctSample']>(async () => undefined),
    scans: vi.fn<PageClient['scans']>(async () => []),
    startScan: vi.fn<PageClient['startScan']>(async () => undefined),
    steerScan: vi.fn<PageClient['steerScan']>(async () => undefined),
    schedules: vi.fn<PageClient['schedules']>(async () => []),
    addSchedule: vi.fn<PageClient['addSchedule']>(async () => undefined),
    changeSchedule: vi.fn<PageClient['changeSchedule']>(async () => undefined),
    deleteSchedule: vi.fn<PageClient['deleteSchedule']>(async () => undefined),
    ...changes,
  };
}

const button = (name: string | RegExp): HTMLButtonElement => {
  const found = [...document.querySelectorAll('button')].find(candidate => (typeof name === 'string' ? candidate.textContent?.startsWith(name) : name.test(candidate.textContent ?? '')));
  if (!found) {
    throw new Error(`no button ${name}`);
  }
  return found;
};

describe('the work list', () => {
  test('asks for the oldest first, shows the counts and what stands before the end', async () => {
    const client = fake();
    const page = await render(<WorkList client={client} />);
    expect(client.reviews.mock.lastCall?.slice(0, 3)).toEqual([{ sort: 'oldest' }, 0, 50]);
    expect([...page.querySelectorAll('.tab')].map(tab => tab.textContent)).toEqual(['All 16', 'Findings 2', 'In review 1', 'Not scanned 1', 'Nothing found 3', 'Finalized 9']);
    expect(page.querySelector('tbody')?.textContent).toContain('DEMO ULLA');
    expect(page.querySelector('tbody')?.textContent).toContain('515in 4 groups3 groups to decide (514 findings)1 mask to apply1 image could not be scanned');
    expect([...page.querySelectorAll('tbody button')].map(found => found.textContent)).toEqual(['Review Abdomen']);
  });

  test('takes a study before it opens it in the viewer, with the findings in sight', async () => {
    const client = fake();
    const leave = vi.fn();
    await render(<WorkList client={client} leave={leave} />);
    await click(button('Review'));
    await settle();
    expect(client.take).toHaveBeenCalledExactlyOnceWith('1.2.3');
    expect(leave).toHaveBeenCalledExactlyOnceWith('/viewer?StudyInstanceUIDs=1.2.3&findings');
  });

  test('a finalized study is looked at without being taken', async () => {
    const client = fake({ reviews: vi.fn<PageClient['reviews']>(async () => ({ counts, total: 1, items: [study({ state: 'finalized', open: 0, finalizedBy: 'Ada', finalizedAt: '2026-11-22T05:00:00Z' })] })) });
    const leave = vi.fn();
    const page = await render(<WorkList client={client} leave={leave} />);
    expect(page.textContent).toContain('Ada, ');
    await click(button('View'));
    await settle();
    expect(client.take).not.toHaveBeenCalled();
    expect(leave).toHaveBeenCalledOnce();
  });

  test.each<[string, Partial<ReviewView>, boolean]>([
    ['nothing left', { state: 'clean', open: 0 }, true],
    ['something left', { state: 'inReview', open: 1 }, false],
    ['not scanned', { state: 'new', open: 0 }, false],
  ])('is finalized from the list only with %s', async (_name, changes, may) => {
    const client = fake({ reviews: vi.fn<PageClient['reviews']>(async () => ({ counts, total: 1, items: [study(changes)] })) });
    const page = await render(<WorkList client={client} />);
    expect([...page.querySelectorAll('tbody button')].some(found => found.textContent?.startsWith('Finalize'))).toBe(may);
    if (may) {
      await click(button('Finalize Abdomen'));
      await settle();
      expect(client.finalize).toHaveBeenCalledExactlyOnceWith('1.2.3');
      expect(page.textContent).toContain('Finalized: Abdomen');
    }
  });

  test('filters stand in the address, and the last day counts whole', async () => {
    history.replaceState(null, '', '/worklist?state=findings&to=2026-11-20&sort=risk');
    const client = fake();
    const page = await render(<WorkList client={client} />);
    const [asked] = client.reviews.mock.lastCall ?? [];
    expect(asked).toMatchObject({ state: 'findings', sort: 'risk' });
    expect(new Date(asked?.to ?? '').getTime()).toBe(new Date('2026-11-21T00:00').getTime());
    (page.querySelector('[name="modality"]') as HTMLInputElement).value = ' us ';
    await act(async () => page.querySelector('form')?.requestSubmit());
    expect(client.reviews.mock.lastCall?.[0]).toMatchObject({ state: 'findings', modality: 'US', sort: 'risk' });
    expect(location.search).toBe('?state=findings&modality=US&to=2026-11-20&sort=risk');
    await click(button('All'));
    expect(client.reviews.mock.lastCall?.[0].state).toBeUndefined();
  });

  test('what the sidecar refuses is said', async () => {
    const client = fake({ finalize: vi.fn<PageClient['finalize']>(async () => Promise.reject(new SidecarProblem(409, 'urn:sidecar:problem:findings-open', '2 findings are still open.'))), reviews: vi.fn<PageClient['reviews']>(async () => ({ counts, total: 1, items: [study({ open: 0 })] })) });
    const page = await render(<WorkList client={client} />);
    client.reviews.mockImplementation(async () => Promise.reject(new SidecarProblem(409, 'x', '2 findings are still open.')));
    await click(button('Finalize Abdomen'));
    await settle();
    expect(page.querySelector('[role="alert"]')?.textContent).toContain('2 findings are still open.');
  });
});

describe('the templates', () => {
  const template: MaskTemplateView = {
    id: 't1', name: 'ACME banner', device: { manufacturer: 'ACME', model: 'Sono 3' }, rows: 600, columns: 800, photometric: 'RGB', sopClass: '1', regions: [{ x: 0, y: 0, width: 800, height: 40 }],
    createdBy: 'Mia', createdAt: '2026-11-22T04:00:00Z', uses: 14,
  };

  test('are listed with their masks, and deleted only after a second press', async () => {
    const client = fake({ templates: vi.fn<PageClient['templates']>(async () => [template]) });
    const page = await render(<TemplateList client={client} mayDelete mayImport={false} />);
    expect(page.querySelector('.outline-mask')?.getAttribute('width')).toBe('800');
    expect(page.textContent).not.toContain('Import…');
    await click(button('Delete ACME banner'));
    expect(client.deleteTemplate).not.toHaveBeenCalled();
    await click(button('Delete for good'));
    await settle();
    expect(client.deleteTemplate).toHaveBeenCalledExactlyOnceWith('t1');
    expect(page.textContent).toContain('Deleted: ACME banner');
  });

  test('an import says what it added, and what is wrong with the file', async () => {
    const client = fake({ importTemplates: vi.fn<PageClient['importTemplates']>(async () => ({ added: 2, known: 1 })) });
    const page = await render(<TemplateList client={client} mayDelete={false} mayImport />);
    const input = page.querySelector<HTMLInputElement>('input[type="file"]')!;
    const put = async (text: string): Promise<void> => {
      Object.defineProperty(input, 'files', { configurable: true, value: [{ text: async () => text }] });
      await act(async () => void input.dispatchEvent(new Event('change', { bubbles: true })));
      await settle();
    };
    await put('{"format":"f"}');
    expect(client.importTemplates).toHaveBeenCalledExactlyOnceWith('{"format":"f"}');
    expect(page.textContent).toContain('2 added, 1 were here already.');
    client.importTemplates.mockRejectedValueOnce(new SidecarProblem(400, 'x', 'This is not a file of templates.'));
    await put('{}');
    expect(page.querySelector('[role="alert"]')?.textContent).toBe('This is not a file of templates.');
  });
});

describe('the dashboard', () => {
  test('the bound is told in one sentence, never smaller than it is', () => {
    expect(explainMissRate(dashboard.missRate)).toBe(
      'Of 300 random images in which nothing was found, people saw text in 1. So with 95 % confidence, at most 1.9 % of all such images hold text that was missed.',
    );
    expect(explainMissRate({ reviewed: 3, missed: 0, upperBound95: 0.7076 })).toContain('at most 71 %');
    expect(explainMissRate({ reviewed: 0, missed: 0, upperBound95: 1 })).toContain('nothing can be said about what was missed');
  });

  test('figures and charts, in the words of the reader', async () => {
    const page = await render(<Dashboard client={fake()} maySample={false} />);
    expect(page.textContent).toContain('1,243');
    expect(page.textContent).toContain('2 hours');
    expect(page.querySelector('[aria-label="Findings by kind"] svg')?.textContent).toContain('Person name');
    expect(page.querySelector('[aria-label="Findings by station"]')?.textContent).toContain('Nothing in this time.');
    expect(page.textContent).not.toContain('Look at a random image');
  });

  test('a sample is answered only after it was opened, then the next one comes', async () => {
    const client = fake({ nextSample: vi.fn<PageClient['nextSample']>(async () => ({ id: 's1', studyInstanceUid: '1', seriesInstanceUid: '2', sopInstanceUid: '3' })) });
    const page = await render(<Dashboard client={client} maySample />);
    await click(button('Begin'));
    await settle();
    expect(button('No').disabled).toBe(true);
    const link = page.querySelector<HTMLAnchorElement>('a[target="_blank"]')!;
    expect(link.getAttribute('href')).toBe('/viewer?StudyInstanceUIDs=1&initialSeriesInstanceUID=2&initialSOPInstanceUID=3');
    link.addEventListener('click', event => event.preventDefault());
    await click(link);
    client.nextSample.mockResolvedValueOnce(undefined);
    await click(button('No'));
    await settle();
    expect(client.answerSample).toHaveBeenCalledExactlyOnceWith('s1', false);
    expect(page.textContent).toContain('There is no image to look at now.');
    expect(client.dashboard).toHaveBeenCalledTimes(2);

    // The wrong button was pressed.
    expect(page.querySelector('[data-cy="last-answer"]')?.textContent).toContain('Your last answer: there is no text.');
    await click(button('I was wrong: there is text'));
    await settle();
    expect(client.correctSample).toHaveBeenCalledExactlyOnceWith('s1', true);
    expect(page.querySelector('[data-cy="last-answer"]')?.textContent).toContain('Your last answer: there is text.');
    expect(client.dashboard).toHaveBeenCalledTimes(3);
    client.correctSample.mockRejectedValueOnce(new SidecarProblem(409, 'urn:sidecar:problem:images-changed', 'The image has been masked since.'));
    await click(button('I was wrong: there is none'));
    await settle();
    expect(page.querySelector('[role="alert"]')?.textContent).toBe('The image has been masked since.');
    expect(page.querySelector('[data-cy="last-answer"]')?.textContent).toContain('there is text.');
  });

  test('bars are in proportion, days without anything are there, and each chart is a table as well', async () => {
    const bars = await render(<BarChart title="T" unit="findings" bars={[{ name: 'US', value: 200 }, { name: 'CT', value: 50 }, { name: 'DX', value: 0 }]} />);
    const widths = [...bars.querySelectorAll('.bar')].map(bar => Number(bar.getAttribute('width')));
    expect(widths[0]! / widths[1]!).toBe(4);
    expect(widths[2]).toBe(0);
    expect(bars.querySelectorAll('tbody tr')).toHaveLength(3);
    const days = await render(<DayChart title="D" unit="images" days={7} today={new Date('2026-11-22T23:30:00Z')} bars={[{ name: '2026-11-20', value: 5 }]} />);
    expect([...days.querySelectorAll('.bar')].map(bar => Number(bar.getAttribute('height')) > 0)).toEqual([false, false, false, false, true, false, false]);
    expect(days.querySelector('svg')?.textContent).toContain('2026-11-162026-11-22');
  });
});

describe('the schedules', () => {
  const nightly: ScanScheduleView = { id: 's1', name: 'Nightly', cron: '0 1 * * *', timeZone: 'Europe/Berlin', query: { modality: 'US', neverScanned: false, olderEngine: true }, windowStart: '01:00', windowEnd: '05:00', maxInstances: 5000, enabled: true };
  const run: ScanRunView = {
    id: 'r1', kind: 'bulk', state: 'running', counts: { studies: 3, series: 2, waiting: 40, scanned: 1200, unscannable: 1, findings: 7 }, createdAt: '2026-11-22T01:00:00Z', createdBy: 'Ada', query: nightly.query, mayWorkNow: false,
  };

  test('are listed in words, turned off, run now and deleted after a second press', async () => {
    const client = fake({ schedules: vi.fn<PageClient['schedules']>(async () => [nightly]) });
    const page = await render(<Schedules client={client} />);
    await settle();
    expect(page.querySelector('tbody')?.textContent).toContain('0 1 * * *01:00 to 05:00, Europe/BerlinUS · scanned by an older versionat most 5,000 images each time');
    await click(button('Turn off'));
    await settle();
    expect(client.changeSchedule).toHaveBeenCalledExactlyOnceWith('s1', expect.objectContaining({ name: 'Nightly', enabled: false, query: nightly.query }));
    expect(client.changeSchedule.mock.lastCall?.[1]).not.toHaveProperty('id');
    await click(button('Run now'));
    expect(client.startScan).toHaveBeenCalledExactlyOnceWith(nightly.query);
    await click(button('Delete Nightly'));
    expect(client.deleteSchedule).not.toHaveBeenCalled();
    await click(button('Delete for good'));
    expect(client.deleteSchedule).toHaveBeenCalledExactlyOnceWith('s1');
  });

  test('a run says how far it is and why it stands still, and is paused or cancelled', async () => {
    const client = fake({ scans: vi.fn<PageClient['scans']>(async () => [run, { ...run, id: 'arrivals', kind: 'arrivals', mayWorkNow: true }]) });
    const page = await render(<Schedules client={client} />);
    await settle();
    expect(page.textContent).toContain('not in its hours now');
    expect(page.textContent).toContain('1,200');
    await click(button('Pause'));
    await settle();
    expect(client.steerScan).toHaveBeenCalledExactlyOnceWith('r1', 'pause');
    // What scans new studies never ends.
    expect([...page.querySelectorAll('button')].filter(found => found.textContent === 'Cancel')).toHaveLength(1);
  });

  test('a new one is added with what was filled in; the form stays open with what the sidecar refuses', async () => {
    const client = fake({ addSchedule: vi.fn<PageClient['addSchedule']>(async () => Promise.reject(new SidecarProblem(400, 'x', 'cron is not understood.'))) });
    const page = await render(<Schedules client={client} />);
    await settle();
    await click(button('New schedule'));
    const fill = (name: string, value: string): void => void ((page.querySelector(`[name="${name}"]`) as HTMLInputElement).value = value);
    fill('name', 'Ultrasound');
    fill('modality', 'us');
    fill('maxInstances', '100');
    await act(async () => page.querySelector('form')?.requestSubmit());
    await settle();
    expect(client.addSchedule.mock.lastCall?.[0]).toMatchObject({ name: 'Ultrasound', query: { modality: 'US', neverScanned: false, olderEngine: false }, maxInstances: 100, enabled: true });
    expect(page.querySelector('[role="alert"]')?.textContent).toBe('cron is not understood.');
    client.addSchedule.mockResolvedValueOnce(undefined);
    await act(async () => page.querySelector('form')?.requestSubmit());
    await settle();
    expect(page.querySelector('form')).toBeNull();
  });
});

describe('the frame of the pages', () => {
  const ended = new Observable(false);
  const logInAgain = vi.fn();
  const audit = { page: async () => ({ events: [] }), chain: async () => ({ holds: true, rows: 0, lastHash: '', checkpoints: 0, signed: false }) } as unknown as AuditClient;

  test.each<[Me['permissions'], string[]]>([
    [['review'], ['Viewer', 'Work list', 'Templates', 'Dashboard']],
    [['mask'], ['Viewer', 'Templates']],
    [['audit'], ['Viewer', 'Dashboard', 'Audit']],
    [['administer'], ['Viewer', 'Dashboard', 'Schedules']],
    [[], ['Viewer']],
  ])('%j sees the doors that open: %j', async (permissions, doors) => {
    const page = await render(<Pages client={fake({ me: vi.fn<PageClient['me']>(async () => ({ subject: 's', name: 'N', permissions })) })} audit={audit} ended={ended} logInAgain={logInAgain} />);
    await settle();
    expect([...page.querySelectorAll('nav[aria-label="Pages"] a')].map(link => link.textContent)).toEqual(doors);
  });

  test('a log-in that is over is said, whatever the page shows, and renewed by a button', async () => {
    const page = await render(<Pages client={fake()} audit={audit} ended={ended} logInAgain={logInAgain} />);
    await settle();
    expect(page.querySelector('.ended')).toBeNull();
    await act(async () => ended.set(true));
    expect(page.querySelector('.ended')?.textContent).toContain('Your session has ended.');
    await click(button('Log in again'));
    expect(logInAgain).toHaveBeenCalledOnce();
    ended.set(false);
  });

  test('links keep the log-in, and Back goes back', async () => {
    const client = fake();
    const page = await render(<Pages client={client} audit={audit} ended={ended} logInAgain={logInAgain} />);
    await settle();
    await click([...page.querySelectorAll('a')].find(link => link.textContent === 'Templates')!);
    expect([location.pathname, document.title, page.querySelector('h1')?.textContent]).toEqual(['/templates', 'Templates', 'Templates']);
    history.replaceState(null, '', '/dashboard');
    await act(async () => void window.dispatchEvent(new PopStateEvent('popstate')));
    expect(page.querySelector('h1')?.textContent).toBe('Dashboard');
    expect(client.me).toHaveBeenCalledOnce();
  });
});
